//! A gateway in this process, apps that answer with exact bytes, and clients
//! that send them.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::print_stdout, reason = "how a gateway apart says where it is")]

pub mod apart;

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sealwax_config::{Config, Flags, Sources};
use sealwax_gateway::{Gateway, Scheme};
use tempfile::TempDir;

/// Longer than anything should take; tests fail by it, they do not measure by
/// it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running gateway with a home of its own.
pub struct Running {
    pub gateway: Gateway,
    pub http: SocketAddr,
    pub https: SocketAddr,
    pub home: TempDir,
}

/// `listen` and one worker are given; `rest` holds the sites.
pub fn start(rest: &str) -> Running {
    let home = tempfile::tempdir().unwrap();
    start_in(home, rest)
}

pub fn start_in(home: TempDir, rest: &str) -> Running {
    let gateway = Gateway::start(config(rest), home.path()).unwrap();
    let of = |scheme| {
        gateway
            .addresses()
            .iter()
            .find(|address| address.scheme == scheme)
            .map(|address| address.socket)
            .unwrap()
    };
    let (http, https) = (of(Scheme::Http), of(Scheme::Https));
    Running {
        gateway,
        http,
        https,
        home,
    }
}

pub fn config(rest: &str) -> Config {
    let text = format!(
        "environment = \"development\"\nworkers = 1\n[listen]\nhttp = \"127.0.0.1:0\"\nhttps = \"127.0.0.1:0\"\n{rest}"
    );
    let file = Some((PathBuf::from("test.toml"), text));
    let sources = Sources {
        file,
        variables: Vec::new(),
        flags: Flags::default(),
    };
    match sealwax_config::load(&sources) {
        Ok(loaded) => loaded.config,
        Err(diagnostics) => panic!("{}", diagnostics.render(false)),
    }
}

/// One site, `localhost`, that is also served over plain HTTP.
pub fn site(to: &str) -> String {
    format!(
        "[[site]]\nhosts = [\"localhost\", \"127.0.0.1\"]\nto = [{to}]\ntls = \"local\"\nredirect.enabled = false\n"
    )
}

/// An app whose connections run `script`, each in a thread.
pub struct App {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    /// All heads that were received.
    pub heads: Arc<Mutex<Vec<String>>>,
}

/// One connection as the app sees it.
pub struct Conn {
    pub number: usize,
    reader: BufReader<TcpStream>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl App {
    pub fn new(script: impl Fn(&mut Conn) + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    pub fn on(listener: TcpListener, script: impl Fn(&mut Conn) + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (counter, all_heads) = (Arc::clone(&connections), Arc::clone(&heads));
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let mut conn = Conn {
                    number,
                    reader: BufReader::new(stream),
                    heads: Arc::clone(&all_heads),
                };
                let script = Arc::clone(&script);
                thread::spawn(move || script(&mut conn));
            }
        });
        Self {
            address,
            connections,
            heads,
        }
    }

    /// Answers every request, on connections that stay open.
    pub fn answering(response: &'static str) -> Self {
        Self::new(move |conn| while conn.head().is_some() && conn.send(response) {})
    }

    pub fn url(&self) -> String {
        format!("\"http://{}\"", self.address)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Conn {
    /// The next request head; its body is left to be read. `None` at the end.
    pub fn head(&mut self) -> Option<String> {
        let head = read_head(&mut self.reader)?;
        self.heads.lock().unwrap().push(head.clone());
        Some(head)
    }

    pub fn body(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        body
    }

    /// A chunked body with its trailer section, as it came.
    pub fn chunked(&mut self) -> (Vec<u8>, String) {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            if size == 0 {
                return (body, read_head(&mut self.reader).unwrap_or_default());
            }
            let mut chunk = vec![0; size + 2];
            self.reader.read_exact(&mut chunk).unwrap();
            body.extend_from_slice(&chunk[..size]);
        }
    }

    pub fn send(&mut self, text: impl AsRef<[u8]>) -> bool {
        self.reader.get_mut().write_all(text.as_ref()).is_ok()
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        self.reader.get_mut()
    }

    /// Whether the other side closes without sending another byte.
    pub fn at_end(&mut self) -> bool {
        self.reader
            .get_ref()
            .set_read_timeout(Some(PATIENCE))
            .unwrap();
        matches!(self.reader.fill_buf(), Ok([]) | Err(_))
    }

    pub fn read_some(&mut self) -> Vec<u8> {
        let some = self.reader.fill_buf().unwrap_or_default().to_vec();
        self.reader.consume(some.len());
        some
    }

    /// Ends with a reset instead of a clean end.
    pub fn reset(&mut self) {
        socket2::SockRef::from(self.reader.get_ref())
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        // The reset goes out when the stream is dropped.
    }

    pub fn close(&mut self) {
        let _ = self.reader.get_ref().shutdown(Shutdown::Both);
    }
}

/// Up to and with the empty line. An empty head (no trailers) is "\r\n".
fn read_head(reader: &mut impl std::io::BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if &head[before..] == "\r\n" {
            return Some(head);
        }
    }
}

pub trait Duplex: Read + Write + Send {
    /// For tests that stop reading, or leave.
    fn tcp(&self) -> &TcpStream;

    /// Says that nothing more will be sent, and goes on reading.
    fn end(&mut self);
}

impl Duplex for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }

    fn end(&mut self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

impl Duplex for StreamOwned<ClientConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }

    fn end(&mut self) {
        self.conn.send_close_notify();
        self.flush().unwrap();
    }
}

