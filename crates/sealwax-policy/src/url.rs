//! Splitting a URL as Django's host language does (`urlsplit`), since Django
//! judges `Origin` and `Referer` with it.
//!
//! Where it and browsers disagree, the pieces are only compared, never
//! followed. One thing is stricter: a host with characters beyond ASCII is
//! refused, where Python asks for its NFKC form; browsers send Punycode.

use std::net::Ipv6Addr;

/// A URL in its five parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SplitUrl {
    /// In lower case; empty where there is none.
    pub(crate) scheme: String,
    /// Host, port and user information, as sent; empty where there is none.
    pub(crate) netloc: String,
    path: String,
    query: String,
    fragment: String,
}

/// The authority's brackets, or its characters, make no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadUrl;

impl SplitUrl {
    pub(crate) fn of(text: &str) -> Result<Self, BadUrl> {
        let text: String = text
            .trim_start_matches(|c: char| c <= ' ')
            .chars()
            .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
            .collect();
        let (scheme, rest) = split_scheme(&text);
        let (netloc, rest) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        check_netloc(netloc)?;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            netloc: netloc.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            fragment: fragment.to_owned(),
        })
    }

    /// The URL put together again, without what is empty.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push(':');
        }
        if !self.netloc.is_empty() {
            text.push_str("//");
            text.push_str(&self.netloc);
        }
        text.push_str(&self.path);
        for (mark, part) in [('?', &self.query), ('#', &self.fragment)] {
            if !part.is_empty() {
                text.push(mark);
                text.push_str(part);
            }
        }
        text
    }
}

/// The scheme, where the text before the first colon is one, and what follows.
fn split_scheme(text: &str) -> (&str, &str) {
    let Some((scheme, rest)) = text.split_once(':') else {
        return ("", text);
    };
    let begins_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    match begins_well && scheme.chars().all(allowed) {
        true => (scheme, rest),
        false => ("", text),
    }
}

fn check_netloc(netloc: &str) -> Result<(), BadUrl> {
    let brackets = (netloc.contains('['), netloc.contains(']'));
    match brackets {
        _ if !netloc.is_ascii() => Err(BadUrl),
        (false, false) => Ok(()),
        (true, true) => check_brackets(netloc),
        _ => Err(BadUrl),
    }
}

/// `[address]` with nothing before it but user information, and nothing after
/// it but a port (RFC 3986 §3.2.2).
fn check_brackets(netloc: &str) -> Result<(), BadUrl> {
    let host = netloc.rsplit_once('@').map_or(netloc, |(_, host)| host);
    let inside = host.strip_prefix('[').ok_or(BadUrl)?;
    let (address, port) = inside.split_once(']').ok_or(BadUrl)?;
    let port_follows = port.is_empty() || port.starts_with(':');
    let good = match address.strip_prefix('v') {
        Some(future) => future.split_once('.').is_some_and(|(version, rest)| {
            let hex = version.chars().all(|c| c.is_ascii_hexdigit());
            hex && !version.is_empty() && !rest.is_empty()
        }),
        None => address.parse::<Ipv6Addr>().is_ok(),
    };
    (port_follows && good).then_some(()).ok_or(BadUrl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_python_does() {
        for (text, expected) in [
            ("https://a.example/x?y#z", Some(("https", "a.example"))),
            ("  \u{1}HTTPS://A.example", Some(("https", "A.example"))),
            ("ht\ttps://a\r\n.example", Some(("https", "a.example"))),
            ("//h/", Some(("", "h"))),
            ("https:/a", Some(("https", ""))),
            ("https:a", Some(("https", ""))),
            ("", Some(("", ""))),
            ("null", Some(("", ""))),
            ("1a://h", Some(("", ""))),
            ("a_b://h", Some(("", ""))),
            ("https://u:p@h:99999?q", Some(("https", "u:p@h:99999"))),
            ("https://good\\@evil/", Some(("https", "good\\@evil"))),
            ("https://[::1]:8000/", Some(("https", "[::1]:8000"))),
            ("https://u@[::1]", Some(("https", "u@[::1]"))),
            ("https://[v1.x]/", Some(("https", "[v1.x]"))),
            ("https://[", None),
            ("https://]", None),
            ("https://[127.0.0.1]/", None),
            ("https://[::1]x/", None),
            ("https://x[::1]/", None),
            ("https://[v.x]/", None),
            ("https://][/", None),
            ("https://caf\u{e9}.example/", None),
        ] {
            let split = SplitUrl::of(text).ok();
            let parts = split
                .as_ref()
                .map(|u| (u.scheme.as_str(), u.netloc.as_str()));
            assert_eq!(parts, expected, "{text:?}");
        }
    }

    #[test]
    fn puts_together_without_what_is_empty() {
        for (text, again) in [
            ("HTTPS://a/b?c#d", "https://a/b?c#d"),
            ("https://a/?#", "https://a/"),
            ("https://a?x", "https://a?x"),
            ("https://a#?", "https://a#?"),
        ] {
            assert_eq!(SplitUrl::of(text).unwrap().text(), again);
        }
    }
}
