//! The configuration as it is being served: one immutable snapshot, replaced
//! as a whole by a reload. Requests that began under the old one end under it.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustls::server::ResolvesServerCert;
use sealwax_cert::{
    CertificateFiles, Clock, LoadError, LocalAuthority, Profile, Resolver, Tickets, TlsConfigs,
};
use sealwax_config::{
    Config, Environment, Limits, Notify, PathApp, Timeouts, Tls, TlsProfile, Upstream,
};
use sealwax_cookie::KeyRing;
use sealwax_policy::{AllowedHosts, Policy, When, choose};

use crate::clock;
use crate::error::StartError;
use crate::memory::Memory;
use crate::sealing;
use crate::secret::{self, Missing};
use crate::theft::{Event, Notifier};

#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) sites: Vec<Site>,
    /// `None` without an https listener.
    pub(crate) secure: Option<Secure>,
    /// The keys that seal cookies, where some are sealed.
    pub(crate) secret: Option<Arc<KeyRing>>,
}

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) policy: Policy,
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) paths: Vec<PathApp>,
    pub(crate) memory: Arc<Memory>,
    /// When bare names of protected cookies are no longer accepted; Unix
    /// seconds.
    pub(crate) migration_ends: Option<u64>,
    /// Error pages say what the operator should look at.
    pub(crate) tell_operator: bool,
    /// Who is told of signs of theft, beside the log.
    pub(crate) notifier: Option<Arc<Notifier>>,
}

/// TLS: the configurations for the handshake, and what is known of each name's
/// certificate.
#[derive(Clone)]
pub(crate) struct Secure {
    pub(crate) configs: TlsConfigs,
    pub(crate) resolver: Arc<Resolver>,
}

impl Live {
    /// Loads certificates and state. `https_port` is the port that redirects
    /// lead to where the configuration asked for any free one.
    pub(crate) fn build(
        config: Config,
        home: &Path,
        https_port: Option<u16>,
        tickets: &Tickets,
        previous: Option<&Live>,
    ) -> Result<Self, StartError> {
        let secure = match config.listen.https.is_empty() {
            true => None,
            false => Some(Secure::build(&config, home, tickets)?),
        };
        let secret = secret::open(&config, home, Missing::Make)?;
        let development = config.environment == Environment::Development;
        let sites = config.sites.into_iter().enumerate().map(|(number, site)| {
            let mut policy = site.policy;
            if policy.redirect.port == 0 {
                policy.redirect.port = https_port.unwrap_or(443);
            }
            if let Some(ring) = secret.as_deref() {
                sealing::set(&mut policy, ring, &site.seal, site.bind.as_ref());
            }
            let known =
                previous.and_then(|live| live.sites.iter().find(|known| known.name == site.name));
            let memory = match known {
                Some(known) => {
                    known.memory.set_hsts(&policy.hsts);
                    Arc::clone(&known.memory)
                }
                None => Memory::open(home, &site.name, &policy.hsts),
            };
            let notifier = notifier(number, &site.name, site.notify.as_ref(), known)?;
            let migration_ends = memory.migration_end(site.migrate.as_secs(), clock::unix());
            let tell_operator = development || matches!(site.tls, Tls::Local);
            Ok(Site {
                migration_ends,
                notifier,
                name: site.name,
                policy,
                upstreams: site.upstreams,
                paths: site.paths,
                memory,
                tell_operator,
            })
        });
        let mut live = Self {
            sites: sites.collect::<Result<_, StartError>>()?,
            timeouts: config.timeouts,
            limits: config.limits,
            secure,
            secret,
        };
        live.end_migrations(clock::unix());
        tell_sealing(live.secret.as_deref(), previous);
        Ok(live)
    }

    /// The site of a host, with its index.
    pub(crate) fn site(&self, domain: &str) -> Option<(usize, &Site)> {
        let site = choose(&self.sites, |site: &Site| &site.policy.hosts, domain)?;
        let index = self
            .sites
            .iter()
            .position(|other| std::ptr::eq(other, site))?;
        Some((index, site))
    }

    /// Whether `peer` is a proxy in front of us, and so many clients in one.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        let mut sites = self.sites.iter();
        sites.any(|site| site.policy.proxies.trust(peer))
    }

    /// Whether a migration is over that is still being honoured.
    pub(crate) fn has_ended_migrations(&self, now: u64) -> bool {
        self.sites
            .iter()
            .any(|site| site.policy.cookies.migrate && site.migration_is_over(now))
    }

    /// Stops accepting bare names where the time for them is over.
    pub(crate) fn end_migrations(&mut self, now: u64) {
        for site in &mut self.sites {
            if site.migration_is_over(now) {
                site.policy.cookies.migrate = false;
            }
        }
    }

    /// Moves every site's HSTS ramp on.
    pub(crate) fn advance_ramps(&self) {
        let now = clock::unix();
        for site in &self.sites {
            let hsts = &site.policy.hsts;
            if !hsts.ramp || hsts.when == When::Never {
                continue;
            }
            let valid = self.secure.as_ref().is_some_and(|secure| {
                let facts = secure.resolver.facts(concrete_host(&site.policy.hosts));
                let in_time = i64::try_from(now).unwrap_or(i64::MAX) <= facts.not_after;
                in_time && (facts.publicly_trusted || hsts.when == When::Always)
            });
            site.memory.advance(hsts, now, valid);
        }
    }
}

impl Site {
    /// Writes down a sign of theft and tells it on, unless it was just told.
    pub(crate) fn report(&self, event: Event) {
        if let Some(event) = self.memory.signs.see(event, Instant::now()) {
            self.tell(&event);
        }
    }

