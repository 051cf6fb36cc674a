//! Device Bound Session Credentials (DBSC), as a server speaks them: a browser proves again and
//! again that it holds a key which cannot leave its device, so that a copied cookie is worth nothing
//! for long.
//!
//! # What it is
//!
//! The protocol as pure functions: what came in a request goes in, what to answer comes out.
//!
//! ```text
//!  browser                                                   Binder
//!     │  GET /login/                                            │
//!     │ ◀─ Secure-Session-Registration: offer ───────────────── │ offer
//!     │  POST /.sealwax/bind/register                           │
//!     │ ── Secure-Session-Response: JWT with the new key ─────▶ │ register ─▶ Registered
//!     │ ◀─ 200, instructions, Secure-Session-Challenge ──────── │
//!     │  POST /login/ waits                                     │
//!     │  POST /.sealwax/bind/refresh?t=…&k=…                    │
//!     │ ── Sec-Secure-Session-Id, JWT over the challenge ─────▶ │ refresh ─▶ Refreshed
//!     │ ◀─ 200, Set-Cookie: __Host-sealwax-proof ────────────── │
//!     │  POST /login/ goes on, with the proof                   │
//!     │ ── Cookie: __Host-sealwax-proof ──────────────────────▶ │ proof ─▶ Proof
//!     │  …                                                      │
//!     │  POST /.sealwax/bind/refresh?t=…&k=…                    │
//!     │ ── Sec-Secure-Session-Id, JWT over an old challenge ──▶ │ refresh ─▶ Challenged
//!     │ ◀─ 403, Secure-Session-Challenge ────────────────────── │
//! ```
//!
//! Nothing is kept between two requests. What must be remembered is sealed by a
//! [`KeyRing`](sealwax_cookie::KeyRing) and travels with the browser, so every node with the same
//! ring can answer:
//!
//! | value | holds | lasts |
//! |---|---|---|
//! | URL of the refresh | the public key, when it was registered | as long as the ring's key; sealed anew by any refresh |
//! | challenge | what it is for, the key, the time, the mark | two minutes ([`Lifetime::challenge_seconds`]) |
//! | [`Proof`] | the key, when it was proven, until when, the mark | [`Lifetime`] |
//! | [`Mark`] | which wish for a fresh proof, the key, the time | a minute |
//!
//! Each is for one host, and sealed under a key of its own kind, so none can be moved. The session
//! identifier is the time of the registration and the key's [`Thumbprint`]: browsers refresh the
//! session whose identifier sorts first, so the oldest stays in use.
//!
//! [`Bond`] is the note inside an app's sealed cookie that says which key it belongs to.
//!
//! # What it is not
//!
//! It sends nothing and sets no cookies of the app. When to offer a session, what to do with a
//! cookie whose proof is missing and whom to tell is the policy's business. It knows no clock and no
//! randomness: both come in as arguments.
//!
//! # What it promises, and what it cannot
//!
//! * A proof counts from its challenge. Browsers send a signature again while its challenge lasts,
//!   and without a table nobody can tell them from somebody who copied the request. So what a copied
//!   signature buys ends when the copied proof would have ended: not one second later. This is why
//!   no challenge rides on the answer to a refresh, as it may: it would have to outlast the proof,
//!   and so would whoever copied what was signed. The price is a second round trip for each refresh;
//!   browsers make most of them ahead of time. Only the answer to a registration has one.
//! * A wish for a fresh proof ([`Mark`]) is named in the challenge, so that only what was signed
//!   after it fulfils it, by any clock. Somebody who copies mark and proof while both are live can
//!   use them while the mark lasts.
//! * A good signature over the wrong challenge is a race: it gets another challenge. So does every
//!   bad one, since only the key's holder can answer. A session ends only where it cannot be opened
//!   for good, or is for another host.
//! * Malware that stays on the device can have it sign, and malware that was there when the session
//!   began can have registered a key of its own. Keys in software, as browsers have them for tests,
//!   can be copied.
//! * No input panics. Everything is bounded in length before it is worked on.
//!
//! # Specifications
//!
//! [Device Bound Session Credentials](https://w3c.github.io/webappsec-dbsc/), editor's draft of
//! 2026-02-17, and where it and Chromium 156 differ, the latter. RFC 9651 (structured fields), RFC 7515
//! (JWS), RFC 7517 (JWK), RFC 7518 (algorithms), RFC 7519 (JWT), RFC 7638 (thumbprints), RFC 8725
//! (best practice for JWT).
//!
//! # Example
//!
//! ```
//! use aws_lc_rs::rand::SystemRandom;
//! use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
//! use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
//! use sealwax_bind::{Binder, Bond, Field, Lifetime, Refresh, Refreshing, Registration, Standing};
//! use sealwax_cookie::{KeyRing, SealKey};
//!
//! let ring = KeyRing::new(SealKey::new([7; 32]), []).unwrap();
//! let binder = Binder::new(&ring, Lifetime::default());
//! let (host, now) = ("app.example", 1_764_000_000);
//!
//! // A browser: it has a key, and signs what it is given.
//! let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
//! let (x, y) = key.public_key().as_ref()[1..].split_at(32);
//! let [x, y] = [x, y].map(|number| BASE64URL.encode(number));
//! let jwk = format!(r#","jwk":{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
//! let sign = |jwk: &str, challenge: &str| {
//!     let header = BASE64URL.encode(format!(r#"{{"alg":"ES256","typ":"dbsc+jwt"{jwk}}}"#));
//!     let payload = BASE64URL.encode(format!(r#"{{"jti":"{challenge}"}}"#));
//!     let signed = format!("{header}.{payload}");
//!     let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
//!     format!("{signed}.{}", BASE64URL.encode(signature))
//! };
//! let between = |text: &str, start: &str| {
//!     text.split(start).nth(1).unwrap().split('"').next().unwrap().to_owned()
//! };
//!
//! // It is offered a session, and registers.
//! let offer = binder.offer(host, now, [1; 12]); // 12 random bytes
//! let registered = binder
//!     .register(&Registration {
//!         host,
//!         response: Field::Once(sign(&jwk, &between(&offer, "challenge=\"")).as_bytes()),
//!         now,
//!         random: [2; 24],
//!     })
//!     .unwrap();
//! assert!(registered.body.contains("__Host-sealwax-proof"));
//!
//! // It proves that it has the key, and from then on the cookie with the proof says so.
//! let url = between(&registered.body, "\"refresh_url\":\"");
//! let proof = sign("", &between(&registered.challenge, "\""));
//! let refreshing = binder.refresh(&Refresh {
//!     host,
//!     query: url.split('?').nth(1).map(str::as_bytes),
//!     session: Field::Once(registered.session.as_bytes()),
//!     response: Field::Once(proof.as_bytes()),
//!     mark: None,
//!     now,
//!     random: [3; 24],
//! });
//! let Refreshing::Refreshed(refreshed) = refreshing else { panic!("{refreshing:?}") };
//! let cookie = between(&refreshed.set_cookie, "__Host-sealwax-proof=");
//! let cookie = cookie.split(';').next().unwrap();
//!
//! // Whoever brings the app's cookie without it is not the one who logged in.
//! let bond = Bond::Bound(registered.thumbprint);
//! let proof = binder.proof(cookie.as_bytes(), host, now + 599).ok();
//! assert_eq!(bond.standing(proof.as_ref()), Standing::Proven);
//! let proof = binder.proof(cookie.as_bytes(), host, now + 600).ok();
//! assert_eq!(bond.standing(proof.as_ref()), Standing::Unproven);
//! ```

