//! The units of work that are timed, and whose instructions `bench/budget` counts.
//!
//! A unit is one line in [`UNITS`]: a name for `budget.toml`, the bare unit that does the same
//! without layers, and how to prepare what then runs again and again.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use http::{Request, Response};
use sealwax::{
    CsrfLayer, Memory, Protection, SealLayer, SessionLayer, SessionStore, Settings, TokenRule,
};
use tower::Service;
use tower_layer::{Identity, Layer as _};
use tower_sessions::{MemoryStore, SessionManagerLayer};

use crate::apps::{self, ours, theirs};
use crate::client::Client;
use crate::drive::{Answer, Runner};
use crate::heads::{HOST, Head};

/// One turn of a unit, ready to be run.
pub(crate) type Work = Box<dyn FnMut()>;

/// Something that is measured.
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    /// The unit that does the same work without layers.
    pub(crate) base: Option<&'static str>,
    prepare: fn() -> Result<Work, String>,
}

const fn unit(
    name: &'static str,
    base: Option<&'static str>,
    prepare: fn() -> Result<Work, String>,
) -> Unit {
    Unit {
        name,
        base,
        prepare,
    }
}

const LOGIN: &[&str] = &["/login"];
const TOKEN: &[&str] = &["/token"];
const BOTH: &[&str] = &["/login", "/token"];

const GET: Option<&str> = Some("axum GET");
const COOKIES: Option<&str> = Some("axum GET, cookies");
const POST: Option<&str> = Some("axum POST");

/// Every unit.
pub(crate) const UNITS: &[Unit] = &[
    unit("axum GET", None, || idle(bare(), |c| c.get("/"), &[])),
    unit("axum GET, cookies", None, || {
        idle(bare(), |c| c.get("/cookies"), &["set-cookie"])
    }),
    unit("axum GET, bare client", None, || {
        ready(Runner::Poll, bare(), Head::few("/"), &[])
    }),
    unit("axum POST", None, || idle(bare(), |c| c.post("/"), &[])),
    unit("no layer GET", GET, || {
        idle(bare().layer(Identity::new()), |c| c.get("/"), &[])
    }),
    unit("seal GET", GET, || {
        idle(bare().layer(seal()?), |c| c.get("/"), SEALED)
    }),
    unit(
        "seal GET, bare client",
        Some("axum GET, bare client"),
        || ready(Runner::Poll, bare().layer(seal()?), Head::few("/"), SEALED),
    ),
    unit("seal GET, around", GET, || {
        idle(seal()?.layer(bare()), |c| c.get("/"), SEALED)
    }),
    unit("seal GET, cookies", COOKIES, || {
        idle(bare().layer(seal()?), |c| c.get("/cookies"), SEALED)
    }),
    unit("session GET", GET, || {
        visited(LOGIN, sessions()?, |c| c.get("/"), &[])
    }),
    unit("session read", GET, || {
        visited(LOGIN, sessions()?, |c| c.get("/read"), &["vary"])
    }),
    unit("session write", GET, || {
        visited(
            LOGIN,
            sessions()?,
            |c| c.get("/write"),
            &["set-cookie", "vary"],
        )
    }),
    #[cfg(feature = "sqlite")]
    unit("session read, SQLite", GET, || {
        filed(sessions_in, |c| c.get("/read"))
    }),
    #[cfg(feature = "sqlite")]
    unit("session write, SQLite", GET, || {
        filed(sessions_in, |c| c.get("/write"))
    }),
    unit("csrf GET", GET, || {
        visited(TOKEN, csrf(TokenRule::Always)?, |c| c.get("/"), &[])
    }),
    unit("csrf GET, token", GET, || {
        visited(
            TOKEN,
            csrf(TokenRule::Always)?,
            |c| c.get("/token"),
            &["set-cookie", "vary"],
        )
    }),
    unit("csrf POST", POST, || {
        visited(
            TOKEN,
            csrf(TokenRule::WithoutFetchMetadata)?,
            |c| c.post("/"),
            &[],
        )
    }),
    unit("csrf POST, header", POST, || {
        visited(
            TOKEN,
            csrf(TokenRule::Always)?,
            |c| c.post_with_header("/"),
            &[],
        )
    }),
    unit("csrf POST, form", POST, || {
        visited(
            TOKEN,
            csrf(TokenRule::Always)?,
            |c| c.post_with_field("/"),
            &[],
        )
    }),
    unit("all GET", GET, || {
        visited(BOTH, all()?, |c| c.get("/"), SEALED)
    }),
    unit("all read", GET, || {
        visited(BOTH, all()?, |c| c.get("/read"), SEALED)
    }),
    unit("all GET, token", GET, || {
        visited(BOTH, all()?, |c| c.get("/token"), SEALED)
    }),
    unit("all POST, form, write", POST, || {
        visited(BOTH, all()?, |c| c.post_with_field("/note"), SEALED)
    }),
    #[cfg(feature = "sqlite")]
    unit("all read, SQLite", GET, || {
        filed(
            |store| Ok(with_sessions().layer(protection(store)?)),
            |c| c.get("/read"),
        )
    }),
    unit("tower-sessions GET", GET, || {
        visited(LOGIN, tower_sessions(), |c| c.get("/"), &[])
    }),
    unit("tower-sessions read", GET, || {
        visited(LOGIN, tower_sessions(), |c| c.get("/read"), &[])
    }),
    unit("tower-sessions write", GET, || {
        visited(
            LOGIN,
            tower_sessions(),
            |c| c.get("/write"),
            &["set-cookie"],
        )
    }),
    unit("tower-http csrf GET", GET, || {
        idle(tower_http(), |c| c.get("/"), &[])
    }),
    unit("tower-http csrf POST", POST, || {
        idle(tower_http(), |c| c.post("/"), &[])
    }),
];

