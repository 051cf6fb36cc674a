//! Fields that concern one connection only and are never passed on
//! (RFC 9110 §7.6.1).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Version};
use sealwax_policy::is_claim;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Takes the hop-by-hop fields out of a request. Returns the protocols of a
/// real upgrade (RFC 9110 §7.8); `h2c` is none (RFC 9113 §3.1 retired it).
pub(crate) fn strip_request(headers: &mut HeaderMap, version: Version) -> Option<HeaderValue> {
    if !headers.keys().any(is_hop_by_hop) {
        return None;
    }
    let mut asked_to_upgrade = false;
    if let Some(connection) = take(headers, &header::CONNECTION) {
        for token in tokens(&connection) {
            if token.eq_ignore_ascii_case(b"upgrade") {
                asked_to_upgrade = version == Version::HTTP_11;
            } else {
                remove_nominated(headers, token);
            }
        }
    }
    let upgrade = take(headers, &header::UPGRADE).filter(|_| asked_to_upgrade);
    for name in [
        KEEP_ALIVE,
        PROXY_CONNECTION,
        HTTP2_SETTINGS,
        header::TRANSFER_ENCODING,
    ] {
        headers.remove(name);
    }
    keep_trailers_only(headers);
    without_h2c(&upgrade?)
}

/// Takes the hop-by-hop fields out of a response. A 101 or 426 keeps its
/// `Upgrade`.
pub(crate) fn strip_response(headers: &mut HeaderMap, status: StatusCode) {
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    if let Some(connection) = take(headers, &header::CONNECTION) {
        for token in tokens(&connection) {
            remove_nominated(headers, token);
        }
    }
    if matches!(
        status,
        StatusCode::SWITCHING_PROTOCOLS | StatusCode::UPGRADE_REQUIRED
    ) {
        if headers.contains_key(header::UPGRADE) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
    } else {
        headers.remove(header::UPGRADE);
    }
    for name in [KEEP_ALIVE, PROXY_CONNECTION, header::TRANSFER_ENCODING] {
        headers.remove(name);
    }
}

/// One pass over the names costs less than a lookup for each of ours: most heads
/// have none of them.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Takes out of a trailer section what must not arrive there: framing,
/// routing, and all that describes the route or sets state (RFC 9110 §6.5.1).
pub(crate) fn strip_trailers(trailers: &mut HeaderMap) {
    const FORBIDDEN: [HeaderName; 12] = [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::TRAILER,
        header::TE,
        header::CONNECTION,
        header::UPGRADE,
        header::HOST,
        header::COOKIE,
        header::SET_COOKIE,
        header::AUTHORIZATION,
        header::CONTENT_ENCODING,
        header::CONTENT_TYPE,
    ];
    for name in FORBIDDEN {
        trailers.remove(name);
    }
    let doomed: Vec<HeaderName> = trailers
        .keys()
        .filter(|name| is_claim(name.as_str()))
        .cloned()
        .collect();
    for name in doomed {
        trailers.remove(name);
    }
}

/// All values of a field, joined, and the field removed; most messages have at
/// most one.
fn take(headers: &mut HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.clone();
    let joined = if values.next().is_none() {
        first
    } else {
        let all: Vec<&[u8]> = headers
            .get_all(name)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        HeaderValue::from_bytes(&all.join(&b", "[..])).unwrap_or(first)
    };
    headers.remove(name);
    Some(joined)
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value
        .as_bytes()
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// Removes a field that `Connection` nominates, but none that decides framing
/// or routing, nor one by which a trusted proxy in front told us the client:
/// its own client could have it dropped here and hide behind the proxy.
fn remove_nominated(headers: &mut HeaderMap, token: &[u8]) {
    // `Upgrade` has rules of its own, in both directions.
    if [&b"close"[..], b"keep-alive", b"upgrade"]
        .iter()
        .any(|known| token.eq_ignore_ascii_case(known))
    {
        return;
    }
    let Ok(name) = HeaderName::from_bytes(token) else {
        return;
    };
    let kept = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::EXPECT,
        header::COOKIE,
        header::TE,
    ];
    if !kept.contains(&name) && !describes_route(name.as_str()) {
        headers.remove(name);
    }
}

fn describes_route(name: &str) -> bool {
    name.starts_with("x-forwarded") || matches!(name, "forwarded" | "x-real-ip")
}

