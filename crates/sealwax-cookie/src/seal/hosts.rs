//! Which hosts a cookie belongs to.

use std::net::IpAddr;

/// Whether `host` is the same host as `other`, in any case.
pub(super) fn same(host: &[u8], other: &[u8]) -> bool {
    host.eq_ignore_ascii_case(other)
}

/// Whether a cookie for `domain` goes to `host` (RFC 6265bis, Section 5.1.3): the same, or a host
/// below it that is no address.
pub(super) fn domain_match(host: &[u8], domain: &[u8]) -> bool {
    if domain.is_empty() {
        return false;
    }
    if same(host, domain) {
        return true;
    }
    let below = host
        .len()
        .checked_sub(domain.len())
        .and_then(|at| host.split_at_checked(at))
        .is_some_and(|(labels, end)| labels.ends_with(b".") && same(end, domain));
    below && !is_address(host)
}

/// An IPv4 address; one of IPv6 stands in brackets, which no domain ends with.
fn is_address(host: &[u8]) -> bool {
    std::str::from_utf8(host).is_ok_and(|host| host.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_matches_itself_and_what_lies_below() {
        let cases: [(&str, &str, bool); 16] = [
            ("example.com", "example.com", true),
            ("EXAMPLE.com", "example.COM", true),
            ("app.example.com", "example.com", true),
            ("a.b.example.com", "Example.com", true),
            (".example.com", "example.com", true),
            ("evil-example.com", "example.com", false),
            ("evilexample.com", "example.com", false),
            ("example.com", "app.example.com", false),
            ("example.com.evil.test", "example.com", false),
            ("example.com.", "example.com", false),
            ("example.org", "example.com", false),
            ("", "example.com", false),
            ("example.com", "", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "0.0.1", false),
            ("[::1]", "1]", false),
        ];
        for (host, domain, matches) in cases {
            let found = domain_match(host.as_bytes(), domain.as_bytes());
            assert_eq!(found, matches, "{host} for {domain}");
        }
    }
}
