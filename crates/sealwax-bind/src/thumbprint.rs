//! A key's name: its JWK thumbprint.

use std::fmt;

use crate::base64url;

/// The SHA-256 thumbprint of a public key (RFC 7638): which key it is, everywhere in Sealwax.
///
/// `Display` writes all 43 characters of its base64url; `Debug` and [`short`](Self::short) the first
/// 12, which is enough to tell the keys in a log apart. It is no secret, but it is the same wherever
/// this browser's session goes.
///
/// ```
/// use sealwax_bind::PublicKey;
///
/// // The example of RFC 7638, Section 3.1, has an RSA key.
/// let jwk = concat!(
///     r#"{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4c"#,
///     "bbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBX",
///     "Arwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQv",
///     "RL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls",
///     r#"1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#,
/// );
/// let thumbprint = PublicKey::from_jwk(jwk.as_bytes()).unwrap().thumbprint();
/// assert_eq!(thumbprint.to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
/// assert_eq!(thumbprint.short(), "NzbLsXh8uDCc");
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Thumbprint([u8; Self::LENGTH]);

impl Thumbprint {
    /// Bytes of a thumbprint.
    pub const LENGTH: usize = 32;

    /// A thumbprint that was kept as bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The thumbprint's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// For logs: the first 12 characters.
    #[must_use]
    pub fn short(&self) -> String {
        let nine = self.0.first_chunk::<9>().map_or(&[][..], |nine| nine);
        base64url::encode(nine)
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({}…)", self.short())
    }
}
