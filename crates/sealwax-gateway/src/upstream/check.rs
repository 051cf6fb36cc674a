//! Is the app's response head one that can be read in one way only?

use http::header::{self, HeaderMap, HeaderValue};
use http::response::Parts;
use http::{StatusCode, Version};

/// The fault of a head that must not be passed on (RFC 9112 §6.3).
pub(crate) fn fault(head: &Parts, upgrade_asked: bool) -> Option<&'static str> {
    let lengths = content_lengths(&head.headers);
    let coded = head.headers.contains_key(header::TRANSFER_ENCODING);
    if coded && lengths != Lengths::None {
        return Some("it has both Content-Length and Transfer-Encoding");
    }
    if lengths == Lengths::Bad {
        return Some("its Content-Length fields differ or are no numbers");
    }
    if coded && head.version < Version::HTTP_11 {
        return Some("it has a Transfer-Encoding although it is HTTP/1.0");
    }
    if coded && !is_chunked_only(&head.headers) {
        return Some("its Transfer-Encoding is not `chunked` alone");
    }
    if head.status == StatusCode::SWITCHING_PROTOCOLS && !upgrade_asked {
        return Some("it switches protocols although nobody asked");
    }
    None
}

#[derive(Debug, PartialEq, Eq)]
enum Lengths {
    None,
    One,
    Bad,
}

fn content_lengths(headers: &HeaderMap) -> Lengths {
    let mut first: Option<&[u8]> = None;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        let value = value.as_bytes();
        if value.is_empty()
            || !value.iter().all(u8::is_ascii_digit)
            || first.is_some_and(|known| known != value)
        {
            return Lengths::Bad;
        }
        first = Some(value);
    }
    if first.is_some() {
        Lengths::One
    } else {
        Lengths::None
    }
}

/// Whether there is one Transfer-Encoding and it is `chunked`. Any other coding
/// would be lost with the field, and its bytes taken for the content (RFC 9112
/// §6.1).
pub(crate) fn is_chunked_only(headers: &HeaderMap) -> bool {
    let mut values = headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .map(HeaderValue::as_bytes);
    let one = values
        .next()
        .is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"chunked"));
    one && values.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(version: Version, status: u16, fields: &[(&str, &str)]) -> Option<&'static str> {
        let mut response = http::Response::builder().version(version).status(status);
        for (name, value) in fields {
            response = response.header(*name, *value);
        }
        fault(&response.body(()).unwrap().into_parts().0, false)
    }

    #[test]
    fn ambiguous_framing_is_refused() {
        let h11 = Version::HTTP_11;
        for fields in [
            &[("content-length", "5"), ("transfer-encoding", "chunked")][..],
            &[("content-length", "5"), ("content-length", "6")],
            &[("content-length", "5, 6")],
            &[("content-length", "+5")],
            &[("content-length", "")],
            &[("transfer-encoding", "gzip, chunked")],
            &[
                ("transfer-encoding", "chunked"),
                ("transfer-encoding", "chunked"),
            ],
            &[("transfer-encoding", "identity")],
        ] {
            assert!(judge(h11, 200, fields).is_some(), "{fields:?}");
        }
        assert!(judge(Version::HTTP_10, 200, &[("transfer-encoding", "chunked")]).is_some());
        assert!(judge(h11, 101, &[("upgrade", "x")]).is_some());
    }

    #[test]
    fn clear_framing_passes() {
        for fields in [
            &[][..],
            &[("content-length", "5")],
            &[("content-length", "5"), ("content-length", "5")],
            &[("transfer-encoding", "Chunked")],
        ] {
            assert_eq!(judge(Version::HTTP_11, 200, fields), None, "{fields:?}");
        }
        assert_eq!(judge(Version::HTTP_10, 200, &[]), None);
    }
}
