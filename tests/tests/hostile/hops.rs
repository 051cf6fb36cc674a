//! What belongs to one connection: Connection, Upgrade, TE, Expect, keep-alive, pipelining.

use sealwax_tests::wire::{self, Read};
use sealwax_tests::{Recorder, Step, connect_tls, echo_response, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::case::{Cases, HOST, Seen, Tail, Want, bytes, seen};
use crate::stage::{Listener, Stage, host, judge};

const NOMINATED: &str = "RFC 9110 §7.6.1: Intermediaries MUST parse a received Connection header field before a message is forwarded and, for each connection-option in this field, remove any header or trailer field(s) from the message with the same name as the connection-option …";
const ALL: &str = "RFC 9110 §7.6.1: A sender MUST NOT send a connection option corresponding to a field that is intended for all recipients of the content.";
const HOP: &str = "RFC 9110 §7.6.1: … intermediaries SHOULD remove or replace fields that are known to require removal before forwarding … Proxy-Connection, Keep-Alive, TE, Transfer-Encoding, Upgrade.";
const UPGRADE: &str = "RFC 9110 §7.8: A server MUST NOT switch to a protocol that was not indicated by the client …; a server MAY choose to ignore the received Upgrade header field …";
const UPGRADE_BODY: &str = "RFC 9110 §7.8: … the client cannot begin using an upgraded protocol on the connection until it has completely sent the request message …";
const H2C: &str = "RFC 9113 §3.1: The \"h2c\" string was previously used as a token for use in the HTTP Upgrade mechanism …; this usage was never widely deployed and is deprecated by this document.";
const TRAILERS: &str =
    "RFC 9110 §10.1.4: The TE field … applies only to the immediate connection …";
const EXPECT: &str = "RFC 9110 §10.1.1: A server that receives an Expect field value containing a member other than 100-continue MAY respond with a 417 (Expectation Failed) status code …";
const CONTINUE: &str = "RFC 9110 §10.1.1: A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore that expectation.";
const PIPELINE: &str = "RFC 9112 §9.3.2: … it MUST send the corresponding responses in the same order that the requests were received.";
const CLOSE: &str = "RFC 9112 §9.6: A server that receives a \"close\" connection option MUST initiate closure of the connection … after it sends the final response to the request that contained the \"close\" connection option. … The server MUST NOT process any further requests received on that connection.";
const NOUGHT: &str = "RFC 9112 §9.3: If the received protocol is HTTP/1.0, the \"keep-alive\" connection option is present …, the connection will persist …";

fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1⏎Host: HOST⏎{fields}⏎⏎")
}

/// What the app is told of the client, whatever the client says.
fn told(method: &str, target: &str) -> Seen {
    seen(method, target)
        .with("host", HOST)
        .with("x-forwarded-for", "127.0.0.1")
        .with("x-real-ip", "127.0.0.1")
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-host", HOST)
        .with("x-forwarded-port", "443")
}

