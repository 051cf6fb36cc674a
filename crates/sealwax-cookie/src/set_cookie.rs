//! `Set-Cookie`, read the way a user agent reads it and kept byte for byte.

use std::fmt;

use crate::attributes::{Attribute, Kind, attributes};
use crate::bytes::{concat, has_forbidden_control, split_once, trim, trim_start};
use crate::date;
use crate::prefix::Prefix;
use crate::same_site::{SameSite, SameSiteAttribute};

/// The most bytes that a cookie's name and value may have together (RFC 6265bis, Section 5.6,
/// step 5).
pub const MAX_NAME_AND_VALUE: usize = 4096;

/// The longest a user agent keeps a cookie: 400 days, in seconds (RFC 6265bis, Section 5.5).
pub const MAX_LIFETIME: i64 = 400 * 24 * 60 * 60;

/// One `Set-Cookie` field value: the original bytes, and what a user agent makes of them by the
/// algorithm of RFC 6265bis, Section 5.6.
///
/// Parsing allocates nothing. What the accessors return are slices of the original field.
#[derive(Clone, Copy, Debug)]
pub struct SetCookie<'a> {
    field: &'a [u8],
    name: &'a [u8],
    value: &'a [u8],
    /// What follows the first semicolon.
    unparsed: Option<&'a [u8]>,
    domain: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    same_site: SameSiteAttribute,
    same_site_count: usize,
    secure: bool,
    http_only: bool,
    partitioned: bool,
    max_age: Option<i64>,
    has_expires: bool,
    /// Whether `Secure`, `HttpOnly` and `SameSite` are there at most once each, and none of them is
    /// so long that it does not count.
    tidy: bool,
}

impl<'a> SetCookie<'a> {
    /// Reads one field value.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] where a user agent ignores the cookie whatever its attributes and origin. What
    /// a browser refuses for want of an attribute (`SameSite=None` or a name prefix without
    /// `Secure`) is no error, since [`harden`](crate::harden) supplies it.
    pub fn parse(field: &'a [u8]) -> Result<Self, Refusal> {
        match has_forbidden_control(field) {
            true => Err(Refusal::ControlCharacter),
            false => Self::parse_field_value(field),
        }
    }

    /// [`parse`](Self::parse) for what HTTP has let through as a field value (an
    /// `http::HeaderValue`): it holds no control character but HTAB (RFC 9110, Section 5.5), and
    /// is not searched for one again.
    ///
    /// # Errors
    ///
    /// Every other [`Refusal`].
    pub fn parse_field_value(field: &'a [u8]) -> Result<Self, Refusal> {
        debug_assert!(!has_forbidden_control(field), "HTTP lets none through");
        let cookie = Self::read(field)?;
        if cookie.domain.is_some_and(|domain| !domain.is_ascii()) {
            return Err(Refusal::DomainNotAscii);
        }
        Ok(cookie)
    }

    /// [`parse`](Self::parse) without [`Refusal::DomainNotAscii`]: for hardening what a user agent
    /// that does not follow the specification could take after all.
    ///
    /// # Errors
    ///
    /// Every other [`Refusal`].
    pub fn parse_with_any_domain(field: &'a [u8]) -> Result<Self, Refusal> {
        match has_forbidden_control(field) {
            true => Err(Refusal::ControlCharacter),
            false => Self::read(field),
        }
    }

    /// Everything but the control characters.
    #[inline(always)]
    fn read(field: &'a [u8]) -> Result<Self, Refusal> {
        let (pair, unparsed) = split_once(field, b';');
        let (name, value) = match split_once(pair, b'=') {
            (name, Some(value)) => (trim(name), trim(value)),
            (value, None) => (&[][..], trim(value)),
        };
        if name.len() + value.len() > MAX_NAME_AND_VALUE {
            return Err(Refusal::TooLong);
        }
        if name.is_empty() && value.is_empty() {
            return Err(Refusal::Empty);
        }
        if name.is_empty() && Prefix::split(value).is_some() {
            return Err(Refusal::NamelessPrefix);
        }

        let mut cookie = Self {
            field,
            name,
            value,
            unparsed,
            domain: None,
            path: None,
            same_site: SameSiteAttribute::Absent,
            same_site_count: 0,
            secure: false,
            http_only: false,
            partitioned: false,
            max_age: None,
            has_expires: false,
            tidy: true,
        };
        let mut rest = unparsed;
        while let Some(attributes) = rest {
            rest = cookie.take_first(attributes);
        }
        Ok(cookie)
    }

