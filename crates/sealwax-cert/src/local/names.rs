//! Which hosts the local authority may speak for.
//!
//! The same list stands in the root as critical name constraints (RFC 5280
//! section 4.2.1.10), so that a stolen key is worth nothing on the internet:
//! clients refuse what the list does not permit, whatever was signed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls_pki_types::DnsName;

/// What the root's name constraints permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PermittedNames {
    /// DNS names; each stands for itself and everything below it. `localhost`
    /// and `test` are reserved by RFC 6761, `local` by RFC 6762, and `internal`
    /// by ICANN for private use: none can ever be a public site.
    pub dns: &'static [&'static str],
    /// Networks as address and prefix length: loopback, private (RFC 1918,
    /// RFC 4193) and link-local (RFC 3927, RFC 4291) addresses.
    pub networks: &'static [(IpAddr, u8)],
}

pub(crate) const PERMITTED: PermittedNames = PermittedNames {
    dns: &["localhost", "test", "local", "internal"],
    networks: &[
        (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
        (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
        (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
        (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
        (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
        (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
        (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
        (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
    ],
};

impl PermittedNames {
    fn permits_dns(&self, name: &str) -> bool {
        self.dns.iter().any(|base| {
            name.strip_suffix(base)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    fn permits_ip(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|&(network, prefix)| contains(network, prefix, address))
    }
}

fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    let prefix = u32::from(prefix);
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differing = network.to_bits() ^ address.to_bits();
            differing.leading_zeros() >= prefix
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differing = network.to_bits() ^ address.to_bits();
            differing.leading_zeros() >= prefix
        }
        _ => false,
    }
}

/// A host that the local authority does not speak for. The text says what to
/// do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotLocal {
    /// A syntactically fine host outside the permitted names.
    #[error("{host}: {}; {}", self.cause(), self.mend())]
    Public {
        /// The host as it was given.
        host: String,
    },
    /// Neither a DNS name in ASCII (RFC 1123 section 2.1) nor an IP address.
    #[error("{host:?}: {}; {}", self.cause(), self.mend())]
    Invalid {
        /// The host as it was given.
        host: String,
    },
    /// A pattern. Certificates are issued per name, on demand.
    #[error("{host}: {}; {}", self.cause(), self.mend())]
    Wildcard {
        /// The pattern as it was given.
        host: String,
    },
}

impl NotLocal {
    /// The host that was refused.
    pub fn place(&self) -> &str {
        match self {
            Self::Public { host } | Self::Invalid { host } | Self::Wildcard { host } => host,
        }
    }

    /// Why it was refused.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Public { .. } => {
                "the local certificate authority speaks only for localhost, .localhost, .test, \
                 .local, .internal, loopback and private addresses"
            }
            Self::Invalid { .. } => "this is neither a DNS name nor an IP address",
            Self::Wildcard { .. } => "a certificate is issued for one name, not for a pattern",
        }
    }

    /// What to do about it.
    pub fn mend(&self) -> &'static str {
        match self {
            Self::Public { .. } => {
                "use a name such as app.localhost, or give certificate files: \
                 tls = { cert = \"…\", key = \"…\" }"
            }
            Self::Invalid { .. } => {
                "write the host without scheme, port or path, and a name with other than ASCII \
                 letters in its xn-- form"
            }
            Self::Wildcard { .. } => "name the host",
        }
    }
}

/// A host the authority may issue for, in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LocalName {
    /// Lower case, without a final dot.
    Dns(String),
    /// IPv4-mapped addresses (RFC 4291 section 2.5.5.2) are IPv4 here.
    Ip(IpAddr),
}

/// Checks and canonicalises a host. An IPv6 address may stand in brackets.
pub(crate) fn local_name(host: &str) -> Result<LocalName, NotLocal> {
    let public = || NotLocal::Public {
        host: host.to_owned(),
    };
    let invalid = || NotLocal::Invalid {
        host: host.to_owned(),
    };

    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        let address = address.to_canonical();
        return if PERMITTED.permits_ip(address) {
            Ok(LocalName::Ip(address))
        } else {
            Err(public())
        };
    }
    if host.starts_with("*.") || host.starts_with('.') || host == "*" {
        return Err(NotLocal::Wildcard {
            host: host.to_owned(),
        });
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if DnsName::try_from(name.as_str()).is_err() || ends_in_a_number(&name) {
        return Err(invalid());
    }
    if PERMITTED.permits_dns(&name) {
        Ok(LocalName::Dns(name))
    } else {
        Err(public())
    }
}

/// Browsers read such a name as a broken IPv4 address (WHATWG URL, "ends in a
/// number checker"), so no certificate can help it.
fn ends_in_a_number(name: &str) -> bool {
    name.rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_what_can_never_be_public() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "app.localhost",
            "a.b.c.test",
            "test",
            "printer.local",
            "db.corp.internal",
            "xn--bcher-kva.test",
            "127.0.0.1",
            "127.255.255.255",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.1.1",
            "::1",
            "[::1]",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(local_name(host).is_ok(), "{host}");
        }
    }

    #[test]
    fn refuses_what_is_or_could_be_public() {
        for host in [
            "example.com",
            "localhost.example.com",
            "mylocalhost",
            "notlocal",
            "app.dev",
            "app.localhost.com",
            "126.255.255.255",
            "128.0.0.1",
            "11.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.169.0.0",
            "0.0.0.0",
            "8.8.8.8",
            "100.64.0.1",
            "::",
            "::2",
            "2001:db8::1",
            "fec0::1",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(
                local_name(host),
                Err(NotLocal::Public {
                    host: host.to_owned()
                }),
                "{host}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_host() {
        let long_label = format!("{}.test", "a".repeat(64));
        let long_name = format!("{}test", "a.".repeat(150));
        for host in [
            "",
            ".",
            "a..test",
            "-a.test",
            "app.localhost:8443",
            "https://app.test",
            "app.test/path",
            "bücher.test",
            "a b.test",
            "a\0.test",
            "fe80::1%eth0",
            "[::1",
            "1.2.3",
            &long_label,
            &long_name,
        ] {
            let refused = local_name(host).unwrap_err();
            assert!(
                matches!(
                    refused,
                    NotLocal::Invalid { .. } | NotLocal::Wildcard { .. }
                ),
                "{host:?}: {refused}"
            );
        }
        for pattern in ["*", "*.test", ".test"] {
            assert!(matches!(
                local_name(pattern),
                Err(NotLocal::Wildcard { .. })
            ));
        }
    }

    #[test]
    fn the_text_carries_the_mend() {
        let text = local_name("example.com").unwrap_err().to_string();
        assert!(text.starts_with("example.com: "), "{text}");
        assert!(text.contains("app.localhost"), "{text}");
    }
}
