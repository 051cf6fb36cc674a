//! The `Host` of a request and the list of hosts a site answers for.
//!
//! The grammar and the matching are Django's (`ALLOWED_HOSTS`), so that a
//! request which passes here passes there: lower-cased, the value must be a
//! name of `[a-z0-9.-]` or a bracketed IPv6 literal, with an optional decimal
//! port; one trailing dot of the name is ignored for matching.

use std::borrow::Cow;
use std::fmt;

/// A well-formed `Host` value (RFC 9110 §7.2), split into name and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host<'a> {
    raw: &'a str,
    domain: Cow<'a, str>,
    port: Option<&'a str>,
}

impl<'a> Host<'a> {
    /// Reads a `Host` field value.
    ///
    /// # Errors
    /// [`MalformedHost`] when the value is empty, a list, holds user
    /// information, a character outside the grammar or an empty port.
    pub fn parse(raw: &'a [u8]) -> Result<Self, MalformedHost> {
        // The grammar below is ASCII only, so a value that is not UTF-8 fails it.
        let cut = Cut::of(raw)?;
        let raw = std::str::from_utf8(raw).map_err(|_| MalformedHost)?;
        let sent = raw.get(..cut.domain).unwrap_or_default();
        let domain = match cut.lower_case {
            true => Cow::Borrowed(sent),
            false => Cow::Owned(sent.to_ascii_lowercase()),
        };
        let port = raw.get(raw.len() - cut.port..);
        Ok(Self {
            raw,
            domain,
            port: port.filter(|port| !port.is_empty()),
        })
    }

    /// Puts together what was parsed before, so that it is parsed only once.
    pub(crate) fn from_parts(raw: &'a str, domain: &'a str, port_digits: usize) -> Self {
        let port = raw
            .len()
            .checked_sub(port_digits)
            .and_then(|at| raw.get(at..));
        Self {
            raw,
            domain: Cow::Borrowed(domain),
            port: port.filter(|port| !port.is_empty()),
        }
    }

    /// The value as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.raw
    }

    /// The name in lower case, without port and without a trailing dot; an
    /// IPv6 literal keeps its brackets.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The name as it was sent, without the port.
    #[must_use]
    pub fn name(&self) -> &'a str {
        match self.port {
            // `port` is a suffix of `raw` after a colon: both cuts are in range.
            Some(port) => &self.raw[..self.raw.len() - port.len() - 1],
            None => self.raw,
        }
    }

    /// The port's digits, if the value has one.
    #[must_use]
    pub fn port(&self) -> Option<&'a str> {
        self.port
    }
}

/// A `Host` value outside the grammar: the answer is 400 (RFC 9112 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedHost;

impl fmt::Display for MalformedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the Host is not a host name or address with an optional port")
    }
}

impl std::error::Error for MalformedHost {}

/// Whether a byte may stand in a host name, by its value.
const NAME_BYTES: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 128u8 {
        allowed[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        byte += 1;
    }
    allowed
};

fn is_name_byte(byte: u8) -> bool {
    // 256 places: no byte is out of bounds.
    NAME_BYTES[usize::from(byte)]
}

/// Where a well-formed `Host` value is to be cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    /// How many bytes the domain has; it comes first.
    pub(crate) domain: usize,
    /// Whether the domain has no upper-case letter.
    pub(crate) lower_case: bool,
    /// How many digits the port has; they come last. 0 where there is none.
    pub(crate) port: usize,
}

