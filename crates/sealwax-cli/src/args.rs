//! The command line: what can be said, and its help.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  sealwax demo                                     see it work: a careless app, before and after
  sealwax serve --to http://127.0.0.1:8000         HTTPS on https://localhost:8443 in front of an app
  sealwax run -- python manage.py runserver {port} start the app and serve it
  sealwax explain POST https://localhost:8443/login --response-header 'Set-Cookie: sessionid=abc'
  sealwax trust install                            let this machine's browsers trust local certificates

Exit codes:
  0 done · 2 could not run · 64 bad usage or configuration

State (the local certificate authority, keys that seal cookies, cookie names seen) lives under
$SEALWAX_HOME, else $XDG_DATA_HOME/sealwax, else ~/.local/share/sealwax.";

const LOGS: &str = "\
Signals:
  SIGTERM, SIGINT   stop accepting, finish what is in flight, end (a second one ends at once)
  SIGHUP            read the configuration again; a broken one is reported and the old one goes on

Logs go to standard error: for people on a terminal, as JSON otherwise. SEALWAX_LOG sets what is
logged (default `info`, which has one line per request; `info,sealwax::access=off` leaves those out).

Every setting can also come from the environment, such as SEALWAX_LISTEN_HTTPS=0.0.0.0:443, and under
Django's own name with our prefix, such as SEALWAX_SECURE_SSL_REDIRECT=false.";

/// HTTPS, redirects, security headers and secure cookies in front of any web app.
#[derive(Debug, Parser)]
#[command(name = "sealwax", bin_name = "sealwax", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what it does: a careless demo app, before and after
    Demo(Demo),
    /// Serve an app over HTTPS
    #[command(after_help = LOGS, after_long_help = format!("{LOGS}\n\n{}", sealwax_config::help_text()))]
    Serve(Serve),
    /// Start an app on a free port and serve it over HTTPS
    Run(Run),
    /// Tell what would be done to a request and its response, and why
    Explain(Explain),
    /// Make, rotate or list the keys that seal cookies
    #[command(after_help = SECRET_NOTES)]
    Secret(Secret),
    /// Let this machine trust the local certificate authority, or stop it
    Trust(Trust),
    #[command(hide = true)]
    Check(NotYet),
    #[command(hide = true)]
    Audit(NotYet),
    #[command(hide = true)]
    Watch(NotYet),
}

/// What `serve` and `run` have in common.
#[derive(Debug, Args, Default)]
pub(crate) struct Gateway {
    /// Configuration file; without one: host localhost, 127.0.0.1:8080 and 127.0.0.1:8443, --tls local
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Environment to choose from the configuration file, laid over the rest
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,

    /// Where the app listens: http://HOST:PORT or unix:/PATH; several are balanced
    #[arg(long, value_name = "URL")]
    pub(crate) to: Vec<String>,

    /// Host to answer for; `.example.com` is the name and everything below it (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,

    /// Where to listen for plain HTTP, which is redirected
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<String>,

    /// Where to listen for HTTPS
    #[arg(long, value_name = "ADDR")]
    pub(crate) https: Option<String>,

    /// Where certificates come from: `local` (an authority of this machine)
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["cert", "key"])]
    pub(crate) tls: Option<String>,

    /// Certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<String>,

    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) gateway: Gateway,
}

const RUN_NOTES: &str = "\
The app gets PORT in its environment, and {port} in its arguments is replaced by the same number.
Without --config and --host it is served at https://DIRECTORY.localhost:8443, where DIRECTORY is the
name of the current directory: browsers share cookies between the ports of one host, so each project
gets a host of its own. When 8443 or 8080 is taken, the next free port is used and said.

