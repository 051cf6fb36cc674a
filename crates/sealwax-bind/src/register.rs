//! A browser answers an offer: it brings a key and proves that it has it.

use std::fmt;

use crate::binder::{Binder, split};
use crate::challenge::{Challenge, Purpose};
use crate::fields::{self, Field};
use crate::instructions;
use crate::jwt::{Jwt, MAX_JWT};
use crate::key::PublicKey;
use crate::proof::DELETE_PROOF;
use crate::refusal::Refusal;
use crate::sealed::Sealable;
use crate::session::{self, Session};
use crate::thumbprint::Thumbprint;

/// The status of every refused registration. There is no session yet that it could end.
pub const REGISTRATION_REFUSED: u16 = 400;

/// What came in a POST to [`REGISTER_PATH`](crate::REGISTER_PATH).
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// The request's host.
    pub host: &'a str,
    /// `Secure-Session-Response`: the proof, with the key in it.
    pub response: Field<'a>,
    /// Unix seconds.
    pub now: u64,
    /// 24 random bytes.
    pub random: [u8; 24],
}

/// A session that begins: status 200.
///
/// Nothing is bound yet. The browser may still reject the instructions, and would then never prove
/// anything again; so no proof is set before the first refresh, and any that it has is removed. The
/// next request then waits for that refresh. (With a proof of a second or so, which is one way to do
/// it, a form sent at once would not wait.)
#[derive(Clone, Eq, PartialEq)]
pub struct Registered {
    /// The session's key.
    pub key: PublicKey,
    /// Its name.
    pub thumbprint: Thumbprint,
    /// The session identifier: ten hexadecimal digits of the time, `-`, the key's name.
    pub session: String,
    /// The field [`CHALLENGE`](crate::CHALLENGE): the first refresh then takes one round trip rather
    /// than two, while a form that was sent at once waits for it.
    pub challenge: String,
    /// The field `Set-Cookie`.
    pub set_cookie: &'static str,
    /// The body: JSON session instructions, `application/json`.
    pub body: String,
}

/// Without the proof.
impl fmt::Debug for Registration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("host", &self.host)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Without the challenge and the instructions, which hold the session.
impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

impl Binder {
    /// Answers a registration.
    ///
    /// The same proof sent again begins another session of the same key. That is of no use without
    /// the key, and the browser knows only what it was answered.
    ///
    /// # Errors
    /// [`Refusal`], to be answered with [`REGISTRATION_REFUSED`].
    pub fn register(&self, request: &Registration<'_>) -> Result<Registered, Refusal> {
        let Registration { host, now, .. } = *request;
        let text = request.response.text(MAX_JWT);
        let text = text.map_err(Refusal::ProofField)?.ok_or(Refusal::NoProof)?;
        let jwt = Jwt::parse(&text).map_err(Refusal::Proof)?;
        let key = jwt.key().ok_or(Refusal::NoKey)?;
        // Before the signature, since it is cheaper; it gives nothing away, anybody gets an offer.
        let text = jwt.challenge().as_bytes();
        let (challenge, _) =
            Challenge::open(&self.challenge, text, host).map_err(Refusal::Challenge)?;
        challenge
            .check_registration(now)
            .map_err(Refusal::Challenge)?;
        jwt.verify(key).map_err(|_| Refusal::Signature)?;

        let (nonce, challenge_nonce) = split(request.random);
        let thumbprint = key.thumbprint();
        let session = Session {
            key: key.clone(),
            registered: now,
            edition: self.edition,
        };
        let id = session.id(&thumbprint);
        let url = session::refresh_url(&session, &self.session, host, now, nonce);
        let purpose = Purpose::Refresh(thumbprint, None);
        let challenge = self.seal_challenge(purpose, host, now, challenge_nonce);
        Ok(Registered {
            key: session.key,
            thumbprint,
            challenge: fields::challenge(&challenge, &id),
            set_cookie: DELETE_PROOF,
            body: instructions::begin(&id, &url, &self.excluded),
            session: id,
        })
    }
}
