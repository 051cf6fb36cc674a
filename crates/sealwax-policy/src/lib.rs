//! # The policy of one site, and the machine that applies it
//!
//! A request and a response are judged by one pure state machine,
//! [`Exchange`]. The gateway, the tower layers and the auditor are only three
//! ways to feed it.
//!
//! ```text
//!                 Connection (peer, TLS, chain)      State (now, names, HSTS)
//!                              │                               │
//!  request head ─▶ Target ─▶ Exchange::request ─▶ Forward ─▶ app ─▶ Exchange::response ─▶ response head
//!                    │         │                                        │
//!                    ▼         ▼                                        ▼
//!                 400, 421   Respond (redirect, refusal)            finish ─▶ record, names learned
//! ```
//!
//! What it decides: which host a request is for, who the client is, whether
//! plain HTTP is redirected or refused, which security headers a response
//! lacks, and what becomes of every cookie in both directions. Beside the
//! exchange, because they need more than heads: who may send an unsafe request
//! ([`Csrf`], before a token is looked at) and what a page may load ([`Csp`],
//! whose nonce the page must carry). What it does not: sockets, TLS, framing,
//! files, clocks and randomness. Time and memory come in as arguments
//! ([`State`]); what is to be remembered goes out as data ([`Finished`]).
//!
//! Every change is recorded with the [`Rule`] that made it ([`Change`]). A
//! routine change is only put into words when somebody asked for
//! [`Level::All`].
//!
//! ```
//! use http::{HeaderValue, Request};
//! use sealwax_policy::{AllowedHosts, Connection, Exchange, KnownNames, Level, Policy, State, Step, Target};
//!
//! let policy = Policy::new(AllowedHosts::new(["app.example.com"]));
//! let request = Request::get("/login?next=/").header("host", "app.example.com").body(()).unwrap();
//! let (mut head, ()) = request.into_parts();
//!
//! let target = Target::read(&head).unwrap();
//! assert!(policy.hosts.allow(target.domain()));
//!
//! let plain = Connection { peer: None, tls: false, publicly_trusted: false };
//! let hsts = HeaderValue::from_static("max-age=300");
//! let state = State { now: 1_700_000_000, names: &KnownNames::default(), hsts: &hsts };
//! let mut exchange = Exchange::new(&policy, plain, target, &head, Level::All);
//! let Step::Respond(answer) = exchange.request(&mut head, state) else { panic!("plain HTTP is redirected") };
//! assert_eq!(answer.headers["location"], "https://app.example.com/login?next=/");
//! assert_eq!(exchange.finish().changes[0].rule.id(), "redirect.https");
//! ```

mod answer;
#[cfg(feature = "bind")]
mod bind;
#[cfg(not(feature = "bind"))]
#[path = "bind/off.rs"]
mod bind;
mod claims;
mod cookies;
mod csp;
mod csrf;
mod django_proxy;
mod exchange;
mod explain;
mod forwarded;
mod headers;
mod host;
mod hsts;
mod loops;
mod paths;
mod policy;
mod proxies;
mod redirect;
mod route_fields;
mod seal;
mod target;
mod unjudged;
mod url;

pub use answer::{Answer, Problem};
#[cfg(feature = "bind")]
pub use bind::{Bind, Fallback};
pub use claims::is_claim;
pub use cookies::Learned;
pub use csp::{Csp, CspHeader, CspMistake, Disposition, Sources};
pub use csrf::{
    Csrf, OriginMistake, OwnHost, Proof, Reason, Sent, TrustedOrigins, origin_verified,
    referer_verified,
};
pub use django_proxy::{DisallowedHost, HostClaims, NotAMetaName, SecureProxySslHeader};
pub use exchange::{Connection, Exchange, Finished, Paused, Plan, RESERVED_PREFIX, State, Step};
pub use explain::{Action, Change, Level, Recorder, Rule};
pub use headers::{CROSS_ORIGIN_OPENER_POLICY, FrameExempt, Headers, SecurityFields};
pub use host::{AllowedHosts, Host, MalformedHost, choose, is_address, is_local_name};
pub use hsts::{Hsts, PRELOAD_MINIMUM, RAMP, Ramp, When, may_remember};
pub use loops::LoopWatch;
pub use paths::{Paths, PatternError};
pub use policy::{Mode, Policy};
pub use proxies::{Route, TrustedProxies};
pub use redirect::{Redirect, RedirectHost};
pub use route_fields::RouteFields;
pub use seal::{Random, Seal};
#[cfg(feature = "bind")]
pub use sealwax_bind::Lifetime;
pub use target::Target;
pub use unjudged::{is_unjudged_in_request, is_unjudged_in_response};

// The vocabulary of cookies, which appears in this crate's types.
pub use sealwax_cookie::{Form, KeyRing, KnownNames, NameRules, SameSite};