    /// The same with what was held back.
    pub(crate) fn report_due(&self) {
        let (due, crowd) = self.memory.signs.due(Instant::now());
        for event in &due {
            self.tell(event);
        }
        if crowd > 0 {
            tracing::warn!(target: "sealwax", site = self.name, crowd, "more signs of theft from different networks and cookies than are told apart");
        }
    }

    fn tell(&self, event: &Event) {
        event.log();
        if let Some(notifier) = &self.notifier {
            notifier.send(event);
        }
    }

    fn migration_is_over(&self, now: u64) -> bool {
        self.migration_ends.is_some_and(|end| now >= end)
    }
}

/// The way to who is told, the one that was there where nothing has changed.
fn notifier(
    number: usize,
    site: &str,
    to: Option<&Notify>,
    known: Option<&Site>,
) -> Result<Option<Arc<Notifier>>, StartError> {
    let Some(to) = to else {
        return Ok(None);
    };
    let before = known.and_then(|known| known.notifier.as_ref());
    if let Some(before) = before.filter(|before| before.is_to(to)) {
        return Ok(Some(Arc::clone(before)));
    }
    let started = Notifier::start(site, to).map_err(|error| {
        StartError::new(
            format!("site.{number}.notify"),
            format!("a thread cannot be started: {error}"),
            "raise the limit of processes (ulimit -u)",
        )
    })?;
    Ok(Some(started))
}

/// Says which key seals from now on: what whoever rotates keys wants to know of each node.
fn tell_sealing(secret: Option<&KeyRing>, previous: Option<&Live>) {
    let Some(ring) = secret else { return };
    let before = previous.and_then(|live| live.secret.as_deref());
    if !before.is_some_and(|before| before.ids().eq(ring.ids())) {
        let mut ids = ring.ids().map(|id| id.to_string());
        let first = ids.next().unwrap_or_default();
        let others: Vec<String> = ids.collect();
        tracing::info!(target: "sealwax", key = first, also_open = others.join(" "), "keys that seal cookies are in use");
    }
}

/// A host of the site that a certificate can be asked for.
fn concrete_host(hosts: &AllowedHosts) -> Option<&str> {
    hosts
        .patterns()
        .find(|pattern| *pattern != "*")
        .map(|pattern| pattern.strip_prefix('.').unwrap_or(pattern))
}

impl Secure {
    fn build(config: &Config, home: &Path, tickets: &Tickets) -> Result<Self, StartError> {
        let clock: Clock = Arc::new(clock::unix_signed);
        let mut builder = Resolver::builder(clock);
        let mut authority = None;
        for (index, site) in config.sites.iter().enumerate() {
            let hosts: Vec<&str> = site.policy.hosts.patterns().collect();
            match &site.tls {
                Tls::Off => {}
                Tls::Local => {
                    let authority = match &authority {
                        Some(authority) => Arc::clone(authority),
                        None => Arc::clone(authority.insert(open_authority(home, index)?)),
                    };
                    builder = builder.local(&hosts, authority);
                }
                Tls::Files { cert, key } => {
                    let files = CertificateFiles {
                        cert: cert.clone(),
                        key: key.clone(),
                    };
                    let loaded = sealwax_cert::load(&files, clock::unix_signed())
                        .map_err(|error| certificate_error(index, &files, &error))?;
                    for warning in &loaded.warnings {
                        tracing::warn!(target: "sealwax", site = site.name, "{warning}");
                    }
                    for host in exact_hosts(&site.policy.hosts) {
                        if !loaded.names_host(host) {
                            tracing::warn!(
                                target: "sealwax",
                                site = site.name,
                                "{}: the certificate does not name {host}; browsers will refuse it there. \
                                 Get one that names every host of the site, or take the host out of `hosts`.",
                                files.cert.display()
                            );
                        }
                    }
                    builder = builder.files(&hosts, loaded);
                }
            }
        }
        let resolver = builder.build().map_err(|error| {
            StartError::new(
                "listen.https",
                error.to_string(),
                "give the sites a certificate (`tls`) or remove listen.https",
            )
        })?;
        let resolver = Arc::new(resolver);
        let profile = match config.tls_profile {
            TlsProfile::Modern => Profile::Modern,
            TlsProfile::Intermediate => Profile::Intermediate,
        };
        let resolves: Arc<dyn ResolvesServerCert> = Arc::clone(&resolver) as _;
        let configs = TlsConfigs::new(profile, &resolves, &[b"h2", b"http/1.1"], tickets).map_err(
            |error| {
                StartError::new(
                    "listen.tls_profile",
                    error.to_string(),
                    "report this: no configuration should lead here",
                )
            },
        )?;
        Ok(Self { configs, resolver })
    }
}

/// The hosts that a site names one by one.
fn exact_hosts(hosts: &AllowedHosts) -> impl Iterator<Item = &str> {
    hosts
        .patterns()
        .filter(|host| *host != "*" && !host.starts_with('.'))
}

fn open_authority(home: &Path, site: usize) -> Result<Arc<LocalAuthority>, StartError> {
    let authority = LocalAuthority::open_or_create(&home.join("ca"), clock::unix_signed());
    authority.map(Arc::new).map_err(|error| {
        StartError::new(
            format!("site.{site}.tls"),
            format!("{}: {}", error.place(), error.cause()),
            error.mend(),
        )
    })
}

fn certificate_error(site: usize, files: &CertificateFiles, error: &LoadError) -> StartError {
    let part = if error.path() == files.key {
        "key"
    } else {
        "cert"
    };
    StartError::new(
        format!("site.{site}.tls.{part}"),
        format!("{}: {}", error.place(), error.cause()),
        error.mend(),
    )
}