#[test]
fn fields_of_the_hop() {
    let mut cases = Cases::default();
    for (name, list) in [
        (
            "X-Forwarded-For and X-Real-IP",
            "X-Forwarded-For, X-Real-IP",
        ),
        ("X-Forwarded-Proto", "x-forwarded-proto"),
        (
            "X-Forwarded-Host and -Port",
            "X-Forwarded-Host,X-Forwarded-Port",
        ),
        (
            "all of ours, twice",
            "X-Forwarded-For, X-Real-IP, X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-For",
        ),
        (
            "all of ours and close later",
            "keep-alive, X-Forwarded-For, X-Real-IP, X-Forwarded-Proto",
        ),
        ("Host", "Host"),
        ("Host in another case", "hOST"),
        ("Connection itself", "Connection"),
        ("nothing", ""),
        ("commas", ",,, ,"),
        ("a name that is none", "a b, \"c\", d/e"),
        ("a name with a colon", "X-Forwarded-For:"),
    ] {
        let lied = format!(
            "Connection: {list}⏎X-Forwarded-For: 6.6.6.6⏎X-Real-IP: 6.6.6.6⏎X-Forwarded-Proto: http"
        );
        // What is no list of names may be refused; what is one must not touch ours.
        let want = if name.starts_with("a name") {
            Want::Optional(&[400], told("GET", "/").without("connection"))
        } else {
            Want::Passed(vec![told("GET", "/").without("connection")])
        };
        cases.one(
            ALL,
            want,
            Tail::Request,
            &format!("nominated: {name}"),
            &get(&lied),
        );
    }
    let many = vec!["X-A"; 1000].join(", ");
    cases.passed(
        NOMINATED,
        &told("GET", "/").without("x-a").without("connection"),
        &[
            (
                "a nominated field of its own",
                &get("Connection: X-A⏎X-A: 1"),
            ),
            ("one in another case", &get("Connection: x-a⏎X-A: 1")),
            (
                "one in a second Connection",
                &get("Connection: keep-alive⏎Connection: X-A⏎X-A: 1"),
            ),
            (
                "one without a space",
                &get("Connection:keep-alive,X-A⏎X-A: 1"),
            ),
            ("one among commas", &get("Connection: ,, X-A ,⏎X-A: 1")),
            (
                "one a thousand times",
                &get(&format!("Connection: {many}⏎X-A: 1")),
            ),
            (
                "one that comes twice",
                &get("Connection: X-A⏎X-A: 1⏎X-A: 2"),
            ),
            ("one that comes before", &get("X-A: 1⏎Connection: X-A")),
        ],
    );
    for (name, fields, kept, value) in [
        ("Cookie", "Connection: Cookie⏎Cookie: a=b", "cookie", "a=b"),
        (
            "Content-Type",
            "Connection: Content-Type⏎Content-Type: a/b",
            "content-type",
            "a/b",
        ),
    ] {
        let seen = told("GET", "/").with(kept, value);
        let want = Want::Optional(&[400], seen);
        cases.one(
            ALL,
            want,
            Tail::Request,
            &format!("nominated: {name}"),
            &get(fields),
        );
    }
    let hello = told("POST", "/").body("hello");
    for (name, fields, body) in [
        (
            "Content-Length",
            "Connection: Content-Length⏎Content-Length: 5",
            "hello",
        ),
        (
            "Transfer-Encoding",
            "Connection: Transfer-Encoding⏎Transfer-Encoding: chunked",
            "5⏎hello⏎0⏎⏎",
        ),
    ] {
        let input = format!("POST / HTTP/1.1⏎Host: HOST⏎{fields}⏎⏎{body}");
        let want = Want::Either(&[400], hello.clone());
        cases.one(
            ALL,
            want,
            Tail::Request,
            &format!("nominated: {name}"),
            &input,
        );
    }
    for (name, fields, gone) in [
        ("Keep-Alive", "Keep-Alive: timeout=5", "keep-alive"),
        (
            "Proxy-Connection",
            "Proxy-Connection: keep-alive",
            "proxy-connection",
        ),
        (
            "Upgrade without Connection",
            "Upgrade: websocket",
            "upgrade",
        ),
        (
            "Connection without Upgrade",
            "Connection: Upgrade",
            "connection",
        ),
        (
            "HTTP2-Settings alone",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
            "http2-settings",
        ),
        ("TE that takes no trailers", "Connection: TE⏎TE: gzip", "te"),
        ("an empty TE", "Connection: TE⏎TE:", "te"),
        (
            "an empty Upgrade",
            "Connection: Upgrade⏎Upgrade:",
            "upgrade",
        ),
    ] {
        cases.passed(
            HOP,
            &told("GET", "/").without(gone),
            &[(name, &get(fields))],
        );
    }
    for (name, fields) in [
        (
            "h2c",
            "Connection: Upgrade, HTTP2-Settings⏎Upgrade: h2c⏎HTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        (
            "h2c in capitals",
            "Connection: upgrade, http2-settings⏎Upgrade: H2C⏎HTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        ("h2", "Connection: Upgrade⏎Upgrade: h2"),
        ("h2c twice", "Connection: Upgrade⏎Upgrade: h2c⏎Upgrade: h2c"),
        ("h2c with a comma", "Connection: Upgrade⏎Upgrade: h2c,"),
    ] {
        let seen = told("GET", "/")
            .without("upgrade")
            .without("http2-settings")
            .without("connection");
        cases.passed(H2C, &seen, &[(name, &get(fields))]);
    }
    for (name, te) in [
        ("trailers", "trailers"),
        ("trailers and another", "trailers, gzip"),
        ("trailers last", "gzip;q=0.5, trailers"),
        ("trailers in capitals", "TRAILERS"),
    ] {
        let seen = told("GET", "/").with("te", "trailers");
        let input = get(&format!("Connection: TE⏎TE: {te}"));
        cases.one(
            TRAILERS,
            Want::Passed(vec![seen]),
            Tail::Request,
            &format!("TE: {name}"),
            &input,
        );
    }
    judge("hop by hop", Listener::Https, "", cases);
}

#[test]
fn upgrades_with_bodies_and_expectations() {
    let mut cases = Cases::default();
    let inner = "GET /admin HTTP/1.1⏎Host: HOST⏎⏎";
    for (name, fields, body) in [
        ("a length", "Content-Length: 30", inner),
        ("chunks", "Transfer-Encoding: chunked", "5⏎hello⏎0⏎⏎"),
        (
            "a length and chunks",
            "Content-Length: 5⏎Transfer-Encoding: chunked",
            "0⏎⏎",
        ),
        ("a length that is none", "Content-Length: x", ""),
    ] {
        for method in ["GET", "POST"] {
            let input = format!(
                "{method} / HTTP/1.1⏎Host: HOST⏎Upgrade: websocket⏎Connection: Upgrade⏎{fields}⏎⏎{body}"
            );
            cases.refused(
                UPGRADE_BODY,
                &[(&format!("{method} to upgrade with {name}"), &input)],
            );
        }
    }
    for (name, upgrade) in [
        (
            "to h2c with a body",
            "Upgrade: h2c⏎Connection: Upgrade, HTTP2-Settings⏎HTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        ("nobody announced, with a body", "Upgrade: websocket"),
    ] {
        // No upgrade at all to us, so a request like any other.
        let input = format!("POST / HTTP/1.1⏎Host: HOST⏎{upgrade}⏎Content-Length: 5⏎⏎hello");
        let seen = seen("POST", "/").body("hello").without("upgrade");
        cases.one(H2C, Want::Either(&[400], seen), Tail::Request, name, &input);
    }
    let seen_10 = seen("GET", "/").without("upgrade");
    cases.one(
        UPGRADE,
        Want::Passed(vec![seen_10]),
        Tail::Unserved,
        "an upgrade in HTTP/1.0",
        "GET / HTTP/1.0⏎Host: HOST⏎Upgrade: websocket⏎Connection: Upgrade⏎⏎",
    );
    let expect = |value: &str| {
        format!("POST / HTTP/1.1⏎Host: HOST⏎Content-Length: 5⏎Expect: {value}⏎⏎hello")
    };
    for (name, value) in [
        ("something unknown", "magic"),
        ("200-ok", "200-ok"),
        ("100-continue and more", "100-continue, magic"),
        ("100-continue with a parameter", "100-continue;q=1"),
        ("a number", "100"),
        ("something unknown in quotes", "\"100-continue\""),
    ] {
        let want = Want::Denied(&[400, 417]);
        cases.one(
            EXPECT,
            want,
            Tail::Request,
            &format!("expecting {name}"),
            &expect(value),
        );
    }
    let hello = seen("POST", "/").body("hello");
    for (name, value) in [
        ("100-continue", "100-continue"),
        ("100-continue in capitals", "100-CONTINUE"),
    ] {
        cases.passed(
            CONTINUE,
            &hello,
            &[(&format!("expecting {name}"), &expect(value))],
        );
    }
    let input = "POST / HTTP/1.0⏎Host: HOST⏎Content-Length: 5⏎Expect: 100-continue⏎⏎hello";
    let want = Want::Passed(vec![hello]);
    cases.one(
        CONTINUE,
        want,
        Tail::Unserved,
        "expecting in HTTP/1.0",
        input,
    );
    let nothing = get("Expect: 100-continue");
    cases.passed(
        CONTINUE,
        &seen("GET", "/"),
        &[("expecting without a body", &nothing)],
    );
    judge("upgrades and expectations", Listener::Https, "", cases);
}

#[test]
fn requests_in_a_row() {
    let mut cases = Cases::default();
    let good = "GET /1 HTTP/1.1⏎Host: HOST⏎⏎POST /2 HTTP/1.1⏎Host: HOST⏎Content-Length: 5⏎⏎helloPOST /3 HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎";
    let three = vec![
        seen("GET", "/1"),
        seen("POST", "/2").body("hello"),
        seen("POST", "/3").body("hello"),
    ];
    for (name, bad) in [
        ("no method", " / HTTP/1.1⏎Host: HOST⏎⏎"),
        ("no version", "GET /smuggled⏎⏎"),
        (
            "no Host at all in a bad line",
            "GET /smuggled HTTP/1.1⏎Host : HOST⏎⏎",
        ),
        ("a NUL", "GET /smuggled HTTP/1.1⏎Host: HOST⏎X-A: \0⏎⏎"),
        (
            "two lengths",
            "POST /smuggled HTTP/1.1⏎Host: HOST⏎Content-Length: 5⏎Content-Length: 6⏎⏎hello!",
        ),
        (
            "length and chunks",
            "POST /smuggled HTTP/1.1⏎Host: HOST⏎Content-Length: 5⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
        ),
        ("a body nobody announced", "hello⏎⏎"),
        (
            "a version of its own",
            "GET /smuggled HTTP/7.7⏎Host: HOST⏎⏎",
        ),
    ] {
        let want = Want::PassedThenRefused(three.clone(), &[400, 505]);
        let input = format!("{good}{bad}");
        cases.one(
            PIPELINE,
            want,
            Tail::Request,
            &format!("three and then {name}"),
            &input,
        );
    }
    let mut all = three.clone();
    all.push(seen("HEAD", "/4"));
    let want = Want::Passed(all);
    let input = format!("{good}HEAD /4 HTTP/1.1⏎Host: HOST⏎⏎");
    cases.one(PIPELINE, want, Tail::Request, "four of four kinds", &input);
    let fifty: String = (0..50)
        .map(|n| format!("GET /{n} HTTP/1.1⏎Host: HOST⏎⏎"))
        .collect();
    let want = Want::Passed((0..50).map(|n| seen("GET", &format!("/{n}"))).collect());
    cases.one(PIPELINE, want, Tail::Request, "fifty", &fifty);
    let want = Want::Passed(vec![seen("GET", "/")]);
    for (name, fields) in [
        ("after close", "Connection: close"),
        ("after close in capitals", "Connection: CLOSE"),
        ("after close in a list", "Connection: keep-alive, close"),
        (
            "after close in a second field",
            "Connection: keep-alive⏎Connection: close",
        ),
    ] {
        cases.one(CLOSE, want.clone(), Tail::Unserved, name, &get(fields));
    }
    let input = "POST / HTTP/1.1⏎Host: HOST⏎Connection: close⏎Content-Length: 5⏎⏎helloEVIL";
    let want_post = Want::Passed(vec![seen("POST", "/").body("hello")]);
    cases.one(
        CLOSE,
        want_post,
        Tail::Unserved,
        "a longer body than said, after close",
        input,
    );
    let input = "GET / HTTP/1.0⏎Host: HOST⏎Connection: keep-alive⏎⏎";
    cases.one(
        NOUGHT,
        want,
        Tail::Request,
        "after keep-alive in HTTP/1.0",
        input,
    );
    judge("requests in a row", Listener::Https, "", cases);
}

/// Everything up to the end of the first head in `stream`.
async fn head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.expect("a head"));
    }
    String::from_utf8(bytes).unwrap()
}

