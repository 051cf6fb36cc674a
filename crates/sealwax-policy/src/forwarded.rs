//! The headers that tell the app who came, and how: what the client claimed is
//! taken out, what the gateway knows is put in.

use std::net::{IpAddr, Ipv4Addr};

use http::header::{COOKIE, HOST, HeaderMap, HeaderName, HeaderValue};

use crate::claims::{Claim, claim};
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

/// Takes out every header that the client may not send ([`crate::claims`]). A proxy
/// that is trusted may say who the user is; the route is ours to tell.
pub(crate) fn strip(
    headers: &mut HeaderMap,
    allowed: &[HeaderName],
    by_proxy: bool,
    record: &mut Recorder,
) -> Seen {
    let mut seen = Seen::default();
    // Most requests carry none: find out in one pass before changing anything.
    let mut doomed: Vec<(HeaderName, Rule)> = Vec::new();
    for name in headers.keys() {
        seen.host |= *name == HOST;
        seen.cookie |= *name == COOKIE;
        let may_stay = |claim| match claim {
            Claim::Route => false,
            Claim::Identity => by_proxy,
            Claim::OddName => allowed.contains(name),
        };
        if let Some(claim) = claim(name.as_str()).filter(|claim| !may_stay(*claim)) {
            doomed.push((name.clone(), claim.rule()));
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

/// Puts in what the gateway knows. `X-Forwarded-For` holds one address, so no
/// app can pick the wrong one.
pub(crate) fn set(headers: &mut HeaderMap, facts: &Facts<'_>, record: &mut Recorder) {
    let (scheme, default_port) = if facts.secure {
        (&HTTPS, &PORT_443)
    } else {
        (&HTTP, &PORT_80)
    };
    // One growth instead of several: this runs for every request. One place stays free: a full map
    // grows even to look up the cookies.
    headers.reserve(6 + usize::from(!facts.has_host));
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
            "X-Original-Forwarded-For",
            "X-ForwardedFor",
            "Proxy-Client-IP",
            "WL-Proxy-Client-IP",
            "HTTP-Client-IP",
            "X-Azure-ClientIP",
            "X-Remote-Addr",
            "X-Scheme",
            "X-Script-Name",
            "X-Envoy-External-Address",
            "X-ARR-SSL",
            "X-HTTPS",
            "Remote-User",
            "X-Remote-User",
            "SSL-Client-Verify",
            "X-SSL-Client-S-Dn",
            "X-Client-Cert",
        ];
        let mut headers = map(&claims);
        let mut record = Recorder::new(Level::All);
        strip(&mut headers, &[], false, &mut record);
        assert!(headers.is_empty(), "{headers:?}");
        assert_eq!(record.changes().len(), claims.len());
    }

    #[test]
    fn everything_else_stays() {
        let names = [
            "accept",
            "user-agent",
            "x-csrftoken",
            "x-requested-with",
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
        strip(&mut headers, &[], false, &mut Recorder::default());
        assert_eq!(headers.len(), names.len());
    }

    #[test]
    fn a_trusted_proxy_may_say_who_the_user_is() {
        let mut headers = map(&["Remote-User", "X-SSL-Client-Verify", "X-Scheme"]);
        strip(&mut headers, &[], true, &mut Recorder::default());
        assert!(headers.contains_key("remote-user") && headers.contains_key("x-ssl-client-verify"));
        assert!(!headers.contains_key("x-scheme"));
    }

    #[test]
    fn an_allowed_odd_name_stays_and_another_is_reported() {
        let mut headers = map(&["x_legacy", "x_other"]);
        let mut record = Recorder::default();
        strip(
            &mut headers,
            &[HeaderName::from_static("x_legacy")],
            false,
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