fn keep_trailers_only(headers: &mut HeaderMap) {
    let Some(te) = take(headers, &header::TE) else {
        return;
    };
    if tokens(&te).any(|token| token.eq_ignore_ascii_case(b"trailers")) {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

fn without_h2c(upgrade: &HeaderValue) -> Option<HeaderValue> {
    if !tokens(upgrade).any(is_h2c) {
        return tokens(upgrade).next().is_some().then(|| upgrade.clone());
    }
    let rest: Vec<&[u8]> = tokens(upgrade).filter(|token| !is_h2c(token)).collect();
    if rest.is_empty() {
        None
    } else {
        HeaderValue::from_bytes(&rest.join(&b", "[..])).ok()
    }
}

fn is_h2c(token: &[u8]) -> bool {
    token.eq_ignore_ascii_case(b"h2c") || token.eq_ignore_ascii_case(b"h2")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(name, value);
                map
            })
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn nominated_and_fixed_hop_by_hop_fields_go() {
        let mut headers = map(&[
            ("connection", "keep-alive, X-Internal"),
            ("connection", "x-other"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("x-internal", "1"),
            ("x-other", "1"),
            ("accept", "*/*"),
            ("transfer-encoding", "chunked"),
        ]);
        assert_eq!(strip_request(&mut headers, Version::HTTP_11), None);
        assert_eq!(names(&headers), ["accept"]);
    }

    #[test]
    fn a_client_cannot_nominate_routing_framing_or_the_route() {
        let mut headers = map(&[
            (
                "connection",
                "close, Host, Content-Length, X-Forwarded-For, X-Real-IP, Forwarded",
            ),
            ("host", "a"),
            ("content-length", "5"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("forwarded", "for=1"),
        ]);
        strip_request(&mut headers, Version::HTTP_11);
        assert_eq!(
            names(&headers),
            [
                "content-length",
                "forwarded",
                "host",
                "x-forwarded-for",
                "x-real-ip"
            ]
        );
    }

    #[test]
    fn only_a_real_upgrade_is_one() {
        let upgrade = |connection, upgrade, version| {
            let mut headers = map(&[
                ("connection", connection),
                ("upgrade", upgrade),
                ("http2-settings", "AAM"),
            ]);
            let found = strip_request(&mut headers, version);
            assert!(headers.is_empty(), "{headers:?}");
            found.map(|value| value.to_str().unwrap().to_owned())
        };
        let h11 = Version::HTTP_11;
        assert_eq!(
            upgrade("Upgrade", "websocket", h11).as_deref(),
            Some("websocket")
        );
        assert_eq!(
            upgrade("keep-alive, upgrade", "WebSocket", h11).as_deref(),
            Some("WebSocket")
        );
        assert_eq!(upgrade("Upgrade, HTTP2-Settings", "h2c", h11), None);
        assert_eq!(
            upgrade("Upgrade", "h2c, websocket", h11).as_deref(),
            Some("websocket")
        );
        assert_eq!(upgrade("keep-alive", "websocket", h11), None);
        assert_eq!(upgrade("Upgrade", "websocket", Version::HTTP_10), None);
        assert_eq!(upgrade("Upgrade", " ", h11), None);
    }

    #[test]
    fn te_keeps_trailers_only() {
        for (sent, kept) in [
            ("trailers, gzip", Some("trailers")),
            ("gzip", None),
            ("Trailers", Some("trailers")),
        ] {
            let mut headers = map(&[("te", sent)]);
            strip_request(&mut headers, Version::HTTP_11);
            assert_eq!(
                headers.get("te").map(|v| v.to_str().unwrap()),
                kept,
                "{sent}"
            );
        }
    }

    #[test]
    fn trailers_cannot_forge_the_head() {
        let mut trailers = map(&[
            ("content-length", "5"),
            ("host", "evil"),
            ("x-forwarded-for", "1"),
            ("x_forwarded_for", "1"),
            ("set-cookie", "a=b"),
            ("x-checksum", "1"),
        ]);
        strip_trailers(&mut trailers);
        assert_eq!(names(&trailers), ["x-checksum"]);
    }

    #[test]
    fn a_response_keeps_upgrade_only_where_it_means_something() {
        for (status, kept) in [(200, 0), (101, 2), (426, 2)] {
            let mut headers = map(&[
                ("connection", "upgrade, x-hop"),
                ("upgrade", "websocket"),
                ("x-hop", "1"),
            ]);
            strip_response(&mut headers, StatusCode::from_u16(status).unwrap());
            assert_eq!(headers.len(), kept, "{status}");
        }
    }
}
