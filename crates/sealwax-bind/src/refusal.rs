//! Why a proof was not taken.

use crate::fields::FieldError;
use crate::jwt::JwtError;
use crate::sealed::Unusable;

/// Why a registration or a refresh did not come about.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No session in the URL, or no `Sec-Secure-Session-Id`: this is no refresh.
    #[error("no session was named")]
    NoSession,
    /// `Sec-Secure-Session-Id` cannot be read.
    #[error("the session identifier cannot be read")]
    SessionField(#[source] FieldError),
    /// The session in the URL is not one of ours, for this host, under a key that we have; or it is
    /// another one than the identifier says.
    #[error("the session is not one of ours for this host")]
    Session(#[source] Unusable),
    /// No `Secure-Session-Response`. Every refresh may begin like this.
    #[error("no proof came")]
    NoProof,
    /// `Secure-Session-Response` cannot be read.
    #[error("the field with the proof cannot be read")]
    ProofField(#[source] FieldError),
    /// The proof cannot be read, or is none that anybody should believe.
    #[error("the proof is malformed")]
    Proof(#[source] JwtError),
    /// A registration without a key.
    #[error("the proof of a registration holds no key")]
    NoKey,
    /// A refresh with a key in it that is not the session's.
    #[error("the proof is by another key than the session's")]
    OtherKey,
    /// The key did not sign this.
    #[error("the proof's signature does not hold")]
    Signature,
    /// The key did sign, and not a challenge that it had to.
    #[error("the proof signs a challenge that does not count")]
    Challenge(#[source] Unusable),
}

impl Refusal {
    /// A stable name for logs and reports.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::NoSession => "bind.no-session",
            Self::SessionField(_) => "bind.session-field",
            Self::Session(_) => "bind.session",
            Self::NoProof => "bind.no-proof",
            Self::ProofField(_) => "bind.proof-field",
            Self::Proof(_) => "bind.proof",
            Self::NoKey => "bind.no-key",
            Self::OtherKey => "bind.other-key",
            Self::Signature => "bind.signature",
            Self::Challenge(_) => "bind.challenge",
        }
    }

    /// Whether this belongs to everyday life: a refresh that asks for its challenge first, or a
    /// signature by the right key over a challenge that is too old, or was overtaken by another one.
    /// Everything else was made by hand, or broken on the way.
    #[must_use]
    pub const fn is_ordinary(&self) -> bool {
        matches!(
            self,
            Self::NoProof
                | Self::Challenge(
                    Unusable::Expired { .. }
                        | Unusable::OtherMark
                        | Unusable::OtherPurpose
                        | Unusable::UnknownKey(_)
                        | Unusable::FromTheFuture
                )
        )
    }
}
