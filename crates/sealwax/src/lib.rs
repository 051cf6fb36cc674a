//! # One security policy for web apps, as tower layers
//!
//! What a team that comes from Django misses in Rust: sessions, CSRF protection, signed values and
//! security headers that are right by default. And what a Django team needs that moves one
//! endpoint to Rust: both sides share one login, row by row and byte by byte.
//!
//! ```text
//!              SealLayer    host check, redirect, HSTS, headers, cookies hardened
//!  request ──▶   CspLayer     a nonce, Content-Security-Policy
//!  response ◀──    BearerLayer  API tokens, which take cookies away
//!                    SessionLayer  read when asked for, saved when the response leaves
//!                      CsrfLayer     who may send this, and Django's token
//!                        AuthLayer     who is logged in
//!                          the app: Session, User, CsrfToken, Messages, …
//! ```
//!
//! Each layer works alone; [`Protection`] is all of them in the right order. They are generic over
//! bodies and need no framework: tower services of the `http` types, such as hyper's. What they
//! find they leave in the request's extensions (`Session::of(&request)`); with the feature `axum`,
//! on by default, all of it can be extracted.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use axum::{Router, response::Html, routing::get};
//! use sealwax::{CsrfToken, Memory, Protection, Session, SessionError, Settings};
//!
//! async fn page(session: Session, token: CsrfToken) -> Result<Html<String>, SessionError> {
//!     let visits = session.get::<u32>("visits").await?.unwrap_or(0) + 1;
//!     session.insert("visits", &visits).await?;
//!     let form = token.input();
//!     Ok(Html(format!("<p>Visit {visits}</p><form method=post>{form}<button>Send</button></form>")))
//! }
//!
//! async fn sent() -> &'static str {
//!     "It came from this site."
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::development(); // or Settings::from_env()?
//! let protection = Protection::new(&settings, Arc::new(Memory::new()))?;
//! let app: Router = Router::new().route("/", get(page).post(sent)).layer(protection);
//!
//! // axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
//! # use tower::ServiceExt as _;
//! # let request = http::Request::get("/").header("host", "localhost").body(axum::body::Body::empty())?;
//! # let response = app.clone().oneshot(request).await?;
//! # assert_eq!(response.status(), 200);
//! # assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
//! # assert_eq!(response.headers()["x-frame-options"], "SAMEORIGIN");
//! # let request = http::Request::post("/").header("host", "localhost").header("origin", "https://evil.example");
//! # let response = app.oneshot(request.body(axum::body::Body::empty())?).await?;
//! # assert_eq!(response.status(), 403);
//! # Ok(()) }
//! ```
//!
//! # Settings
//!
//! [`Settings`] carry Django's names in snake case. [`Settings::from_env`] reads Django's own
//! names from the environment, [`Setting::ALL`] lists them with their defaults, and whatever takes
//! settings refuses every mistake at once, each with place, cause and mend. Three presets differ
//! only where they must:
//!
//! | | [`production`](Settings::production) | [`development`](Settings::development) | [`behind_gateway`](Settings::behind_gateway) |
//! |---|---|---|---|
//! | hosts | yours | localhost | yours |
//! | plain HTTP | redirected | served | the gateway's business |
//! | cookies | `Secure`, `__Host-` | as a browser takes them without TLS | `Secure`; the gateway adds prefixes |
//! | refusals | say nothing | say why | say nothing |
//!
//! # Over which connection a request came
//!
//! The layers must know the peer and whether it came over TLS, or they can neither believe a proxy
//! nor send a `Secure` cookie. In axum, serve with `into_make_service_with_connect_info`;
//! elsewhere, or where TLS ends in this process, put a [`Transport`] into every request. A layer
//! that finds itself on plain HTTP says so once, with the mend, and withholds cookies that
//! browsers would refuse.
//!
//! # Beside a Django site
//!
//! Give both the same `SECRET_KEY`, one database, and one host name (`sealwax serve` puts them
//! behind one). [`SessionLayer`] reads and writes Django's own `django_session`, [`Auth`] its users:
//! whoever logs in on one side is known on the other, a logout or a changed password ends both.
//! Messages and signed cookies are Django's too.
//!
//! # What was done, and why
//!
//! Every change has a rule with a stable id and a reason: in the [`Record`] of a response, and as
//! a `tracing` event of target `sealwax`, each once a day.
//!
//! # What it is not
//!
//! It renders nothing, has no user model of its own, no rate limits and no permissions beyond
//! [scopes](BearerLayer::scope). It terminates no TLS. It does not repair an app that changes things on
//! GET. Behind a gateway that speaks for several apps, `sealwax serve` applies the same policy
//! to all of them, without this crate.
//!
//! # Features
//!
//! * `axum` (default): extractors, `IntoResponse` for errors, the peer from `ConnectInfo`.
//! * `sqlite` (default), `postgres`, `redis`: homes for sessions, users and tokens beside
//!   [`Memory`], opened by their URL from [`store`].
//!
//! None changes what the others do.

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

// The public interface is:
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

// The vocabulary of other crates, which appears in this one's types.
pub use sealwax_django::session::Expiry;
pub use sealwax_django::{BadSignature, Message};
pub use sealwax_policy::{Action, Change, Rule};
pub use sealwax_store as store;
pub use sealwax_store::{
    Memory, SessionKey, SessionStore, StoreError, TokenHash, TokenRecord, TokenStore, UserRow,
    Users,
};