    /// Takes the first of `attributes` in and returns those behind it. What nearly every field
    /// consists of, as nearly everybody writes it, comes first: to compare it costs a fraction of
    /// looking for its end and taking it apart.
    #[inline(always)]
    fn take_first(&mut self, attributes: &'a [u8]) -> Option<&'a [u8]> {
        let is = |text| strip_whole(attributes, text);
        if let Some(rest) = is(b" Path=/") {
            self.path = Some(b"/");
            rest
        } else if let Some(rest) = is(b" HttpOnly") {
            self.take_http_only();
            rest
        } else if let Some(rest) = is(b" Secure") {
            self.take_secure();
            rest
        } else if let Some(rest) = is(b" SameSite=Lax") {
            self.take_same_site(SameSiteAttribute::Is(SameSite::Lax));
            rest
        } else {
            let (raw, rest) = split_once(attributes, b';');
            self.take(&Attribute::read(raw));
            rest
        }
    }

    /// Takes one attribute in; the last of a kind wins.
    fn take(&mut self, attribute: &Attribute<'a>) {
        if !attribute.counts() {
            self.tidy &= !attribute.kind.is_ours();
            return;
        }
        let value = attribute.value;
        match attribute.kind {
            Kind::Domain => self.domain = Some(value),
            Kind::HttpOnly => self.take_http_only(),
            Kind::Partitioned => self.partitioned = true,
            Kind::Path => self.path = value.starts_with(b"/").then_some(value),
            Kind::SameSite => self.take_same_site(
                SameSite::parse(value).map_or(SameSiteAttribute::Invalid, SameSiteAttribute::Is),
            ),
            Kind::Secure => self.take_secure(),
            Kind::MaxAge => self.max_age = max_age_of(value).or(self.max_age),
            // Dates are read when somebody asks.
            Kind::Expires => self.has_expires = true,
            Kind::Other => {}
        }
    }

    fn take_secure(&mut self) {
        self.tidy &= !std::mem::replace(&mut self.secure, true);
    }

    fn take_http_only(&mut self) {
        self.tidy &= !std::mem::replace(&mut self.http_only, true);
    }

    fn take_same_site(&mut self, says: SameSiteAttribute) {
        self.tidy &= self.same_site_count == 0;
        self.same_site_count += 1;
        self.same_site = says;
    }

    /// The cookie's name; empty for a nameless cookie (`=value`, or no `=` at all).
    pub fn name(&self) -> &'a [u8] {
        self.name
    }

    /// The cookie's value, quotes included: they are part of it (RFC 6265bis, Section 4.1.1).
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// Whether it has `Secure`, with whatever value (RFC 6265bis, Section 5.6.5).
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// Whether it has `HttpOnly`, with whatever value (RFC 6265bis, Section 5.6.6).
    pub fn http_only(&self) -> bool {
        self.http_only
    }

    /// Whether it has `Partitioned` (CHIPS).
    pub fn partitioned(&self) -> bool {
        self.partitioned
    }

    /// What the last `SameSite` says (RFC 6265bis, Section 5.6.7).
    pub fn same_site(&self) -> SameSiteAttribute {
        self.same_site
    }

    /// The last `Domain` without a leading dot, in the case it was written; `None` when there is
    /// none or it is empty, which makes a host-only cookie (RFC 6265bis, Section 5.6.3).
    pub fn domain(&self) -> Option<&'a [u8]> {
        let domain = self.domain?;
        Some(domain.strip_prefix(b".").unwrap_or(domain)).filter(|domain| !domain.is_empty())
    }

    /// The last `Path`; `None` when there is none or it does not start with `/`, which means the
    /// [`default_path`] (RFC 6265bis, Section 5.6.4).
    pub fn path(&self) -> Option<&'a [u8]> {
        self.path
    }

    /// The path the cookie gets when it answers a request for `request_path`.
    pub fn effective_path<'p>(&self, request_path: &'p [u8]) -> &'p [u8]
    where
        'a: 'p,
    {
        self.path.unwrap_or_else(|| default_path(request_path))
    }

    /// The last valid `Max-Age` in seconds, at most [`MAX_LIFETIME`] (RFC 6265bis, Section 5.6.2).
    pub fn max_age(&self) -> Option<i64> {
        self.max_age
    }

    /// The last valid `Expires` in seconds since the epoch, as written: not yet held against
    /// [`MAX_LIFETIME`], which counts from now (RFC 6265bis, Section 5.6.1).
    pub fn expires(&self) -> Option<i64> {
        if !self.has_expires {
            return None;
        }
        self.attributes()
            .filter(|attribute| attribute.kind == Kind::Expires && attribute.counts())
            .filter_map(|attribute| date::parse(attribute.value))
            .last()
    }

    /// When a user agent that takes the cookie at `now` forgets it, in seconds since the epoch, at
    /// most [`MAX_LIFETIME`] ahead; `None` for a session cookie. `Max-Age` beats `Expires`
    /// (RFC 6265bis, Section 5.7).
    pub fn expiry(&self, now: i64) -> Option<i64> {
        let expiry = match self.max_age() {
            Some(seconds) if seconds <= 0 => i64::MIN,
            Some(seconds) => now.saturating_add(seconds),
            None => self.expires()?,
        };
        Some(expiry.min(now.saturating_add(MAX_LIFETIME)))
    }

    /// Whether the cookie tells the user agent to forget it: `Max-Age` of zero or less, or no valid
    /// `Max-Age` and an `Expires` that is not in the future. `now` is in seconds since the epoch.
    pub fn is_deletion(&self, now: i64) -> bool {
        self.expiry(now).is_some_and(|expiry| expiry <= now)
    }

    /// The field value with another value of the cookie; the attributes stay as they came.
    pub fn with_value(&self, value: &[u8]) -> Vec<u8> {
        let (lead, from_name) = self.split_lead();
        let pair = split_once(from_name, b';').0;
        let attributes = from_name.get(pair.len()..).unwrap_or_default();
        concat([lead, self.name, b"=", value, attributes])
    }

    /// The field value as it came.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.field
    }

    /// Whether there is a `Domain` with anything in it. Unlike [`domain`](Self::domain) this
    /// includes `Domain=.`: the specification reads that as host-only, but Chromium refuses
    /// `__Host-` together with it.
    pub(crate) fn mentions_domain(&self) -> bool {
        self.domain.is_some_and(|domain| !domain.is_empty())
    }

    /// How many `SameSite` attributes a user agent looks at.
    pub(crate) fn same_site_count(&self) -> usize {
        self.same_site_count
    }

    /// Whether an edit may leave every attribute where it is, but for a `SameSite` to be replaced.
    pub(crate) fn is_tidy(&self) -> bool {
        self.tidy
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        attributes(self.unparsed)
    }

    /// The field in two: up to the name, and from there on.
    pub(crate) fn split_lead(&self) -> (&'a [u8], &'a [u8]) {
        let from_name = trim_start(self.field);
        let lead = self.field.len() - from_name.len();
        (self.field.get(..lead).unwrap_or_default(), from_name)
    }
}

