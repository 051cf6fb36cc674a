//! What a sealed cookie holds: the app's cookie whole, and whom it belongs to.

use std::borrow::Cow;
use std::fmt;

use crate::attributes::Kind;
use crate::bytes::trim;
use crate::same_site::{SameSite, SameSiteAttribute};
use crate::set_cookie::{MAX_LIFETIME, SetCookie};

/// The app's attributes that we do not know go along up to so many bytes.
const MAX_OTHERS: usize = 255;
/// A longer `Path` is ignored by browsers (RFC 6265bis, Section 5.6).
const MAX_PATH: usize = 1024;

/// The cookie of an app, as it lies in a sealed one: enough to give the app what it set, to know
/// whether the cookie was moved, and to send it again.
///
/// `Debug` shows neither the value nor the note.
#[derive(Clone, Eq, PartialEq)]
pub struct Contents<'a> {
    /// The name that the app knows, without a prefix that we put on.
    pub name: &'a [u8],
    /// The value that the app set; any bytes.
    pub value: &'a [u8],
    /// Which hosts the cookie is for.
    pub scope: Scope<'a>,
    /// When it was sealed, in seconds since the Unix epoch.
    pub issued: i64,
    /// From when on it does not open any more, in seconds since the Unix epoch. Times are kept from
    /// 0 to 2⁴⁰ − 1; what lies outside becomes the nearer of the two.
    pub expires: i64,
    /// What the app said about the cookie.
    pub attributes: Attributes<'a>,
    /// Whatever the caller wants to find again: any bytes, or none.
    pub note: &'a [u8],
}

/// The hosts that a cookie is for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Scope<'a> {
    /// Set with this `Domain`: it, and every host below it.
    Domain(&'a [u8]),
    /// Set without a `Domain`: this host alone. No port: browsers send cookies to all of them.
    Host(&'a [u8]),
}

/// What the app said about a cookie besides name, value and `Domain`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attributes<'a> {
    /// Where the cookie goes: its `Path`, or the one that its request gave it. `None` where that
    /// cannot be written as a `Path`, so that only the app itself can send this cookie again.
    pub path: Option<&'a [u8]>,
    /// `Secure`.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
    /// `SameSite`, if it is valid.
    pub same_site: Option<SameSite>,
    /// `Partitioned`.
    pub partitioned: bool,
    /// Whether it has a lifetime (`Max-Age`, `Expires`), which then ends at [`Contents::expires`].
    /// Without one it goes with the browser's session.
    pub persistent: bool,
    /// Attributes of no specification, such as `Priority=High`, joined by `;`: at most 255 bytes,
    /// those that do not fit are left out.
    pub others: Cow<'a, [u8]>,
}

impl<'a> Contents<'a> {
    /// What is to be sealed of `cookie`, set in answer to a request for `request_path` on `host`.
    ///
    /// It ends when the cookie does; one without a lifetime after [`MAX_LIFETIME`], which the
    /// caller may shorten. There is no note.
    pub fn of(cookie: &SetCookie<'a>, host: &'a [u8], request_path: &'a [u8], now: i64) -> Self {
        let expiry = cookie.expiry(now);
        let path = cookie.effective_path(request_path);
        Self {
            name: cookie.name(),
            value: cookie.value(),
            scope: cookie.domain().map_or(Scope::Host(host), Scope::Domain),
            issued: now,
            expires: expiry.unwrap_or_else(|| now.saturating_add(MAX_LIFETIME)),
            attributes: Attributes {
                path: Some(path).filter(|path| can_be_written(path)),
                secure: cookie.secure(),
                http_only: cookie.http_only(),
                same_site: match cookie.same_site() {
                    SameSiteAttribute::Is(same_site) => Some(same_site),
                    SameSiteAttribute::Absent | SameSiteAttribute::Invalid => None,
                },
                partitioned: cookie.partitioned(),
                persistent: expiry.is_some(),
                others: others(cookie),
            },
            note: &[],
        }
    }

    /// The `Set-Cookie` that sends the cookie again as it was, with another value, under the name
    /// `sent_as`. What is left of its lifetime goes into `Max-Age`, since clients' clocks are wrong.
    ///
    /// `None` where its path is not known: the browser would keep it beside the first one.
    pub fn set_cookie(&self, sent_as: &[u8], value: &[u8], now: i64) -> Option<Vec<u8>> {
        let attributes = &self.attributes;
        let path = attributes.path?;
        let mut field = [sent_as, b"=", value, b"; Path=", path].concat();
        let mut add = |text: &[u8], more: &[u8]| {
            field.extend_from_slice(text);
            field.extend_from_slice(more);
        };
        if let Scope::Domain(domain) = self.scope {
            // One leading dot does not count; where there is still one, it must not be lost.
            let dot: &[u8] = if domain.starts_with(b".") { b"." } else { b"" };
            add(b"; Domain=", dot);
            add(domain, b"");
        }
        if attributes.persistent {
            let left = self.expires.saturating_sub(now).clamp(0, MAX_LIFETIME);
            add(b"; Max-Age=", left.to_string().as_bytes());
        }
        if attributes.secure {
            add(b"; Secure", b"");
        }
        if attributes.http_only {
            add(b"; HttpOnly", b"");
        }
        if let Some(same_site) = attributes.same_site {
            add(b"; SameSite=", same_site.as_str().as_bytes());
        }
        if attributes.partitioned {
            add(b"; Partitioned", b"");
        }
        if !attributes.others.is_empty() {
            add(b"; ", &attributes.others);
        }
        Some(field)
    }
}

