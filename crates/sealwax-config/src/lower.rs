//! From settled values to the checked [`Config`]: the gateway's own part, and
//! what concerns several sites at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ipnet::IpNet;

use crate::addresses;
use crate::config::{Config, Environment, Limits, Listen, Site, Timeouts, TlsProfile};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::layer::Layer;
use crate::secret;
use crate::site;
use crate::source::{Origin, Place};
use crate::view::View;

/// More sites than this are a mistake, and would take long to check.
const MAX_SITES: usize = 1000;

/// What is known beside the settings themselves.
pub(crate) struct Context<'a> {
    pub(crate) environment: &'a str,
    pub(crate) has_file: bool,
    pub(crate) variables: &'a [(String, String)],
}

/// Everything of the gateway that a site depends on.
pub(crate) struct Surroundings<'a> {
    pub(crate) gateway: View<'a>,
    pub(crate) listen: &'a Listen,
    pub(crate) proxies: &'a [IpNet],
    pub(crate) has_file: bool,
}

pub(crate) fn lower(layer: &Layer, context: &Context<'_>, out: &mut Diagnostics) -> Config {
    let gateway = View(&layer.gateway);
    let proxies: Vec<IpNet> = gateway
        .items("proxies.trusted")
        .iter()
        .filter_map(|(text, _)| addresses::range(text).ok())
        .collect();
    let listen = listeners(gateway, context, out);
    check_proxies(gateway, out);
    let surroundings = Surroundings {
        gateway,
        listen: &listen,
        proxies: &proxies,
        has_file: context.has_file,
    };
    let mut sites: Vec<Site> = Vec::new();
    if let Some(extra) = layer.sites.get(MAX_SITES) {
        out.push(
            Diagnostic::error(format!("there are {} sites", layer.sites.len()))
                .at_any(
                    extra.place.as_ref(),
                    format!("one gateway serves at most {MAX_SITES}"),
                )
                .mend("write sites with the same app and rules as one site with several hosts"),
        );
    }
    for (number, entry) in layer.sites.iter().enumerate().take(MAX_SITES) {
        sites.push(site::lower(number, entry, &surroundings, out));
    }
    if layer.sites.is_empty() && !layer.lost_site {
        out.push(Diagnostic::error("there is no site").mend(
            "add one:\n[[site]]\nhosts = [\"app.example.com\"]\nto = [\"http://127.0.0.1:8000\"]",
        ));
    }
    check_hosts(layer, out);
    Config {
        environment: match context.environment {
            "development" => Environment::Development,
            _ => Environment::Production,
        },
        environment_name: context.environment.to_owned(),
        workers: workers(gateway),
        tls_profile: match gateway.word("listen.tls_profile") {
            Some("modern") => TlsProfile::Modern,
            _ => TlsProfile::Intermediate,
        },
        timeouts: timeouts(gateway),
        limits: limits(gateway),
        secret: secret::lower(gateway, context.variables, out),
        listen,
        sites,
    }
}

fn workers(gateway: View<'_>) -> usize {
    let written = gateway
        .number("workers")
        .and_then(|n| usize::try_from(n).ok());
    written.unwrap_or_else(|| {
        std::thread::available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(1024)
    })
}

fn timeouts(gateway: View<'_>) -> Timeouts {
    Timeouts {
        handshake: gateway.duration("timeouts.handshake"),
        request_head: gateway.duration("timeouts.request_head"),
        request_body_idle: gateway.duration("timeouts.request_body_idle"),
        connect: gateway.duration("timeouts.connect"),
        response_head: gateway.duration("timeouts.response_head"),
        response_idle: gateway.duration("timeouts.response_idle"),
        keep_alive: gateway.duration("timeouts.keep_alive"),
        upgraded_idle: gateway.duration("timeouts.upgraded_idle"),
        total: gateway.duration("timeouts.total"),
        drain: gateway.duration("timeouts.drain"),
    }
}

