//! A browser that speaks the protocol as Chromium 156 does, with real keys.
#![allow(
    dead_code,
    reason = "not every test that includes this file uses all of it"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use sealwax_bind::{
    Binder, Challenged, Field, Lifetime, Refresh, Refreshed, Refreshing, Refusal, Registered,
    Registration,
};
use sealwax_cookie::{KeyRing, SealKey};

pub(crate) const HOST: &str = "app.example";
pub(crate) const NOW: u64 = 1_764_000_000;

pub(crate) fn ring(keys: &[u8]) -> KeyRing {
    let mut keys = keys.iter().map(|n| SealKey::new([*n; 32]));
    KeyRing::new(keys.next().unwrap(), keys).unwrap()
}

/// With the default lifetime: 600 s.
pub(crate) fn binder() -> Binder {
    Binder::new(&ring(&[1]), Lifetime::default())
}

/// Not random at all, but another one for each call: what is sealed must differ.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; N];
    for part in bytes.chunks_mut(8) {
        let count = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        part.copy_from_slice(&count[..part.len()]);
        // The last, which changes, must not be cut off.
        part[0] = count[7];
        part[1] = count[6];
    }
    bytes
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL.encode(bytes)
}

/// What stands between `start` and the next double quote.
pub(crate) fn between(text: &str, start: &str) -> String {
    let rest = text
        .split_once(start)
        .unwrap_or_else(|| panic!("{start:?} in {text}"))
        .1;
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) enum Key {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

impl Key {
    pub(crate) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn rs256(size: KeySize) -> Self {
        Self::Rs256(RsaKeyPair::generate(size).unwrap())
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
        }
    }

    /// The two numbers of a JWK, as bytes: X and Y, or n and e.
    pub(crate) fn numbers(&self) -> [Vec<u8>; 2] {
        match self {
            Self::Es256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                [x.to_vec(), y.to_vec()]
            }
            Self::Rs256(key) => {
                let key = key.public_key();
                [key.modulus(), key.exponent()]
                    .map(|n| n.big_endian_without_leading_zero().to_vec())
            }
        }
    }

    pub(crate) fn jwk(&self) -> String {
        let [a, b] = self.numbers().map(base64url);
        match self {
            Self::Es256(_) => format!(r#"{{"kty":"EC","crv":"P-256","x":"{a}","y":"{b}"}}"#),
            Self::Rs256(_) => format!(r#"{{"kty":"RSA","n":"{a}","e":"{b}"}}"#),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// A compact JWT with this header and payload, whatever they say.
    pub(crate) fn jwt(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", base64url(header), base64url(payload));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", base64url(signature))
    }

    pub(crate) fn registration(&self, challenge: &str) -> String {
        let (algorithm, jwk) = (self.algorithm(), self.jwk());
        self.jwt(
            &format!(r#"{{"alg":"{algorithm}","jwk":{jwk},"typ":"dbsc+jwt"}}"#),
            &format!(r#"{{"jti":"{challenge}"}}"#),
        )
    }

    pub(crate) fn refresh(&self, challenge: &str) -> String {
        let algorithm = self.algorithm();
        self.jwt(
            &format!(r#"{{"alg":"{algorithm}","typ":"dbsc+jwt"}}"#),
            &format!(r#"{{"jti":"{challenge}"}}"#),
        )
    }
}

/// A browser with a session.
pub(crate) struct Browser {
    pub(crate) key: Key,
    pub(crate) id: String,
    pub(crate) query: String,
    pub(crate) challenge: Option<String>,
    /// The cookie with the mark.
    pub(crate) mark: Option<String>,
}

pub(crate) fn register(
    binder: &Binder,
    host: &str,
    jwt: &str,
    now: u64,
) -> Result<Registered, Refusal> {
    binder.register(&Registration {
        host,
        response: Field::Once(jwt.as_bytes()),
        now,
        random: random(),
    })
}

pub(crate) fn offered(binder: &Binder, host: &str, now: u64) -> String {
    between(&binder.offer(host, now, random()), ";challenge=\"")
}

impl Browser {
    pub(crate) fn register(binder: &Binder, key: Key, now: u64) -> Self {
        let jwt = key.registration(&offered(binder, HOST, now));
        let registered = register(binder, HOST, &jwt, now).unwrap();
        let mut browser = Self {
            key,
            id: String::new(),
            query: String::new(),
            challenge: None,
            mark: None,
        };
        browser.instructed(&registered.body);
        browser.asked(&registered.challenge);
        browser
    }

    pub(crate) fn instructed(&mut self, body: &str) {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["session_identifier"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.id);
        let url = body["refresh_url"].as_str().unwrap();
        url.split_once('?').unwrap().1.clone_into(&mut self.query);
    }

    pub(crate) fn asked(&mut self, field: &str) {
        assert_eq!(between(field, ";id=\""), self.id);
        self.challenge = Some(between(field, "\""));
    }

    /// One POST, with this proof.
    pub(crate) fn post(&self, binder: &Binder, jwt: Option<&str>, now: u64) -> Refreshing {
        binder.refresh(&Refresh {
            host: HOST,
            query: Some(self.query.as_bytes()),
            session: Field::Once(self.id.as_bytes()),
            response: jwt.map(str::as_bytes).into(),
            mark: self.mark.as_deref().map(str::as_bytes),
            now,
            random: random(),
        })
    }

    /// One POST, over the challenge that it has.
    pub(crate) fn try_refresh(&mut self, binder: &Binder, now: u64) -> Refreshing {
        let jwt = self
            .challenge
            .as_deref()
            .map(|challenge| self.key.refresh(challenge));
        let refreshing = self.post(binder, jwt.as_deref(), now);
        match &refreshing {
            Refreshing::Challenged(challenged) => self.asked(&challenged.challenge),
            Refreshing::Refreshed(refreshed) if !refreshed.body.is_empty() => {
                self.instructed(&refreshed.body);
            }
            _ => {}
        }
        refreshing
    }

    /// As many POSTs as it takes: two at most.
    pub(crate) fn refresh(&mut self, binder: &Binder, now: u64) -> Refreshed {
        if let Refreshing::Refreshed(refreshed) = self.try_refresh(binder, now) {
            return refreshed;
        }
        match self.try_refresh(binder, now) {
            Refreshing::Refreshed(refreshed) => refreshed,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn challenged(refreshing: Refreshing) -> Challenged {
    match refreshing {
        Refreshing::Challenged(challenged) => challenged,
        other => panic!("{other:?}"),
    }
}

/// The value of the cookie that a `Set-Cookie` field sets, and for how many seconds.
pub(crate) fn cookie(set_cookie: &str) -> (String, u64) {
    let mut parts = set_cookie.split("; ");
    let value = parts.next().unwrap().split_once('=').unwrap().1.to_owned();
    let seconds = parts.next().unwrap().strip_prefix("Max-Age=").unwrap();
    (value, seconds.parse().unwrap())
}
