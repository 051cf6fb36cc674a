//! The handshake and what pretends to be one.

use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::ClientConnection;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use sealwax_tests::{Gateway, Recorder, connect_tls, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::case::bytes;
use crate::pending;
use crate::stage::{exchange, printable};

const GET: &str = "GET / HTTP/1.1⏎Host: localhost⏎Connection: close⏎⏎";

async fn stage() -> (Recorder, Gateway) {
    let app = Recorder::echo().await;
    let gateway = Gateway::to(&app.url())
        .top("workers = 1\n[timeouts]\nhandshake = \"1s\"\nrequest_head = \"1s\"\nkeep_alive = \"1s\"")
        .start()
        .await;
    (app, gateway)
}

/// What is no TLS on the port for TLS, and what is no HTTP on the port for HTTP: neither
/// reaches the app nor holds a connection.
#[test]
fn noise_on_both_ports() {
    run(60, async {
        let (app, gateway) = stage().await;
        let record = "\u{16}\u{3}\u{1}\0\u{4}abcd";
        let noise = [
            ("plain HTTP", "GET / HTTP/1.1⏎Host: localhost⏎⏎".to_owned()),
            ("a POST in plain HTTP", "POST / HTTP/1.1⏎Host: localhost⏎Content-Length: 5⏎⏎hello".to_owned()),
            ("plain HTTP for another host", "GET / HTTP/1.1⏎Host: evil.test⏎⏎".to_owned()),
            ("plain HTTP that smuggles", "POST / HTTP/1.1⏎Host: localhost⏎Content-Length: 5⏎Transfer-Encoding: chunked⏎⏎0⏎⏎".to_owned()),
            ("the preface of HTTP/2", "PRI * HTTP/2.0⏎⏎SM⏎⏎\0\0\0\u{4}\0\0\0\0\0".to_owned()),
            ("CONNECT", "CONNECT localhost:22 HTTP/1.1⏎Host: localhost:22⏎⏎".to_owned()),
            ("STARTTLS of SMTP", "EHLO a⏎STARTTLS⏎".to_owned()),
            ("STARTTLS of IMAP", "a1 STARTTLS⏎".to_owned()),
            ("STARTTLS of FTP", "AUTH TLS⏎".to_owned()),
            ("STARTTLS of PostgreSQL", "\0\0\0\u{8}\u{4}\u{d2}\u{16}\u{2f}".to_owned()),
            ("SSH", "SSH-2.0-OpenSSH_9.2⏎".to_owned()),
            ("the PROXY protocol", format!("PROXY TCP4 6.6.6.6 127.0.0.1 1 443⏎{GET}")),
            ("the PROXY protocol 2", "\r\n\r\n\0\r\nQUIT\n\u{21}\u{11}\0\u{c}\u{6}\u{6}\u{6}\u{6}\u{7f}\0\0\u{1}\0\u{1}\u{1}\u{bb}".to_owned()),
            ("NULs", "\0".repeat(1000)),
            ("line ends", "⏎".repeat(1000)),
            ("bytes above ASCII", "\u{ff}".repeat(1000)),
            ("one byte", "x".to_owned()),
            ("the first byte of a handshake", "\u{16}".to_owned()),
            ("a handshake that is none", format!("{record}{record}")),
            ("a handshake of no length", "\u{16}\u{3}\u{1}\0\0".repeat(50)),
            ("a handshake of 64 KiB", format!("\u{16}\u{3}\u{1}\u{ff}\u{ff}{}", "a".repeat(65_535))),
            ("an alert", "\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{28}".to_owned()),
            ("data before a handshake", "\u{17}\u{3}\u{3}\0\u{5}hello".to_owned()),
            ("a ClientHello of SSL 2", "\u{80}\u{2e}\u{1}\u{3}\u{1}\0\u{15}\0\0\0\u{10}\u{1}\0\u{80}".to_owned()),
            ("a ClientHello that announces 16 MiB", "\u{16}\u{3}\u{1}\0\u{8}\u{1}\u{ff}\u{ff}\u{ff}\u{3}\u{3}ab".to_owned()),
        ];
        let mut played = Vec::new();
        for (port, address) in [("https", gateway.https), ("http", gateway.http)] {
            for (name, input) in &noise {
                let input = bytes(input);
                played.push(async move {
                    let stream = TcpStream::connect(address).await.unwrap();
                    let heard = exchange(stream, &input, false).await;
                    let text = String::from_utf8_lossy(&heard.bytes).into_owned();
                    let verdict = if !heard.closed && !text.starts_with("HTTP/1.1 3") {
                        Err("the connection stays open".to_owned())
                    } else if text.starts_with("HTTP/1.1 2") {
                        Err(format!("answered {}", printable(&heard.bytes)))
                    } else {
                        Ok(())
                    };
                    (format!("{name} on {port}"), verdict)
                });
            }
        }
        let outcomes = futures_util::future::join_all(played).await;
        // Whoever was heard first has not been hurt.
        assert_eq!(gateway.get("localhost", "/good").await.status, 200);
        drop(gateway.stop().await);
        let record = app.finish().await;
        assert_eq!(record.requests.len(), 1, "{record:?}");
        pending::compare(
            "noise",
            outcomes
                .iter()
                .map(|(name, outcome)| (name.as_str(), outcome.clone())),
        );
    });
}

fn config(gateway: &Gateway, alpn: Vec<Vec<u8>>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(gateway.root()).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn;
    config
}

/// A handshake driven by hand, so that its records can be cut as one likes.
struct Hand {
    tcp: TcpStream,
    tls: ClientConnection,
}

impl Hand {
    /// Sends the ClientHello in records of `size` bytes and finishes the handshake.
    async fn shake(address: SocketAddr, config: ClientConfig, size: usize) -> Result<Self, String> {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let mut hand = Self { tcp, tls };
        let mut hello = Vec::new();
        while hand.tls.wants_write() {
            hand.tls.write_tls(&mut hello).unwrap();
        }
        for record in cut(&hello, size) {
            hand.tcp
                .write_all(&record)
                .await
                .map_err(|error| error.to_string())?;
        }
        while hand.tls.is_handshaking() {
            hand.receive().await?;
            hand.send().await?;
        }
        Ok(hand)
    }

    async fn send(&mut self) -> Result<(), String> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes).unwrap();
        }
        self.tcp
            .write_all(&bytes)
            .await
            .map_err(|error| error.to_string())
    }

    async fn receive(&mut self) -> Result<bool, String> {
        let mut piece = vec![0; 16 << 10];
        let limit = Duration::from_secs(5);
        let read = tokio::time::timeout(limit, self.tcp.read(&mut piece)).await;
        let length = read
            .map_err(|_| "silence")?
            .map_err(|error| error.to_string())?;
        let mut bytes = &piece[..length];
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes).unwrap();
            self.tls
                .process_new_packets()
                .map_err(|error| error.to_string())?;
        }
        if length == 0 && self.tls.is_handshaking() {
            return Err("closed in the handshake".to_owned());
        }
        Ok(length > 0)
    }

    /// Sends a request and reads to the end: the answer, and whether a close_notify ended it
    /// (RFC 8446 §6.1).
    async fn ask(mut self, input: &str) -> Result<(String, bool), String> {
        use std::io::Write as _;
        self.tls.writer().write_all(&bytes(input)).unwrap();
        self.send().await?;
        let mut answer = Vec::new();
        loop {
            let more = self.receive().await?;
            let mut piece = vec![0; 16 << 10];
            loop {
                match self.tls.reader().read(&mut piece) {
                    Ok(0) => return Ok((String::from_utf8_lossy(&answer).into_owned(), true)),
                    Ok(length) => answer.extend_from_slice(&piece[..length]),
                    Err(_) => break,
                }
            }
            if !more {
                return Ok((String::from_utf8_lossy(&answer).into_owned(), false));
            }
        }
    }
}

