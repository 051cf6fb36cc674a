use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{COOKIE, RETRY_AFTER, SET_COOKIE, VARY};
use http::{Request, Response};
use http_body_util::Full;
use sealwax_django::session::{Expiry, SessionData};
use sealwax_store::{
    BoxFuture, Created, Memory, MemoryLimits, Record, Saved, SessionKey, StoreError,
};
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::ResponseBody;

/// A memory that counts who asks, and that can be down.
struct Counted {
    memory: Memory,
    asked: AtomicU64,
    /// Whether it deletes.
    deletes: AtomicBool,
    /// What it answers while nobody can reach it.
    down: Mutex<Option<StoreError>>,
}

impl Counted {
    fn answer(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match &*self.down.lock().unwrap() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

impl SessionStore for Counted {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            self.answer()?;
            self.memory.load(key, now).await
        })
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(async move {
            self.answer()?;
            self.memory.create(key, record).await
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Saved, StoreError>> {
        Box::pin(async move {
            self.answer()?;
            self.memory.save(key, record).await
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.answer()?;
            match self.deletes.load(Ordering::Relaxed) {
                true => self.memory.delete(key).await,
                false => Err(unavailable().await),
            }
        })
    }

    fn sweep<'a>(&'a self, now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            self.answer()?;
            self.memory.sweep(now).await
        })
    }
}

struct Site {
    layer: SessionLayer,
    store: Arc<Counted>,
    clock: Arc<AtomicU64>,
}

impl Site {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(AtomicU64::new(1_764_000_000));
        let time = Arc::clone(&clock);
        let world = World::Made(Arc::new(move || {
            Duration::from_secs(time.load(Ordering::Relaxed))
        }));
        let store = Arc::new(Counted {
            memory: Memory::new(),
            asked: AtomicU64::new(0),
            deletes: AtomicBool::new(true),
            down: Mutex::new(None),
        });
        let mut settings = Settings::production(["a.example"]);
        settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
        change(&mut settings);
        let checked = settings.checked().unwrap();
        let home = Arc::clone(&store) as Arc<dyn SessionStore>;
        let layer = SessionLayer::with(checked, home, world).unwrap();
        Self {
            layer,
            store,
            clock,
        }
    }

    /// Runs `app` with the session of `cookie` and gives the response, which has the app's status.
    async fn run<F>(
        &self,
        cookie: Option<&str>,
        app: impl Fn(Session) -> F + Clone,
    ) -> Response<ResponseBody<Full<Bytes>>>
    where
        F: Future<Output = u16>,
    {
        let service = service_fn(move |request: Request<()>| {
            let answer = app(Session::of(&request).unwrap());
            async {
                let mut response = Response::new(Full::from("app"));
                *response.status_mut() = answer.await.try_into().unwrap();
                Ok::<_, Infallible>(response)
            }
        });
        let mut request = Request::get("/");
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, format!("sessionid={cookie}"));
        }
        let service = self.layer.layer(service);
        service.oneshot(request.body(()).unwrap()).await.unwrap()
    }

    /// A session with `a` = 1; its key.
    async fn begin(&self) -> String {
        let response = self.run(None, |s| async move { put(&s).await }).await;
        key(&response).unwrap()
    }

    fn asked(&self) -> u64 {
        self.store.asked.swap(0, Ordering::Relaxed)
    }
}

/// A real store's error.
async fn unavailable() -> StoreError {
    let full = Memory::with_limits(MemoryLimits {
        entries: 0,
        bytes: 0,
    });
    let record = Record {
        data: "x".into(),
        expires: Duration::MAX,
    };
    let key = SessionKey::generate([1; 32]);
    full.create(&key, record).await.unwrap_err()
}

async fn put(session: &Session) -> u16 {
    session.insert("a", &1).await.unwrap();
    200
}

fn field<B>(response: &Response<B>) -> Option<&str> {
    let field = response.headers().get(SET_COOKIE)?;
    Some(field.to_str().unwrap())
}

