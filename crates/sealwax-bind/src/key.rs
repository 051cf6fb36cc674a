//! Public keys: read from a JWK, verified with, kept as bytes.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde::de::MapAccess;

use crate::base64url;
use crate::json::{self, Members};
use crate::thumbprint::Thumbprint;
use crate::wire::Reader;

/// A signature algorithm that DBSC allows (RFC 7518, Section 3.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256, the signature being R and S in 64 bytes.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// All of them, the preferred first.
    pub const ALL: [Self; 2] = [Self::Es256, Self::Rs256];

    /// Its name in JOSE.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// The public half of the key that a browser holds for one session.
///
/// On the curve P-256, or RSA of 2048 to 4096 bits with an odd exponent from 3 to 2³²−1. Others are
/// not made: whoever has a `PublicKey` has one that can verify.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PublicKey(Kind);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Kind {
    /// X and Y, each 32 bytes.
    P256([u8; 64]),
    /// Big-endian, without leading zeros.
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
}

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 4096;
const MAX_EXPONENT_BYTES: usize = 4;
/// What stands before X and Y of an uncompressed point (SEC 1, Section 2.3.3).
const UNCOMPRESSED: u8 = 4;

const P256_TAG: u8 = 1;
const RSA_TAG: u8 = 2;

/// Why a JWK is no key that we take.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum JwkError {
    /// No JSON object, a member twice, or a member of the wrong type.
    #[error("the JWK is not a JSON object with each member once and of its type")]
    Json,
    /// `kty` is neither EC nor RSA.
    #[error("the JWK's kty is neither EC nor RSA")]
    Type,
    /// `crv` is not P-256.
    #[error("the JWK's curve is not P-256")]
    Curve,
    /// A coordinate, modulus or exponent is missing, no strict base64url, or of the wrong length.
    #[error("a number of the JWK is missing, not strict base64url, or of the wrong length")]
    Number,
    /// The coordinates are no point of the curve.
    #[error("the JWK's coordinates are not on the curve")]
    OffCurve,
    /// The modulus has fewer than 2048 or more than 4096 bits, or is even.
    #[error("the JWK's modulus is even, or not of 2048 to 4096 bits")]
    Modulus,
    /// The exponent is even, 1, or over 32 bits.
    #[error("the JWK's exponent is even, 1 or over 32 bits")]
    Exponent,
    /// It holds a private key, which nobody may send.
    #[error("the JWK holds a private key")]
    Private,
}

/// The signature is not this key's, or not over this message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct BadSignature;

