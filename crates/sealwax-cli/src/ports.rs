//! Ports for commands that may choose them.

use std::net::{Ipv4Addr, TcpListener};

use crate::exit::Failure;

/// How far the search goes before somebody should look.
const TRIES: u16 = 100;

/// `preferred` on the loopback address, or the next port that is free.
pub(crate) fn free_from(preferred: u16) -> Result<u16, Failure> {
    (preferred..preferred.saturating_add(TRIES))
        .find(|port| is_free(*port))
        .ok_or_else(|| {
            Failure::unable(
                format!("127.0.0.1:{preferred}"),
                format!(
                    "no port from {preferred} to {} is free",
                    preferred.saturating_add(TRIES - 1)
                ),
                "name one with --http or --https",
            )
        })
}

/// A port that nobody uses, for the app. Somebody else could take it before
/// the app does; then the app says so itself.
pub(crate) fn any_free() -> Result<u16, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| {
            Failure::unable(
                "127.0.0.1",
                format!("there is no free port for the app: {error}"),
                "",
            )
        })
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(free_from(port).unwrap() > port);
        assert!(is_free(any_free().unwrap()));
    }
}
