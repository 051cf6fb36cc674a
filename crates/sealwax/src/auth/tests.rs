use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use http::Response;
use http::header::{COOKIE, SET_COOKIE};
use sealwax_django::password::encode;
use sealwax_store::{BoxFuture, Memory, StoreError, UserRow};
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::{CsrfLayer, Session, SessionLayer};

/// A table of users.
struct Table(Mutex<Vec<UserRow>>);

impl Table {
    fn find(&self, fits: impl Fn(&UserRow) -> bool) -> Option<UserRow> {
        self.0.lock().unwrap().iter().find(|row| fits(row)).cloned()
    }
}

impl Users for Table {
    fn by_id<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>> {
        Box::pin(async move { Ok(self.find(|row| row.id == id)) })
    }

    fn by_username<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>> {
        Box::pin(async move { Ok(self.find(|row| row.username == name)) })
    }

    fn set_last_login<'a>(
        &'a self,
        _: &'a str,
        _: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

fn row(id: &str, username: &str, password: &str) -> UserRow {
    UserRow {
        id: id.into(),
        username: username.into(),
        password: encode(password, "salt", 1000),
        is_active: true,
        is_staff: false,
        is_superuser: false,
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
    }
}

struct Site {
    session: SessionLayer,
    csrf: CsrfLayer,
    auth: AuthLayer,
    table: Arc<Table>,
    store: Arc<Memory>,
}

impl Site {
    fn new() -> Self {
        let table = Table(Mutex::new(vec![
            row("1", "anna", "correct horse"),
            row("2", "otto", "battery"),
        ]));
        Self::with(&settings(), Arc::new(table), Arc::new(Memory::new()))
    }

    fn with(settings: &Settings, table: Arc<Table>, store: Arc<Memory>) -> Self {
        Self {
            session: SessionLayer::new(settings, Arc::clone(&store) as _).unwrap(),
            csrf: CsrfLayer::new(settings).unwrap(),
            auth: AuthLayer::new(settings, Arc::clone(&table) as _).unwrap(),
            table,
            store,
        }
    }

    /// Runs `app` and gives the session cookie, if it is set: empty when it is deleted.
    async fn run<F>(
        &self,
        cookie: &str,
        app: impl Fn(Auth, Session) -> F + Clone + Send + 'static,
    ) -> (Option<String>, bool)
    where
        F: Future<Output = ()> + Send,
    {
        let service = service_fn(move |request: Request<_>| {
            let _: &crate::RequestBody<http_body_util::Empty<bytes::Bytes>> = request.body();
            let done = app(Auth::of(&request).unwrap(), Session::of(&request).unwrap());
            async move {
                done.await;
                Ok::<_, Infallible>(Response::new(()))
            }
        });
        let service = self.csrf.layer(self.auth.layer(service));
        let service = self.session.layer(service);
        let request = Request::get("/").header(COOKIE, format!("sessionid={cookie}"));
        let request = request.body(http_body_util::Empty::new()).unwrap();
        let response = service.oneshot(request).await.unwrap();
        let fields = response.headers().get_all(SET_COOKIE).iter();
        let fields: Vec<&str> = fields.map(|field| field.to_str().unwrap()).collect();
        let value = |name: &str| {
            let field = fields.iter().find_map(|field| field.strip_prefix(name))?;
            Some(field.split(';').next()?.trim_matches('"').to_owned())
        };
        (value("sessionid="), value("csrftoken=").is_some())
    }

    async fn login(&self, cookie: &str, name: &'static str, password: &'static str) -> String {
        let (cookie, rotated) = self
            .run(cookie, move |auth, _| async move {
                let user = auth.authenticate(name, password).await.unwrap().unwrap();
                auth.login(&user).await.unwrap();
                assert_eq!(auth.user().await.unwrap(), Some(user));
            })
            .await;
        assert!(rotated, "the CSRF secret is new");
        cookie.unwrap()
    }

    /// The name of who is logged in.
    async fn who(&self, cookie: &str) -> Option<String> {
        let found = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&found);
        self.run(cookie, move |auth, _| {
            let keep = Arc::clone(&keep);
            async move {
                let user = auth.user().await.unwrap();
                *keep.lock().unwrap() = user.map(|user| user.username.clone());
            }
        })
        .await;
        found.lock().unwrap().take()
    }
}