impl PublicKey {
    /// Reads a JWK (RFC 7517; RFC 7518, Sections 6.2.1 and 6.3.1). Members that say nothing about
    /// the key itself are ignored.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn from_jwk(json: &[u8]) -> Result<Self, JwkError> {
        json::object::<Jwk>(json).ok_or(JwkError::Json)?.key()
    }

    /// The algorithm with which this key signs; there is one for each kind of key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Kind::P256(_) => Algorithm::Es256,
            Kind::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// Which key this is (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        let canonical = match &self.0 {
            Kind::P256(point) => {
                let (x, y) = point.split_at(32);
                let [x, y] = [x, y].map(base64url::encode);
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Kind::Rsa { n, e } => {
                let [n, e] = [n, e].map(|number| base64url::encode(number));
                format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)
            }
        };
        let mut bytes = [0; Thumbprint::LENGTH];
        for (to, from) in bytes
            .iter_mut()
            .zip(digest(&SHA256, canonical.as_bytes()).as_ref())
        {
            *to = *from;
        }
        Thumbprint::from_bytes(bytes)
    }

    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// [`BadSignature`], also for one of the wrong length.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let verified = match &self.0 {
            Kind::P256(point) => parse_point(point)
                .ok_or(BadSignature)?
                .verify_sig(message, signature),
            Kind::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        };
        verified.map_err(|_| BadSignature)
    }

    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        match &self.0 {
            Kind::P256(point) => {
                to.push(P256_TAG);
                to.extend_from_slice(point);
            }
            Kind::Rsa { n, e } => {
                to.push(RSA_TAG);
                for number in [n, e] {
                    // At most 512 bytes each.
                    let length = u16::try_from(number.len()).unwrap_or(u16::MAX);
                    to.extend_from_slice(&length.to_be_bytes());
                    to.extend_from_slice(number);
                }
            }
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        match from.byte()? {
            P256_TAG => Some(Self(Kind::P256(*from.array()?))),
            RSA_TAG => {
                let n_length = u16::from_be_bytes(*from.array()?);
                let n = from.bytes(n_length.into())?.into();
                let e_length = u16::from_be_bytes(*from.array()?);
                let e = from.bytes(e_length.into())?.into();
                Some(Self(Kind::Rsa { n, e }))
            }
            _ => None,
        }
    }

    fn p256(x: &[u8], y: &[u8]) -> Result<Self, JwkError> {
        let point: [u8; 64] = match (x.len(), y.len()) {
            (32, 32) => [x, y].concat().try_into().map_err(|_| JwkError::Number)?,
            _ => return Err(JwkError::Number),
        };
        parse_point(&point).ok_or(JwkError::OffCurve)?;
        Ok(Self(Kind::P256(point)))
    }

    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, JwkError> {
        // RFC 7518, Section 2: as few octets as the number needs.
        let (Some(first), Some(last)) = (n.first(), n.last()) else {
            return Err(JwkError::Number);
        };
        let (Some(e_first), Some(e_last)) = (e.first(), e.last()) else {
            return Err(JwkError::Number);
        };
        if *first == 0 || *e_first == 0 {
            return Err(JwkError::Number);
        }
        let bits = n.len() * 8 - first.leading_zeros() as usize;
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || last % 2 == 0 {
            return Err(JwkError::Modulus);
        }
        if e.len() > MAX_EXPONENT_BYTES || e_last % 2 == 0 || *e == [1] {
            return Err(JwkError::Exponent);
        }
        Ok(Self(Kind::Rsa {
            n: n.into(),
            e: e.into(),
        }))
    }
}

fn parse_point(point: &[u8; 64]) -> Option<ParsedPublicKey> {
    let mut encoded = [UNCOMPRESSED; 65];
    for (to, from) in encoded.iter_mut().skip(1).zip(point) {
        *to = *from;
    }
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, encoded).ok()
}

/// The members of a JWK that make the key.
#[derive(Default)]
pub(crate) struct Jwk {
    kty: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    private: bool,
}

impl<'de> Members<'de> for Jwk {
    fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        let place = match name {
            "kty" => &mut self.kty,
            "crv" => &mut self.crv,
            "x" => &mut self.x,
            "y" => &mut self.y,
            "n" => &mut self.n,
            "e" => &mut self.e,
            // RFC 7518, Sections 6.2.2, 6.3.2 and 6.4.1.
            "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth" | "k" => {
                self.private = true;
                return Ok(false);
            }
            _ => return Ok(false),
        };
        *place = Some(map.next_value()?);
        Ok(true)
    }
}

impl Jwk {
    pub(crate) fn key(self) -> Result<PublicKey, JwkError> {
        if self.private {
            return Err(JwkError::Private);
        }
        match self.kty.as_deref() {
            Some("EC") => {
                if self.crv.as_deref() != Some("P-256") {
                    return Err(JwkError::Curve);
                }
                PublicKey::p256(&number(self.x)?, &number(self.y)?)
            }
            Some("RSA") => PublicKey::rsa(number(self.n)?, number(self.e)?),
            _ => Err(JwkError::Type),
        }
    }
}

fn number(text: Option<String>) -> Result<Vec<u8>, JwkError> {
    text.and_then(|text| base64url::decode(text.as_bytes()))
        .ok_or(JwkError::Number)
}
