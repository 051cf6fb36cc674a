//! Bodies without end: events at once, gigabytes in constant memory, nobody outrun.

use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use sealwax_tests::{
    Client, Django, Gateway, Step, Upstream, Version, connect_tls, hex, peak_memory,
    resident_memory, run, wait_until,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const MIB: u64 = 1 << 20;
/// What the gateway may grow by, whatever goes through it.
const SLACK: u64 = 32 * MIB;

#[test]
fn server_sent_events_arrive_at_once() {
    run(60, async {
        let app = Django::new(Version::Lts).start().await;
        let gateway = Gateway::to(&app.url()).start().await;
        for http2 in [false, true] {
            let request = gateway
                .request("localhost", "/events/")
                .header("Accept", "text/event-stream");
            let request = if http2 { request.http2() } else { request };
            let mut body = request.open().await.unwrap().into_body();
            let mut late = Vec::new();
            let mut text = String::new();
            while let Some(frame) = body.frame().await {
                let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
                text.push_str(&String::from_utf8_lossy(
                    &frame.unwrap().into_data().unwrap_or_default(),
                ));
                while let Some((event, rest)) = text.split_once("\n\n") {
                    let made: f64 = event.split_once("data: ").unwrap().1.parse().unwrap();
                    late.push(now - made);
                    text = rest.to_owned();
                }
            }
            assert_eq!(late.len(), 5);
            // They are made 0.3 s apart: one that was held back would be that late.
            assert!(
                late.iter().all(|&late| late < 0.15),
                "HTTP/2 {http2}: {late:?} s"
            );
        }
    });
}

/// A body of `size` bytes that repeats no block, and the digest of what was taken from it.
fn endless(
    size: u64,
) -> (
    BoxBody<Bytes, std::io::Error>,
    std::sync::Arc<std::sync::Mutex<Context>>,
) {
    let digest = std::sync::Arc::new(std::sync::Mutex::new(Context::new(&SHA256)));
    let written = std::sync::Arc::clone(&digest);
    let pieces = stream::unfold((0_u64, size), move |(number, left)| {
        let written = std::sync::Arc::clone(&written);
        async move {
            let length = usize::try_from(left.min(256 << 10)).unwrap();
            if length == 0 {
                return None;
            }
            let mut piece = vec![u8::try_from(number % 251).unwrap(); length];
            let stamp = number.to_be_bytes();
            let stamped = stamp.len().min(length);
            piece[..stamped].copy_from_slice(&stamp[..stamped]);
            written.lock().unwrap().update(&piece);
            Some((
                Ok(Frame::data(Bytes::from(piece))),
                (number + 1, left - length as u64),
            ))
        }
    });
    (
        BodyExt::boxed(StreamBody::new(SyncStream(Box::pin(pieces)))),
        digest,
    )
}

/// `BoxBody` wants Sync; the stream is only ever polled by one task.
struct SyncStream<S>(std::pin::Pin<Box<S>>);

impl<S: futures_util::Stream> futures_util::Stream for SyncStream<S> {
    type Item = S::Item;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

async fn up_and_down(size: u64, http2: bool) {
    let app = Django::new(Version::Lts).start().await;
    let gateway = Gateway::to(&app.url()).start().await;
    assert_eq!(gateway.get("localhost", "/echo/").await.status, 200);
    let before = resident_memory(gateway.process.id());
    let choose = |request: Client| if http2 { request.http2() } else { request };

    let began = Instant::now();
    let (body, sent) = endless(size);
    let upload = choose(gateway.request("localhost", "/upload/").method("POST"))
        .header("Content-Length", size.to_string())
        .header("Content-Type", "application/octet-stream")
        .streaming(body);
    let answer = upload
        .open()
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let sent = sent.lock().unwrap().clone().finish();
    assert_eq!(answer["size"], size);
    assert_eq!(answer["sha256"], hex(sent.as_ref()));
    println!("up   {size} bytes in {:?}", began.elapsed());

    let began = Instant::now();
    let response = choose(gateway.request("localhost", &format!("/download/{size}/")))
        .open()
        .await
        .unwrap();
    let wanted = response.headers()["x-sha256"].to_str().unwrap().to_owned();
    let (mut digest, mut received) = (Context::new(&SHA256), 0);
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap_or_default();
        received += data.len() as u64;
        digest.update(&data);
    }
    assert_eq!(received, size);
    assert_eq!(hex(digest.finish().as_ref()), wanted);
    println!("down {size} bytes in {:?}", began.elapsed());

    let peak = peak_memory(gateway.process.id());
    println!(
        "memory: {} KiB before, {} KiB at most",
        before >> 10,
        peak >> 10
    );
    assert!(
        peak < before + SLACK,
        "the gateway grew from {before} to {peak} bytes"
    );
}

#[test]
fn a_gibibyte_up_and_down_over_http1_in_constant_memory() {
    run(240, up_and_down(1 << 30, false));
}

#[test]
fn a_gibibyte_up_and_down_over_http2_in_constant_memory() {
    run(240, up_and_down(1 << 30, true));
}

#[test]
fn ten_gibibytes_up_and_down_in_constant_memory() {
    if std::env::var_os("SEALWAX_LONG").is_none() {
        println!("not run: 10 GiB are for ./test --long");
        return;
    }
    run(330, up_and_down(10 << 30, false));
}

#[test]
fn a_client_that_does_not_read_costs_no_memory() {
    run(90, async {
        let app = Django::new(Version::Lts).start().await;
        let gateway = Gateway::to(&app.url()).start().await;
        gateway.get("localhost", "/echo/").await;
        let before = resident_memory(gateway.process.id());
        let mut stuck = Vec::new();
        for http2 in [false, true] {
            let request = gateway.request("localhost", "/download/268435456/");
            let request = if http2 { request.http2() } else { request };
            stuck.push(request.open().await.unwrap());
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let peak = peak_memory(gateway.process.id());
        assert!(
            peak < before + SLACK,
            "the gateway grew from {before} to {peak} bytes"
        );
        drop(stuck);
        // And it is free for others.
        assert_eq!(gateway.get("localhost", "/echo/").await.status, 200);
    });
}

#[test]
fn an_app_that_does_not_read_costs_no_memory() {
    run(90, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gateway = Gateway::to(&url).start().await;
        let accepted = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(stream);
        });
        let before = resident_memory(gateway.process.id());
        let mut client = connect_tls(gateway.https, &gateway.tls(), "localhost", &[b"http/1.1"])
            .await
            .unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 1073741824\r\n\r\n",
            gateway.authority("localhost")
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let piece = vec![0; 1 << 20];
        let mut taken = 0_u64;
        // What fits into sockets and buffers goes through; then the gateway must stop taking.
        while taken < 256 * MIB {
            match tokio::time::timeout(Duration::from_secs(2), client.write_all(&piece)).await {
                Ok(written) => written.unwrap(),
                Err(_) => break,
            }
            taken += MIB;
        }
        assert!(
            taken < 64 * MIB,
            "the gateway took {taken} bytes for an app that reads none"
        );
        let peak = peak_memory(gateway.process.id());
        assert!(
            peak < before + SLACK,
            "the gateway grew from {before} to {peak} bytes"
        );
        accepted.abort();
    });
}

