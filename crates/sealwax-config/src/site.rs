//! One site: its hosts, its app, its certificate and its policy.

use http::HeaderValue;
use sealwax_policy::{
    AllowedHosts, Headers, Hsts, Mode, PRELOAD_MINIMUM, Paths, Policy, Redirect, RedirectHost,
    TrustedProxies, When,
};

use crate::addresses::{self, Upstream};
use crate::bind;
use crate::config::{PathApp, Site, Tls};
use crate::cookies;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hosts;
use crate::layer::SiteEntry;
use crate::lower::Surroundings;
use crate::names;
use crate::notify;
use crate::redirect;
use crate::source::Place;
use crate::tls;
use crate::view::View;

/// One site while it is being checked.
pub(crate) struct Draft<'a> {
    pub(crate) view: View<'a>,
    /// The header of its `[[site]]`.
    pub(crate) header: Option<&'a Place>,
    /// Its hosts, in lower case.
    pub(crate) hosts: Vec<String>,
    pub(crate) around: &'a Surroundings<'a>,
}

impl Draft<'_> {
    /// How a sentence speaks of the site.
    pub(crate) fn title(&self) -> String {
        match self.hosts.first() {
            Some(host) => format!("the site {host}"),
            None => "a site".to_owned(),
        }
    }
}

pub(crate) fn lower(
    number: usize,
    entry: &SiteEntry,
    around: &Surroundings<'_>,
    out: &mut Diagnostics,
) -> Site {
    let view = View(&entry.site.values);
    let mut draft = Draft {
        view,
        header: entry.place.as_ref(),
        hosts: Vec::new(),
        around,
    };
    draft.hosts = site_hosts(number, &draft, out);
    let upstreams = upstreams(&draft, out);
    let paths = path_apps(&draft, entry, out);
    let tls = tls::lower(&draft, out);
    let mut policy = Policy::new(AllowedHosts::new(draft.hosts.iter().cloned()));
    policy.mode = match view.word("site.mode") {
        Some("report") => Mode::Report,
        _ => Mode::Enforce,
    };
    policy.proxies = TrustedProxies::new(around.proxies.to_vec());
    policy.odd_header_names = view
        .items("site.headers.allow_names")
        .iter()
        .filter_map(|(name, _)| names::header(name).ok())
        .collect();
    policy.redirect = Redirect {
        enabled: view.flag("site.redirect.enabled"),
        host: RedirectHost::Requested,
        port: redirect::port(&draft),
        exempt: patterns("site.redirect.exempt", &draft, out),
        refuse: patterns("site.redirect.refuse", &draft, out),
        temporary: tls == Tls::Local,
    };
    redirect::check(&draft, policy.mode, out);
    policy.hsts = hsts(&draft, &tls, out);
    policy.headers = headers(view);
    policy.cookies = cookies::lower(&entry.site, out);
    policy.legacy_same_site = view.flag("site.cookies.legacy_same_site");
    Site {
        name: draft.hosts.first().cloned().unwrap_or_default(),
        policy,
        upstreams,
        paths,
        tls,
        migrate: view.duration("site.cookies.migrate"),
        seal: bind::sealed(view),
        bind: bind::lower(&draft, entry, out),
        notify: notify::lower(view, out),
    }
}

fn site_hosts(number: usize, draft: &Draft<'_>, out: &mut Diagnostics) -> Vec<String> {
    let mut names = Vec::new();
    for (written, _) in draft.view.items("site.hosts") {
        if let Ok(host) = hosts::check(written)
            && !names.contains(&host)
        {
            names.push(host);
        }
    }
    if names.is_empty() && !draft.view.broken("site.hosts") {
        let place = draft.view.place("site.hosts");
        if place.is_none() && !draft.around.has_file && number == 0 {
            return vec!["localhost".to_owned()];
        }
        out.push(
            Diagnostic::error("a site has no hosts")
                .at_any(place.or(draft.header), "no request could be for it")
                .mend("name the hosts it answers for: hosts = [\"app.example.com\"]"),
        );
    }
    names
}

/// Reads where an app listens, which cannot be where the gateway does.
fn apps(written: &[(String, Place)], draft: &Draft<'_>, out: &mut Diagnostics) -> Vec<Upstream> {
    let listen = draft.around.listen;
    let mut upstreams = Vec::new();
    for (written, place) in written {
        let Ok(upstream) = addresses::upstream(written) else {
            continue;
        };
        if let Some(own) = listen
            .http
            .iter()
            .chain(&listen.https)
            .find(|own| upstream.is(**own))
        {
            out.push(
                Diagnostic::error("the gateway would forward requests to itself")
                    .at(place, format!("the gateway listens on {own}"))
                    .mend("write the address on which the app listens, or give the gateway another port"),
            );
        }
        upstreams.push(upstream);
    }
    upstreams
}

