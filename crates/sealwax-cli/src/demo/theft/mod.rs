//! `sealwax demo --theft`: somebody copies all cookies of a browser, and what they are worth then.
//!
//! ```text
//!  Ada's browser ─▶ gateway :8443 ─▶ Shop, which sets two sessions: one is bound to the device
//!       │ all her cookies, since they know no ports (RFC 6265bis §8.5)
//!       ▼
//!  the thief's desk :9443 ─ Jar ─▶ Thief, another client ─▶ gateway :8443, every two seconds
//! ```

mod desk;
mod page;
mod shop;
mod thief;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use sealwax_config::{Flags, Sources};
use sealwax_gateway::{Gateway, Scheme};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::server;
use crate::exit::Failure;
use crate::gateway::{self, Running};
use crate::settings::Settings;
use crate::terminal::{self, Paint};
use crate::{args, home, logging, ports, welcome};

use desk::Desk;
use shop::Shop;
use thief::Thief;

/// Seconds that a proof lasts: long enough to see the thief succeed, short enough to wait for his
/// end. Real sites take minutes.
const LIFETIME: u64 = 20;

/// How a Chromium is started that makes its keys in software, where there is no TPM for it.
const CHROMIUM: &str = "chromium --user-data-dir=\"$(mktemp -d)\" --enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting";

pub(crate) fn run(args: args::Demo) -> Result<ExitCode, Failure> {
    logging::start()?;
    let runtime = gateway::runtime()?;
    let (shop_listener, shop_at) = listen(&runtime)?;
    let (desk_listener, desk_at) = listen(&runtime)?;
    let http = or_free(args.http, 8080)?;
    let https = or_free(args.https, 8443)?;
    let desk_port = ports::free_from(9443)?;

    let file = home::directory()?.join("demo-theft.toml");
    write(&file, &configuration(&http, &https, &shop_at))?;
    let settings = Settings {
        file: Some(file.clone()),
        flags: Flags::default(),
    };
    // So short a lifetime is worth a warning, but not here.
    let loaded = settings.judge()?;
    let site = welcome::Site::first(&loaded.config);
    let mut running = Running::start(settings, loaded, &runtime)?;
    let shop_url = url(running.gateway());
    let desks = desk_gateway(desk_port, &desk_at, running.home())?;
    let desk_url = format!("https://localhost:{desk_port}/");

    let thief = Thief::start(&shop_url, running.home())?;
    let shop = Arc::new(Shop::new(desk_url.clone()));
    let desk = Arc::new(Desk::new(thief, shop_url.clone()));
    runtime.spawn(server::serve(shop_listener, shop));
    runtime.spawn(server::serve(desk_listener, desk));
    running.announce();
    terminal::print(&told(&shop_url, &desk_url, &file, Paint::for_stdout()))?;
    welcome::show(&site, running.gateway().addresses(), running.home());
    runtime.block_on(async {
        running.until_asked_to_stop().await;
        running.drain(std::future::pending()).await;
    });
    let _ = desks.drain();
    Ok(ExitCode::SUCCESS)
}

/// What the demo serves, as it stands in any configuration.
fn configuration(http: &str, https: &str, shop: &str) -> String {
    format!(
        "# Written by `sealwax demo --theft`, at every start.\n\
         environment = \"development\"\n\n\
         [listen]\nhttp = \"{http}\"\nhttps = \"{https}\"\n\n\
         [[site]]\nhosts = [\"localhost\"]\nto = [\"http://{shop}\"]\ntls = \"local\"\n\n\
         [site.cookies]\n\
         seal = [\"ordinary\"]                  # encrypted, but whoever has it may use it\n\n\
         [site.bind]\n\
         cookies = [\"bound\"]                  # worth nothing without the key in the device\n\
         lifetime = \"{LIFETIME}s\"\n\
         born_on = [\"^login$\"]\n\
         fresh = {{ \"^bound/transfer$\" = \"0s\" }} # a signature for every transfer\n"
    )
}

/// The thief's own server: it changes nothing, and gets whatever browsers send.
fn desk_gateway(port: u16, to: &str, home: &std::path::Path) -> Result<Gateway, Failure> {
    let text = format!(
        "environment = \"development\"\n[listen]\nhttp = []\nhttps = \"127.0.0.1:{port}\"\n\
         [[site]]\nhosts = [\"localhost\"]\nto = [\"http://{to}\"]\ntls = \"local\"\nmode = \"report\"\n\
         [site.redirect]\nenabled = false\n"
    );
    let unable = |cause: String| Failure::unable(format!("127.0.0.1:{port}"), cause, "");
    let loaded = sealwax_config::load(&Sources {
        file: Some((PathBuf::from("the thief's desk"), text)),
        ..Sources::default()
    })
    .map_err(|mistakes| unable(mistakes.render(false)))?;
    Gateway::start(loaded.config, home).map_err(|error| unable(error.to_string()))
}

fn listen(runtime: &Runtime) -> Result<(TcpListener, String), Failure> {
    let cannot = |error: std::io::Error| {
        Failure::unable(
            "127.0.0.1",
            format!("the demo app cannot listen: {error}"),
            "",
        )
    };
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok((listener, address.to_string()))
}

fn or_free(given: Option<String>, usual: u16) -> Result<String, Failure> {
    match given {
        Some(address) => Ok(address),
        None => ports::free_from(usual).map(|port| format!("127.0.0.1:{port}")),
    }
}

fn write(file: &std::path::Path, text: &str) -> Result<(), Failure> {
    let written = match file.parent() {
        Some(directory) => std::fs::create_dir_all(directory),
        None => Ok(()),
    };
    written
        .and_then(|()| std::fs::write(file, text))
        .map_err(|error| {
            Failure::unable(
                file.display().to_string(),
                format!("the demo's configuration cannot be written: {error}"),
                "set SEALWAX_HOME to a directory of yours",
            )
        })
}

fn url(gateway: &Gateway) -> String {
    let mut addresses = gateway.addresses().iter();
    let https = addresses.find(|address| address.scheme == Scheme::Https);
    let port = https.map_or(0, |address| address.socket.port());
    format!("https://localhost:{port}/")
}

fn told(shop: &str, desk: &str, file: &std::path::Path, paint: Paint) -> String {
    format!(
        "\n{}\n\n  1. Open {shop} and sign in.\n  2. Press \"Copy my cookies\". The thief's desk at {desk} gets all of them, \
         and uses them\n     from another client, every two seconds.\n  3. Wait {LIFETIME} seconds. What was bound to your device is worth nothing; \
         what was not still is.\n\n  Chrome has it since 145 on Windows and 147 on macOS. On Linux, for a demo:\n  {CHROMIUM} \\\n    {shop}\n\n  \
         The configuration: {}\n",
        paint.bold("Somebody copies your cookies"),
        file.display(),
    )
}
