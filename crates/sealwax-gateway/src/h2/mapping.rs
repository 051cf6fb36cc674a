//! Which HTTP/2 requests can be said in HTTP/1.1 without meaning something
//! else there (RFC 9113 §8.2, §8.3, §10.3).
//!
//! The library has refused what it knows to be malformed: connection-specific
//! fields, `te` other than `trailers`, upper case, controls in values, missing,
//! doubled and late pseudo-header fields, a content-length that is no number or
//! does not agree with the DATA. Here is what it lets through. One repair of
//! its own cannot be seen from here: it cuts a `:path` at `#`, before anything
//! judges it, so all that follows agrees on what is left.

use h2::ext::Protocol;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Authority;
use http::{Method, StatusCode};

use crate::error::Refusal;

const fn malformed(id: &'static str, sentence: &'static str) -> Refusal {
    Refusal {
        id,
        sentence,
        status: StatusCode::BAD_REQUEST,
    }
}

const CONNECT: Refusal = Refusal {
    id: "h2.connect",
    sentence: "CONNECT asks for a tunnel, and there are none here (RFC 9113 §8.5, RFC 8441 §4).",
    status: StatusCode::METHOD_NOT_ALLOWED,
};
const SCHEME: Refusal = malformed(
    "h2.scheme",
    "Over TLS the :scheme is https; the app would be told so whatever the client says (RFC 9110 §7.4).",
);
const AUTHORITY_MISSING: Refusal = malformed(
    "h2.authority.missing",
    "A request names its host in :authority, or in Host where it was HTTP/1.1 before (RFC 9113 §8.3.1).",
);
const USERINFO: Refusal = malformed(
    "h2.authority.userinfo",
    "An :authority has no user information (RFC 9113 §8.3.1).",
);
const HOST_REPEATED: Refusal = malformed(
    "h2.host.repeated",
    "A request names its host once; recipients differ over which of two counts (RFC 9112 §3.2).",
);
const HOST_DIFFERS: Refusal = malformed(
    "h2.host.differs",
    "Host and :authority name the same host (RFC 9113 §8.3.1).",
);
const PATH_FORM: Refusal = malformed(
    "h2.path.form",
    "A :path begins with a slash, or is * with OPTIONS (RFC 9113 §8.3.1).",
);
const PATH_OCTET: Refusal = malformed(
    "h2.path.octet",
    "A :path holds visible ASCII only, since it becomes part of an HTTP/1.1 request line (RFC 9113 §10.3, RFC 3986 §3.3).",
);
const LENGTH_REPEATED: Refusal = malformed(
    "h2.content-length.repeated",
    "Content-Length stands once; recipients differ over a second one (RFC 9110 §8.6).",
);
const LENGTH: Refusal = malformed(
    "h2.content-length",
    "Content-Length is decimal digits and nothing else (RFC 9110 §8.6).",
);
const VALUE_SPACE: Refusal = malformed(
    "h2.field.space",
    "A field value does not begin or end with space or tab (RFC 9113 §8.2.1).",
);
const TRANSFER_ENCODING: Refusal = malformed(
    "h2.field.connection",
    "HTTP/2 has no connection-specific fields (RFC 9113 §8.2.2).",
);

/// Judges the head of a request that came over HTTP/2 and TLS.
///
/// # Errors
///
/// The first rule that the request breaks.
pub(crate) fn check(head: &Parts) -> Result<(), Refusal> {
    if head.method == Method::CONNECT || head.extensions.get::<Protocol>().is_some() {
        return Err(CONNECT);
    }
    if head
        .uri
        .scheme_str()
        .is_some_and(|scheme| scheme != "https")
    {
        return Err(SCHEME);
    }
    let mut fields = Fields::default();
    for (name, value) in &head.headers {
        fields.note(name, value)?;
    }
    check_host(head.uri.authority(), fields.host)?;
    check_path(head)
}

/// What is looked for among the fields, in one pass.
#[derive(Default)]
struct Fields<'f> {
    host: Option<&'f HeaderValue>,
    length: Option<&'f HeaderValue>,
}

impl<'f> Fields<'f> {
    fn note(&mut self, name: &HeaderName, value: &'f HeaderValue) -> Result<(), Refusal> {
        if has_outer_space(value) {
            return Err(VALUE_SPACE);
        }
        if *name == header::HOST {
            if self.host.replace(value).is_some() {
                return Err(HOST_REPEATED);
            }
        } else if *name == header::CONTENT_LENGTH {
            if self.length.replace(value).is_some() {
                return Err(LENGTH_REPEATED);
            }
            check_length(value.as_bytes())?;
        } else if *name == header::TRANSFER_ENCODING
            || *name == header::CONNECTION
            || *name == header::UPGRADE
        {
            // A second look, since a body's length hangs on it.
            return Err(TRANSFER_ENCODING);
        }
        Ok(())
    }
}

