//! Opening a connection to an upstream.

use std::io;
use std::net::{IpAddr, SocketAddr};

use sealwax_config::Upstream;
use tokio::net::{TcpStream, UnixStream};

use super::budget::Slot;
use super::wire::{Socket, Wire};

pub(super) async fn connect(upstream: &Upstream, slot: Slot) -> io::Result<Wire> {
    let socket = match upstream {
        Upstream::Tcp { host, port } => {
            let stream = connect_tcp(host, *port).await?;
            // A request may leave in several writes; none may wait for the
            // acknowledgement of the one before.
            stream.set_nodelay(true)?;
            Socket::Tcp(stream)
        }
        Upstream::Unix(path) => Socket::Unix(UnixStream::connect(path).await?),
    };
    Ok(Wire::new(socket, slot))
}

async fn connect_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let bare = host
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return TcpStream::connect(SocketAddr::new(address, port)).await;
    }
    TcpStream::connect((bare, port)).await
}
