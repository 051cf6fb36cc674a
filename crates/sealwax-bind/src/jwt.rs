//! The proof that a browser sends: a compact JWT (RFC 7519, RFC 7515), as narrow as DBSC needs it.

use serde::de::MapAccess;

use crate::base64url;
use crate::json::{self, Members, Unique};
use crate::key::{Algorithm, BadSignature, Jwk, JwkError, PublicKey};

/// The longest proof that is looked at, in bytes. One with an RSA key of 4096 bits has about 2,500.
pub const MAX_JWT: usize = 8192;
/// The only `typ` of a proof.
const TYPE: &str = "dbsc+jwt";

/// A proof that can be read. Whether it proves anything is only known after
/// [`verify`](Self::verify), so its challenge is not to be believed before.
///
/// `aud` and any other claim are ignored: browsers have sent and dropped several. What a proof is
/// good for (host, purpose, key) stands sealed in the challenge that it signs.
#[derive(Clone, Debug)]
pub struct Jwt<'a> {
    /// Header, dot, payload.
    signed: &'a [u8],
    signature: Vec<u8>,
    algorithm: Algorithm,
    key: Option<PublicKey>,
    challenge: String,
    authorization: Option<String>,
}

/// A part of a compact JWT.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

/// Why a proof cannot be read, or is none that we would verify.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum JwtError {
    /// Over [`MAX_JWT`] bytes.
    #[error("the proof is longer than {MAX_JWT} bytes")]
    TooLong,
    /// Not three parts with dots between them.
    #[error("the proof does not have three parts")]
    Parts,
    /// A part with padding, white space or foreign characters.
    #[error("the proof's {0} is not strict base64url")]
    Base64(Part),
    /// A part that is no JSON object, has a member twice, or one of the wrong type.
    #[error("the proof's {0} is not a JSON object with each member once and of its type")]
    Json(Part),
    /// The header has no `alg`.
    #[error("the proof names no algorithm")]
    AlgorithmMissing,
    /// `alg` is `none`: nothing is signed.
    #[error("the proof is not signed (alg none)")]
    AlgorithmNone,
    /// `alg` is one of HMAC's: a public key is no secret.
    #[error("the proof's algorithm is symmetric")]
    AlgorithmSymmetric,
    /// `alg` is neither ES256 nor RS256.
    #[error("the proof's algorithm is neither ES256 nor RS256")]
    AlgorithmUnknown,
    /// `alg` is one that the key does not sign with.
    #[error("the proof's algorithm is not that of the key")]
    AlgorithmOfOtherKey,
    /// `typ` is missing or another.
    #[error("the proof's typ is not dbsc+jwt")]
    Type,
    /// `crit` names extensions that must be understood, and none are.
    #[error("the proof asks for extensions (crit)")]
    Critical,
    /// The payload has no `jti`, or an empty one.
    #[error("the proof signs no challenge (jti)")]
    ChallengeMissing,
    /// The header's `jwk` is no key that we take.
    #[error("the proof's key is not accepted")]
    Key(#[source] JwkError),
}

impl<'a> Jwt<'a> {
    /// Reads a proof.
    ///
    /// # Errors
    /// [`JwtError`].
    pub fn parse(text: &'a [u8]) -> Result<Self, JwtError> {
        if text.len() > MAX_JWT {
            return Err(JwtError::TooLong);
        }
        let mut dots = (0..text.len()).filter(|at| text.get(*at) == Some(&b'.'));
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(JwtError::Parts);
        };
        let part = |range, part| {
            base64url::decode(
                text.get::<std::ops::Range<usize>>(range)
                    .unwrap_or_default(),
            )
            .ok_or(JwtError::Base64(part))
        };
        let header = part(0..first, Part::Header)?;
        let payload = part(first + 1..second, Part::Payload)?;
        let signature = part(second + 1..text.len(), Part::Signature)?;

        let header: Header = json::object(&header).ok_or(JwtError::Json(Part::Header))?;
        let algorithm = algorithm(header.alg.as_deref())?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(JwtError::Type);
        }
        if header.critical {
            return Err(JwtError::Critical);
        }
        let key = header.jwk.map(|Unique(jwk)| jwk.key()).transpose();
        let key = key.map_err(JwtError::Key)?;
        if key.as_ref().is_some_and(|key| key.algorithm() != algorithm) {
            return Err(JwtError::AlgorithmOfOtherKey);
        }
        let payload: Payload = json::object(&payload).ok_or(JwtError::Json(Part::Payload))?;
        let challenge = payload.jti.filter(|jti| !jti.is_empty());
        Ok(Self {
            signed: text.get(..second).unwrap_or_default(),
            signature,
            algorithm,
            key,
            challenge: challenge.ok_or(JwtError::ChallengeMissing)?,
            authorization: payload.authorization,
        })
    }

    /// Whether `key` signed this.
    ///
    /// # Errors
    /// [`BadSignature`], also where `alg` is not the key's.
    pub fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        if key.algorithm() != self.algorithm {
            return Err(BadSignature);
        }
        key.verify(self.signed, &self.signature)
    }

    /// The `alg` that it names.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key in its header, which only a registration has.
    #[must_use]
    pub const fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// The challenge that it signs: `jti`. Never empty.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The claim `authorization`, which repeats what the offer said.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

fn algorithm(name: Option<&str>) -> Result<Algorithm, JwtError> {
    let name = name.ok_or(JwtError::AlgorithmMissing)?;
    let known = Algorithm::ALL
        .into_iter()
        .find(|known| known.name() == name);
    known.ok_or(if name.eq_ignore_ascii_case("none") {
        JwtError::AlgorithmNone
    } else if name.starts_with("HS") {
        JwtError::AlgorithmSymmetric
    } else {
        JwtError::AlgorithmUnknown
    })
}

#[derive(Default)]
struct Header {
    alg: Option<String>,
    typ: Option<String>,
    critical: bool,
    jwk: Option<Unique<Jwk>>,
}

impl<'de> Members<'de> for Header {
    fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "alg" => self.alg = Some(map.next_value()?),
            "typ" => self.typ = Some(map.next_value()?),
            "jwk" => self.jwk = Some(map.next_value()?),
            "crit" => {
                self.critical = true;
                return Ok(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[derive(Default)]
struct Payload {
    jti: Option<String>,
    authorization: Option<String>,
}

impl<'de> Members<'de> for Payload {
    fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "jti" => self.jti = Some(map.next_value()?),
            "authorization" => self.authorization = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}