/// The same handshake bytes in records of at most `size` bytes (RFC 8446 §5.1).
fn cut(records: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut handshake = Vec::new();
    let mut rest = records;
    while let [22, major, minor, high, low, more @ ..] = rest {
        let (body, next) = more.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        handshake.extend_from_slice(body);
        assert_eq!((*major, minor / 4), (3, 0));
        rest = next;
    }
    let record = |body: &[u8]| {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[22, 3, 1][..], &length, body].concat()
    };
    handshake.chunks(size).map(record).collect()
}

/// RFC 8446 §5.1: Handshake messages MAY be … fragmented across several records.
#[test]
fn a_client_hello_in_pieces_is_one() {
    run(30, async {
        let (_app, gateway) = stage().await;
        for size in [16_384, 1000, 40, 7, 1] {
            let config = config(&gateway, vec![b"http/1.1".to_vec()]);
            let hand = Hand::shake(gateway.https, config, size)
                .await
                .unwrap_or_else(|error| panic!("in records of {size} bytes: {error}"));
            let (answer, closed) = hand.ask(GET).await.unwrap();
            assert!(
                answer.starts_with("HTTP/1.1 200 ") && closed,
                "{size}: {answer}"
            );
        }
    });
}

/// A ClientHello of 64 KiB is read or refused, but never waited for.
#[test]
fn a_client_hello_of_64_kib_ends() {
    run(30, async {
        let (app, gateway) = stage().await;
        let mut alpn: Vec<Vec<u8>> = (0..=248_u8).map(|n| vec![n | 1; 255]).collect();
        alpn.push(b"http/1.1".to_vec());
        if let Ok(hand) = Hand::shake(gateway.https, config(&gateway, alpn), 16_384).await {
            let (answer, _) = hand.ask(GET).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
        assert_eq!(gateway.get("localhost", "/").await.status, 200);
        drop(app);
    });
}

/// A ClientHello by hand: TLS 1.2 and 1.3, with these bytes for the server name extension's
/// list (RFC 6066 §3).
fn hello(names: Option<&[u8]>, alpn: Option<&[u8]>) -> Vec<u8> {
    let sized = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[..], bytes].concat()
    };
    let extension = |kind: u16, body: &[u8]| [&kind.to_be_bytes()[..], &sized(body)].concat();
    let mut extensions = Vec::new();
    if let Some(names) = names {
        extensions.extend(extension(0, &sized(names)));
    }
    if let Some(alpn) = alpn {
        let name = [&[u8::try_from(alpn.len()).unwrap()], alpn].concat();
        extensions.extend(extension(16, &sized(&name)));
    }
    // P-256, ECDSA with SHA-256, TLS 1.2 by its own field.
    extensions.extend(extension(10, &sized(&[0, 23])));
    extensions.extend(extension(13, &sized(&[4, 3])));
    extensions.extend(extension(23, &[]));
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0],
        &sized(&[0xc0, 0x2b]),
        &[1, 0],
        &sized(&extensions),
    ]
    .concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[1][..], &length[1..], &body].concat();
    let record = |body: &[u8]| [&[22, 3, 1][..], &sized(body)].concat();
    message.chunks(16_384).flat_map(record).collect()
}