impl Cut {
    pub(crate) fn of(raw: &[u8]) -> Result<Self, MalformedHost> {
        let name = match raw.strip_prefix(b"[") {
            Some(rest) => ipv6_literal(rest).ok_or(MalformedHost)? + 1,
            None => {
                let end = raw.iter().position(|byte| !is_name_byte(*byte));
                end.unwrap_or(raw.len())
            }
        };
        let (name, rest) = raw.split_at_checked(name).ok_or(MalformedHost)?;
        let port = match rest {
            [] => 0,
            [b':', port @ ..] if !port.is_empty() && port.iter().all(u8::is_ascii_digit) => {
                port.len()
            }
            _ => return Err(MalformedHost),
        };
        let domain = name.strip_suffix(b".").unwrap_or(name);
        if domain.is_empty() {
            return Err(MalformedHost);
        }
        Ok(Self {
            domain: domain.len(),
            lower_case: !domain.iter().any(u8::is_ascii_uppercase),
            port,
        })
    }
}

/// How long the literal is that `rest`, what follows the opening bracket, begins with: hex digits,
/// a colon, then hex digits, dots and colons up to the closing bracket.
fn ipv6_literal(rest: &[u8]) -> Option<usize> {
    let end = rest.iter().position(|byte| *byte == b']')?;
    let inner = rest.get(..end)?;
    let colon = inner.iter().position(|byte| *byte == b':')?;
    let (head, tail) = inner.split_at_checked(colon)?;
    let good = head.iter().all(u8::is_ascii_hexdigit)
        && tail.len() > 1
        && tail
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
    good.then_some(end + 1)
}

/// The hosts one site answers for, by Django's `ALLOWED_HOSTS` rules: an exact
/// name, `.example.com` for the name and everything below it, `*` for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    patterns: Vec<String>,
}

impl AllowedHosts {
    /// Takes the patterns in the order in which they were written.
    pub fn new<S: Into<String>>(patterns: impl IntoIterator<Item = S>) -> Self {
        let patterns = patterns
            .into_iter()
            .map(|pattern| {
                let mut pattern: String = pattern.into();
                pattern.make_ascii_lowercase();
                pattern
            })
            .collect();
        Self { patterns }
    }

    /// What Django allows with `DEBUG` when `ALLOWED_HOSTS` is empty: this
    /// machine, by its local names.
    #[must_use]
    pub fn development() -> Self {
        Self::new([".localhost", "127.0.0.1", "[::1]"])
    }

    /// Whether there is no pattern, so that no host is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether `domain` (as [`Host::domain`] gives it) is allowed.
    #[must_use]
    pub fn allow(&self, domain: &str) -> bool {
        self.patterns.iter().any(|pattern| matches(domain, pattern))
    }

    /// The patterns, in lower case.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(String::as_str)
    }

    /// How closely `domain` is named: 2 exactly, 1 by a pattern, 0 not at all.
    fn closeness(&self, domain: &str) -> u8 {
        if self.patterns.iter().any(|pattern| pattern == domain) {
            2
        } else {
            u8::from(self.allow(domain))
        }
    }
}

/// `*` for everything, else Django's `is_same_domain`.
fn matches(domain: &str, pattern: &str) -> bool {
    pattern == "*" || is_same_domain(domain, pattern)
}

/// Django's `is_same_domain` with a pattern whose case does not count, while
/// that of the domain does.
pub(crate) fn same_domain(domain: &str, pattern: &str) -> bool {
    match pattern.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => is_same_domain(domain, &pattern.to_ascii_lowercase()),
        false => is_same_domain(domain, pattern),
    }
}

fn is_same_domain(domain: &str, pattern: &str) -> bool {
    match pattern.strip_prefix('.') {
        Some("") => false,
        Some(parent) => {
            domain == parent || (domain.len() > parent.len() && domain.ends_with(pattern))
        }
        None => !pattern.is_empty() && domain == pattern,
    }
}

/// Picks the site of a host: an exact name beats a pattern, then the order in
/// which the sites were written decides.
pub fn choose<'s, T>(
    sites: &'s [T],
    hosts: impl Fn(&T) -> &AllowedHosts,
    domain: &str,
) -> Option<&'s T> {
    let mut by_pattern = None;
    for site in sites {
        match hosts(site).closeness(domain) {
            2 => return Some(site),
            1 if by_pattern.is_none() => by_pattern = Some(site),
            _ => {}
        }
    }
    by_pattern
}

