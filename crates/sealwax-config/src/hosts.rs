//! The patterns of a site's hosts, by Django's `ALLOWED_HOSTS` rules: a name,
//! `.name` for it and everything below it, `*` for all, an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::diagnostic::Fault;

/// Checks one pattern and gives it in lower case.
pub(crate) fn check(written: &str) -> Result<String, Fault> {
    let pattern = written.to_ascii_lowercase();
    if pattern == "*" {
        return Ok(pattern);
    }
    if pattern.is_empty() || pattern == "." {
        return Err(fault(
            "the pattern is empty",
            r#"write a host name, such as "app.example.com""#,
        ));
    }
    if let Some((scheme, rest)) = pattern.split_once("://") {
        let name = rest.split(['/', ':']).next().unwrap_or_default();
        let mend = if name.is_empty() {
            "write the name alone".to_owned()
        } else {
            format!(r#"write the name: "{name}""#)
        };
        return Err(fault(format!("`{scheme}://` belongs to a URL"), mend));
    }
    if let Some(parent) = pattern.strip_prefix("*.") {
        return Err(fault(
            "a star stands for every host, not for a part of a name",
            format!(r#"write ".{parent}" for {parent} and every host below it"#),
        ));
    }
    if let Some(name) = pattern.strip_suffix('/') {
        return Err(fault(
            "a slash belongs to a URL",
            format!(r#"write "{name}""#),
        ));
    }
    if pattern.starts_with('[') || pattern.matches(':').count() > 1 {
        return ipv6(&pattern);
    }
    if let Some((name, _port)) = pattern.split_once(':') {
        return Err(fault(
            "a port plays no part in which host is allowed",
            format!(r#"write "{name}", which stands for every port"#),
        ));
    }
    name(&pattern)?;
    Ok(pattern)
}

fn name(pattern: &str) -> Result<(), Fault> {
    if !pattern.is_ascii() {
        return Err(fault(
            "browsers send the ASCII form of such a name",
            r#"write the form that begins with "xn--" (RFC 5891)"#,
        ));
    }
    if let Some(bad) = pattern
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
    {
        return Err(fault(
            format!("`{}` does not occur in a host name", bad.escape_default()),
            "use letters, digits, dots and hyphens",
        ));
    }
    if let Some(without) = pattern.strip_suffix('.') {
        return Err(fault(
            "the dot at the end is not compared",
            format!(r#"write "{without}", which stands for both"#),
        ));
    }
    let labels = pattern.strip_prefix('.').unwrap_or(pattern);
    if labels.split('.').any(str::is_empty) {
        return Err(fault(
            "there is nothing between two dots",
            "leave one dot between labels",
        ));
    }
    // RFC 1035 §2.3.4.
    if labels.len() > 253 || labels.split('.').any(|label| label.len() > 63) {
        return Err(fault(
            "the name is longer than DNS carries",
            "stay within 63 characters between dots and 253 in all (RFC 1035 section 2.3.4)",
        ));
    }
    Ok(())
}

/// The comparison is one of text, so only the form that browsers send can match.
fn ipv6(pattern: &str) -> Result<String, Fault> {
    let (literal, port) = match pattern
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((literal, rest)) => (literal, !rest.is_empty()),
        None => (pattern, false),
    };
    let Ok(address) = literal.parse::<Ipv6Addr>() else {
        return Err(fault(
            "this is neither a host name nor an IPv6 address",
            r#"write an IPv6 address in brackets, such as "[::1]""#,
        ));
    };
    let right = format!("[{address}]");
    if port {
        return Err(fault(
            "a port plays no part in which host is allowed",
            format!(r#"write "{right}", which stands for every port"#),
        ));
    }
    if right != pattern {
        return Err(fault(
            "browsers send this address in another form",
            format!(r#"write "{right}""#),
        ));
    }
    Ok(right)
}

fn fault(label: impl Into<String>, mend: impl Into<String>) -> Fault {
    Fault::new("has a host that cannot match", label, mend)
}

/// Whether the local certificate authority may vouch for every host that
/// `pattern` (checked, in lower case) stands for. Its name constraints allow no
/// other.
pub(crate) fn is_local(pattern: &str) -> bool {
    // `home.arpa` is local too, but outside the authority's constraints.
    const SUFFIXES: [&str; 4] = ["localhost", "test", "local", "internal"];
    let name = pattern.strip_prefix('.').unwrap_or(pattern);
    let by_name = SUFFIXES.iter().any(|suffix| {
        name.strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    by_name || address(name).is_some_and(is_private)
}

fn address(name: &str) -> Option<IpAddr> {
    match name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(literal) => literal.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => name.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => a.is_loopback() || a.is_private() || a.is_link_local(),
        IpAddr::V6(a) => a.is_loopback() || a.is_unique_local() || a.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_django_takes() {
        for (written, pattern) in [
            ("App.Example.com", "app.example.com"),
            (".example.com", ".example.com"),
            ("*", "*"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(check(written).as_deref(), Ok(pattern));
        }
    }

    #[test]
    fn refuses_what_can_never_match() {
        let long = "a".repeat(64);
        for (written, mend) in [
            (
                "*.example.com",
                r#"write ".example.com" for example.com and every host below it"#,
            ),
            ("https://example.com/x", r#"write the name: "example.com""#),
            ("https://", "write the name alone"),
            (
                "example.com:8443",
                r#"write "example.com", which stands for every port"#,
            ),
            ("example.com/", r#"write "example.com""#),
            (
                "example.com.",
                r#"write "example.com", which stands for both"#,
            ),
            ("::1", r#"write "[::1]""#),
            ("[0:0:0:0:0:0:0:1]", r#"write "[::1]""#),
            (
                "[::1]:8443",
                r#"write "[::1]", which stands for every port"#,
            ),
            (
                "[::1",
                r#"write an IPv6 address in brackets, such as "[::1]""#,
            ),
            ("a_b.example", "use letters, digits, dots and hyphens"),
            ("a\0b", "use letters, digits, dots and hyphens"),
            ("a..b", "leave one dot between labels"),
            (
                "b\u{fc}cher.example",
                r#"write the form that begins with "xn--" (RFC 5891)"#,
            ),
            ("", r#"write a host name, such as "app.example.com""#),
            (".", r#"write a host name, such as "app.example.com""#),
            (
                &long,
                "stay within 63 characters between dots and 253 in all (RFC 1035 section 2.3.4)",
            ),
        ] {
            assert_eq!(check(written).unwrap_err().mend, mend, "{written:?}");
        }
    }

    #[test]
    fn knows_what_the_local_authority_covers() {
        for host in [
            "localhost",
            "a.localhost",
            ".test",
            ".app.test",
            "x.local",
            "y.internal",
            "127.0.0.1",
            "10.1.2.3",
            "[::1]",
            "[fd00::1]",
            "[fe80::1]",
            "169.254.1.1",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "*",
            "example.com",
            "contest",
            "8.8.8.8",
            "[2001:db8::1]",
            "172.32.0.1",
            "a.home.arpa",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