fn limits(gateway: View<'_>) -> Limits {
    // The bounds of both rows fit a usize of 32 bits.
    let small = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    Limits {
        request_head: small(gateway.size("limits.request_head")),
        request_headers: small(gateway.number("limits.request_headers")),
        request_body: gateway.size("limits.request_body"),
        request_body_rate: gateway
            .number("limits.request_body_rate")
            .unwrap_or_default(),
        response_rate: gateway.number("limits.response_rate").unwrap_or_default(),
        client_connections: gateway
            .number("limits.client_connections")
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0),
    }
}

fn listeners(gateway: View<'_>, context: &Context<'_>, out: &mut Diagnostics) -> Listen {
    let written = |key: &str| gateway.place(key).is_some();
    // A file that names one listener means that one; the flags of a command
    // without a file change one default each.
    let default = |key: &str| {
        !written(key) && (!context.has_file || !(written("listen.http") || written("listen.https")))
    };
    let read = |key: &str, port: u16| -> Vec<SocketAddr> {
        if default(key) {
            return vec![SocketAddr::from(([127, 0, 0, 1], port))];
        }
        gateway
            .items(key)
            .iter()
            .filter_map(|(text, _)| addresses::listen(text).ok())
            .collect()
    };
    let listen = Listen {
        http: read("listen.http", 8080),
        https: read("listen.https", 8443),
    };
    let broken = gateway.broken("listen.http") || gateway.broken("listen.https");
    if listen.http.is_empty() && listen.https.is_empty() && !broken {
        out.push(
            Diagnostic::error("there is no listener")
                .at_any(gateway.place("listen.https").or(gateway.place("listen.http")), "nothing to listen on")
                .mend("write, for example, http = \"0.0.0.0:80\" and https = \"0.0.0.0:443\" in [listen]"),
        );
    }
    check_addresses(gateway, out);
    listen
}

fn check_addresses(gateway: View<'_>, out: &mut Diagnostics) {
    let mut seen: BTreeMap<SocketAddr, &Place> = BTreeMap::new();
    let both = gateway
        .items("listen.http")
        .iter()
        .chain(gateway.items("listen.https"));
    for (text, place) in both {
        // Any number of listeners may ask for a free port.
        let Some(address) = addresses::listen(text).ok().filter(|a| a.port() != 0) else {
            continue;
        };
        if let Some(first) = seen.insert(address, place) {
            out.push(
                Diagnostic::error(format!("two listeners have the address {address}"))
                    .at(place, "the same address")
                    .and(Some(first), "first here")
                    .mend("give each listener a port of its own"),
            );
        }
    }
}

fn check_proxies(gateway: View<'_>, out: &mut Diagnostics) {
    for (text, place) in gateway.items("proxies.trusted") {
        if addresses::range(text).is_ok_and(|range| range.prefix_len() == 0) {
            out.push(
                Diagnostic::warning("every client is trusted as a proxy")
                    .at(place, "every address is in this range")
                    .mend("name the addresses of your proxies: whoever is trusted can claim any client address, and that a request came over HTTPS"),
            );
        }
    }
}

/// Two sites with one host: which of them a request is for would be a matter
/// of order.
fn check_hosts(layer: &Layer, out: &mut Diagnostics) {
    let mut seen: BTreeMap<String, (usize, &Place)> = BTreeMap::new();
    for (number, entry) in layer.sites.iter().enumerate() {
        for (host, place) in View(&entry.site.values).items("site.hosts") {
            let Some((other, first)) = seen.get(&host.to_ascii_lowercase()) else {
                seen.insert(host.to_ascii_lowercase(), (number, place));
                continue;
            };
            if *other == number {
                continue;
            }
            let diagnostic = if place == *first && !matches!(place.origin(), Origin::File(_)) {
                Diagnostic::error("several sites would get the same hosts")
                    .at(place, "this counts for every site")
                    .mend("name the hosts of each site in the file")
            } else {
                Diagnostic::error(format!("two sites have the host {host}"))
                    .at(place, "the same host")
                    .and(Some(first), "first here")
                    .mend("leave it to one of the two")
            };
            out.push(diagnostic);
        }
    }
}
