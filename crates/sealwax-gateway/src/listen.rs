//! Listening sockets: one per worker and address, so that the kernel spreads
//! the connections (SO_REUSEPORT) and no worker waits for another.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::error::StartError;

/// Bytes that wait in the system beyond those that are on their way.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 * 1024;

const BACKLOG: i32 = 4096;

/// What is spoken on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP/1.1.
    Http,
    /// HTTP/1.1 and HTTP/2 over TLS.
    Https,
}

/// An address that is listened on. Displays as a URL without a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// What is spoken there.
    pub scheme: Scheme,
    /// With the real port, where any free one was asked for.
    pub socket: SocketAddr,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.socket)
    }
}

/// The listeners of all workers for one address.
pub(crate) fn bind(
    wanted: SocketAddr,
    scheme: Scheme,
    workers: usize,
) -> Result<(Address, Vec<TcpListener>), StartError> {
    let explain = |error: io::Error| explain(wanted, scheme, &error);
    // SO_REUSEPORT would also share the port with another process of the same
    // user, silently; a socket without it finds out. It is held until ours are
    // bound only if the port is to be chosen.
    let probe = socket(wanted, false).map_err(explain)?;
    let socket_address = match wanted.port() {
        0 => probe
            .local_addr()
            .map_err(explain)?
            .as_socket()
            .unwrap_or(wanted),
        _ => wanted,
    };
    drop(probe);
    let listeners: io::Result<Vec<TcpListener>> = (0..workers)
        .map(|_| {
            let socket = socket(socket_address, true)?;
            socket.listen(BACKLOG)?;
            socket.set_nonblocking(true)?;
            Ok(socket.into())
        })
        .collect();
    Ok((
        Address {
            scheme,
            socket: socket_address,
        },
        listeners.map_err(explain)?,
    ))
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Otherwise connections that linger from before a restart block the port.
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        // `[::]` takes IPv4 too, whatever the system's default is.
        socket.set_only_v6(false)?;
    }
    // Connections inherit both. Small answers must not wait for the
    // acknowledgement of earlier ones.
    socket.set_tcp_nodelay(true)?;
    // Otherwise Linux tells of room only when a third of megabytes is free, and
    // a client that reads slowly but steadily seems not to read.
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(UNSENT)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn explain(address: SocketAddr, scheme: Scheme, error: &io::Error) -> StartError {
    let key = match scheme {
        Scheme::Http => "listen.http",
        Scheme::Https => "listen.https",
    };
    let (cause, mend) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            format!("{address} is in use by another program"),
            format!("stop that program (ss -ltnp 'sport = :{}' names it) or choose another port", address.port()),
        ),
        io::ErrorKind::PermissionDenied => (
            format!("{address} may not be opened: ports below 1024 need a privilege"),
            "run with CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE) or choose a port above 1023"
                .to_owned(),
        ),
        io::ErrorKind::AddrNotAvailable => (
            format!("{address} is no address of this machine"),
            "use one that `ip address` lists, or 0.0.0.0 or [::] for all".to_owned(),
        ),
        _ => (format!("{address} cannot be listened on: {error}"), "choose another address".to_owned()),
    };
    StartError::new(key, cause, mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_free_port_is_one_port_for_all_workers() {
        let (address, listeners) = bind("127.0.0.1:0".parse().unwrap(), Scheme::Http, 3).unwrap();
        assert_ne!(address.socket.port(), 0);
        assert!(
            listeners
                .iter()
                .all(|listener| listener.local_addr().unwrap() == address.socket)
        );
    }

    #[test]
    fn a_port_in_use_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = bind(taken.local_addr().unwrap(), Scheme::Https, 1).unwrap_err();
        assert_eq!(error.key(), "listen.https");
        assert!(error.cause().contains("in use"), "{error}");
    }

    #[test]
    fn our_own_listener_is_not_silently_shared() {
        let (address, _listeners) = bind("127.0.0.1:0".parse().unwrap(), Scheme::Http, 1).unwrap();
        assert!(bind(address.socket, Scheme::Http, 1).is_err());
    }

    #[test]
    fn a_foreign_address_is_named() {
        let error = bind("192.0.2.1:8080".parse().unwrap(), Scheme::Http, 1).unwrap_err();
        assert!(
            error.cause().contains("no address of this machine"),
            "{error}"
        );
    }
}
