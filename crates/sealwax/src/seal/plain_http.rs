//! What a layer says, once, when it finds itself on plain HTTP.

use http::HeaderMap;

use crate::arrival::Transport;
use crate::settings::Settings;

/// Why a request counts as plain HTTP, and what to do about it.
fn cause_and_mend(
    settings: &Settings,
    transport: Transport,
    headers: &HeaderMap,
) -> (String, &'static str) {
    let proxied = headers
        .get("x-forwarded-proto")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"https"));
    match (proxied, transport.peer) {
        (true, None) => (
            "X-Forwarded-Proto says https, but the address of the peer that says so is not known"
                .to_owned(),
            "serve the app with into_make_service_with_connect_info::<SocketAddr>(), or insert sealwax::Transport into every request",
        ),
        (true, Some(peer)) => (
            format!("X-Forwarded-Proto says https, but {peer} is no trusted proxy"),
            "add the proxy's address to trusted_proxies",
        ),
        (false, None) if !settings.trusted_proxies.is_empty() => (
            "the peer's address is not known, so no proxy can be believed".to_owned(),
            "serve the app with into_make_service_with_connect_info::<SocketAddr>(), or insert sealwax::Transport into every request",
        ),
        _ => (
            "a request came over plain HTTP".to_owned(),
            "run the app behind `sealwax serve`, or insert sealwax::Transport::tls where TLS ends in this process; on your own machine Settings::development() does without",
        ),
    }
}

/// Says so, with what follows from it.
pub(super) fn tell(settings: &Settings, transport: Transport, headers: &HeaderMap) {
    let (cause, mend) = cause_and_mend(settings, transport, headers);
    if settings.secure_ssl_redirect {
        tracing::info!(target: "sealwax", cause, mend, "plain HTTP is sent to HTTPS; if the client did come over HTTPS, this becomes a loop");
    } else if settings.session_cookie_secure {
        tracing::warn!(target: "sealwax", cause, mend, "cookies are withheld: browsers refuse Secure cookies over plain HTTP, and nobody can log in");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_cause_is_named() {
        let settings = Settings::production(["a.example"]).behind_gateway();
        let mut headers = HeaderMap::new();
        let unknown = Transport::default();
        let mend = |transport, headers: &HeaderMap| cause_and_mend(&settings, transport, headers).1;
        assert!(mend(unknown, &headers).contains("connect_info"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let proxy = Transport::plain("192.0.2.1".parse().ok());
        assert!(mend(proxy, &headers).contains("trusted_proxies"));
        assert!(mend(unknown, &headers).contains("connect_info"));
        headers.clear();
        assert!(mend(proxy, &headers).contains("sealwax serve"));
    }
}