The app also gets the variables that make it trust the local certificate authority
(NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, …), signals are passed on to it, and its exit
code becomes ours (128 + the signal's number when a signal ended it). SIGHUP is not passed on: it
reloads the configuration.

Examples:
  sealwax run -- python manage.py runserver {port}
  sealwax run -- flask run --port {port}
  sealwax run -- npm start
  sealwax run --host shop.localhost -- gunicorn shop.wsgi --bind 127.0.0.1:{port}";

#[derive(Debug, Args)]
#[command(after_help = RUN_NOTES)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) gateway: Gateway,

    /// The app: a program and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

const EXPLAIN_NOTES: &str = "\
Nothing is sent anywhere. The URL's scheme decides whether the client came over TLS. Without --config
the default policy for the URL's own host is explained.

Examples:
  sealwax explain GET http://localhost:8080/
  sealwax explain POST https://localhost:8443/login --response-header 'Set-Cookie: sessionid=abc; Path=/'
  sealwax explain GET https://app.example.com/ -H 'Cookie: __Host-sessionid=abc' --config sealwax.toml --json";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_NOTES)]
pub(crate) struct Explain {
    /// Request method, such as GET
    pub(crate) method: String,

    /// The URL that the client asks for
    pub(crate) url: String,

    /// A header of the request (repeatable)
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,

    /// Status of the app's response
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(200..=599))]
    pub(crate) status: u16,

    /// A header of the app's response (repeatable)
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) response_header: Vec<String>,

    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Environment to choose from the configuration file
    #[arg(long, value_name = "NAME", requires = "config")]
    pub(crate) env: Option<String>,

    /// Cookie names seen before; default: what the gateway remembers for the site
    #[arg(long, value_name = "FILE")]
    pub(crate) names: Option<PathBuf>,

    /// Address of the client
    #[arg(long, value_name = "ADDR", default_value = "203.0.113.7")]
    pub(crate) peer: IpAddr,

    /// Print JSON (format: docs/explain.md)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Show what copied cookies are worth, bound to the device and not
    #[arg(long)]
    pub(crate) theft: bool,

    /// Where to listen for plain HTTP (127.0.0.1:8080, or the next free port)
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<String>,

    /// Where to listen for HTTPS (127.0.0.1:8443, or the next free port)
    #[arg(long, value_name = "ADDR")]
    pub(crate) https: Option<String>,
}

const SECRET_NOTES: &str = "\
The first key of the file seals, all of them open. Sealed cookies are read by every node that has the
key: copy the file to all of them, or give its text to all in SEALWAX_SECRET. A gateway reads the keys
again on SIGHUP.

Examples:
  sealwax secret new --config /etc/sealwax/sealwax.toml
  sealwax secret rotate --drop-older-than 400d     browsers keep no cookie for longer than 400 days
  sealwax secret list";

#[derive(Debug, Args)]
pub(crate) struct Secret {
    #[command(subcommand)]
    pub(crate) action: SecretAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretAction {
    /// Make the file with one key; one that is there already stays
    New(KeySource),
    /// Put a new key first; the others go on opening
    Rotate(Rotate),
    /// Tell the ids of the keys and their age, and never the keys
    List(KeySource),
}

/// Which keys are meant.
#[derive(Debug, Args)]
pub(crate) struct KeySource {
    /// Configuration file, for its `secret.file`
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Environment to choose from the configuration file
    #[arg(long, value_name = "NAME", requires = "config")]
    pub(crate) env: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) source: KeySource,

    /// Drop all but N keys, the new one among them
    #[arg(long, value_name = "N", value_parser = keys, conflicts_with = "drop_older_than")]
    pub(crate) keep: Option<usize>,

    /// Drop keys that have sealed nothing for so long, such as 400d
    #[arg(long, value_name = "DURATION", value_parser = crate::secret::age)]
    pub(crate) drop_older_than: Option<Duration>,
}

fn keys(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=16).contains(number));
    number.ok_or_else(|| "write a number from 1 to 16".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Trust {
    #[command(subcommand)]
    pub(crate) action: TrustAction,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum TrustAction {
    /// Add the local authority to the system's and the browsers' stores
    Install(PlanOnly),
    /// Remove it from them
    Uninstall(PlanOnly),
    /// Tell which stores trust it
    Status,
    /// Print the path of its root certificate, making one on first use
    Path,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PlanOnly {
    /// Only print what would be done, as commands to paste
    #[arg(long)]
    pub(crate) print_plan: bool,
}

/// A command that a later version has: whatever follows it is accepted, so
/// that the answer is about the command and not about its flags.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct NotYet {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) rest: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
