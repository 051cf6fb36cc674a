//! What can be wrong with the settings of the CSRF check.

use http::HeaderName;
use sealwax_policy::{Csrf, SecureProxySslHeader, TrustedOrigins};

use super::Settings;
use super::check::paths;
use super::mistake::Mistake;

/// Django's own header.
const X_CSRFTOKEN: HeaderName = HeaderName::from_static("x-csrftoken");

pub(super) fn check(settings: &Settings, mistakes: &mut Vec<Mistake>) -> (Csrf, HeaderName) {
    let origins = match TrustedOrigins::new(&settings.csrf_trusted_origins) {
        Ok(origins) => origins,
        Err(wrong) => {
            let wrong = wrong.iter();
            mistakes.extend(wrong.map(|error| Mistake::of("csrf_trusted_origins", error)));
            TrustedOrigins::default()
        }
    };
    // Where the secret is in the session, its cookie is the one whose Domain counts.
    let domain = match settings.csrf_use_sessions {
        true => &settings.session_cookie_domain,
        false => &settings.csrf_cookie_domain,
    };
    // Both settings spell a header in the same way.
    let header = SecureProxySslHeader::from_django(&settings.csrf_header_name, "");
    if header.is_err() {
        mistakes.push(Mistake::new(
            "csrf_header_name",
            format!(
                "`{}` is no header in Django's spelling",
                settings.csrf_header_name
            ),
            "write HTTP_X_CSRFTOKEN for X-CSRFToken",
        ));
    }
    let csrf = Csrf {
        trusted_origins: origins,
        exempt: paths("csrf_exempt", &settings.csrf_exempt, mistakes),
        cookie_domain: domain.as_deref().map(Into::into),
    };
    (csrf, header.map_or(X_CSRFTOKEN, |header| header.name))
}
