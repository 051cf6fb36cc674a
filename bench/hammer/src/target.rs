//! What every connection of a run shares: where it goes, what it asks, what must come back.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use http::Request;
use http::header::{ACCEPT, COOKIE};
use rustls_pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};

use crate::Error;
use crate::args::Args;

/// Path of the small answer, which is compared.
pub(crate) const SMALL: &str = "/";
/// Path of an answer that is too large to be sent at once; only given up, never read whole.
pub(crate) const LARGE: &str = "/large";

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    pub(crate) server_name: ServerName<'static>,
    authority: String,
    cookie: String,
    /// The body that the small answer must have.
    pub(crate) body: Vec<u8>,
}

impl Target {
    pub(crate) fn new(args: &Args) -> Result<Self, Error> {
        Ok(Self {
            addr: args.addr,
            server_name: ServerName::try_from(args.name.clone())
                .map_err(|_| Error::Usage(format!("--name {:?} is not a DNS name", args.name)))?,
            authority: format!("{}:{}", args.name, args.addr.port()),
            cookie: args.cookie.clone(),
            body: read(&args.body)?,
        })
    }

    /// A GET, ready to be written.
    pub(crate) fn http1(&self, path: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\nCookie: {}\r\n\r\n",
            self.authority, self.cookie
        )
        .into_bytes()
    }

    pub(crate) fn http2(&self, path: &str) -> Result<Request<()>, http::Error> {
        Request::get(format!("https://{}{path}", self.authority))
            .header(ACCEPT, "*/*")
            .header(COOKIE, &self.cookie)
            .body(())
    }

    pub(crate) async fn tcp(&self, source: Option<Ipv4Addr>) -> io::Result<TcpStream> {
        let tcp = match source {
            None => TcpStream::connect(self.addr).await?,
            Some(source) => {
                let socket = TcpSocket::new_v4()?;
                socket.bind(SocketAddr::from((source, 0)))?;
                socket.connect(self.addr).await?
            }
        };
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }
}

/// A file, or the error that names it.
pub(crate) fn read(path: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A target for a test's server.
    pub(crate) fn at(addr: SocketAddr, body: &[u8]) -> Target {
        Target {
            addr,
            server_name: ServerName::try_from("localhost").unwrap(),
            authority: "localhost".to_owned(),
            cookie: "a=1".to_owned(),
            body: body.to_vec(),
        }
    }

    #[test]
    fn both_protocols_ask_the_same() {
        let target = at(SocketAddr::from(([127, 0, 0, 1], 443)), b"");
        assert_eq!(
            target.http1(SMALL),
            b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nCookie: a=1\r\n\r\n"
        );
        let request = target.http2(LARGE).unwrap();
        assert_eq!(request.uri(), "https://localhost/large");
        assert_eq!(request.headers()["cookie"], "a=1");
    }
}
