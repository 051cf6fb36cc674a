//! The headers that tell the app who came, and how: what the client claimed is
//! taken out, what the gateway knows is put in.

use std::net::{IpAddr, Ipv4Addr};

use http::header::{COOKIE, HOST, HeaderMap, HeaderName, HeaderValue};

use crate::explain::{Action, Change, Recorder, Rule};
use crate::host::Host;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

static HTTP: HeaderValue = HeaderValue::from_static("http");
static HTTPS: HeaderValue = HeaderValue::from_static("https");
static PORT_80: HeaderValue = HeaderValue::from_static("80");
static PORT_443: HeaderValue = HeaderValue::from_static("443");

/// Headers by which clients or other proxies describe the route. `x-forwarded`
/// and all that begins with `x-forwarded-`, and our own `sealwax-` and
/// `x-sealwax-`, are matched by prefix.
const ROUTE_HEADERS: [&str; 15] = [
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "front-end-https",
    "proxy",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-url-scheme",
];

/// What the app is told.
pub(crate) struct Facts<'a> {
    pub(crate) authority: &'a HeaderValue,
    pub(crate) host: &'a Host<'a>,
    /// Whether the request has a `Host` field.
    pub(crate) has_host: bool,
    pub(crate) client: Option<IpAddr>,
    pub(crate) secure: bool,
}

/// Which fields the request has, of those that later rules ask for: seen on the way, without a
/// lookup for each.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) host: bool,
    pub(crate) cookie: bool,
}

/// Takes out every header that the client may not send: route headers, and
/// names with `_` or `.`, which CGI-style servers fold into the real ones.
pub(crate) fn strip(
    headers: &mut HeaderMap,
    allowed: &[HeaderName],
    record: &mut Recorder,
) -> Seen {
    let mut seen = Seen::default();
    // Most requests carry none: find out in one pass before changing anything.
    let mut doomed: Vec<(HeaderName, Rule)> = Vec::new();
    for name in headers.keys() {
        seen.host |= *name == HOST;
        seen.cookie |= *name == COOKIE;
        if let Some(rule) = refusal(name.as_str()) {
            if rule == Rule::HeaderNameDropped && allowed.contains(name) {
                continue;
            }
            doomed.push((name.clone(), rule));
        }
    }
    for (name, rule) in doomed {
        let change = || {
            let before: Vec<&[u8]> = headers
                .get_all(&name)
                .iter()
                .map(HeaderValue::as_bytes)
                .collect();
            Change::new(rule, Action::Removed, name.as_str()).before(&before.join(&b", "[..]))
        };
        if rule == Rule::HeaderNameDropped {
            record.notable(change);
        } else {
            record.routine(change);
        }
        headers.remove(&name);
    }
    seen
}

