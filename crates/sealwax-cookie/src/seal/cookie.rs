//! One cookie, sealed for its name and its hosts.

use std::fmt;

use super::contents::{Contents, Scope};
use super::hosts::{domain_match, same};
use super::key::KeyId;
use super::layout::{self, Layout};
use super::ring::KeyRing;
use super::sealer::{KeyAge, PLAIN_START, Sealer, Unopened, Unsealed};
use crate::set_cookie::MAX_NAME_AND_VALUE;

/// How far ahead of ours, in seconds, the clock of another node with the same keys may be: five
/// minutes.
pub const MAX_SKEW: i64 = 5 * 60;

/// Seals the cookies of apps, so that the browser's side can neither read nor make nor move them.
/// Cloning is cheap.
///
/// A sealed value opens for the name, the hosts and the time that it was sealed for, and for nothing
/// else. These stand in it, so that a value that was moved can be told from one that was made up.
///
/// # Format
///
/// A [`Sealer`] for the purpose `cookie` seals this, layout 1:
///
/// | bytes | |
/// |---:|---|
/// | 1 | layout: 1 |
/// | 1 | flags: bits 0 and 1 `SameSite` (0 none, 1 `None`, 2 `Lax`, 3 `Strict`), 2 `Secure`, 3 `HttpOnly`, 4 `Partitioned`, 5 has a lifetime, 6 the next but one below is a `Domain`, 7 has a path |
/// | 5 | issued: seconds since the Unix epoch, most significant byte first |
/// | 5 | expires: the same |
/// | 1 + … | name: its length (LEB128: one byte below 128), then its bytes |
/// | 1 + … | host or `Domain`: the same |
/// | 1 + … | path: the same |
/// | 1 + … | other attributes: the same |
/// | 1 + … | note: the same |
/// | rest | value |
///
/// # Size
///
/// Django's session cookie (`sessionid`, 32 characters, `Path=/`, on `app.example.com`) becomes 143
/// characters: 111 more. A note costs its length and a third. As `__Host-sessionid` the value may
/// have up to 2985 bytes, since browsers refuse name and value of more than 4096 bytes together;
/// what would pass that is [`TooLong`].
///
/// # Example
///
/// ```
/// use sealwax_cookie::{Contents, CookieSeal, KeyRing, SealKey, SetCookie, WhyNot};
///
/// let ring = KeyRing::new(SealKey::new([7; 32]), []).unwrap(); // 32 random bytes
/// let seal = CookieSeal::new(&ring);
/// let now = 1_764_000_000;
///
/// // Out: the app's cookie, sealed. It may still be hardened.
/// let cookie = SetCookie::parse(b"sessionid=abc; Path=/; Max-Age=3600").unwrap();
/// let contents = Contents::of(&cookie, b"app.example.com", b"/login/", now);
/// let nonce = [0; 12]; // 12 random bytes
/// let value = seal.seal(&contents, b"__Host-sessionid", nonce).unwrap();
/// let field = contents.set_cookie(b"sessionid", value.as_bytes(), now).unwrap();
/// assert!(field.ends_with(b"; Path=/; Max-Age=3600"));
///
/// // Back: what the app set.
/// let open = |name, host, now| seal.open(value.as_bytes(), name, host, now);
/// let opened = open(b"sessionid", b"app.example.com", now + 60).unwrap();
/// assert_eq!(opened.contents().value, b"abc");
///
/// // Nowhere else, and not for ever.
/// let moved = open(b"sessionid", b"blog.example.com", now + 60).unwrap_err();
/// assert_eq!(moved, WhyNot::OtherHost { sealed_for: "app.example.com".into() });
/// assert_eq!(open(b"admin", b"app.example.com", now + 60).unwrap_err(), WhyNot::OtherName);
/// assert_eq!(
///     open(b"sessionid", b"app.example.com", now + 3600).unwrap_err(),
///     WhyNot::Expired
/// );
/// ```
#[derive(Clone, Debug)]
pub struct CookieSeal(Sealer);

impl CookieSeal {
    /// The purpose of the [`Sealer`].
    pub const PURPOSE: &str = "cookie";

    /// Seals with the first key of `ring` and opens with all.
    pub fn new(ring: &KeyRing) -> Self {
        Self(ring.sealer(Self::PURPOSE))
    }

    /// The value to send instead of [`Contents::value`], under the name `sent_as` (the app's name
    /// with whatever prefix it may get). The nonce must be random.
    ///
    /// # Errors
    /// [`TooLong`] where browsers would refuse the cookie. Nothing is cut off.
    pub fn seal(
        &self,
        contents: &Contents<'_>,
        sent_as: &[u8],
        nonce: [u8; 12],
    ) -> Result<String, TooLong> {
        Self::fits(contents, sent_as)?;
        let mut open = Unsealed::with_capacity(layout::length(contents));
        layout::write(contents, &mut open);
        Ok(self.0.close(open, nonce))
    }

