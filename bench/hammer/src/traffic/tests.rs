use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::LocalSet;

use super::*;
use crate::args::Sources;
use crate::target::tests::at;
use crate::testing::Server;

const BODY: &[u8] = b"the whole body";

fn shared(server: &Server, protocol: Protocol, abort_every: u64) -> Rc<Shared> {
    let target = at(server.addr, BODY);
    Rc::new(Shared {
        load: LoadArgs {
            protocol,
            streams: 4,
            pause: Duration::ZERO,
            abort_every,
            sources: Sources::ONE,
        },
        small: target.http1(SMALL),
        large: target.http1(LARGE),
        target,
        config: server.client(protocol),
        handshakes: Semaphore::new(HANDSHAKES),
        tally: Tally::default(),
        told: RefCell::default(),
    })
}

/// HTTP/1.1: the answers in turn, over and over, each to one request.
async fn answering(answers: &'static [&'static str]) -> Server {
    let turn = Arc::new(AtomicU64::new(0));
    Server::new(Protocol::Http1, move |mut stream| {
        let turn = Arc::clone(&turn);
        async move {
            let mut request = [0; 1024];
            while let Ok(read) = stream.read(&mut request).await {
                if read == 0 || !request[..read].ends_with(b"\r\n\r\n") {
                    return;
                }
                let number = turn.fetch_add(1, Ordering::Relaxed) as usize;
                let answer = answers[number % answers.len()];
                if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

async fn until_begun(shared: &Rc<Shared>, requests: u64) {
    let one = async {
        match shared.load.protocol {
            Protocol::Http1 => http1(shared, 0, Duration::ZERO).await,
            Protocol::Http2 => http2(shared, 0, Duration::ZERO).await,
        }
    };
    let enough = async {
        while shared.tally.begun.get() < requests {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let both = async {
        tokio::select! {
            () = one => {}
            () = enough => {}
        }
    };
    tokio::time::timeout(Duration::from_secs(20), LocalSet::new().run_until(both))
        .await
        .unwrap();
}

#[tokio::test]
async fn each_answer_is_counted_where_it_belongs() {
    let server = answering(&[
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nthe whole body",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 13\r\n\r\nReference abc",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nthe wrong body",
        "",
    ])
    .await;
    let shared = shared(&server, Protocol::Http1, 0);
    until_begun(&shared, 11).await;
    let tally = &shared.tally;
    // Two whole turns; the eleventh request may or may not have been answered.
    assert!((2..=3).contains(&tally.done.get()));
    assert_eq!(tally.app.get(), 2);
    assert_eq!(tally.wrong.get(), 4);
    assert_eq!(tally.broken.get(), 2);
    assert_eq!(tally.aborted.get(), 0);
}

#[tokio::test]
async fn one_in_so_many_is_given_up_and_no_failure() {
    let server = answering(&["HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nthe whole body"]).await;
    let shared = shared(&server, Protocol::Http1, 10);
    until_begun(&shared, 101).await;
    let tally = &shared.tally;
    assert!(tally.aborted.get() >= 10, "{}", tally.line());
    assert!(tally.done.get() >= 90, "{}", tally.line());
    assert_eq!(tally.broken.get() + tally.wrong.get() + tally.app.get(), 0);
}

#[tokio::test]
async fn over_http2_too() {
    let server = Server::new(Protocol::Http2, |stream| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            if let Ok(mut body) = respond.send_response(http::Response::new(()), false) {
                drop(body.send_data(BODY.into(), true));
            }
        }
    })
    .await;
    let shared = shared(&server, Protocol::Http2, 10);
    until_begun(&shared, 501).await;
    let tally = &shared.tally;
    assert!(tally.aborted.get() >= 45, "{}", tally.line());
    assert!(tally.done.get() >= 400, "{}", tally.line());
    assert_eq!(tally.broken.get() + tally.wrong.get() + tally.app.get(), 0);
}

#[tokio::test]
async fn a_connection_that_the_server_ends_in_order_is_no_failure() {
    // Three requests each, then GOAWAY with NO_ERROR.
    let server = Server::new(Protocol::Http2, |stream| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut left = 3;
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            if let Ok(mut body) = respond.send_response(http::Response::new(()), false) {
                drop(body.send_data(BODY.into(), true));
            }
            left -= 1;
            if left == 0 {
                connection.graceful_shutdown();
            }
        }
    })
    .await;
    let shared = shared(&server, Protocol::Http2, 0);
    until_begun(&shared, 60).await;
    let tally = &shared.tally;
    assert!(tally.farewells.get() >= 3, "{}", tally.line());
    assert_eq!(
        tally.broken.get() + tally.wrong.get(),
        0,
        "{}",
        tally.line()
    );
}
