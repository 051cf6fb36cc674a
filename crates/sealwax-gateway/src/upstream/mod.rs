//! The app's side: which upstream, on which connection, and what to do when it
//! fails.
//!
//! ```text
//!  request ─▶ Group::pick ─▶ idle connection? ─▶ Exchange ─▶ head ─▶ Download
//!               │  (health)      │ no          (Outgoing: the rest of the upload)
//!               │                └─▶ slot ─▶ connect   │ stale, nothing heard
//!               └─◀── next upstream ────────┘ fails ◀──┘ (at most three tries)
//! ```
//!
//! There is no task per connection: who sends a request polls its connection,
//! and a connection at rest is a socket and nothing more.

mod budget;
mod buffers;
mod connect;
mod deadline;
mod download;
mod encode;
mod exchange;
mod health;
mod outgoing;
mod pool;
mod response;
mod send;
mod wire;

pub(crate) use download::Download;
pub(crate) use pool::{Group, Peers, is_out_of_files};
pub(crate) use send::{Asking, Follows, Received, send};
pub(crate) use wire::Wire;