    /// Whether `contents`, sealed, would fit into a cookie, as [`seal`](Self::seal) asks.
    ///
    /// # Errors
    /// [`TooLong`] where it would not.
    pub fn fits(contents: &Contents<'_>, sent_as: &[u8]) -> Result<(), TooLong> {
        let length = sent_as.len() + Sealer::sealed_length(layout::length(contents));
        match length > MAX_NAME_AND_VALUE {
            true => Err(TooLong { length }),
            false => Ok(()),
        }
    }

    /// Opens what came back as the value of the app's cookie `name` in a request for `host` (without
    /// a port). `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    /// [`WhyNot`]. Then the app must not see the cookie. How long it takes to refuse what we did not
    /// seal depends on its text alone.
    pub fn open(
        &self,
        text: &[u8],
        name: &[u8],
        host: &[u8],
        now: i64,
    ) -> Result<OpenedCookie, WhyNot> {
        // We have sealed nothing that long.
        if text.len() > MAX_NAME_AND_VALUE {
            return Err(WhyNot::NotSealed);
        }
        let (raw, by) = self.0.open_raw(text)?;
        let layout = Layout::read(&raw, PLAIN_START).ok_or(WhyNot::NotSealed)?;
        let opened = OpenedCookie { raw, layout, by };
        opened.contents().check(name, host, now)?;
        Ok(opened)
    }
}

impl Contents<'_> {
    fn check(&self, name: &[u8], host: &[u8], now: i64) -> Result<(), WhyNot> {
        let (ours, is_for) = match self.scope {
            Scope::Domain(domain) => (domain, domain_match(host, domain)),
            Scope::Host(ours) => (ours, same(host, ours)),
        };
        if self.name != name {
            Err(WhyNot::OtherName)
        } else if !is_for {
            Err(WhyNot::OtherHost {
                sealed_for: String::from_utf8_lossy(ours).into(),
            })
        } else if self.expires <= now {
            Err(WhyNot::Expired)
        } else if self.issued > now.saturating_add(MAX_SKEW) {
            Err(WhyNot::FromTheFuture)
        } else {
            Ok(())
        }
    }
}

/// A cookie that was opened. `Debug` shows neither its value nor its note.
#[derive(Clone)]
pub struct OpenedCookie {
    raw: Vec<u8>,
    layout: Layout,
    by: KeyAge,
}

impl OpenedCookie {
    /// What was sealed.
    pub fn contents(&self) -> Contents<'_> {
        self.layout.contents(&self.raw)
    }

    /// Which key opened it. If an older one, seal the cookie anew.
    pub fn by(&self) -> KeyAge {
        self.by
    }
}

impl fmt::Debug for OpenedCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenedCookie")
            .field(&self.contents())
            .field(&self.by)
            .finish()
    }
}

/// Name and sealed value together pass what browsers take: 4096 bytes (RFC 6265bis, Section 5.6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooLong {
    /// How many bytes they have.
    pub length: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sealed, name and value would have {} bytes, and browsers refuse more than \
             {MAX_NAME_AND_VALUE}; keep the data on the server",
            self.length
        )
    }
}

impl std::error::Error for TooLong {}

/// Why a sealed cookie does not open.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum WhyNot {
    /// Its time is over.
    Expired,
    /// It was changed, cut off or made up, or sealed for another purpose.
    Forged,
    /// It was sealed by a clock that is more than [`MAX_SKEW`] ahead of this one.
    FromTheFuture,
    /// It does not look like a sealed cookie, or like one of a version to come.
    NotSealed,
    /// It is ours, but for another host: somebody has moved it.
    OtherHost {
        /// The host, or the `Domain`, that it was sealed for.
        sealed_for: Box<str>,
    },
    /// It is ours, but of a cookie with another name: somebody has moved it.
    OtherName,
    /// No key of the ring has this id.
    UnknownKey(KeyId),
}

impl WhyNot {
    /// A stable name for logs and reports.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Expired => "seal.expired",
            Self::Forged => Unopened::Forged.id(),
            Self::FromTheFuture => "seal.from-the-future",
            Self::NotSealed => Unopened::NotSealed.id(),
            Self::OtherHost { .. } => "seal.other-host",
            Self::OtherName => "seal.other-name",
            Self::UnknownKey(id) => Unopened::UnknownKey(*id).id(),
        }
    }
}

impl From<Unopened> for WhyNot {
    fn from(why: Unopened) -> Self {
        match why {
            Unopened::Forged => Self::Forged,
            Unopened::NotSealed => Self::NotSealed,
            Unopened::UnknownKey(id) => Self::UnknownKey(id),
        }
    }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("the sealed cookie has expired"),
            Self::Forged => Unopened::Forged.fmt(f),
            Self::FromTheFuture => f.write_str(
                "the sealed cookie was issued more than five minutes from now; \
                 set the clocks of the nodes that share its keys",
            ),
            Self::NotSealed => Unopened::NotSealed.fmt(f),
            Self::OtherHost { sealed_for } => {
                write!(f, "the cookie was sealed for {sealed_for:?} and moved here")
            }
            Self::OtherName => f.write_str("the value was sealed for a cookie of another name"),
            Self::UnknownKey(id) => Unopened::UnknownKey(*id).fmt(f),
        }
    }
}

impl std::error::Error for WhyNot {}

#[cfg(test)]
#[path = "cookie_tests.rs"]
mod tests;
