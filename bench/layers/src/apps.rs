//! The app behind the layers: the same pages, with or without a session.

use axum::Form;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::{MethodRouter, get};
use http::header::SET_COOKIE;
use sealwax::{CsrfToken, Session, SessionError};
use serde::Deserialize;

/// What Django keeps of a login: about 280 bytes.
pub(crate) const LOGIN: [(&str, &str); 3] = [
    ("_auth_user_id", "1"),
    (
        "_auth_user_backend",
        "django.contrib.auth.backends.ModelBackend",
    ),
    (
        "_auth_user_hash",
        "0f6c4b1a5e7d2938c1b0a6f5e4d3c2b1a09f8e7d6c5b4a3928171605f4e3d2c1",
    ),
];

const PAGE: &str = "<!doctype html><title>Polls</title><p>What is new?</p>";

/// A page that says the same to everybody.
pub(crate) async fn page() -> &'static str {
    PAGE
}

/// A page that sets two cookies by itself.
pub(crate) async fn cookies() -> impl IntoResponse {
    let cookies = [
        (SET_COOKIE, "theme=dark; Path=/; Max-Age=31449600"),
        (
            SET_COOKIE,
            "cart=k3p1x0q8v7m2z9r4t6y5w1n0b8c3d7f2; Path=/; HttpOnly",
        ),
    ];
    (AppendHeaders(cookies), PAGE)
}

/// What the form brings.
#[derive(Deserialize)]
pub(crate) struct Note {
    text: String,
}

/// A form that is read.
pub(crate) async fn note(Form(note): Form<Note>) -> &'static str {
    match note.text.is_empty() {
        true => "",
        false => PAGE,
    }
}

/// A page with a token for a form.
pub(crate) async fn token(token: CsrfToken) -> String {
    token.as_str().to_owned()
}

/// A form that is read and leaves something in the session.
pub(crate) async fn kept_note(
    session: Session,
    Form(note): Form<Note>,
) -> Result<&'static str, SessionError> {
    match note.text.is_empty() {
        true => Ok(""),
        false => ours::write(session).await,
    }
}

/// All that needs no layer: pages by GET, a form by POST.
pub(crate) fn plain() -> MethodRouter {
    get(page).post(note)
}

/// The pages that use a session; the session's type is the only difference.
macro_rules! session_pages {
    ($module:ident, $session:ty, $error:ty) => {
        pub(crate) mod $module {
            use super::*;

            pub(crate) async fn login(session: $session) -> Result<&'static str, $error> {
                for (name, value) in LOGIN {
                    session.insert(name, value).await?;
                }
                Ok(PAGE)
            }

            pub(crate) async fn read(session: $session) -> Result<&'static str, $error> {
                let user = session.get::<String>("_auth_user_id").await?;
                Ok(user.map_or("", |_| PAGE))
            }

            pub(crate) async fn write(session: $session) -> Result<&'static str, $error> {
                let visits = session.get::<u64>("visits").await?.unwrap_or(1_000);
                // Another value each time: to write the same again need not count as a change.
                session.insert("visits", &(visits ^ 1)).await?;
                Ok(PAGE)
            }
        }
    };
}
session_pages!(ours, Session, SessionError);
session_pages!(theirs, tower_sessions::Session, Failed);

/// A failure of the other kind of session.
pub(crate) struct Failed(tower_sessions::session::Error);

impl From<tower_sessions::session::Error> for Failed {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> axum::response::Response {
        (http::StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}
