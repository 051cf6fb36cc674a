//! (being written)
#![allow(dead_code, unused_imports)]
mod arrival;
mod baked;
mod body;
mod cookies;
mod csp;
mod csrf;
mod record;
mod refusal;
mod seal;
mod session;
mod settings;
mod world;

pub use arrival::{Arrival, Transport};
pub use body::{RequestBody, ResponseBody};
pub use csp::{CspFuture, CspLayer, CspNonce, CspOverride, CspService};
pub use csrf::{Csrf, CsrfExempt, CsrfExemptService, CsrfFuture, CsrfLayer, CsrfService};
pub use record::Record;
pub use seal::{SealFuture, SealLayer, SealService};
pub use session::{Session, SessionError, SessionFuture, SessionLayer, SessionService};
pub use settings::{
    LegacySalt, Mistake, Mistakes, Mode, SameSite, Secret, Setting, Settings, TokenRule, Warning,
};
pub use world::NoRandomness;

pub use sealwax_django::session::Expiry;
pub use sealwax_store::{Memory, SessionStore, StoreError};
