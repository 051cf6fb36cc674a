//! Values that only we can read and write: encrypted and authenticated towards the browser, plain
//! towards the app.

mod contents;
mod cookie;
mod hosts;
mod key;
mod layout;
mod ring;
mod ring_text;
mod sealer;

pub use contents::{Attributes, Contents, Scope};
pub use cookie::{CookieSeal, MAX_SKEW, OpenedCookie, TooLong, WhyNot};
pub use key::{KeyId, SealKey};
pub use ring::KeyRing;
pub use ring_text::{KeyRingCause, KeyRingError};
pub use sealer::{KeyAge, Opened, Sealer, Unopened};
