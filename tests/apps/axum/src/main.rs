//! An axum app behind all of Sealwax's layers, which tells the end-to-end tests what it sees.
//!
//! Its settings come from the environment, under Django's names. `DATABASE_URL` is the home of its
//! sessions and users (without one: memory, and nobody), `CACHE_URL` the cache of a Django that
//! keeps its sessions in `cached_db`, `LISTEN` its address.

mod pages;
mod shared;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use sealwax::store::{Backend, CachedDb, UserTable, with_cached_db};
use sealwax::{Memory, Protection, SessionStore, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_ansi(false).init();
    let settings = Settings::from_env()?;
    let protection = match std::env::var("DATABASE_URL") {
        Err(_) => Protection::new(&settings, Arc::new(Memory::new()))?,
        Ok(url) => {
            let home = Backend::open(&url).await?;
            let sessions = cached(home.sessions().await?).await?;
            let users = home.users(&UserTable::default()).await?;
            Protection::new(&settings, sessions)?.with_users(users)?
        }
    };
    let app = Router::new()
        .merge(shared::routes())
        .merge(pages::routes())
        .layer(protection);
    let listener = tokio::net::TcpListener::bind(std::env::var("LISTEN")?).await?;
    announce(listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}

async fn cached(sessions: Arc<dyn SessionStore>) -> Result<Arc<dyn SessionStore>, Box<dyn Error>> {
    let Ok(url) = std::env::var("CACHE_URL") else {
        return Ok(sessions);
    };
    let cache = Backend::open(&url).await?;
    Ok(with_cached_db(sessions, &cache, CachedDb::default()).await?)
}

#[expect(clippy::print_stdout, reason = "the line that the tests wait for")]
fn announce(address: SocketAddr) {
    println!("listening on {address}");
}
