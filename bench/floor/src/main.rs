//! What a reverse proxy costs that is made of hyper and rustls and nothing else.
//!
//! A yardstick for `bench/run`, and no product: it has no policy, no limits, no time limits, no
//! log, and changes no header but the hop-by-hop ones. It is how one would write such a proxy in
//! an afternoon, without tuning: hyper on both sides, tokio-rustls with aws-lc-rs, the system's
//! allocator, one thread.
//!
//! ```text
//! TLS ─▶ tokio-rustls ─▶ hyper server (by ALPN) ─▶ forward ─▶ hyper client ─▶ upstream
//!                                                     ▲            │ HTTP/1.1
//!                                                     └── pool ◀───┘ once the body has ended
//! ```
//!
//! ```text
//! sealwax-floor LISTEN UPSTREAM CERT KEY
//! sealwax-floor 127.0.0.1:8443 127.0.0.1:8000 cert.pem key.pem
//! ```
//!
//! Both addresses must be loopback addresses.

mod forward;
mod pool;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

/// As many as the other proxies are configured for.
const BACKLOG: u32 = 4096;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when standard error is gone.
            drop(writeln!(std::io::stderr(), "sealwax-floor: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Why it cannot serve.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("usage: sealwax-floor LISTEN UPSTREAM CERT KEY, both addresses on loopback")]
    Usage,
    #[error("{0} cannot be read as PEM: {1}")]
    Pem(String, rustls_pki_types::pem::Error),
    #[error("rustls refused the certificate: {0}")]
    Tls(#[from] rustls::Error),
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

fn run() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [listen, upstream, cert, key] = words.as_slice() else {
        return Err(Error::Usage);
    };
    let (listen, upstream) = (loopback(listen)?, loopback(upstream)?);
    let acceptor = TlsAcceptor::from(Arc::new(tls(cert, key)?));
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async move {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(listen)?;
            accept(&socket.listen(BACKLOG)?, &acceptor, upstream).await;
            Ok(())
        })
}

fn loopback(word: &str) -> Result<SocketAddr, Error> {
    word.parse::<SocketAddr>()
        .ok()
        .filter(|addr| addr.is_ipv4() && addr.ip().is_loopback())
        .ok_or(Error::Usage)
}

fn tls(cert: &str, key: &str) -> Result<ServerConfig, Error> {
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| Error::Pem(cert.to_owned(), error))?;
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|error| Error::Pem(key.to_owned(), error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Tickets instead of rustls's default, a cache of 256 sessions: the other proxies do so too.
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    Ok(config)
}

async fn accept(listener: &TcpListener, acceptor: &TlsAcceptor, upstream: SocketAddr) {
    loop {
        // An error here is one connection's, or a lack of descriptors that passes.
        if let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { serve(tcp, &acceptor, upstream).await });
        }
    }
}

/// One connection, to its end. Its errors are the client's to notice.
async fn serve(tcp: TcpStream, acceptor: &TlsAcceptor, upstream: SocketAddr) {
    drop(tcp.set_nodelay(true));
    let Ok(stream) = acceptor.accept(tcp).await else {
        return;
    };
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(stream);
    let service = service_fn(move |request| forward::forward(request, upstream));
    if is_h2 {
        let connection = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service);
        drop(connection.await);
    } else {
        drop(http1::Builder::new().serve_connection(io, service).await);
    }
}
