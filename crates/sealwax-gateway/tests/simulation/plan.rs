//! What shall happen, made from a seed.

use super::line::{Fault, Kind, Stream};

/// SplitMix64: a seed gives the same plan for ever.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Content that belongs to one message only.
pub fn content(key: u64, length: usize) -> Vec<u8> {
    let blocks = length.div_ceil(8) as u64;
    let mut bytes: Vec<u8> = (0..blocks)
        .flat_map(|block| mix(key ^ mix(block)).to_le_bytes())
        .collect();
    bytes.truncate(length);
    bytes
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    None,
    Length(usize),
    Chunked {
        size: usize,
        chunk: usize,
        trailers: bool,
    },
    /// Responses only.
    UntilClose(usize),
}

impl Body {
    pub fn size(self) -> usize {
        match self {
            Body::None => 0,
            Body::Length(size) | Body::Chunked { size, .. } | Body::UntilClose(size) => size,
        }
    }

    pub fn has_trailers(self) -> bool {
        matches!(self, Body::Chunked { trailers: true, .. })
    }
}

/// One request and what the app does with it.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: &'static str,
    pub http10: bool,
    /// The client says that it is the last; over HTTP/1.0 that it is not.
    pub connection: Option<&'static str>,
    pub body: Body,
    pub expect: Expect,
    pub upgrade: Upgrade,
    /// Interim responses of the app's.
    pub interim: Vec<u16>,
    pub status: u16,
    pub reply: Body,
    /// The app answers before it reads the body.
    pub early: bool,
    /// The app closes the connection after it, in good order.
    pub app_close: bool,
    pub app_http10: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    No,
    /// The app sends a 100.
    Continue,
    /// The app answers without the body.
    Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    No,
    Refused,
    /// So many bytes go up and down. `early`: the client does not wait for the
    /// 101.
    Accepted {
        up: usize,
        down: usize,
        early: bool,
    },
}

impl Exchange {
    pub fn get(size: usize) -> Self {
        Self {
            method: "GET",
            http10: false,
            connection: None,
            body: Body::None,
            expect: Expect::No,
            upgrade: Upgrade::No,
            interim: Vec::new(),
            status: 200,
            reply: Body::Length(size),
            early: false,
            app_close: false,
            app_http10: false,
        }
    }

    pub fn post(body: Body, reply: Body) -> Self {
        Self {
            method: "POST",
            body,
            reply,
            app_close: matches!(reply, Body::UntilClose(_)),
            ..Self::get(0)
        }
    }

    /// Whether the response has content, by method and status
    /// (RFC 9110 §6.4.1).
    pub fn reply_has_content(&self) -> bool {
        self.method != "HEAD" && !matches!(self.status, 204 | 304)
    }

    /// Whether the client's connection may end after it.
    pub fn is_last(&self) -> bool {
        let ends_10 = self.http10
            && (self.connection != Some("keep-alive")
                || (self.reply_has_content()
                    && !matches!(self.reply, Body::Length(_) | Body::None)));
        ends_10
            || self.connection == Some("close")
            || self.expect == Expect::Answer
            || matches!(self.upgrade, Upgrade::Accepted { .. })
    }

    pub fn may_be_repeated(&self) -> bool {
        self.body == Body::None && matches!(self.method, "GET" | "HEAD" | "OPTIONS")
    }
}

/// What one client does on one connection, and what happens meanwhile.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Zero where it was not made from one.
    pub seed: u64,
    pub exchanges: Vec<Exchange>,
    /// Requests do not wait for responses.
    pub pipelined: bool,
    pub faults: Vec<Fault>,
}

const SIZES: [usize; 12] = [
    0, 1, 2, 100, 1000, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 200_000,
];

