//! The same limits over HTTP/2: requests that take too long, and connections
//! that are turned away.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod kit;

use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Full, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use kit::{App, OK, PATIENCE, Running, client_config, site, start};

type Body = BoxBody<Bytes, std::convert::Infallible>;

#[derive(Clone, Copy)]
struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())
        .unwrap();
    let test = async { tokio::time::timeout(PATIENCE, test).await };
    runtime.block_on(test).unwrap();
}

/// The handle, and a task that ends with the connection.
async fn connect(
    running: &Running,
    window: u32,
) -> (SendRequest<Body>, tokio::task::JoinHandle<()>) {
    let tcp = tokio::net::TcpStream::connect(running.https).await.unwrap();
    let config = client_config(running.home.path(), &[b"h2"]);
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .unwrap();
    let (sender, connection) = http2::Builder::new(Local)
        .timer(TokioTimer::new())
        .initial_stream_window_size(window)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let driver = tokio::task::spawn_local(async {
        let _ = connection.await;
    });
    (sender, driver)
}

const WINDOW: u32 = 65_535;

fn get(path: &str) -> Request<Body> {
    let request = Request::get(format!("https://localhost{path}"));
    request.body(Empty::new().boxed()).unwrap()
}

async fn body(response: Incoming) -> Result<Bytes, hyper::Error> {
    response
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
}

/// A body that goes on, a little at a time.
struct Drip(tokio::time::Interval);

impl hyper::body::Body for Drip {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let tick = self.0.poll_tick(cx);
        tick.map(|_| Some(Ok(Frame::data(Bytes::from_static(&[b'a'; 100])))))
    }
}

fn app() -> App {
    App::new(|conn| {
        while let Some(head) = conn.head() {
            if head.contains("/silent") {
                thread::sleep(PATIENCE);
            } else if head.contains("/drip") {
                conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                while conn.send("5\r\nhello\r\n") {
                    thread::sleep(Duration::from_millis(10));
                }
            } else if head.contains("/long") {
                conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
                conn.send(vec![b'a'; 1_000_000]);
            } else if head.starts_with("POST") {
                while !conn.read_some().is_empty() {}
            } else {
                conn.send(OK);
            }
        }
    })
}

#[test]
fn a_request_has_so_much_time_and_its_neighbours_theirs() {
    let app = app();
    let running = start(&format!(
        "[timeouts]\ntotal = \"600ms\"\n{}",
        site(&app.url())
    ));
    run(async {
        let (mut client, _driver) = connect(&running, WINDOW).await;
        let began = Instant::now();
        let silent = tokio::task::spawn_local(client.send_request(get("/silent")));
        let drip = tokio::task::spawn_local(client.send_request(get("/drip")));
        let upload = Drip(tokio::time::interval(Duration::from_millis(10))).boxed();
        let upload = Request::post("https://localhost/up").body(upload).unwrap();
        let upload = tokio::task::spawn_local(client.send_request(upload));
        let drip = drip.await.unwrap().unwrap();
        assert_eq!(drip.status(), 200);
        assert!(body(drip.into_body()).await.is_err(), "not whole");
        let silent = silent.await.unwrap().unwrap();
        assert!(began.elapsed() >= Duration::from_millis(600));
        assert_eq!(silent.status(), StatusCode::GATEWAY_TIMEOUT);
        let page = body(silent.into_body()).await.unwrap();
        assert!(String::from_utf8_lossy(&page).contains("timeouts.total"));
        assert_eq!(
            upload.await.unwrap().unwrap().status(),
            StatusCode::REQUEST_TIMEOUT
        );
        let whole = client.send_request(get("/")).await.unwrap();
        assert_eq!(body(whole.into_body()).await.unwrap(), "ok");
    });
}

#[test]
fn a_client_that_opens_no_window_keeps_no_place() {
    let app = app();
    let running = start(&format!(
        "[timeouts]\ntotal = \"500ms\"\nkeep_alive = \"300ms\"\n{}",
        site(&app.url())
    ));
    // The app's response, and a page of the gateway's own, that find no window.
    for path in ["/long", "/.sealwax/none"] {
        run(async {
            let (mut client, driver) = connect(&running, 1).await;
            let response = client.send_request(get(path)).await.unwrap();
            // Held and not read.
            let (_head, _body) = response.into_parts();
            driver.await.unwrap();
        });
    }
}

#[test]
fn who_holds_too_many_is_told_so() {
    let app = App::answering(OK);
    let running = start(&format!(
        "[limits]\nclient_connections = 1\n{}",
        site(&app.url())
    ));
    run(async {
        let (mut first, _driver) = connect(&running, WINDOW).await;
        assert_eq!(first.send_request(get("/")).await.unwrap().status(), 200);
        let (mut second, driver) = connect(&running, WINDOW).await;
        let request = Request::post("https://localhost/");
        let request = request
            .body(Full::new(Bytes::from("hello")).boxed())
            .unwrap();
        let response = second.send_request(request).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "5");
        let page = body(response.into_body()).await.unwrap();
        assert!(String::from_utf8_lossy(&page).contains("busy at the moment"));
        // And the connection does not stay.
        driver.await.unwrap();
        assert_eq!(first.send_request(get("/")).await.unwrap().status(), 200);
    });
    assert_eq!(app.heads().len(), 2);
}
