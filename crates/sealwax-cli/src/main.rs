//! # The `sealwax` binary
//!
//! One security policy for web apps: HTTPS, redirects, security headers and
//! secure cookies in front of any app, without a change to the app.
//!
//! ```text
//!  command line ─▶ args ─▶ serve ──┐
//!                          run ────┼─▶ settings ─▶ gateway ─▶ ready … SIGHUP, SIGTERM
//!                          demo ───┘      │
//!                          explain ───────┼─▶ examine ─▶ text, json
//!                          secret ────────┴─▶ keys made, rotated, listed
//!                          trust ─▶ plan ─▶ report
//! ```
//!
//! This crate turns words into calls and results into words. How anything
//! works is the business of the crates below it: `sealwax-config` judges
//! settings, `sealwax-gateway` serves, `sealwax-policy` decides,
//! `sealwax-cert` makes certificates and knows the trust stores.
//!
//! Standard output carries results, standard error everything else. Exit
//! codes: 0 done, 2 could not run, 64 bad usage or configuration; `sealwax run`
//! ends with the exit code of its app.
//!
//! ```sh
//! sealwax demo
//! sealwax serve --to http://127.0.0.1:8000
//! ```

mod args;
mod demo;
mod exit;
mod explain;
mod gateway;
mod home;
mod later;
mod logging;
mod ports;
mod ready;
mod run;
mod secret;
mod serve;
mod settings;
mod signals;
mod terminal;
mod trust;
mod welcome;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Command};
use exit::{Failure, USAGE};

/// With thousands of connections open the system's own allocator spends an eighth
/// of all time on looking for room: buffers and records of some kilobytes come
/// and go between what stays.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => return usage(&message),
    };
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            if let Some(message) = failure.message() {
                terminal::say(&message);
            }
            failure.code()
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Run(args) => run::run(args),
        Command::Explain(args) => explain::run(&args),
        Command::Secret(args) => secret::run(args),
        Command::Trust(args) => trust::run(args),
        Command::Check(_) => Err(later::refuse(
            "check",
            "`sealwax explain` tells what would be done to one message",
        )),
        Command::Audit(_) => Err(later::refuse(
            "audit",
            "`sealwax explain` tells what would be done to one message",
        )),
        Command::Watch(_) => Err(later::refuse("watch", "")),
    }
}

/// Help and version are results; anything else is bad usage. clap would end
/// with 2, which means "could not run" here.
fn usage(message: &clap::Error) -> ExitCode {
    // When nobody reads it any more, there is nothing left to do.
    let _ = message.print();
    match message.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(USAGE),
    }
}
