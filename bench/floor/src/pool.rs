//! Connections to the upstream that wait for their next request. One thread, one pool, no lock.

use std::cell::RefCell;
use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(crate) type Sender = SendRequest<Incoming>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no connection to the upstream")]
    Connect(#[from] std::io::Error),
    #[error("the upstream's answer could not be read")]
    Exchange(#[from] hyper::Error),
}

/// As many as the other proxies may keep.
const KEEP: usize = 512;

thread_local! {
    static IDLE: RefCell<Vec<Sender>> = const { RefCell::new(Vec::new()) };
}

/// The connection used last, for it is the likeliest to live, or else a new one.
pub(crate) async fn take(upstream: SocketAddr) -> Result<Sender, Failure> {
    while let Some(mut sender) = IDLE.with_borrow_mut(Vec::pop) {
        if sender.ready().await.is_ok() {
            return Ok(sender);
        }
    }
    let tcp = TcpStream::connect(upstream).await?;
    tcp.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// For the next request. Its last answer must have been read to the end.
pub(crate) fn put_back(sender: Sender) {
    IDLE.with_borrow_mut(|idle| {
        if !sender.is_closed() && idle.len() < KEEP {
            idle.push(sender);
        }
    });
}