fn check_host(authority: Option<&Authority>, host: Option<&HeaderValue>) -> Result<(), Refusal> {
    if authority.is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(USERINFO);
    }
    match (authority, host) {
        (None, None) => Err(AUTHORITY_MISSING),
        (Some(authority), Some(host)) if !same_host(authority.as_str(), host) => Err(HOST_DIFFERS),
        _ => Ok(()),
    }
}

/// Equal but for case. A port that https has anyway makes a difference: the
/// app is told one of the two.
fn same_host(authority: &str, host: &HeaderValue) -> bool {
    authority.as_bytes().eq_ignore_ascii_case(host.as_bytes())
}

fn check_path(head: &Parts) -> Result<(), Refusal> {
    let path = head
        .uri
        .path_and_query()
        .map_or(&b""[..], |path| path.as_str().as_bytes());
    let is_asterisk = path == b"*" && head.method == Method::OPTIONS;
    if !path.starts_with(b"/") && !is_asterisk {
        return Err(PATH_FORM);
    }
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#';
    if path.iter().all(is_plain) {
        Ok(())
    } else {
        Err(PATH_OCTET)
    }
}

fn check_length(length: &[u8]) -> Result<(), Refusal> {
    if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
        return Err(LENGTH);
    }
    Ok(())
}

fn has_outer_space(value: &HeaderValue) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    is_space(value.as_bytes().first()) || is_space(value.as_bytes().last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn judge(request: http::request::Builder) -> Result<(), &'static str> {
        let (head, ()) = request.body(()).unwrap().into_parts();
        check(&head).map_err(|refusal| refusal.id)
    }

    fn get(uri: &str) -> http::request::Builder {
        Request::builder().uri(uri)
    }

    #[test]
    fn honest_requests_pass() {
        for request in [
            get("https://a/"),
            get("https://a:8443/x?y=%20#z"),
            get("https://A.example/").header("host", "a.example"),
            get("https://a:443/").header("host", "a:443"),
            get("https://[::1]:8443/").header("host", "[::1]:8443"),
            // Translated from HTTP/1.1 on the way.
            get("/x").header("host", "a"),
            get("*").method("OPTIONS").header("host", "a"),
            get("https://a/{x}|\"").header("te", "trailers"),
            get("https://a/")
                .method("POST")
                .header("content-length", "0"),
            get("https://a/")
                .method("PROPFIND")
                .header("x", "")
                .header("y", "a b"),
            get("https://a/")
                .header("cookie", "a=b")
                .header("cookie", "c=d"),
        ] {
            let shown = format!("{request:?}");
            assert_eq!(judge(request), Ok(()), "{shown}");
        }
    }

    #[test]
    fn each_rule_refuses() {
        let latin = HeaderValue::from_bytes(b"\xe4").unwrap();
        for (request, id) in [
            (get("a:443").method("CONNECT"), "h2.connect"),
            (
                get("https://a/").extension(Protocol::from_static("websocket")),
                "h2.connect",
            ),
            (get("http://a/"), "h2.scheme"),
            (get("ftp://a/"), "h2.scheme"),
            (get("/"), "h2.authority.missing"),
            (get("https://user@a/"), "h2.authority.userinfo"),
            (
                get("https://user:x@a/").header("host", "a"),
                "h2.authority.userinfo",
            ),
            (
                get("https://a/").header("host", "a").header("host", "a"),
                "h2.host.repeated",
            ),
            (
                get("/").header("host", "a").header("host", "b"),
                "h2.host.repeated",
            ),
            (get("https://a/").header("host", "b"), "h2.host.differs"),
            (
                get("https://a/").header("host", "a:8443"),
                "h2.host.differs",
            ),
            (get("https://a/").header("host", "a:443"), "h2.host.differs"),
            (get("https://a/").header("host", "a."), "h2.host.differs"),
            (get("https://a/").header("host", ""), "h2.host.differs"),
            (get("https://a/").header("host", latin), "h2.host.differs"),
            (get("*").header("host", "a"), "h2.path.form"),
            (get("https://a/\u{e4}"), "h2.path.octet"),
            (get("https://a/x?\u{20ac}"), "h2.path.octet"),
            (
                get("https://a/")
                    .header("content-length", "5")
                    .header("content-length", "5"),
                "h2.content-length.repeated",
            ),
            (
                get("https://a/").header("content-length", "+5"),
                "h2.content-length",
            ),
            (
                get("https://a/").header("content-length", "5, 5"),
                "h2.content-length",
            ),
            (
                get("https://a/").header("content-length", ""),
                "h2.content-length",
            ),
            (
                get("https://a/").header("content-length", "0x5"),
                "h2.content-length",
            ),
            (
                get("https://a/").header("transfer-encoding", "chunked"),
                "h2.field.connection",
            ),
            (
                get("https://a/").header("connection", "close"),
                "h2.field.connection",
            ),
            (get("https://a/").header("x", " a"), "h2.field.space"),
            (get("https://a/").header("x", "a\t"), "h2.field.space"),
            (get("https://a/").header("x", "\t"), "h2.field.space"),
        ] {
            let shown = format!("{request:?}");
            assert_eq!(judge(request), Err(id), "{shown}");
        }
    }
}
