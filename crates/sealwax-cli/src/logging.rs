//! Logs: for people on a terminal, JSON otherwise.

mod human;

use std::env;
use std::io;

use tracing_subscriber::EnvFilter;

use crate::exit::Failure;
use crate::terminal::{self, Paint};

use human::Human;

const VARIABLE: &str = "SEALWAX_LOG";
const DEFAULT: &str = "info";

/// Starts logging to standard error, for the commands that run a gateway.
pub(crate) fn start() -> Result<(), Failure> {
    let filter = filter()?;
    let logs = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_env_filter(filter);
    // Logging can only be started once; a second start would change nothing.
    let _ = if terminal::someone_reads_stderr() {
        let paint = Paint::for_stderr();
        logs.with_ansi(paint.is_on())
            .event_format(Human { paint })
            .try_init()
    } else {
        logs.json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    };
    Ok(())
}

fn filter() -> Result<EnvFilter, Failure> {
    let written = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let text = match &written {
        None => DEFAULT,
        Some(value) => value.to_str().unwrap_or_default(),
    };
    EnvFilter::try_new(text).ok().filter(|_| !text.is_empty()).ok_or_else(|| {
        Failure::usage(
            format!("variable {VARIABLE}"),
            format!("`{}` is not a log filter", written.unwrap_or_default().display()),
            "write a level (error, warn, info, debug, trace, off), or levels by part, such as `info,sealwax::access=off`",
        )
    })
}
