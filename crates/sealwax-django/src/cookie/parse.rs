//! `Cookie` as Django's `parse_cookie` reads it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The cookies of a `Cookie` field value, by name. Of a name that comes twice the last value
/// counts, in the place of the first; a piece without `=` is a value with an empty name.
///
/// ```
/// use sealwax_django::cookie::parse;
///
/// let cookies = parse(r#"a=1; b="x\073y"; a=2; c"#);
/// let found: Vec<_> = cookies.iter().map(|(name, value)| (&**name, &**value)).collect();
/// assert_eq!(found, [("a", "2"), ("b", "x;y"), ("", "c")]);
/// ```
#[must_use]
pub fn parse(header: &str) -> Vec<(&str, Cow<'_, str>)> {
    let mut cookies: Vec<(&str, Cow<'_, str>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (name, value) in pieces(header) {
        match places.entry(name) {
            Entry::Occupied(place) => {
                if let Some(cookie) = cookies.get_mut(*place.get()) {
                    cookie.1 = unquote(value);
                }
            }
            Entry::Vacant(place) => {
                place.insert(cookies.len());
                cookies.push((name, unquote(value)));
            }
        }
    }
    cookies
}

/// The value of one cookie: `parse(header)[name]`, without the others.
///
/// ```
/// use sealwax_django::cookie::value;
///
/// assert_eq!(value("a=1; b=2; a=3", "a").as_deref(), Some("3"));
/// assert_eq!(value("a=1", "b"), None);
/// ```
#[must_use]
pub fn value<'h>(header: &'h str, name: &str) -> Option<Cow<'h, str>> {
    pieces(header)
        .filter(|(other, _)| *other == name)
        .last()
        .map(|(_, value)| unquote(value))
}

fn pieces(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or(("", piece));
        let (name, value) = (name.trim_matches(is_space), value.trim_matches(is_space));
        (!name.is_empty() || !value.is_empty()).then_some((name, value))
    })
}

/// What Python's `str.strip` takes for a space: Unicode's, and four separators of ASCII.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// Python's `_unquote`: only what stands in double quotes, where `\ooo` is a character by its
/// octal number and `\x` is `x`.
fn unquote(value: &str) -> Cow<'_, str> {
    let inner = match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
        Some(inner) => inner,
        None => return Cow::Borrowed(value),
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        if let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] = after.as_bytes() {
            out.push(char::from((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')));
            // Three bytes of ASCII.
            rest = after.get(3..).unwrap_or_default();
            continue;
        }
        let mut characters = after.chars();
        match characters.next() {
            // Python's `.` matches every character but a line feed.
            Some(character) if character != '\n' => {
                out.push(character);
                rest = characters.as_str();
            }
            _ => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        for (value, meant) in [
            ("\"a b\"", "a b"),
            ("\"", "\""),
            ("\"\"", ""),
            ("\"a", "\"a"),
            (r#""\"\\""#, "\"\\"),
            (r#""\054\073\351\400""#, ",;é400"),
            (r#""\x""#, "x"),
            ("\"\\\n\"", "\\\n"),
            (r#""\""#, "\\"),
            (r#""\08""#, "08"),
        ] {
            assert_eq!(unquote(value), meant, "{value}");
        }
    }

    #[test]
    fn pieces_of_a_header() {
        let read = |header| {
            parse(header)
                .into_iter()
                .map(|(name, value)| format!("{name}>{value}"))
                .collect::<Vec<_>>()
        };
        assert!(read("").is_empty());
        assert!(read(" ; = ;;").is_empty());
        assert_eq!(read("a=b=c; \u{2000}d =\u{1f}e"), ["a>b=c", "d>e"]);
        assert_eq!(read("=x; y"), [">y"]);
        assert_eq!(read("a=\"b;c\""), ["a>\"b", ">c\""]);
    }

    #[test]
    fn many_cookies_take_no_longer_each() {
        let header: String = (0..50_000).map(|n| format!("n{n}={n};")).collect();
        assert_eq!(parse(&header).len(), 50_000);
        assert_eq!(value(&header, "n49999").as_deref(), Some("49999"));
    }
}