const UPGRADING: &str =
    "GET /chat HTTP/1.1⏎Host: HOST⏎Upgrade: websocket⏎Connection: Upgrade⏎Sec-WebSocket-Key: x⏎⏎";
const SECOND: &str = "GET /second HTTP/1.1⏎Host: HOST⏎Connection: close⏎⏎";

/// RFC 9110 §7.8; Pingora's CVE-2026-2833 sent the rest on before the app had agreed.
#[test]
fn what_follows_a_refused_upgrade_is_a_request_and_no_tunnel() {
    run(60, async {
        for status in [
            "200 OK",
            "426 Upgrade Required",
            "400 Bad Request",
            "404 Not Found",
        ] {
            let app = async |_| {
                Recorder::with(move |request, number| {
                    if number > 0 {
                        return vec![Step::Send(echo_response(request))];
                    }
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno");
                    vec![Step::Send(answer.into_bytes())]
                })
                .await
            };
            let stage = Stage::new(1, "", app).await;
            let input = bytes(&format!("{UPGRADING}{SECOND}").replace(HOST, &host(0)));
            let heard = stage.play(Listener::Https, 0, &input, false).await;
            assert!(heard.closed, "{status}: {heard:?}");
            let record = stage.finish().await.remove(0);
            let targets: Vec<_> = record
                .requests
                .iter()
                .map(|(_, one)| one.target())
                .collect();
            assert_eq!(targets, ["/chat", "/second"], "{status}: {record:?}");
            assert!(
                record.connections.iter().all(|one| one.rest().is_empty()),
                "{record:?}"
            );
            let text = String::from_utf8_lossy(&heard.bytes).into_owned();
            assert!(
                text.starts_with(&format!("HTTP/1.1 {}", &status[..3]))
                    && text.ends_with("GET /second "),
                "{status}: {text}"
            );
        }
    });
}

