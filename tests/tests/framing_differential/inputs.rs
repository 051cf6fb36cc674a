//! What the readers read: messages made by hand, the committed fuzz corpora, and seeded mutations of
//! those that are right.

use std::path::{Path, PathBuf};

use crate::readers::{Side, ours};

pub(crate) const REQUESTS: &[&str] = &[
    "GET / HTTP/1.0\r\nExpect: tea\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a\"b/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a?b=\"c HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /x HTTP/1.0\r\nConnection: upgrade\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: identity\r\n\r\n",
    "GET /a?b=c HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /x HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
    "GET http://a/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1 ; a = b ;c\r\na\r\n0;\ta=\"b\\\"\"\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nDELETE /x HTTP/1.1\r\nhost:a\r\ncontent-length:0\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

pub(crate) const RESPONSES: &[&str] = &[
    "HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 ;a\r\na\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: identity\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
    "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.1 200 \r\nConnection: close\r\n\r\nhello",
    "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nabc",
];

/// What mutations put in, besides single bytes.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    "\0",
    ":",
    ",",
    ";",
    "\"",
    "0",
    "1",
    "5",
    "f",
    "-",
    "+",
    "0x",
    "x",
    "\u{b}",
    "\u{7f}",
    "\u{ff}",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 3\r\n",
    "content-length : 1\r\n",
    "Content-Length: 5, 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: ",
    "Transfer_Encoding: chunked\r\n",
    "TE: chunked\r\n",
    "Host: b\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: websocket\r\n",
    "Expect: 100-continue\r\n",
    " folded\r\n",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "a;b=\"c\"\r\n",
    "HTTP/1.0",
    "HTTP/1.1",
    "HTTP/1.1 200 OK\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "X:\r\n",
];

/// splitmix64, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }
}

fn mutate(input: &mut Vec<u8>, random: &mut Random) {
    // Half of the time at the start of a line, where most of the grammar is.
    let starts: Vec<usize> = (0..input.len())
        .filter(|&place| place > 0 && input[place - 1] == b'\n')
        .collect();
    let place = match random.below(2) {
        0 if !starts.is_empty() => starts[random.below(starts.len())],
        _ => random.below(input.len() + 1),
    };
    let piece = PIECES[random.below(PIECES.len())];
    match random.below(5) {
        0 | 1 => drop(input.splice(place..place, text_bytes(piece))),
        2 => {
            let end = (place + 1 + random.below(3)).min(input.len());
            input.drain(place..end);
        }
        3 => {
            let end = (place + 1).min(input.len());
            drop(input.splice(place..end, text_bytes(piece)));
        }
        _ => {
            let end = input[place..]
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(input.len(), |end| place + end + 1);
            let line = input[place..end].to_vec();
            drop(input.splice(place..place, line));
        }
    }
}

/// The reverse of [`text`].
fn text_bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u32 as u8).collect()
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let read = |file: PathBuf| std::fs::read(file).expect("a file");
    files.into_iter().map(read).collect()
}

pub(crate) fn inputs(
    side: Side,
    bases: &[&str],
    target: &str,
    count: usize,
    seed: u64,
) -> Vec<(Side, Vec<u8>)> {
    let long = std::env::var_os("SEALWAX_LONG").is_some();
    let count = if long { 20 * count } else { count };
    let head = match side {
        Side::Request => "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        Side::Response(_) => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    let mut all: Vec<Vec<u8>> = bases.iter().map(|base| base.as_bytes().to_vec()).collect();
    all.extend(corpus(target));
    let chunked = corpus("h1_chunked").into_iter();
    all.extend(chunked.map(|body| [head.as_bytes(), &body].concat()));
    // What is refused is seldom mended by chance.
    let mut bases = all.clone();
    bases.retain(|input| ours(side, input).error.is_none());
    // As many extensions as hyper no longer reads and we still do.
    let extensions = format!("1;{}\r\na\r\n", "e".repeat(62)).repeat(300);
    all.push([head, &extensions, "0\r\n\r\n"].concat().into_bytes());
    let mut random = Random(seed);
    while all.len() < count {
        let mut input = bases[random.below(bases.len())].clone();
        for _ in 0..=random.below(2) {
            mutate(&mut input, &mut random);
        }
        all.push(input);
    }
    all.into_iter().map(|input| (side, input)).collect()
}
