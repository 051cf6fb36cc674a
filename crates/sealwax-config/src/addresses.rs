//! Addresses: what to listen on, where the app is, whom to trust.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use crate::diagnostic::Fault;

/// Where the app of a site listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Upstream {
    /// Plain HTTP over TCP.
    Tcp {
        /// A name, an IPv4 address, or an IPv6 address without brackets.
        host: String,
        /// The port; 80 where none was written.
        port: u16,
    },
    /// Plain HTTP over a unix socket; the path is absolute.
    Unix(PathBuf),
}

/// As it may be written again: `http://host:port` or `unix:/path`.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "http://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "http://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Upstream {
    /// Whether a connection to this upstream would arrive at `listener`, as
    /// far as that can be known without asking the network.
    pub(crate) fn is(&self, listener: SocketAddr) -> bool {
        let Self::Tcp { host, port } = self else {
            return false;
        };
        if *port != listener.port() {
            return false;
        }
        let address: Option<IpAddr> = host.parse().ok();
        let loopback =
            host.eq_ignore_ascii_case("localhost") || address.is_some_and(|a| a.is_loopback());
        let listens_on_loopback = listener.ip().is_unspecified() || listener.ip().is_loopback();
        address == Some(listener.ip())
            || (loopback && listens_on_loopback && same_family(address, listener))
    }
}

/// 127.0.0.1 and [::1] are two addresses with ports of their own.
fn same_family(address: Option<IpAddr>, listener: SocketAddr) -> bool {
    address.is_none_or(|a| a.is_ipv4() == listener.is_ipv4() || listener.ip().is_unspecified())
}

