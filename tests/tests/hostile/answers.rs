//! How the tables of [`crate::app`] are played.

use futures_util::StreamExt;
use sealwax_tests::wire::{self, Read};
use sealwax_tests::{Answer, Client, Record, Recorder, Step, echo_body, echo_response, run};

use crate::case::bytes;
use crate::pending;
use crate::stage::{Heard, Listener, Stage, host, printable};

/// What the client should get.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// 502 and nothing of what the app said.
    Bad,
    /// 502, or an answer that is seen to break off.
    Cut,
    /// This.
    Whole(u16, Vec<u8>),
    /// Practice leaves both.
    BadOr(u16, Vec<u8>),
}

pub(crate) struct Case {
    name: String,
    pub(crate) method: &'static str,
    pub(crate) answer: Vec<u8>,
    pub(crate) end: Option<Step>,
    want: Want,
    why: &'static str,
}

#[derive(Default)]
pub(crate) struct Cases(Vec<Case>);

impl Cases {
    pub(crate) fn add(
        &mut self,
        why: &'static str,
        want: Want,
        name: &str,
        answer: &str,
    ) -> &mut Case {
        self.0.push(Case {
            name: name.to_owned(),
            method: "GET",
            answer: bytes(answer),
            end: None,
            want,
            why,
        });
        self.0.last_mut().unwrap()
    }

    pub(crate) fn all(&mut self, why: &'static str, want: &Want, rows: &[(&str, &str)]) {
        for (name, answer) in rows {
            self.add(why, want.clone(), name, answer);
        }
    }
}

pub(crate) fn hello() -> Want {
    Want::Whole(200, b"hello".to_vec())
}

/// What one exchange brought, over either protocol.
struct Got {
    heard: Option<Heard>,
    answer: Option<Answer>,
}

impl Got {
    fn judge(&self, method: &str, want: &Want) -> Result<(), String> {
        match want {
            Want::BadOr(status, body) => self.judge(method, &Want::Bad).or_else(|first| {
                let whole = Want::Whole(*status, body.clone());
                self.judge(method, &whole)
                    .map_err(|second| format!("{first} and {second}"))
            }),
            _ => match self.whole(method)? {
                None if matches!(want, Want::Cut) => Ok(()),
                None => Err("it broke off".to_owned()),
                Some((502, _)) if matches!(want, Want::Bad | Want::Cut) => Ok(()),
                Some(got) => match want {
                    Want::Whole(status, body) if got == (*status, body.clone()) => Ok(()),
                    _ => Err(format!("got {} with {}", got.0, printable(&got.1))),
                },
            },
        }
    }

    /// Status and body of the answer; `None` where the client sees that it is not whole.
    fn whole(&self, method: &str) -> Result<Option<(u16, Vec<u8>)>, String> {
        if let Some(answer) = &self.answer {
            return Ok(Some((answer.status, answer.body.to_vec())));
        }
        let Some(heard) = &self.heard else {
            return Ok(None);
        };
        let mut rest = &heard.bytes[..];
        loop {
            match wire::response(rest, method == "HEAD", heard.closed) {
                Read::Whole(message, taken) if message.status() < 200 => rest = &rest[taken..],
                Read::Whole(message, taken) if taken == rest.len() => {
                    return Ok(Some((message.status(), message.body)));
                }
                Read::Whole(_, taken) => {
                    return Err(format!(
                        "after the answer came {}",
                        printable(&rest[taken..])
                    ));
                }
                Read::Partial if heard.closed => return Ok(None),
                Read::Partial => return Err("the connection stays open".to_owned()),
                Read::Bad(what) => return Err(format!("the client got what is no answer: {what}")),
            }
        }
    }
}

/// Each answer is given twice, over HTTP/1.1 and HTTP/2; after each somebody else asks.
pub(crate) fn judge(family: &str, cases: &Cases) {
    let cases = &cases.0;
    run(120, async {
        let app = async |number: usize| {
            let case = &cases[number];
            let mut steps = vec![Step::Send(case.answer.clone())];
            steps.extend(case.end.clone());
            Recorder::with(move |request, _| {
                if request.target() == "/attack" {
                    steps.clone()
                } else {
                    vec![Step::Send(echo_response(request))]
                }
            })
            .await
        };
        let top = "[timeouts]\nresponse_head = \"4s\"\nresponse_idle = \"4s\"";
        let stage = Stage::new(cases.len(), top, app).await;
        let played = futures_util::stream::iter(cases.iter().enumerate())
            .map(async |(number, case)| {
                let mut faults = Vec::new();
                for http2 in [false, true] {
                    let got = ask(&stage, number, case.method, "/attack", http2).await;
                    if let Err(fault) = got.judge(case.method, &case.want) {
                        faults.push(format!("HTTP/{}: {fault}", if http2 { 2 } else { 1 }));
                    }
                    let next = ask(&stage, number, "GET", "/next", http2).await;
                    let whole = Want::Whole(200, echo_body("GET", "/next", b""));
                    if let Err(fault) = next.judge("GET", &whole) {
                        faults.push(format!("the next client: {fault}"));
                    }
                }
                faults
            })
            .buffered(12);
        let faults: Vec<Vec<String>> = played.collect().await;
        let records = stage.finish().await;
        let outcomes =
            cases
                .iter()
                .zip(faults)
                .zip(&records)
                .map(|((case, mut faults), record)| {
                    faults.extend(exact(case, record));
                    let verdict = if faults.is_empty() {
                        Ok(())
                    } else {
                        Err(format!(
                            "answered {}\n    app: {}\n    rule: {}",
                            faults.join("; "),
                            printable(&case.answer),
                            case.why
                        ))
                    };
                    (case.name.as_str(), verdict)
                });
        pending::compare(family, outcomes);
    });
}

/// No request is broken, and none sent twice that an app may have worked on.
fn exact(case: &Case, record: &Record) -> Option<String> {
    let bad = record.connections.iter().find_map(|one| one.bad.clone());
    let count = record.requests.len();
    // An app that closes a kept connection without a byte has not seen the request.
    let enough = count == 4 || (count == 5 && case.answer.is_empty());
    bad.or_else(|| (!enough).then(|| format!("the app saw {count} requests, not 4")))
}

async fn ask(stage: &Stage, number: usize, method: &'static str, target: &str, http2: bool) -> Got {
    let host = host(number);
    if http2 {
        let request = Client::plain(stage.gateway.https, &host, target).tls(&stage.tls, &host);
        let answer = request.method(method).http2().try_send().await.ok();
        return Got {
            heard: None,
            answer,
        };
    }
    let input = bytes(&format!(
        "{method} {target} HTTP/1.1⏎Host: {host}⏎Connection: close⏎⏎"
    ));
    Got {
        heard: Some(stage.play(Listener::Https, number, &input, false).await),
        answer: None,
    }
}