impl Scenario {
    pub fn new(exchanges: Vec<Exchange>) -> Self {
        Self {
            seed: 0,
            exchanges,
            pipelined: false,
            faults: Vec::new(),
        }
    }

    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut exchanges = Vec::new();
        let count = random.pick(&[1, 1, 2, 2, 3, 4]);
        while exchanges.len() < count {
            let exchange = exchange(&mut random);
            let last = exchange.is_last();
            exchanges.push(exchange);
            if last {
                break;
            }
        }
        let mut scenario = Self {
            seed,
            exchanges,
            pipelined: random.chance(40),
            faults: Vec::new(),
        };
        let wanted = random.pick(&[0, 1, 1, 1, 2, 3]);
        for _ in 0..wanted {
            let stream = random.pick(&Stream::ALL);
            let fault = Fault {
                stream,
                at: scenario.position(stream, &mut random),
                kind: random.pick(&Kind::ALL),
            };
            scenario.faults.push(fault);
        }
        scenario
    }

    /// The same over HTTP/2, where faults are on the app's side only.
    pub fn random_h2(seed: u64) -> Self {
        let mut scenario = Self::random(seed);
        scenario.faults.retain(|fault| !fault.stream.is_clients());
        scenario
            .exchanges
            .retain(|exchange| exchange.upgrade == Upgrade::No);
        for exchange in &mut scenario.exchanges {
            exchange.http10 = false;
            exchange.connection = None;
            exchange.expect = Expect::No;
        }
        scenario
    }

    /// Somewhere in a stream; as likely in its small parts as in its large.
    fn position(&self, stream: Stream, random: &mut Random) -> u64 {
        const HEAD: u64 = 250;
        let up = matches!(stream, Stream::FromClient | Stream::ToApp);
        let nth = random.below(self.exchanges.len() as u64) as usize;
        let size = |exchange: &Exchange| match up {
            true => exchange.body.size() as u64,
            false if exchange.reply_has_content() => exchange.reply.size() as u64,
            false => 0,
        };
        let before: u64 = self.exchanges[..nth].iter().map(|e| size(e) + HEAD).sum();
        let within = match random.below(3) {
            0 => random.below(HEAD),
            1 => random.below(size(&self.exchanges[nth]) + HEAD),
            _ => HEAD / 2 + size(&self.exchanges[nth]) + random.below(HEAD),
        };
        before + within
    }
}

fn body(random: &mut Random, may_be_none: bool) -> Body {
    let size = random.pick(&SIZES);
    match random.below(if may_be_none { 4 } else { 2 }) {
        0 => Body::Length(size),
        1 => Body::Chunked {
            size,
            chunk: random.pick(&[1, 10, 1000, 16_384, 70_000]).max(size / 500),
            trailers: random.chance(50),
        },
        _ => Body::None,
    }
}

fn exchange(random: &mut Random) -> Exchange {
    let mut exchange = Exchange::get(0);
    exchange.method = random.pick(&[
        "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS",
    ]);
    exchange.http10 = random.chance(12);
    exchange.body = match exchange.method {
        "POST" | "PUT" => body(random, false),
        _ if random.chance(10) => body(random, true),
        _ => Body::None,
    };
    if exchange.http10 && !matches!(exchange.body, Body::None) {
        exchange.body = Body::Length(exchange.body.size());
    }
    exchange.connection = match (exchange.http10, random.below(8)) {
        (true, 0..5) => Some("keep-alive"),
        (false, 0) => Some("close"),
        _ => None,
    };
    exchange.status = random.pick(&[200, 200, 200, 200, 404, 500, 204, 304]);
    exchange.reply = body(random, true);
    exchange.app_http10 = random.chance(10);
    exchange.app_close = exchange.app_http10 || random.chance(15);
    if random.chance(15) || (exchange.app_http10 && exchange.reply != Body::None) {
        exchange.reply = Body::UntilClose(exchange.reply.size());
    }
    if matches!(exchange.reply, Body::UntilClose(_) | Body::None) && exchange.reply_has_content() {
        exchange.reply = Body::UntilClose(exchange.reply.size());
        exchange.app_close = true;
    }
    exchange.early = random.chance(15);
    if !exchange.app_http10 && random.chance(15) {
        exchange.interim = (0..=random.below(2))
            .map(|_| random.pick(&[102, 103]))
            .collect();
    }
    if exchange.body.size() > 0 && !exchange.http10 && random.chance(25) {
        exchange.expect = random.pick(&[Expect::Continue, Expect::Continue, Expect::Answer]);
        exchange.early = false;
        if exchange.app_http10 {
            exchange.expect = Expect::Answer;
        }
    }
    if exchange.method == "GET"
        && exchange.body == Body::None
        && !exchange.http10
        && random.chance(15)
    {
        exchange.upgrade = match random.below(3) {
            0 => Upgrade::Refused,
            early => Upgrade::Accepted {
                up: random.pick(&SIZES),
                down: random.pick(&SIZES),
                early: early == 1,
            },
        };
        exchange.connection = None;
        if exchange.upgrade != Upgrade::Refused {
            exchange.interim.clear();
            exchange.app_http10 = false;
        }
    }
    exchange
}
