//! `Set-Cookie` as Python's `http.cookies` writes it.

use std::fmt::Write as _;

/// The attributes of a cookie; one that is empty or `None` is left out. They are written in the
/// order of their names, which is the order of these fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// `Comment`, quoted like a value.
    pub comment: Option<&'a str>,
    /// `Domain`.
    pub domain: Option<&'a str>,
    /// `expires`, an HTTP date; Django writes the name in lower case.
    pub expires: Option<&'a str>,
    /// `HttpOnly`.
    pub http_only: bool,
    /// `Max-Age`, in seconds.
    pub max_age: Option<i64>,
    /// `Partitioned`, from Python 3.14 on.
    pub partitioned: bool,
    /// `Path`.
    pub path: Option<&'a str>,
    /// `SameSite`, as given.
    pub same_site: Option<&'a str>,
    /// `Secure`.
    pub secure: bool,
    /// `Version`.
    pub version: Option<&'a str>,
}

impl Attributes<'_> {
    /// What Django's `delete_cookie` sets: no value, and a life that is over. `Secure` comes with
    /// the prefixes that ask for it and with `SameSite=None`; other flags do not.
    ///
    /// ```
    /// use sealwax_django::cookie::{Attributes, format};
    ///
    /// let given = Attributes { path: Some("/"), same_site: Some("Lax"), ..Attributes::default() };
    /// assert_eq!(
    ///     format("__Host-x", "", &given.deletion("__Host-x")).unwrap(),
    ///     r#"__Host-x=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax; Secure"#
    /// );
    /// ```
    #[must_use]
    pub fn deletion(self, name: &str) -> Self {
        let none = self
            .same_site
            .is_some_and(|value| value.eq_ignore_ascii_case("none"));
        Self {
            domain: self.domain,
            expires: Some("Thu, 01 Jan 1970 00:00:00 GMT"),
            max_age: Some(0),
            path: self.path,
            same_site: self.same_site,
            secure: name.starts_with("__Secure-") || name.starts_with("__Host-") || none,
            ..Self::default()
        }
    }
}

/// What no cookie can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadCookie {
    /// The name is no token (RFC 9110, Section 5.6.2, and `:`).
    #[error("a cookie's name must be letters, digits and !#$%&'*+-.^_`|~: only")]
    Name,
    /// An attribute holds `;` or a control character, and would become another.
    #[error("a cookie's {0} must hold neither a semicolon nor a control character")]
    Attribute(&'static str),
}

/// A `Set-Cookie` field value, byte for byte as Django writes it: the value in double quotes where
/// it holds more than a token's characters or is empty, attributes in the order of their names.
///
/// # Errors
/// [`BadCookie`] for what would change the field's meaning, such as a path with `;`, which Python
/// lets through.
///
/// ```
/// use sealwax_django::cookie::{Attributes, format};
///
/// let attributes = Attributes { path: Some("/"), http_only: true, ..Attributes::default() };
/// assert_eq!(format("a", "b", &attributes).unwrap(), "a=b; HttpOnly; Path=/");
/// assert_eq!(format("a", "b;c", &attributes).unwrap(), r#"a="b\073c"; HttpOnly; Path=/"#);
/// assert!(format("a;b", "c", &attributes).is_err());
/// ```
pub fn format(name: &str, value: &str, attributes: &Attributes<'_>) -> Result<String, BadCookie> {
    if name.is_empty() || !name.bytes().all(is_legal) {
        return Err(BadCookie::Name);
    }
    let mut out = String::with_capacity(name.len() + value.len() + 96);
    out.push_str(name);
    out.push('=');
    quote(value, &mut out);

    if let Some(comment) = attributes.comment.filter(|text| !text.is_empty()) {
        out.push_str("; Comment=");
        quote(comment, &mut out);
    }
    text(&mut out, "Domain", attributes.domain)?;
    text(&mut out, "expires", attributes.expires)?;
    flag(&mut out, "HttpOnly", attributes.http_only);
    if let Some(seconds) = attributes.max_age {
        // Writing to a string does not fail.
        let _ = write!(out, "; Max-Age={seconds}");
    }
    flag(&mut out, "Partitioned", attributes.partitioned);
    text(&mut out, "Path", attributes.path)?;
    text(&mut out, "SameSite", attributes.same_site)?;
    flag(&mut out, "Secure", attributes.secure);
    text(&mut out, "Version", attributes.version)?;
    Ok(out)
}

