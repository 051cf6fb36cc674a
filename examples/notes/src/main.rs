//! Notes behind a login: form, flash message, JSON API, sessions in SQLite. See README.md.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{Form, Json, Query};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Router, serve};
use sealwax::store::{Backend, UserTable};
use sealwax::{Arrival, Auth, AuthError, CspNonce, CsrfToken, Messages, Protection, Session};
use sealwax::{SessionError, Settings, User};
use serde::Deserialize;

const CSP: &str = "default-src 'none'; style-src 'self'; script-src <CSP_NONCE_SENTINEL>; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let accounts = rusqlite::Connection::open("notes.sqlite3")?;
    accounts.execute_batch(include_str!("schema.sql"))?;

    // SECRET_KEY, ALLOWED_HOSTS, … behind `sealwax serve`; without a key, for one's own machine.
    let mut settings = match std::env::var_os("SECRET_KEY") {
        Some(_) => Settings::from_env()?.behind_gateway(),
        None => Settings::development(),
    };
    settings.secure_csp = Some(CSP.to_owned());
    let backend = Backend::open("sqlite:notes.sqlite3").await?;
    let protection = Protection::new(&settings, backend.sessions().await?)?
        .with_users(backend.users(&UserTable::default()).await?)?
        .sweep_every(Duration::from_secs(3600));
    let style = ([(CONTENT_TYPE, "text/css")], include_str!("style.css"));
    let app = Router::new()
        .route("/", get(page))
        .route("/style.css", get(style))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/notes", post(add))
        .route("/api/notes", get(api_list).post(api_add))
        .layer(protection);

    let address = std::env::var("LISTEN").unwrap_or("127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    tracing::info!("http://localhost:{}", listener.local_addr()?.port());
    // A proxy in front is believed at its own address only, so the layers must know the peer's.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(serve(listener, app).await?)
}

macro_rules! fill {
    ($file:literal, $($name:ident),+) => { format!(include_str!($file), $($name = $name),+) };
}

/// What goes wrong is an answer too: 503 where the store is down, else 500.
type Reply<T> = Result<T, AuthError>;

async fn page(
    Query(asked): Query<HashMap<String, String>>,
    user: Option<User>,
    session: Session,
    token: CsrfToken,
    nonce: CspNonce,
    messages: Messages,
) -> Reply<Html<String>> {
    let mut said = String::new();
    for message in messages.take() {
        let (class, text) = (message.level_tag(), escape(&message.text));
        said += &format!("<p class=\"message {class}\" role=\"status\">{text}</p>");
    }
    let (token, nonce) = (token.input(), nonce.value().map_err(SessionError::from)?);
    let content = if let Some(user) = user {
        let name = escape(&user.username);
        let note = |text: &String| format!("<li class=\"note\">{}</li>", escape(text));
        let notes: String = list(&session).await?.iter().rev().map(note).collect();
        fill!("member.html", token, name, notes)
    } else {
        let next = escape(asked.get("next").map_or("/", String::as_str));
        fill!("visitor.html", token, next)
    };
    Ok(Html(fill!("page.html", said, content, nonce)))
}

#[derive(Deserialize)]
struct Account {
    username: String,
    password: String,
    next: Option<String>,
}

async fn log_in(at: Arrival, auth: Auth, say: Messages, form: Form<Account>) -> Reply<Redirect> {
    let Some(user) = auth.authenticate(&form.username, &form.password).await? else {
        say.error("Wrong name or password.");
        return Ok(Redirect::to("/"));
    };
    auth.login(&user).await?;
    say.success(format!("Welcome, {}.", user.username));
    // Whoever made the link wrote it: only what stays on this site is followed.
    let next = form.next.as_deref().and_then(|next| at.safe_redirect(next));
    Ok(Redirect::to(next.unwrap_or("/")))
}

async fn log_out(auth: Auth, say: Messages) -> Reply<Redirect> {
    auth.logout().await?;
    say.info("You are logged out, and your notes are gone.");
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

async fn list(session: &Session) -> Reply<Vec<String>> {
    Ok(session.get("notes").await?.unwrap_or_default())
}

async fn keep(session: &Session, note: Note) -> Reply<()> {
    let mut notes = list(session).await?;
    notes.push(note.text);
    Ok(session.insert("notes", &notes).await?)
}

async fn add(_: User, session: Session, say: Messages, Form(note): Form<Note>) -> Reply<Redirect> {
    keep(&session, note).await?;
    say.success("Kept.");
    Ok(Redirect::to("/"))
}

async fn api_list(_: User, session: Session) -> Reply<Json<Vec<String>>> {
    list(&session).await.map(Json)
}

async fn api_add(_: User, session: Session, Json(note): Json<Note>) -> Reply<StatusCode> {
    keep(&session, note).await?;
    Ok(StatusCode::CREATED)
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}