mod base64url;
mod binder;
mod bond;
mod challenge;
mod fields;
mod instructions;
mod json;
mod jwt;
mod key;
mod lifetime;
mod mark;
mod proof;
mod refresh;
mod refusal;
mod register;
mod sealed;
mod session;
mod thumbprint;
mod wire;

// The public interface is:
pub use binder::{Binder, REFRESH_PATH, REGISTER_PATH};
pub use bond::{Bond, Standing};
pub use fields::{
    CHALLENGE, Field, FieldError, MAX_SESSION_ID, MAX_SKIPPED, REGISTRATION, RESPONSE, SESSION_ID,
    SKIPPED, SkipReason, Skipped,
};
pub use instructions::{Excluded, end_session};
pub use jwt::{Jwt, JwtError, MAX_JWT, Part};
pub use key::{Algorithm, BadSignature, JwkError, PublicKey};
pub use lifetime::{Lifetime, LifetimeError};
pub use mark::{DELETE_MARK, MARK_COOKIE, MARK_LIFE, Mark, MarkId};
pub use proof::{DELETE_PROOF, PROOF_ATTRIBUTES, PROOF_COOKIE, Proof};
pub use refresh::{Challenged, Refresh, Refreshed, Refreshing};
pub use refusal::Refusal;
pub use register::{REGISTRATION_REFUSED, Registered, Registration};
pub use sealed::{MAX_SKEW, Unusable};
pub use thumbprint::Thumbprint;