/// A client that speaks in exact bytes.
pub struct Client {
    reader: BufReader<Box<dyn Duplex>>,
}

/// A response as the client saw it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    pub trailers: String,
    /// The message was complete by its own framing.
    pub whole: bool,
}

impl Answer {
    /// All values of a field, joined with `, `.
    pub fn field(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub fn plain(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// On a connection that is there already.
    pub fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            reader: BufReader::new(Box::new(stream)),
        }
    }

    pub fn tls(running: &Running, sni: &str) -> Self {
        Self::tls_at(running.https, running.home.path(), sni)
    }

    pub fn tls_at(https: SocketAddr, home: &Path, sni: &str) -> Self {
        Self::tls_over(TcpStream::connect(https).unwrap(), home, sni)
    }

    pub fn tls_over(stream: TcpStream, home: &Path, sni: &str) -> Self {
        Self::tls_speaking(stream, home, sni, b"http/1.1")
    }

    pub fn tls_speaking(stream: TcpStream, home: &Path, sni: &str, alpn: &[u8]) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from(sni.to_owned()).unwrap();
        let config = client_config(home, &[alpn]);
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        Self {
            reader: BufReader::new(Box::new(StreamOwned::new(tls, stream))),
        }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let stream = self.reader.get_mut();
        stream.write_all(bytes.as_ref()).unwrap();
        stream.flush().unwrap();
        self
    }

    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        let stream = self.reader.get_mut();
        stream
            .write_all(bytes)
            .and_then(|()| stream.flush())
            .is_ok()
    }

    pub fn head(&mut self) -> Option<String> {
        read_head(&mut self.reader)
    }

    pub fn read_exact(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub fn tcp(&self) -> &TcpStream {
        self.reader.get_ref().tcp()
    }

    /// As much as comes at once, up to `most`; `None` at the end.
    pub fn try_read(&mut self, most: usize) -> Option<usize> {
        let mut bytes = vec![0; most];
        let read = self.reader.read(&mut bytes).ok()?;
        (read > 0).then_some(read)
    }

    /// Whether nothing comes, and the connection goes on, for as long as reads
    /// may take.
    pub fn at_rest(&mut self) -> bool {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        let read = self.reader.fill_buf().map_err(|error| error.kind());
        matches!(read, Err(TimedOut | WouldBlock))
    }

    pub fn at_end(&mut self) -> bool {
        matches!(self.reader.fill_buf(), Ok([]) | Err(_))
    }

    /// Ends its half in good order.
    pub fn end(&mut self) {
        self.reader.get_mut().end();
    }

    /// All that comes until the end; an error where that is none in good order.
    pub fn drain(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader.read_to_end(&mut bytes).map(|_| bytes)
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            .answer("GET")
    }

    /// Reads one response to a request with `method`.
    pub fn answer(&mut self, method: &str) -> Answer {
        self.try_answer(method).expect("a response head")
    }

    pub fn try_answer(&mut self, method: &str) -> Option<Answer> {
        let head = self.head()?;
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
            trailers: String::new(),
            whole: true,
        };
        if method == "HEAD" || status == 204 || status == 304 || status < 200 {
            return Some(answer);
        }
        if let Some(length) = answer.field("content-length") {
            let length: usize = length.parse().unwrap();
            let read = (&mut self.reader)
                .take(length as u64)
                .read_to_end(&mut answer.body);
            answer.whole = read.is_ok() && answer.body.len() == length;
        } else if answer.field("transfer-encoding").as_deref() == Some("chunked") {
            answer.whole = self.chunks(&mut answer).is_some();
        } else {
            answer.whole = self.reader.read_to_end(&mut answer.body).is_ok();
        }
        Some(answer)
    }

    fn chunks(&mut self, answer: &mut Answer) -> Option<()> {
        loop {
            let mut line = String::new();
            self.reader
                .read_line(&mut line)
                .ok()
                .filter(|read| *read > 0)?;
            let size = usize::from_str_radix(line.trim(), 16).ok()?;
            if size == 0 {
                answer.trailers = read_head(&mut self.reader)?;
                return Some(());
            }
            let mut chunk = vec![0; size + 2];
            self.reader.read_exact(&mut chunk).ok()?;
            answer.body.extend_from_slice(&chunk[..size]);
        }
    }
}

pub fn client_config(home: &Path, alpn: &[&[u8]]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(home.join("ca/root.pem")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

/// One request over plain HTTP, on a connection of its own.
pub fn ask(running: &Running, request: impl AsRef<[u8]>) -> Answer {
    let request = request.as_ref();
    let method = request.split(|byte| *byte == b' ').next().unwrap();
    let method = String::from_utf8(method.to_vec()).unwrap();
    let answer = Client::plain(running.http)
        .send(request)
        .try_answer(&method);
    answer.unwrap_or_else(|| {
        panic!(
            "no answer to {:?}",
            String::from_utf8_lossy(&request[..request.len().min(200)])
        )
    })
}

/// Waits for something that another thread does.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "{what} did not come about");
        thread::sleep(Duration::from_millis(5));
    }
}

/// An app on a unix socket that answers every request.
pub fn unix_app(path: &Path, response: &'static str) {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream: UnixStream = stream.unwrap();
            thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while read_head(&mut reader).is_some() {
                    if reader.get_mut().write_all(response.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
