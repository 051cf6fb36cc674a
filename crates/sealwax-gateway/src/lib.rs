//! # The gateway
//!
//! HTTPS in front of any web app: it listens, speaks TLS, HTTP/1.1 and HTTP/2,
//! has every message judged by the site's policy, and passes it on to the app
//! over plain HTTP/1.1.
//!
//! ```text
//!            thread per worker: listeners, connections, pool, all its own
//!  ┌────────────────────────────────────────────────────────────────────────┐
//!  │ accept ─▶ TLS ─▶ HTTP/1.1 or 2 ─▶ host ─▶ site ─▶ hop-by-hop ─▶ POLICY  │
//!  │                                                                   │    │
//!  │ client ◀─ body ◀─ POLICY ◀─ head checked ◀─ response ◀─ pool ─▶ app    │
//!  └────────────────────────────────────────────────────────────────────────┘
//!        ▲ reads                                              │ learns
//!   configuration snapshot ◀─ reload            cookie names, HSTS ramp ─▶ keeper ─▶ disk
//!   and keys that seal cookies
//! ```
//!
//! What it promises:
//!
//! * Messages are streamed, never gathered: a 10 GiB upload and a page take the
//!   same memory, and a slow reader slows the app down instead of filling ours.
//! * A response that the app breaks off is broken off for the client too, never
//!   ended as if it were whole.
//! * A request is sent to the app again only where it cannot act twice.
//! * A reload drops no connection, and a bad one changes nothing.
//! * Memory, time and number of everything a client can cause are bounded.
//!
//! What it is not: it does not read configuration ([`sealwax_config`]), make
//! certificates (`sealwax-cert`), or decide about headers and cookies
//! ([`sealwax_policy`]); it drives them.
//!
//! ```no_run
//! use std::path::Path;
//! use sealwax_config::{Flags, Sources};
//! use sealwax_gateway::Gateway;
//!
//! let flags = Flags { to: vec!["http://127.0.0.1:8000".into()], ..Flags::default() };
//! let sources = Sources { file: None, variables: Vec::new(), flags };
//! let loaded = sealwax_config::load(&sources).expect("the defaults are valid");
//! let gateway = Gateway::start(loaded.config, Path::new("/var/lib/sealwax"))?;
//! for address in gateway.addresses() {
//!     println!("listening on {address}");
//! }
//! let drained = gateway.drain();
//! println!("{} connections were cut", drained.cut);
//! # Ok::<(), sealwax_gateway::StartError>(())
//! ```

mod activity;
mod apps;
mod body;
mod buffer;
mod clients;
mod clock;
mod connection;
mod crowd;
mod deadline;
mod disk;
mod error;
mod fields;
mod gateway;
mod h1;
mod h2;
mod hop;
mod keeper;
mod listen;
mod live;
mod log;
mod memory;
mod pace;
mod pages;
mod sealing;
mod secret;
mod service;
mod stream;
mod theft;
mod tls;
mod told;
mod upload;
mod upstream;
mod worker;

pub use error::StartError;
pub use gateway::{Drained, Gateway};
pub use listen::{Address, Scheme};
pub use sealing::seal_sites;
pub use secret::{LoadedSecret, Retire, Rotated, SecretError, SecretFile};