fn flag(out: &mut String, name: &str, set: bool) {
    if set {
        out.push_str("; ");
        out.push_str(name);
    }
}

fn text(out: &mut String, name: &'static str, value: Option<&str>) -> Result<(), BadCookie> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(());
    };
    if value.chars().any(|c| c == ';' || c.is_control()) {
        return Err(BadCookie::Attribute(name));
    }
    out.push_str("; ");
    out.push_str(name);
    out.push('=');
    out.push_str(value);
    Ok(())
}

/// A token's characters, and `:`.
fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&byte)
}

/// In double quotes, where it is not a token; what could end or hide something is an octal number.
/// Characters past Latin-1 stay, as they do in Python.
fn quote(value: &str, out: &mut String) {
    if !value.is_empty() && value.bytes().all(is_legal) {
        out.push_str(value);
        return;
    }
    out.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' ' | '(' | ')' | '/' | '<' | '=' | '>' | '?' | '@' | '[' | ']' | '{' | '}' => {
                out.push(character);
            }
            '\u{100}'.. => out.push(character),
            character if character.is_ascii() && is_legal(character as u8) => out.push(character),
            character => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\{:03o}", u32::from(character));
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(value: &str) -> String {
        format("a", value, &Attributes::default()).unwrap()
    }

    #[test]
    fn values() {
        assert_eq!(bare("b"), "a=b");
        assert_eq!(bare(""), "a=\"\"");
        assert_eq!(bare("a b"), "a=\"a b\"");
        assert_eq!(bare("a,b;c"), r#"a="a\054b\073c""#);
        assert_eq!(bare("\"\\"), r#"a="\"\\""#);
        assert_eq!(bare("\r\n\0\u{7f}é"), r#"a="\015\012\000\177\351""#);
        assert_eq!(bare("\u{2019}"), "a=\"\u{2019}\"");
    }

    #[test]
    fn attributes_stand_in_the_order_of_their_names() {
        let all = Attributes {
            comment: Some("x y"),
            domain: Some("example.com"),
            expires: Some("Mon, 08 Dec 2025 16:00:00 GMT"),
            http_only: true,
            max_age: Some(-1),
            partitioned: true,
            path: Some("/"),
            same_site: Some("lax"),
            secure: true,
            version: Some("1"),
        };
        assert_eq!(
            format("a", "b", &all).unwrap(),
            "a=b; Comment=\"x y\"; Domain=example.com; expires=Mon, 08 Dec 2025 16:00:00 GMT; \
             HttpOnly; Max-Age=-1; Partitioned; Path=/; SameSite=lax; Secure; Version=1"
        );
        let empty = Attributes {
            domain: Some(""),
            path: Some(""),
            ..Attributes::default()
        };
        assert_eq!(format("a", "b", &empty).unwrap(), "a=b");
    }

    #[test]
    fn what_would_become_something_else_is_refused() {
        for name in ["", "a b", "a=b", "a;b", "é", "a\n"] {
            assert_eq!(
                format(name, "", &Attributes::default()),
                Err(BadCookie::Name)
            );
        }
        let path = |path| Attributes {
            path: Some(path),
            ..Attributes::default()
        };
        for bad in ["/; Domain=x", "/\r\n", "/\0", "/\u{85}"] {
            assert_eq!(
                format("a", "b", &path(bad)),
                Err(BadCookie::Attribute("Path"))
            );
        }
    }
}
