//! Content-Security-Policy (W3C CSP Level 3): the text, with a nonce that is
//! new in each response, by the rules of Django 6 (`SECURE_CSP`).

use std::collections::BTreeSet;
use std::fmt;

use http::header::{self, HeaderName, HeaderValue};

use crate::explain::{Action, Change, Rule};

/// A policy as it is configured: directives in their order.
///
/// ```
/// use sealwax_policy::{Csp, Disposition};
///
/// let policy = Csp::new(Disposition::Enforce)
///     .directive("default-src", Csp::SELF)
///     .directive("script-src", [Csp::SELF, Csp::NONCE])
///     .compile()
///     .unwrap();
/// // Once per response; the nonce is the one that the page was rendered with.
/// let value = policy.value(Some("q2W3eQ_dRYm8fzLS-Xc0_A")).unwrap();
/// assert_eq!(value, "default-src 'self'; script-src 'self' 'nonce-q2W3eQ_dRYm8fzLS-Xc0_A'");
/// assert_eq!(policy.value(None).unwrap(), "default-src 'self'; script-src 'self'");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csp {
    disposition: Disposition,
    directives: Vec<(String, Sources)>,
}

/// What browsers do with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disposition {
    /// Enforce it: `Content-Security-Policy` (Django: `SECURE_CSP`).
    #[default]
    Enforce,
    /// Only report: `Content-Security-Policy-Report-Only` (Django:
    /// `SECURE_CSP_REPORT_ONLY`).
    Report,
}

impl Disposition {
    /// The header that carries the policy.
    #[must_use]
    pub fn header(self) -> HeaderName {
        match self {
            Self::Enforce => header::CONTENT_SECURITY_POLICY,
            Self::Report => header::CONTENT_SECURITY_POLICY_REPORT_ONLY,
        }
    }
}

/// What a directive allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// The directive is left out (Django: `None`, `False`).
    Off,
    /// The directive stands alone: `upgrade-insecure-requests` (Django: `True`).
    Bare,
    /// Values in this order; none left leaves the directive out.
    List(Vec<String>),
    /// Values in alphabetical order (Django: a set).
    Set(BTreeSet<String>),
}

impl From<bool> for Sources {
    fn from(on: bool) -> Self {
        if on { Self::Bare } else { Self::Off }
    }
}

impl From<&str> for Sources {
    fn from(value: &str) -> Self {
        Self::List(vec![value.to_owned()])
    }
}

impl<const N: usize> From<[&str; N]> for Sources {
    fn from(values: [&str; N]) -> Self {
        Self::List(values.map(str::to_owned).into())
    }
}

impl Csp {
    /// In place of a source, stands for `'nonce-…'` with the response's nonce;
    /// a response that made none leaves the source out.
    pub const NONCE: &'static str = "<CSP_NONCE_SENTINEL>";
    /// `'none'`: nothing at all.
    pub const NONE: &'static str = "'none'";
    /// `'self'`: the page's own origin.
    pub const SELF: &'static str = "'self'";
    /// `'strict-dynamic'`: what a trusted script loads is trusted.
    pub const STRICT_DYNAMIC: &'static str = "'strict-dynamic'";
    /// `'report-sample'`: reports carry a piece of what was refused.
    pub const REPORT_SAMPLE: &'static str = "'report-sample'";
    /// `'unsafe-inline'`: scripts and styles in the page itself.
    pub const UNSAFE_INLINE: &'static str = "'unsafe-inline'";
    /// `'unsafe-eval'`: code from text.
    pub const UNSAFE_EVAL: &'static str = "'unsafe-eval'";
    /// `'unsafe-hashes'`: event handlers whose hash is listed.
    pub const UNSAFE_HASHES: &'static str = "'unsafe-hashes'";
    /// `'wasm-unsafe-eval'`: WebAssembly from bytes.
    pub const WASM_UNSAFE_EVAL: &'static str = "'wasm-unsafe-eval'";

    /// A policy without directives, which adds no header.
    #[must_use]
    pub fn new(disposition: Disposition) -> Self {
        Self {
            disposition,
            directives: Vec::new(),
        }
    }

    /// Adds a directive after the others.
    #[must_use]
    pub fn directive(mut self, name: impl Into<String>, sources: impl Into<Sources>) -> Self {
        self.directives.push((name.into(), sources.into()));
        self
    }

