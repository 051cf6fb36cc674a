//! Compares what the app and the client saw with what was sent.

use std::time::Duration;

use super::client::{Client, Got};
use super::line::{Fault, Kind, Stream};
use super::message::{Framing, Received};
use super::plan::{Body, Exchange, Expect, Upgrade, content};
use super::run::{Run, Seen};

/// So long the gateway goes on with a request whose answer is over. Little
/// buffers make a large body slow.
const AFTER_ANSWER: Duration = Duration::from_secs(5);

/// How the client spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Plain,
    Tls,
    H2,
}

impl Over {
    /// As ALPN names it.
    pub fn protocol(self) -> &'static [u8] {
        match self {
            Over::H2 => b"h2",
            Over::Plain | Over::Tls => b"http/1.1",
        }
    }
}

/// All that is wrong with a run that is over.
pub fn judge(run: &Run, client: &Client, over: Over) -> Vec<String> {
    let mut case = Case {
        run,
        client,
        over,
        fired: run.fired(),
        problems: run.problems.borrow().clone(),
    };
    case.fired.retain(|fault| !fault.kind.is_timing());
    for (nth, exchange) in run.scenario.exchanges.iter().enumerate() {
        case.client_saw(nth, exchange);
        case.app_saw(nth, exchange);
    }
    case.problems
}

struct Case<'c> {
    run: &'c Run,
    client: &'c Client,
    over: Over,
    /// What happened, other than in time only.
    fired: Vec<Fault>,
    problems: Vec<String>,
}

