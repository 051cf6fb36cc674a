//! Django's wire formats.

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
pub use signed_cookie::{LegacySalt, SignedCookie, signed_cookie_salt};
pub use signer::{Signer, TimestampSigner, UnsafeSeparator};
