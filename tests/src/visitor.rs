//! A visitor without a browser: requests that carry the cookies which came back.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;

use crate::client::{Answer, Client};

/// Somebody who visits several servers under one host name and keeps their cookies.
///
/// It sends what a browser would with a request from the site's own page, `Sec-Fetch-Site:
/// same-origin`; what a browser would refuse is not for it to tell.
#[derive(Debug, Clone)]
pub struct Visitor {
    host: String,
    cookies: BTreeMap<String, String>,
    fetch_site: Option<&'static str>,
}

impl Visitor {
    /// A visitor of `host`, without cookies.
    #[must_use]
    pub fn of(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            cookies: BTreeMap::new(),
            fetch_site: Some("same-origin"),
        }
    }

    /// The same with a browser that says nothing of where a request comes from.
    #[must_use]
    pub fn with_old_browser(mut self) -> Self {
        self.fetch_site = None;
        self
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Puts a cookie there.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// GET from the server at `port` on this machine.
    pub async fn get(&mut self, port: u16, target: &str) -> Answer {
        let request = self.request(port, target);
        self.send(request).await
    }

    /// POST of a form.
    pub async fn form(&mut self, port: u16, target: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs = fields
            .iter()
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let request = self
            .request(port, target)
            .method("POST")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    /// POST of JSON.
    pub async fn json(&mut self, port: u16, target: &str, value: &Value) -> Answer {
        self.json_text(port, target, &value.to_string()).await
    }

    /// POST of JSON as it is written.
    pub async fn json_text(&mut self, port: u16, target: &str, text: &str) -> Answer {
        let request = self
            .request(port, target)
            .method("POST")
            .header("content-type", "application/json")
            .body(text.to_owned());
        self.send(request).await
    }

    /// A request in the making, with the cookies.
    pub fn request(&self, port: u16, target: &str) -> Client {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let authority = format!("{}:{port}", self.host);
        let mut request = Client::plain(address, &authority, target);
        if !self.cookies.is_empty() {
            let pairs = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            request = request.header("cookie", pairs.collect::<Vec<_>>().join("; "));
        }
        match self.fetch_site {
            Some(site) => request.header("sec-fetch-site", site),
            None => request,
        }
    }

    /// Sends it and keeps the cookies that come back.
    pub async fn send(&mut self, request: Client) -> Answer {
        let answer = request.send().await;
        for field in answer.all("set-cookie") {
            let (pair, attributes) = field.split_once(';').unwrap_or((&field, ""));
            let (name, value) = pair.split_once('=').expect("a cookie with a name");
            if attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// As in a form (WHATWG URL, `application/x-www-form-urlencoded`), with `%20` for a space.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
