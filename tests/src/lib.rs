//! The harness of Sealwax's end-to-end tests: the real binary, a real browser, real apps.
//!
//! It is not a mock of anything. A test starts an app (Django, Flask or Node from their
//! registries, an axum app of ours, or an [`Upstream`] that speaks the exact bytes the test wants), puts the
//! built `sealwax` in front of it, and looks from outside: with headless Chromium over
//! the DevTools protocol, with an HTTP/1.1 or HTTP/2 client, or with raw bytes.
//!
//! ```text
//!  Chromium ──┐                ┌─ Django, Flask, Node
//!  Client  ───┼──▶ Gateway ──▶─┤
//!  raw bytes ─┤  (the binary)  ├─ Upstream: scripted bytes, records what it received
//!  Frames ────┘                └─ Recorder: the same, and reads nothing that is not exact
//! ```
//!
//! Every test owns its processes, its temporary directory and its ports, so tests run
//! beside each other; dropping a handle ends its process and everything that one started.
//! [`run`] bounds a test in time.
//!
//! ```no_run
//! use sealwax_tests::{Gateway, Upstream, run};
//!
//! run(30, async {
//!     let app = Upstream::replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
//!     let gateway = Gateway::to(&app.url()).start().await;
//!     let answer = gateway.get("localhost", "/").await;
//!     assert_eq!((answer.status, answer.text().as_str()), (200, "hi"));
//! });
//! ```

mod apps;
mod authority;
mod browser;
mod client;
mod digest;
pub mod frames;
mod gateway;
mod page;
mod ports;
mod postgres;
mod process;
mod raw;
mod recorder;
mod redis;
mod upstream;
mod visitor;
pub mod wire;

pub use apps::{App, Django, Version, axum, flask, node, skip};
pub use authority::Authority;
pub use browser::{Chromium, Cookie, Profile, SetCookieSeen};
pub use client::{Answer, Client, Error, Tls, connect_tls};
pub use digest::{hex, sha256};
pub use gateway::{Builder, Finished, Gateway, binary, built, sealwax};
pub use page::Page;
pub use ports::free_port;
pub use postgres::Postgres;
pub use process::{Process, peak_memory, resident_memory, run, wait_until};
pub use raw::{exchange_tcp, exchange_tls, parse_answer};
pub use recorder::{Record, Recorder, Recording, echo_body, echo_response};
pub use redis::Redis;
pub use upstream::{Request, Step, Upstream};
pub use visitor::Visitor;
