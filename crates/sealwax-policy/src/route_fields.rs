//! The headers that tell the app who came, and how.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};

use crate::explain::{Action, Change, Recorder, Rule};
use crate::proxies::Route;
use crate::target::Target;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

static HTTP: HeaderValue = HeaderValue::from_static("http");
static HTTPS: HeaderValue = HeaderValue::from_static("https");
static PORT_80: HeaderValue = HeaderValue::from_static("80");
static PORT_443: HeaderValue = HeaderValue::from_static("443");

/// The fields that tell the app who came ([`crate::Exchange::route_fields`]):
/// `X-Forwarded-Proto`, `-Host`, `-Port`, `-For` and `X-Real-IP`, and `Host` where the request
/// named it in the URL only. `X-Forwarded-For` holds one address, so no app can pick the wrong one.
#[derive(Debug, Clone)]
#[must_use]
pub struct RouteFields<'a> {
    target: &'a Target,
    has_host: bool,
    secure: bool,
    client: Option<IpAddr>,
}

/// A value: as a field that is there already, or as mere text.
#[derive(Clone, Copy)]
enum Value<'a> {
    Field(&'a HeaderValue),
    Text(&'a [u8]),
}

impl<'a> RouteFields<'a> {
    pub(crate) fn new(target: &'a Target, route: Route, has_host: bool) -> Self {
        Self {
            target,
            has_host,
            secure: route.secure,
            client: route.client,
        }
    }

    /// Calls `put` with each field, at most six, each name once.
    pub fn for_each(&self, mut put: impl FnMut(&'static HeaderName, &[u8])) {
        self.visit(|name, value| put(name, value.as_bytes()));
    }

    /// Puts the fields into `headers`.
    pub fn insert_into(&self, headers: &mut HeaderMap) {
        // One growth instead of several.
        headers.reserve(6);
        self.visit(|name, value| {
            // Host, digits and addresses are all of them field values.
            if let Ok(value) = value.to_field() {
                headers.insert(name, value);
            }
        });
    }

    pub(crate) fn record(&self, record: &mut Recorder) {
        if record.listens() {
            self.for_each(|name, value| {
                // `Host` is no news: the URL said the same.
                if *name != HOST {
                    record.routine(|| {
                        Change::new(Rule::ForwardedSet, Action::Added, name.as_str()).after(value)
                    });
                }
            });
        }
    }

    fn visit(&self, mut put: impl FnMut(&'static HeaderName, Value<'_>)) {
        let authority = self.target.authority();
        // HTTP/2 names the host in the URL; the app wants the field (RFC 9113 §8.3.1).
        if !self.has_host {
            put(&HOST, Value::Field(authority));
        }
        let (scheme, default_port) = match self.secure {
            true => (&HTTPS, &PORT_443),
            false => (&HTTP, &PORT_80),
        };
        put(&X_FORWARDED_PROTO, Value::Field(scheme));
        put(&X_FORWARDED_HOST, Value::Field(authority));
        put(
            &X_FORWARDED_PORT,
            match self.target.port() {
                [] => Value::Field(default_port),
                port => Value::Text(port),
            },
        );
        if let Some(client) = self.client.map(AddressText::new) {
            put(&X_FORWARDED_FOR, Value::Text(client.as_bytes()));
            put(&X_REAL_IP, Value::Text(client.as_bytes()));
        }
    }
}

impl Value<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Field(value) => value.as_bytes(),
            Self::Text(text) => text,
        }
    }

    fn to_field(self) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        match self {
            Self::Field(value) => Ok(value.clone()),
            Self::Text(text) => HeaderValue::from_bytes(text),
        }
    }
}

/// An address as everybody writes it.
#[derive(Debug, Clone, Copy)]
struct AddressText {
    /// As long as an IPv6 address that ends in an IPv4 one.
    text: [u8; 45],
    length: usize,
}

impl AddressText {
    fn new(address: IpAddr) -> Self {
        let mut out = Self {
            text: [0; 45],
            length: 0,
        };
        match address {
            IpAddr::V4(address) => out.write_ipv4(address),
            IpAddr::V6(address) => {
                let mut rest = &mut out.text[..];
                // It fits, so nothing can go wrong.
                drop(write!(rest, "{address}"));
                out.length = 45 - rest.len();
            }
        }
        out
    }

    fn as_bytes(&self) -> &[u8] {
        // `length` counts what was written.
        self.text.get(..self.length).unwrap_or_default()
    }

    /// By hand, since the general formatter is slow and this runs for every request.
    fn write_ipv4(&mut self, address: Ipv4Addr) {
        for octet in address.octets() {
            // 256 places: no octet is out of bounds. The text has room for four of them.
            let (text, length) = OCTETS[usize::from(octet)];
            if let Some(place) = self.text.get_mut(self.length..self.length + text.len()) {
                place.copy_from_slice(&text);
                self.length += length;
            }
        }
        // The last dot.
        self.length -= 1;
    }
}

/// Every octet with a dot behind it, and how long that is.
static OCTETS: [([u8; 4], usize); 256] = {
    let mut octets = [(*b"....", 0); 256];
    let mut octet = 0;
    while octet < octets.len() {
        let (text, length) = &mut octets[octet];
        let mut power = 100;
        while power > 0 {
            if octet >= power || power == 1 {
                text[*length] = b'0' + (octet / power % 10) as u8;
                *length += 1;
            }
            power /= 10;
        }
        *length += 1;
        octet += 1;
    }
    octets
};

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(url: &str, host: Option<&str>, client: Option<&str>, secure: bool) -> HeaderMap {
        let mut request = http::Request::get(url).version(http::Version::HTTP_2);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let mut head = request.body(()).unwrap().into_parts().0;
        let target = Target::read(&head).unwrap();
        let route = Route {
            client: client.map(|text| text.parse().unwrap()),
            secure,
            by_proxy: false,
        };
        let fields = RouteFields::new(&target, route, host.is_some());
        let mut apart = head.headers.clone();
        fields.for_each(|name, value| {
            apart.append(name, HeaderValue::from_bytes(value).unwrap());
        });
        fields.insert_into(&mut head.headers);
        assert_eq!(head.headers, apart, "both ways give the same");
        apart
    }

    #[test]
    fn the_app_learns_scheme_host_port_and_client() {
        let client = Some("2001:db8::1");
        for host in [None, Some("app.example:8443")] {
            let headers = fields("https://app.example:8443/", host, client, true);
            for (name, value) in [
                ("host", "app.example:8443"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "app.example:8443"),
                ("x-forwarded-port", "8443"),
                ("x-forwarded-for", "2001:db8::1"),
                ("x-real-ip", "2001:db8::1"),
            ] {
                assert_eq!(headers[name], value);
            }
            assert_eq!(headers.len(), 6);
        }
    }

    #[test]
    fn addresses_are_written_as_everyone_writes_them() {
        for text in [
            "0.0.0.0",
            "1.20.255.100",
            "127.0.0.1",
            "255.255.255.255",
            "9.10.99.101",
            "::1",
            "::ffff:255.255.255.255",
            "2001:db8::ffff:1",
            "1111:2222:3333:4444:5555:6666:7777:8888",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(AddressText::new(address).as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn a_unix_socket_peer_has_no_address() {
        let headers = fields("/", Some("app.example"), None, false);
        assert_eq!(headers["x-forwarded-port"], "80");
        assert_eq!(headers["x-forwarded-proto"], "http");
        assert!(!headers.contains_key("x-forwarded-for") && !headers.contains_key("x-real-ip"));
    }
}
