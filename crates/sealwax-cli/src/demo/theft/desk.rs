//! The thief's desk: it takes the cookies that a browser sends, and shows what they are good for.

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode, request};
use serde_json::{Value, json};

use super::shop::html;
use super::thief::{Thief, Try};
use super::{LIFETIME, page};
use crate::demo::app::{plain, respond};
use crate::demo::server::App;

#[derive(Debug)]
pub(super) struct Desk {
    thief: Thief,
    shop: String,
}

impl Desk {
    pub(super) fn new(thief: Thief, shop: String) -> Self {
        Self { thief, shop }
    }

    fn take(&self, request: &request::Parts) -> Response<String> {
        let values = request.headers.get_all(header::COOKIE).iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let jar = values.join("; ");
        let pairs: Vec<&str> = jar.split("; ").collect();
        // The gateway in front of this desk adds the names that an app would know.
        let sent = |pair: &&&str| !pairs.contains(&format!("__Host-{pair}").as_str());
        let sent: Vec<&str> = pairs.iter().filter(sent).copied().collect();
        self.thief.copy(&sent.join("; "));
        let back = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static("/"))]);
        respond(StatusCode::SEE_OTHER, back, String::new())
    }

    fn state(&self) -> Response<String> {
        let loot = self.thief.loot();
        let tries = loot.tries.iter().map(shown).collect::<Value>();
        let state = json!({
            "age": loot.copied.map(|copied| copied.elapsed().as_millis()),
            "lifetime": LIFETIME * 1000,
            "name": loot.name,
            "proof": loot.has_proof(),
            "cookies": loot.jar.split(';').filter(|pair| !pair.trim().is_empty()).count(),
            "tries": tries,
        });
        let headers = HeaderMap::from_iter([
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ]);
        respond(StatusCode::OK, headers, state.to_string())
    }
}

impl App for Desk {
    fn answer(&self, request: &request::Parts, _form: &str) -> Response<String> {
        match (&request.method, request.uri.path()) {
            (&(Method::GET | Method::HEAD), "/") => html(page::desk(&self.shop)),
            (&Method::GET, "/state") => self.state(),
            (&Method::POST, "/") => self.take(request),
            _ => plain(StatusCode::NOT_FOUND, "There is no such page."),
        }
    }
}

fn shown(tried: &Try) -> Value {
    json!({
        "after": tried.after,
        "ordinary": tried.ordinary,
        "bound": tried.bound,
        "alone": tried.alone,
        "ordinary_transfer": tried.ordinary_transfer,
        "bound_transfer": tried.bound_transfer,
    })
}
