//! Names and patterns inside settings: cookies, headers, paths, environments.

use http::HeaderName;

use crate::diagnostic::Fault;

/// A program or an argument, as the system takes it.
pub(crate) fn argument(written: &str) -> Result<(), Fault> {
    match written.contains('\0') {
        false => Ok(()),
        true => Err(Fault::new(
            "has a text that no program takes",
            "it holds a NUL character",
            "leave it out",
        )),
    }
}

/// A cookie's name as the app writes it.
pub(crate) fn cookie(written: &str) -> Result<String, Fault> {
    const PREFIXES: [&str; 4] = ["__host-http-", "__host-", "__secure-", "__http-"];
    let lower = written.to_ascii_lowercase();
    if let Some(prefix) = PREFIXES.iter().find(|prefix| lower.starts_with(*prefix)) {
        let bare = written.get(prefix.len()..).unwrap_or_default();
        return Err(Fault::new(
            "names a cookie that already has a prefix",
            "the prefix demands its attributes by itself (RFC 6265bis section 4.1.3); the app's own stays as it is",
            if bare.is_empty() {
                "leave it out".to_owned()
            } else {
                format!(r#"leave it out, or write the name without the prefix: "{bare}""#)
            },
        ));
    }
    let grammar = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'=' | b'\\');
    if written.is_empty() || written.starts_with('$') || !written.bytes().all(grammar) {
        return Err(Fault::new(
            "has a name that no cookie can have",
            "printable ASCII without space, `\"`, `,`, `;`, `=`, `\\`, and no `$` in front",
            "write the name as it stands before the `=` in Set-Cookie",
        ));
    }
    Ok(written.to_owned())
}

/// A header name with `_` or `.` that may reach the app.
pub(crate) fn header(written: &str) -> Result<HeaderName, Fault> {
    let Ok(name) = HeaderName::from_bytes(written.as_bytes()) else {
        return Err(Fault::new(
            "has a name that no header can have",
            "a header name is a token (RFC 9110 section 5.6.2)",
            r#"write the name alone, such as "x_request_id""#,
        ));
    };
    if !name.as_str().contains(['_', '.']) {
        return Err(Fault::new(
            "lists a header that passes anyway",
            "only names with `_` or `.` are held back",
            "leave it out",
        ));
    }
    // Many app servers read `_` and `.` as `-`: such a name would speak for
    // the header that only the gateway may set, or that frames the message.
    let read = name.as_str().replace(['_', '.'], "-");
    if speaks_for_another(&read) {
        return Err(Fault::new(
            "lets a client forge a header that the app trusts",
            format!("app servers read this name as `{read}`"),
            "leave it out: the gateway sets or frames that header itself",
        ));
    }
    Ok(name)
}

fn speaks_for_another(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "cf-connecting-ip",
        "connection",
        "content-length",
        "cookie",
        "fastly-client-ip",
        "forwarded",
        "front-end-https",
        "host",
        "proxy",
        "te",
        "trailer",
        "transfer-encoding",
        "true-client-ip",
        "upgrade",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-host",
        "x-original-host",
        "x-original-url",
        "x-real-ip",
        "x-rewrite-url",
        "x-url-scheme",
    ];
    let forwarded = name
        .strip_prefix("x-forwarded")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    forwarded || name.starts_with("x-sealwax-") || NAMES.contains(&name)
}

/// The beginning of paths that go to an app of their own.
pub(crate) fn path(written: &str) -> Result<String, Fault> {
    let fault = |label: &str, mend: String| {
        Err(Fault::new("has a path that cannot stand here", label, mend))
    };
    let Some(rest) = written.strip_prefix('/') else {
        return fault("a path begins with `/`", format!("write \"/{written}\""));
    };
    if rest.is_empty() {
        return fault(
            "`/` is every path",
            "name the app of every path in `to`".into(),
        );
    }
    let plain = rest.strip_suffix('/').unwrap_or(rest);
    if plain
        .split('/')
        .any(|segment| matches!(segment, "" | "." | ".."))
    {
        return fault(
            "empty, `.` and `..` segments are read in more than one way",
            "write the path as it stands in the address bar".into(),
        );
    }
    // RFC 3986 section 3.3, less `%`: what is encoded can be written in two ways.
    let grammar = |b: u8| b.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&b);
    if !rest.bytes().all(grammar) {
        return fault(
            "compared byte for byte, and these bytes are sent in more than one way or not at all",
            "use letters, digits, `-`, `.`, `_`, `~` and `/` alone".into(),
        );
    }
    Ok(written.to_owned())
}

