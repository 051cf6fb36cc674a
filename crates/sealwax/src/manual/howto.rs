//! Recipes.
//!
//! # A login page, with users of one's own
//!
//! [`AuthLayer`] asks a [`Users`] for rows. Those of a Django project come from a database; any
//! other source is one `impl` away. A password column is made by
//! `sealwax_django::password::encode`, or by Django.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use axum::{Form, Router, response::{Html, IntoResponse, Redirect, Response}, routing::{get, post}};
//! use sealwax::{
//!     Auth, AuthError, BoxFuture, CsrfToken, Memory, Protection, Settings, StoreError, User,
//!     UserRow, Users,
//! };
//!
//! struct Staff(Vec<UserRow>);
//!
//! impl Users for Staff {
//!     fn by_id<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>> {
//!         Box::pin(async move { Ok(self.0.iter().find(|row| row.id == id).cloned()) })
//!     }
//!     fn by_username<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>> {
//!         Box::pin(async move { Ok(self.0.iter().find(|row| row.username == name).cloned()) })
//!     }
//!     fn set_last_login<'a>(&'a self, _: &'a str, _: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
//!         Box::pin(async { Ok(()) })
//!     }
//! }
//!
//! async fn home(user: Option<User>, token: CsrfToken) -> Html<String> {
//!     let input = token.input();
//!     Html(match user {
//!         Some(_) => format!("<form method=post action=/logout>{input}<button>Log out</button></form>"),
//!         None => format!("<form method=post action=/login>{input}<input name=name><input name=password type=password><button>Log in</button></form>"),
//!     })
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Login { name: String, password: String }
//!
//! async fn log_in(auth: Auth, Form(form): Form<Login>) -> Result<Response, AuthError> {
//!     // The same words, whichever of the two is wrong.
//!     let Some(user) = auth.authenticate(&form.name, &form.password).await? else {
//!         return Ok("Wrong name or password.".into_response());
//!     };
//!     auth.login(&user).await?;
//!     Ok(Redirect::to("/").into_response())
//! }
//!
//! async fn log_out(auth: Auth) -> Result<Redirect, AuthError> {
//!     auth.logout().await?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! # fn main() -> Result<(), sealwax::Mistakes> {
//! let protection = Protection::new(&Settings::development(), Arc::new(Memory::new()))?
//!     .with_users(Arc::new(Staff(Vec::new())))?;
//! let app: Router = Router::new()
//!     .route("/", get(home))
//!     .route("/login", post(log_in))
//!     .route("/logout", post(log_out))
//!     .layer(protection);
//! # Ok(()) }
//! ```
//!
//! Nothing here slows down who guesses passwords: count failed attempts by
//! [`Arrival::client`](crate::Arrival::client) and by name, in front of `authenticate`.
//!
//! # Sessions and users in a database
//!
//! ```no_run
//! # #[cfg(feature = "sqlite")]
//! # async fn app() -> Result<(), Box<dyn std::error::Error>> {
//! use sealwax::{Backend, Protection, Settings, UserTable};
//!
//! let backend = Backend::open("sqlite:/var/lib/shop/db.sqlite3").await?; // or postgres://…
//! let protection = Protection::new(&Settings::from_env()?, backend.sessions().await?)?
//!     .with_users(backend.users(&UserTable::default()).await?)?
//!     .with_tokens(backend.tokens().await?)
//!     .sweep_every(std::time::Duration::from_secs(3600));
//! # Ok(()) }
//! ```
//!
//! # Pages and an API in one app
//!
//! With [`Protection::with_tokens`] a request that brings a token is its token's, and has no
//! cookies; others go on with theirs. [`BearerLayer`] on the API's own routes asks for a token
//! there. So no page can use the API by somebody's cookies, and no token is asked for CSRF.
//!
//! ```
//! use std::sync::Arc;
//! use axum::{Router, routing::get};
//! use sealwax::{Bearer, BearerLayer, Memory, Protection, Settings};
//!
//! async fn orders(token: Bearer) -> String {
//!     format!("the orders of {}", token.subject())
//! }
//!
//! # fn main() -> Result<(), sealwax::Mistakes> {
//! let store = Arc::new(Memory::new());
//! let api = Router::new()
//!     .route("/orders", get(orders))
//!     .layer(BearerLayer::new(store.clone()).scope("orders:read"));
//! let app: Router = Router::new()
//!     .nest("/api", api)
//!     .layer(Protection::new(&Settings::development(), store.clone())?.with_tokens(store));
//! # Ok(()) }
//! ```
//!
//! # Where TLS ends
//!
//! **In `sealwax serve`, on the same machine:**
//! `Settings::from_env()?.behind_gateway()` (or any other preset, see
//! [`behind_gateway`](crate::Settings::behind_gateway)), and
//! `into_make_service_with_connect_info::<SocketAddr>()`, so that the layers see that it comes from
//! a loopback address. Nothing else.
//!
//! **In another proxy:** name its address in `trusted_proxies`, and let it set
//! `X-Forwarded-Proto` and `X-Forwarded-For`.
//!
//! **In this process:** whoever accepts a connection puts a [`Transport`] into each of its
//! requests.
//!
//! ```
//! use http::Request;
//! use sealwax::Transport;
//! use tower::{Service, ServiceExt as _};
//!
//! /// Wraps the service of one connection, which `peer` has opened over TLS.
//! fn over_tls<S, B>(service: S, peer: std::net::IpAddr) -> impl Service<Request<B>, Response = S::Response>
//! where
//!     S: Service<Request<B>>,
//! {
//!     // Publicly trusted: then HSTS may be sent. Leave it out with a certificate of one's own.
//!     let transport = Transport::tls(Some(peer)).publicly_trusted();
//!     service.map_request(move |mut request: Request<B>| {
//!         request.extensions_mut().insert(transport);
//!         request
//!     })
//! }
//! ```
//!
//! # Only some of the layers
//!
//! From the outside in: [`SealLayer`](crate::SealLayer), [`CspLayer`](crate::CspLayer),
//! [`BearerLayer`], [`SignedCookiesLayer`](crate::SignedCookiesLayer),
//! [`MessagesLayer`](crate::MessagesLayer), [`SessionLayer`](crate::SessionLayer),
//! [`CsrfLayer`](crate::CsrfLayer), [`AuthLayer`]. Leave out which you like, and keep that order.
//! In axum the layer that is added last is the outermost.
//!
//! ```
//! use axum::{Router, routing::post};
//! use sealwax::{CsrfLayer, SealLayer, Settings};
//!
//! # fn main() -> Result<(), sealwax::Mistakes> {
//! let settings = Settings::production(["app.example.com"]);
//! let app: Router = Router::new()
//!     .route("/", post(|| async { "from this site" }))
//!     .layer(CsrfLayer::new(&settings)?)
//!     .layer(SealLayer::new(&settings)?);
//! # Ok(()) }
//! ```
//!
//! # First look, then act
//!
//! With `mode = "report"` responses stay as they are and nothing is refused by policy; what would
//! be done is logged, and stands in the [`Record`] of each response with `applied` false.
//!
//! ```
//! use sealwax::{Mode, Settings};
//!
//! let mut settings = Settings::production(["app.example.com"]);
//! settings.mode = Mode::Report;
//! ```
//!
//! # A page of one's own for refusals
//!
//! A layer outside of [`Protection`] sees every refusal, and in its [`Record`] why:
//!
//! ```
//! use axum::{Router, middleware::map_response, response::{Html, IntoResponse, Response}};
//! use sealwax::Record;
//!
//! async fn explain(response: Response) -> Response {
//!     let refused = response.extensions().get::<Record>().is_some_and(|record| {
//!         let mut changes = record.changes().iter();
//!         changes.any(|change| change.applied && change.rule.id().starts_with("csrf."))
//!     });
//!     if !refused {
//!         return response;
//!     }
//!     // Status and headers stay as they are.
//!     let (mut head, _) = response.into_parts();
//!     head.headers.remove(http::header::CONTENT_TYPE);
//!     head.headers.remove(http::header::CONTENT_LENGTH);
//!     let page = Html("<p>This form came from somewhere else. <a href=/>Start again</a>");
//!     let mut answer = page.into_response();
//!     answer.headers_mut().extend(head.headers);
//!     *answer.status_mut() = head.status;
//!     answer
//! }
//!
//! # fn app(router: Router, protection: sealwax::Protection) -> Router {
//! router.layer(protection).layer(map_response(explain))
//! # }
//! ```
//!
//! # A new key
//!
//! 1. Make one: 50 random characters or more.
//! 2. `secret_key` becomes the new one, `secret_key_fallbacks` the old one, in every process and in
//!    the Django next door, at the same time.
//! 3. After `session_cookie_age` take the old one out. Who has not come by in between logs in again.
//!
//! Where the old one was stolen, leave the fallback out from the start.
//!
//! # Tests of one's own app
//!
//! A request needs a host that is allowed; an unsafe one also says that it comes from the site,
//! as browsers do:
//!
//! ```
//! # fn main() -> Result<(), http::Error> {
//! let request = http::Request::post("/transfer")
//!     .header("host", "localhost")
//!     .header("sec-fetch-site", "same-origin")
//!     .body(())?;
//! # Ok(()) }
//! ```
//!
//! # What the log says
//!
//! Events of target `sealwax`: warnings for what somebody should look at (a refused request, a
//! store that does not answer), `info` for what is worth knowing; each thing once a day, but for
//! refusals by [`CsrfLayer`](crate::CsrfLayer) and errors, which are told each time. With
//! `sealwax::changes=debug` every change to every message, with the values before and after, which
//! may hold secrets.
//!
//! [`AuthLayer`]: crate::AuthLayer
//! [`BearerLayer`]: crate::BearerLayer
//! [`Protection`]: crate::Protection
//! [`Protection::with_tokens`]: crate::Protection::with_tokens
//! [`Record`]: crate::Record
//! [`Transport`]: crate::Transport
//! [`Users`]: crate::Users
