//! Django's wire formats, byte for byte: so that a Rust service and a Django project know the same
//! sessions, the same users and the same forms.
//!
//! # What it is
//!
//! Pure functions over text, made to be read and written by Django on the other side. Who has
//! Django's `SECRET_KEY` and its user table can tell who is logged in:
//!
//! ```text
//!  Cookie: sessionid=kq3…        django_session                        auth_user
//!         │                     ┌──────────────┐                      ┌──────────┐
//!         └──────── key ───────▶│ session_data │                      │ password │
//!                               └──────┬───────┘                      └────┬─────┘
//!             ".eJx…:1vNYyu:kPVy…"     │                                   │
//!                                      ▼                                   ▼
//!   SECRET_KEY ──▶ Keys ──▶ SessionCodec::decode ─▶ SessionData     SessionAuth::matches
//!   …_FALLBACKS             │ signature, base64,       │                   ▲      │
//!                           │ zlib, JSON               ▼                   │      ▼
//!                           │                      Login::of ─ user id, hash ┘   known, or not
//!                           ▼
//!   TimestampSigner ◀── Signer        session::decide ──▶ save or delete, Set-Cookie, Vary
//! ```
//!
//! | Django | here |
//! |---|---|
//! | `SECRET_KEY`, `SECRET_KEY_FALLBACKS` | [`SecretKey`], [`Keys`] |
//! | `signing.Signer`, `TimestampSigner` | [`Signer`], [`TimestampSigner`] |
//! | `signing.dumps`, `loads` | [`dumps`], [`loads`] |
//! | `set_signed_cookie`, `get_signed_cookie` | [`SignedCookie`] |
//! | `SessionStore.encode`, `decode` | [`session::SessionCodec`], [`session::SessionData`] |
//! | `set_expiry`, `get_expiry_age` | [`session::Expiry`] |
//! | `SessionMiddleware.process_response` | [`session::decide`] |
//! | `login`, `get_session_auth_hash` | [`Login`], [`SessionAuth`] |
//! | `check_password` | [`password::verify`] |
//! | `get_token`, `CsrfViewMiddleware` | [`csrf`] |
//! | `messages` in a cookie | [`MessagesCookie`] |
//! | `check --deploy` | [`check`] |
//! | `set_cookie`, `request.COOKIES` | [`cookie`] |
//!
//! # What it is not
//!
//! It stores nothing, sends nothing and runs no Python: it reads no pickles (so no `cache` engine),
//! and checks no password hashes but PBKDF2's. It judges the *token* of a request and where a
//! redirect may lead, not where the request came from; that is `sealwax-policy`'s. It knows no clock and no randomness: `now` is the
//! time since the Unix epoch, and random bytes come in as arguments.
//!
//! # What it promises
//!
//! * What was not touched is written back byte for byte: see [`session::SessionData`].
//! * Signatures, hashes and tokens are compared in constant time; secrets are wiped when they are
//!   dropped, as are the states made from them, and no `Debug` shows them.
//! * Keys are taken in when a signer is made. Keep signers and codecs: then a message costs the HMAC
//!   of its own bytes and no more.
//! * No input panics, and none unpacks to more than [`UNPACKED_LIMIT`].
//! * Whatever Django refuses is refused. In few places more is: a time past 64 bits, JSON nested
//!   past 960 levels, base64 with foreign characters in it, which Python skips, and cookies whose
//!   attributes would become others.
//!
//! Tests hold this against Django 4.2, 5.2 and 6 themselves, in both directions.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use sealwax_django::session::{Engine, SessionCodec, SessionData};
//! use sealwax_django::{Keys, Login, SecretKey, SessionAuth};
//!
//! let keys = Keys::new(SecretKey::new("SECRET_KEY of the Django project").unwrap());
//! let codec = SessionCodec::new(&keys, &Engine::Db);
//! let auth = SessionAuth::new(&keys);
//! let now = Duration::from_secs(1_764_000_000);
//! let password_column = "pbkdf2_sha256$1500000$salt$hash"; // of the row in auth_user
//!
//! // Log in: what Django's login() writes.
//! let mut data = SessionData::new();
//! let login = Login {
//!     user_id: "1".into(),
//!     backend: Login::MODEL_BACKEND.into(),
//!     hash: Some(auth.hash(password_column)),
//! };
//! login.write(&mut data);
//! let session_data = codec.encode(&data, now); // of the row in django_session
//!
//! // Later, here or in Django: who is it?
//! let data = codec.decode(&session_data, None, now).unwrap();
//! let login = Login::of(&data).unwrap();
//! assert_eq!(login.user_id, "1");
//! let hash = login.hash.unwrap();
//! assert!(auth.matches(password_column, &hash).is_some());
//! assert!(auth.matches("a new password's column", &hash).is_none());
//! ```

mod auth;
pub mod base62;
pub mod check;
pub mod cookie;
pub mod csrf;
mod datetime;
mod error;
mod json;
mod key;
mod mac;
mod messages;
mod object;
mod pack;
pub mod password;
mod redirect;
pub mod session;
mod signed_cookie;
mod signer;

// The public interface is:
pub use auth::{Login, SessionAuth};
pub use error::{BadSignature, JsonError, LoadError, UnpackError};
pub use key::{EmptyKey, KeyUsed, Keys, SecretKey};
pub use mac::{Algorithm, UnknownAlgorithm};
pub use messages::{MESSAGES_COOKIE, MESSAGES_LIMIT, Message, MessagesCookie, Received, Stored};
pub use object::{DUMPS_SALT, dumps, loads};
pub use pack::{UNPACKED_LIMIT, pack, unpack};
pub use redirect::url_has_allowed_host_and_scheme;
pub use signed_cookie::{LegacySalt, SignedCookie, signed_cookie_salt};
pub use signer::{Signer, TimestampSigner, UnsafeSeparator};
