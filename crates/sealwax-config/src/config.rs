//! The checked configuration.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sealwax_bind::Lifetime;
use sealwax_policy::{Fallback, Mode, Paths, Policy};

use crate::addresses::Upstream;
use crate::secret::Secret;

/// Everything a gateway needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// How the gateway treats its operator.
    pub environment: Environment,
    /// The name under which the environment was chosen; another than
    /// `production` and `development` counts as production.
    pub environment_name: String,
    /// Worker threads, 1 to 1024. Default: one per core.
    pub workers: usize,
    /// Where to listen.
    pub listen: Listen,
    /// Which TLS versions and ciphers. Default: intermediate.
    pub tls_profile: TlsProfile,
    /// Deadlines.
    pub timeouts: Timeouts,
    /// Limits.
    pub limits: Limits,
    /// Where the keys come from that seal cookies.
    pub secret: Secret,
    /// The sites, in the order in which they were written; the first answers
    /// TLS clients that name no host.
    pub sites: Vec<Site>,
}

/// Whether visitors or developers look at the gateway's own pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// Developers: pages say what to do.
    Development,
    /// Visitors: pages leak nothing.
    Production,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "development",
            Self::Production => "production",
        })
    }
}

/// The listeners' addresses, in the order in which they were written. At least
/// one; port 0 asks for a free port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listen {
    /// Plain HTTP.
    pub http: Vec<SocketAddr>,
    /// HTTPS.
    pub https: Vec<SocketAddr>,
}

/// Mozilla's TLS guideline 6.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsProfile {
    /// TLS 1.2 (RFC 5246) and 1.3 (RFC 8446).
    Intermediate,
    /// TLS 1.3 alone.
    Modern,
}

/// Deadlines, each at least one millisecond (`drain`: may be zero).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// The TLS handshake. Default: 10 s.
    pub handshake: Duration,
    /// The head of a request. Default: 15 s.
    pub request_head: Duration,
    /// Between two pieces of a request body. Default: 60 s.
    pub request_body_idle: Duration,
    /// Connecting to the app. Default: 5 s.
    pub connect: Duration,
    /// The head of the app's response. Default: 60 s.
    pub response_head: Duration,
    /// Between two pieces of a response body. Default: 300 s.
    pub response_idle: Duration,
    /// A client's connection without a request. Default: 75 s.
    pub keep_alive: Duration,
    /// An upgraded connection without a byte in either direction. Default: 1 h.
    pub upgraded_idle: Duration,
    /// One request and its response, from first byte to last, unless the
    /// connection is upgraded. Default: 24 h.
    pub total: Duration,
    /// Finishing requests in flight at the end. Default: 30 s.
    pub drain: Duration,
}

/// Limits of one request, and of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's head, 8 KiB to 1 MiB. Default: 64 KiB.
    pub request_head: usize,
    /// Header lines of a request, 10 to 1000. Default: 100.
    pub request_headers: usize,
    /// Bytes of a request's body; `None` sets no limit. Default: `None`.
    pub request_body: Option<u64>,
    /// Fewest bytes a second of a request's body, on average over the time that
    /// the gateway waits for the client, once that is 5 s; 0 sets no limit.
    /// Default: 240.
    pub request_body_rate: u64,
    /// Bytes per second that a client must take of a response, over the time in
    /// which it is waited for; 0 asks for none. Default: 240.
    pub response_rate: u64,
    /// Connections that one client (an IPv4 address, the /64 of an IPv6 one) may
    /// hold; `None` sets no limit. Default: `None`.
    pub client_connections: Option<u32>,
}

/// One site: its hosts (in the policy), its rules, its app, its certificate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Site {
    /// The first of its hosts, in lower case.
    pub name: String,
    /// The rules. `redirect.port` is 0 where the first HTTPS listener asks for
    /// a free port: the gateway puts in the one it gets.
    pub policy: Policy,
    /// Where the app listens; at least one.
    pub upstreams: Vec<Upstream>,
    /// Other apps for parts of the site, the longest path first.
    pub paths: Vec<PathApp>,
    /// Where the certificate comes from.
    pub tls: Tls,
    /// How long bare names of protected cookies are accepted beside prefixed
    /// ones, counted from when the gateway first saw this setting.
    /// `policy.cookies.migrate` is true where this is not zero; the gateway
    /// switches it off when the time is over. Default: zero.
    pub migrate: Duration,
    /// Cookies whose values the browser gets sealed, by the names that the app
    /// gives them; the bound ones are among them. Default: none.
    pub seal: Vec<String>,
    /// Cookies that are bound to the browser's device. Default: none.
    pub bind: Option<Bind>,
    /// Who is told of signs of theft, beside the log. Default: nobody.
    pub notify: Option<Notify>,
}

/// Who is told of signs of theft; each gets a JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notify {
    /// A webhook: the body of a POST over HTTPS, or over HTTP to this machine.
    Url(String),
    /// A program with its arguments, run without a shell: standard input.
    Command(Vec<String>),
}

/// Which cookies are bound, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Bind {
    /// Their names, as the app gives them; at least one.
    pub cookies: Vec<String>,
    /// Whether anything is withheld. Default: it is.
    pub mode: Mode,
    /// How long a proof lasts. Default: 10 minutes.
    pub lifetime: Lifetime,
    /// Pages on which somebody is about to log in. Default: none.
    pub born_on: Paths,
    /// Paths that want a proof of at most this age. Default: none.
    pub fresh: Vec<(Paths, Duration)>,
    /// What becomes of unbound cookies where the browser's key fails. Default: the app gets them.
    pub fallback: Fallback,
}

/// The app of a part of a site.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PathApp {
    /// `/api/` is what lies below it, `/api` also itself.
    pub path: String,
    /// Where its app listens; at least one.
    pub upstreams: Vec<Upstream>,
}

impl PathApp {
    /// Whether it is for `path`, as the client sent it, without the query.
    #[must_use]
    pub fn serves(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str()).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/')
        })
    }
}

/// Where a site's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// This machine's own authority.
    Local,
    /// Files in PEM form.
    Files {
        /// The certificate chain, its own certificate first.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// There is no HTTPS listener: trusted proxies in front have the
    /// certificate, or there is none.
    Off,
}
