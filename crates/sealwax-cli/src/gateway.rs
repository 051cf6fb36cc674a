//! A running gateway from the outside: started from settings, announced,
//! reloaded on SIGHUP, drained at the end. `serve`, `run` and `demo` share it.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::thread;

use sealwax_config::{Loaded, Places};
use sealwax_gateway::{Gateway, StartError};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::exit::{Failure, Message};
use crate::settings::Settings;
use crate::signals::{Request, Signals};
use crate::terminal::{self, Paint};
use crate::{home, ready};

/// A gateway, the settings it came from, and the signals that steer it.
pub(crate) struct Running {
    gateway: Gateway,
    settings: Settings,
    home: PathBuf,
    pub(crate) signals: Signals,
}

/// The runtime of the main thread. It only waits for signals and for a child;
/// the gateway's workers have their own.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unable("runtime", error.to_string(), ""))
}

impl Running {
    /// Starts a gateway.
    pub(crate) fn start(
        settings: Settings,
        loaded: Loaded,
        runtime: &Runtime,
    ) -> Result<Self, Failure> {
        let home = home::directory()?;
        // Before the first thread starts, so that no signal finds nobody home.
        let signals = {
            let _inside = runtime.enter();
            Signals::catch()?
        };
        let Loaded { config, places, .. } = loaded;
        let gateway = Gateway::start(config, &home).map_err(|error| placed(&places, &error))?;
        Ok(Self {
            gateway,
            settings,
            home,
            signals,
        })
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Says where it listens: the sign for scripts and supervisors that
    /// requests are answered from now on.
    pub(crate) fn announce(&self) {
        ready::announce(self.gateway.addresses());
    }

    /// Reloads whenever asked to, until asked to end.
    pub(crate) async fn until_asked_to_stop(&mut self) -> Request {
        loop {
            match self.signals.next().await {
                Request::Reload => self.reload(),
                stop => return stop,
            }
        }
    }

    /// Reloads the settings; whatever is wrong with them, the gateway goes on.
    pub(crate) fn reload(&self) {
        let reloaded = self
            .settings
            .load()
            .and_then(|Loaded { config, places, .. }| {
                self.gateway
                    .reload(config)
                    .map_err(|error| placed(&places, &error))
            });
        match reloaded {
            Ok(later) => {
                tracing::info!(target: "sealwax", "configuration reloaded");
                for what in later {
                    tracing::warn!(target: "sealwax", "{what}");
                }
            }
            Err(failure) => {
                terminal::say(&failure.message().unwrap_or_default());
                tracing::error!(target: "sealwax", "configuration not reloaded: the old one goes on");
            }
        }
    }

    /// Finishes what is in flight and ends; a second signal, or `hurry`, ends
    /// at once.
    pub(crate) async fn drain(self, hurry: impl Future<Output = ()>) {
        let Self {
            gateway,
            mut signals,
            ..
        } = self;
        let (done, finished) = oneshot::channel();
        tracing::info!(target: "sealwax", "ending: what is in flight is finished first");
        thread::spawn(move || {
            let drained = gateway.drain();
            if drained.cut > 0 {
                tracing::warn!(target: "sealwax", "{} connections were still busy and were cut", drained.cut);
            }
            // The receiver goes away when somebody is in a hurry.
            let _ = done.send(());
        });
        tokio::select! {
            _ = finished => {}
            _ = signals.next_stop() => tracing::warn!(target: "sealwax", "second signal: ending at once"),
            () = hurry => {}
        }
    }
}

/// The error of a gateway, shown at the line of the setting that it is about.
/// An address that is taken says nothing against the configuration.
fn placed(places: &Places, error: &StartError) -> Failure {
    let diagnostic = places.diagnostic(error.key(), error.cause(), error.mend());
    let text = diagnostic.render(Paint::for_stderr().is_on());
    let of_machine = error.key().starts_with("listen.") || error.key() == "workers";
    if of_machine {
        Failure::Unable(Message::Rendered(text))
    } else {
        Failure::Usage(Message::Rendered(text))
    }
}
