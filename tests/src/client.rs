//! An HTTP client that speaks to one address whatever the URL's host says.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom a client trusts: the roots in some PEM files and nobody else.
#[derive(Clone)]
pub struct Tls(Arc<RootCertStore>);

impl Tls {
    /// Trusts the certificates in these files.
    #[must_use]
    pub fn trusting(roots: &[&Path]) -> Self {
        let mut store = RootCertStore::empty();
        for path in roots {
            for certificate in CertificateDer::pem_file_iter(path).expect("a PEM file") {
                store
                    .add(certificate.expect("a certificate"))
                    .expect("a usable root");
            }
        }
        Self(Arc::new(store))
    }

    fn config(&self, alpn: &[&[u8]]) -> ClientConfig {
        let mut config = ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(Arc::clone(&self.0))
        .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        config
    }
}

/// A TLS connection to `address` for the server name `host`.
///
/// # Errors
/// When TCP or the handshake fails, as for a certificate that is not trusted.
pub async fn connect_tls(
    address: SocketAddr,
    tls: &Tls,
    host: &str,
    alpn: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    TlsConnector::from(Arc::new(tls.config(alpn)))
        .connect(name, stream)
        .await
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The protocol that carried it.
    pub version: Version,
    /// All fields, in order.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
    /// Trailers, when there were any.
    pub trailers: Option<HeaderMap>,
}

impl Answer {
    /// A field's value, or the empty string.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    }

    /// Every value of a field.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    }

    /// The Set-Cookie field that sets `name`, or the empty string.
    #[must_use]
    pub fn set_cookie(&self, name: &str) -> String {
        self.all("set-cookie")
            .into_iter()
            .find(|field| {
                field
                    .split_once('=')
                    .is_some_and(|(found, _)| found.trim() == name)
            })
            .unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// A request in the making.
#[must_use]
pub struct Client {
    address: SocketAddr,
    tls: Option<(Tls, String)>,
    method: Method,
    authority: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: BoxBody<Bytes, std::io::Error>,
    http2: bool,
}

impl Client {
    /// `GET path` from `authority` (host and port), spoken to `address`, without TLS.
    pub fn plain(address: SocketAddr, authority: &str, target: &str) -> Self {
        Self {
            address,
            tls: None,
            method: Method::GET,
            authority: authority.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: whole(Bytes::new()),
            http2: false,
        }
    }

    /// Within TLS, with `host` as server name.
    pub fn tls(mut self, tls: &Tls, host: &str) -> Self {
        self.tls = Some((tls.clone(), host.to_owned()));
        self
    }

    /// Another method than GET.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Method::from_bytes(method.as_bytes()).expect("a method");
        self
    }

    /// One more field.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// A body, sent with its length.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = whole(body.into());
        self
    }

    /// A body that is made while it is sent; give its length in a field, or it goes chunked.
    pub fn streaming(mut self, body: BoxBody<Bytes, std::io::Error>) -> Self {
        self.body = body;
        self
    }

    /// HTTP/2 instead of HTTP/1.1 (by ALPN within TLS).
    pub fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    /// Sends it and reads the whole answer.
    ///
    /// # Panics
    /// On any failure; [`Client::try_send`] answers it instead.
    pub async fn send(self) -> Answer {
        let what = format!("{} {}{}", self.method, self.authority, self.target);
        self.try_send()
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it and reads the whole answer, or says what went wrong on the way.
    ///
    /// # Errors
    /// When the connection, the handshake, the protocol or the body fails.
    pub async fn try_send(self) -> Result<Answer, Error> {
        tokio::time::timeout(Duration::from_secs(60), self.exchange()).await?
    }

    async fn exchange(self) -> Result<Answer, Error> {
        let (parts, body) = self.open().await?.into_parts();
        let collected = body.collect().await?;
        let trailers = collected.trailers().cloned();
        Ok(Answer {
            status: parts.status.as_u16(),
            version: parts.version,
            headers: parts.headers,
            body: collected.to_bytes(),
            trailers,
        })
    }

    /// Sends it and answers as soon as the head has come; the body is read by the caller.
    ///
    /// # Errors
    /// When the connection, the handshake or the protocol fails.
    pub async fn open(self) -> Result<http::Response<hyper::body::Incoming>, Error> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let mut request = http::Request::builder().method(self.method);
        if self.http2 {
            let uri = format!("{scheme}://{}{}", self.authority, self.target);
            request = request.uri(uri).version(Version::HTTP_2);
        } else {
            request = request.uri(&self.target).header("host", &self.authority);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value.as_slice());
        }
        let request = request.body(self.body)?;
        let Some((tls, host)) = &self.tls else {
            let stream = TcpStream::connect(self.address).await?;
            return Ok(send(TokioIo::new(stream), request, self.http2).await?);
        };
        let alpn: &[u8] = if self.http2 { b"h2" } else { b"http/1.1" };
        let stream = connect_tls(self.address, tls, host, &[alpn]).await?;
        if self.http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err("the server did not choose h2".into());
        }
        Ok(send(TokioIo::new(stream), request, self.http2).await?)
    }
}

/// Whatever can go wrong on the way.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

fn whole(bytes: Bytes) -> BoxBody<Bytes, std::io::Error> {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

async fn send(
    io: impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    request: http::Request<BoxBody<Bytes, std::io::Error>>,
    http2: bool,
) -> hyper::Result<http::Response<hyper::body::Incoming>> {
    if http2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
        tokio::spawn(connection);
        sender.send_request(request).await
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await
    }
}
