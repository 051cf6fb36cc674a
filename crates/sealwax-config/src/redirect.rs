//! A redirect must lead somewhere.

use sealwax_policy::Mode;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::site::Draft;

/// The port in the redirect: as written, else the first HTTPS listener's, else
/// that of the trusted proxies in front, 443.
pub(crate) fn port(draft: &Draft<'_>) -> u16 {
    let written = draft
        .view
        .number("site.redirect.port")
        .and_then(|port| u16::try_from(port).ok());
    written.unwrap_or_else(|| {
        draft
            .around
            .listen
            .https
            .first()
            .map_or(443, std::net::SocketAddr::port)
    })
}

pub(crate) fn check(draft: &Draft<'_>, mode: Mode, out: &mut Diagnostics) {
    let (view, around) = (draft.view, draft.around);
    let settled = ["listen.http", "listen.https", "proxies.trusted"]
        .iter()
        .all(|key| !around.gateway.broken(key));
    let plain_only = settled
        && !around.listen.http.is_empty()
        && around.listen.https.is_empty()
        && around.proxies.is_empty();
    let (written_port, http) = (
        view.place("site.redirect.port"),
        around.gateway.place("listen.http"),
    );
    if plain_only && mode == Mode::Enforce && view.flag("site.redirect.enabled") {
        let place = view.place("site.redirect.enabled").or(written_port);
        out.push(
            Diagnostic::error("the redirect to HTTPS leads nowhere")
                .at_any(place.or(http), "nothing here speaks HTTPS")
                .and(http.filter(|_| place.is_some()), "the only listeners")
                .mend("add https = \"0.0.0.0:443\" to [listen]; or name the proxies in front that do: trusted = [\"10.0.0.0/8\"] in [proxies]; or write enabled = false in [site.redirect]"),
        );
    } else if plain_only && mode == Mode::Enforce {
        out.push(
            Diagnostic::warning("no cookie will reach the browser")
                .at_any(view.place("site.redirect.enabled"), "plain HTTP only")
                .and(http, "the only listeners")
                .mend("every cookie is Secure and is withheld over plain HTTP: add https = \"0.0.0.0:443\" to [listen]"),
        );
    }
    let port = port(draft);
    let leads_back =
        |listeners: &[std::net::SocketAddr]| listeners.iter().any(|own| own.port() == port);
    if written_port.is_some()
        && leads_back(&around.listen.http)
        && !leads_back(&around.listen.https)
    {
        out.push(
            Diagnostic::error("the redirect leads back to plain HTTP")
                .at_any(written_port, "a port without TLS")
                .and(http, "listens here")
                .mend("write the port on which visitors reach HTTPS, or leave `port` out"),
        );
    }
}