#[test]
fn no_byte_reaches_the_app_before_its_101_and_every_byte_after() {
    run(30, async {
        let (go, gone) = tokio::sync::watch::channel(false);
        let app = async |_| {
            let gone = gone.clone();
            Recorder::with(move |_, _| {
                let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: y\r\n\r\n";
                vec![Step::Until(gone.clone()), Step::Send(answer.to_vec())]
            })
            .await
        };
        let stage = Stage::new(1, "", app).await;
        let mut client = connect_tls(stage.gateway.https, &stage.tls, &host(0), &[b"http/1.1"])
            .await
            .unwrap();
        let input = bytes(&format!("{UPGRADING}{SECOND}").replace(HOST, &host(0)));
        client.write_all(&input).await.unwrap();
        let before = stage
            .app(0)
            .until("the request", |record| record.requests.len() == 1)
            .await;
        assert_eq!(before.connections[0].rest(), b"", "bytes before the 101");
        go.send(true).unwrap();
        let answer = head(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        // Sent early, but it belongs to the new protocol, byte for byte.
        let tunneled = bytes(&SECOND.replace(HOST, &host(0)));
        let seen = |record: &sealwax_tests::Record| {
            let one = &record.connections[0];
            one.bytes.ends_with(&tunneled)
        };
        stage.app(0).until("the tunneled bytes", seen).await;
        drop(client);
        stage.finish().await;
    });
}

/// A 101 to what nobody offered is no switch (RFC 9110 §15.2.2), and nothing is tunneled.
#[test]
fn a_switch_to_another_protocol_than_offered_is_refused() {
    run(60, async {
        let answers = [
            (
                "another protocol",
                "101 Switching Protocols⏎Upgrade: evil⏎Connection: Upgrade",
            ),
            ("no protocol", "101 Switching Protocols⏎Connection: Upgrade"),
            ("no Connection", "101 Switching Protocols"),
            (
                "two protocols",
                "101 Switching Protocols⏎Upgrade: websocket, evil⏎Connection: Upgrade",
            ),
            (
                "h2c",
                "101 Switching Protocols⏎Upgrade: h2c⏎Connection: Upgrade",
            ),
            (
                "a length",
                "101 Switching Protocols⏎Upgrade: websocket⏎Connection: Upgrade⏎Content-Length: 5",
            ),
            (
                "chunks",
                "101 Switching Protocols⏎Upgrade: websocket⏎Connection: Upgrade⏎Transfer-Encoding: chunked",
            ),
        ];
        let app = async |number: usize| {
            let answer = bytes(&format!("HTTP/1.1 {}⏎⏎", answers[number].1));
            Recorder::with(move |_, _| vec![Step::Send(answer.clone())]).await
        };
        let stage = Stage::new(answers.len(), "", app).await;
        let mut outcomes = Vec::new();
        for (number, (name, _)) in answers.iter().enumerate() {
            let input = bytes(&format!("{UPGRADING}EVIL").replace(HOST, &host(number)));
            let heard = stage.play(Listener::Https, number, &input, true).await;
            let outcome = match wire::response(&heard.bytes, false, true) {
                Read::Whole(answer, _) if answer.status() == 502 => Ok(()),
                other => Err(format!("{other:?}")),
            };
            outcomes.push((*name, outcome));
        }
        let records = stage.finish().await;
        for (outcome, record) in outcomes.iter_mut().zip(&records) {
            if record.connections.iter().any(|one| !one.rest().is_empty()) {
                outcome.1 = Err(format!("bytes went through: {record:?}"));
            }
        }
        crate::pending::compare("switches", outcomes.into_iter());
    });
}
