//! `sealwax run`: starts an app on a free port and serves it.
//!
//! The gateway's listeners are opened first, so that a taken port is said
//! before the app has done anything; then the app starts; ready is said when
//! its port answers.

mod app;
mod family;
mod label;
mod port;
mod roots;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use sealwax_config::{Config, Tls};
use tokio::time;

use crate::exit::Failure;
use crate::gateway::{self, Running};
use crate::settings::Settings;
use crate::signals::Request;
use crate::terminal::{self, Paint};
use crate::{args, logging, ports, welcome};

use app::{App, Ended};
use port::AppPort;

/// After this long without an answer somebody is told why nothing happens.
const SLOW_START: Duration = Duration::from_secs(15);

/// How long an app may take to end before it is made to.
const GRACE: Duration = Duration::from_secs(10);

/// What is still in flight when the app has gone cannot finish; this is for
/// answers that are already on their way to clients.
const LAST_WORDS: Duration = Duration::from_secs(2);

pub(crate) fn run(args: args::Run) -> Result<ExitCode, Failure> {
    logging::start()?;
    let (settings, taken) = settings(args.gateway)?;
    let loaded = settings.load()?;
    let port = AppPort::of(&loaded.config)?;
    let site = welcome::Site::first(&loaded.config);
    let local = uses_local_authority(&loaded.config);

    let runtime = gateway::runtime()?;
    let mut running = Running::start(settings, loaded, &runtime)?;
    for note in taken {
        terminal::say(&note);
    }
    let trust = if local {
        roots::variables(running.home())
    } else {
        Vec::new()
    };
    runtime.block_on(async {
        let mut app = App::start(&args.command, port.number(), &trust)?;
        let ended = match until_ready(&mut app, &port, &mut running).await {
            Some(ended) => ended,
            None => {
                running.announce();
                welcome::show(&site, running.gateway().addresses(), running.home());
                serve(&mut app, &mut running).await
            }
        };
        running.drain(time::sleep(LAST_WORDS)).await;
        Ok(ended.code())
    })
}

/// Fills in what the user left open: a free port for the app, a host named
/// after the directory, free ports to listen on. The notes say where a usual
/// port was taken.
fn settings(args: args::Gateway) -> Result<(Settings, Vec<String>), Failure> {
    let mut settings = Settings::from(args);
    let mut notes = Vec::new();
    let flags = &mut settings.flags;
    if flags.to.is_empty() {
        flags.to = vec![format!("http://127.0.0.1:{}", ports::any_free()?)];
    }
    if settings.file.is_none() {
        if flags.hosts.is_empty() {
            flags.hosts = vec![format!(
                "{}.localhost",
                label::of_directory(&current_directory())
            )];
        }
        if flags.tls.as_deref() != Some("off") {
            choose_port(
                &mut flags.https,
                "HTTPS",
                "SEALWAX_LISTEN_HTTPS",
                8443,
                &mut notes,
            )?;
        }
        choose_port(
            &mut flags.http,
            "HTTP",
            "SEALWAX_LISTEN_HTTP",
            8080,
            &mut notes,
        )?;
    }
    Ok((settings, notes))
}

fn choose_port(
    flag: &mut Option<String>,
    protocol: &str,
    variable: &str,
    usual: u16,
    notes: &mut Vec<String>,
) -> Result<(), Failure> {
    if flag.is_some() || env::var_os(variable).is_some() {
        return Ok(());
    }
    let port = ports::free_from(usual)?;
    if port != usual {
        notes.push(format!(
            "sealwax: port {usual} is taken; {protocol} is on {port}"
        ));
    }
    *flag = Some(format!("127.0.0.1:{port}"));
    Ok(())
}

fn current_directory() -> String {
    let directory = env::current_dir().unwrap_or_default();
    directory
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn uses_local_authority(config: &Config) -> bool {
    config
        .sites
        .iter()
        .any(|site| matches!(site.tls, Tls::Local))
}

/// Waits until the app's port answers. Some when the app ended before.
async fn until_ready(app: &mut App, port: &AppPort, running: &mut Running) -> Option<Ended> {
    let answers = port.answers();
    tokio::pin!(answers);
    let slow = time::sleep(SLOW_START);
    tokio::pin!(slow);
    let mut told = false;
    loop {
        tokio::select! {
            ended = app.ended() => {
                let paint = Paint::for_stderr();
                terminal::say(&format!(
                    "{}: the app ended before it listened on {port} ({ended})",
                    paint.bold("sealwax"),
                ));
                return Some(ended);
            }
            () = &mut answers => return None,
            () = &mut slow, if !told => {
                told = true;
                terminal::say(&format!(
                    "sealwax: nothing listens on {port} yet; does the command use $PORT or {{port}}?"
                ));
            }
            request = running.signals.next() => match request {
                Request::Reload => running.reload(),
                stop => return Some(end(app, running, stop).await),
            },
        }
    }
}

/// Serves until the app ends, by itself or because we are asked to end.
async fn serve(app: &mut App, running: &mut Running) -> Ended {
    let stop = tokio::select! {
        ended = app.ended() => {
            tracing::info!(target: "sealwax", "the app ended ({ended})");
            return ended;
        }
        stop = running.until_asked_to_stop() => stop,
    };
    end(app, running, stop).await
}

/// Ends the app with the signal that we got. A second signal, or no end in
/// time, ends it the hard way.
async fn end(app: &mut App, running: &mut Running, request: Request) -> Ended {
    app.pass_on(request);
    tokio::select! {
        ended = app.ended() => return ended,
        _ = running.signals.next_stop() => {}
        () = time::sleep(GRACE) => {
            tracing::warn!(target: "sealwax", "the app did not end within {} s", GRACE.as_secs());
        }
    }
    app.kill();
    app.ended().await
}
