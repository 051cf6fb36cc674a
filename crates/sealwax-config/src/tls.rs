//! Where the certificate of a site comes from.

use crate::config::Tls;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hosts;
use crate::site::Draft;

/// How certificate files are named where the reader would name them.
fn files_mend(draft: &Draft<'_>) -> &'static str {
    if draft.around.has_file {
        "name certificate files: tls = { cert = \"…\", key = \"…\" }"
    } else {
        "name certificate files: --cert FILE --key FILE"
    }
}

const LOCAL_NAMES: &str = ".localhost, .test, .local or .internal";

pub(crate) fn lower(draft: &Draft<'_>, out: &mut Diagnostics) -> Tls {
    let view = draft.view;
    let word = view.place("site.tls");
    let (cert, key) = (view.text("site.tls.cert"), view.text("site.tls.key"));
    let files = view.place("site.tls.cert").or(view.place("site.tls.key"));
    if word.is_some() && files.is_some() {
        out.push(
            Diagnostic::error("the certificate is said to come from two places")
                .at_any(word, "from this machine's own authority")
                .and(files, "and from files")
                .mend("keep one of the two"),
        );
        return Tls::Off;
    }
    let broken = view.broken("site.tls.cert") || view.broken("site.tls.key");
    if cert.is_some() != key.is_some() && !broken {
        let (has, lacks) = if cert.is_some() {
            ("cert", "key")
        } else {
            ("key", "cert")
        };
        out.push(
            Diagnostic::error(format!("`tls` has a `{has}` but no `{lacks}`"))
                .at_any(files, format!("`{lacks}` is missing"))
                .mend(files_mend(draft)),
        );
        return Tls::Off;
    }
    if draft.around.listen.https.is_empty() {
        if !draft.around.gateway.broken("listen.https")
            && let Some(place) = word.or(files)
        {
            out.push(
                Diagnostic::warning("`tls` has no effect")
                    .at(place, "there is no HTTPS listener")
                    .and(
                        draft.around.gateway.place("listen.http"),
                        "the only listeners",
                    )
                    .mend("add https = \"0.0.0.0:443\" to [listen], or leave tls out"),
            );
        }
        return Tls::Off;
    }
    match (cert, key) {
        _ if view.broken("site.tls") => Tls::Off,
        (Some(cert), Some(key)) => Tls::Files {
            cert: cert.into(),
            key: key.into(),
        },
        _ if word.is_some() => local(draft, out),
        _ => by_default(draft, out),
    }
}

fn local(draft: &Draft<'_>, out: &mut Diagnostics) -> Tls {
    for (written, place) in draft.view.items("site.hosts") {
        let Ok(host) = hosts::check(written) else {
            continue;
        };
        if host == "*" {
            out.push(
                Diagnostic::warning("the local authority vouches for local names only")
                    .at(
                        place,
                        "other names will get a certificate that does not fit",
                    )
                    .and(draft.view.place("site.tls"), "asked for here")
                    .mend("list the hosts by name"),
            );
        } else if !hosts::is_local(&host) {
            out.push(
                Diagnostic::error(format!("the local authority may not vouch for {host}"))
                    .at(place, "a public name")
                    .and(draft.view.place("site.tls"), "asked for here")
                    .mend(format!(
                        "{}; or use a name ending in {LOCAL_NAMES}",
                        files_mend(draft)
                    )),
            );
        }
    }
    Tls::Local
}

/// Local names have only one authority that can vouch for them.
fn by_default(draft: &Draft<'_>, out: &mut Diagnostics) -> Tls {
    if draft.hosts.is_empty() {
        return Tls::Off; // Told already: a site has no hosts.
    }
    let public = draft
        .view
        .items("site.hosts")
        .iter()
        .find(|(written, _)| hosts::check(written).is_ok_and(|host| !hosts::is_local(&host)));
    let Some((host, place)) = public else {
        return Tls::Local;
    };
    out.push(
        Diagnostic::error(format!("{} has no certificate", draft.title()))
            .at(
                place,
                format!(
                    "no default for {}",
                    if host == "*" {
                        "every name"
                    } else {
                        "a public name"
                    }
                ),
            )
            .and(
                draft.around.gateway.place("listen.https"),
                "HTTPS needs one",
            )
            .mend(format!("{}; or list only names ending in {LOCAL_NAMES} (or private addresses), which get a local certificate", files_mend(draft))),
    );
    Tls::Off
}
