use std::future::poll_fn;

use http::{HeaderMap, HeaderValue};

use super::*;
use crate::h1::testing::{pair, run};

/// What is written next.
#[derive(Clone, Copy)]
enum Part {
    Lead(&'static str),
    Content(&'static str, bool),
    Trailers,
    /// What is there goes to the socket.
    Write,
}
use Part::{Content, Lead, Trailers, Write};

fn arrived(framing: Framing, parts: &[Part]) -> String {
    run(async {
        let (mut stream, client) = pair();
        let mut outgoing = Outgoing::begin();
        for part in parts {
            match *part {
                Lead(text) => outgoing.lead().extend_from_slice(text.as_bytes()),
                Content(text, is_last) => {
                    assert!(outgoing.has_room());
                    outgoing.content(Bytes::from_static(text.as_bytes()), framing, is_last);
                }
                Trailers => {
                    let mut fields = HeaderMap::new();
                    fields.append("x-a", HeaderValue::from_static("1"));
                    fields.append("x-a", HeaderValue::from_static("2"));
                    outgoing.trailers(&fields);
                }
                Write => {
                    let written = poll_fn(|cx| outgoing.poll_write(cx, &mut stream)).await;
                    written.unwrap();
                    assert!(outgoing.is_empty() && outgoing.has_room());
                }
            }
        }
        let sent = poll_fn(|cx| outgoing.poll_send(cx, &mut stream)).await;
        sent.unwrap();
        drop(stream);
        client.rest()
    })
}

#[test]
fn a_length_needs_no_framing() {
    let parts = [
        Lead("HEAD "),
        Content("one", false),
        Write,
        Content("two", true),
    ];
    for framing in [Framing::Length, Framing::UntilClose] {
        assert_eq!(arrived(framing, &parts), "HEAD onetwo");
    }
}

#[test]
fn chunks_have_their_sizes_and_an_end() {
    let parts = [
        Lead("HEAD "),
        Content("one", false),
        Write,
        Content("0123456789abcdef", true),
    ];
    let text = arrived(Framing::Chunked, &parts);
    assert_eq!(text, "HEAD 3\r\none\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
}

#[test]
fn an_empty_part_in_the_middle_is_not_the_end() {
    let parts = [
        Content("one", false),
        Write,
        Content("", false),
        Write,
        Content("", false),
        Content("two", true),
    ];
    let text = arrived(Framing::Chunked, &parts);
    assert_eq!(text, "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
}

#[test]
fn the_end_may_come_by_itself() {
    let parts = [Lead("HEAD "), Content("", true)];
    assert_eq!(arrived(Framing::Chunked, &parts), "HEAD 0\r\n\r\n");
    assert_eq!(arrived(Framing::Length, &parts), "HEAD ");
    assert_eq!(arrived(Framing::UntilClose, &parts), "HEAD ");
}

#[test]
fn trailers_end_the_chunks() {
    let parts = [Content("one", false), Write, Trailers];
    let text = arrived(Framing::Chunked, &parts);
    assert_eq!(text, "3\r\none\r\n0\r\nx-a: 1\r\nx-a: 2\r\n\r\n");
    assert_eq!(
        arrived(Framing::Chunked, &[Lead("HEAD "), Trailers]),
        "HEAD 0\r\nx-a: 1\r\nx-a: 2\r\n\r\n"
    );
}

#[test]
fn what_a_socket_takes_in_parts_arrives_in_order() {
    run(async {
        let (mut stream, client) = pair();
        // More than the socket takes at once.
        let content: String = (0..2_000_000).map(|at| format!("{at} ")).collect();
        let mut outgoing = Outgoing::begin();
        outgoing.lead().extend_from_slice(b"HEAD ");
        outgoing.content(Bytes::from(content.clone()), Framing::Length, true);
        let mut waited = false;
        let reader = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            client.rest()
        });
        let sent = poll_fn(|cx| {
            let sent = outgoing.poll_send(cx, &mut stream);
            waited |= sent.is_pending();
            sent
        });
        sent.await.unwrap();
        assert!(waited, "the socket took all at once");
        drop(stream);
        assert!(reader.join().unwrap() == format!("HEAD {content}"));
    });
}

#[test]
fn the_memory_of_a_head_is_used_again_empty() {
    let mut first = Outgoing::begin();
    first.lead().extend_from_slice(b"of somebody else");
    drop(first);
    let mut second = Outgoing::begin();
    assert!(second.lead().is_empty() && second.lead().capacity() > 0);
    second.lead().reserve(KEPT + 1);
    drop(second);
    assert_eq!(
        Outgoing::begin().lead().capacity(),
        0,
        "a large one is not kept"
    );
}
