//! What stands around the HTTP/2 library.
//!
//! ```text
//!  client ─▶ TLS ─▶ guard ─▶ h2 ─▶ mapping ─▶ policy ─▶ HTTP/1.1 to the app
//!                     ▲       │
//!  client ◀─ TLS ◀────┴── coalesce (one send per turn)
//! ```
//!
//! * [`guard`] counts frames that carry nothing, in both directions, and ends a
//!   connection that sends too many with GOAWAY, ENHANCE_YOUR_CALM;
//! * [`coalesce`] is the stream that h2 reads and writes; it asks the guard;
//! * [`serve`](serve()) drives a connection and its streams, all in one task
//!   ([`tasks`], [`worker`]);
//! * [`stream`] answers one request, which [`mapping`] refuses where HTTP/1.1
//!   would say it differently.

mod budget;
mod coalesce;
mod frames;
mod guard;
mod keep_alive;
pub(crate) mod mapping;
mod serve;
mod stream;
mod tasks;
mod worker;

pub(crate) use serve::serve;
pub(crate) use stream::Inbound;
