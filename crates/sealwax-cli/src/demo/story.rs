//! What becomes of the app's response on its way: told by the machine that
//! really does it, under the settings that the demo runs with.

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, request};
use sealwax_config::Site;
use sealwax_policy::{KnownNames, Ramp};

use crate::explain::{Circumstances, Comparison, Examination, Message, examine};

/// The demo's site and addresses.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) sites: Vec<Site>,
    pub(crate) https: String,
    pub(crate) http: String,
}

impl Story {
    pub(crate) fn https_url(&self) -> &str {
        &self.https
    }

    pub(crate) fn http_url(&self) -> &str {
        &self.http
    }

    /// What the browser gets when the app sends `headers` in answer to
    /// `request`.
    pub(crate) fn tell(&self, request: &request::Parts, headers: &HeaderMap) -> Comparison {
        let mut asked = Request::new(()).into_parts().0;
        asked.method = request.method.clone();
        asked.uri = request.uri.clone();
        self.examine(asked, headers.clone())
            .response
            .unwrap_or_default()
    }

    /// The same for a first visit, in full.
    pub(crate) fn first_visit(&self, headers: HeaderMap) -> Examination {
        let mut asked = Request::new(()).into_parts().0;
        asked.method = Method::GET;
        self.examine(asked, headers)
    }

    fn examine(&self, mut request: request::Parts, headers: HeaderMap) -> Examination {
        let host = self
            .https
            .trim_start_matches("https://")
            .trim_end_matches('/');
        if let Ok(host) = HeaderValue::from_str(host) {
            request.headers.insert(http::header::HOST, host);
        }
        let mut response = Response::new(()).into_parts().0;
        response.status = StatusCode::OK;
        response.headers = headers;
        let message = Message {
            request,
            response,
            url: self.https.clone(),
            tls: true,
            host: host.to_owned(),
            peer: std::net::Ipv4Addr::LOCALHOST.into(),
        };
        let hsts = self
            .sites
            .first()
            .map(|site| site.policy.hsts.value(Ramp::default()));
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        examine(
            message,
            &Circumstances {
                sites: &self.sites,
                publicly_trusted: false,
                names: &KnownNames::default(),
                hsts: &hsts.unwrap_or_else(|| HeaderValue::from_static("max-age=0")),
                now,
            },
        )
    }
}
