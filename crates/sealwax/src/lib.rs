//! (being written)
#![allow(dead_code, unused_imports)]
mod arrival;
mod attended;
mod auth;
mod baked;
mod bearer;
mod body;
mod cookies;
mod csp;
mod csrf;
#[cfg(feature = "axum")]
mod extract;
mod messages;
mod protection;
mod record;
mod refusal;
mod seal;
mod session;
mod settings;
mod signed;
mod world;

pub use arrival::{Arrival, Transport};
pub use attended::Attended;
pub use auth::{Auth, AuthError, AuthLayer, AuthService, User};
pub use bearer::{
    Bearer, BearerError, BearerFuture, BearerLayer, BearerService, NewToken, TokenError, Tokens,
};
pub use body::{RequestBody, ResponseBody};
pub use csp::{CspFuture, CspLayer, CspNonce, CspOverride, CspService};
pub use csrf::{Csrf, CsrfExempt, CsrfExemptService, CsrfFuture, CsrfLayer, CsrfService};
#[cfg(feature = "axum")]
pub use extract::{CsrfToken, MissingLayer};
pub use messages::{Messages, MessagesLayer, MessagesService};
pub use protection::{Protected, Protection};
pub use record::Record;
pub use seal::{SealFuture, SealLayer, SealService};
pub use session::{Session, SessionError, SessionFuture, SessionLayer, SessionService};
pub use settings::{
    LegacySalt, Mistake, Mistakes, Mode, SameSite, Secret, Setting, Settings, TokenRule, Warning,
};
pub use signed::{SignedCookies, SignedCookiesLayer, SignedCookiesService};
pub use world::NoRandomness;

pub use sealwax_django::Message;
pub use sealwax_django::session::Expiry;
pub use sealwax_store::{
    Memory, SessionStore, StoreError, TokenHash, TokenRecord, TokenStore, UserRow, Users,
};
