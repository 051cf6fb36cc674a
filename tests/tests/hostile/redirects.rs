//! The plain port, which answers everything itself: what it redirects, it has understood.

use futures_util::StreamExt;
use sealwax_tests::wire::Message;
use sealwax_tests::{Gateway, Recorder, exchange_tcp, run};
use tokio::net::TcpStream;

use crate::case::bytes;
use crate::pending;
use crate::stage::{Heard, exchange};
use crate::verdict::answers;

/// What must come: redirects to these targets, in this order, or a refusal and the end.
enum Want {
    To(&'static [&'static str]),
    /// A body is read or left unread, and then the connection says that it closes.
    ToOrClose(&'static [&'static str]),
    Refused(&'static [u16]),
}

const GET: &str = "⏎Host: good.test⏎Connection: close⏎⏎";

#[test]
fn redirects_of_what_was_understood() {
    let get = |target: &str| format!("GET {target} HTTP/1.1{GET}");
    let inner = "GET /smuggled HTTP/1.1⏎Host: good.test⏎⏎";
    let after = format!("GET /after HTTP/1.1{GET}");
    let cases: Vec<(&str, String, Want)> = vec![
        (
            "two slashes",
            get("//evil.test/..%2f"),
            Want::To(&["//evil.test/..%2f"]),
        ),
        (
            "three slashes",
            get("///evil.test"),
            Want::To(&["///evil.test"]),
        ),
        (
            "line ends in code",
            get("/%0d%0aSet-Cookie:x=1"),
            Want::To(&["/%0d%0aSet-Cookie:x=1"]),
        ),
        ("an at", get("/@evil.test"), Want::To(&["/@evil.test"])),
        ("a query", get("/a?b=c&d=%20"), Want::To(&["/a?b=c&d=%20"])),
        (
            "points",
            get("/.well-known/acme-challenge/../../x"),
            Want::To(&["/.well-known/acme-challenge/../../x"]),
        ),
        (
            "a body",
            format!("POST /a HTTP/1.1⏎Host: good.test⏎Content-Length: 5⏎⏎hello{after}"),
            Want::ToOrClose(&["/a", "/after"]),
        ),
        (
            "chunks",
            format!(
                "POST /a HTTP/1.1⏎Host: good.test⏎Transfer-Encoding: chunked⏎⏎5⏎hello⏎0⏎⏎{after}"
            ),
            Want::ToOrClose(&["/a", "/after"]),
        ),
        (
            "three in a row",
            format!("GET /1 HTTP/1.1⏎Host: good.test⏎⏎GET /2 HTTP/1.1⏎Host: good.test⏎⏎{after}"),
            Want::To(&["/1", "/2", "/after"]),
        ),
        (
            "a body that looks like a request",
            format!(
                "POST /a HTTP/1.1⏎Host: good.test⏎Content-Length: {}⏎⏎{inner}{after}",
                bytes(inner).len()
            ),
            Want::ToOrClose(&["/a", "/after"]),
        ),
        (
            "length and chunks",
            format!(
                "POST /a HTTP/1.1⏎Host: good.test⏎Content-Length: 6⏎Transfer-Encoding: chunked⏎⏎0⏎⏎{inner}"
            ),
            Want::Refused(&[400]),
        ),
        (
            "two lengths",
            format!(
                "POST /a HTTP/1.1⏎Host: good.test⏎Content-Length: 5⏎Content-Length: 6⏎⏎hello!{after}"
            ),
            Want::Refused(&[400]),
        ),
        (
            "a length with a plus",
            format!("POST /a HTTP/1.1⏎Host: good.test⏎Content-Length: +5⏎⏎hello{after}"),
            Want::Refused(&[400]),
        ),
        (
            "a CR in the target",
            format!("GET /a\rSet-Cookie:x=1 HTTP/1.1{GET}"),
            Want::Refused(&[400]),
        ),
        (
            "an LF in the target",
            format!("GET /a\nSet-Cookie:x=1 HTTP/1.1{GET}"),
            Want::Refused(&[400]),
        ),
        (
            "a space in the target",
            format!("GET /a b HTTP/1.1{GET}"),
            Want::Refused(&[400]),
        ),
        (
            "a NUL in the target",
            format!("GET /a\0 HTTP/1.1{GET}"),
            Want::Refused(&[400]),
        ),
        ("a byte above ASCII", get("/\u{e9}"), Want::Refused(&[400])),
        ("a fragment", get("/a#b"), Want::Refused(&[400])),
        ("no slash", get("evil.test"), Want::Refused(&[400])),
        (
            "an at and no slash",
            get("@evil.test/"),
            Want::Refused(&[400]),
        ),
        (
            "an absolute target elsewhere",
            get("http://evil.test/"),
            Want::Refused(&[400, 421]),
        ),
        (
            "two hosts",
            "GET / HTTP/1.1⏎Host: good.test⏎Host: evil.test⏎Connection: close⏎⏎".to_owned(),
            Want::Refused(&[400]),
        ),
        (
            "a host with a path",
            "GET / HTTP/1.1⏎Host: good.test/x⏎Connection: close⏎⏎".to_owned(),
            Want::Refused(&[400]),
        ),
        (
            "a host with a user",
            "GET / HTTP/1.1⏎Host: good.test@evil.test⏎Connection: close⏎⏎".to_owned(),
            Want::Refused(&[400]),
        ),
        (
            "a host elsewhere",
            "GET / HTTP/1.1⏎Host: evil.test⏎Connection: close⏎⏎".to_owned(),
            Want::Refused(&[421]),
        ),
        (
            "a host elsewhere, forwarded as ours",
            "GET / HTTP/1.1⏎Host: evil.test⏎X-Forwarded-Host: good.test⏎Connection: close⏎⏎"
                .to_owned(),
            Want::Refused(&[421]),
        ),
        (
            "ours, forwarded as elsewhere",
            format!("GET /a HTTP/1.1⏎X-Forwarded-Host: evil.test⏎X-Forwarded-Proto: https{GET}"),
            Want::To(&["/a"]),
        ),
        (
            "CONNECT",
            "CONNECT good.test:443 HTTP/1.1⏎Host: good.test:443⏎Connection: close⏎⏎".to_owned(),
            Want::Refused(&[400, 405]),
        ),
        (
            "an upgrade to h2c",
            format!("GET /a HTTP/1.1⏎Upgrade: h2c⏎HTTP2-Settings: AAMAAABkAAQAAP__{GET}"),
            Want::To(&["/a"]),
        ),
        (
            "an upgrade to WebSocket",
            "GET /a HTTP/1.1⏎Host: good.test⏎Upgrade: websocket⏎Connection: Upgrade, close⏎⏎"
                .to_owned(),
            Want::To(&["/a"]),
        ),
    ];
    run(60, async {
        let app = Recorder::echo().await;
        let gateway = Gateway::to(&app.url()).hosts(&["good.test"]).start().await;
        let place = format!("https://good.test:{}", gateway.https.port());
        let played = futures_util::stream::iter(&cases)
            .map(async |(name, input, want)| {
                let stream = TcpStream::connect(gateway.http).await.unwrap();
                let heard = exchange(stream, &bytes(input), false).await;
                (*name, verdict(want, &place, &heard))
            })
            .buffered(8);
        let outcomes: Vec<_> = played.collect().await;
        // Nothing was redirected by the app, and nothing of all this reached it.
        drop(exchange_tcp(gateway.http, b"x").await);
        drop(gateway.stop().await);
        assert!(app.finish().await.is_empty());
        pending::compare("redirects", outcomes.into_iter());
    });
}

fn verdict(want: &Want, place: &str, heard: &Heard) -> Result<(), String> {
    let (answers, whole) = answers(heard, &[])?;
    let got: Vec<_> = answers
        .iter()
        .map(|one| (one.status(), one.all("location").join(" ")))
        .collect();
    let all_to = |targets: &[&str]| {
        got.len() == targets.len()
            && got.iter().zip(targets).all(|((status, location), target)| {
                *status == 307 && *location == format!("{place}{target}")
            })
    };
    let right = match want {
        Want::To(targets) => all_to(targets),
        Want::ToOrClose(targets) => {
            let says = |one: &Message| one.all("connection") == ["close"];
            all_to(targets) || (all_to(&targets[..1]) && answers.iter().all(says))
        }
        Want::Refused(statuses) => {
            got.len() == 1 && statuses.contains(&got[0].0) && got[0].1.is_empty()
        }
    };
    match (right && whole, heard.closed) {
        (true, true) => Ok(()),
        (true, false) => Err("the connection stays open".to_owned()),
        (false, _) => Err(format!("answered {got:?}")),
    }
}
