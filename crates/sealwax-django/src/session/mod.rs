//! Sessions: the data, its signed text, its expiry, and what a response does with it.
//!
//! Django keeps a session as one signed text under a random key. [`SessionCodec`] reads and writes
//! that text, [`SessionData`] holds what is in it, [`Expiry`] is the session's own lifetime, and
//! [`decide`] is what Django's `SessionMiddleware` does when the response leaves.

mod codec;
mod data;
mod decide;
mod expiry;

pub use codec::{Engine, SessionCodec};
pub use data::SessionData;
pub use decide::{Action, CookieLife, Decision, Facts, decide};
pub use expiry::{BadExpiry, Expiry};

/// Names under which Django keeps its own things in a session.
pub mod keys {
    /// The primary key of who is logged in, as text: `"1"`.
    pub const AUTH_USER_ID: &str = "_auth_user_id";
    /// The dotted path of the backend that logged them in.
    pub const AUTH_USER_BACKEND: &str = "_auth_user_backend";
    /// What the password column was at log-in: [`SessionAuth`](crate::SessionAuth).
    pub const AUTH_USER_HASH: &str = "_auth_user_hash";
    /// The session's own lifetime: [`Expiry`](super::Expiry).
    pub const SESSION_EXPIRY: &str = "_session_expiry";
    /// The CSRF secret under `CSRF_USE_SESSIONS`.
    pub const CSRF_TOKEN: &str = "_csrftoken";
}
