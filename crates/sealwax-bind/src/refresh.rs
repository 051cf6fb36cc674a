//! A browser wants a new proof: it signs a challenge, or asks for one first.

use std::fmt;

use sealwax_cookie::KeyAge;

use crate::binder::{Binder, split};
use crate::challenge::{Challenge, Purpose};
use crate::fields::{self, Field, MAX_SESSION_ID};
use crate::instructions;
use crate::jwt::{Jwt, MAX_JWT};
use crate::key::PublicKey;
use crate::mark::MarkId;
use crate::proof::{self, Proof};
use crate::refusal::Refusal;
use crate::sealed::{Sealable, Unusable};
use crate::session::{self, NoSession, Session};
use crate::thumbprint::Thumbprint;

/// What came in a POST to [`REFRESH_PATH`](crate::REFRESH_PATH). No cookie is needed: where another
/// site started what the browser does, it sends none.
#[derive(Clone, Copy)]
pub struct Refresh<'a> {
    /// The request's host.
    pub host: &'a str,
    /// The request's query, without the question mark: the URL is the one from the instructions.
    pub query: Option<&'a [u8]>,
    /// `Sec-Secure-Session-Id`.
    pub session: Field<'a>,
    /// `Secure-Session-Response`.
    pub response: Field<'a>,
    /// The value of the cookie [`MARK_COOKIE`](crate::MARK_COOKIE), if it came.
    pub mark: Option<&'a [u8]>,
    /// Unix seconds.
    pub now: u64,
    /// 24 random bytes.
    pub random: [u8; 24],
}

/// What a refresh comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refreshing {
    /// The key was proven.
    Refreshed(Refreshed),
    /// It was not, and the browser is asked (again). Never more than that, whatever came: whoever
    /// has the key can answer, and nobody else.
    Challenged(Challenged),
    /// The session cannot be opened now, and perhaps soon: its seal is recent, and by a key that
    /// is not in the ring yet. The browser sends its request without a proof and tries again.
    Unavailable(Refusal),
    /// There is no session that could be refreshed, so the browser is to forget it.
    Ended(Refusal),
}

/// A new proof: status 200.
#[derive(Clone, Eq, PartialEq)]
pub struct Refreshed {
    /// What the cookie now says.
    pub proof: Proof,
    /// The field `Set-Cookie`. Its value is another one each time.
    pub set_cookie: String,
    /// The body: empty, or new instructions (`application/json`) where the old ones were sealed by
    /// a key that has been rotated, or announced other settings.
    pub body: String,
    /// The session identifier. Where the proof turns out to be of no use, since all that came
    /// along is bound to another key, [`end_session`](crate::end_session) takes it.
    pub session: String,
    /// When the session was registered, in Unix seconds.
    pub registered: u64,
}

/// A question: status 403.
#[derive(Clone, Eq, PartialEq)]
pub struct Challenged {
    /// Why what came was not enough.
    pub reason: Refusal,
    /// Whose proof is asked for.
    pub key: Thumbprint,
    /// The field [`CHALLENGE`](crate::CHALLENGE).
    pub challenge: String,
}

/// Without the proofs and the mark.
impl fmt::Debug for Refresh<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh")
            .field("host", &self.host)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Without the sealed proof and the instructions, which hold the session.
impl fmt::Debug for Refreshed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refreshed")
            .field("proof", &self.proof)
            .field("registered", &self.registered)
            .finish_non_exhaustive()
    }
}

/// Without the challenge.
impl fmt::Debug for Challenged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenged")
            .field("reason", &self.reason)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Refreshing {
    /// The status of the answer: 200, 403, 503, 410 or 400.
    ///
    /// Any 4xx but 403 and 407 makes a browser delete its session, 429, too; so does the fourth 403
    /// in a row. The first is given only where the session is worth nothing here, and the other does
    /// not come about: a browser that signs what it was asked a moment ago is refreshed.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Refreshed(_) => 200,
            Self::Challenged(_) => 403,
            Self::Unavailable(_) => 503,
            Self::Ended(Refusal::Session(_)) => 410,
            Self::Ended(_) => 400,
        }
    }
}

