use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::LocalSet;

use super::*;
use crate::target::tests::at;
use crate::target::{LARGE, SMALL};
use crate::testing::Server;
use crate::tls::Protocol;

/// Answers `/` with a body and `/large` with one that never ends; counts the streams reset.
async fn server(resets: Arc<AtomicU64>) -> Server {
    Server::new(Protocol::Http2, move |stream| {
        let resets = Arc::clone(&resets);
        async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let large = request.uri().path() == LARGE;
                let mut body = respond
                    .send_response(http::Response::new(()), false)
                    .unwrap();
                body.send_data("the whole body".into(), !large).unwrap();
                let resets = Arc::clone(&resets);
                tokio::spawn(async move {
                    let reset = std::future::poll_fn(|cx| body.poll_reset(cx)).await;
                    if reset.is_ok_and(|reason| large && reason == h2::Reason::CANCEL) {
                        resets.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        }
    })
    .await
}

#[tokio::test]
async fn streams_share_a_connection_and_are_reset_when_dropped() {
    let resets = Arc::new(AtomicU64::new(0));
    let server = server(Arc::clone(&resets)).await;
    let target = at(server.addr, b"the whole body");
    let acts = async {
        let session = Session::new(&server.client(Protocol::Http2), &target, None)
            .await
            .unwrap();
        let mut streams = session.streams();
        let small = || target.http2(SMALL).unwrap();
        let (status, body) = streams.ask(small()).await.unwrap();
        Failure::unless_good(status, &body, &target).unwrap();
        let response = streams.send(target.http2(LARGE).unwrap()).await.unwrap();
        let mut body = response.await.unwrap().into_body();
        assert_eq!(read(&mut body).await.unwrap().unwrap(), "the whole body");
        drop(body);
        let mut other = session.streams();
        let (one, two) = tokio::join!(streams.ask(small()), other.ask(small()));
        assert_eq!((one.unwrap().0, two.unwrap().0), (200, 200));
        for _ in 0..100 {
            if resets.load(Ordering::Relaxed) == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(resets.load(Ordering::Relaxed), 1);
        session.closer().abort();
        assert!(streams.ask(small()).await.is_err());
    };
    LocalSet::new().run_until(acts).await;
}

#[tokio::test]
async fn a_server_that_speaks_another_protocol_is_a_failure() {
    let server = Server::new(Protocol::Http1, |_| async {}).await;
    let target = at(server.addr, b"");
    let config = server.client(Protocol::Http2);
    assert!(Session::new(&config, &target, None).await.is_err());
}