fn path_apps(draft: &Draft<'_>, entry: &SiteEntry, out: &mut Diagnostics) -> Vec<PathApp> {
    let mut found = Vec::new();
    for (path, (place, values)) in &entry.site.paths {
        let view = View(values);
        let upstreams = apps(view.items("site.paths.*"), draft, out);
        if view.items("site.paths.*").is_empty() && !view.broken("site.paths.*") {
            out.push(
                Diagnostic::error(format!("`{path}` has no app to forward to"))
                    .at(place, "the list is empty")
                    .mend(format!("name the app's address: \"{path}\" = [\"http://127.0.0.1:3000\"]; or leave the line out")),
            );
        }
        found.push(PathApp {
            path: path.clone(),
            upstreams,
        });
    }
    found.sort_by_key(|app| std::cmp::Reverse(app.path.len()));
    found
}

fn upstreams(draft: &Draft<'_>, out: &mut Diagnostics) -> Vec<Upstream> {
    let upstreams = apps(draft.view.items("site.to"), draft, out);
    if draft.view.items("site.to").is_empty() && !draft.view.broken("site.to") {
        let mend = if draft.around.has_file {
            "name the app's address: to = [\"http://127.0.0.1:8000\"]"
        } else {
            "name the app's address: --to http://127.0.0.1:8000"
        };
        out.push(
            Diagnostic::error(format!("{} has no app to forward to", draft.title()))
                .at_any(
                    draft.view.place("site.to").or(draft.header),
                    "`to` is missing",
                )
                .mend(mend),
        );
    }
    upstreams
}

pub(crate) fn patterns(key: &str, draft: &Draft<'_>, out: &mut Diagnostics) -> Paths {
    // Each pattern compiled by itself; together they may still be too large.
    Paths::new(draft.view.texts(key)).unwrap_or_else(|_| {
        out.push(
            Diagnostic::error(format!("the patterns of `{key}` are too large together"))
                .at_any(
                    draft.view.place(key),
                    "compiled, they would take more than 10 MiB",
                )
                .mend("use fewer or simpler patterns"),
        );
        Paths::default()
    })
}

fn hsts(draft: &Draft<'_>, tls: &Tls, out: &mut Diagnostics) -> Hsts {
    let view = draft.view;
    let hsts = Hsts {
        seconds: view.duration("site.hsts.seconds").as_secs(),
        include_subdomains: view.flag("site.hsts.include_subdomains"),
        preload: view.flag("site.hsts.preload"),
        preload_from: PRELOAD_MINIMUM,
        ramp: view.flag("site.hsts.ramp"),
        when: match view.word("site.hsts.when") {
            Some("always") => When::Always,
            Some("never") => When::Never,
            _ => When::Public,
        },
    };
    let preload = view.place("site.hsts.preload");
    if hsts.preload && hsts.seconds < PRELOAD_MINIMUM {
        out.push(
            Diagnostic::error("`preload` needs a year")
                .at_any(
                    view.place("site.hsts.seconds").or(preload),
                    format!("the preload list takes no less than {PRELOAD_MINIMUM} s"),
                )
                .and(
                    preload.filter(|_| view.place("site.hsts.seconds").is_some()),
                    "asked for here",
                )
                .mend("write seconds = 63072000, or leave out preload"),
        );
    }
    if hsts.preload && !hsts.include_subdomains {
        out.push(
            Diagnostic::error("`preload` needs `include_subdomains`")
                .at_any(preload, "the preload list takes whole domains only")
                .and(view.place("site.hsts.include_subdomains"), "switched off here")
                .mend("write include_subdomains = true if every subdomain has HTTPS, or leave out preload"),
        );
    }
    if hsts.when == When::Always && *tls == Tls::Local {
        out.push(
            Diagnostic::warning("browsers will remember HTTPS for local names")
                .at_any(
                    view.place("site.hsts.when"),
                    "every app on these names is then reached over HTTPS only",
                )
                .mend("leave `when` at \"public\", which sends no HSTS with a local certificate"),
        );
    }
    hsts
}

fn headers(view: View<'_>) -> Headers {
    let mut headers = match view.word("site.headers.preset") {
        Some("django") => Headers::django(),
        _ => Headers::compatible(),
    };
    headers.content_type_nosniff = view.flag("site.headers.content_type_nosniff");
    if let Some(policies) = view.text("site.headers.referrer_policy") {
        headers.referrer_policy = value(policies);
    }
    if let Some(policy) = view.word("site.headers.cross_origin_opener_policy") {
        headers.cross_origin_opener_policy = value(policy);
    }
    if let Some(options) = view.word("site.headers.x_frame_options") {
        headers.x_frame_options = value(options);
    }
    headers
}

/// One of the table's words; nothing for `off`.
fn value(word: &str) -> Option<HeaderValue> {
    if word.is_empty() || word == "off" {
        None
    } else {
        HeaderValue::from_str(word).ok()
    }
}
