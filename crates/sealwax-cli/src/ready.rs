//! The line that says a gateway is ready.

use sealwax_gateway::Address;

use crate::terminal;

/// One line on standard error that names each address.
pub(crate) fn announce(addresses: &[Address]) {
    let urls: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    terminal::say(&format!("sealwax: ready: {}", urls.join(" ")));
}
