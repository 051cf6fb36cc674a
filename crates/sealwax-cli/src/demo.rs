//! `sealwax demo`: a careless app behind the gateway, before and after.

mod app;
mod page;
mod server;
mod story;
mod theft;

use std::future;
use std::process::ExitCode;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderValue};
use http::{Request, request};
use sealwax_config::Flags;
use sealwax_gateway::{Address, Scheme};
use tokio::net::TcpListener;

use crate::exit::Failure;
use crate::explain;
use crate::gateway::{self, Running};
use crate::settings::Settings;
use crate::terminal::{self, Paint};
use crate::{args, logging, ports, welcome};

use app::App;
use server::App as _;
use story::Story;

pub(crate) fn run(args: args::Demo) -> Result<ExitCode, Failure> {
    if args.theft {
        return theft::run(args);
    }
    logging::start()?;
    let runtime = gateway::runtime()?;
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .map_err(|error| {
            Failure::unable(
                "127.0.0.1",
                format!("the demo app cannot listen: {error}"),
                "",
            )
        })?;
    let app_address = listener.local_addr().map_err(|error| {
        Failure::unable(
            "127.0.0.1",
            format!("the demo app cannot listen: {error}"),
            "",
        )
    })?;

    let settings = settings(args, &format!("http://{app_address}"))?;
    let loaded = settings.load()?;
    let site = welcome::Site::first(&loaded.config);
    let sites = loaded.config.sites.clone();
    let mut running = Running::start(settings, loaded, &runtime)?;

    let addresses = running.gateway().addresses();
    let story = Story {
        sites,
        https: url(addresses, Scheme::Https),
        http: url(addresses, Scheme::Http),
    };
    let app = Arc::new(App::new(story));
    runtime.spawn(server::serve(listener, Arc::clone(&app)));
    running.announce();
    terminal::print(&told(
        &app,
        &format!("http://{app_address}/"),
        Paint::for_stdout(),
    ))?;
    welcome::show(&site, running.gateway().addresses(), running.home());
    runtime.block_on(async {
        running.until_asked_to_stop().await;
        running.drain(future::pending()).await;
    });
    Ok(ExitCode::SUCCESS)
}

/// The demo shows the defaults: no file, and no setting of the environment's
/// own host or upstream.
fn settings(args: args::Demo, app: &str) -> Result<Settings, Failure> {
    let or_free = |given: Option<String>, usual| match given {
        Some(address) => Ok(address),
        None => ports::free_from(usual).map(|port| format!("127.0.0.1:{port}")),
    };
    let flags = Flags {
        to: vec![app.to_owned()],
        hosts: vec!["localhost".to_owned()],
        http: Some(or_free(args.http, 8080)?),
        https: Some(or_free(args.https, 8443)?),
        tls: Some("local".to_owned()),
        ..Flags::default()
    };
    Ok(Settings { file: None, flags })
}

/// The URL of the demo on the first listener of a scheme.
fn url(addresses: &[Address], scheme: Scheme) -> String {
    let port = addresses
        .iter()
        .find(|address| address.scheme == scheme)
        .map_or(0, |address| address.socket.port());
    match scheme {
        Scheme::Http => format!("http://localhost:{port}/"),
        Scheme::Https => format!("https://localhost:{port}/"),
    }
}

/// Before and after, for the terminal.
fn told(app: &App, direct: &str, paint: Paint) -> String {
    let response = app.answer(&first_request(), "");
    let examination = app.story().first_visit(response.headers().clone());
    let mut out = String::from("\n");
    out.push_str(&paint.bold("A careless little app, before (-) and after (+)"));
    out.push('\n');
    out.push_str(&format!(
        "  The app itself answers at {direct}\n  Through Sealwax it is at {}\n\n",
        app.story().https_url()
    ));
    if let Some(response) = &examination.response {
        explain::heads(&mut out, response, paint);
    }
    out.push_str(&format!(
        "\nNext: look at the same in the browser, sign in there, then put it in front of an app of yours:\n  \
         sealwax serve --to http://127.0.0.1:8000\n  sealwax run -- python manage.py runserver {{port}}\n  \
         sealwax explain GET {}\n",
        app.story().https_url()
    ));
    out
}

fn first_request() -> request::Parts {
    let mut request = Request::new(()).into_parts().0;
    request.headers =
        HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("localhost"))]);
    request
}
