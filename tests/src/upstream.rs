//! A web app that sends the exact bytes a test wants and records what it received.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    /// The request's number on this upstream, from 0.
    pub number: usize,
    /// The head's bytes, with the empty line.
    pub head: Vec<u8>,
    /// The body, unchunked.
    pub body: Vec<u8>,
}

impl Request {
    /// The method.
    #[must_use]
    pub fn method(&self) -> String {
        self.start_line(0)
    }

    /// The request target as sent.
    #[must_use]
    pub fn target(&self) -> String {
        self.start_line(1)
    }

    /// The target up to the query.
    #[must_use]
    pub fn path(&self) -> String {
        self.target()
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    /// All values of a field, in order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.fields()
            .into_iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// The only value of a field, or the empty string.
    ///
    /// # Panics
    /// When it came twice.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let mut all = self.all(name);
        assert!(all.len() < 2, "{name} came {} times: {all:?}", all.len());
        all.pop().unwrap_or_default()
    }

    /// Whether a field is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }

    /// All fields, in order.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        let text = String::from_utf8_lossy(&self.head);
        text.split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
            .collect()
    }

    fn start_line(&self, word: usize) -> String {
        let text = String::from_utf8_lossy(&self.head);
        text.lines()
            .next()
            .unwrap_or_default()
            .split(' ')
            .nth(word)
            .unwrap_or_default()
            .to_owned()
    }
}

/// What to do next on the connection.
#[derive(Debug, Clone)]
pub enum Step {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Wait.
    Wait(Duration),
    /// Wait until it says so.
    Until(watch::Receiver<bool>),
    /// Close in good order (FIN) and read no more.
    Close,
    /// Close without order (RST).
    Reset,
}

impl Step {
    /// A whole response: status and fields as given, Content-Length added.
    #[must_use]
    pub fn response(status: u16, fields: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<Self> {
        let body = body.as_ref();
        let mut bytes = format!(
            "HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n",
            body.len()
        )
        .into_bytes();
        for (name, value) in fields {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        vec![Self::Send(bytes)]
    }

    /// A page of HTML that sets these cookies. It brings its own icon, so that the browser
    /// does not ask for `/favicon.ico` at a moment of its own choosing.
    #[must_use]
    pub fn page(cookies: &[&str], html: &str) -> Vec<Self> {
        let mut fields = vec![
            ("Content-Type", "text/html; charset=utf-8"),
            ("Cache-Control", "no-store"),
        ];
        fields.extend(cookies.iter().map(|&cookie| ("Set-Cookie", cookie)));
        Self::response(
            200,
            &fields,
            format!("<!doctype html><link rel=icon href=data:,><title>page</title>{html}"),
        )
    }
}

type Handler = Arc<dyn Fn(&Request) -> Vec<Step> + Send + Sync>;

#[derive(Default)]
struct Record {
    requests: Mutex<Vec<Request>>,
    raw: Mutex<Vec<u8>>,
    connections: Mutex<usize>,
}

/// The app; it listens until it is dropped.
pub struct Upstream {
    address: Option<SocketAddr>,
    socket: Option<PathBuf>,
    scheme: &'static str,
    record: Arc<Record>,
    task: tokio::task::JoinHandle<()>,
}

impl Upstream {
    /// Answers each request with the steps that `handler` gives.
    pub async fn with(handler: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(handler)).await
    }

    /// Answers every request with these bytes.
    pub async fn replying(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref().to_vec();
        Self::with(move |_| vec![Step::Send(bytes.clone())]).await
    }

    /// Answers every request with these bytes and closes.
    pub async fn replying_then_closing(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref().to_vec();
        Self::with(move |_| vec![Step::Send(bytes.clone()), Step::Close]).await
    }

    /// A server of its own with TLS, for sites that are not behind the gateway.
    pub async fn tls(
        authority: &Authority,
        names: &[&str],
        handler: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(authority.server(names)), Arc::new(handler)).await
    }

