use tokio::net::TcpListener;

use super::*;
use crate::target::tests::at;
use crate::testing::Server;
use crate::tls::{self, Groups, Protocol};

const BODY: &[u8] = b"the whole body";

#[test]
fn a_length_is_found_in_any_case() {
    let head = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:  1024";
    assert_eq!(
        Head::parse(head).unwrap(),
        Head {
            status: 200,
            length: 1024,
            last: false
        }
    );
    let head = b"HTTP/1.1 503\r\ncontent-length:0\r\nConnection: close";
    assert_eq!(
        Head::parse(head).unwrap(),
        Head {
            status: 503,
            length: 0,
            last: true
        }
    );
}

#[test]
fn what_cannot_be_read_is_refused() {
    for (head, says) in [
        (
            &b"HTTP/1.1 2000\r\nContent-Length: 1024"[..],
            "head is malformed",
        ),
        (
            b"HTTP/1.0 200 OK\r\nContent-Length: 1024",
            "head is malformed",
        ),
        (
            b"HTTP/1.1 +20 OK\r\nContent-Length: 1024",
            "head is malformed",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
            "no Content-Length",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: many",
            "no Content-Length",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1048577",
            "1048577 bytes",
        ),
        (b"HTTP/1.1 200 OK\r\nX: \xff", "malformed"),
    ] {
        let error = Head::parse(head).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// A TLS server that gives each connection the same answer and closes.
async fn server(answer: &'static [u8]) -> Server {
    Server::new(Protocol::Http1, move |mut stream| async move {
        let mut request = [0; 1024];
        let read = stream.read(&mut request).await.unwrap();
        assert!(request[..read].starts_with(b"GET / HTTP/1.1\r\n"));
        assert!(request[..read].ends_with(b"\r\n\r\n"));
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    })
    .await
}

#[tokio::test]
async fn resumption_is_told_from_a_full_handshake() {
    let server = server(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nthe whole body").await;
    let target = at(server.addr, BODY);
    for (groups, group) in [
        (Groups::X25519, "X25519"),
        (Groups::Hybrid, "X25519MLKEM768"),
    ] {
        let fresh = tls::config(&server.ca, groups, Protocol::Http1, false).unwrap();
        let keeping = tls::config(&server.ca, groups, Protocol::Http1, true).unwrap();
        let mut resumed = Vec::new();
        for config in [&fresh, &fresh, &keeping, &keeping, &keeping] {
            let open = exchange(config, &target).await.unwrap();
            let agreed = open.agreed();
            assert_eq!(agreed.group, group);
            assert_eq!(agreed.suite, "TLS13_AES_128_GCM_SHA256");
            resumed.push(agreed.resumed);
            open.close().await;
        }
        assert_eq!(resumed, [false, false, false, true, true]);
    }
}

#[tokio::test]
async fn a_wrong_answer_is_a_failure() {
    for (answer, says) in [
        (
            &b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..],
            "0 bytes that are not the ones",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nthe wrong body",
            "14 bytes that are not",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nthe whole body!",
            "15 bytes",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nthe",
            "ended after",
        ),
        (
            b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n",
            "421",
        ),
        (b"HTTP/1.1 200 OK\r\n", "ended after"),
    ] {
        let server = server(answer).await;
        let target = at(server.addr, BODY);
        let Err(error) = exchange(&server.client(Protocol::Http1), &target).await else {
            panic!("{answer:?} passed for an answer")
        };
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure() {
    let (one, other) = (server(b"").await, server(b"").await);
    let config = one.client(Protocol::Http1);
    // Another server's certificate is not the one trusted.
    assert!(matches!(
        exchange(&config, &at(other.addr, BODY)).await,
        Err(Failure::Handshake(_))
    ));
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = at(nobody.local_addr().unwrap(), BODY);
    drop(nobody);
    assert!(matches!(
        exchange(&config, &target).await,
        Err(Failure::Connect(_))
    ));
}
