//! One sign of theft, as it is told to others.

use std::net::IpAddr;

use http::request::Parts;
use sealwax_policy::{Change, Rule};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::log::escape;

/// Of the form below. Fields may be added without a new number.
const VERSION: u32 = 1;

/// What was seen, in words that hold no secret: never a value of a cookie, never a query.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    rule: Rule,
    site: String,
    /// The cookie, or what else of the request it was.
    subject: String,
    /// The short name of the key that the cookie is bound to.
    key: Option<String>,
    /// The host that the cookie was sealed for.
    sealed_for: Option<String>,
    client: Option<IpAddr>,
    method: String,
    path: String,
    /// Seconds since 1970.
    time: u64,
    /// False in report mode: nothing was withheld.
    applied: bool,
    /// How often it was seen since it was last told.
    pub(crate) count: u64,
}

impl Event {
    pub(crate) fn of(
        site: &str,
        change: &Change,
        asked: &Parts,
        client: Option<IpAddr>,
        time: u64,
    ) -> Self {
        let before = || change.before.as_deref().map(printable);
        // Of the other rules it may be a value.
        let (key, sealed_for) = match change.rule {
            Rule::BindUnproven | Rule::BindOtherKey => (before(), None),
            Rule::SealOtherHost => (None, before()),
            _ => (None, None),
        };
        Self {
            rule: change.rule,
            site: site.to_owned(),
            subject: printable(&change.subject),
            key,
            sealed_for,
            client,
            method: printable(asked.method.as_str()),
            path: printable(asked.uri.path()),
            time,
            applied: change.applied,
            count: 1,
        }
    }

    /// The same for the same sign, cookie, key and network of the client, on every node and after
    /// every restart: what belongs together can be found by it. Eight bytes of a hash of what the
    /// event says anyway.
    pub(crate) fn id(&self) -> u64 {
        let network = self.client.map(network).unwrap_or_default();
        let mut hash = Sha256::new();
        let parts: [&[u8]; 6] = [
            self.rule.id().as_bytes(),
            self.site.as_bytes(),
            self.subject.as_bytes(),
            self.key.as_deref().unwrap_or_default().as_bytes(),
            self.sealed_for.as_deref().unwrap_or_default().as_bytes(),
            &network,
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        hash.iter()
            .take(8)
            .fold(0, |id, byte| id << 8 | u64::from(*byte))
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "version": VERSION,
            "event": self.rule.id(),
            "id": format!("{:016x}", self.id()),
            "time": self.time,
            "site": self.site,
            "subject": self.subject,
            "key": self.key,
            "sealed_for": self.sealed_for,
            "client": self.client,
            "method": self.method,
            "path": self.path,
            "applied": self.applied,
            "count": self.count,
            "reason": self.rule.reason(),
            "reference": self.rule.reference(),
        })
    }

    pub(crate) fn log(&self) {
        tracing::warn!(
            target: "sealwax",
            event = self.rule.id(),
            id = format!("{:016x}", self.id()),
            site = self.site,
            subject = self.subject,
            key = self.key,
            sealed_for = self.sealed_for,
            client = self.client.map(tracing::field::display),
            method = self.method,
            path = self.path,
            applied = self.applied,
            count = self.count,
            "a sign of theft: {}", self.rule.reason()
        );
    }
}

fn printable(text: &str) -> String {
    escape(text.as_bytes()).into_owned()
}

/// Who changes the address within it is the same client still: /24 for IPv4, /48 for IPv6.
fn network(client: IpAddr) -> Vec<u8> {
    match client.to_canonical() {
        IpAddr::V4(address) => address.octets().into_iter().take(3).collect(),
        IpAddr::V6(address) => address.octets().into_iter().take(6).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use sealwax_policy::Action;

    fn event(change: &Change, client: &str) -> Event {
        let request = Request::get("https://a.test/account/?token=hush").body(());
        let asked = request.unwrap().into_parts().0;
        Event::of("a.test", change, &asked, client.parse().ok(), 1_800_000_000)
    }

    #[test]
    fn an_event_says_what_was_seen_and_no_secret() {
        let bound = Change::new(Rule::BindUnproven, Action::Removed, "__Host-sid").before(b"k1");
        let json = event(&bound, "203.0.113.9").to_json();
        assert_eq!(json["event"], "bind.unproven");
        assert_eq!((&json["key"], &json["count"]), (&json!("k1"), &json!(1)));
        assert_eq!(json["path"], "/account/");
        assert_eq!(json["id"].as_str().map(str::len), Some(16));
        for rule in [Rule::SealForged, Rule::BindRefused, Rule::BindProofUnusable] {
            let change = Change::new(rule, Action::Removed, "sid\n\u{202e}").before(b"hush");
            let text = event(&change, "203.0.113.9").to_json().to_string();
            assert!(!text.contains("hush") && text.is_ascii(), "{text}");
        }
    }

    #[test]
    fn what_belongs_together_has_one_id() {
        let bound =
            |key: &[u8]| Change::new(Rule::BindUnproven, Action::Removed, "sid").before(key);
        let id = |change: &Change, client| event(change, client).id();
        let first = id(&bound(b"k1"), "203.0.113.9");
        assert_eq!(first, id(&bound(b"k1"), "203.0.113.200"));
        assert_eq!(first, id(&bound(b"k1"), "::ffff:203.0.113.1"));
        assert_ne!(first, id(&bound(b"k1"), "203.0.114.9"));
        assert_ne!(first, id(&bound(b"k2"), "203.0.113.9"));
        let other = Change::new(Rule::BindOtherKey, Action::Removed, "sid").before(b"k1");
        assert_ne!(first, id(&other, "203.0.113.9"));
    }
}