fn key<B>(response: &Response<B>) -> Option<String> {
    let value = field(response)?.strip_prefix("sessionid=")?;
    Some(value.split(';').next().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_written_comes_back_in_djangos_cookie() {
    let site = Site::new(|_| {});
    let response = site.run(None, |s| async move { put(&s).await }).await;
    let key = key(&response).unwrap();
    assert_eq!(key.len(), 32);
    assert_eq!(
        field(&response).unwrap(),
        format!(
            "sessionid={key}; expires=Mon, 08 Dec 2025 16:00:00 GMT; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax; Secure"
        )
    );
    assert_eq!(response.headers()[VARY], "Cookie");
    let read = |s: Session| async move {
        assert_eq!(s.get::<u8>("a").await.unwrap(), Some(1));
        assert_eq!(s.names().await.unwrap(), ["a"]);
        200
    };
    let response = site.run(Some(&key), read).await;
    assert_eq!(response.status(), 200);
    assert_eq!(field(&response), None);
    assert_eq!(response.headers()[VARY], "Cookie");
    // What is stored is what Django stores.
    let stored = SessionKey::parse(&key).unwrap();
    let now = Duration::from_secs(site.clock.load(Ordering::Relaxed));
    let record = site.store.memory.load(&stored, now).await.unwrap().unwrap();
    assert!(record.data.starts_with("eyJhIjoxfQ:1vNYyu:"));
    assert_eq!(record.expires, now + Duration::from_secs(1_209_600));
}

#[tokio::test]
async fn nobody_asks_the_store_for_nothing() {
    let site = Site::new(|_| {});
    let key = site.begin().await;
    assert_eq!(site.asked(), 1);
    let response = site.run(Some(&key), |_| async { 200 }).await;
    assert!(!response.headers().contains_key(VARY));
    let look = |s: Session| async move {
        assert!(!s.contains("a").await.unwrap());
        assert!(s.is_empty().await);
        200
    };
    let response = site.run(None, look).await;
    assert_eq!(response.headers()[VARY], "Cookie");
    assert_eq!(site.asked(), 0);
}

#[tokio::test]
async fn a_server_error_keeps_nothing() {
    let site = Site::new(|_| {});
    let fail = |s: Session| async move {
        put(&s).await;
        500
    };
    let response = site.run(None, fail).await;
    assert_eq!((field(&response), site.asked()), (None, 0));
    assert_eq!(response.headers()[VARY], "Cookie");
}

#[tokio::test]
async fn flush_acts_at_once_and_deletes_the_cookie() {
    let site = Site::new(|_| {});
    let key = site.begin().await;
    let flush = |s: Session| async move {
        s.flush().await.unwrap();
        assert!(s.is_empty().await);
        200
    };
    let response = site.run(Some(&key), flush).await;
    let field = field(&response).unwrap();
    assert!(field.starts_with("sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT;"));
    assert!(field.contains("Max-Age=0") && field.contains("Path=/"));
    assert!(
        site.store
            .memory
            .load(&SessionKey::parse(&key).unwrap(), Duration::ZERO)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_session_that_was_deleted_meanwhile_is_never_brought_back() {
    let site = Site::new(|_| {});
    let begun = site.begin().await;
    let home = Arc::clone(&site.store);
    let mine = SessionKey::parse(&begun).unwrap();
    let race = move |s: Session| {
        let home = Arc::clone(&home);
        async move {
            put(&s).await;
            // Logged out in another window.
            home.memory.delete(&mine).await.unwrap();
            200
        }
    };
    let response = site.run(Some(&begun), race).await;
    assert_eq!(response.status(), 400);
    assert_eq!(field(&response), None);
    let row = site.store.memory.load(&mine, Duration::ZERO).await;
    assert_eq!(row.unwrap(), None);
}

#[tokio::test]
async fn a_key_that_is_nobodys_is_deleted_once_somebody_looks() {
    let site = Site::new(|_| {});
    let unknown = "k".repeat(32);
    let response = site.run(Some(&unknown), |_| async { 200 }).await;
    assert_eq!(field(&response), None);
    let look = |s: Session| async move {
        assert!(s.get::<u8>("a").await.unwrap().is_none());
        200
    };
    let response = site.run(Some(&unknown), look).await;
    assert_eq!(key(&response).as_deref(), Some("\"\""));
    // An attacker's key is never taken up.
    let response = site
        .run(Some(&unknown), |s| async move { put(&s).await })
        .await;
    assert_ne!(key(&response).unwrap(), unknown);
    // What can be no key at all is as good as none.
    let response = site.run(Some("short"), |_| async { 200 }).await;
    assert_eq!(key(&response).as_deref(), Some("\"\""));
}

#[tokio::test]
async fn a_new_key_keeps_the_content_and_ends_the_old_one() {
    let site = Site::new(|_| {});
    let old = site.begin().await;
    let cycle = |s: Session| async move {
        s.cycle_key().await.unwrap();
        200
    };
    let response = site.run(Some(&old), cycle).await;
    let new = key(&response).unwrap();
    assert_ne!(new, old);
    let read =
        |s: Session| async move { u16::from(s.get::<u8>("a").await.unwrap().unwrap_or(0)) + 200 };
    assert_eq!(site.run(Some(&new), read).await.status(), 201);
    assert_eq!(site.run(Some(&old), read).await.status(), 200);
}

#[tokio::test]
async fn a_session_that_was_deleted_meanwhile_gets_no_new_key() {
    let site = Site::new(|_| {});
    let begun = site.begin().await;
    let home = Arc::clone(&site.store);
    let mine = SessionKey::parse(&begun).unwrap();
    let race = move |s: Session| {
        let home = Arc::clone(&home);
        async move {
            assert!(s.contains("a").await.unwrap());
            // Logged out in another window.
            home.memory.delete(&mine).await.unwrap();
            let refused = s.cycle_key().await.unwrap_err();
            assert!(matches!(refused, SessionError::Interrupted));
            refused.status().as_u16()
        }
    };
    let response = site.run(Some(&begun), race).await;
    assert_eq!((response.status().as_u16(), field(&response)), (400, None));
    let kept = site.store.memory.sweep(Duration::MAX).await.unwrap();
    assert_eq!(kept, 0, "nothing is left of it");
}

#[tokio::test]
async fn an_old_key_that_cannot_be_deleted_holds_nothing() {
    let site = Site::new(|_| {});
    let begun = site.begin().await;
    let home = Arc::clone(&site.store);
    let cycle = move |s: Session| {
        let home = Arc::clone(&home);
        async move {
            s.insert("role", "admin").await.unwrap();
            home.deletes.store(false, Ordering::Relaxed);
            assert!(s.cycle_key().await.is_err());
            200
        }
    };
    let response = site.run(Some(&begun), cycle).await;
    assert_ne!(key(&response).unwrap(), begun);
    let look = |s: Session| async move {
        assert!(s.names().await.unwrap().is_empty());
        200
    };
    site.run(Some(&begun), look).await;
}

#[tokio::test]
async fn a_session_that_somebody_holds_is_waited_for_and_not_read() {
    let site = Site::new(|_| {});
    let begun = site.begin().await;
    site.asked();
    let hold = |s: Session| async move {
        let held = Arc::clone(&s.inner);
        tokio::spawn(async move {
            let _state = held.state.lock().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        });
        tokio::task::yield_now().await;
        assert!(s.inner.state.try_lock().is_err());
        200
    };
    let response = site.run(Some(&begun), hold).await;
    assert_eq!(site.asked(), 0);
    assert!(!response.headers().contains_key(VARY));
}

#[tokio::test]
async fn a_store_that_is_down_fails_those_who_need_it() {
    let site = Site::new(|_| {});
    let key = site.begin().await;
    *site.store.down.lock().unwrap() = Some(unavailable().await);
    let response = site.run(Some(&key), |_| async { 200 }).await;
    assert_eq!(
        response.status(),
        200,
        "who does not touch the session goes on"
    );
    let get = |s: Session| async move {
        let error = s.get::<u8>("a").await.unwrap_err();
        error.status().as_u16()
    };
    assert_eq!(site.run(Some(&key), get).await.status(), 503);
    // A response that promised more than could be kept is taken back.
    let response = site.run(None, |s| async move { put(&s).await }).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()[RETRY_AFTER], "5");
    assert_eq!(field(&response), None);
}

#[tokio::test]
async fn the_sessions_own_lifetime_counts() {
    let site = Site::new(|_| {});
    let set = |expiry: Expiry| {
        move |s: Session| async move {
            put(&s).await;
            s.set_expiry(expiry).await.unwrap();
            200
        }
    };
    let response = site.run(None, set(Expiry::BrowserClose)).await;
    assert!(!field(&response).unwrap().contains("Max-Age"));
    let response = site.run(None, set(Expiry::Seconds(300))).await;
    assert!(field(&response).unwrap().contains("Max-Age=300;"));
    let key = key(&response).unwrap();
    site.clock.fetch_add(300, Ordering::Relaxed);
    let gone = |s: Session| async move {
        assert!(!s.contains("a").await.unwrap());
        200
    };
    assert_eq!(site.run(Some(&key), gone).await.status(), 200);
}

#[tokio::test]
async fn every_request_saves_where_the_settings_say_so() {
    let site = Site::new(|s| s.session_save_every_request = true);
    let begun = site.begin().await;
    let response = site.run(Some(&begun), |_| async { 200 }).await;
    assert_eq!(key(&response), Some(begun));
    // Nothing is nothing, as often as it is looked at.
    assert_eq!(field(&site.run(None, |_| async { 200 }).await), None);
    let unknown = "k".repeat(32);
    let response = site.run(Some(&unknown), |_| async { 200 }).await;
    assert_eq!(key(&response).as_deref(), Some("\"\""));
}

#[tokio::test]
async fn another_key_reads_nothing() {
    let site = Site::new(|_| {});
    let begun = site.begin().await;
    let mut settings = Settings::production(["a.example"]);
    settings.secret_key = "another example of fifty characters, nobody guesses it".into();
    let home = Arc::clone(&site.store) as Arc<dyn SessionStore>;
    let layer = SessionLayer::with(
        settings.checked().unwrap(),
        home,
        site.layer.shared.world.clone(),
    );
    let other = Site {
        layer: layer.unwrap(),
        store: Arc::clone(&site.store),
        clock: Arc::clone(&site.clock),
    };
    let read = |s: Session| async move {
        assert!(!s.contains("a").await.unwrap());
        200
    };
    assert_eq!(other.run(Some(&begun), read).await.status(), 200);
}

/// Stores `text` as the session of a new key, as another program would.
async fn planted(site: &Site, json: &str) -> (SessionKey, String) {
    let now = Duration::from_secs(site.clock.load(Ordering::Relaxed));
    let data = SessionData::from_json(json).unwrap();
    let keys = site.layer.shared.checked.keys(&World::default()).unwrap();
    let record = Record {
        data: SessionCodec::new(&keys, &Engine::Db)
            .encode(&data, now)
            .into(),
        expires: Duration::MAX,
    };
    let key = SessionKey::generate([7; 32]);
    let created = site.store.memory.create(&key, record.clone()).await;
    assert_eq!(created.unwrap(), Created::Yes);
    (key, record.data.to_string())
}

#[tokio::test]
async fn a_spoilt_text_is_not_taken_for_another_key_alone() {
    let site = Site::new(|_| {});
    let begun = SessionKey::parse(&site.begin().await).unwrap();
    let mut record = site.store.memory.load(&begun, Duration::ZERO).await;
    let mut record = record.as_mut().unwrap().take().unwrap();
    record.data = format!("{}x", record.data).into();
    let saved = site.store.memory.save(&begun, record).await;
    assert_eq!(saved.unwrap(), Saved::Yes);
    let log = crate::logged::Log::begin();
    let look = |s: Session| async move {
        assert!(!s.contains("a").await.unwrap());
        200
    };
    site.run(Some(begun.as_str()), look).await;
    assert_eq!(log.count("another key, or its text is spoilt"), 1);
}

#[tokio::test]
async fn a_session_that_is_too_large_to_read_is_not_written_over() {
    let site = Site::new(|_| {});
    let large = format!(r#"{{"cart":"{}"}}"#, "a".repeat(5 << 20));
    let (key, text) = planted(&site, &large).await;
    // Compressed it is small: any store takes it.
    assert!(text.len() < 100_000);
    let put = |s: Session| async move {
        let error = s.insert("a", &1).await.unwrap_err();
        assert!(error.to_string().contains("keep large values elsewhere"));
        error.status().as_u16()
    };
    assert_eq!(site.run(Some(key.as_str()), put).await.status(), 500);
    // Nor is it by who goes on as if nothing had been.
    let on = |s: Session| async move {
        let _ = s.insert("a", &1).await;
        let _ = s.save().await;
        let _ = s.cycle_key().await;
        200
    };
    let response = site.run(Some(key.as_str()), on).await;
    assert_eq!(response.status(), 500);
    assert_eq!(field(&response), None);
    let kept = site.store.memory.load(&key, Duration::ZERO).await;
    assert_eq!(&*kept.unwrap().unwrap().data, text);
    // A logout ends it all the same.
    let flush = |s: Session| async move {
        s.flush().await.unwrap();
        200
    };
    assert_eq!(site.run(Some(key.as_str()), flush).await.status(), 200);
    let kept = site.store.memory.load(&key, Duration::ZERO).await;
    assert_eq!(kept.unwrap(), None);
}

#[tokio::test]
async fn what_could_not_be_read_again_is_not_saved() {
    let site = Site::new(|_| {});
    let begun = site.begin().await;
    let fill = |s: Session| async move {
        s.insert("all", &"a".repeat(5 << 20)).await.unwrap();
        200
    };
    assert_eq!(site.run(Some(&begun), fill).await.status(), 500);
    let read = |s: Session| async move {
        assert_eq!(s.names().await.unwrap(), ["a"]);
        200
    };
    assert_eq!(site.run(Some(&begun), read).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn sweeping_ends_with_the_layer() {
    let site = Site::new(|_| {});
    site.begin().await;
    site.clock.fetch_add(2_000_000, Ordering::Relaxed);
    let Site { layer, store, .. } = site;
    let layer = layer.sweep_every(Duration::from_secs(60));
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(store.asked.load(Ordering::Relaxed) >= 2, "begun, and swept");
    drop(layer);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let asked = store.asked.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(store.asked.load(Ordering::Relaxed), asked);
}

#[test]
fn a_key_that_can_be_guessed_is_refused_in_production() {
    let layer = |settings: &Settings| {
        let store = Arc::new(Memory::new());
        SessionLayer::new(settings, store).map_err(|m| m.to_string())
    };
    for key in ["", "short"] {
        let mut settings = Settings::production(["a.example"]);
        settings.secret_key = key.into();
        assert!(layer(&settings).unwrap_err().starts_with("secret_key: "));
    }
    // On one's own machine one is made up.
    layer(&Settings::development()).unwrap();
}

#[test]
fn engines_that_cannot_be_shared_are_refused_by_name() {
    for (engine, good) in [
        ("django.contrib.sessions.backends.cached_db", true),
        ("shop.sessions.SessionStore", true),
        ("django.contrib.sessions.backends.cache", false),
        ("django.contrib.sessions.backends.signed_cookies", false),
    ] {
        let mut settings = Settings::development();
        settings.session_engine = engine.into();
        let layer = SessionLayer::new(&settings, Arc::new(Memory::new()));
        assert_eq!(layer.is_ok(), good, "{engine}");
    }
}
