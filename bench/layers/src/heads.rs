//! The requests, as a browser sends them and hyper hands them over.

use axum::body::{Body, Bytes};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use sealwax::Transport;

/// The site that all requests are for.
pub(crate) const HOST: &str = "app.example.com";

/// A page of a site as Chromium asks for it.
const PAGE: &[(&str, &str)] = &[
    ("host", HOST),
    (
        "sec-ch-ua",
        "\"Chromium\";v=\"150\", \"Not)A;Brand\";v=\"99\"",
    ),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("upgrade-insecure-requests", "1"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/150.0.0.0 Safari/537.36",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
         image/apng,*/*;q=0.8",
    ),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-user", "?1"),
    ("sec-fetch-dest", "document"),
    ("referer", "https://app.example.com/polls/"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("priority", "u=0, i"),
];

/// The same as a program asks for it.
const FEW: &[(&str, &str)] = &[
    ("host", HOST),
    ("user-agent", "curl/8.5.0"),
    ("accept", "*/*"),
];

/// A request that can be sent again and again.
#[derive(Clone)]
pub(crate) struct Head {
    method: Method,
    uri: Uri,
    fields: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Head {
    /// A page.
    pub(crate) fn get(path: &'static str) -> Self {
        Self::of(path, PAGE)
    }

    /// The same for a client that is no browser and has no cookies.
    pub(crate) fn few(path: &'static str) -> Self {
        Self::of(path, FEW)
    }

    fn of(path: &'static str, fields: &'static [(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| {
            // As hyper does it: names that it knows are numbers, values share one buffer.
            (HeaderName::from_static(name), shared(value))
        });
        Self {
            method: Method::GET,
            uri: Uri::from_static(path),
            fields: fields.collect(),
            body: Bytes::new(),
        }
    }

    /// A form that is sent.
    pub(crate) fn post(path: &'static str, body: String) -> Self {
        let mut head = Self::get(path)
            .with(header::ORIGIN, "https://app.example.com")
            .with(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .with(header::CONTENT_LENGTH, &body.len().to_string());
        head.method = Method::POST;
        head.body = body.into();
        head
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.fields.push((name, shared(value)));
        self
    }

    /// The request, with what whoever accepts connections knows of this one.
    pub(crate) fn request(&self) -> Request<Body> {
        let mut headers = HeaderMap::with_capacity(self.fields.len());
        for (name, value) in &self.fields {
            headers.append(name.clone(), value.clone());
        }
        let mut request = Request::new(match self.body.is_empty() {
            true => Body::empty(),
            false => Body::from(self.body.clone()),
        });
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        let transport = Transport::tls("192.0.2.7".parse().ok());
        request.extensions_mut().insert(transport);
        request
    }
}

/// The value in a shared buffer; those of this crate are all valid.
fn shared(value: &str) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::copy_from_slice(value.as_bytes()))
        .unwrap_or(HeaderValue::from_static(""))
}