#[test]
fn expect_100_continue_waits_for_the_app() {
    run(60, async {
        // The app that wants the body, and the one that refuses before it came.
        let app = Upstream::with(|request| {
            Step::response(200, &[], format!("got {}", request.body.len()))
        })
        .await;
        let gateway = Gateway::to(&app.url()).start().await;
        let mut client = connect_tls(gateway.https, &gateway.tls(), "localhost", &[b"http/1.1"])
            .await
            .unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            gateway.authority("localhost")
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        let mut piece = [0; 4096];
        while !text.contains("\r\n\r\n") {
            let length = client.read(&mut piece).await.unwrap();
            assert!(length > 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
        assert!(text.starts_with("HTTP/1.1 100"), "{text}");
        client.write_all(b"hello").await.unwrap();
        text.clear();
        while !text.contains("got 5") {
            let length = client.read(&mut piece).await.unwrap();
            assert!(length > 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    });
}

#[test]
fn an_early_refusal_of_an_upload_reaches_the_client() {
    run(60, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::to(&format!("http://{}", listener.local_addr().unwrap()))
            .start()
            .await;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut piece = [0; 65536];
            let _ = stream.read(&mut piece).await.unwrap();
            stream
                .write_all(
                    b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig",
                )
                .await
                .unwrap();
            // Linger as servers do, so that the answer is not lost to a reset.
            let _ = tokio::time::timeout(Duration::from_secs(5), async {
                while stream.read(&mut piece).await.is_ok_and(|length| length > 0) {}
            })
            .await;
        });
        let (body, _) = endless(8 * MIB);
        let answer = gateway
            .request("localhost", "/")
            .method("POST")
            .http2()
            .streaming(body)
            .try_send()
            .await
            .unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (413, "big"));
        server.abort();
    });
}

#[test]
fn a_client_that_goes_away_releases_the_app() {
    run(60, async {
        let app = Upstream::with(|_| {
            let mut steps = vec![Step::Send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            )];
            for _ in 0..300 {
                steps.push(Step::Send(b"5\r\nhello\r\n".to_vec()));
                steps.push(Step::Wait(Duration::from_millis(20)));
            }
            steps
        })
        .await;
        let gateway = Gateway::to(&app.url()).start().await;
        let response = gateway.request("localhost", "/").open().await.unwrap();
        let established = || {
            let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
            let port = format!(":{:04X} ", app.port());
            // State 01 is ESTABLISHED; the app's side has the port as local address.
            table
                .lines()
                .filter(|line| {
                    line.split_whitespace()
                        .nth(1)
                        .is_some_and(|local| format!("{local} ").ends_with(&port))
                        && line.split_whitespace().nth(3) == Some("01")
                })
                .count()
        };
        wait_until("the connection to the app", 5, || {
            (established() == 1).then_some(())
        })
        .await;
        drop(response);
        wait_until("the end of the connection to the app", 5, || {
            (established() == 0).then_some(())
        })
        .await;
    });
}