/// Whether a name or address is one that only this machine or a private
/// network can mean: HSTS must never be remembered for it, and no public
/// authority certifies it (RFC 6761, RFC 6762, RFC 8375; ICANN's `.internal`).
#[must_use]
pub fn is_local_name(domain: &str) -> bool {
    const SUFFIXES: [&str; 5] = ["localhost", "test", "local", "internal", "home.arpa"];
    SUFFIXES.iter().any(|suffix| {
        domain
            .strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether a domain is an IP address rather than a name (RFC 6797 §8.1.1: no
/// HSTS for those).
#[must_use]
pub fn is_address(domain: &str) -> bool {
    domain.starts_with('[') || domain.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(raw: &str) -> Option<String> {
        Host::parse(raw.as_bytes())
            .ok()
            .map(|h| h.domain().to_owned())
    }

    #[test]
    fn reads_what_django_reads() {
        for (raw, expected) in [
            ("example.com", Some("example.com")),
            ("EXAMPLE.com:8443", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("example.com.:80", Some("example.com")),
            ("[::1]", Some("[::1]")),
            ("[::1]:8000", Some("[::1]")),
            ("[2001:DB8::1.2.3.4]", Some("[2001:db8::1.2.3.4]")),
            ("127.0.0.1:1", Some("127.0.0.1")),
            ("a..b", Some("a..b")),
            ("", None),
            (".", None),
            (":80", None),
            ("a:", None),
            ("a:b", None),
            ("a:1:2", None),
            ("a,b", None),
            ("a b", None),
            ("a_b", None),
            ("user@a", None),
            ("a/b", None),
            ("[::1", None),
            ("::1", None),
            ("[1]", None),
            ("[:]", None),
            ("[::1]x", None),
            ("[::1]x:1", None),
            ("é.example", None),
        ] {
            assert_eq!(domain(raw).as_deref(), expected, "{raw:?}");
        }
        assert!(Host::parse(b"a\xff").is_err());
    }

    #[test]
    fn keeps_the_name_as_sent() {
        let host = Host::parse(b"ExAmple.com.:8443").unwrap();
        assert_eq!((host.name(), host.port()), ("ExAmple.com.", Some("8443")));
    }

    #[test]
    fn allows_as_django_does() {
        let hosts = AllowedHosts::new(["App.example.com", ".wild.test", "[::1]"]);
        for (name, allowed) in [
            ("app.example.com", true),
            ("x.app.example.com", false),
            ("wild.test", true),
            ("a.b.wild.test", true),
            ("evilwild.test", false),
            ("[::1]", true),
            ("", false),
        ] {
            assert_eq!(hosts.allow(name), allowed, "{name}");
        }
        assert!(AllowedHosts::new(["*"]).allow("anything"));
        assert!(!AllowedHosts::new(["."]).allow("x."));
        assert!(!AllowedHosts::default().allow("localhost"));
    }

    #[test]
    fn an_exact_name_beats_a_pattern() {
        let sites = [
            AllowedHosts::new([".example.com"]),
            AllowedHosts::new(["api.example.com"]),
        ];
        let found = choose(&sites, |s| s, "api.example.com").unwrap();
        assert!(std::ptr::eq(found, &sites[1]));
        assert!(choose(&sites, |s| s, "other").is_none());
    }

    #[test]
    fn knows_local_names_and_addresses() {
        for name in [
            "localhost",
            "app.localhost",
            "x.test",
            "printer.local",
            "a.internal",
        ] {
            assert!(is_local_name(name), "{name}");
        }
        for name in ["contest", "example.com", "localhost.example.com"] {
            assert!(!is_local_name(name), "{name}");
        }
        assert!(is_address("127.0.0.1") && is_address("[::1]") && !is_address("1.2.3.4.example"));
    }
}
