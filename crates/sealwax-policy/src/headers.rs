//! Security headers that are added when the app sent none of its own.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::explain::Rule;

/// `Cross-Origin-Opener-Policy` has no constant in the `http` crate.
pub const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");

static NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// In the extensions of a response: `X-Frame-Options` is not added to it,
/// since its handler means it to be framed (Django: `@xframe_options_exempt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameExempt;

/// The values to add; `None` adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// `X-Content-Type-Options: nosniff`. Default: true.
    pub content_type_nosniff: bool,
    /// `Referrer-Policy`.
    pub referrer_policy: Option<HeaderValue>,
    /// `Cross-Origin-Opener-Policy`.
    pub cross_origin_opener_policy: Option<HeaderValue>,
    /// `X-Frame-Options`; never where the app sends `frame-ancestors`.
    pub x_frame_options: Option<HeaderValue>,
}

impl Headers {
    /// Values that do not break a working app: popups for sign-in and payment
    /// keep their opener, pages may be framed by their own site. The default.
    #[must_use]
    pub fn compatible() -> Self {
        Self {
            content_type_nosniff: true,
            referrer_policy: Some(HeaderValue::from_static("strict-origin-when-cross-origin")),
            cross_origin_opener_policy: Some(HeaderValue::from_static("same-origin-allow-popups")),
            x_frame_options: Some(HeaderValue::from_static("SAMEORIGIN")),
        }
    }

    /// Django's defaults.
    #[must_use]
    pub fn django() -> Self {
        Self {
            content_type_nosniff: true,
            referrer_policy: Some(HeaderValue::from_static("same-origin")),
            cross_origin_opener_policy: Some(HeaderValue::from_static("same-origin")),
            x_frame_options: Some(HeaderValue::from_static("DENY")),
        }
    }

    /// A `Referrer-Policy` of several policies, the last that a browser knows
    /// being the one it follows (Django: `SECURE_REFERRER_POLICY`, a list or
    /// text with commas). `None` where there is nothing to send.
    #[must_use]
    pub fn referrer_policies<S: AsRef<str>>(
        policies: impl IntoIterator<Item = S>,
    ) -> Option<HeaderValue> {
        let mut text = String::new();
        for policy in policies {
            for token in policy.as_ref().split(',') {
                if !text.is_empty() {
                    text.push(',');
                }
                text.push_str(token.trim());
            }
        }
        HeaderValue::try_from(text)
            .ok()
            .filter(|value| !value.is_empty())
    }

    /// An `X-Frame-Options` as Django sends it, in upper case. `None` where
    /// there is nothing to send.
    #[must_use]
    pub fn frame_options(value: &str) -> Option<HeaderValue> {
        let value = HeaderValue::try_from(value.to_ascii_uppercase());
        value.ok().filter(|value| !value.is_empty())
    }

    /// Puts in what is wanted and not `present`.
    pub(crate) fn fill<'a>(
        &'a self,
        headers: &HeaderMap,
        present: &Present,
        missing: &mut SecurityFields<'a>,
    ) {
        let framed_by_csp = present.content_security_policy && frame_ancestors(headers);
        if self.content_type_nosniff && !present.content_type_options {
            missing.content_type_options = Some(&NOSNIFF);
        }
        if !present.referrer_policy {
            missing.referrer_policy = self.referrer_policy.as_ref();
        }
        if !present.opener_policy {
            missing.opener_policy = self.cross_origin_opener_policy.as_ref();
        }
        if !present.frame_options && !framed_by_csp {
            missing.frame_options = self.x_frame_options.as_ref();
        }
    }
}

impl Default for Headers {
    fn default() -> Self {
        Self::compatible()
    }
}

/// Which headers a response has of those that decide about another: found in one pass over the
/// names, which costs less than a lookup for each.
#[derive(Debug, Default)]
pub(crate) struct Present {
    pub(crate) strict_transport_security: bool,
    content_security_policy: bool,
    content_type_options: bool,
    pub(crate) frame_options: bool,
    opener_policy: bool,
    referrer_policy: bool,
}

impl Present {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut present = Self::default();
        for name in headers.keys() {
            present.strict_transport_security |= *name == header::STRICT_TRANSPORT_SECURITY;
            present.content_security_policy |= *name == header::CONTENT_SECURITY_POLICY;
            present.content_type_options |= *name == header::X_CONTENT_TYPE_OPTIONS;
            present.frame_options |= *name == header::X_FRAME_OPTIONS;
            present.opener_policy |= *name == CROSS_ORIGIN_OPENER_POLICY;
            present.referrer_policy |= *name == header::REFERRER_POLICY;
        }
        present
    }
}

