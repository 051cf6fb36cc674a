//! Reads one message many times, for an instruction counter:
//!
//! ```text
//! cargo build --release -p sealwax-h1 --example count
//! valgrind --tool=callgrind target/release/examples/count request 1000
//! ```
//!
//! Run it with two counts: the difference over their difference is the cost of one message.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measuring program, which fails by panicking"
)]

use std::hint::black_box;

use sealwax_h1::{Asked, Decoder, Framing, Limits, Piece, RequestParser, ResponseParser};

/// As Chromium asks for a page: 13 fields, 600 bytes.
const REQUEST: &[u8] = b"GET /shop/cart?page=2 HTTP/1.1\r\n\
Host: app.example.com\r\n\
Connection: keep-alive\r\n\
Cache-Control: max-age=0\r\n\
sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n\
sec-ch-ua-mobile: ?0\r\n\
Upgrade-Insecure-Requests: 1\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
Sec-Fetch-Site: same-origin\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-Dest: document\r\n\
Accept-Encoding: gzip, deflate, br\r\n\
Accept-Language: en-GB,en;q=0.9\r\n\
Cookie: __Host-sessionid=0123456789abcdef01234567; theme=dark\r\n\r\n";

/// As a small app answers: 8 fields, 250 bytes.
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\n\
Server: gunicorn\r\n\
Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n\
Connection: keep-alive\r\n\
Content-Type: text/html; charset=utf-8\r\n\
Content-Length: 1024\r\n\
Vary: Cookie\r\n\
X-Frame-Options: DENY\r\n\
Set-Cookie: sessionid=0123456789abcdef01234567; Path=/\r\n\r\n";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let times: usize = arguments
        .next()
        .and_then(|times| times.parse().ok())
        .expect("usage: count request|drip|response|chunks|httparse TIMES");
    let mut fields = Vec::with_capacity(32);
    match what.as_str() {
        "request" => {
            let mut parser = RequestParser::new(Limits::REQUEST);
            for _ in 0..times {
                let head = parser.parse(black_box(REQUEST), &mut fields);
                black_box(head.expect("good").expect("whole"));
            }
            println!("{} bytes, {} fields", REQUEST.len(), fields.len());
        }
        // The same head, a byte more with each call.
        "drip" => {
            let mut parser = RequestParser::new(Limits::REQUEST);
            for _ in 0..times {
                for end in 1..=REQUEST.len() {
                    let head = parser.parse(black_box(&REQUEST[..end]), &mut fields);
                    black_box(head.expect("good").is_some());
                }
            }
            println!("{} bytes in as many calls", REQUEST.len());
        }
        "response" => {
            let asked = Asked::default();
            for _ in 0..times {
                let mut parser = ResponseParser::new(Limits::RESPONSE);
                let head = parser.parse(black_box(RESPONSE), &asked, &mut fields);
                black_box(head.expect("good").expect("whole"));
            }
            println!("{} bytes, {} fields", RESPONSE.len(), fields.len());
        }
        "chunks" => {
            let body = [&b"400\r\n"[..], &[b'x'; 1024], b"\r\n0\r\n\r\n"].concat();
            for _ in 0..times {
                let mut decoder = Decoder::new(Framing::Chunked, &Limits::RESPONSE);
                let mut rest = black_box(&body[..]);
                while let Piece::Data { skip, len } = decoder.decode(rest).expect("good") {
                    rest = &rest[skip + len..];
                }
                black_box(decoder.is_done());
            }
            println!("{} bytes, one chunk and the last", body.len());
        }
        "httparse" => {
            for _ in 0..times {
                let mut headers = [httparse::EMPTY_HEADER; 32];
                let mut request = httparse::Request::new(&mut headers);
                black_box(request.parse(black_box(REQUEST)).expect("good"));
            }
            println!("{} bytes by httparse", REQUEST.len());
        }
        other => panic!("count what? {other}"),
    }
}
