//! A visitor: what the site gave it before the measurement.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use http::header::{COOKIE, HeaderName, SET_COOKIE};
use http::{Request, Response};
use tower::Service;

use crate::drive::{Answer, Runner};
use crate::heads::Head;

/// Cookies that the site knows nothing of.
const STRANGE: &str = "_ga=GA1.1.1482301457.1763888000; theme=dark";
/// What a visitor of a site without layers holds instead: as much as the others.
const IDLE: [&str; 2] = [
    "__Host-sessionid=k3p1x0q8v7m2z9r4t6y5w1n0b8c3d7f2",
    "__Host-csrftoken=Zt5Xw2Qm9Lr7Bn4Vc1Kd8Hs6Gf3Jp0Ya",
];

/// A visitor's cookies and token.
pub(crate) struct Client {
    cookies: Vec<String>,
    token: String,
}

impl Client {
    /// One to whom the site has given nothing.
    pub(crate) fn idle() -> Self {
        Self {
            cookies: IDLE.map(str::to_owned).to_vec(),
            token: "t".repeat(64),
        }
    }

    /// One who has visited these pages; the last one's text is the token for forms.
    pub(crate) fn visit<S, B>(
        runner: &Runner,
        site: &S,
        pages: &[&'static str],
    ) -> Result<Self, String>
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
        B: http_body::Body<Data = Bytes>,
    {
        let mut client = Self {
            cookies: Vec::new(),
            token: String::new(),
        };
        for page in pages {
            let answer = runner.send(site, client.get(page).request())?;
            let Answer {
                status,
                headers,
                body,
            } = answer;
            if !status.is_success() {
                return Err(format!("{page} answers {status}"));
            }
            for field in headers.get_all(SET_COOKIE) {
                let field = field.to_str().map_err(|error| error.to_string())?;
                let pair = field.split(';').next().unwrap_or_default();
                client.cookies.push(pair.to_owned());
            }
            client.token = String::from_utf8_lossy(&body).into_owned();
        }
        // Whoever got less carries as much, but nothing twice.
        for idle in IDLE {
            let name = idle.trim_start_matches("__Host-").split('=').next();
            let is_there = client
                .cookies
                .iter()
                .any(|own| own.trim_start_matches("__Host-").split('=').next() == name);
            if client.cookies.len() < IDLE.len() && !is_there {
                client.cookies.push(idle.to_owned());
            }
        }
        Ok(client)
    }

    /// Asks for a page.
    pub(crate) fn get(&self, path: &'static str) -> Head {
        self.carry(Head::get(path))
    }

    /// Sends a form without a token.
    pub(crate) fn post(&self, path: &'static str) -> Head {
        let note = "n".repeat(64 + "csrfmiddlewaretoken=&".len());
        self.carry(Head::post(path, format!("text={note}")))
    }

    /// Sends a form and the token in a header.
    pub(crate) fn post_with_header(&self, path: &'static str) -> Head {
        let name = HeaderName::from_static("x-csrftoken");
        self.post(path).with(name, &self.token)
    }

    /// Sends a form with the token in it.
    pub(crate) fn post_with_field(&self, path: &'static str) -> Head {
        let body = format!("csrfmiddlewaretoken={}&text=n", self.token);
        self.carry(Head::post(path, body))
    }

    fn carry(&self, head: Head) -> Head {
        let mut cookies = STRANGE.to_owned();
        for cookie in &self.cookies {
            cookies.push_str("; ");
            cookies.push_str(cookie);
        }
        head.with(COOKIE, &cookies)
    }
}