/// Why a user agent ignores a whole cookie.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// A control character other than HTAB (RFC 6265bis, Section 5.6, step 1).
    ControlCharacter,
    /// A `Domain` with bytes that are not ASCII (RFC 6265bis, Section 5.7).
    DomainNotAscii,
    /// Neither a name nor a value (RFC 6265bis, Section 5.7).
    Empty,
    /// No name, and a value that begins with a name prefix, which servers would read as a name
    /// (RFC 6265bis, Section 5.7).
    NamelessPrefix,
    /// Name and value pass [`MAX_NAME_AND_VALUE`] (RFC 6265bis, Section 5.6, step 5).
    TooLong,
}

impl Refusal {
    /// A stable name for logs and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Self::ControlCharacter => "cookie.refused.control-character",
            Self::DomainNotAscii => "cookie.refused.domain-not-ascii",
            Self::Empty => "cookie.refused.empty",
            Self::NamelessPrefix => "cookie.refused.nameless-prefix",
            Self::TooLong => "cookie.refused.too-long",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlCharacter => {
                "browsers ignore a cookie with a control character in it; encode the value"
            }
            Self::DomainNotAscii => {
                "browsers ignore a cookie whose Domain is not ASCII; write the A-label (xn--…)"
            }
            Self::Empty => "browsers ignore a cookie without name and value; give it a name",
            Self::NamelessPrefix => {
                "browsers ignore a nameless cookie whose value begins with a name prefix; \
                 give it a name"
            }
            Self::TooLong => {
                "browsers ignore a cookie whose name and value pass 4096 bytes; \
                 keep the data on the server"
            }
        })
    }
}

impl std::error::Error for Refusal {}

/// The path of a cookie that names none: the request's directory (RFC 6265bis, Section 5.1.4).
///
/// A query in `request_path` is ignored.
///
/// ```
/// use sealwax_cookie::default_path;
/// assert_eq!(default_path(b"/login"), b"/");
/// assert_eq!(default_path(b"/shop/cart?id=1/2"), b"/shop");
/// ```
pub fn default_path(request_path: &[u8]) -> &[u8] {
    let (path, _) = split_once(request_path, b'?');
    let directory = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .and_then(|at| path.get(..at));
    match directory {
        Some(directory) if directory.starts_with(b"/") => directory,
        _ => b"/",
    }
}

/// What follows the attribute `text`, where that is the whole of the first one.
fn strip_whole<'a>(attributes: &'a [u8], text: &[u8]) -> Option<Option<&'a [u8]>> {
    match attributes.strip_prefix(text)? {
        [] => Some(None),
        [b';', rest @ ..] => Some(Some(rest)),
        _ => None,
    }
}

/// A number of seconds, saturated; `None` where the user agent ignores the attribute.
fn max_age_of(value: &[u8]) -> Option<i64> {
    let (negative, digits) = match value.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = digits.iter().fold(0i64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    Some(if negative {
        -seconds
    } else {
        seconds.min(MAX_LIFETIME)
    })
}

#[cfg(test)]
#[path = "set_cookie_tests.rs"]
mod tests;