/// The security headers that a response lacks ([`crate::Exchange::response_apart`]).
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct SecurityFields<'a> {
    pub(crate) strict_transport_security: Option<&'a HeaderValue>,
    content_type_options: Option<&'a HeaderValue>,
    referrer_policy: Option<&'a HeaderValue>,
    opener_policy: Option<&'a HeaderValue>,
    frame_options: Option<&'a HeaderValue>,
}

static ADDED: [(Rule, HeaderName); 5] = [
    (Rule::HstsAdded, header::STRICT_TRANSPORT_SECURITY),
    (Rule::NosniffAdded, header::X_CONTENT_TYPE_OPTIONS),
    (Rule::ReferrerPolicyAdded, header::REFERRER_POLICY),
    (Rule::OpenerPolicyAdded, CROSS_ORIGIN_OPENER_POLICY),
    (Rule::FrameOptionsAdded, header::X_FRAME_OPTIONS),
];

impl<'a> SecurityFields<'a> {
    /// Calls `put` with each field, at most five, each name once.
    pub fn for_each(&self, mut put: impl FnMut(&'static HeaderName, &'a HeaderValue)) {
        self.visit(|_, name, value| put(name, value));
    }

    /// Puts the fields into `headers`.
    pub fn insert_into(&self, headers: &mut HeaderMap) {
        // One growth of the map instead of several, and none where what is missing fits in.
        let mut count = 0;
        self.for_each(|_, _| count += 1);
        headers.reserve(count);
        self.for_each(|name, value| {
            headers.insert(name, value.clone());
        });
    }

    /// The fields, each with the rule that adds it.
    pub(crate) fn visit(&self, mut put: impl FnMut(Rule, &'static HeaderName, &'a HeaderValue)) {
        let values = [
            self.strict_transport_security,
            self.content_type_options,
            self.referrer_policy,
            self.opener_policy,
            self.frame_options,
        ];
        for ((rule, name), value) in ADDED.iter().zip(values) {
            if let Some(value) = value {
                put(*rule, name, value);
            }
        }
    }
}

/// Whether the app says itself who may frame it (CSP Level 3 §6.4.2), which
/// browsers prefer to `X-Frame-Options`.
fn frame_ancestors(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_SECURITY_POLICY)
        .iter()
        .any(|policy| {
            policy
                .as_bytes()
                .split(|b| matches!(b, b';' | b','))
                .any(|directive| {
                    let directive = directive.trim_ascii_start();
                    let name = directive
                        .split(u8::is_ascii_whitespace)
                        .next()
                        .unwrap_or_default();
                    name.eq_ignore_ascii_case(b"frame-ancestors")
                })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(own: &[(&'static str, &'static str)], settings: &Headers) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in own {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let present = Present::of(&headers);
        let mut missing = SecurityFields::default();
        settings.fill(&headers, &present, &mut missing);
        missing.insert_into(&mut headers);
        headers
    }

    #[test]
    fn adds_only_what_is_missing() {
        let headers = apply(
            &[("referrer-policy", "no-referrer")],
            &Headers::compatible(),
        );
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-frame-options"], "SAMEORIGIN");
        assert_eq!(
            headers["cross-origin-opener-policy"],
            "same-origin-allow-popups"
        );
        assert_eq!(headers.get_all("referrer-policy").iter().count(), 1);
    }

    #[test]
    fn frame_ancestors_speaks_for_itself() {
        for csp in [
            "frame-ancestors https://a.example",
            "default-src 'self'; Frame-Ancestors *",
            "a 'b',frame-ancestors x",
        ] {
            assert!(
                !apply(&[("content-security-policy", csp)], &Headers::django())
                    .contains_key("x-frame-options")
            );
        }
        for csp in [
            "default-src 'self'",
            "x-frame-ancestors *",
            "img-src frame-ancestors",
        ] {
            assert!(
                apply(&[("content-security-policy", csp)], &Headers::django())
                    .contains_key("x-frame-options")
            );
        }
    }

    #[test]
    fn djangos_settings_become_values() {
        for (setting, value) in [
            (&["same-origin"][..], "same-origin"),
            (&["strict-origin", "origin"], "strict-origin,origin"),
            (&["strict-origin , origin"], "strict-origin,origin"),
        ] {
            assert_eq!(Headers::referrer_policies(setting).unwrap(), value);
        }
        assert_eq!(Headers::referrer_policies([""]), None);
        assert_eq!(Headers::referrer_policies(["a\n"]).unwrap(), "a");
        assert_eq!(Headers::referrer_policies(["a\nb"]), None);
        assert_eq!(Headers::frame_options("sameorigin").unwrap(), "SAMEORIGIN");
        assert_eq!(Headers::frame_options(""), None);
    }

    #[test]
    fn none_adds_nothing() {
        let off = Headers {
            content_type_nosniff: false,
            referrer_policy: None,
            cross_origin_opener_policy: None,
            x_frame_options: None,
        };
        assert!(apply(&[], &off).is_empty());
    }
}
