//! What kind of form a request brings, and how its token is found in it.

use http::header::{self, HeaderMap};
use sealwax_django::csrf::FORM_FIELD;

use super::multipart::Multipart;

/// A form that a browser sends.
#[derive(Debug)]
pub(super) enum Form {
    /// `application/x-www-form-urlencoded`.
    UrlEncoded,
    /// `multipart/form-data`.
    Multipart(Multipart),
}

impl Form {
    /// The form that the headers announce, if any.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Some(Self::UrlEncoded)
        } else if essence.eq_ignore_ascii_case("multipart/form-data") {
            Multipart::new(content_type, FORM_FIELD).map(Self::Multipart)
        } else {
            None
        }
    }

    /// The token, if `body`, which may be the beginning only, is enough to tell. Empty: there is
    /// none.
    pub(super) fn token(&mut self, body: &[u8], is_whole: bool) -> Option<String> {
        match self {
            // What is beyond the end may be another field of that name, and the last one counts,
            // as in Django.
            Self::UrlEncoded if !is_whole => None,
            Self::UrlEncoded => {
                let fields = form_urlencoded::parse(body);
                let token = fields.filter(|(name, _)| name == FORM_FIELD).last();
                Some(
                    token
                        .map(|(_, value)| value.into_owned())
                        .unwrap_or_default(),
                )
            }
            Self::Multipart(multipart) => {
                let token = multipart.look(body);
                token.or_else(|| is_whole.then(String::new))
            }
        }
    }
}