/// Whether a browser reads `path` from a `Path` attribute as it stands.
fn can_be_written(path: &[u8]) -> bool {
    path.len() <= MAX_PATH && !path.contains(&b';') && trim(path).len() == path.len()
}

fn others<'a>(cookie: &SetCookie<'a>) -> Cow<'a, [u8]> {
    let mut others: Cow<'a, [u8]> = Cow::Borrowed(&[]);
    for attribute in cookie.attributes() {
        let raw = trim(attribute.raw);
        if attribute.kind != Kind::Other || raw.is_empty() {
            continue;
        }
        if others.is_empty() && raw.len() <= MAX_OTHERS {
            others = Cow::Borrowed(raw);
        } else if others.len() + 1 + raw.len() <= MAX_OTHERS {
            others = Cow::Owned([&others, raw].join(&b';'));
        }
    }
    others
}

impl fmt::Debug for Contents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents")
            .field("name", &String::from_utf8_lossy(self.name))
            .field("scope", &self.scope)
            .field("issued", &self.issued)
            .field("expires", &self.expires)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, host) = match self {
            Self::Domain(domain) => ("Domain", domain),
            Self::Host(host) => ("Host", host),
        };
        f.debug_tuple(name)
            .field(&String::from_utf8_lossy(host))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_764_000_000;

    fn again(field: &str, request_path: &str, later: i64) -> Option<String> {
        let cookie = SetCookie::parse(field.as_bytes()).unwrap();
        let contents = Contents::of(&cookie, b"example.com", request_path.as_bytes(), NOW);
        let field = contents.set_cookie(b"__Host-sid", b"sealed", NOW + later)?;
        Some(String::from_utf8(field).unwrap())
    }

    #[test]
    fn a_cookie_is_sent_again_as_the_app_sent_it() {
        let cases = [
            ("sid=1", "/login/", "__Host-sid=sealed; Path=/login"),
            ("sid=1; Path=/", "/login/", "__Host-sid=sealed; Path=/"),
            (
                "sid=1; expires=Mon, 24 Nov 2025 17:00:00 GMT; HttpOnly; Max-Age=1209600; \
                 Path=/; SameSite=Lax; Secure",
                "/",
                "__Host-sid=sealed; Path=/; Max-Age=1209540; Secure; HttpOnly; SameSite=Lax",
            ),
            (
                "sid=1; Expires=Mon, 24 Nov 2025 17:00:00 GMT; path=/",
                "/",
                "__Host-sid=sealed; Path=/; Max-Age=3540",
            ),
            (
                "sid=1; Domain=.Example.com; Path=/a; Priority=High; SameSite=None; Secure; \
                 Partitioned; ;Version=1",
                "/",
                "__Host-sid=sealed; Path=/a; Domain=Example.com; Secure; SameSite=None; \
                 Partitioned; Priority=High;Version=1",
            ),
            ("sid=1; SameSite=Bogus", "/", "__Host-sid=sealed; Path=/"),
        ];
        for (field, path, expected) in cases {
            assert_eq!(again(field, path, 60).as_deref(), Some(expected), "{field}");
        }
    }

    #[test]
    fn a_path_that_cannot_be_written_is_not_guessed() {
        assert_eq!(again("sid=1", "/a;b/c", 0), None);
        assert_eq!(again("sid=1", &format!("/{}/c", "a".repeat(1024)), 0), None);
        assert!(again("sid=1; Path=/", "/a;b/c", 0).is_some());
    }

    #[test]
    fn a_lifetime_never_becomes_negative_nor_too_long() {
        let later = again("sid=1; Path=/; Max-Age=60", "/", 61).unwrap();
        assert_eq!(later, "__Host-sid=sealed; Path=/; Max-Age=0");
        let earlier = again("sid=1; Path=/; Max-Age=99999999", "/", -5).unwrap();
        assert_eq!(earlier, "__Host-sid=sealed; Path=/; Max-Age=34560000");
    }

    #[test]
    fn what_we_do_not_know_goes_along_up_to_255_bytes() {
        let long = "x".repeat(200);
        let field = format!("sid=1; Path=/; {long}; {long}; Priority=High");
        let again = again(&field, "/", 0).unwrap();
        assert_eq!(
            again,
            format!("__Host-sid=sealed; Path=/; {long};Priority=High")
        );
    }

    #[test]
    fn debug_shows_neither_value_nor_note() {
        let cookie = SetCookie::parse(b"sid=secret; Path=/").unwrap();
        let contents = Contents {
            note: b"secret",
            ..Contents::of(&cookie, b"example.com", b"/", NOW)
        };
        let shown = format!("{contents:?}");
        assert!(shown.contains("Host(\"example.com\")"), "{shown}");
        assert!(
            !shown.contains("secret") && !shown.contains("115"),
            "{shown}"
        );
    }
}