impl Case<'_> {
    fn problem(&mut self, nth: usize, text: impl std::fmt::Display) {
        self.problems.push(format!("exchange {nth}: {text}"));
    }

    fn client_saw(&mut self, nth: usize, exchange: &Exchange) {
        let must_be_whole = self.must_be_answered(nth);
        let Some(got) = self.client.got.get(nth) else {
            if must_be_whole {
                self.problem(nth, "the client got no answer");
            }
            return;
        };
        let name = self.run.name(nth);
        let Some(head) = &got.head else {
            if must_be_whole {
                self.problem(nth, "the client got no head");
            }
            return;
        };
        match head.field("x-token") {
            Some(token) if token == name.token(false) => {}
            Some(token) => return self.problem(nth, format!("the answer to another: {token}")),
            None if must_be_whole => {
                let text = String::from_utf8_lossy(&got.body.bytes).into_owned();
                return self.problem(nth, format!("not the app's answer: {head:?} {text}"));
            }
            None => return self.own_page(nth, got),
        }
        if must_be_whole && !got.whole {
            self.problem(
                nth,
                format!("cut short after {} bytes", got.body.bytes.len()),
            );
        }
        if let Upgrade::Accepted { down, .. } = exchange.upgrade {
            let wanted = content(name.key(false), down);
            return self.tunnel(nth, "client", got.status == 101, &got.tunnel, &wanted);
        }
        if got.status != exchange.status {
            self.problem(nth, format!("status {}", got.status));
        }
        let mut wanted = Received::default();
        if exchange.reply_has_content() {
            wanted.bytes = content(name.key(false), exchange.reply.size());
            if exchange.reply.has_trailers() && !exchange.http10 {
                wanted.trailers = vec![("x-end".to_owned(), name.token(false))];
            }
        }
        let cut_is_unseen = matches!(exchange.reply, Body::UntilClose(_))
            && self.fired.iter().any(|fault| {
                fault.stream == Stream::FromApp && matches!(fault.kind, Kind::Fin | Kind::Close)
                    || fault.stream == Stream::ToApp && fault.kind != Kind::Reset
            });
        self.compare(
            nth,
            "client",
            got.whole && !cut_is_unseen,
            &got.body,
            &wanted,
        );
    }

    /// Whether nothing that happened excuses less than the app's whole answer.
    fn must_be_answered(&self, nth: usize) -> bool {
        if self.fired.is_empty() {
            return true;
        }
        // A client that has sent its request and closes its half waits for the
        // answer. (TLS without its own end is an attack, RFC 8446 §6.1.)
        self.over == Over::Plain
            && self.fired.iter().all(|fault| {
                let end = self.client.ends.get(nth).copied().unwrap_or(u64::MAX);
                fault.stream == Stream::FromClient && fault.kind == Kind::Fin && fault.at >= end
            })
    }

    /// A page of the gateway's: it must be the right one's fault.
    fn own_page(&mut self, nth: usize, got: &Got) {
        let clients = self.fired.iter().any(|fault| fault.stream.is_clients());
        let apps = self.fired.iter().any(|fault| !fault.stream.is_clients());
        let right = match got.status {
            400 | 408 => clients,
            502 | 504 => apps,
            _ => false,
        };
        if !right {
            let text = String::from_utf8_lossy(&got.body.bytes).into_owned();
            self.problem(nth, format!("a page of {}: {text}", got.status));
        }
    }

    fn app_saw(&mut self, nth: usize, exchange: &Exchange) {
        let run = self.run;
        let all = run.seen.borrow();
        let seen: Vec<&Seen> = all.iter().filter(|seen| seen.nth == nth).collect();
        // Who has not the end of its request cannot have had all of it seen.
        let sent = self.client.sent.get(nth) == Some(&true);
        for one in &seen {
            self.app_saw_one(nth, exchange, one, sent);
        }
        let must_be_whole = self.fired.is_empty();
        if must_be_whole && seen.len() != 1 {
            self.problem(nth, format!("the app saw it {} times", seen.len()));
        }
        let held = exchange.expect == Expect::Answer;
        let given_up = exchange.early && run.began.elapsed() > AFTER_ANSWER;
        if must_be_whole && !held && !given_up && !seen.iter().any(|seen| seen.whole) {
            self.problem(nth, "the app did not see all of it");
        }
        // RFC 9110 §9.2.2: only what went out on a connection that may have
        // been closed before the request came is sent once more.
        let lost = |seen: &&&Seen| exchange.may_be_repeated() && !seen.first && !seen.answered;
        let lost = seen.iter().filter(lost).count();
        if seen.len() > lost + 1 {
            self.problem(nth, format!("sent more than once: {seen:?}"));
        }
    }

    fn app_saw_one(&mut self, nth: usize, exchange: &Exchange, seen: &Seen, sent: bool) {
        let name = self.run.name(nth);
        let line = format!("{} {} HTTP/1.1", exchange.method, name.target());
        if seen.head.start != line {
            self.problem(nth, format!("the app saw {:?}", seen.head.start));
        }
        if seen.head.field("x-token") != Some(name.token(true)) {
            self.problem(nth, format!("the app saw the fields {:?}", seen.head));
        }
        if seen.whole && !sent && exchange.body.size() > 0 {
            self.problem(nth, "the app saw more than the client sent");
        }
        let framing = seen.head.framing();
        let fits = match exchange.body {
            Body::None | Body::Length(0) => {
                matches!(framing, Ok(Framing::None | Framing::Length(0)))
            }
            Body::Length(size) => framing == Ok(Framing::Length(size)),
            _ => framing == Ok(Framing::Chunked),
        };
        if !fits {
            self.problem(nth, format!("the app saw the framing {:?}", seen.head));
        }
        if let Upgrade::Accepted { up, .. } = exchange.upgrade {
            let wanted = content(name.key(true), up);
            return self.tunnel(nth, "app", seen.answered, &seen.tunnel, &wanted);
        }
        let mut wanted = Received {
            bytes: content(name.key(true), exchange.body.size()),
            trailers: Vec::new(),
        };
        if exchange.body.has_trailers() {
            wanted.trailers = vec![("x-end".to_owned(), name.token(true))];
        }
        self.compare(nth, "app", seen.whole, &seen.body, &wanted);
    }

    fn compare(&mut self, nth: usize, who: &str, whole: bool, got: &Received, wanted: &Received) {
        if !wanted.bytes.starts_with(&got.bytes) {
            self.problem(nth, format!("the {who} got other content"));
        } else if whole && got.bytes.len() < wanted.bytes.len() {
            let (got, wanted) = (got.bytes.len(), wanted.bytes.len());
            self.problem(
                nth,
                format!("the {who} took {got} of {wanted} bytes for the whole"),
            );
        } else if whole && got.trailers != wanted.trailers {
            self.problem(
                nth,
                format!("the {who} got the trailers {:?}", got.trailers),
            );
        }
    }

    fn tunnel(
        &mut self,
        nth: usize,
        who: &str,
        switched: bool,
        got: &Option<(Vec<u8>, bool)>,
        wanted: &[u8],
    ) {
        let whole = self.fired.is_empty();
        let Some((bytes, clean)) = got else {
            if whole {
                self.problem(
                    nth,
                    format!("the {who} got no tunnel (switched: {switched})"),
                );
            }
            return;
        };
        if !wanted.starts_with(bytes) {
            self.problem(nth, format!("the {who} got other bytes through the tunnel"));
        }
        if whole && (bytes.len() < wanted.len() || !clean) {
            let (bytes, wanted) = (bytes.len(), wanted.len());
            self.problem(nth, format!("the {who} got {bytes} of {wanted} bytes through the tunnel, ended well: {clean}"));
        }
        // An end that nobody meant must not look like one.
        let broken = |fault: &Fault| {
            let no_end = self.over == Over::Tls && fault.stream.is_clients();
            fault.kind == Kind::Reset || no_end
        };
        let only = !self.fired.is_empty() && self.fired.iter().all(broken);
        if only && *clean && bytes.len() < wanted.len() {
            let (bytes, wanted) = (bytes.len(), wanted.len());
            self.problem(nth, format!("the {who} got {bytes} of {wanted} bytes through a tunnel that broke, and took them for all"));
        }
    }
}
