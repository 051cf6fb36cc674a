//! What is remembered of a session: the browser keeps it for us, in the URL of the refresh.
//!
//! Not in the session identifier, which may never change, so it could not be sealed anew when the
//! ring's keys rotate. The URL may, with every answer to a refresh.

use sealwax_cookie::{KeyAge, Sealer};

use crate::binder::REFRESH_PATH;
use crate::key::PublicKey;
use crate::sealed::{Sealable, Unusable};
use crate::thumbprint::Thumbprint;
use crate::wire::Reader;

/// What the URL of a refresh holds, sealed: so nobody needs a table of keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Session {
    pub(crate) key: PublicKey,
    pub(crate) registered: u64,
    /// Which instructions the browser has.
    pub(crate) edition: Edition,
}

/// A short hash of instructions, to see that they have changed since.
pub(crate) type Edition = [u8; 4];

/// For how long a session whose key is unknown is kept, in seconds: another node may have a new key
/// already that this one is about to get. What was sealed longer ago was sealed by a key that is
/// gone.
const KEYS_SPREAD_WITHIN: u64 = 60 * 60;

impl Session {
    /// The session identifier: when the session was registered, and its key.
    ///
    /// Of several sessions that wait for the same cookie, browsers refresh the one whose identifier
    /// sorts first, and the others never. By the time in front that is the oldest: what was bound
    /// to its key stays in use, whatever registers after it.
    pub(crate) fn id(&self, key: &Thumbprint) -> String {
        let Self { registered, .. } = self;
        format!("{registered:010x}-{key}")
    }
}

/// Whether `text` has the form of our session identifiers.
pub(crate) fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(registered, key)| {
        let lower_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        // Ten digits last until the year 36812; a SHA-256 in base64url has 43 characters.
        registered.len() == 10
            && registered.bytes().all(lower_hex)
            && key.len() == 43
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

impl Sealable for Session {
    const LONGEST: usize = 2048;

    fn write(&self, to: &mut Vec<u8>) {
        self.key.write(to);
        to.extend_from_slice(&self.registered.to_be_bytes());
        to.extend_from_slice(&self.edition);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            key: PublicKey::read(from)?,
            registered: from.time()?,
            edition: *from.array()?,
        })
    }
}

/// The URL, relative to the host: when it was made (not secret, and believed for one thing only),
/// and the sealed session.
pub(crate) fn refresh_url(
    session: &Session,
    sealer: &Sealer,
    host: &str,
    now: u64,
    nonce: [u8; 12],
) -> String {
    let sealed = session.seal(sealer, host, nonce);
    format!("{REFRESH_PATH}?t={now}&k={sealed}")
}

/// Why the query of a refresh gives no session.
pub(crate) enum NoSession {
    /// It is not such a query.
    Query,
    /// For now: whoever made it a short while ago has a key that has not come here yet.
    NotYet(Unusable),
    /// For good.
    Gone(Unusable),
}

/// Reads the query of such a URL.
pub(crate) fn from_query(
    query: &[u8],
    sealer: &Sealer,
    host: &str,
    now: u64,
) -> Result<(Session, KeyAge), NoSession> {
    let (made, sealed) = parts(query).ok_or(NoSession::Query)?;
    Session::open(sealer, sealed, host).map_err(|unusable| {
        let recent = made <= now.saturating_add(KEYS_SPREAD_WITHIN)
            && now.saturating_sub(made) < KEYS_SPREAD_WITHIN;
        match unusable {
            Unusable::UnknownKey(_) if recent => NoSession::NotYet(unusable),
            _ => NoSession::Gone(unusable),
        }
    })
}

fn parts(query: &[u8]) -> Option<(u64, &[u8])> {
    let rest = query.strip_prefix(b"t=")?;
    let end = rest.iter().position(|byte| *byte == b'&')?;
    let (made, rest) = rest.split_at_checked(end)?;
    let made = std::str::from_utf8(made).ok()?.parse().ok()?;
    Some((made, rest.strip_prefix(b"&k=")?))
}
