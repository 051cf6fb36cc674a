//! What a browser is asked to sign.

use crate::mark::MarkId;
use crate::sealed::{Sealable, Unusable, check_time};
use crate::thumbprint::Thumbprint;
use crate::wire::Reader;

/// For how long a browser may answer an offer, in seconds: it does so in milliseconds, but a new key
/// can take a slow device seconds. What registers twice gets two identifiers for the same key, and
/// nothing that only its holder may have.
pub(crate) const REGISTRATION_LIFE: u64 = 300;

/// A challenge, sealed: the host, the time and what it is for. No other randomness than its nonce is
/// needed, since nobody else can seal one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Challenge {
    pub(crate) issued: u64,
    pub(crate) purpose: Purpose,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// The key is not known yet.
    Register,
    /// A proof by this key, for this wish for a fresh one if there was one.
    Refresh(Thumbprint, Option<MarkId>),
}

const REGISTER: u8 = 0;
const REFRESH: u8 = 1;
const REFRESH_FOR_MARK: u8 = 2;

impl Sealable for Challenge {
    const LONGEST: usize = 1024;

    fn write(&self, to: &mut Vec<u8>) {
        match self.purpose {
            Purpose::Register => to.push(REGISTER),
            Purpose::Refresh(key, None) => {
                to.push(REFRESH);
                to.extend_from_slice(key.as_bytes());
            }
            Purpose::Refresh(key, Some(mark)) => {
                to.push(REFRESH_FOR_MARK);
                to.extend_from_slice(key.as_bytes());
                to.extend_from_slice(mark.as_bytes());
            }
        }
        to.extend_from_slice(&self.issued.to_be_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let purpose = match from.byte()? {
            REGISTER => Purpose::Register,
            REFRESH => Purpose::Refresh(Thumbprint::from_bytes(*from.array()?), None),
            REFRESH_FOR_MARK => Purpose::Refresh(
                Thumbprint::from_bytes(*from.array()?),
                Some(MarkId::from_bytes(*from.array()?)),
            ),
            _ => return None,
        };
        let issued = from.time()?;
        Some(Self { issued, purpose })
    }
}

impl Challenge {
    pub(crate) fn check_registration(&self, now: u64) -> Result<(), Unusable> {
        match self.purpose {
            Purpose::Register => check_time(self.issued, REGISTRATION_LIFE, now),
            Purpose::Refresh(..) => Err(Unusable::OtherPurpose),
        }
    }

    /// `mark` is the wish for a fresh proof that came along: only what was signed for that very wish
    /// was signed after it.
    pub(crate) fn check_refresh(
        &self,
        key: &Thumbprint,
        mark: Option<MarkId>,
        life: u64,
        now: u64,
    ) -> Result<(), Unusable> {
        let Purpose::Refresh(for_key, for_mark) = &self.purpose else {
            return Err(Unusable::OtherPurpose);
        };
        if for_key != key {
            return Err(Unusable::OtherKey);
        }
        check_time(self.issued, life, now)?;
        if mark.is_some() && mark != *for_mark {
            return Err(Unusable::OtherMark);
        }
        Ok(())
    }
}
