//! Answers Django's own tests with the public crates of Sealwax.
//!
//! Django's decision points are patched to ask this program (see README.md
//! beside this package): one JSON object a line on standard input, one answer a
//! line on standard output. Nothing is decided here: each operation turns its
//! arguments into the types of a crate, calls it, and turns the result back.
//!
//! ```text
//!  Django's tests ─▶ shim.py ─▶ {"op": "csrf.origin", "a": {…}} ─▶ engine ─▶ sealwax-policy
//!                       ▲                                            │       sealwax-django
//!                       └────────── {"ok": true} or {"err": …} ◀─────┘       sealwax-store
//! ```

mod check;
mod cookies;
mod csp;
mod csrf;
mod engine;
mod host;
mod security;
mod session;
mod signing;
mod store;
mod wire;

use std::io::{self, BufRead as _, Write as _};

fn main() -> io::Result<()> {
    let mut engine = engine::Engine::new()?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", engine.answer(&line?))?;
        // The other side waits for this line before it sends the next.
        out.flush()?;
    }
    Ok(())
}
