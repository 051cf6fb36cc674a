//! `sealwax serve`: the gateway in front of apps that run already.

use std::future;
use std::process::ExitCode;

use crate::args;
use crate::exit::Failure;
use crate::gateway::{self, Running};
use crate::settings::Settings;
use crate::{logging, welcome};

pub(crate) fn run(args: args::Serve) -> Result<ExitCode, Failure> {
    let settings = Settings::from(args.gateway);
    logging::start()?;
    let loaded = settings.load()?;
    let site = welcome::Site::first(&loaded.config);
    let runtime = gateway::runtime()?;
    let mut running = Running::start(settings, loaded, &runtime)?;
    running.announce();
    welcome::show(&site, running.gateway().addresses(), running.home());
    runtime.block_on(async {
        running.until_asked_to_stop().await;
        running.drain(future::pending()).await;
    });
    Ok(ExitCode::SUCCESS)
}
