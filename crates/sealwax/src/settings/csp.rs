//! Policies for browsers, as text.

use sealwax_policy::{Csp, CspHeader, Disposition, Sources};

use super::Settings;
use super::mistake::Mistake;

pub(super) fn check(settings: &Settings, mistakes: &mut Vec<Mistake>) -> Vec<CspHeader> {
    let texts = [
        ("secure_csp", &settings.secure_csp, Disposition::Enforce),
        (
            "secure_csp_report_only",
            &settings.secure_csp_report_only,
            Disposition::Report,
        ),
    ];
    let mut headers = Vec::new();
    for (place, text, disposition) in texts {
        let Some(text) = text else { continue };
        match parse(text, disposition).compile() {
            Ok(header) => headers.push(header),
            Err(error) => mistakes.push(Mistake::of(place, &error)),
        }
    }
    headers
}

/// Reads a policy as it stands in its header (CSP Level 3 §2.2.1); a directive without sources
/// stands alone.
pub(crate) fn parse(text: &str, disposition: Disposition) -> Csp {
    let mut csp = Csp::new(disposition);
    for directive in text.split(';') {
        let mut words = directive.split_ascii_whitespace().map(str::to_owned);
        let Some(name) = words.next() else { continue };
        let sources: Vec<String> = words.collect();
        csp = match sources.is_empty() {
            true => csp.directive(name, true),
            false => csp.directive(name, Sources::List(sources)),
        };
    }
    csp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        let text = "default-src 'self';  script-src 'self' <CSP_NONCE_SENTINEL> ;upgrade-insecure-requests;";
        let csp = parse(text, Disposition::Enforce);
        assert_eq!(
            csp.text(Some("abc")),
            "default-src 'self'; script-src 'self' 'nonce-abc'; upgrade-insecure-requests"
        );
        let mut settings = Settings::production(["a"]);
        settings.secure_csp = Some("script_src 'self'".into());
        let mistakes = settings.check().unwrap_err();
        assert!(mistakes.to_string().starts_with("secure_csp: "));
    }
}
