//! # Sealwax: one security policy for web apps, as tower layers
//!
//! Sessions, CSRF protection, logins, signed cookies, flash messages, security headers and hardened
//! cookies that are right by default, for services built on tower, with or without axum. Where a
//! Django project stands next door, both sides share one login: the formats and the semantics are
//! Django's, row by row and byte by byte.
//!
//! Who should use it: whoever writes a web app in Rust that browsers log in to. Whoever wants the
//! same protection in front of an app in another language, or in front of several, runs the gateway
//! of the same project (`sealwax serve`), which applies the same policy from outside.
//!
//! # What it is
//!
//! Eight layers, each of which works alone, and [`Protection`], which is all of them in the order in
//! which they belong:
//!
//! ```text
//!                     request ▼                       ▲ response
//! SealLayer           host check, redirect  400 301   headers, cookies hardened
//! CspLayer            a nonce, if asked for           Content-Security-Policy
//! BearerLayer         token, no cookies     401 403   no cookies
//! SignedCookiesLayer  ┐                               what was set
//! MessagesLayer       │ not read before               what is not yet told
//! SessionLayer        ┘ somebody asks                 saved, if it was changed
//! CsrfLayer           may this be sent?     403       the token's cookie
//! AuthLayer           not asked before somebody asks
//!                     ▼                               ▲
//!    the app: Session, User, Auth, CsrfToken, CspNonce, Messages, Bearer, …
//! ```
//!
//! A request that asks for nothing costs no look at any store. What the layers find they leave in
//! the extensions of the request, where each [handle](#layers-and-what-they-give) is one call away.
//!
//! # What it is not
//!
//! * **No user management.** It reads the users of a Django project, or whatever implements
//!   [`Users`]; it registers nobody and sends no mail.
//! * **No permissions** beyond "logged in" and the [scopes](BearerLayer::scope) of a token.
//! * **No rate limits.** Who guesses passwords is slowed down by their hashing alone.
//! * **No TLS.** Something else ends it, and [says so](#over-which-connection-a-request-came).
//! * **No templates and no escaping.** What goes into a page is the app's to escape.
//! * **No repair of an app that changes things on GET.** Such requests are not judged.
//!
//! # Example
//!
//! A page with a form, a session, and a message that is told once:
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use std::sync::Arc;
//! use axum::response::{Html, Redirect};
//! use axum::{Router, routing::get};
//! use sealwax::{CsrfToken, Memory, Messages, Protection, Session, SessionError, Settings};
//!
//! async fn page(
//!     session: Session,
//!     messages: Messages,
//!     token: CsrfToken,
//! ) -> Result<Html<String>, SessionError> {
//!     let sent = session.get::<u32>("sent").await?.unwrap_or(0);
//!     let said = messages.take().into_iter().map(|m| format!("<p>{}</p>", m.text));
//!     let (said, input) = (said.collect::<String>(), token.input());
//!     let form = format!("<form method=post>{input}<button>Send</button></form>");
//!     Ok(Html(format!("{said}<p>Sent {sent} times.</p>{form}")))
//! }
//!
//! async fn send(session: Session, messages: Messages) -> Result<Redirect, SessionError> {
//!     let sent = session.get::<u32>("sent").await?.unwrap_or(0) + 1;
//!     session.insert("sent", &sent).await?;
//!     messages.success("It came from this site.");
//!     Ok(Redirect::to("/"))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::development(); // or Settings::from_env()?
//! let protection = Protection::new(&settings, Arc::new(Memory::new()))?;
//! let app: Router = Router::new().route("/", get(page).post(send)).layer(protection);
//!
//! // axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
//! # use tower::ServiceExt as _;
//! # let ask = |method: &str, cookie: String, origin: &str| {
//! #     let request = http::Request::builder().method(method).uri("/").header("host", "localhost");
//! #     let request = request.header("cookie", cookie).header("origin", origin);
//! #     // As a browser says it of a form on one of the site's own pages.
//! #     let site = if origin == "http://localhost" { "same-origin" } else { "cross-site" };
//! #     let request = request.header("sec-fetch-site", site);
//! #     app.clone().oneshot(request.body(axum::body::Body::empty()).unwrap())
//! # };
//! # let cookies = |response: &axum::response::Response| -> String {
//! #     let fields = response.headers().get_all("set-cookie").iter();
//! #     let pairs = fields.map(|f| f.to_str().unwrap().split(';').next().unwrap().to_owned());
//! #     pairs.collect::<Vec<_>>().join("; ")
//! # };
//! # let stranger = ask("POST", String::new(), "https://evil.example").await?;
//! # assert_eq!(stranger.status(), 403);
//! # let sent = ask("POST", String::new(), "http://localhost").await?;
//! # assert_eq!(sent.status(), 303);
//! # let jar = cookies(&sent);
//! # assert!(jar.contains("sessionid=") && jar.contains("messages="), "{jar}");
//! # let page = ask("GET", jar, "http://localhost").await?;
//! # assert_eq!(page.headers()["x-frame-options"], "SAMEORIGIN");
//! # let bytes = axum::body::to_bytes(page.into_body(), 1 << 16).await?;
//! # let text = String::from_utf8(bytes.to_vec())?;
//! # assert!(text.contains("Sent 1 times.") && text.contains("It came from this site."), "{text}");
//! # Ok(()) }
//! ```
//!
//! # Layers and what they give
//!
//! | Layer | Does | A handler asks for |
//! |---|---|---|
//! | [`SealLayer`] | host check, redirect, HSTS, security headers, hardens every cookie | [`Arrival`]: the client, the host, TLS or not, a safe `next` |
//! | [`CspLayer`] | `Content-Security-Policy` with nonces | [`CspNonce`]; [`CspOverride`] in the response |
//! | [`BearerLayer`] | API tokens, which take cookies away | [`Bearer`] |
//! | [`SignedCookiesLayer`] | cookies that nobody can change | [`SignedCookies`] |
//! | [`MessagesLayer`] | told once, on the next page | [`Messages`] |
//! | [`SessionLayer`] | sessions, read when asked for, saved when the response leaves | [`Session`] |
//! | [`CsrfLayer`] | refuses what another site made a browser send | `CsrfToken`, or [`Csrf`] |
//! | [`AuthLayer`] | who is logged in | [`User`], `Option<User>`, [`Auth`] to log in and out |
//! | [`Protection`] | all of these | all of these |
//!
//! With the feature `axum` everything in the last column is an extractor. Without it, each has `of(&request)`: [`Session::of`], [`Auth::of`], [`CspNonce::of`] … . Errors
//! are answers as well, by `IntoResponse` or by their own `response()`.
//!
//! # Without axum
//!
//! The layers are [`tower_layer::Layer`]s over services of [`http::Request`] and
//! [`http::Response`], generic over both bodies; hyper, tonic and others speak these. A body that
//! was read ahead in search of a form's token is given to the app whole, as [`RequestBody`]; what
//! comes back is the app's body or one of ours, as [`ResponseBody`].
//!
//! ```
//! use std::{convert::Infallible, sync::Arc};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use sealwax::{Memory, Protection, RequestBody, Session, SessionError, Settings, Transport};
//! use tower_layer::Layer as _;
//! use tower_service::Service as _;
//!
//! async fn app(request: Request<RequestBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     let answer = async {
//!         let session = Session::of(&request).ok_or(SessionError::NoLayer)?;
//!         let visits = session.get::<u32>("visits").await?.unwrap_or(0) + 1;
//!         session.insert("visits", &visits).await?;
//!         Ok(Response::new(Full::from(format!("Visit {visits}"))))
//!     };
//!     Ok(answer.await.unwrap_or_else(|error: SessionError| {
//!         let mut response = Response::new(Full::from("Something went wrong."));
//!         *response.status_mut() = error.status();
//!         response
//!     }))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), sealwax::Mistakes> {
//! let mut settings = Settings::production(["app.example.com"]);
//! settings.secret_key = "0aPq…".repeat(11).into();
//! let protection = Protection::new(&settings, Arc::new(Memory::new()))?;
//! let mut service = protection.layer(tower::service_fn(app));
//!
//! let mut request = Request::new(Full::default());
//! request.headers_mut().insert("host", "app.example.com".parse().unwrap());
//! // Whoever accepted the connection says how it came.
//! request.extensions_mut().insert(Transport::tls(None));
//! let Ok(response) = service.call(request).await;
//! assert!(response.headers()["set-cookie"].to_str().unwrap().starts_with("__Host-sessionid="));
//! # Ok(()) }
//! ```
//!
//! # Settings
//!
//! [`Settings`] carry Django's names in snake case. [`Settings::from_env`] reads Django's own names
//! from the environment, [`Setting::ALL`] lists them with their defaults, and whatever takes
//! settings refuses every mistake at once, each with place, cause and mend. The presets differ only
//! where they must; `behind_gateway` can follow any of them:
//!
//! | | [`production`](Settings::production) | [`development`](Settings::development) | `production`, then [`behind_gateway`](Settings::behind_gateway) |
//! |---|---|---|---|
//! | hosts | yours | localhost | yours |
//! | plain HTTP | redirected | served | the gateway's business |
//! | cookies | `Secure`, `__Host-` | as a browser takes them without TLS | `Secure`; the gateway adds prefixes |
//! | HSTS | where the chain is publicly trusted, in steps | the same, so never | the gateway's business |
//! | `secret_key` | 50 characters or more | made up if there is none | 50 characters or more |
//! | refusals | say nothing | say why | say nothing |
//!
//! # Over which connection a request came
//!
//! The layers must know the peer's address and whether it came over TLS, or they can neither
//! believe a proxy nor send a `Secure` cookie. In axum, serve with
//! `into_make_service_with_connect_info::<SocketAddr>()`; elsewhere, or where TLS ends in this
//! process, put a [`Transport`] into every request. A layer that finds itself on plain HTTP says so
//! once, with the mend, and withholds cookies that browsers would refuse.
//!
//! # Beside a Django site
//!
//! Give both the same `SECRET_KEY`, one database, and one host name (`sealwax serve` puts them
//! behind one). [`SessionLayer`] reads and writes Django's own `django_session`, [`Auth`] its users:
//! whoever logs in on one side is known on the other, a logout or a changed password ends both.
//! Messages and signed cookies are Django's too. What must be equal, and the traps, are in
//! [`manual::coming_from_django`].
//!
//! # What was done, and why
//!
//! Every change and every refusal of the policy has a [`Rule`] with a stable id and a reason: in the
//! [`Record`] of a response, and as a `tracing` event of target `sealwax`, once a day for each
//! subject (a refusal for CSRF each time, as in Django).
//!
//! # Cookies that cannot be stolen
//!
//! Values of the cookies in `sealed_cookies` leave encrypted under `seal_keys`, and what was changed,
//! moved or made up does not reach the app. With the feature `bind` those in `bound_cookies` belong to
//! a key in the browser's device as well (Device Bound Session Credentials): a copy is a visitor.
//! Whatever is inside of [`SealLayer`] sees plain values. With the keys of a `sealwax serve` beside it,
//! either opens what the other has sealed.
//!
//! # Features
//!
//! * `axum` (default): extractors, `IntoResponse` for errors, the peer's address from axum's
//!   `ConnectInfo`. A feature, because tower services need none of it.
//! * `sqlite` (default), `postgres`, `redis`: homes for sessions, users and tokens beside
//!   [`Memory`], opened by their URL with [`Backend::open`]. Features, because each brings its client
//!   along. SQLite is on, because it is the one home that needs no server and survives a restart.
//!
//! * `bind`: cookies that are worth nothing without the browser's device (`bound_cookies`). A feature,
//!   because it brings the protocol and its signatures along.
//!
//! They only add; none changes what the others do.
//!
//! # More
//!
//! The [`manual`] has recipes, everything for those who come from Django, and attacks by name with
//! the design's answer to each.

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
#[cfg(test)]
mod logged;
#[cfg(any(all(doc, not(doctest)), all(doctest, feature = "axum")))]
pub mod manual;
mod messages;
mod order;
mod protection;
mod record;
mod refusal;
mod seal;
mod session;
mod settings;
mod signed;
mod websocket;
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
pub use sealwax_policy::{Action, Change, FrameExempt, Rule};
pub use sealwax_store as store;
pub use sealwax_store::{
    Backend, BoxFuture, CachedDb, Memory, SessionKey, SessionStore, StoreError, TokenHash,
    TokenRecord, TokenStore, UserRow, UserTable, Users, with_cached_db,
};

/// Its example runs as well.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
