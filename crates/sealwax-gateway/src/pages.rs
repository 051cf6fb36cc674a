//! The gateway's own answers: small, self-contained, without scripts, in the
//! form that the client likes to read.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};

use crate::body::Body;
use crate::error::Fault;
use crate::fields::Lines;

/// Nothing but the page's own style, named by its SHA-256, may load or run.
const CSP: &str = "default-src 'none'; style-src 'sha256-ae65nIxopFPfgkNi0r+KquEOmuG31nwdTJEnGg21xzQ='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:15vh auto;padding:0 1.5rem;color:#1c1e21;background:#fff}h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:.5rem 0}aside{margin-top:2rem;padding:.8rem 1rem;border-left:3px solid #b4541a;background:#faf3ee}small{color:#666}@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#17181a}aside{background:#2a211b}small{color:#999}}";

/// The form in which a client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Html,
    Problem,
    Text,
}

/// The reference of a page, beside the page, for the access log.
#[derive(Debug, Clone)]
pub(crate) struct Reference(pub(crate) String);

/// What a page needs to know of the request; `None` of one that could not be read.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: Option<&'a Method>,
    pub(crate) fields: Option<(&'a HeaderMap, &'a Lines)>,
}

impl Asked<'_> {
    pub(crate) const UNKNOWN: Self = Self {
        method: None,
        fields: None,
    };

    fn is_head(&self) -> bool {
        self.method == Some(&Method::HEAD)
    }

    fn accept(&self) -> Option<&[u8]> {
        let (map, lines) = self.fields?;
        let judged = || map.get(header::ACCEPT).map(HeaderValue::as_bytes);
        lines.find(b"accept").or_else(judged)
    }
}

/// `/.sealwax/health`.
pub(crate) fn health(method: &Method) -> Response<Body> {
    let asked = Asked {
        method: Some(method),
        fields: None,
    };
    respond(
        StatusCode::OK,
        HeaderMap::new(),
        "text/plain; charset=utf-8",
        "ok\n".into(),
        &asked,
    )
}

