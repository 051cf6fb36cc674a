//! The careless app: it works, and knows nothing of HTTPS.
//!
//! On purpose it sets its session cookie without a single attribute that
//! protects it, keeps the theme in a cookie that a script reads, links to
//! itself with `http://`, and sends no security header at all.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode, request};

use super::page::{self, View, Way};
use super::server;
use super::story::Story;

/// Sessions kept at most; a demo forgets the oldest visitors all at once.
const MOST_SESSIONS: usize = 1000;

/// The app and its memory.
#[derive(Debug)]
pub(crate) struct App {
    story: Story,
    sessions: Mutex<HashMap<String, Session>>,
}

/// What the app remembers of a visitor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(crate) name: Option<String>,
    pub(crate) basket: u32,
}

impl App {
    pub(crate) fn new(story: Story) -> Self {
        Self {
            story,
            sessions: Mutex::new(HashMap::new()),
        }
    }

    pub(crate) fn story(&self) -> &Story {
        &self.story
    }

    fn start_page(&self, request: &request::Parts, id: Option<&str>) -> Response<String> {
        let (id, session) = match id.and_then(|id| {
            self.sessions()
                .get(id)
                .cloned()
                .map(|session| (id.to_owned(), session))
        }) {
            Some(known) => known,
            None => (self.begin(Session::default()), Session::default()),
        };
        let theme = cookie(&request.headers, "theme")
            .filter(|theme| *theme == "dark")
            .unwrap_or("light");
        // Browsers come with it from the first HTTPS page on.
        let through_gateway = request
            .headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto == "https");
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        for cookie in [
            format!("sessionid={id}; Path=/"),
            format!("basket={}; Path=/; HttpOnly", session.basket),
            format!("theme={theme}; Path=/"),
        ] {
            set_cookie(&mut headers, &cookie);
        }
        let way = if through_gateway {
            Way::Through(self.story.tell(request, &headers))
        } else {
            Way::Direct
        };
        let received = request
            .headers
            .get(header::COOKIE)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let view = View {
            session: &session,
            theme,
            way: &way,
            received: received.as_deref(),
            https: self.story.https_url(),
            http: self.story.http_url(),
        };
        respond(StatusCode::OK, headers, page::start(&view))
    }

    fn login(&self, form: &str) -> Response<String> {
        let name = field(form, "name").filter(|name| !name.trim().is_empty());
        let name = name.map(|name| name.trim().chars().take(40).collect());
        let id = self.begin(Session { name, basket: 0 });
        let mut headers = back_to_start();
        set_cookie(&mut headers, &format!("sessionid={id}; Path=/"));
        respond(StatusCode::SEE_OTHER, headers, String::new())
    }

    fn logout(&self, id: Option<&str>) -> Response<String> {
        if let Some(id) = id {
            self.sessions().remove(id);
        }
        let mut headers = back_to_start();
        set_cookie(&mut headers, "sessionid=; Max-Age=0; Path=/");
        respond(StatusCode::SEE_OTHER, headers, String::new())
    }

    fn basket(&self, id: Option<&str>) -> Response<String> {
        if let Some(id) = id
            && let Some(session) = self.sessions().get_mut(id)
        {
            session.basket = session.basket.saturating_add(1);
        }
        respond(StatusCode::SEE_OTHER, back_to_start(), String::new())
    }

    fn begin(&self, session: Session) -> String {
        let id = new_id();
        let mut sessions = self.sessions();
        if sessions.len() >= MOST_SESSIONS {
            sessions.clear();
        }
        sessions.insert(id.clone(), session);
        id
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        // A map of names and numbers is whole even after a panic elsewhere.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl server::App for App {
    fn answer(&self, request: &request::Parts, form: &str) -> Response<String> {
        let id =
            cookie(&request.headers, "sessionid").filter(|id| self.sessions().contains_key(*id));
        match (&request.method, request.uri.path()) {
            (&(Method::GET | Method::HEAD), "/") => self.start_page(request, id),
            (&Method::POST, "/login") => self.login(form),
            (&Method::POST, "/logout") => self.logout(id),
            (&Method::POST, "/basket") => self.basket(id),
            (_, "/" | "/login" | "/logout" | "/basket") => plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "This page does not do that.",
            ),
            _ => plain(StatusCode::NOT_FOUND, "There is no such page."),
        }
    }
}

/// 128 bits. The standard library seeds each `RandomState` from the operating
/// system; good enough for sessions that guard nothing.
pub(crate) fn new_id() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

fn back_to_start() -> HeaderMap {
    HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static("/"))])
}

pub(crate) fn set_cookie(headers: &mut HeaderMap, cookie: &str) {
    // Ids, numbers and two words: nothing that a header could not hold.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        headers.append(header::SET_COOKIE, value);
    }
}

pub(crate) fn plain(status: StatusCode, text: &str) -> Response<String> {
    let headers =
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
    respond(status, headers, format!("{text}\n"))
}

pub(crate) fn respond(status: StatusCode, headers: HeaderMap, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let line = headers.get(header::COOKIE)?.to_str().ok()?;
    line.split("; ")
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// A field of a form (`application/x-www-form-urlencoded`).
pub(crate) fn field(form: &str, name: &str) -> Option<String> {
    let raw = form
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_browsers_send() {
        assert_eq!(
            field("a=1&name=Ada+L%C3%B6velace", "name").as_deref(),
            Some("Ada Lövelace")
        );
        assert_eq!(field("name=%zz", "name"), None);
        assert_eq!(field("surname=x", "name"), None);
        let headers =
            HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static("a=1; theme=dark"))]);
        assert_eq!(cookie(&headers, "theme"), Some("dark"));
        assert_eq!(cookie(&headers, "them"), None);
    }

    #[test]
    fn ids_differ() {
        assert_ne!(new_id(), new_id());
        assert_eq!(new_id().len(), 32);
    }
}
