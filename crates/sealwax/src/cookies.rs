//! Cookies of the layers' own: found in a request, written into a response as Django writes them.

use http::header::{self, HeaderMap, HeaderValue};

/// The value of the cookie `name`, as it was sent; of several the last one, as in Django.
pub(crate) fn find<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut found = None;
    let mut look = |pair: &'h [u8]| {
        let Some(rest) = pair.trim_ascii_start().strip_prefix(name.as_bytes()) else {
            return;
        };
        if let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") {
            // What is no text is no value of ours, but it shadows one before it.
            found = Some(std::str::from_utf8(value.trim_ascii()).unwrap_or_default());
        }
    };
    for field in headers.get_all(header::COOKIE) {
        match std::str::from_utf8(field.as_bytes()) {
            // Text is searched by the word: a third of the time of byte by byte.
            Ok(text) => text.split(';').for_each(|pair| look(pair.as_bytes())),
            Err(_) => field
                .as_bytes()
                .split(|byte| *byte == b';')
                .for_each(&mut look),
        }
    }
    found
}

/// Adds `Cookie` to the names that the response varies by, unless it is there already
/// (RFC 9110 §12.5.5).
pub(crate) fn vary(headers: &mut HeaderMap) {
    let names_it = |line: &HeaderValue| {
        line.as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|name| name == b"*" || name.eq_ignore_ascii_case(b"cookie"))
    };
    if !headers.get_all(header::VARY).iter().any(names_it) {
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::COOKIE, field.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_last_of_several_counts_and_look_alikes_do_not() {
        let headers = headers(&[
            "a=1; sessionid=x;sessionid2=y",
            "xsessionid=z; sessionid = w ",
        ]);
        assert_eq!(find(&headers, "sessionid"), Some("w"));
        assert_eq!(find(&headers, "a"), Some("1"));
        assert_eq!(find(&headers, "b"), None);
        // The same beside what is no text.
        let mut headers = HeaderMap::new();
        let field = HeaderValue::from_bytes(b"a=1; b=\xff; c=2;a=\xfe; d").unwrap();
        headers.append(header::COOKIE, field);
        assert_eq!(find(&headers, "c"), Some("2"));
        assert_eq!(find(&headers, "a"), Some(""));
        assert_eq!(find(&headers, "d"), None);
    }

    #[test]
    fn vary_names_the_cookie_once() {
        let mut headers = HeaderMap::new();
        vary(&mut headers);
        vary(&mut headers);
        assert_eq!(headers.get_all(header::VARY).iter().count(), 1);
        let mut headers = HeaderMap::new();
        headers.insert(header::VARY, HeaderValue::from_static("Accept, *"));
        vary(&mut headers);
        assert_eq!(headers.get_all(header::VARY).iter().count(), 1);
    }
}