/// The fields that the policy adds.
const SEALED: &[&str] = &[
    "strict-transport-security",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "x-frame-options",
];

/// Runs the unit `name` so many times.
pub(crate) fn run(name: &str, times: u32) -> Result<(), String> {
    let unit = UNITS.iter().find(|unit| unit.name == name);
    let unit = unit.ok_or_else(|| format!("there is no unit {name:?}; --units lists them"))?;
    let mut work = prepare(unit)?;
    (0..times).for_each(|_| work());
    Ok(())
}

/// Makes a unit ready, and checks that it does what it is measured for.
pub(crate) fn prepare(unit: &Unit) -> Result<Work, String> {
    (unit.prepare)().map_err(|problem| format!("{}: {problem}", unit.name))
}

fn bare() -> Router {
    Router::new()
        .route("/", apps::plain())
        .route("/cookies", get(apps::cookies))
}

fn seal() -> Result<SealLayer, String> {
    SealLayer::new(&settings()).map_err(|error| error.to_string())
}

fn sessions() -> Result<Router, String> {
    sessions_in(memory())
}

fn sessions_in(store: Arc<dyn SessionStore>) -> Result<Router, String> {
    let layer = SessionLayer::new(&settings(), store).map_err(|error| error.to_string())?;
    Ok(with_sessions().layer(layer))
}

fn csrf(rule: TokenRule) -> Result<Router, String> {
    let mut settings = settings();
    settings.csrf_token = rule;
    let layer = CsrfLayer::new(&settings).map_err(|error| error.to_string())?;
    Ok(bare().route("/token", get(apps::token)).layer(layer))
}

fn all() -> Result<Router, String> {
    Ok(with_sessions()
        .route("/token", get(apps::token))
        .layer(protection(memory())?))
}

fn protection(store: Arc<dyn SessionStore>) -> Result<Protection, String> {
    let mut settings = settings();
    settings.csrf_token = TokenRule::Always;
    Protection::new(&settings, store).map_err(|error| error.to_string())
}

fn with_sessions() -> Router {
    bare()
        .route("/login", get(ours::login))
        .route("/read", get(ours::read))
        .route("/write", get(ours::write))
        .route("/note", get(apps::page).post(apps::kept_note))
}

fn tower_sessions() -> Router {
    bare()
        .route("/login", get(theirs::login))
        .route("/read", get(theirs::read))
        .route("/write", get(theirs::write))
        .layer(SessionManagerLayer::new(MemoryStore::default()))
}

fn tower_http() -> Router {
    bare().layer(tower_http::csrf::CsrfLayer::new())
}

/// Django's settings for production, with HSTS from the first day.
fn settings() -> Settings {
    let mut settings = Settings::production([HOST]);
    settings.secret_key = "measure-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMN".into();
    settings.secure_hsts_seconds = Some(31_536_000);
    settings
}

fn memory() -> Arc<dyn SessionStore> {
    Arc::new(Memory::new())
}

/// Work for a client who was never here.
fn idle<S, B>(site: S, head: fn(&Client) -> Head, fields: &'static [&str]) -> Result<Work, String>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + 'static,
    B: http_body::Body<Data = Bytes>,
{
    ready(Runner::Poll, site, head(&Client::idle()), fields)
}

/// Work for a client who has been on these pages before; the last one's text is its token.
fn visited<S, B>(
    pages: &[&'static str],
    site: S,
    head: fn(&Client) -> Head,
    fields: &'static [&str],
) -> Result<Work, String>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + 'static,
    B: http_body::Body<Data = Bytes>,
{
    let client = Client::visit(&Runner::Poll, &site, pages)?;
    ready(Runner::Poll, site, head(&client), fields)
}

/// Work for a client whose session is in an SQLite file.
#[cfg(feature = "sqlite")]
fn filed(
    site: fn(Arc<dyn SessionStore>) -> Result<Router, String>,
    head: fn(&Client) -> Head,
) -> Result<Work, String> {
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let url = format!("sqlite:{}", home.path().join("sessions.sqlite3").display());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let opened = runtime.block_on(sealwax::store::open(&url));
    let store = opened.map_err(|error| error.to_string())?;
    let site = site(store)?;
    let runner = Runner::Tokio(runtime);
    let client = Client::visit(&runner, &site, LOGIN)?;
    let mut work = ready(runner, site, head(&client), &["vary"])?;
    Ok(Box::new(move || {
        // The file lives as long as the work.
        let _ = &home;
        work();
    }))
}

/// Sends the request once, and looks whether what is measured is what should be.
fn ready<S, B>(runner: Runner, site: S, head: Head, fields: &[&str]) -> Result<Work, String>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + 'static,
    B: http_body::Body<Data = Bytes>,
{
    let Answer {
        status,
        headers,
        body,
    } = runner.send(&site, head.request())?;
    if !status.is_success() || body.is_empty() {
        return Err(format!("the site answers {status}: {body:?}"));
    }
    for field in fields {
        if !headers.contains_key(*field) {
            return Err(format!("{field} is not in {headers:?}"));
        }
    }
    Ok(Box::new(move || {
        // An error would have shown above: nothing differs from turn to turn.
        drop(black_box(runner.send(&site, black_box(&head).request())));
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_runs() {
        for unit in UNITS {
            run(unit.name, 2).unwrap();
        }
        assert!(run("nothing", 1).is_err());
    }

    #[test]
    fn every_base_is_a_unit_without_one() {
        for base in UNITS.iter().filter_map(|unit| unit.base) {
            let bases = UNITS.iter().filter(|unit| unit.name == base);
            assert!(bases.clone().count() == 1 && bases.clone().all(|unit| unit.base.is_none()));
        }
    }
}