/// A server name that is none ends in an alert or in the first site's certificate: never in
/// silence, and never with anything at the app.
#[test]
fn odd_server_names() {
    run(30, async {
        let (app, gateway) = stage().await;
        let name = |name: &[u8]| {
            let length = u16::try_from(name.len()).unwrap().to_be_bytes();
            [&[0][..], &length, name].concat()
        };
        let label = |count: usize| vec![b'a'; count];
        let cases: Vec<(&str, Option<Vec<u8>>, bool)> = vec![
            ("ours", Some(name(b"localhost")), true),
            ("none", None, true),
            ("unknown", Some(name(b"unknown.test")), true),
            ("another alphabet", Some(name(b"xn--bcher-kva.test")), true),
            ("an address", Some(name(b"127.0.0.1")), true),
            ("an address of IPv6", Some(name(b"::1")), true),
            ("a point at the end", Some(name(b"localhost.")), true),
            ("300 letters", Some(name(&label(300))), false),
            ("64 letters", Some(name(&label(64))), false),
            ("60,000 letters", Some(name(&label(60_000))), false),
            ("empty", Some(name(b"")), false),
            ("an empty list", Some(Vec::new()), false),
            ("a NUL", Some(name(b"localhost\0.evil.test")), false),
            ("a space", Some(name(b"local host")), false),
            ("a slash", Some(name(b"localhost/../x")), false),
            ("UTF-8", Some(name("b\u{fc}cher.test".as_bytes())), false),
            ("a percent sign", Some(name(b"%6cocalhost")), false),
            ("an asterisk", Some(name(b"*.test")), false),
            (
                "two names",
                Some([name(b"localhost"), name(b"evil.test")].concat()),
                false,
            ),
            ("a length too long", Some(vec![0, 0, 50, b'a']), false),
            ("another kind of name", Some(vec![1, 0, 1, b'a']), false),
        ];
        let mut outcomes = Vec::new();
        for (what, names, may_shake) in &cases {
            let mut stream = TcpStream::connect(gateway.https).await.unwrap();
            stream
                .write_all(&hello(names.as_deref(), None))
                .await
                .unwrap();
            let mut first = [0; 7];
            let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut first)).await;
            let verdict = match (read, first[0]) {
                (Err(_), _) => Err("no answer at all".to_owned()),
                // An alert, or the end of the connection.
                (Ok(Ok(_)), 21) | (Ok(Ok(0) | Err(_)), _) => Ok(()),
                // A ServerHello: the first site answers, or the name's own.
                (Ok(Ok(_)), 22) if *may_shake => Ok(()),
                (Ok(Ok(_)), 22) => Err("answered with a ServerHello".to_owned()),
                (Ok(Ok(_)), kind) => Err(format!("answered with a record of kind {kind}")),
            };
            outcomes.push((*what, verdict));
        }
        // Nothing but the two protocols is spoken: no acme-tls/1 (RFC 8737) without ACME.
        for (what, alpn) in [
            ("acme-tls/1", &b"acme-tls/1"[..]),
            ("h3", b"h3"),
            ("NULs for a protocol", b"\0\0"),
        ] {
            let mut stream = TcpStream::connect(gateway.https).await.unwrap();
            let names = name(b"localhost");
            stream
                .write_all(&hello(Some(&names), Some(alpn)))
                .await
                .unwrap();
            let mut first = [0; 7];
            let _ = stream.read_exact(&mut first).await;
            // no_application_protocol (RFC 7301 §3.2).
            let verdict = if first == [21, 3, 3, 0, 2, 2, 120] {
                Ok(())
            } else {
                Err(format!("answered {first:?}"))
            };
            outcomes.push((what, verdict));
        }
        assert!(app.record().is_empty());
        drop(gateway.stop().await);
        pending::compare("server names", outcomes.into_iter());
    });
}