/// A regular expression over paths.
pub(crate) fn pattern(written: &str) -> Result<String, Fault> {
    let Err(error) = regex::bytes::Regex::new(written) else {
        if sealwax_policy::Paths::never_matches(written) {
            return Err(Fault::new(
                "has a pattern that matches no path",
                "paths are compared without their leading slash",
                "leave the slash behind `^` out: `^health` for /health",
            ));
        }
        return Ok(written.to_owned());
    };
    let fault =
        |label: String, mend: &str| Fault::new("has a pattern that does not compile", label, mend);
    let look_around = ["(?=", "(?!", "(?<=", "(?<!"]
        .iter()
        .any(|group| written.contains(group));
    Err(match error {
        _ if look_around => fault(
            "patterns run in linear time, so there is no look-around".into(),
            "name what is meant: in place of `^(?!api/)`, list the paths that are exempt",
        ),
        regex::Error::CompiledTooBig(_) => fault(
            "compiled, the pattern would take more than 10 MiB".into(),
            "use smaller counts in `{…}`, or several patterns",
        ),
        other => {
            let text = other.to_string();
            // The last line of the message says why; the others repeat the pattern.
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason).to_owned();
            let back_reference = reason.contains("backreferences");
            let mend = if back_reference {
                "patterns run in linear time, so nothing can refer back to a group; write the text out"
            } else {
                "write a regular expression, searched in the path without its leading slash; `\\` makes a special character plain"
            };
            fault(reason, mend)
        }
    })
}

/// The name of an environment: a bare TOML key.
pub(crate) fn environment(written: &str) -> Result<String, Fault> {
    let grammar = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if written.is_empty() || !written.bytes().all(grammar) {
        return Err(Fault::new(
            "is not the name of an environment",
            "letters, digits, `-` and `_`",
            r#"write "production" or "development""#,
        ));
    }
    Ok(written.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies() {
        for name in ["sessionid", "connect.sid", "arr[0]", "XSRF-TOKEN", "_xsrf"] {
            assert_eq!(cookie(name).as_deref(), Ok(name));
        }
        for name in ["", "a b", "a=b", "$a", "a;b", "\u{e9}", "a\0"] {
            assert_eq!(
                cookie(name).unwrap_err().cause,
                "has a name that no cookie can have",
                "{name:?}"
            );
        }
        for name in ["__Host-a", "__secure-a", "__Http-a", "__HOST-HTTP-a"] {
            assert!(
                cookie(name)
                    .unwrap_err()
                    .mend
                    .ends_with(r#"without the prefix: "a""#),
                "{name}"
            );
        }
    }

    #[test]
    fn headers() {
        assert_eq!(header("X_Request_Id").unwrap(), "x_request_id");
        for (name, cause) in [
            ("x-request-id", "lists a header that passes anyway"),
            (
                "x_forwarded_for",
                "lets a client forge a header that the app trusts",
            ),
            (
                "Content.Length",
                "lets a client forge a header that the app trusts",
            ),
            (
                "x_sealwax_a",
                "lets a client forge a header that the app trusts",
            ),
            ("a b_c", "has a name that no header can have"),
            ("", "has a name that no header can have"),
        ] {
            assert_eq!(header(name).unwrap_err().cause, cause, "{name:?}");
        }
    }

    #[test]
    fn patterns() {
        assert!(pattern("^health$").is_ok() && pattern("^/?health").is_ok());
        let slash = pattern("^/health").unwrap_err();
        assert_eq!(slash.cause, "has a pattern that matches no path");
        assert_eq!(
            pattern("^(?!api)").unwrap_err().label,
            "patterns run in linear time, so there is no look-around"
        );
        assert_eq!(
            pattern("a{1000}{1000}{1000}").unwrap_err().label,
            "compiled, the pattern would take more than 10 MiB"
        );
        assert_eq!(pattern("(").unwrap_err().label, "unclosed group");
        assert!(
            pattern(r"(a)\1")
                .unwrap_err()
                .mend
                .starts_with("patterns run in linear time")
        );
    }
}
