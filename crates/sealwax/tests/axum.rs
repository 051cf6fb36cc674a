//! An axum app behind all layers, as a browser and an API client meet it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(feature = "axum")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use sealwax::{
    Bearer, BearerLayer, CspNonce, CsrfToken, Memory, Messages, NewToken, Protection, Session,
    SessionError, Settings, SignedCookies, Tokens, Transport, User, UserRow, Users,
};
use sealwax_store::{BoxFuture, StoreError};
use tower::ServiceExt as _;

async fn page(
    session: Session,
    token: CsrfToken,
    nonce: CspNonce,
    messages: Messages,
) -> Result<Html<String>, SessionError> {
    let said: String = messages.take().into_iter().map(|m| m.text).collect();
    let name = session.get::<String>("name").await?.unwrap_or_default();
    let nonce = nonce.value()?.to_owned();
    let input = token.input();
    Ok(Html(format!(
        "{said}<p>{name}</p><script nonce=\"{nonce}\"></script><form method=post>{input}</form>"
    )))
}

#[derive(serde::Deserialize)]
struct Name {
    name: String,
}

async fn rename(
    session: Session,
    messages: Messages,
    Form(form): Form<Name>,
) -> Result<Redirect, SessionError> {
    session.insert("name", &form.name).await?;
    messages.success("Renamed.");
    Ok(Redirect::to("/"))
}

async fn api(bearer: Bearer) -> Response {
    match bearer.require("read") {
        Ok(()) => bearer.subject().to_owned().into_response(),
        Err(error) => error.into_response(),
    }
}

async fn members(_: User) -> &'static str {
    "members"
}

async fn signed(cookies: SignedCookies) -> String {
    cookies.set("seen", "", "yes", None);
    let before = cookies.get("seen", "", None);
    before.ok().flatten().unwrap_or_default()
}

struct Browser {
    app: Router,
    cookies: Vec<(String, String)>,
}

impl Browser {
    async fn new(change: impl FnOnce(&mut Settings)) -> (Self, String) {
        let mut settings = Settings::production(["a.example"]);
        settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
        settings.secure_csp = Some("script-src <CSP_NONCE_SENTINEL>".into());
        change(&mut settings);
        let store = Arc::new(Memory::new());
        let tokens = Tokens::new(Arc::clone(&store) as _);
        let token = tokens.issue(NewToken {
            subject: "printer".into(),
            scopes: vec!["read".into()],
            ..NewToken::default()
        });
        let token = token.await.unwrap();
        let protection = Protection::new(&settings, Arc::clone(&store) as _).unwrap();
        let required = BearerLayer::new(Arc::clone(&store) as _);
        let app = Router::new()
            .route("/", get(page).post(rename))
            .route("/members", get(members))
            .route("/signed", get(signed))
            .route("/api", post(api).layer(required))
            .layer(protection.with_tokens(store));
        let cookies = Vec::new();
        (Self { app, cookies }, token)
    }