/// RFC 8446 §8: 0-RTT data can be sent again by anyone, so none is taken.
#[test]
fn no_early_data_is_taken() {
    run(30, async {
        let (_app, gateway) = stage().await;
        let mut config = config(&gateway, vec![b"http/1.1".to_vec()]);
        config.enable_early_data = true;
        // The tickets come with the first answer; the store is shared by clones.
        let hand = Hand::shake(gateway.https, config.clone(), 16_384)
            .await
            .unwrap();
        let (answer, _) = hand.ask(GET).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let name = ServerName::try_from("localhost").unwrap();
        let mut again = ClientConnection::new(Arc::new(config.clone()), name).unwrap();
        assert!(again.early_data().is_none(), "the ticket allows early data");
        let hand = Hand::shake(gateway.https, config, 16_384).await.unwrap();
        assert_eq!(
            hand.tls.handshake_kind(),
            Some(rustls::HandshakeKind::Resumed),
            "there was no ticket to ask for early data with"
        );
    });
}

/// RFC 8446 §6.1: a close without close_notify may be an attacker's. For the client's side
/// HTTP's own framing decides; on ours, a whole answer ends with one and a cut one without.
#[test]
fn an_end_without_close_notify_is_no_end() {
    run(30, async {
        let app = Recorder::with(|request, _| {
            let answer = b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec();
            let end = if request.target() == "/whole" {
                sealwax_tests::Step::Close
            } else {
                sealwax_tests::Step::Reset
            };
            // The reset must not overtake what was sent.
            let pause = sealwax_tests::Step::Wait(Duration::from_millis(200));
            vec![sealwax_tests::Step::Send(answer), pause, end]
        })
        .await;
        let gateway = Gateway::to(&app.url()).top("workers = 1").start().await;
        for (target, whole) in [("/whole", true), ("/cut", false)] {
            let config = config(&gateway, vec![b"http/1.1".to_vec()]);
            let hand = Hand::shake(gateway.https, config, 16_384).await.unwrap();
            let input = format!("GET {target} HTTP/1.0⏎Host: localhost⏎⏎");
            let (answer, closed) = hand.ask(&input).await.unwrap_or_default();
            assert_eq!(
                closed && answer.ends_with("hello"),
                whole,
                "{target}: {answer}"
            );
        }
        // A request that is not whole when the connection ends without a word.
        let mut stream = connect_tls(gateway.https, &gateway.tls(), "localhost", &[b"http/1.1"])
            .await
            .unwrap();
        let half = b"POST /half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello";
        stream.write_all(half).await.unwrap();
        stream.flush().await.unwrap();
        app.until("the head", |record| record.connections.len() == 3)
            .await;
        stream.get_mut().0.shutdown().await.unwrap();
        drop(stream);
        drop(gateway.stop().await);
        let record = app.finish().await;
        let targets: Vec<_> = record
            .requests
            .iter()
            .map(|(_, one)| one.target())
            .collect();
        assert_eq!(targets, ["/whole", "/cut"], "{record:?}");
    });
}
