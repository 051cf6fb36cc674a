use std::future::poll_fn;

use http::HeaderMap;
use sealwax_h1::Limits;

use super::*;
use crate::h1::testing::{Client, pair, run};

type Shared = Rc<RefCell<Inbound>>;

fn connection() -> (Shared, Client) {
    let (stream, client) = pair();
    let inbound = Inbound::new(stream, Buffer::default(), Limits::REQUEST);
    (Rc::new(RefCell::new(inbound)), client)
}

async fn head(inbound: &Shared) -> Result<Option<Box<Begun>>, Broken> {
    poll_fn(|cx| inbound.borrow_mut().poll_head(cx)).await
}

async fn begun(inbound: &Shared) -> Box<Begun> {
    head(inbound).await.unwrap().unwrap()
}

/// All content of the body, with its trailers.
async fn body(reader: &mut BodyReader) -> Result<(String, HeaderMap), Broken> {
    let (mut content, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = poll_fn(|cx| reader.poll_frame(cx)).await {
        match frame?.into_data() {
            Ok(data) => content.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().unwrap(),
        }
    }
    Ok((String::from_utf8(content).unwrap(), trailers))
}

const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\n";

#[test]
fn a_head_comes_in_parts() {
    run(async {
        let (inbound, mut client) = connection();
        let text = "GET /a?b HTTP/1.1\r\nhost: c\r\n\r\n";
        for at in 0..text.len() - 1 {
            client.send(&text[at..=at]);
            // Until it is there.
            poll_fn(|cx| {
                let mut inbound = inbound.borrow_mut();
                assert!(inbound.poll_head(cx).is_pending());
                match inbound.input.len() > at {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
            assert!(inbound.borrow().has_begun());
        }
        client.send("\n");
        let begun = begun(&inbound).await;
        assert_eq!(begun.request.uri, "/a?b");
        assert!(begun.keep_alive && !inbound.borrow().has_begun());
        assert!(inbound.borrow().body_is_done());
    });
}

#[test]
fn an_end_between_requests_is_none_within() {
    run(async {
        let (inbound, client) = connection();
        client.half_close();
        assert!(matches!(head(&inbound).await, Ok(None)));
        let (inbound, mut client) = connection();
        client.send("GET / HT");
        client.half_close();
        assert!(matches!(head(&inbound).await, Err(Broken::Gone)));
    });
}

#[test]
fn a_body_ends_where_its_framing_says() {
    run(async {
        let (inbound, mut client) = connection();
        client.send(format!("{POST}content-length: 5\r\n\r\nhello{POST}"));
        client.send(
            "transfer-encoding: chunked\r\n\r\n3\r\none\r\n2;x=y\r\ntw\r\n0\r\nx-a: 1\r\n\r\nGET",
        );
        begun(&inbound).await;
        let mut reader = BodyReader::new(&inbound);
        assert_eq!(reader.length(), Some(5));
        let (text, trailers) = body(&mut reader).await.unwrap();
        assert!(text == "hello" && trailers.is_empty() && reader.is_end_stream());
        drop(reader);

        begun(&inbound).await;
        let mut reader = BodyReader::new(&inbound);
        assert!(reader.length().is_none() && !reader.is_end_stream());
        let (text, trailers) = body(&mut reader).await.unwrap();
        assert!(text == "onetw" && trailers["x-a"] == "1" && reader.is_end_stream());
        drop(reader);
        assert_eq!(inbound.borrow().input.filled(), b"GET");
    });
}

#[test]
fn a_body_that_breaks_off_is_no_whole_one() {
    for (framing, content) in [
        ("content-length: 5", "hell"),
        ("transfer-encoding: chunked", "5\r\nhello\r\n"),
        (
            "transfer-encoding: chunked",
            "5\r\nhello\r\n0\r\nx-a: 1\r\n",
        ),
    ] {
        run(async {
            let (inbound, mut client) = connection();
            client.send(format!("{POST}{framing}\r\n\r\n{content}"));
            client.half_close();
            begun(&inbound).await;
            let outcome = body(&mut BodyReader::new(&inbound)).await;
            assert!(matches!(outcome, Err(Broken::Gone)), "{content}");
            assert!(!inbound.borrow().body_is_done());
        });
    }
}

#[test]
fn what_is_no_chunk_is_refused() {
    run(async {
        let (inbound, mut client) = connection();
        client.send(format!(
            "{POST}transfer-encoding: chunked\r\n\r\n5\r\nhelloX"
        ));
        begun(&inbound).await;
        let outcome = body(&mut BodyReader::new(&inbound)).await;
        assert!(matches!(outcome, Err(Broken::Refused(_))));
    });
}

#[test]
fn a_100_goes_out_when_somebody_wants_the_body() {
    run(async {
        let (inbound, mut client) = connection();
        client.send(format!(
            "{POST}content-length: 5\r\nexpect: 100-continue\r\n\r\n"
        ));
        begun(&inbound).await;
        assert!(inbound.borrow().awaits_continue() && client.is_quiet());
        let mut reader = BodyReader::new(&inbound);
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(reader.poll_frame(cx).is_pending());
        assert_eq!(client.receive(CONTINUE.len()).as_bytes(), CONTINUE);
        client.send("hello");
        assert_eq!(body(&mut reader).await.unwrap().0, "hello");
        assert!(client.is_quiet(), "one 100 is enough");
    });
}

#[test]
fn a_100_that_is_too_late_or_not_waited_for_does_not_go_out() {
    run(async {
        // The final response has begun.
        let (inbound, mut client) = connection();
        client.send(format!(
            "{POST}content-length: 5\r\nexpect: 100-continue\r\n\r\n"
        ));
        begun(&inbound).await;
        inbound.borrow_mut().forget_continue();
        let mut reader = BodyReader::new(&inbound);
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(reader.poll_frame(cx).is_pending() && client.is_quiet());
        // The body has begun.
        let (inbound, mut client) = connection();
        client.send(format!(
            "{POST}content-length: 5\r\nexpect: 100-continue\r\n\r\nhe"
        ));
        begun(&inbound).await;
        let mut reader = BodyReader::new(&inbound);
        client.send("llo");
        assert_eq!(body(&mut reader).await.unwrap().0, "hello");
        assert!(client.is_quiet());
        // There is no body, so no wait.
        let (inbound, mut client) = connection();
        client.send(format!(
            "{POST}content-length: 0\r\nexpect: 100-continue\r\n\r\n"
        ));
        begun(&inbound).await;
        assert!(!inbound.borrow().awaits_continue());
    });
}

#[test]
fn who_waits_for_the_body_to_be_let_go_is_woken() {
    run(async {
        let (inbound, _client) = connection();
        let reader = BodyReader::new(&inbound);
        assert!(Inbound::is_shared(&inbound));
        let mut reader = Some(reader);
        poll_fn(|cx| {
            let alone = Inbound::poll_alone(&inbound, cx);
            // Dropped after the poll: only the waker brings us back.
            assert_eq!(alone.is_ready(), reader.is_none());
            drop(reader.take());
            alone
        })
        .await;
    });
}

#[test]
fn while_the_app_works_the_next_request_is_kept_and_an_end_seen() {
    run(async {
        let (inbound, mut client) = connection();
        client.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
        begun(&inbound).await;
        client.send("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
        client.half_close();
        let gone = poll_fn(|cx| inbound.borrow_mut().poll_gone(cx)).await;
        assert_eq!(gone, Gone::Ended);
        assert_eq!(begun(&inbound).await.request.uri, "/2");
        assert!(matches!(head(&inbound).await, Ok(None)));
        let (inbound, client) = connection();
        client.reset();
        let gone = poll_fn(|cx| inbound.borrow_mut().poll_gone(cx)).await;
        assert_eq!(gone, Gone::Reset);
    });
}

#[test]
fn no_more_than_a_block_is_read_ahead() {
    run(async {
        let (inbound, mut client) = connection();
        client.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
        begun(&inbound).await;
        let sent = vec![b'x'; 4 * BLOCK];
        client.send(sent);
        poll_fn(|cx| {
            let mut inbound = inbound.borrow_mut();
            assert!(inbound.poll_gone(cx).is_pending());
            match inbound.input.len() >= BLOCK {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        assert!(inbound.borrow().input.len() <= 2 * BLOCK);
    });
}
