//! A TLS server for the tests, which does with each connection what it is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::{self, Groups, Protocol};

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) ca: Vec<u8>,
}

impl Server {
    pub(crate) async fn new<F, R>(protocol: Protocol, serve: F) -> Self
    where
        F: Fn(TlsStream<TcpStream>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![protocol.alpn().to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                // A client that goes during the handshake is part of some tests.
                if let Ok(stream) = acceptor.accept(tcp).await {
                    tokio::spawn(serve(stream));
                }
            }
        });
        Self {
            addr,
            ca: cert.pem().into_bytes(),
        }
    }

    /// A client that trusts this server.
    pub(crate) fn client(&self, protocol: Protocol) -> Arc<ClientConfig> {
        tls::config(&self.ca, Groups::X25519, protocol, false).unwrap()
    }
}
