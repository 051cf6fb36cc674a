//! The part of the site that is written in Rust: who is logged in, logging in, logging out. It
//! shares Django's sessions, users and messages, and knows nothing else of Django. See ../README.md.

use std::error::Error;
use std::net::SocketAddr;

use axum::extract::{Form, FromRequest as _, Json, Request};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use sealwax::store::{Backend, UserTable};
use sealwax::{Auth, AuthError, Messages, Protection, Settings, User};
use serde::{Deserialize, Serialize};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    // What both apps share: SECRET_KEY, ALLOWED_HOSTS and the database.
    let settings = Settings::from_env()?.behind_gateway();
    let backend = Backend::open(&variable("DATABASE_URL")?).await?;
    let users = backend.users(&UserTable::default()).await?;
    let protection = Protection::new(&settings, backend.sessions().await?)?.with_users(users)?;

    let app = Router::new()
        .route("/api/me", get(me))
        .route("/api/login", post(log_in))
        .route("/api/logout", post(log_out))
        .layer(protection);
    let listener = tokio::net::TcpListener::bind(variable("LISTEN")?).await?;
    tracing::info!("listening on {}", listener.local_addr()?);
    // The gateway is believed at its own address only, so the layers must know the peer's.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(serve(listener, app).await?)
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set; start with ../run"))
}

/// What everybody may know of themselves.
#[derive(Serialize)]
struct Me {
    username: Option<String>,
    is_staff: bool,
}

impl Me {
    fn of(user: Option<&User>) -> Json<Self> {
        Json(Self {
            username: user.map(|user| user.username.clone()),
            is_staff: user.is_some_and(|user| user.is_staff),
        })
    }
}

async fn me(user: Option<User>) -> Json<Me> {
    Me::of(user.as_ref())
}

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// Takes a form, and answers with the start page; takes JSON, and answers with JSON.
async fn log_in(auth: Auth, messages: Messages, request: Request) -> Result<Response, Response> {
    let kind = request.headers().get(CONTENT_TYPE);
    let json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let login: Login = if json {
        let body = Json::from_request(request, &()).await;
        body.map_err(IntoResponse::into_response)?.0
    } else {
        let body = Form::from_request(request, &()).await;
        body.map_err(IntoResponse::into_response)?.0
    };
    let user = auth.authenticate(&login.username, &login.password).await;
    let user = user.map_err(AuthError::into_response)?;
    if let Some(user) = &user {
        auth.login(user).await.map_err(AuthError::into_response)?;
    }
    if json {
        let status = match user {
            Some(_) => StatusCode::OK,
            None => StatusCode::FORBIDDEN,
        };
        return Ok((status, Me::of(user.as_ref())).into_response());
    }
    match user {
        Some(user) => messages.success(format!("axum has logged in {}.", user.username)),
        None => messages.error("Wrong name or password."),
    }
    Ok(Redirect::to("/").into_response())
}

async fn log_out(auth: Auth, messages: Messages) -> Result<Redirect, AuthError> {
    auth.logout().await?;
    messages.success("axum has logged you out.");
    Ok(Redirect::to("/"))
}
