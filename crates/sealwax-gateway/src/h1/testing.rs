//! A client's connection and its other end, for tests.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use crate::activity::Activity;
use crate::pace::Pace;
use crate::stream::{Stream, Transport};

/// Longer than anything should take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `test` where there are sockets and timers.
pub(super) fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.unwrap() })
}

/// The client's end, which blocks.
pub(super) struct Client(TcpStream);

/// To be called where [`run`] runs.
pub(super) fn pair() -> (Stream, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.set_nodelay(true).unwrap();
    let (ours, _) = listener.accept().unwrap();
    ours.set_nonblocking(true).unwrap();
    let tcp = tokio::net::TcpStream::from_std(ours).unwrap();
    let transport = Transport::Plain(tcp);
    let stream = Stream::new(transport, Activity::new(), Pace::new(PATIENCE, 0));
    (stream, Client(client))
}

impl Client {
    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    pub(super) fn half_close(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    pub(super) fn reset(self) {
        let now = Some(Duration::ZERO);
        socket2::SockRef::from(&self.0).set_linger(now).unwrap();
    }

    /// So many bytes, as text.
    pub(super) fn receive(&mut self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// All bytes up to the end, as text.
    pub(super) fn rest(mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        text
    }

    /// Whether nothing has come.
    pub(super) fn is_quiet(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let outcome = self.0.peek(&mut [0]);
        self.0.set_nonblocking(false).unwrap();
        outcome.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}
