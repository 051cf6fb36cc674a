//! Cookies in both directions: one site's rules and memory put to work on the
//! headers of one exchange. What is done to a single cookie is the business of
//! `sealwax-cookie`.
//!
//! ```text
//! client ─▶ incoming ─▶ app ─▶ response ─▶ client
//!               │                 ▲   └─ outgoing: the Set-Cookie fields, one by one
//!               └─ RequestCookies ┘
//! ```

mod caches;
mod incoming;
mod outgoing;
mod response;
mod sealed;

use http::{HeaderValue, StatusCode};
use sealwax_cookie::{Form, OpenedCookie};

use crate::bind::Leaving;
use crate::exchange::{Asked, State};
use crate::policy::Policy;

pub(crate) use incoming::{Client, report_cross_site_post, request};
pub(crate) use response::{response, send_again, take_back};

/// A cookie name that the app set, to be remembered
/// ([`sealwax_cookie::KnownNames::learn`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// The name as the app wrote it.
    pub name: Vec<u8>,
    /// The form in which it left.
    pub form: Form,
    /// Whether the `SameSite` floor was put under it.
    pub floored: bool,
    /// The day, in days since the Unix epoch.
    pub day: u32,
}

/// What the request's cookies mean for the response.
#[derive(Debug, Default)]
pub(crate) struct RequestCookies {
    /// Forms that the client holds and that are no longer accepted.
    stale: Vec<(Vec<u8>, Form)>,
    /// The CSRF cookie of a script's request that came without its header.
    script_wanted: Option<Vec<u8>>,
    /// Sealed cookies that are sent again, under the current key or bound to a device.
    pub(crate) again: Vec<OpenedCookie>,
    /// What binding has still to do.
    pub(crate) bind: Option<Box<Leaving>>,
}

/// What the response rules need.
pub(crate) struct Context<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) asked: &'a Asked,
    /// The host of the request, without a port.
    pub(crate) host: &'a str,
    pub(crate) secure: bool,
    pub(crate) status: StatusCode,
    pub(crate) state: State<'a>,
}

/// Bytes of ours as a field value.
fn value(bytes: Vec<u8>) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(bytes::Bytes::from(bytes)).ok()
}
