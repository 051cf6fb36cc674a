//! What is written down: one access event per request, and lines for the
//! operator that do not repeat themselves.
//!
//! Everything that came from outside is escaped, so that nobody can forge a
//! line or move a terminal's cursor.

use std::borrow::Cow;
use std::cell::Cell;
use std::net::IpAddr;
use std::time::Instant;

use http::{Request, StatusCode, Version};
use sealwax_policy::Change;
use tokio::time::Duration;

/// Longest piece of foreign text in one line.
const MAX_TEXT: usize = 512;

/// The same complaint is written at most this often.
const QUIET_FOR: Duration = Duration::from_secs(10);

/// Foreign bytes as safe text.
pub(crate) fn escape(bytes: &[u8]) -> Cow<'_, str> {
    let cut = bytes.get(..MAX_TEXT).unwrap_or(bytes);
    match std::str::from_utf8(cut) {
        Ok(text) if cut.len() == bytes.len() && text.chars().all(is_harmless) => {
            Cow::Borrowed(text)
        }
        _ if cut.len() < bytes.len() => Cow::Owned(format!("{}…", cut.escape_ascii())),
        _ => Cow::Owned(cut.escape_ascii().to_string()),
    }
}

/// Neither ends a line nor turns the order of what follows: of all that is
/// beyond ASCII, letters and digits only.
fn is_harmless(char: char) -> bool {
    char == ' ' || char.is_ascii_graphic() || (!char.is_ascii() && char.is_alphanumeric())
}

/// Whether somebody reads every change that the policy makes.
pub(crate) fn changes_are_wanted() -> bool {
    tracing::enabled!(target: "sealwax::changes", tracing::Level::DEBUG)
}

/// One change, with what was there before and after: for debugging, since those
/// may hold secrets.
pub(crate) fn every_change(site: &str, change: &Change) {
    tracing::debug!(
        target: "sealwax::changes",
        site,
        rule = change.rule.id(),
        action = change.action.as_str(),
        subject = %escape(change.subject.as_bytes()),
        before = change.before.as_deref().map(|text| escape(text.as_bytes()).into_owned()),
        after = change.after.as_deref().map(|text| escape(text.as_bytes()).into_owned()),
        applied = change.applied,
    );
}

/// A change that somebody should know of; never a value.
pub(crate) fn news(site: &str, change: &Change) {
    let (rule, action) = (change.rule.id(), change.action.as_str());
    let subject = escape(change.subject.as_bytes());
    let reason = change.rule.reason();
    let applied = change.applied;
    if change.rule.needs_attention() {
        tracing::warn!(target: "sealwax", site, rule, action, %subject, applied, "{reason}");
    } else {
        tracing::info!(target: "sealwax", site, rule, action, %subject, applied, "{reason}");
    }
}

/// The record of one request, written when its response is over.
pub(crate) struct Access {
    started: Instant,
    method: http::Method,
    host: String,
    path: String,
    version: Version,
    client: Option<IpAddr>,
    tls: bool,
    status: u16,
    upstream: String,
    reference: Option<String>,
    bytes: u64,
    whole: bool,
}

impl Access {
    /// A record, if anybody reads them.
    pub(crate) fn begin<B>(head: &Request<B>, client: IpAddr, tls: bool) -> Option<Box<Self>> {
        if !tracing::enabled!(target: "sealwax::access", tracing::Level::INFO) {
            return None;
        }
        let host = head
            .headers()
            .get(http::header::HOST)
            .map(http::HeaderValue::as_bytes);
        let host = host.or_else(|| {
            head.uri()
                .authority()
                .map(|authority| authority.as_str().as_bytes())
        });
        Some(Box::new(Self {
            started: Instant::now(),
            method: head.method().clone(),
            host: escape(host.unwrap_or_default()).into_owned(),
            path: escape(head.uri().path().as_bytes()).into_owned(),
            version: head.version(),
            client: Some(client),
            tls,
            status: 0,
            upstream: String::new(),
            reference: None,
            bytes: 0,
            whole: true,
        }))
    }

    pub(crate) fn set_client(&mut self, client: Option<IpAddr>) {
        self.client = client;
    }

    pub(crate) fn set_upstream(&mut self, name: &str) {
        self.upstream.push_str(name);
    }

    pub(crate) fn set_status(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    /// What the page tells the visitor, so that the visitor can tell us.
    pub(crate) fn set_reference(&mut self, reference: String) {
        self.reference = Some(reference);
    }

    pub(crate) fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Whether the end of the response has been seen.
    pub(crate) fn set_whole(&mut self, whole: bool) {
        self.whole = whole;
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        let micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let client = self.client.map(tracing::field::display);
        tracing::info!(
            target: "sealwax::access",
            method = %self.method,
            host = self.host,
            path = self.path,
            status = self.status,
            bytes = self.bytes,
            whole = self.whole,
            micros,
            client,
            upstream = self.upstream,
            reference = self.reference,
            protocol = ?self.version,
            tls = self.tls,
        );
    }
}

/// Keeps one kind of complaint from filling the log.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    said: Cell<Option<Instant>>,
    swallowed: Cell<u64>,
}

impl Quiet {
    /// Calls `line` with the number of complaints swallowed since the last one,
    /// unless that was just now.
    pub(crate) fn say(&self, line: impl FnOnce(u64)) {
        let now = Instant::now();
        if self
            .said
            .get()
            .is_some_and(|said| now.saturating_duration_since(said) < QUIET_FOR)
        {
            self.swallowed.set(self.swallowed.get() + 1);
            return;
        }
        self.said.set(Some(now));
        line(self.swallowed.take());
    }
}

pub(crate) fn broken_response(upstream: &str, how: &str, repeated: u64) {
    tracing::warn!(
        target: "sealwax",
        upstream,
        repeated,
        "the response of {upstream} was cut short: {how}; the client was told so. Look at the app's own log for a crash or a worker timeout"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_forge_a_line() {
        assert_eq!(escape(b"/plain?q=1"), "/plain?q=1");
        assert_eq!(escape("/café".as_bytes()), "/café");
        assert_eq!(escape(b"/\x1b[2J\nforged"), r"/\x1b[2J\nforged");
        assert_eq!(escape(b"\xff"), r"\xff");
        // Right-to-left override, line separator, zero-width no-break space.
        for char in ['\u{202e}', '\u{2028}', '\u{feff}'] {
            let text = format!("/x{char}gpj.exe");
            assert!(escape(text.as_bytes()).is_ascii(), "{char:?}");
        }
        assert!(escape(&[b'a'; 10_000]).len() < 600);
    }

    #[test]
    fn a_complaint_is_counted_rather_than_repeated() {
        let quiet = Quiet::default();
        let said = Cell::new(0);
        for _ in 0..5 {
            quiet.say(|_| said.set(said.get() + 1));
        }
        assert_eq!((said.get(), quiet.swallowed.get()), (1, 4));
    }
}
