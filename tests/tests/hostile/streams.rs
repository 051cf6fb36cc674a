//! How the tables of [`crate::http2`] are played.

use futures_util::StreamExt;
use sealwax_tests::frames::{Frames, block, flag, kind};
use sealwax_tests::{Record, Recorder, run};

use crate::case::{HOST, Seen, bytes};
use crate::pending;
use crate::stage::{Stage, host, replace};

/// The head of a good GET.
pub(crate) const GET: &str = ":method: GET⏎:scheme: https⏎:authority: HOST⏎:path: /";

#[derive(Clone)]
pub(crate) enum Want {
    /// A reset, the end of the connection or one of these; nothing whole reaches the app.
    Refused(&'static [u16]),
    Passed(Seen),
    /// Refused with 400, or passed so.
    Either(Seen),
    /// The fault shows when the app may have all that was announced: nothing, or exactly that.
    Announced(Seen),
}

/// Lines of fields, pieces of data, lines of trailers.
pub(crate) struct Case {
    name: &'static str,
    head: String,
    pub(crate) data: &'static [&'static str],
    pub(crate) trailers: Option<&'static str>,
    want: Want,
    why: &'static str,
}

/// `name: value`, the pseudo-headers' own colon apart; what has no `: ` is a name alone.
pub(crate) fn fields(lines: &str, host: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    lines
        .split('⏎')
        .map(|line| {
            let line = replace(&bytes(line), HOST.as_bytes(), host.as_bytes());
            let colon = line.iter().skip(1).position(|&byte| byte == b':');
            let (name, value) = line.split_at(colon.map_or(line.len(), |at| at + 1));
            let value = value.strip_prefix(b":").unwrap_or(value);
            let value = value.strip_prefix(b" ").unwrap_or(value);
            (name.to_vec(), value.to_vec())
        })
        .collect()
}

#[derive(Default)]
pub(crate) struct Cases(Vec<Case>);

impl Cases {
    pub(crate) fn refused(&mut self, why: &'static str, rows: &[(&'static str, &str)]) {
        for (name, head) in rows {
            self.add(why, Want::Refused(&[400]), name, head);
        }
    }

    pub(crate) fn add(
        &mut self,
        why: &'static str,
        want: Want,
        name: &'static str,
        head: &str,
    ) -> &mut Case {
        assert!(
            self.0.iter().all(|case| case.name != name),
            "{name} comes twice"
        );
        self.0.push(Case {
            name,
            head: head.to_owned(),
            data: &[],
            trailers: None,
            want,
            why,
        });
        self.0.last_mut().unwrap()
    }
}

/// Plays all cases and compares what happened with what should.
pub(crate) fn judge(family: &str, cases: Cases) {
    let cases = cases.0;
    run(120, async {
        let stage = Stage::new(cases.len(), "", async |_| Recorder::echo().await).await;
        let played = futures_util::stream::iter(cases.iter().enumerate())
            .map(async |(number, case)| play(&stage, number, case).await)
            .buffered(16);
        let ends: Vec<(End, End)> = played.collect().await;
        let records = stage.finish().await;
        let outcomes = cases.iter().zip(ends).zip(&records).enumerate();
        let outcomes = outcomes.map(|(number, ((case, (end, after)), record))| {
            let verdict = verdict(case, &host(number), end, after, record);
            let told = |fault| format!("{fault}\n    in: {}\n    rule: {}", case.head, case.why);
            (case.name, verdict.map_err(told))
        });
        pending::compare(family, outcomes);
    });
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Answered(u16),
    /// With this code (RFC 9113 §7).
    Reset(u32),
    Gone,
}

/// Plays the case on stream 1 and, whatever becomes of it, a good request on stream 3.
async fn play(stage: &Stage, number: usize, case: &Case) -> (End, End) {
    let host = host(number);
    let mut frames = Frames::connect(stage.gateway.https, &stage.tls, &host)
        .await
        .unwrap();
    let ends = |last: bool| if last { flag::END_STREAM } else { flag::NONE };
    let no_body = case.data.is_empty() && case.trailers.is_none();
    let head = block(&fields(&case.head, &host));
    frames
        .send(kind::HEADERS, flag::END_HEADERS | ends(no_body), 1, &head)
        .await;
    for (at, data) in case.data.iter().enumerate() {
        let last = at + 1 == case.data.len() && case.trailers.is_none();
        frames
            .send(kind::DATA, ends(last), 1, data.as_bytes())
            .await;
    }
    if let Some(trailers) = case.trailers {
        let trailers = block(&fields(trailers, &host));
        let flags = flag::END_HEADERS | flag::END_STREAM;
        frames.send(kind::HEADERS, flags, 1, &trailers).await;
    }
    let first = end(&mut frames, 1).await;
    let after = block(&fields(&GET.replace(":path: /", ":path: /after"), &host));
    let flags = flag::END_HEADERS | flag::END_STREAM;
    frames.send(kind::HEADERS, flags, 3, &after).await;
    (first, end(&mut frames, 3).await)
}

pub(crate) async fn end(frames: &mut Frames, stream: u32) -> End {
    let mut status = None;
    while let Some(frame) = frames.next().await {
        match frame.kind {
            kind::GOAWAY if frame.error_code() != Some(0) => return End::Gone,
            kind::HEADERS if frame.stream == stream => {
                status = status.or(frame.status().filter(|status| *status >= 200));
            }
            kind::RST_STREAM if frame.stream == stream => {
                // After an answer it only says that the rest of the request is not wanted.
                let code = frame.error_code().unwrap_or_default();
                return status.map_or(End::Reset(code), End::Answered);
            }
            _ => {}
        }
        if let (Some(status), true) = (status, frame.stream == stream && frame.ends_stream()) {
            return End::Answered(status);
        }
    }
    End::Gone
}

fn verdict(case: &Case, host: &str, end: End, after: End, record: &Record) -> Result<(), String> {
    if let Some(bad) = record.connections.iter().find_map(|one| one.bad.as_ref()) {
        return Err(format!("what reached the app is no exact request: {bad}"));
    }
    let mut requests: Vec<_> = record.requests.iter().map(|(_, request)| request).collect();
    match (requests.last().map(|one| one.target()), after) {
        (Some("/after"), End::Answered(200)) => drop(requests.pop()),
        // A fault of the whole connection takes the next request along.
        (_, End::Gone) if end == End::Gone => {}
        _ => return Err(format!("the next request ended as {after:?} after {end:?}")),
    }
    let refused = |statuses: &[u16]| match (end, &requests[..]) {
        (End::Answered(status), []) if statuses.contains(&status) => Ok(()),
        (End::Reset(_) | End::Gone, []) => Ok(()),
        (end, requests) => Err(format!(
            "ended as {end:?}, and the app saw {}",
            requests.len()
        )),
    };
    let passed = |seen: &Seen| match (end, &requests[..]) {
        (End::Answered(200), [request]) => seen.matches(request, host),
        (end, requests) => Err(format!(
            "ended as {end:?}, and the app saw {}",
            requests.len()
        )),
    };
    match &case.want {
        Want::Refused(statuses) => refused(statuses),
        Want::Passed(seen) => passed(seen),
        Want::Either(seen) => refused(&[400]).or_else(|_| passed(seen)),
        Want::Announced(seen) => match &requests[..] {
            [request] => seen.matches(request, host),
            _ => refused(&[400]),
        },
    }
}
