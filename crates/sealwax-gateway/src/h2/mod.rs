//! What stands around the HTTP/2 library.
//!
//! ```text
//!  client ─▶ TLS ─▶ guard ─▶ hyper ─▶ mapping ─▶ policy ─▶ HTTP/1.1 to the app
//!                     ▲        │
//!  client ◀─ TLS ◀────┴── coalesce (one send per turn)
//! ```
//!
//! * [`guard`] counts frames that carry nothing, in both directions, and ends a
//!   connection that sends too many with GOAWAY, ENHANCE_YOUR_CALM;
//! * [`coalesce`] is the stream that hyper reads and writes; it asks the guard;
//! * [`mapping`] refuses requests that HTTP/1.1 would say differently.

mod budget;
mod coalesce;
mod frames;
mod guard;
pub(crate) mod mapping;
mod serve;

pub(crate) use serve::serve;