/// An answer that no person reads, such as a redirect.
pub(crate) fn bare(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::own(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The page for a fault. `headers` are kept; `tell_operator` adds cause and
/// mend, for development only.
pub(crate) fn fault(
    fault: &Fault,
    headers: HeaderMap,
    reference: &str,
    tell_operator: bool,
    asked: &Asked<'_>,
) -> Response<Body> {
    let status = fault.status();
    let operator = tell_operator.then(|| fault.for_operator());
    let page = Page {
        status,
        visitor: fault.for_visitor(),
        operator: operator.as_deref(),
        reference,
    };
    let (kind, text) = match preferred(asked.accept()) {
        Form::Html => ("text/html; charset=utf-8", page.html()),
        Form::Problem => ("application/problem+json", page.problem()),
        Form::Text => ("text/plain; charset=utf-8", page.text()),
    };
    let mut response = respond(status, headers, kind, text, asked);
    response
        .extensions_mut()
        .insert(Reference(reference.to_owned()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CSP),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// A short name for one event, in the page and in the log; it tells nothing by
/// itself.
pub(crate) fn reference() -> String {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // No I, L, O, U: it may be read out on the telephone.
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bits = KEY
        .get_or_init(RandomState::new)
        .hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    let mut text = String::with_capacity(10);
    for _ in 0..10 {
        let digit = DIGITS.get((bits % 32) as usize).copied().unwrap_or(b'0');
        text.push(char::from(digit));
        bits /= 32;
    }
    text
}

fn respond(
    status: StatusCode,
    headers: HeaderMap,
    kind: &'static str,
    text: String,
    asked: &Asked<'_>,
) -> Response<Body> {
    let length = text.len();
    let body = if asked.is_head() {
        Bytes::new()
    } else {
        Bytes::from(text)
    };
    let mut response = Response::new(Body::own(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

struct Page<'p> {
    status: StatusCode,
    visitor: &'p str,
    operator: Option<&'p str>,
    reference: &'p str,
}

impl Page<'_> {
    fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    fn html(&self) -> String {
        let (code, title) = (self.status.as_u16(), self.title());
        let mut page = format!(
            "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>{code} {title}</title><style>{STYLE}</style>\n<h1>{title}</h1>\n<p>{}</p>\n",
            html_escape(self.visitor)
        );
        if let Some(operator) = self.operator {
            let _ = writeln!(
                page,
                "<aside><strong>For whoever runs this site</strong><p>{}</p>\
                 <small>Shown in development, and where the certificate is a local one.</small></aside>",
                html_escape(operator)
            );
        }
        let _ = writeln!(
            page,
            "<p><small>{code} · Reference {}</small></p>\n</html>",
            self.reference
        );
        page
    }

    /// RFC 9457.
    fn problem(&self) -> String {
        let mut text = format!(
            "{{\"type\":\"about:blank\",\"title\":{},\"status\":{},\"detail\":{},\"reference\":{}",
            json_string(self.title()),
            self.status.as_u16(),
            json_string(self.visitor),
            json_string(self.reference)
        );
        if let Some(operator) = self.operator {
            let _ = write!(text, ",\"operator\":{}", json_string(operator));
        }
        text.push_str("}\n");
        text
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{} {}\n{}\n",
            self.status.as_u16(),
            self.title(),
            self.visitor
        );
        if let Some(operator) = self.operator {
            let _ = writeln!(text, "For whoever runs this site: {operator}");
        }
        let _ = writeln!(text, "Reference {}", self.reference);
        text
    }
}

fn html_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// What the client likes best (RFC 9110 §12.5.1). Whoever has no preference
/// gets plain text.
fn preferred(accept: Option<&[u8]>) -> Form {
    let Some(accept) = accept.and_then(|value| std::str::from_utf8(value).ok()) else {
        return Form::Text;
    };
    let mut best = (0.0, Form::Text);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let form = match parts
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "text/html" | "application/xhtml+xml" => Form::Html,
            "application/problem+json" | "application/json" => Form::Problem,
            "text/plain" => Form::Text,
            _ => continue,
        };
        let quality = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |text| text.parse::<f32>().unwrap_or(0.0));
        if quality > best.0 {
            best = (quality, form);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &str) -> Form {
        preferred(Some(accept.as_bytes()))
    }

    #[test]
    fn each_client_gets_what_it_reads() {
        assert_eq!(preferred(None), Form::Text);
        assert_eq!(form("*/*"), Form::Text);
        assert_eq!(
            form("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            Form::Html
        );
        assert_eq!(form("application/json, text/plain, */*"), Form::Problem);
        assert_eq!(
            form("text/html;q=0.5, application/problem+json"),
            Form::Problem
        );
        assert_eq!(form("text/html;q=0"), Form::Text);
        assert_eq!(form("garbage;;;q=x,"), Form::Text);
    }

    #[test]
    fn the_operator_is_told_in_development_only() {
        for operator in [None, Some("Nothing listens at <127.0.0.1>: \"start\" it")] {
            let page = Page {
                status: StatusCode::BAD_GATEWAY,
                visitor: "Sorry.",
                operator,
                reference: "R",
            };
            for text in [page.html(), page.problem(), page.text()] {
                assert_eq!(
                    text.contains("Nothing listens"),
                    operator.is_some(),
                    "{text}"
                );
                assert!(text.contains("Sorry.") && text.contains("502") && text.contains('R'));
            }
            assert!(!page.html().contains("<127"));
            assert!(!page.problem().contains(" \"start\""));
        }
    }

    #[test]
    fn references_differ() {
        let some: std::collections::HashSet<String> = (0..1000).map(|_| reference()).collect();
        assert_eq!(some.len(), 1000);
        assert!(some.iter().all(|text| text.len() == 10));
    }
}