    /// The policy's text, unchecked, as Django writes it.
    #[must_use]
    pub fn text(&self, nonce: Option<&str>) -> String {
        match nonce {
            Some(nonce) => self.pieces(true).join(&source(nonce)),
            None => self.pieces(false).concat(),
        }
    }

    /// Checks the policy and prepares its header.
    ///
    /// # Errors
    /// A directive that would not say what it was meant to.
    pub fn compile(&self) -> Result<CspHeader, CspMistake> {
        for (name, sources) in &self.directives {
            let name_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if name.is_empty() || !name.bytes().all(name_byte) {
                return Err(CspMistake::Name(name.clone()));
            }
            // `;` and `,` end a directive and a policy, whatever stands around them.
            let value_byte = |byte: u8| matches!(byte, b' '..=b'~') && !b";,".contains(&byte);
            let values: &mut dyn Iterator<Item = &String> = match sources {
                Sources::List(list) => &mut list.iter(),
                Sources::Set(set) => &mut set.iter(),
                Sources::Off | Sources::Bare => &mut std::iter::empty(),
            };
            for value in values {
                if value.is_empty() || !value.bytes().all(value_byte) {
                    return Err(CspMistake::Value(name.clone(), value.clone()));
                }
            }
        }
        let plain = HeaderValue::try_from(self.text(None));
        Ok(CspHeader {
            disposition: self.disposition,
            plain: plain.ok().filter(|value| !value.is_empty()),
            around_nonces: self.pieces(true),
        })
    }

    /// The text, cut where a nonce comes in. Without nonces it is one piece.
    fn pieces(&self, nonces: bool) -> Vec<String> {
        let mut pieces = Pieces::default();
        for (name, sources) in &self.directives {
            let values: Vec<&str> = match sources {
                Sources::Off => continue,
                Sources::Bare => Vec::new(),
                Sources::List(list) => list.iter().map(String::as_str).collect(),
                Sources::Set(set) => set.iter().map(String::as_str).collect(),
            };
            let mut values = values
                .into_iter()
                .filter(|value| nonces || *value != Self::NONCE)
                .peekable();
            if values.peek().is_none() && *sources != Sources::Bare {
                continue;
            }
            pieces.directive(name, values);
        }
        pieces.finish()
    }
}

fn source(nonce: &str) -> String {
    format!("'nonce-{nonce}'")
}

/// Text under construction: whole pieces, each followed by a nonce, and the
/// piece that grows.
#[derive(Default)]
struct Pieces {
    done: Vec<String>,
    last: String,
}

impl Pieces {
    fn directive<'v>(&mut self, name: &str, values: impl Iterator<Item = &'v str>) {
        if !(self.done.is_empty() && self.last.is_empty()) {
            self.last.push_str("; ");
        }
        self.last.push_str(name);
        for value in values {
            self.last.push(' ');
            match value {
                Csp::NONCE => self.done.push(std::mem::take(&mut self.last)),
                text => self.last.push_str(text),
            }
        }
        self.last.truncate(self.last.trim_end().len());
    }

    fn finish(mut self) -> Vec<String> {
        self.done.push(self.last);
        self.done
    }
}

/// A policy that is ready to be sent ([`Csp::compile`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CspHeader {
    disposition: Disposition,
    /// The value of a response without a nonce; `None` where nothing is left.
    plain: Option<HeaderValue>,
    around_nonces: Vec<String>,
}

impl CspHeader {
    /// The header that carries the policy.
    #[must_use]
    pub fn name(&self) -> HeaderName {
        self.disposition.header()
    }

    /// Whether a nonce makes a difference.
    #[must_use]
    pub fn wants_nonce(&self) -> bool {
        self.around_nonces.len() > 1
    }

    /// The value of one response. `nonce` is the one the page was rendered
    /// with, base64 text (CSP Level 3 §2.3.1); `None` where it used none.
    /// `None` comes back where no header is to be sent: a policy without
    /// directives, or a nonce that is no base64 text.
    #[must_use]
    pub fn value(&self, nonce: Option<&str>) -> Option<HeaderValue> {
        match nonce {
            Some(nonce) if self.wants_nonce() => {
                let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
                if nonce.is_empty() || !nonce.bytes().all(base64) {
                    return None;
                }
                HeaderValue::try_from(self.around_nonces.join(&source(nonce))).ok()
            }
            _ => self.plain.clone(),
        }
    }

