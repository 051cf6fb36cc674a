//! The app's side: which upstream, on which connection, and what to do when it
//! fails.
//!
//! ```text
//!  request ─▶ Group::pick ─▶ idle connection? ─▶ send ─▶ head ─▶ checked ─▶ response
//!               │  (health)      │ no               │ stale, nothing heard
//!               │                └─▶ slot ─▶ connect └─▶ another connection
//!               └─◀── next upstream ────────┘ fails       (at most three tries)
//! ```

mod budget;
mod check;
mod connect;
mod health;
mod pool;
mod send;

pub(crate) use check::is_chunked_only;
pub(crate) use connect::Interim;
pub(crate) use pool::{Group, Lease, Peers, is_out_of_files};
pub(crate) use send::{Received, send};
