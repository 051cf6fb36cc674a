//! The header fields of DBSC, as structured fields (RFC 9651).

use std::borrow::Cow;
use std::convert::Infallible;

use sfv::visitor::{
    EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ListVisitor, ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, ListSerializer, Parser, StringRef, TokenRef};

use crate::key::Algorithm;
use crate::session::is_id;

/// Offers a session, on any response over HTTPS.
pub const REGISTRATION: &str = "secure-session-registration";
/// Gives the challenge that the next proof is to sign.
pub const CHALLENGE: &str = "secure-session-challenge";
/// Carries the proof, in both requests that browsers send by themselves.
pub const RESPONSE: &str = "secure-session-response";
/// Names the session that wants to be refreshed.
pub const SESSION_ID: &str = "sec-secure-session-id";
/// Says that a request goes without a proof, and why; see [`Skipped`].
pub const SKIPPED: &str = "secure-session-skipped";

/// The longest session identifier that is looked at, in bytes. Ours have 54.
pub const MAX_SESSION_ID: usize = 1024;
/// The longest `Secure-Session-Skipped` that is read, in bytes.
pub const MAX_SKIPPED: usize = 16 * 1024;

/// A field that may stand once in a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Field<'a> {
    /// It is not there.
    #[default]
    Absent,
    /// Its value.
    Once(&'a [u8]),
    /// It is there several times, so nobody knows what was meant.
    Repeated,
}

impl<'a> Field<'a> {
    /// From all lines of the field.
    pub fn of(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut lines = lines.into_iter();
        match (lines.next(), lines.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::Once(value),
            (Some(_), Some(_)) => Self::Repeated,
        }
    }

    /// The text of a field whose value is a string, in either form in which browsers write it: as a
    /// structured field's string, whose parameters are ignored, or bare. Bare it is base64url, dots
    /// and nothing else, since neither proofs nor our identifiers hold anything more.
    pub(crate) fn text(self, longest: usize) -> Result<Option<Cow<'a, [u8]>>, FieldError> {
        let value = match self {
            Self::Absent => return Ok(None),
            Self::Once(value) => value.trim_ascii(),
            Self::Repeated => return Err(FieldError::Repeated),
        };
        if value.len() > longest {
            return Err(FieldError::TooLong);
        }
        if !value.starts_with(b"\"") {
            let bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            return if !value.is_empty() && value.iter().all(bare) {
                Ok(Some(Cow::Borrowed(value)))
            } else {
                Err(FieldError::NoString)
            };
        }
        let string = Parser::new(value)
            .parse_item_with_visitor(string)
            .map_err(|_| FieldError::NoString)?;
        match string {
            Some(Cow::Borrowed(text)) => Ok(Some(Cow::Borrowed(text.as_str().as_bytes()))),
            Some(Cow::Owned(text)) => Ok(Some(Cow::Owned(String::from(text).into_bytes()))),
            None => Err(FieldError::NoString),
        }
    }
}

impl<'a> From<Option<&'a [u8]>> for Field<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        value.map_or(Self::Absent, Self::Once)
    }
}

/// Why a field cannot be read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum FieldError {
    /// It came more than once.
    #[error("the field came more than once")]
    Repeated,
    /// It is longer than anything that is meant for us.
    #[error("the field is too long")]
    TooLong,
    /// It is neither a string nor bare base64url.
    #[error("the field is neither a structured string nor bare base64url")]
    NoString,
    /// It is no list as RFC 9651 writes it.
    #[error("the field is not a structured list")]
    NoList,
}

/// The value of a field that offers a session: `(ES256 RS256);path="…";challenge="…"`.
pub(crate) fn registration(path: &str, challenge: &str) -> String {
    let mut list = ListSerializer::new();
    let mut algorithms = list.inner_list();
    for algorithm in Algorithm::ALL {
        algorithms.bare_item(match algorithm {
            Algorithm::Es256 => TokenRef::constant("ES256"),
            Algorithm::Rs256 => TokenRef::constant("RS256"),
        });
    }
    let parameters = algorithms.finish();
    parameters
        .parameter(KeyRef::constant("path"), ascii(path))
        .parameter(KeyRef::constant("challenge"), ascii(challenge));
    list.finish().unwrap_or_default()
}

/// The value of a field that gives a challenge: `"…";id="…"`.
pub(crate) fn challenge(challenge: &str, session: &str) -> String {
    let mut list = ListSerializer::new();
    list.bare_item(ascii(challenge))
        .parameter(KeyRef::constant("id"), ascii(session));
    list.finish().unwrap_or_default()
}

