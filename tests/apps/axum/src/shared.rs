//! What is shared with a Django next door: logins, sessions, signed cookies, messages, tokens.

use std::time::Duration;

use axum::extract::{Json, Query};
use axum::routing::{get, post};
use axum::{Form, Router};
use sealwax::{Auth, AuthError, CsrfToken, Messages, Session, SessionError, SignedCookies, User};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/me/", get(me))
        .route("/login/", post(log_in))
        .route("/logout/", post(log_out))
        .route("/session/", get(read).post(write))
        .route("/signed/", get(unsign).post(sign))
        .route("/messages/", get(hear).post(say))
        .route("/token/", get(token).post(checked))
}

fn name(user: Option<&User>) -> Json<Value> {
    Json(json!({ "username": user.map(|user| user.username.as_str()) }))
}

async fn me(user: Option<User>) -> Json<Value> {
    name(user.as_ref())
}

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

async fn log_in(auth: Auth, Form(form): Form<Login>) -> Result<Json<Value>, AuthError> {
    let user = auth.authenticate(&form.username, &form.password).await?;
    if let Some(user) = &user {
        auth.login(user).await?;
    }
    Ok(name(user.as_ref()))
}

async fn log_out(auth: Auth) -> Result<Json<Value>, AuthError> {
    auth.logout().await?;
    Ok(name(None))
}

async fn read(session: Session) -> Result<Json<Map<String, Value>>, SessionError> {
    let mut all = Map::new();
    for name in session.names().await? {
        let value = session.get(&name).await?.unwrap_or_default();
        all.insert(name, value);
    }
    Ok(Json(all))
}

/// Sets what is given, and takes out what is given as null.
async fn write(session: Session, Json(new): Json<Map<String, Value>>) -> Result<(), SessionError> {
    for (name, value) in &new {
        if value.is_null() {
            session.remove(name).await?;
        } else {
            session.insert(name, value).await?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Signed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    salt: String,
    #[serde(default)]
    value: String,
    max_age: Option<u64>,
}

async fn sign(cookies: SignedCookies, Form(form): Form<Signed>) -> Json<Value> {
    Json(
        cookies
            .set(&form.name, &form.salt, &form.value, None)
            .into(),
    )
}

async fn unsign(cookies: SignedCookies, Query(form): Query<Signed>) -> Json<Value> {
    let max_age = form.max_age.map(Duration::from_secs);
    Json(match cookies.get(&form.name, &form.salt, max_age) {
        Ok(value) => json!({ "value": value }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    })
}

async fn say(messages: Messages, Form(form): Form<Signed>) {
    messages.warning(form.value);
}

async fn hear(messages: Messages) -> Json<Value> {
    let all = messages.take();
    let all = all
        .iter()
        .map(|m| json!({ "level": m.level, "text": m.text }));
    Json(all.collect())
}

async fn token(token: CsrfToken) -> String {
    token.to_string()
}

async fn checked() -> &'static str {
    "checked"
}
