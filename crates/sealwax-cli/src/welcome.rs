//! What a person at a terminal wants to know once a gateway is ready.

use std::path::Path;

use sealwax_config::{Config, Tls};
use sealwax_gateway::{Address, Scheme};

use crate::terminal::{self, Paint};
use crate::trust;

/// The site that is shown.
#[derive(Debug)]
pub(crate) struct Site {
    host: String,
    local: bool,
}

impl Site {
    /// The first site of a configuration.
    pub(crate) fn first(config: &Config) -> Self {
        let first = config.sites.first();
        let pattern = first.map_or("localhost", |site| site.name.as_str());
        let host = match pattern.trim_start_matches('.') {
            "" | "*" => "localhost",
            host => host,
        };
        Self {
            host: host.to_owned(),
            local: first.is_some_and(|site| matches!(site.tls, Tls::Local)),
        }
    }
}

/// Prints where to go and, on a terminal, what is missing. The address to open
/// is no listener's own where the site has a name.
pub(crate) fn show(site: &Site, addresses: &[Address], home: &Path) {
    if !terminal::someone_reads_stderr() {
        if let Some(url) = url(site, addresses) {
            terminal::say(&format!("sealwax: open: {url}"));
        }
        return;
    }
    let paint = Paint::for_stderr();
    if let Some(url) = url(site, addresses) {
        terminal::say(&format!("\n  Open {}", paint.bold(url)));
    }
    if site.local && !trust::is_trusted(home) {
        terminal::say(&format!(
            "  {}: this machine does not trust the local certificate authority yet; run {}",
            paint.yellow("note"),
            paint.bold("sealwax trust install"),
        ));
    }
    terminal::say(&paint.dim("  Ctrl-C ends it\n"));
}

/// HTTPS where there is a listener for it; ports that browsers imply are left
/// out.
fn url(site: &Site, addresses: &[Address]) -> Option<String> {
    let port = |scheme| {
        addresses
            .iter()
            .find(|address| address.scheme == scheme)
            .map(|address| address.socket.port())
    };
    let host = &site.host;
    Some(match (port(Scheme::Https), port(Scheme::Http)) {
        (Some(443), _) => format!("https://{host}/"),
        (Some(port), _) => format!("https://{host}:{port}/"),
        (None, Some(80)) => format!("http://{host}/"),
        (None, Some(port)) => format!("http://{host}:{port}/"),
        (None, None) => return None,
    })
}
