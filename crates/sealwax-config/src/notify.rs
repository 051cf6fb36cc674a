//! Who is told of signs of theft.

use std::net::IpAddr;

use http::Uri;

use crate::config::Notify;
use crate::diagnostic::{Diagnostic, Diagnostics, Fault};
use crate::view::View;

const URL: &str = "site.notify.url";
const COMMAND: &str = "site.notify.command";

pub(crate) const MEND: &str = r#"write it whole: "https://hooks.example.com/sealwax""#;

pub(crate) fn lower(view: View<'_>, out: &mut Diagnostics) -> Option<Notify> {
    let command = view.texts(COMMAND);
    match (view.text(URL), command.is_empty()) {
        (None, true) => None,
        (Some(url), true) => Some(Notify::Url(url.to_owned())),
        (None, false) => Some(Notify::Command(command)),
        (Some(_), false) => {
            out.push(
                Diagnostic::error("events go to a webhook or to a command, not to both")
                    .at_any(view.place(COMMAND), "there is a webhook, too")
                    .mend("leave out one of them; a command may pass the events on"),
            );
            None
        }
    }
}

/// A webhook's URL. What is said of thieves stays between us and the receiver.
pub(crate) fn webhook(text: &str) -> Result<String, Fault> {
    let fault = |cause, label| Fault::new(cause, label, MEND);
    let text = text.trim();
    let url: Uri = text
        .parse()
        .map_err(|_| fault("must be a URL", "this is none"))?;
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err(fault("must be a URL", "its scheme or its host is missing"));
    };
    if authority.as_str().contains('@') {
        return Err(fault(
            "must hold no password",
            "whoever reads the configuration reads it",
        ));
    }
    match scheme {
        "https" => Ok(text.to_owned()),
        "http" if is_this_machine(authority.host()) => Ok(text.to_owned()),
        "http" => Err(fault(
            "must be HTTPS",
            "others on the way could read and change the events; http is for this machine",
        )),
        _ => Err(fault("must be HTTPS", "no other scheme is spoken")),
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = bare.parse().ok();
    host.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_leave_this_machine_over_https_only() {
        for good in [
            "https://hooks.example.com/a?b=c",
            "http://127.0.0.1:9000/",
            "http://[::1]:9000",
            "http://localhost/x",
        ] {
            assert_eq!(webhook(good).unwrap(), good);
        }
        for bad in [
            "",
            "hooks.example.com",
            "/path",
            "http://hooks.example.com/",
            "http://127.0.0.1.example.com/",
            "ftp://127.0.0.1/",
            "https://me:secret@hooks.example.com/",
            "https://a b/",
        ] {
            assert!(webhook(bad).is_err(), "{bad}");
        }
    }
}
