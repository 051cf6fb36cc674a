//! One HTTP/2 connection: as `connection`, with streams.

use std::net::Ipv4Addr;
use std::sync::Arc;

use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use http::Request;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_rustls::client::TlsStream;

use crate::connection::{Agreed, PATIENCE, agreed, handshake};
use crate::failure::{Failure, MAX_BODY};
use crate::target::Target;

/// A connection, driven by a task of its own. Dropping it closes the connection at once.
pub(crate) struct Session {
    sender: SendRequest<bytes::Bytes>,
    driver: JoinHandle<()>,
    pub(crate) agreed: Agreed,
}

impl Session {
    pub(crate) async fn new(
        config: &Arc<ClientConfig>,
        target: &Target,
        source: Option<Ipv4Addr>,
    ) -> Result<Self, Failure> {
        let stream: TlsStream<TcpStream> = handshake(config, target, source).await?;
        let agreed = agreed(&stream);
        let (sender, connection) = h2::client::handshake(stream).await?;
        // Its end shows on the streams.
        let driver = tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(Self {
            sender,
            driver,
            agreed,
        })
    }

    /// Closes the connection under all its streams, without a word.
    pub(crate) fn closer(&self) -> AbortHandle {
        self.driver.abort_handle()
    }

    pub(crate) fn streams(&self) -> Streams {
        Streams(self.sender.clone())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// For one request at a time on a connection that others use too.
#[derive(Clone)]
pub(crate) struct Streams(SendRequest<bytes::Bytes>);

impl Streams {
    /// One request and its whole answer: status and body.
    pub(crate) async fn ask(&mut self, request: Request<()>) -> Result<(u16, Vec<u8>), Failure> {
        let attempt = async {
            let response = self.send(request).await?.await?;
            let status = response.status().as_u16();
            let mut body = response.into_body();
            let mut all = Vec::with_capacity(1024);
            while let Some(piece) = read(&mut body).await? {
                all.extend_from_slice(&piece);
                if all.len() > MAX_BODY {
                    return Err(Failure::Body { got: all.len() });
                }
            }
            Ok((status, all))
        };
        tokio::time::timeout(PATIENCE, attempt)
            .await
            .map_err(|_| Failure::TimedOut)?
    }

    /// Sends a request. What is returned is the answer to come; dropping it, or its body before
    /// its end, resets the stream with CANCEL (RFC 9113, 8.1).
    pub(crate) async fn send(&mut self, request: Request<()>) -> Result<ResponseFuture, Failure> {
        std::future::poll_fn(|cx| self.0.poll_ready(cx)).await?;
        let (response, _) = self.0.send_request(request, true)?;
        Ok(response)
    }
}

/// The next piece of a body, its room in the window given back.
pub(crate) async fn read(body: &mut RecvStream) -> Result<Option<bytes::Bytes>, Failure> {
    let Some(piece) = body.data().await.transpose()? else {
        return Ok(None);
    };
    body.flow_control().release_capacity(piece.len())?;
    Ok(Some(piece))
}

#[cfg(test)]
mod tests;
