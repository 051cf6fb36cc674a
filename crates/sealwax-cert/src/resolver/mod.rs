//! Which certificate answers which server name.

use std::fmt;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::files::Loaded;
use crate::local::{LocalAuthority, LocalError, LocalName, local_name};

mod leaves;
mod pattern;

use leaves::Leaves;
use pattern::{Pattern, Patterns};

/// Where a resolver learns the time: seconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Server name (RFC 6066 section 3) to certificate. Immutable: a reload builds
/// a new one.
///
/// * An exact host wins over the longest matching suffix, a suffix over `*`; of
///   two sites with one pattern the first wins.
/// * Without a server name, or with one that no site has, the first site's
///   certificate answers. (Whether the request is then served is decided by its
///   Host, later.)
/// * A local site's certificates are issued on demand, one per name, and kept:
///   names from suffixes and `*` up to a bound, beyond which the first site's
///   certificate answers. A name that no pattern matches costs a lookup and
///   nothing else.
/// * A local certificate is replaced when two thirds of its life have passed.
pub struct Resolver {
    sites: Vec<Site>,
    patterns: Patterns,
    clock: Clock,
}

#[derive(Debug)]
enum Site {
    Files(Box<Loaded>),
    Local(Leaves),
}

/// What a policy needs to know about the certificate of a server name, without
/// a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertFacts {
    /// The chain led to one of Mozilla's roots when it was loaded, has not
    /// expired since, and names the server name that was asked for.
    pub publicly_trusted: bool,
    /// The last second of the chain, since 1970-01-01 UTC.
    pub not_after: i64,
    /// Issued by the local authority.
    pub local: bool,
}

/// A resolver cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// There is no site, hence nothing to answer with.
    #[error("no site has a certificate; give at least one site with tls = \"local\" or files")]
    NoSites,
    /// The local authority refused, mostly a host that is not local.
    #[error(transparent)]
    Local(#[from] LocalError),
}

/// Collects the sites, in the order of the configuration.
pub struct ResolverBuilder {
    clock: Clock,
    sites: Vec<(Vec<String>, Source)>,
}

enum Source {
    Files(Box<Loaded>),
    Local(Arc<LocalAuthority>),
}

impl ResolverBuilder {
    /// A site with certificate files. The hosts are Django's ALLOWED_HOSTS
    /// patterns: a name, `.example.com` for it and everything below,
    /// `*.example.com` for everything below, `*` for everything.
    #[must_use]
    pub fn files<H: AsRef<str>>(self, hosts: &[H], loaded: Loaded) -> Self {
        self.site(hosts, Source::Files(Box::new(loaded)))
    }

    /// A site whose certificates the local authority issues. The hosts are
    /// patterns as in [`files`](Self::files).
    #[must_use]
    pub fn local<H: AsRef<str>>(self, hosts: &[H], authority: Arc<LocalAuthority>) -> Self {
        self.site(hosts, Source::Local(authority))
    }

    fn site<H: AsRef<str>>(mut self, hosts: &[H], source: Source) -> Self {
        let hosts = hosts.iter().map(|host| host.as_ref().to_owned()).collect();
        self.sites.push((hosts, source));
        self
    }

    /// Checks every host of the local sites and issues each one's first
    /// certificate, so that what cannot work is told now.
    ///
    /// # Errors
    /// [`ResolverError`].
    pub fn build(self) -> Result<Resolver, ResolverError> {
        if self.sites.is_empty() {
            return Err(ResolverError::NoSites);
        }
        let now = (self.clock)();
        // Clients send no server name for an IP address, so all of them share
        // the certificate that answers then.
        let addresses = local_addresses(&self.sites);
        let mut patterns = Patterns::default();
        let mut sites = Vec::with_capacity(self.sites.len());
        for (index, (hosts, source)) in self.sites.into_iter().enumerate() {
            let hosts: Vec<_> = hosts.iter().map(|host| Pattern::parse(host)).collect();
            for pattern in &hosts {
                patterns.insert(pattern, index);
            }
            sites.push(match source {
                Source::Files(loaded) => Site::Files(loaded),
                Source::Local(authority) => {
                    Site::Local(Leaves::new(authority, &hosts, &addresses, now)?)
                }
            });
        }
        Ok(Resolver {
            sites,
            patterns,
            clock: self.clock,
        })
    }
}

fn local_addresses(sites: &[(Vec<String>, Source)]) -> Vec<LocalName> {
    // Loopback is there unasked: https://127.0.0.1 should end in a page that
    // says which host to use, not in a warning about the certificate.
    let mut addresses = Vec::new();
    let hosts = sites
        .iter()
        .filter(|(_, source)| matches!(source, Source::Local(_)))
        .flat_map(|(hosts, _)| hosts.iter().map(String::as_str));
    for host in hosts.chain(["127.0.0.1", "::1"]) {
        if let Ok(address @ LocalName::Ip(_)) = local_name(host)
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    }
    addresses
}

impl Resolver {
    /// A builder. The clock is asked in every lookup of a local certificate.
    pub fn builder(clock: Clock) -> ResolverBuilder {
        ResolverBuilder {
            clock,
            sites: Vec::new(),
        }
    }

    /// What is known about the certificate that answers `sni`. Issues nothing:
    /// a local name that has no certificate yet gets its site's first one's
    /// facts.
    pub fn facts(&self, sni: Option<&str>) -> CertFacts {
        let name = sni.map(pattern::normalise);
        match self.site(name.as_deref()) {
            Some(Site::Files(loaded)) => {
                let named = name.as_deref().is_none_or(|name| loaded.names_host(name));
                CertFacts {
                    publicly_trusted: loaded.publicly_trusted
                        && named
                        && (self.clock)() <= loaded.not_after,
                    not_after: loaded.not_after,
                    local: false,
                }
            }
            Some(Site::Local(leaves)) => CertFacts {
                publicly_trusted: false,
                not_after: leaves.not_after(name.as_deref()),
                local: true,
            },
            // Not reached: build refuses an empty list. Nothing is claimed.
            None => CertFacts {
                publicly_trusted: false,
                not_after: i64::MIN,
                local: false,
            },
        }
    }

    /// The certificate for a server name; what rustls asks for in a handshake.
    pub fn certificate(&self, sni: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = sni.map(pattern::normalise) else {
            return self.first();
        };
        match self
            .patterns
            .find(&name)
            .and_then(|index| self.sites.get(index))
        {
            Some(Site::Files(loaded)) => Some(Arc::clone(&loaded.key)),
            Some(Site::Local(leaves)) => {
                leaves.named(&name, (self.clock)()).or_else(|| self.first())
            }
            None => self.first(),
        }
    }

    fn site(&self, name: Option<&str>) -> Option<&Site> {
        let index = name.and_then(|name| self.patterns.find(name)).unwrap_or(0);
        self.sites.get(index)
    }

    fn first(&self) -> Option<Arc<CertifiedKey>> {
        match self.sites.first()? {
            Site::Files(loaded) => Some(Arc::clone(&loaded.key)),
            Site::Local(leaves) => Some(leaves.default_leaf((self.clock)())),
        }
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.certificate(client_hello.server_name())
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("sites", &self.sites.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ResolverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolverBuilder")
            .field("sites", &self.sites.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
