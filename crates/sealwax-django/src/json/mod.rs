//! JSON as Python's `json` module reads and writes it, where that differs from the standard.

mod latin1;
mod scan;
mod write;

pub(crate) use latin1::Latin1;
pub(crate) use scan::{Span, check, members};
pub(crate) use write::{escape, to_string};
