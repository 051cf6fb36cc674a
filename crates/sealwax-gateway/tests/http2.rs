//! HTTP/2 towards the client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod kit;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, combinators::BoxBody};
use hyper::body::Frame;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use kit::{App, OK, PATIENCE, Running, client_config, site, start};

type Body = BoxBody<Bytes, Infallible>;

/// Runs a test on a runtime of its own, for no longer than tests may take.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())
        .unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.unwrap() });
}

#[derive(Clone, Copy)]
struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}

async fn connect(running: &Running) -> SendRequest<Body> {
    let config = client_config(running.home.path(), &[b"h2"]);
    let tcp = tokio::net::TcpStream::connect(running.https).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = http2::Builder::new(Local)
        .timer(TokioTimer::new())
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::task::spawn_local(connection);
    sender
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("https://localhost{path}"))
}

fn empty() -> Body {
    Empty::new().boxed()
}

#[test]
fn requests_and_responses() {
    let app = App::new(|conn| {
        while let Some(head) = conn.head() {
            if head.starts_with("POST") {
                let (body, _) = conn.chunked();
                conn.send(format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                ));
                conn.send(body);
            } else if !conn.send(OK) {
                return;
            }
        }
    });
    let running = start(&site(&app.url()));
    run(async {
        let mut client = connect(&running).await;
        let response = client
            .send_request(
                request(Method::GET, "/a?b=c")
                    .header("cookie", "x=1")
                    .header("cookie", "y=2")
                    .body(empty())
                    .unwrap(),
            )
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            "ok"
        );
        let head = app.heads().remove(0).to_lowercase();
        assert!(
            head.starts_with("get /a?b=c http/1.1\r\n") && head.contains("\r\nhost: localhost\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\ncookie: x=1; y=2\r\n"), "{head}");
        let body = Pieces((0..3).map(|n| Bytes::from(format!("piece {n};"))).collect()).boxed();
        let response = client
            .send_request(request(Method::POST, "/").body(body).unwrap())
            .await
            .unwrap();
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            "piece 0;piece 1;piece 2;"
        );
        let response = client
            .send_request(request(Method::HEAD, "/").body(empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.headers()["content-length"], "2");
        let elsewhere = Request::get("https://other.example/")
            .body(empty())
            .unwrap();
        assert_eq!(client.send_request(elsewhere).await.unwrap().status(), 421);
    });
}

/// A body of known pieces and unknown length.
struct Pieces(VecDeque<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

#[test]
fn many_streams_at_once() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    run(async {
        let client = connect(&running).await;
        let answered = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..300)
            .map(|_| {
                let (mut client, answered) = (client.clone(), Arc::clone(&answered));
                tokio::task::spawn_local(async move {
                    client.ready().await.unwrap();
                    let response = client
                        .send_request(request(Method::GET, "/").body(empty()).unwrap())
                        .await
                        .unwrap();
                    assert_eq!(
                        response.into_body().collect().await.unwrap().to_bytes(),
                        "ok"
                    );
                    answered.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(answered.load(Ordering::SeqCst), 300);
    });
}

#[test]
fn a_response_that_breaks_off_resets_its_stream_and_no_other() {
    let app = App::new(|conn| {
        while let Some(head) = conn.head() {
            if head.contains("/broken") {
                conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
                std::thread::sleep(std::time::Duration::from_millis(50));
                return;
            }
            conn.send(OK);
        }
    });
    let running = start(&site(&app.url()));
    run(async {
        let mut client = connect(&running).await;
        for _ in 0..3 {
            let broken = client
                .send_request(request(Method::GET, "/broken").body(empty()).unwrap())
                .await
                .unwrap();
            assert!(broken.into_body().collect().await.is_err());
            let whole = client
                .send_request(request(Method::GET, "/").body(empty()).unwrap())
                .await
                .unwrap();
            assert_eq!(whole.into_body().collect().await.unwrap().to_bytes(), "ok");
        }
    });
}

#[test]
fn the_limit_of_fields_holds_here_too() {
    let app = App::answering(OK);
    let running = start(&format!(
        "[limits]\nrequest_headers = 20\n{}",
        site(&app.url())
    ));
    run(async {
        let mut client = connect(&running).await;
        let mut status = async |name: &str, count: usize| {
            let mut request = request(Method::GET, "/");
            for number in 0..count {
                request = request.header(name.replace('*', &number.to_string()), "a=1");
            }
            let request = request.body(empty()).unwrap();
            client.send_request(request).await.unwrap().status()
        };
        assert_eq!(status("x-*", 20).await, 200);
        assert_eq!(status("x-*", 21).await, 431);
        assert_eq!(status("cookie", 40).await, 200);
    });
    assert_eq!(app.heads().len(), 2);
}

#[test]
fn trailers_reach_the_client() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\n\r\n",
    );
    let running = start(&site(&app.url()));
    run(async {
        let mut client = connect(&running).await;
        let response = client
            .send_request(request(Method::GET, "/").body(empty()).unwrap())
            .await
            .unwrap();
        let collected = response.into_body().collect().await.unwrap();
        let mut expected = HeaderMap::new();
        expected.insert("x-sum", "7".parse().unwrap());
        assert_eq!(collected.trailers(), Some(&expected));
    });
}

#[test]
fn a_drain_lets_streams_finish() {
    let app = App::new(|conn| {
        conn.head();
        std::thread::sleep(std::time::Duration::from_millis(500));
        conn.send(OK);
    });
    let running = start(&site(&app.url()));
    run(async {
        let mut client = connect(&running).await;
        let response = client.send_request(request(Method::GET, "/").body(empty()).unwrap());
        let response = tokio::task::spawn_local(response);
        while app.connections() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let gateway = running.gateway;
        let draining = std::thread::spawn(move || gateway.drain());
        let response = response.await.unwrap().unwrap();
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            "ok"
        );
        while !draining.is_finished() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(draining.join().unwrap().cut, 0);
    });
}

#[test]
fn a_flood_of_resets_ends_the_connection() {
    let app = App::new(|conn| {
        conn.head();
        std::thread::sleep(PATIENCE);
    });
    let running = start(&site(&app.url()));
    run(async {
        let client = connect(&running).await;
        // Requests that are given up at once, CVE-2023-44487.
        for _ in 0..5000 {
            let mut sender = client.clone();
            if sender.ready().await.is_err() {
                return;
            }
            let pending = sender.send_request(request(Method::GET, "/").body(empty()).unwrap());
            drop(tokio::time::timeout(std::time::Duration::from_micros(1), pending).await);
        }
        panic!("5000 requests were given up and the connection still stands");
    });
}

#[test]
fn a_large_body_both_ways() {
    let app = App::new(|conn| {
        while conn.head().is_some() {
            let (body, _) = conn.chunked();
            conn.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                body.len()
            ));
            conn.send(body);
        }
    });
    let running = start(&site(&app.url()));
    run(async {
        let mut client = connect(&running).await;
        let body: Vec<u8> = (0..5_000_000_u32)
            .map(|n| n.to_le_bytes()[n as usize % 3])
            .collect();
        let sent = Pieces(body.chunks(40_000).map(Bytes::copy_from_slice).collect());
        let response = client
            .send_request(request(Method::POST, "/").body(sent.boxed()).unwrap())
            .await
            .unwrap();
        assert!(response.into_body().collect().await.unwrap().to_bytes() == body);
    });
}
