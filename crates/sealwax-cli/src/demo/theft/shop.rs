//! The careless shop. It sets two sessions at login and trusts each of them; it knows nothing of
//! proofs, keys or HTTPS.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode, request};

use super::page;
use crate::demo::app::{cookie, field, new_id, plain, respond, set_cookie};
use crate::demo::server::App;

/// Sessions kept at most; a demo forgets the oldest visitors all at once.
const MOST_SESSIONS: usize = 1000;

/// The two sessions, by their cookies' names.
pub(super) const ORDINARY: &str = "ordinary";
pub(super) const BOUND: &str = "bound";

const BALANCE: u32 = 1000;
const TRANSFER: u32 = 10;

#[derive(Debug)]
pub(super) struct Shop {
    /// Where the button sends the browser, with all its cookies.
    desk: String,
    sessions: Mutex<HashMap<String, Account>>,
}

#[derive(Debug, Clone)]
struct Account {
    name: String,
    balance: u32,
}

impl Shop {
    pub(super) fn new(desk: String) -> Self {
        Self {
            desk,
            sessions: Mutex::new(HashMap::new()),
        }
    }

    fn login(&self, form: &str) -> Response<String> {
        let name = field(form, "name").filter(|name| !name.trim().is_empty());
        let name: String = name
            .as_deref()
            .unwrap_or("Ada")
            .trim()
            .chars()
            .take(40)
            .collect();
        let mut headers = to("/");
        let mut sessions = self.sessions();
        if sessions.len() >= MOST_SESSIONS {
            sessions.clear();
        }
        for session in [ORDINARY, BOUND] {
            let id = new_id();
            set_cookie(&mut headers, &format!("{session}={id}; Path=/"));
            let account = Account {
                name: name.clone(),
                balance: BALANCE,
            };
            sessions.insert(id, account);
        }
        respond(StatusCode::SEE_OTHER, headers, String::new())
    }

    fn logout(&self, request: &request::Parts) -> Response<String> {
        let mut headers = to("/login");
        for session in [ORDINARY, BOUND] {
            if let Some(id) = cookie(&request.headers, session) {
                self.sessions().remove(id);
            }
            set_cookie(&mut headers, &format!("{session}=; Max-Age=0; Path=/"));
        }
        respond(StatusCode::SEE_OTHER, headers, String::new())
    }

    /// Whose account a session is, and what is in it.
    fn account(&self, request: &request::Parts, session: &str) -> Option<Account> {
        let id = cookie(&request.headers, session)?;
        self.sessions().get(id).cloned()
    }

    /// For programs: who is there, in two words.
    fn who(&self, request: &request::Parts, session: &str) -> Response<String> {
        match self.account(request, session) {
            Some(account) => plain(
                StatusCode::OK,
                &format!("{} {}", account.balance, account.name),
            ),
            None => plain(StatusCode::UNAUTHORIZED, "nobody"),
        }
    }

    fn transfer(&self, request: &request::Parts, session: &str) -> Response<String> {
        let mut sessions = self.sessions();
        let account = cookie(&request.headers, session).and_then(|id| sessions.get_mut(id));
        let Some(account) = account else {
            return plain(StatusCode::UNAUTHORIZED, "nobody");
        };
        account.balance = account.balance.saturating_sub(TRANSFER);
        respond(StatusCode::SEE_OTHER, to("/"), String::new())
    }

    fn start_page(&self, request: &request::Parts) -> Response<String> {
        match self.account(request, BOUND) {
            Some(account) => html(page::account(&account.name, account.balance, &self.desk)),
            None => respond(StatusCode::SEE_OTHER, to("/login"), String::new()),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        // A map of names and numbers is whole even after a panic elsewhere.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App for Shop {
    fn answer(&self, request: &request::Parts, form: &str) -> Response<String> {
        match (&request.method, request.uri.path()) {
            (&(Method::GET | Method::HEAD), "/") => self.start_page(request),
            (&(Method::GET | Method::HEAD), "/login") => html(page::login()),
            (&Method::POST, "/login") => self.login(form),
            (&Method::POST, "/logout") => self.logout(request),
            (&Method::GET, "/ordinary/who") => self.who(request, ORDINARY),
            (&Method::GET, "/bound/who") => self.who(request, BOUND),
            (&Method::POST, "/ordinary/transfer") => self.transfer(request, ORDINARY),
            (&Method::POST, "/bound/transfer") => self.transfer(request, BOUND),
            _ => plain(StatusCode::NOT_FOUND, "There is no such page."),
        }
    }
}

fn to(path: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static(path))])
}

pub(super) fn html(text: String) -> Response<String> {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
    respond(StatusCode::OK, headers, text)
}