impl Binder {
    /// Answers a refresh.
    ///
    /// The same signature may come again while its challenge lasts
    /// ([`Lifetime::challenge_seconds`](crate::Lifetime::challenge_seconds)): browsers send it again
    /// rather than sign anew. It buys no time, since the proof counts from the challenge.
    #[must_use]
    pub fn refresh(&self, request: &Refresh<'_>) -> Refreshing {
        let (session, sealed_by) = match self.session_of(request) {
            Ok(known) => known,
            Err((refusal, true)) => return Refreshing::Unavailable(refusal),
            Err((refusal, false)) => return Refreshing::Ended(refusal),
        };
        let key = session.key.thumbprint();
        let id = session.id(&key);
        if let Err(refusal) = check_id(request.session, &id) {
            return Refreshing::Ended(refusal);
        }
        // A mark that is over or somebody else's is no wish of this browser's for this key.
        let mark = request
            .mark
            .and_then(|value| self.mark(value, request.host, request.now).ok())
            .filter(|mark| mark.key == key)
            .map(|mark| mark.id);
        match self.prove(request, &session.key, &key, mark) {
            Ok(challenge) => {
                let proof = self.proof_since(&challenge, key, mark, request.now);
                Refreshing::Refreshed(self.refreshed(request, proof, session, sealed_by))
            }
            Err(reason) => {
                let (nonce, _): (_, [u8; 12]) = split(request.random);
                let purpose = Purpose::Refresh(key, mark);
                let challenge = self.seal_challenge(purpose, request.host, request.now, nonce);
                Refreshing::Challenged(Challenged {
                    reason,
                    key,
                    challenge: fields::challenge(&challenge, &id),
                })
            }
        }
    }

    /// The session that the URL holds, or why not and whether it may be found later.
    fn session_of(&self, request: &Refresh<'_>) -> Result<(Session, KeyAge), (Refusal, bool)> {
        let query = request.query.ok_or((Refusal::NoSession, false))?;
        session::from_query(query, &self.session, request.host, request.now).map_err(
            |why| match why {
                NoSession::Query => (Refusal::NoSession, false),
                NoSession::NotYet(why) => (Refusal::Session(why), true),
                NoSession::Gone(why) => (Refusal::Session(why), false),
            },
        )
    }

    fn refreshed(
        &self,
        request: &Refresh<'_>,
        proof: Proof,
        session: Session,
        sealed_by: KeyAge,
    ) -> Refreshed {
        let Refresh { host, now, .. } = *request;
        let (nonce, session_nonce) = split(request.random);
        let value = proof.seal(&self.proof, host, nonce);
        let id = session.id(&proof.key);
        let registered = session.registered;
        let known = sealed_by == KeyAge::First && session.edition == self.edition;
        let body = if known {
            String::new()
        } else {
            let edition = self.edition;
            let session = Session { edition, ..session };
            let url = session::refresh_url(&session, &self.session, host, now, session_nonce);
            instructions::begin(&id, &url, &self.excluded)
        };
        Refreshed {
            set_cookie: proof::set_cookie(&value, self.max_age(&proof, now)),
            proof,
            body,
            session: id,
            registered,
        }
    }

    /// How long the browser is to keep a proof, in seconds.
    fn max_age(&self, proof: &Proof, now: u64) -> u64 {
        let margin = self.lifetime.margin_seconds();
        proof.left(now).saturating_sub(margin).max(1)
    }

    /// The signature comes first: only then is it known whether the challenge is a late one of the
    /// browser's, or somebody else's attempt.
    fn prove(
        &self,
        request: &Refresh<'_>,
        public: &PublicKey,
        key: &Thumbprint,
        mark: Option<MarkId>,
    ) -> Result<Challenge, Refusal> {
        let text = request.response.text(MAX_JWT);
        let text = text.map_err(Refusal::ProofField)?.ok_or(Refusal::NoProof)?;
        let jwt = Jwt::parse(&text).map_err(Refusal::Proof)?;
        let other = jwt.key().is_some_and(|named| named != public);
        if other || jwt.algorithm() != public.algorithm() {
            return Err(Refusal::OtherKey);
        }
        jwt.verify(public).map_err(|_| Refusal::Signature)?;
        let text = jwt.challenge().as_bytes();
        let (challenge, _) =
            Challenge::open(&self.challenge, text, request.host).map_err(Refusal::Challenge)?;
        let life = self.lifetime.challenge_seconds();
        challenge
            .check_refresh(key, mark, life, request.now)
            .map_err(Refusal::Challenge)?;
        Ok(challenge)
    }

    fn proof_since(
        &self,
        challenge: &Challenge,
        key: Thumbprint,
        mark: Option<MarkId>,
        now: u64,
    ) -> Proof {
        // By another node's clock it may be given in a moment yet.
        let proven = challenge.issued.min(now);
        Proof {
            key,
            proven,
            expires: proven.saturating_add(self.lifetime.seconds()),
            mark,
        }
    }
}

/// The identifier says no more than the URL, and must not say anything else.
fn check_id(field: Field<'_>, expected: &str) -> Result<(), Refusal> {
    let id = field.text(MAX_SESSION_ID).map_err(Refusal::SessionField)?;
    let id = id.ok_or(Refusal::NoSession)?;
    if *id != *expected.as_bytes() {
        return Err(Refusal::Session(Unusable::OtherKey));
    }
    Ok(())
}