fn refusal(name: &str) -> Option<Rule> {
    let bytes = name.as_bytes();
    if has_odd_byte(bytes) {
        return Some(Rule::HeaderNameDropped);
    }
    // The first letter rules nearly every header out.
    let suspicious = match bytes.first() {
        Some(b'x') => {
            let rest = name.strip_prefix("x-forwarded");
            rest.is_some_and(|r| r.is_empty() || r.starts_with('-'))
                || name.starts_with("x-sealwax-")
                || ROUTE_HEADERS.contains(&name)
        }
        Some(b's') => name.starts_with("sealwax-"),
        Some(b'c' | b'f' | b'p' | b't') => ROUTE_HEADERS.contains(&name),
        _ => false,
    };
    suspicious.then_some(Rule::ForwardedRemoved)
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

/// Puts in what the gateway knows. `X-Forwarded-For` holds one address, so no
/// app can pick the wrong one.
pub(crate) fn set(headers: &mut HeaderMap, facts: &Facts<'_>, record: &mut Recorder) {
    let (scheme, default_port) = if facts.secure {
        (&HTTPS, &PORT_443)
    } else {
        (&HTTP, &PORT_80)
    };
    // One growth instead of several: this runs for every request.
    headers.reserve(6);
    // HTTP/2 names the host in the URL; the app wants the field (RFC 9113 §8.3.1).
    if !facts.has_host {
        headers.insert(HOST, facts.authority.clone());
    }
    let mut put = |name: HeaderName, value: HeaderValue| {
        record.routine(|| {
            Change::new(Rule::ForwardedSet, Action::Added, name.as_str()).after(value.as_bytes())
        });
        headers.insert(name, value);
    };
    put(X_FORWARDED_PROTO, scheme.clone());
    put(X_FORWARDED_HOST, facts.authority.clone());
    let port = match facts.host.port() {
        // `Host::parse` let only digits through.
        Some(port) => HeaderValue::from_str(port).unwrap_or_else(|_| default_port.clone()),
        None => default_port.clone(),
    };
    put(X_FORWARDED_PORT, port);
    if let Some(client) = facts.client
        && let Some(value) = address_value(client)
    {
        // A copy, since sharing the value would cost an allocation all the same.
        let copy = HeaderValue::from_bytes(value.as_bytes());
        put(X_FORWARDED_FOR, value);
        if let Ok(copy) = copy {
            put(X_REAL_IP, copy);
        }
    }
}

fn address_value(address: IpAddr) -> Option<HeaderValue> {
    match address {
        IpAddr::V4(address) => {
            let (text, length) = ipv4_text(address);
            HeaderValue::from_bytes(text.get(..length)?).ok()
        }
        IpAddr::V6(address) => HeaderValue::try_from(address.to_string()).ok(),
    }
}

/// The dotted text and its length. By hand, since the general formatter is slow and this runs for
/// every request.
fn ipv4_text(address: Ipv4Addr) -> ([u8; 15], usize) {
    let mut text = [0; 15];
    let mut length = 0;
    let mut push = |byte| {
        if let Some(place) = text.get_mut(length) {
            *place = byte;
            length += 1;
        }
    };
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            push(b'.');
        }
        if octet >= 100 {
            push(b'0' + octet / 100);
        }
        if octet >= 10 {
            push(b'0' + octet / 10 % 10);
        }
        push(b'0' + octet % 10);
    }
    (text, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Level;

    fn map(names: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for name in names {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_static("1"),
            );
        }
        map
    }

    #[test]
    fn nothing_a_client_says_about_its_route_survives() {
        let claims = [
            "X-Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Forwarded-Port",
            "X-Forwarded-Prefix",
            "X-Forwarded-Scheme",
            "X-Forwarded-Ssl",
            "X-Forwarded-Server",
            "Forwarded",
            "X-Real-IP",
            "True-Client-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "CF-Connecting-IP",
            "Fastly-Client-IP",
            "X-Original-URL",
            "X-Original-Host",
            "X-Rewrite-URL",
            "X-Host",
            "X-Url-Scheme",
            "Front-End-Https",
            "Proxy",
            "X-Sealwax-Anything",
            "Sealwax-Session",
            "X_Forwarded_Proto",
            "X-Forwarded_For",
            "X.Forwarded.Proto",
            "Transfer_Encoding",
            "Client-Ip",
        ];
        let mut headers = map(&claims);
        let mut record = Recorder::new(Level::All);
        strip(&mut headers, &[], &mut record);
        assert!(headers.is_empty(), "{headers:?}");
        assert_eq!(record.changes().len(), claims.len());
    }

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

    #[test]
    fn everything_else_stays() {
        let names = [
            "accept",
            "user-agent",
            "x-csrftoken",
            "x-requested-with",
            "x-forwardedish",
            "proxy-authorization",
            "content-type",
            "sec-fetch-site",
            "cookie",
            "x-api-key",
            "traceparent",
            "priority",
            "x-hostname",
        ];
        let mut headers = map(&names);
        strip(&mut headers, &[], &mut Recorder::default());
        assert_eq!(headers.len(), names.len());
    }

    #[test]
    fn an_allowed_odd_name_stays_and_another_is_reported() {
        let mut headers = map(&["x_legacy", "x_other"]);
        let mut record = Recorder::default();
        strip(
            &mut headers,
            &[HeaderName::from_static("x_legacy")],
            &mut record,
        );
        assert!(headers.contains_key("x_legacy") && !headers.contains_key("x_other"));
        assert_eq!(record.changes()[0].subject, "x_other");
    }

    #[test]
    fn the_app_learns_scheme_host_port_and_client() {
        let authority = HeaderValue::from_static("app.example:8443");
        let host = Host::parse(authority.as_bytes()).unwrap();
        let client = Some("2001:db8::1".parse().unwrap());
        let mut headers = HeaderMap::new();
        let facts = Facts {
            authority: &authority,
            host: &host,
            has_host: false,
            client,
            secure: true,
        };
        set(&mut headers, &facts, &mut Recorder::default());
        for (name, value) in [
            ("host", "app.example:8443"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "app.example:8443"),
            ("x-forwarded-port", "8443"),
            ("x-forwarded-for", "2001:db8::1"),
            ("x-real-ip", "2001:db8::1"),
        ] {
            assert_eq!(headers[name], value);
        }
    }

    #[test]
    fn addresses_are_written_as_everyone_writes_them() {
        for text in [
            "0.0.0.0",
            "1.20.255.100",
            "127.0.0.1",
            "9.10.99.101",
            "::1",
            "2001:db8::ffff:1",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(address_value(address).unwrap(), text);
        }
    }

    #[test]
    fn a_unix_socket_peer_has_no_address() {
        let authority = HeaderValue::from_static("app.example");
        let host = Host::parse(authority.as_bytes()).unwrap();
        let mut headers = HeaderMap::new();
        let facts = Facts {
            authority: &authority,
            host: &host,
            has_host: false,
            client: None,
            secure: false,
        };
        set(&mut headers, &facts, &mut Recorder::default());
        assert_eq!(headers["x-forwarded-port"], "80");
        assert!(!headers.contains_key("x-forwarded-for"));
    }
}
