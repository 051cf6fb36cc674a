//! Cookies as bytes: read the way a browser reads them, hardened one attribute at a time, and
//! written back with everything else untouched.
//!
//! # What it is
//!
//! The part of Sealwax that knows cookies, as pure functions. It stands between an app that sets
//! cookies carelessly and browsers that enforce what a cookie asks for:
//!
//! ```text
//!              Set-Cookie                                  Set-Cookie
//!   app ─────────────────────▶ SetCookie::parse ─▶ harden ─────────────────────▶ browser
//!        sid=1; Path=/                │     ▲              __Host-sid=1; Path=/;
//!                                     │   Demand           Secure; HttpOnly; SameSite=Lax
//!                                     │     ▲                                       │
//!                               KnownNames  NameRules                               │
//!                                     │     │                                       │
//!         Cookie                      ▼     ▼                              Cookie   │
//!   app ◀───────────────────────────── inbound ◀────────────────────────────────────┘
//!        sid=1; theme=dark                        __Host-sid=1; theme=dark; sid=evil
//!
//!            1 ───────▶ Contents ─▶ CookieSeal::seal ─▶ AUHe…   where a value is to be
//!            1 ◀─────── Contents ◀─ CookieSeal::open ◀─ AUHe…   nobody's but the app's
//!                                        ▲
//!                                     KeyRing
//! ```
//!
//! * [`SetCookie`] is a `Set-Cookie` field by the algorithm of RFC 6265bis, Section 5.6; [`harden`]
//!   raises it to a [`Demand`] and says what it did; [`deletions`] removes a cookie in every form.
//! * [`pairs`] is the canonical reading of a `Cookie` header; [`inbound`] turns the client's into the
//!   app's.
//! * [`NameRules`] is what one site configures, [`KnownNames`] what was learnt of its app.
//! * [`CookieSeal`] encrypts and authenticates a value towards the browser, for one name and its
//!   hosts and until it expires, under the keys of a [`KeyRing`]; a [`Sealer`] does the same with any
//!   bytes for any one purpose. Keys are rotated: the first seals, all of them open.
//! * [`date`], [`legacy`] and [`Prefix`] are the specification's smaller parts.
//!
//! # What it is not
//!
//! It is no cookie jar: nothing here stores cookies or decides which to send. It signs nothing for
//! apps to read; a sealed value is for who has sealed it. It knows no sockets, files, clock or
//! randomness: whoever calls it passes time and nonces in and keeps memory and keys. It never lowers anything: what it cannot improve it leaves alone
//! and reports.
//!
//! # Specifications
//!
//! RFC 6265bis is draft-ietf-httpbis-rfc6265bis-22, approved and not yet numbered. Name prefixes with
//! `Http-` come from draft-ietf-httpbis-layered-cookies, `Partitioned` from CHIPS. Sealed values use
//! AES-256-GCM-SIV (RFC 8452) and HKDF-SHA256 (RFC 5869).
//!
//! # Example
//!
//! ```
//! use sealwax_cookie::{Form, KnownNames, NameRules, SetCookie, harden, inbound};
//!
//! let rules = NameRules::default();
//! let mut known = KnownNames::default();
//! let day = 20_780; // days since 1970-01-01
//!
//! // Out: Django behind a proxy that it does not know of.
//! let cookie = SetCookie::parse(b"sessionid=abc; HttpOnly; Path=/; SameSite=Lax").unwrap();
//! let demand = rules.demand(&cookie, known.get(cookie.name()));
//! let hardened = harden(&cookie, b"/login/", &demand);
//! assert_eq!(
//!     *hardened.field,
//!     *b"__Host-sessionid=abc; HttpOnly; Path=/; SameSite=Lax; Secure"
//! );
//! known.learn(cookie.name(), hardened.form, false, day);
//! assert_eq!(hardened.form, Form::Host);
//!
//! // Back: only what was sent out reaches the app, under the name that it knows.
//! let header: &[u8] = b"sessionid=tossed; __Host-sessionid=abc; theme=dark";
//! let inbound = inbound([header], &rules, &known);
//! assert_eq!(inbound.header.as_deref(), Some(&b"sessionid=abc; theme=dark"[..]));
//! ```

mod attributes;
mod bytes;
mod change;
pub mod date;
mod deletion;
mod form;
mod harden;
mod inbound;
mod known;
mod known_text;
pub mod legacy;
mod look_alike;
mod pairs;
mod prefix;
mod rules;
mod same_site;
mod scratch;
mod seal;
mod set_cookie;
mod well_known;

// The public interface is:
pub use change::{Change, Changes};
pub use deletion::{delete_stale, delete_stale_at, deletions, superseded};
pub use form::{Form, Forms};
pub use harden::{Demand, Hardened, Rename, harden};
pub use inbound::{Inbound, InboundDrop, inbound, inbound_field_values};
pub use known::{Known, KnownNames, Remembered};
pub use known_text::{TextCause, TextError};
pub use legacy::cannot_read_none;
pub use pairs::{Dropped, Pair, Pairing, pairs};
pub use prefix::Prefix;
pub use rules::{Class, NameRule, NameRules};
pub use same_site::{SameSite, SameSiteAttribute};
pub use seal::{
    Attributes, Contents, CookieSeal, KeyAge, KeyId, KeyRing, KeyRingCause, KeyRingError, MAX_SKEW,
    Opened, OpenedCookie, Scope, SealKey, Sealer, TooLong, Unopened, WhyNot,
};
pub use set_cookie::{MAX_LIFETIME, MAX_NAME_AND_VALUE, Refusal, SetCookie, default_path};
pub use well_known::{Kind, READABLE_BY_DEFAULT, WELL_KNOWN, is_csrf_name, well_known};