    /// Sends a request over TLS with the cookies, and keeps those that come back.
    async fn send(&mut self, request: http::request::Builder, body: &str) -> Response {
        let mut request = request.header("host", "a.example");
        if !self.cookies.is_empty() {
            let pairs = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            request = request.header(COOKIE, pairs.collect::<Vec<_>>().join("; "));
        }
        let request = request.extension(Transport::tls(None));
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        for field in response.headers().get_all(SET_COOKIE) {
            let field = field.to_str().unwrap();
            let (pair, _) = field.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            // A deletion goes out under both names, so that none is left.
            if !field.contains("Max-Age=0") {
                assert!(name.starts_with("__Host-"), "{field}");
                assert!(
                    field.contains("; Secure") && field.contains("; HttpOnly"),
                    "{field}"
                );
            }
            self.cookies.retain(|(known, _)| known != name);
            if !field.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        response
    }
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn form() -> http::request::Builder {
    Request::post("/")
        .header("origin", "https://a.example")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
}

#[tokio::test]
async fn a_form_goes_through_all_layers_and_back() {
    let (mut browser, _) = Browser::new(|_| {}).await;
    let response = browser.send(Request::get("/"), "").await;
    assert_eq!(response.status(), 200);
    let csp = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    let html = text(response).await;
    let nonce = csp
        .strip_prefix("script-src 'nonce-")
        .unwrap()
        .strip_suffix('\'')
        .unwrap();
    assert!(html.contains(nonce));
    let token = html
        .split("value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let body = format!("csrfmiddlewaretoken={token}&name=Z%C3%B6e");
    let response = browser.send(form(), &body).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let html = text(browser.send(Request::get("/"), "").await).await;
    assert!(html.starts_with("Renamed.<p>Zöe</p>"), "{html}");
    let html = text(browser.send(Request::get("/"), "").await).await;
    assert!(html.starts_with("<p>Zöe</p>"), "{html}");
    // The same form from elsewhere, and without its token.
    let foreign = form().header("sec-fetch-site", "cross-site");
    assert_eq!(browser.send(foreign, &body).await.status(), 403);
    assert_eq!(browser.send(form(), "name=x").await.status(), 403);
}

#[tokio::test]
async fn a_secret_in_the_session_works_the_same() {
    let (mut browser, _) = Browser::new(|s| s.csrf_use_sessions = true).await;
    let html = text(browser.send(Request::get("/"), "").await).await;
    assert!(
        browser
            .cookies
            .iter()
            .all(|(name, _)| name != "__Host-csrftoken")
    );
    let token = html
        .split("value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let body = format!("csrfmiddlewaretoken={token}&name=x");
    assert_eq!(browser.send(form(), &body).await.status(), 303);
    let body = format!("csrfmiddlewaretoken={}&name=x", "a".repeat(64));
    assert_eq!(browser.send(form(), &body).await.status(), 403);
}

#[tokio::test]
async fn an_api_client_has_a_token_and_no_cookies() {
    let (mut browser, token) = Browser::new(|_| {}).await;
    browser.send(Request::get("/signed"), "").await;
    assert_eq!(
        text(browser.send(Request::get("/signed"), "").await).await,
        "yes"
    );
    let call =
        |token: &str| Request::post("/api").header("authorization", format!("Bearer {token}"));
    let response = browser.send(call(&token), "{}").await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, "printer");
    assert_eq!(browser.send(call("made-up"), "{}").await.status(), 401);
    // Cookies open no API, also where a browser says that the page is the site's own.
    let own = Request::post("/api").header("sec-fetch-site", "same-origin");
    assert_eq!(browser.send(own, "{}").await.status(), 401);
}

#[tokio::test]
async fn without_users_nobody_is_logged_in_and_the_log_says_why() {
    let (mut browser, _) = Browser::new(|_| {}).await;
    let response = browser.send(Request::get("/members"), "").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

/// A table without rows.
struct Nobody;

impl Users for Nobody {
    fn by_id<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn by_username<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn set_last_login<'a>(
        &'a self,
        _: &'a str,
        _: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn strangers_are_told_or_shown_where_to_log_in() {
    let ask_for = async |url: &str, login_url: Option<&str>, method: &str| {
        let mut settings = Settings::production(["a.example"]);
        settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
        settings.login_url = login_url.map(str::to_owned);
        let protection = Protection::new(&settings, Arc::new(Memory::new())).unwrap();
        let inner = Router::new()
            .route("/members", get(members).post(members))
            .route("/{*rest}", get(members));
        let app = Router::new()
            .nest("/club", inner.clone())
            .merge(inner)
            .layer(protection.with_users(Arc::new(Nobody)).unwrap());
        let request = Request::builder().method(method).uri(url);
        let request = request.header("host", "a.example");
        let request = request.header("sec-fetch-site", "same-origin");
        let request = request.extension(Transport::tls(None));
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await;
        let response = response.unwrap();
        let location = response.headers().get("location").cloned();
        let location = location.map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), location)
    };
    let ask = async |login_url, method| ask_for("/members?a=1&b", login_url, method).await;
    assert_eq!(ask(None, "GET").await, (403, None));
    // The way back is the whole path, and leads to no other site.
    for (url, next) in [
        ("/club/members", "%2Fclub%2Fmembers"),
        ("//evil.example/x", "%2Fevil.example%2Fx"),
    ] {
        let page = Some(format!("/in/?next={next}"));
        assert_eq!(ask_for(url, Some("/in/"), "GET").await, (303, page));
    }
    let page = "/in/?next=%2Fmembers%3Fa%3D1%26b".to_owned();
    assert_eq!(ask(Some("/in/"), "GET").await, (303, Some(page)));
    let page = "https://id.example/in?x=1&next=%2Fmembers%3Fa%3D1%26b".to_owned();
    let elsewhere = Some("https://id.example/in?x=1");
    assert_eq!(ask(elsewhere, "GET").await, (303, Some(page)));
    assert_eq!(ask(Some("/in/"), "POST").await, (403, None));
    for mistake in [
        "in",
        "//evil.example/",
        "http://a.example/",
        "/in/#x",
        "/in\n",
    ] {
        let mut settings = Settings::production(["a.example"]);
        settings.login_url = Some(mistake.to_owned());
        let mistakes = settings.check().unwrap_err();
        assert!(mistakes.to_string().contains("login_url"), "{mistake}");
    }
}

#[tokio::test]
async fn the_peers_address_comes_from_axum() {
    let mut settings = Settings::production(["localhost"]).behind_gateway();
    settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
    let protection = Protection::new(&settings, Arc::new(Memory::new())).unwrap();
    let app = Router::new()
        .route(
            "/",
            get(|session: Session| async move { session.insert("a", &1).await }),
        )
        .layer(protection);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let answer = |forwarded: &'static str| async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET / HTTP/1.1\r\nhost: localhost\r\n{forwarded}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    };
    // From the loopback address, as the gateway.
    let text = answer("x-forwarded-proto: https\r\n").await;
    assert!(
        text.contains("set-cookie: sessionid=") && text.contains("; Secure"),
        "{text}"
    );
    // Over plain HTTP the cookie is withheld.
    let text = answer("").await;
    assert!(
        text.starts_with("HTTP/1.1 200") && !text.contains("set-cookie"),
        "{text}"
    );
    server.abort();
}
