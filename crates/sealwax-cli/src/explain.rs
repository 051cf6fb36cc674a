//! `sealwax explain`: what would be done to a request and its response, and
//! why. Nothing is sent anywhere.

mod basis;
mod examine;
mod json;
mod message;
mod parts;
mod text;

use std::process::ExitCode;

use crate::args;
use crate::exit::Failure;
use crate::terminal::{self, Paint};

pub(crate) use examine::{Circumstances, Examination, examine};
pub(crate) use message::Message;
pub(crate) use parts::{Comparison, Part};
pub(crate) use text::{heads, title_case};

use basis::Basis;
use message::Words;

pub(crate) fn run(args: &args::Explain) -> Result<ExitCode, Failure> {
    let message = Message::read(&Words {
        method: &args.method,
        url: &args.url,
        headers: &args.header,
        status: args.status,
        response_headers: &args.response_header,
        peer: args.peer,
    })?;
    let basis = Basis::gather(args, &message)?;
    let examination = examine(message, &basis.circumstances());
    if args.json {
        let json = json::render(&examination, &basis.policy, basis.memory.as_deref());
        terminal::print(&format!("{json:#}\n"))?;
    } else {
        terminal::print(&text::render(
            &examination,
            &basis.facts(),
            Paint::for_stdout(),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