/// `127.0.0.1:8443`, `[::]:443`.
pub(crate) fn listen(written: &str) -> Result<SocketAddr, Fault> {
    if let Ok(address) = written.parse() {
        return Ok(address);
    }
    let fault =
        |label: &str, mend: String| Fault::new("is not an address to listen on", label, mend);
    if let Some((_scheme, rest)) = written.split_once("://") {
        let mend = format!(r#"write "{}""#, rest.trim_end_matches('/'));
        return Err(fault("the scheme is in the name of the setting", mend));
    }
    if let Ok(ip) = written.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Err(fault(
            "the port is missing",
            format!(r#"write "{}""#, SocketAddr::new(ip, 443)),
        ));
    }
    let (host, port) = written.rsplit_once(':').unwrap_or(("", written));
    if port.is_empty() || port.parse::<u16>().is_err() {
        return Err(fault(
            "an address has the form ADDRESS:PORT",
            r#"write, for example, "0.0.0.0:443", "[::]:443" or "127.0.0.1:8443""#.into(),
        ));
    }
    Err(match host {
        "" | "*" => fault(
            "the address is missing",
            format!(
                r#"write "127.0.0.1:{port}" for this machine only, "0.0.0.0:{port}" for every IPv4 address, "[::]:{port}" for IPv6 too"#
            ),
        ),
        "localhost" => fault(
            "a name may stand for several addresses",
            format!(r#"write "127.0.0.1:{port}", or a list with "[::1]:{port}" too"#),
        ),
        _ => fault(
            "a name may stand for several addresses",
            format!(
                r#"write the address of this machine, such as "0.0.0.0:{port}" for all of them"#
            ),
        ),
    })
}

/// `10.0.0.0/8`, or one address.
pub(crate) fn range(written: &str) -> Result<IpNet, Fault> {
    let written = written.trim();
    if let Ok(address) = written.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let Ok(range) = written.parse::<IpNet>() else {
        return Err(Fault::new(
            "is not an address range",
            "proxies are named by address, not by host name",
            r#"write a range such as "10.0.0.0/8" or "fd00::/8", or one address"#,
        ));
    };
    if range.trunc() != range {
        return Err(Fault::new(
            "has an address range that can be read in two ways",
            format!(
                "the address has bits set after the first {}",
                range.prefix_len()
            ),
            format!(
                r#"write "{}" for the whole range, or "{}" for that address alone"#,
                range.trunc(),
                range.addr()
            ),
        ));
    }
    Ok(range)
}

/// `http://127.0.0.1:8000`, `127.0.0.1:8000`, `unix:/run/app.sock`.
pub(crate) fn upstream(written: &str) -> Result<Upstream, Fault> {
    let fault =
        |label: &str, mend: String| Fault::new("does not say where the app listens", label, mend);
    if let Some(path) = written.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if !path.starts_with('/') || path.contains('\0') {
            return Err(fault(
                "the path of the socket must be absolute",
                r#"write "unix:/run/app.sock""#.into(),
            ));
        }
        return Ok(Upstream::Unix(path.into()));
    }
    if written.starts_with('/') {
        return Err(fault(
            "a unix socket has `unix:` in front",
            format!(r#"write "unix:{written}""#),
        ));
    }
    let (scheme, rest) = written.split_once("://").unwrap_or(("http", written));
    if scheme.eq_ignore_ascii_case("https") {
        return Err(Fault::new(
            "asks for HTTPS to the app, which is not in this version",
            "the gateway speaks plain HTTP to the app: over loopback, a private network or a unix socket",
            format!(
                r#"write "http://{rest}" with the app's plain HTTP port, or use a unix socket"#
            ),
        ));
    }
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(fault(
            "the scheme is not `http`",
            r#"write "http://127.0.0.1:8000" or "unix:/run/app.sock""#.into(),
        ));
    }
    if rest.contains('@') {
        return Err(fault(
            "a user name and password have no meaning here",
            "leave out everything up to the `@`".into(),
        ));
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if let Some(at) = authority.find(['/', '?', '#']) {
        let without = authority.get(..at).unwrap_or_default();
        return Err(fault(
            "the path of a request goes to the app as it is, so none can be put in front",
            format!(r#"write "http://{without}""#),
        ));
    }
    tcp(authority).ok_or_else(|| {
        let port = authority.trim_start_matches(':');
        let mend = match port.parse::<u16>() {
            Ok(port) if port > 0 => format!(r#"write "http://127.0.0.1:{port}""#),
            _ => r#"write "http://127.0.0.1:8000" or "unix:/run/app.sock""#.into(),
        };
        fault("there is no host and port in it", mend)
    })
}

fn tcp(authority: &str) -> Option<Upstream> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (
                host,
                port.strip_prefix(':')
                    .or_else(|| port.is_empty().then_some("80"))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "80")),
    };
    // A lone number is a port without a host, not a host.
    let named = host.bytes().any(|b| !b.is_ascii_digit());
    let grammar = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    (named && host.bytes().all(grammar)).then(|| Upstream::Tcp {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_read_and_written() {
        for (written, shown) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
            ("HTTP://app:8000", "http://app:8000"),
            ("localhost:3000", "http://localhost:3000"),
            ("my_app", "http://my_app:80"),
            ("[::1]:8000", "http://[::1]:8000"),
            ("http://[::1]", "http://[::1]:80"),
            ("unix:/run/app.sock", "unix:/run/app.sock"),
            ("unix:///run/app.sock", "unix:/run/app.sock"),
        ] {
            assert_eq!(upstream(written).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn upstreams_that_cannot_be() {
        for (written, mend) in [
            (
                "https://app:8443",
                r#"write "http://app:8443" with the app's plain HTTP port, or use a unix socket"#,
            ),
            (
                "ftp://app",
                r#"write "http://127.0.0.1:8000" or "unix:/run/app.sock""#,
            ),
            ("8000", r#"write "http://127.0.0.1:8000""#),
            (":8000", r#"write "http://127.0.0.1:8000""#),
            ("http://u:p@app:1", "leave out everything up to the `@`"),
            ("http://app:1/x?y", r#"write "http://app:1""#),
            (
                "app:99999",
                r#"write "http://127.0.0.1:8000" or "unix:/run/app.sock""#,
            ),
            (
                "app:0",
                r#"write "http://127.0.0.1:8000" or "unix:/run/app.sock""#,
            ),
            (
                "",
                r#"write "http://127.0.0.1:8000" or "unix:/run/app.sock""#,
            ),
            (
                "a b:1",
                r#"write "http://127.0.0.1:8000" or "unix:/run/app.sock""#,
            ),
            (
                "[::1",
                r#"write "http://127.0.0.1:8000" or "unix:/run/app.sock""#,
            ),
            ("unix:app.sock", r#"write "unix:/run/app.sock""#),
            ("/run/app.sock", r#"write "unix:/run/app.sock""#),
        ] {
            assert_eq!(upstream(written).unwrap_err().mend, mend, "{written:?}");
        }
    }

    #[test]
    fn listeners() {
        assert_eq!(listen("[::]:443").unwrap().port(), 443);
        for (written, mend) in [
            (
                "8443",
                r#"write "127.0.0.1:8443" for this machine only, "0.0.0.0:8443" for every IPv4 address, "[::]:8443" for IPv6 too"#,
            ),
            (
                ":80",
                r#"write "127.0.0.1:80" for this machine only, "0.0.0.0:80" for every IPv4 address, "[::]:80" for IPv6 too"#,
            ),
            (
                "localhost:80",
                r#"write "127.0.0.1:80", or a list with "[::1]:80" too"#,
            ),
            (
                "app.example:80",
                r#"write the address of this machine, such as "0.0.0.0:80" for all of them"#,
            ),
            ("0.0.0.0", r#"write "0.0.0.0:443""#),
            ("::", r#"write "[::]:443""#),
            ("http://0.0.0.0:80/", r#"write "0.0.0.0:80""#),
            (
                "0.0.0.0:99999",
                r#"write, for example, "0.0.0.0:443", "[::]:443" or "127.0.0.1:8443""#,
            ),
            (
                "",
                r#"write, for example, "0.0.0.0:443", "[::]:443" or "127.0.0.1:8443""#,
            ),
        ] {
            assert_eq!(listen(written).unwrap_err().mend, mend, "{written:?}");
        }
    }

    #[test]
    fn ranges() {
        assert_eq!(range("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(range("192.0.2.7").unwrap().to_string(), "192.0.2.7/32");
        assert_eq!(range("fd00::/8").unwrap().to_string(), "fd00::/8");
        assert_eq!(
            range("10.0.0.1/8").unwrap_err().mend,
            r#"write "10.0.0.0/8" for the whole range, or "10.0.0.1" for that address alone"#
        );
        assert!(range("proxy.internal").is_err() && range("10.0.0.0/33").is_err());
    }

    #[test]
    fn an_upstream_that_is_the_gateway_itself_is_seen() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let to = |text: &str| upstream(text).unwrap();
        assert!(to("127.0.0.1:8080").is(at("127.0.0.1:8080")));
        assert!(to("localhost:8080").is(at("0.0.0.0:8080")));
        assert!(to("[::1]:8080").is(at("[::]:8080")));
        assert!(!to("[::1]:8080").is(at("127.0.0.1:8080")));
        assert!(!to("127.0.0.1:8000").is(at("127.0.0.1:8080")));
        assert!(!to("app:8080").is(at("127.0.0.1:8080")));
    }
}
