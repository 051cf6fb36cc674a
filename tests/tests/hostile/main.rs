//! Input that somebody made to hurt, from the client and from the app, byte for byte.
//!
//! One file per family. A table says for each input what must happen and which sentence of
//! which RFC says so; where a sentence leaves a choice, the strict one is taken, and where
//! practice leaves two, both are named. [`stage`] plays the tables, [`pending`] lists what
//! is known not to hold yet.

mod answers;
mod app;
mod case;
mod chunks;
mod claims;
mod fields;
mod framing;
mod hops;
mod http2;
mod limits;
mod pending;
mod redirects;
mod request_line;
mod stage;
mod streams;
mod sweep;
mod tls;
mod verdict;