    /// The same on a unix socket.
    pub async fn unix(
        path: &Path,
        handler: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(path).expect("a unix socket");
        let (record, handler): (_, Handler) = (Arc::new(Record::default()), Arc::new(handler));
        let seen = Arc::clone(&record);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&handler)));
            }
        });
        Self {
            address: None,
            socket: Some(path.to_owned()),
            scheme: "http",
            record,
            task,
        }
    }

    async fn listen(tls: Option<Arc<ServerConfig>>, handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let record = Arc::new(Record::default());
        let seen = Arc::clone(&record);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let acceptor = tls.map(TlsAcceptor::from);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let (seen, handler, acceptor) =
                    (Arc::clone(&seen), Arc::clone(&handler), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve_tcp(stream, seen, handler).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, seen, handler).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address: Some(address),
            socket: None,
            scheme,
            record,
            task,
        }
    }

    /// Where it listens, as the `to` of a site.
    #[must_use]
    pub fn url(&self) -> String {
        match (&self.address, &self.socket) {
            (Some(address), _) => format!("{}://{address}", self.scheme),
            (None, Some(path)) => format!("unix:{}", path.display()),
            (None, None) => unreachable!("an upstream listens somewhere"),
        }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.expect("a TCP upstream").port()
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.record
            .requests
            .lock()
            .expect("no poisoned lock")
            .clone()
    }

    /// The newest request.
    ///
    /// # Panics
    /// When there was none.
    #[must_use]
    pub fn last(&self) -> Request {
        self.requests().pop().expect("a request at the app")
    }

    /// The newest request for a path.
    ///
    /// # Panics
    /// When there was none; the message lists the paths that came.
    #[must_use]
    pub fn last_for(&self, path: &str) -> Request {
        let requests = self.requests();
        let paths: Vec<_> = requests.iter().map(Request::target).collect();
        requests
            .into_iter()
            .rfind(|request| request.path() == path)
            .unwrap_or_else(|| panic!("no {path} among {paths:?}"))
    }

    /// All bytes received on all connections, in the order in which they were read.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        self.record.raw.lock().expect("no poisoned lock").clone()
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.record.connections.lock().expect("no poisoned lock")
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve_tcp(mut stream: TcpStream, record: Arc<Record>, handler: Handler) {
    if converse(&mut stream, &record, &handler).await == End::Reset {
        // Linger 0: the kernel sends RST instead of FIN.
        let _ = stream.set_zero_linger();
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    record: Arc<Record>,
    handler: Handler,
) {
    converse(&mut stream, &record, &handler).await;
    let _ = stream.shutdown().await;
}

#[derive(PartialEq)]
enum End {
    Close,
    Reset,
}

async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    record: &Record,
    handler: &Handler,
) -> End {
    *record.connections.lock().expect("no poisoned lock") += 1;
    let mut buffer = Vec::new();
    loop {
        let Some(request) = receive(stream, &mut buffer, record).await else {
            return End::Close;
        };
        for step in handler(&request) {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        return End::Close;
                    }
                }
                Step::Wait(time) => tokio::time::sleep(time).await,
                Step::Until(mut word) => drop(word.wait_for(|said| *said).await),
                Step::Close => return End::Close,
                Step::Reset => return End::Reset,
            }
        }
    }
}

/// Reads one request; `None` when the peer closed.
async fn receive(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    record: &Record,
) -> Option<Request> {
    let end = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, buffer, record).await?;
    };
    let head: Vec<u8> = buffer.drain(..end).collect();
    let mut request = Request {
        number: 0,
        head,
        body: Vec::new(),
    };
    let chunked = request
        .all("transfer-encoding")
        .iter()
        .any(|value| value.eq_ignore_ascii_case("chunked"));
    if chunked {
        loop {
            let end = until(stream, buffer, record, b"\r\n").await?;
            let line: Vec<u8> = buffer.drain(..end + 2).collect();
            let size = String::from_utf8_lossy(&line[..end])
                .split(';')
                .next()?
                .trim()
                .to_owned();
            let size = usize::from_str_radix(&size, 16).ok()?;
            if size == 0 {
                // Trailers, up to the empty line.
                while until(stream, buffer, record, b"\r\n").await? != 0 {
                    let end = find(buffer, b"\r\n")?;
                    buffer.drain(..end + 2);
                }
                buffer.drain(..2);
                break;
            }
            fill(stream, buffer, record, size + 2).await?;
            request.body.extend(buffer.drain(..size));
            buffer.drain(..2);
        }
    } else if let Some(length) = request
        .all("content-length")
        .first()
        .and_then(|text| text.parse().ok())
    {
        fill(stream, buffer, record, length).await?;
        request.body.extend(buffer.drain(..length));
    }
    let mut requests = record.requests.lock().expect("no poisoned lock");
    request.number = requests.len();
    requests.push(request.clone());
    Some(request)
}

async fn until(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    record: &Record,
    end: &[u8],
) -> Option<usize> {
    loop {
        if let Some(at) = find(buffer, end) {
            return Some(at);
        }
        more(stream, buffer, record).await?;
    }
}

async fn fill(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    record: &Record,
    length: usize,
) -> Option<()> {
    while buffer.len() < length {
        more(stream, buffer, record).await?;
    }
    Some(())
}

async fn more(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    record: &Record,
) -> Option<()> {
    let mut piece = vec![0; 64 << 10];
    let length = stream
        .read(&mut piece)
        .await
        .ok()
        .filter(|&length| length > 0)?;
    record
        .raw
        .lock()
        .expect("no poisoned lock")
        .extend_from_slice(&piece[..length]);
    buffer.extend_from_slice(&piece[..length]);
    Some(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