/// What we put into fields is base64url or a path of ours, all of it ASCII. Anything else would be
/// an offer that no browser can take.
fn ascii(text: &str) -> &StringRef {
    StringRef::from_str(text).unwrap_or(StringRef::constant(""))
}

/// Why a browser did not refresh a session before it sent a request.
///
/// The request says so itself: a thief can say it, too.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum SkipReason {
    /// `unreachable`: the refresh endpoint did not answer.
    Unreachable,
    /// `server_error`: it answered with an error.
    ServerError,
    /// `quota_exceeded`: the browser would not sign so often.
    QuotaExceeded,
    /// Another token, of at most 64 characters.
    Other(Box<str>),
}

/// One member of `Secure-Session-Skipped`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Skipped {
    /// Why.
    pub reason: SkipReason,
    /// The session's identifier, as long as it is not longer than [`MAX_SESSION_ID`]. It was not
    /// checked.
    pub session: Option<Box<str>>,
}

/// The longest reason that is kept, in characters.
const MAX_REASON: usize = 64;
/// More members than a browser has sessions for one site.
const MAX_MEMBERS: usize = 64;

impl Skipped {
    /// Reads one line of the field. Members that are no tokens are left out, as are those after the
    /// 64th.
    ///
    /// # Errors
    /// [`FieldError`]. The field is there all the same, which may be all that counts.
    pub fn parse(value: &[u8]) -> Result<Vec<Self>, FieldError> {
        if value.len() > MAX_SKIPPED {
            return Err(FieldError::TooLong);
        }
        Parser::new(value)
            .parse_list_with_visitor(Skips(Vec::new()))
            .map_err(|_| FieldError::NoList)
    }
}

impl Skipped {
    /// Whether a session of ours is meant, by the form of its identifier. Where none is named, one
    /// of ours may be meant.
    #[must_use]
    pub fn may_be_ours(&self) -> bool {
        self.session.as_deref().is_none_or(is_id)
    }
}

impl SkipReason {
    fn of(token: &str) -> Option<Self> {
        Some(match token {
            "unreachable" => Self::Unreachable,
            "server_error" => Self::ServerError,
            "quota_exceeded" => Self::QuotaExceeded,
            other if other.len() <= MAX_REASON => Self::Other(other.into()),
            _ => return None,
        })
    }

    /// The token of the field.
    #[must_use]
    pub fn token(&self) -> &str {
        match self {
            Self::Unreachable => "unreachable",
            Self::ServerError => "server_error",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Other(token) => token,
        }
    }
}

type Text<'de> = Option<Cow<'de, StringRef>>;

fn string<'de>(
    item: BareItemFromInput<'de>,
) -> Result<impl ParameterVisitor<'de, Out = Text<'de>>, Infallible> {
    Ok(sfv::visitor::parameter_visitor_with(Ignored, |()| {
        Ok(match item {
            BareItemFromInput::String(text) => Some(text),
            _ => None,
        })
    }))
}

struct Skips(Vec<Skipped>);
struct Skip<'v> {
    all: &'v mut Vec<Skipped>,
    reason: Option<SkipReason>,
    session: Option<Box<str>>,
}

impl<'de> ListVisitor<'de> for Skips {
    type Out = Vec<Skipped>;
    type Error = Infallible;

    fn entry(&mut self) -> Result<impl EntryVisitor<'de>, Self::Error> {
        Ok((self.0.len() < MAX_MEMBERS).then_some(Skip {
            all: &mut self.0,
            reason: None,
            session: None,
        }))
    }

    fn finish(self) -> Result<Self::Out, Self::Error> {
        Ok(self.0)
    }
}

impl<'de> EntryVisitor<'de> for Skip<'_> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Self::Error> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Self::Error> {
        Ok(Ignored)
    }
}

impl<'de> ItemVisitor<'de> for Skip<'_> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(
        mut self,
        item: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Self::Error> {
        if let BareItemFromInput::Token(token) = item {
            self.reason = SkipReason::of(token.as_str());
        }
        Ok(self)
    }
}

impl<'de> ParameterVisitor<'de> for Skip<'_> {
    type Out = ();
    type Error = Infallible;

    fn parameter(
        &mut self,
        key: &'de KeyRef,
        value: BareItemFromInput<'de>,
    ) -> Result<(), Self::Error> {
        if key.as_str() == "session_identifier" {
            // Of a parameter that stands twice, the last one counts (RFC 9651, Section 4.2.3.2).
            self.session = match value {
                BareItemFromInput::String(text) if text.as_str().len() <= MAX_SESSION_ID => {
                    Some(text.as_str().into())
                }
                _ => None,
            };
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Self::Error> {
        if let Some(reason) = self.reason {
            self.all.push(Skipped {
                reason,
                session: self.session,
            });
        }
        Ok(())
    }
}