    /// That the header was added, for the record.
    #[must_use]
    pub fn change(&self, value: &HeaderValue) -> Change {
        let rule = match self.disposition {
            Disposition::Enforce => Rule::CspAdded,
            Disposition::Report => Rule::CspReportOnlyAdded,
        };
        Change::new(rule, Action::Added, self.name().as_str()).after(value.as_bytes())
    }
}

/// Why a policy cannot be sent. The text names the directive and the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CspMistake {
    /// The name of a directive.
    Name(String),
    /// A directive and one of its values.
    Value(String, String),
}

impl fmt::Display for CspMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "the CSP directive {name:?} is no name; write letters and dashes: `script-src`"
            ),
            Self::Value(name, value) => write!(
                f,
                "the CSP directive `{name}` has the value {value:?}, which is empty or holds a \
                 character that would end the directive; write one source: `'self'`, \
                 `https://cdn.example.com`"
            ),
        }
    }
}

impl std::error::Error for CspMistake {}

#[cfg(test)]
mod tests {
    use super::*;

    fn enforce() -> Csp {
        Csp::new(Disposition::Enforce)
    }

    #[test]
    fn directives_come_in_their_order_as_django_writes_them() {
        let set = ["https://b.test", "'self'"].map(str::to_owned);
        let csp = enforce()
            .directive("default-src", [Csp::SELF, "https://a.test"])
            .directive("object-src", Sources::Off)
            .directive("upgrade-insecure-requests", true)
            .directive("img-src", Sources::Set(set.into()))
            .directive("base-uri", Csp::NONE)
            .directive("font-src", Sources::List(Vec::new()));
        assert_eq!(
            csp.text(None),
            "default-src 'self' https://a.test; upgrade-insecure-requests; \
             img-src 'self' https://b.test; base-uri 'none'"
        );
        assert_eq!(
            csp.compile().unwrap().value(Some("abc")).unwrap(),
            csp.text(None).as_str()
        );
    }

    #[test]
    fn a_nonce_that_was_not_made_is_left_out() {
        let csp = enforce()
            .directive("script-src", [Csp::NONCE, Csp::SELF, Csp::NONCE])
            .directive("style-src", Csp::NONCE)
            .directive("img-src", Csp::SELF);
        assert_eq!(csp.text(None), "script-src 'self'; img-src 'self'");
        let with =
            "script-src 'nonce-Ab_-' 'self' 'nonce-Ab_-'; style-src 'nonce-Ab_-'; img-src 'self'";
        assert_eq!(csp.text(Some("Ab_-")), with);
        let header = csp.compile().unwrap();
        assert!(header.wants_nonce());
        assert_eq!(header.value(Some("Ab_-")).unwrap(), with);
        assert_eq!(
            header.value(None).unwrap(),
            "script-src 'self'; img-src 'self'"
        );
        assert_eq!(header.value(Some("x'; script-src *")), None);
        assert_eq!(header.value(Some("")), None);
    }

    #[test]
    fn a_policy_that_says_nothing_is_not_sent() {
        assert_eq!(enforce().compile().unwrap().value(None), None);
        let only_nonce = enforce()
            .directive("script-src", Csp::NONCE)
            .compile()
            .unwrap();
        assert_eq!(only_nonce.value(None), None);
        assert_eq!(only_nonce.value(Some("a")).unwrap(), "script-src 'nonce-a'");
    }

    #[test]
    fn what_would_end_a_directive_is_refused() {
        for (name, value) in [
            ("script-src", "'self'; object-src *"),
            ("script-src", "'self', default-src *"),
            ("script-src", "https://caf\u{e9}.example"),
            ("script-src", "a\r\nSet-Cookie: x=1"),
            ("script-src", ""),
            ("script src", "'self'"),
            ("", "'self'"),
        ] {
            let mistake = enforce().directive(name, value).compile().unwrap_err();
            assert!(mistake.to_string().contains("write "), "{mistake}");
        }
    }

    #[test]
    fn each_disposition_has_its_header_and_rule() {
        let report = Csp::new(Disposition::Report).directive("default-src", Csp::SELF);
        let header = report.compile().unwrap();
        assert_eq!(header.name(), "content-security-policy-report-only");
        let value = header.value(None).unwrap();
        assert_eq!(header.change(&value).rule.id(), "csp.report-only");
    }
}
