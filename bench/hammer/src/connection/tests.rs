use std::net::Ipv4Addr;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::tls::{self, Groups};

const BODY: &[u8] = b"the whole body";

#[test]
fn a_length_is_found_in_any_case() {
    let head = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:  1024";
    assert_eq!(content_length(head).unwrap(), 1024);
}

#[test]
fn what_is_no_plain_200_is_refused() {
    for (head, says) in [
        (
            &b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1024"[..],
            "502",
        ),
        (b"HTTP/1.1 2000\r\nContent-Length: 1024", "2000"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
            "no Content-Length",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: many",
            "no Content-Length",
        ),
        (b"HTTP/1.1 200 OK\r\nX: \xff", "malformed"),
    ] {
        let error = content_length(head).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// A TLS server that gives each connection the same answer and closes.
async fn server(answer: &'static [u8]) -> (Target, Vec<u8>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(tcp).await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert_eq!(&request[..read], b"GET / HTTP/1.1\r\n\r\n");
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let target = Target {
        addr,
        server_name: ServerName::try_from("localhost").unwrap(),
        request: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        body: BODY.to_vec(),
    };
    (target, cert.pem().into_bytes())
}

#[tokio::test]
async fn resumption_is_told_from_a_full_handshake() {
    let (target, ca) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nthe whole body").await;
    for (groups, group) in [
        (Groups::X25519, "X25519"),
        (Groups::Hybrid, "X25519MLKEM768"),
    ] {
        let fresh = tls::config(&ca, groups, false).unwrap();
        let keeping = tls::config(&ca, groups, true).unwrap();
        let mut resumed = Vec::new();
        for config in [&fresh, &fresh, &keeping, &keeping, &keeping] {
            let open = exchange(config, &target).await.unwrap();
            assert_eq!(open.agreed.group, group);
            assert_eq!(open.agreed.suite, "TLS13_AES_128_GCM_SHA256");
            resumed.push(open.agreed.resumed);
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
            "0 bytes that are not the 14",
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
        let (target, ca) = server(answer).await;
        let config = tls::config(&ca, Groups::X25519, false).unwrap();
        let Err(error) = exchange(&config, &target).await else {
            panic!("{answer:?} passed for an answer")
        };
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure() {
    let (mut target, ca) = server(b"").await;
    let config = tls::config(&ca, Groups::X25519, false).unwrap();
    let (other, _) = server(b"").await;
    // Another server's certificate is not the one trusted.
    target.addr = other.addr;
    assert!(matches!(
        exchange(&config, &target).await,
        Err(Failure::Handshake(_))
    ));
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    target.addr = nobody.local_addr().unwrap();
    drop(nobody);
    assert!(matches!(
        exchange(&config, &target).await,
        Err(Failure::Connect(_))
    ));
}
