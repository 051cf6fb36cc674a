//! As much as may be, one more, and too slow.

use std::time::{Duration, Instant};

use sealwax_tests::wire::Message;
use sealwax_tests::{Recorder, connect_tls, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::case::{Cases, HOST, Tail, Want, bytes, seen};
use crate::pending;
use crate::stage::{Heard, Listener, Stage, host, judge};
use crate::verdict::answers;

const FIELDS: &str = "RFC 6585 §5: The 431 status code indicates that the server is unwilling to process the request because its header fields are too large.";
const LINE: &str = "RFC 9112 §3: A server that receives a request-target longer than any URI it wishes to parse MUST respond with a 414 (URI Too Long) status code.";
const BODY: &str = "RFC 9110 §15.5.14: The 413 (Content Too Large) status code indicates that the server is refusing to process a request because the request content is larger than the server is willing or able to process.";

/// The least that `limits.request_head` takes, so that the inputs stay small.
const HEAD: usize = 8 << 10;
const TOP: &str =
    "[limits]\nrequest_head = \"8KiB\"\nrequest_headers = 20\nrequest_body = \"1KiB\"";

/// `HOST` stands for a host of another length.
fn host_length() -> usize {
    // Two digits: see `numbered`.
    "n10.case.test".len()
}

#[test]
fn boundaries() {
    let mut cases = Cases::default();
    // The first ten hosts are shorter by a digit than the rest.
    for number in 0..10 {
        cases.passed(
            FIELDS,
            &seen("GET", "/"),
            &[(&format!("plain {number}"), "GET / HTTP/1.1⏎Host: HOST⏎⏎")],
        );
    }
    for length in [HEAD - 1, HEAD, HEAD + 1, 4 * HEAD, 64 * HEAD] {
        let start = "GET / HTTP/1.1⏎Host: HOST⏎X-Fill: ";
        let taken = bytes(start).len() - HOST.len() + host_length() + 4;
        let fill = "a".repeat(length - taken);
        let want = if length <= HEAD {
            Want::Passed(vec![seen("GET", "/").with("x-fill", &fill)])
        } else {
            Want::Refused(&[431])
        };
        let name = format!("a head of {length} bytes");
        cases.one(
            FIELDS,
            want,
            Tail::Request,
            &name,
            &format!("{start}{fill}⏎⏎"),
        );
    }
    for count in [19, 20, 21, 2000] {
        let fields: String = (1..count).map(|n| format!("X-{n}: 1⏎")).collect();
        let want = if count <= 20 {
            Want::Passed(vec![seen("GET", "/")])
        } else {
            Want::Refused(&[431])
        };
        let name = format!("{count} fields");
        cases.one(
            FIELDS,
            want,
            Tail::Request,
            &name,
            &format!("GET / HTTP/1.1⏎Host: HOST⏎{fields}⏎"),
        );
    }
    let equal = format!("GET / HTTP/1.1⏎Host: HOST⏎{}⏎", "A: b⏎".repeat(20));
    cases.one(
        FIELDS,
        Want::Refused(&[431]),
        Tail::Request,
        "21 fields, 20 of one name",
        &equal,
    );
    let cookies = format!("GET / HTTP/1.1⏎Host: HOST⏎{}⏎", "Cookie: a=b⏎".repeat(20));
    cases.one(
        FIELDS,
        Want::Refused(&[431]),
        Tail::Request,
        "20 cookies",
        &cookies,
    );
    for (name, input) in [
        (
            "a target of 64 KiB",
            format!("GET /{} HTTP/1.1⏎Host: HOST⏎⏎", "a".repeat(64 << 10)),
        ),
        (
            "a target as long as a head",
            format!("GET /{} HTTP/1.1⏎Host: HOST⏎⏎", "a".repeat(HEAD)),
        ),
        (
            "a query of a mebibyte",
            format!("GET /?{} HTTP/1.1⏎Host: HOST⏎⏎", "a".repeat(1 << 20)),
        ),
    ] {
        cases.one(LINE, Want::Refused(&[414]), Tail::Request, name, &input);
    }
    let method = format!("{} / HTTP/1.1⏎Host: HOST⏎⏎", "A".repeat(64 << 10));
    cases.one(
        LINE,
        Want::Refused(&[400, 414, 431, 501]),
        Tail::Request,
        "a method of 64 KiB",
        &method,
    );
    let endless = "a".repeat(256 << 10);
    cases.one(
        LINE,
        Want::Refused(&[400, 414, 431, 501]),
        Tail::Nothing,
        "a line that never ends",
        &endless,
    );
    let endless = format!("GET / HTTP/1.1⏎Host: HOST⏎{}", "a".repeat(256 << 10));
    cases.one(
        FIELDS,
        Want::Refused(&[400, 431]),
        Tail::Nothing,
        "a field that never ends",
        &endless,
    );
    for length in [1023, 1024] {
        let body = "b".repeat(length);
        let want = Want::Passed(vec![seen("POST", "/").body(&body)]);
        let input = format!("POST / HTTP/1.1⏎Host: HOST⏎Content-Length: {length}⏎⏎{body}");
        cases.one(
            BODY,
            want.clone(),
            Tail::Request,
            &format!("a body of {length} bytes"),
            &input,
        );
        let input =
            format!("POST / HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎{length:x}⏎{body}⏎0⏎⏎");
        cases.one(
            BODY,
            want,
            Tail::Request,
            &format!("{length} bytes in chunks"),
            &input,
        );
    }
    for length in [1025, 1 << 20] {
        let body = "b".repeat(length);
        let input = format!("POST / HTTP/1.1⏎Host: HOST⏎Content-Length: {length}⏎⏎{body}");
        let name = format!("a body of {length} bytes");
        cases.one(BODY, Want::Refused(&[413]), Tail::Request, &name, &input);
        let input =
            format!("POST / HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎{length:x}⏎{body}⏎0⏎⏎");
        let name = format!("{length} bytes in chunks");
        cases.one(BODY, Want::Broken(&[413]), Tail::Request, &name, &input);
    }
    let crumbs = format!(
        "POST / HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎{}0⏎⏎",
        "1⏎b⏎".repeat(1025)
    );
    cases.one(
        BODY,
        Want::Broken(&[413]),
        Tail::Request,
        "1025 chunks of a byte",
        &crumbs,
    );
    let announced = "POST / HTTP/1.1⏎Host: HOST⏎Content-Length: 9223372036854775807⏎⏎";
    cases.one(
        BODY,
        Want::Refused(&[413]),
        Tail::Nothing,
        "a length of 2^63 - 1",
        announced,
    );
    judge("boundaries", Listener::Https, TOP, cases);
}

/// What the client sends and how long it takes; the gateway's patience is 600 ms.
struct Slow {
    name: &'static str,
    /// Sent at once.
    first: &'static str,
    /// Then one byte every 50 ms, and nothing when they are used up.
    drip: String,
    /// The statuses that may come before the end.
    statuses: &'static [u16],
}

#[test]
fn who_is_too_slow_is_let_go() {
    let top = "[timeouts]\nhandshake = \"600ms\"\nrequest_head = \"600ms\"\nrequest_body_idle = \"600ms\"\nkeep_alive = \"600ms\"";
    let slow = |name, first, drip: &str, statuses| Slow {
        name,
        first,
        drip: drip.to_owned(),
        statuses,
    };
    let field = format!("X-A: {}", "a".repeat(200));
    let cases = [
        slow("no byte", "", "", &[408]),
        slow("half a request line", "GET / HT", "", &[408]),
        slow(
            "a head that drips",
            "GET / HTTP/1.1⏎Host: HOST⏎",
            &field,
            &[408],
        ),
        slow(
            "a request line that drips",
            "",
            &format!("GET /{}", "a".repeat(200)),
            &[408],
        ),
        slow("line ends that drip", "", &"⏎".repeat(200), &[400, 408]),
        slow(
            "a second head that drips",
            "GET / HTTP/1.1⏎Host: HOST⏎⏎",
            &format!("GET /{}", "a".repeat(200)),
            &[200, 408],
        ),
        slow(
            "nothing after a request",
            "GET / HTTP/1.1⏎Host: HOST⏎⏎",
            "",
            &[200, 408],
        ),
        slow(
            "a body that stops",
            "POST / HTTP/1.1⏎Host: HOST⏎Content-Length: 10⏎⏎hello",
            "",
            &[408],
        ),
        slow(
            "a body that never starts",
            "POST / HTTP/1.1⏎Host: HOST⏎Content-Length: 10⏎⏎",
            "",
            &[408],
        ),
        slow(
            "chunks that stop",
            "POST / HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎",
            "",
            &[408],
        ),
        slow(
            "a chunk size that stops",
            "POST / HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎5",
            "",
            &[408],
        ),
        slow(
            "trailers that stop",
            "POST / HTTP/1.1⏎Host: HOST⏎Transfer-Encoding: chunked⏎⏎0⏎X-A: b⏎",
            "",
            &[408],
        ),
    ];
    run(60, async {
        let stage = Stage::new(cases.len(), top, async |_| Recorder::echo().await).await;
        let played = cases.iter().enumerate().map(async |(number, case)| {
            let began = Instant::now();
            let heard = drip(&stage, number, case).await;
            (heard, began.elapsed())
        });
        let heard = futures_util::future::join_all(played).await;
        let records = stage.finish().await;
        let outcomes = cases
            .iter()
            .zip(heard)
            .zip(records)
            .map(|((case, heard), record)| {
                let expected = usize::from(case.statuses.contains(&200));
                let verdict = too_slow(case, &heard.0, heard.1).and_then(|()| {
                    let count = record.requests.len();
                    if count == expected {
                        Ok(())
                    } else {
                        Err(format!("the app saw {count} requests"))
                    }
                });
                (case.name, verdict)
            });
        pending::compare("too slow", outcomes);
    });
}

fn too_slow(case: &Slow, heard: &Heard, took: Duration) -> Result<(), String> {
    let (answers, _) = answers(heard, &[])?;
    let statuses: Vec<_> = answers.iter().map(Message::status).collect();
    if let Some(status) = statuses
        .iter()
        .find(|status| !case.statuses.contains(status))
    {
        return Err(format!("answered {status}"));
    }
    if !heard.closed {
        return Err("the connection stays open".to_owned());
    }
    // Twice the patience, since a request may come before, and as much for a busy machine.
    if took > Duration::from_millis(2500) {
        return Err(format!("the connection was held for {took:?}"));
    }
    Ok(())
}

async fn drip(stage: &Stage, number: usize, case: &Slow) -> Heard {
    let host = host(number);
    let stream = connect_tls(stage.gateway.https, &stage.tls, &host, &[b"http/1.1"])
        .await
        .unwrap();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let write = async {
        let first = bytes(&case.first.replace(HOST, &host));
        let _ = writer.write_all(&first).await;
        let _ = writer.flush().await;
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        for byte in bytes(&case.drip) {
            pace.tick().await;
            if writer.write_all(&[byte]).await.is_err() || writer.flush().await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let read = async {
        let mut bytes = Vec::new();
        let limit = Duration::from_secs(5);
        let ended = tokio::time::timeout(limit, reader.read_to_end(&mut bytes)).await;
        Heard {
            bytes,
            closed: ended.is_ok(),
        }
    };
    tokio::select! {
        heard = read => heard,
        () = write => unreachable!("the writer waits for ever"),
    }
}
