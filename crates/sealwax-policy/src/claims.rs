//! What a client may not say of itself: the names of headers by which proxies
//! describe a request's route and its sender.

use crate::explain::Rule;

/// What kind of claim a header name makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Scheme, host, path or address of the request.
    Route,
    /// Who the client has been found to be, by a proxy that checks passwords
    /// or certificates. One that is trusted may say so.
    Identity,
    /// A name that CGI-style servers fold into another.
    OddName,
}

impl Claim {
    pub(crate) fn rule(self) -> Rule {
        match self {
            Claim::Route | Claim::Identity => Rule::ForwardedRemoved,
            Claim::OddName => Rule::HeaderNameDropped,
        }
    }
}

/// Every `x-…` that begins so describes the route.
const X_ROUTE_PREFIXES: [&str; 6] = [
    "x-appengine-",
    "x-arr-",
    "x-envoy-",
    "x-forwarded",
    "x-original-",
    "x-sealwax-",
];

const X_ROUTE: [&str; 15] = [
    "x-host",
    "x-http-host-override",
    "x-https",
    "x-proto",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-request-uri",
    "x-rewrite-url",
    "x-scheme",
    "x-script-name",
    "x-ssl",
    "x-url-scheme",
    "x-zscaler-client",
];

/// `x-client-ip`, `x-cluster-client-ip`, `x-azure-clientip` …
const X_ROUTE_SUFFIXES: [&str; 2] = ["-client-ip", "-clientip"];

/// `x-client-cert`, `x-client-certificate`, `x-ssl-client-s-dn` …
const X_IDENTITY_PREFIXES: [&str; 3] = ["x-client-cert", "x-remote-user", "x-ssl-client"];

/// Whether a header of this name (in lower case) says something of the client's route or identity
/// that only a trusted proxy may say, or could be taken for one that does (`x_forwarded_for`). Such
/// a field must not reach the app in a trailer section either.
#[must_use]
pub fn is_claim(name: &str) -> bool {
    claim(name).is_some()
}

/// What the header `name` (in lower case) claims; `None` for nearly all.
pub(crate) fn claim(name: &str) -> Option<Claim> {
    let bytes = name.as_bytes();
    if has_odd_byte(bytes) {
        return Some(Claim::OddName);
    }
    // The first letter sorts nearly every header out: this runs for all of them.
    match bytes.first() {
        Some(b'x') => claim_of_x(name),
        Some(b'c') => route(matches!(
            name,
            "cf-connecting-ip" | "cf-visitor" | "client-ip"
        )),
        Some(b'f') => route(matches!(
            name,
            "fastly-client-ip" | "forwarded" | "front-end-https"
        )),
        Some(b'h') => route(name == "http-client-ip"),
        Some(b'p') => route(matches!(name, "proxy" | "proxy-client-ip")),
        Some(b'r') => name.starts_with("remote-user").then_some(Claim::Identity),
        Some(b's') if name.starts_with("ssl-client-") => Some(Claim::Identity),
        Some(b's') => route(name.starts_with("sealwax-")),
        Some(b't') => route(name == "true-client-ip"),
        Some(b'w') => route(name == "wl-proxy-client-ip"),
        _ => None,
    }
}

fn claim_of_x(name: &str) -> Option<Claim> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if begins(&X_IDENTITY_PREFIXES) {
        return Some(Claim::Identity);
    }
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    route(X_ROUTE.contains(&name) || begins(&X_ROUTE_PREFIXES) || ends(&X_ROUTE_SUFFIXES))
}

fn route(is_one: bool) -> Option<Claim> {
    is_one.then_some(Claim::Route)
}

/// Whether there is a `_` or a `.` in a name. Eight bytes at a time, since every name of every
/// request is looked through to its end.
fn has_odd_byte(name: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    // Not zero if and only if some byte of the word is the one that is looked for.
    let marks = |word: u64, byte: u8| {
        let difference = word ^ (ONES * u64::from(byte));
        difference.wrapping_sub(ONES) & !difference & HIGHS
    };
    let Some(last) = name.last_chunk::<8>() else {
        return name.iter().any(|byte| matches!(byte, b'_' | b'.'));
    };
    // The last word overlaps the one before, so that no byte is left over.
    let (words, _) = name.as_chunks::<8>();
    words.iter().chain([last]).any(|word| {
        let word = u64::from_ne_bytes(*word);
        marks(word, b'_') | marks(word, b'.') != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_are_found_wherever_they_stand() {
        for length in 0..20 {
            let mut name = vec![b'-'; length];
            for filler in [b'-', b'/', b'^', b'`', b'a', b'z', 0, 0xff, b'_' ^ 0x80] {
                name.fill(filler);
                assert!(!has_odd_byte(&name), "{name:?}");
                for at in 0..length {
                    for odd in [b'_', b'.'] {
                        name[at] = odd;
                        assert!(has_odd_byte(&name), "{name:?}");
                        name[at] = filler;
                    }
                }
            }
        }
    }
}
