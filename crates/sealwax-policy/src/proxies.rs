//! Who the client really is: the peer address, or what trusted proxies in
//! front of us say.
//!
//! Nothing that a client says about itself survives from an untrusted peer.
//! From a trusted one, the client is the rightmost address of
//! `X-Forwarded-For` that is not itself a trusted proxy.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// `X-Forwarded-For` entries read from the right; what lies further left is
/// the client's own invention or a chain nobody runs.
const MAX_HOPS: usize = 32;

/// The proxies in front of this gateway whose word counts, by address range.
/// Default: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    ranges: Vec<IpNet>,
}

/// What the peer, or a trusted proxy on its behalf, says about the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The client's address; `None` for a peer without one (a unix socket).
    pub client: Option<IpAddr>,
    /// Whether the client's own connection was TLS.
    pub secure: bool,
    /// Whether a trusted proxy was believed.
    pub by_proxy: bool,
}

impl TrustedProxies {
    /// Trusts peers in any of `ranges`.
    #[must_use]
    pub fn new(ranges: Vec<IpNet>) -> Self {
        Self { ranges }
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `address` is a trusted proxy. An IPv4 address that came in over
    /// an IPv6 socket (`::ffff:10.0.0.1`) counts as the IPv4 address it is.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.ranges.iter().any(|range| range.contains(&address))
    }

    /// Works out client and scheme from the connection and the headers.
    #[must_use]
    pub fn route(&self, peer: Option<IpAddr>, tls: bool, headers: &HeaderMap) -> Route {
        let peer = peer.map(|p| p.to_canonical());
        let believed = peer.is_some_and(|p| self.trust(p));
        if !believed {
            return Route {
                client: peer,
                secure: tls,
                by_proxy: false,
            };
        }
        let (client, hop) = self.client(peer, headers);
        let secure = tls || forwarded_proto_is_https(headers, hop);
        Route {
            client,
            secure,
            by_proxy: true,
        }
    }

    /// The rightmost address that is not a trusted proxy, and how many entries
    /// from the right it stands (`None`: not found in the list).
    fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> (Option<IpAddr>, Option<usize>) {
        let mut client = peer;
        for (hop, entry) in from_the_right(headers, "x-forwarded-for")
            .take(MAX_HOPS)
            .enumerate()
        {
            // An entry that is no address ends the chain: whoever wrote it, we
            // know nothing about what stands before it.
            let Some(address) = parse_address(entry) else {
                return (client, None);
            };
            client = Some(address);
            if !self.trust(address) {
                return (client, Some(hop));
            }
        }
        (client, None)
    }
}

/// Proxies that append write one `X-Forwarded-Proto` entry each, beside their
/// `X-Forwarded-For` entry: then the client's own is at the same place from
/// the right. Proxies that replace leave one. In any other shape the nearest
/// proxy's entry counts.
fn forwarded_proto_is_https(headers: &HeaderMap, hop: Option<usize>) -> bool {
    let mut protos = from_the_right(headers, "x-forwarded-proto");
    let Some(nearest) = protos.next() else {
        return false;
    };
    let chosen = match hop {
        Some(hop) if hop > 0 => {
            let at_hop = protos.nth(hop - 1);
            let as_many = protos.next().is_none();
            match at_hop {
                Some(entry) if as_many => entry,
                _ => nearest,
            }
        }
        _ => nearest,
    };
    chosen.eq_ignore_ascii_case(b"https")
}

/// All list entries of a field, over all its lines, last first, trimmed.
fn from_the_right<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> impl Iterator<Item = &'h [u8]> {
    headers
        .get_all(name)
        .iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
}

/// An address as proxies write it: bare, with a port, IPv6 with or without
/// brackets. No zone, no names, no `unknown`.
fn parse_address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?;
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Some(rest) = entry.strip_prefix('[') {
        let (inner, port) = rest.split_once(']')?;
        let port_fits = port.is_empty()
            || port
                .strip_prefix(':')
                .is_some_and(|p| p.parse::<u16>().is_ok());
        return inner
            .parse::<IpAddr>()
            .ok()
            .filter(|_| port_fits)
            .map(|a| a.to_canonical());
    }
    let socket = entry.parse::<std::net::SocketAddrV4>().ok()?;
    Some(IpAddr::V4(*socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn trusted() -> TrustedProxies {
        TrustedProxies::new(vec![
            "10.0.0.0/8".parse().unwrap(),
            "fd00::/8".parse().unwrap(),
        ])
    }

    fn route(peer: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let route = trusted().route(Some(peer.parse().unwrap()), false, &map);
        (route.client.unwrap().to_string(), route.secure)
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        let said = [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(route("203.0.113.9", &said), ("203.0.113.9".into(), false));
    }

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        for (xff, client) in [
            ("198.51.100.7", "198.51.100.7"),
            ("1.1.1.1, 198.51.100.7, 10.0.0.9", "198.51.100.7"),
            ("1.1.1.1,198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("10.0.0.5", "10.0.0.5"),
            ("6.6.6.6, unknown, 10.0.0.5", "10.0.0.5"),
            ("fe80::1%eth0", "10.0.0.1"),
            ("\"", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(
                route("10.0.0.1", &[("x-forwarded-for", xff)]).0,
                client,
                "{xff:?}"
            );
        }
        let lines = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "198.51.100.7"),
        ];
        assert_eq!(route("::ffff:10.0.0.1", &lines).0, "198.51.100.7");
    }

    #[test]
    fn ten_thousand_entries_are_bounded() {
        let long = vec!["10.0.0.2"; 10_000].join(",");
        assert_eq!(
            route("10.0.0.1", &[("x-forwarded-for", &long)]).0,
            "10.0.0.2"
        );
    }

    #[test]
    fn the_scheme_is_the_one_at_the_clients_hop() {
        let two = "198.51.100.7, 10.0.0.9";
        for (xff, proto, secure) in [
            (two, "https, http", true),
            (two, "http, https", false),
            (two, "https", true),
            (two, "http", false),
            (two, "a, b, https", true),
            ("198.51.100.7", "HTTPS", true),
            ("198.51.100.7", "http, https", true),
            ("198.51.100.7", "https, http", false),
            ("", "https", true),
        ] {
            let said = [("x-forwarded-for", xff), ("x-forwarded-proto", proto)];
            assert_eq!(route("10.0.0.1", &said).1, secure, "{xff:?} {proto:?}");
        }
    }
}