fn settings() -> Settings {
    let mut settings = Settings::production(["a.example"]);
    settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
    settings
}

#[tokio::test]
async fn whoever_logs_in_is_known_until_they_log_out() {
    let site = Site::new();
    assert_eq!(site.who("nobodys-key").await, None);
    let key = site.login("", "anna", "correct horse").await;
    assert_eq!(site.who(&key).await.as_deref(), Some("anna"));
    let (cookie, _) = site
        .run(&key, |auth, _| async move {
            auth.logout().await.unwrap();
            assert_eq!(auth.user().await.unwrap(), None);
        })
        .await;
    assert_eq!(cookie.as_deref(), Some(""));
    assert_eq!(site.who(&key).await, None);
}

#[tokio::test]
async fn wrong_names_passwords_and_inactive_users_are_nobody() {
    let site = Site::new();
    site.run("", |auth, _| async move {
        for (name, password) in [("anna", "wrong"), ("anna", ""), ("nobody", "battery")] {
            let found = auth.authenticate(name, password).await.unwrap();
            assert_eq!(found, None, "{name}");
        }
        let long = "x".repeat(5000);
        assert_eq!(auth.authenticate("anna", &long).await.unwrap(), None);
    })
    .await;
    let key = site.login("", "otto", "battery").await;
    site.table.0.lock().unwrap()[1].is_active = false;
    assert_eq!(site.who(&key).await, None);
    site.run("", |auth, _| async move {
        assert_eq!(auth.authenticate("otto", "battery").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_takes_the_same_time_for_every_account() {
    let site = Site::new();
    {
        let mut table = site.table.0.lock().unwrap();
        for (id, column) in [
            ("3", "!unusable"),
            ("4", "argon2$argon2id$v=19$x"),
            ("5", ""),
        ] {
            table.push(UserRow {
                password: column.into(),
                ..row(id, id, "")
            });
        }
    }
    site.run("", |auth, _| async move {
        let mut times = Vec::new();
        // Nobody, 1,000 iterations, and three that have nothing to hash.
        for name in ["nobody", "anna", "3", "4", "5"] {
            let begin = std::time::Instant::now();
            assert_eq!(
                auth.authenticate(name, "wrong").await.unwrap(),
                None,
                "{name}"
            );
            times.push(begin.elapsed());
        }
        // A hash that is not made takes microseconds, one that is the better part of a second.
        let longest = times.iter().max().unwrap();
        assert!(times.iter().all(|time| *time * 10 > *longest), "{times:?}");
    })
    .await;
}

#[tokio::test]
async fn logins_at_once_from_one_session_both_succeed() {
    let site = Site::new();
    let (planted, _) = site
        .run("", |_, session| async move {
            session.insert("cart", &3).await.unwrap();
        })
        .await;
    let planted = planted.unwrap();
    let store = Arc::clone(&site.store);
    let key = sealwax_store::SessionKey::parse(&planted).unwrap();
    let (cookie, _) = site
        .run(&planted, move |auth, session| {
            let store = Arc::clone(&store);
            async move {
                assert!(session.contains("cart").await.unwrap());
                let user = auth.authenticate("anna", "correct horse").await;
                // The other login has ended the session in which both began.
                sealwax_store::SessionStore::delete(&*store, &key)
                    .await
                    .unwrap();
                auth.login(&user.unwrap().unwrap()).await.unwrap();
                assert!(!session.contains("cart").await.unwrap());
            }
        })
        .await;
    assert_eq!(site.who(&cookie.unwrap()).await.as_deref(), Some("anna"));
}

#[tokio::test]
async fn a_planted_key_gains_nothing_and_the_cart_stays() {
    let site = Site::new();
    let (planted, _) = site
        .run("", |_, session| async move {
            session.insert("cart", &3).await.unwrap();
        })
        .await;
    let planted = planted.unwrap();
    let key = site.login(&planted, "anna", "correct horse").await;
    assert_ne!(key, planted);
    assert_eq!(site.who(&planted).await, None);
    let check = |_, session: Session| async move {
        assert_eq!(session.get::<u8>("cart").await.unwrap(), Some(3));
    };
    site.run(&key, check).await;
    // Another user does not inherit it.
    let other = site.login(&key, "otto", "battery").await;
    let check = |_, session: Session| async move {
        assert!(!session.contains("cart").await.unwrap());
    };
    site.run(&other, check).await;
    assert_eq!(site.who(&key).await, None);
}

#[tokio::test]
async fn a_changed_password_ends_every_session() {
    let site = Site::new();
    let key = site.login("", "anna", "correct horse").await;
    site.table.0.lock().unwrap()[0].password = encode("new", "salt", 1000);
    let (cookie, _) = site
        .run(&key, |auth, _| async move {
            assert_eq!(auth.user().await.unwrap(), None);
        })
        .await;
    assert_eq!(cookie.as_deref(), Some(""));
}

#[tokio::test]
async fn a_retired_key_still_counts_and_is_replaced() {
    let site = Site::new();
    let key = site.login("", "anna", "correct horse").await;
    let mut newer = settings();
    newer.secret_key_fallbacks = vec![newer.secret_key.clone()];
    newer.secret_key = "another example of fifty characters, nobody guesses it".into();
    let newer = Site::with(&newer, Arc::clone(&site.table), Arc::clone(&site.store));
    // Of several requests at once only the first renews it, and none of the others fails.
    let beside = site.login("", "anna", "correct horse").await;
    let row = sealwax_store::SessionKey::parse(&beside).unwrap();
    let store = Arc::clone(&site.store);
    let (cookie, _) = newer
        .run(&beside, move |auth, session| {
            let store = Arc::clone(&store);
            async move {
                assert!(
                    !session.is_empty().await && session.contains("_auth_user_id").await.unwrap()
                );
                sealwax_store::SessionStore::delete(&*store, &row)
                    .await
                    .unwrap();
                assert!(auth.user().await.unwrap().is_some());
            }
        })
        .await;
    assert_eq!((cookie, newer.who(&beside).await), (None, None));
    let (cookie, _) = newer
        .run(&key, |auth, _| async move {
            assert!(auth.user().await.unwrap().is_some());
        })
        .await;
    let cookie = cookie.unwrap();
    assert_ne!(cookie, key);
    assert_eq!(newer.who(&cookie).await.as_deref(), Some("anna"));
    assert_eq!(
        site.who(&cookie).await,
        None,
        "signed with a key that is not known there"
    );
}

#[tokio::test]
async fn a_backend_that_is_not_configured_counts_for_nothing() {
    let site = Site::new();
    let key = site.login("", "anna", "correct horse").await;
    let mut other = settings();
    other.authentication_backends = vec!["shop.auth.Backend".into()];
    let other = Site::with(&other, Arc::clone(&site.table), Arc::clone(&site.store));
    assert_eq!(other.who(&key).await, None);
    assert_eq!(site.who(&key).await.as_deref(), Some("anna"));
}

#[tokio::test]
async fn a_layer_inside_of_which_no_login_is_known_says_so_once() {
    use crate::logged::Log;

    let site = Site::new();
    let request = || Request::new(http_body_util::Empty::<bytes::Bytes>::new());
    // Each takes requests of another type.
    macro_rules! app {
        () => {
            service_fn(|_| async { Ok::<_, Infallible>(Response::new(())) })
        };
    }
    let log = Log::begin();
    let right = site.session.layer(site.csrf.layer(site.auth.layer(app!())));
    right.oneshot(request()).await.unwrap();
    // A second pair further in does no harm.
    let within = site.auth.layer(site.session.layer(site.csrf.layer(app!())));
    let twice = site.session.layer(site.csrf.layer(within));
    twice.oneshot(request()).await.unwrap();
    assert_eq!(log.count("AuthLayer stands outside"), 0);
    for _ in 0..2 {
        let wrong = site.auth.layer(site.session.layer(site.csrf.layer(app!())));
        wrong.oneshot(request()).await.unwrap();
    }
    assert_eq!(log.count("AuthLayer stands outside of SessionLayer"), 1);
    assert_eq!(log.count("AuthLayer stands outside of CsrfLayer"), 1);
}
