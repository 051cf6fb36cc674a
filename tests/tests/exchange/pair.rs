//! A Django project and an axum app beside each other: one key, one database, one host.

use std::process::Command;

use sealwax_tests::{App, Django, Postgres, Redis, Version, Visitor, axum};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const HOST: &str = "app.example.test";
pub(crate) const KEY: &str = "a-key-for-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz";
pub(crate) const PASSWORD: &str = "correct-horse";

/// Makes the tables and two users: alice, whom the admin lets in, and bob.
const PREPARE: &str = r#"
from django.contrib.auth import get_user_model
from django.core.management import call_command
call_command("migrate", verbosity=0)
for name in ["alice", "bob"]:
    if not get_user_model().objects.filter(username=name).exists():
        user = get_user_model()(username=name)
        user.is_staff = user.is_superuser = name == "alice"
        user.set_password("correct-horse")
        user.save()
"#;

/// Where both keep their rows.
pub(crate) enum Home {
    Sqlite(TempDir),
    Postgres(Postgres),
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().expect("a temporary directory"))
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(Postgres::start().await)
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(dir) => format!("sqlite:{}", dir.path().join("shared.sqlite3").display()),
            Self::Postgres(server) => server.url(),
        }
    }

    /// Django's DATABASES.
    fn databases(&self) -> Value {
        let default = match self {
            Self::Sqlite(dir) => json!({
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": dir.path().join("shared.sqlite3"),
                "OPTIONS": {"timeout": 20},
            }),
            Self::Postgres(server) => json!({
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "postgres", "USER": "sealwax", "PASSWORD": "correct-horse",
                "HOST": "127.0.0.1", "PORT": server.port(),
            }),
        };
        json!({ "default": default })
    }
}

/// How the two are set up.
#[derive(Default)]
pub(crate) struct Setup<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) fallbacks: Vec<&'a str>,
    pub(crate) cache: Option<&'a Redis>,
    /// `off`, `read` or `write`.
    pub(crate) legacy_salt: Option<&'a str>,
}

/// Both sides, running.
pub(crate) struct Pair {
    pub(crate) django: App,
    pub(crate) rust: App,
}

impl Pair {
    /// Starts both on `home`; the first time its tables and users are made. `None`: this machine
    /// has no Python for that Django.
    pub(crate) async fn start(
        version: Version,
        test: &str,
        home: &Home,
        setup: &Setup<'_>,
    ) -> Option<Self> {
        let key = setup.key.unwrap_or(KEY);
        let engine = match setup.cache {
            Some(_) => "django.contrib.sessions.backends.cached_db",
            None => "django.contrib.sessions.backends.db",
        };
        let mut django = Django::available(version, test)?
            .setting("DATABASES", home.databases())
            .setting("SECRET_KEY", key)
            .setting("SECRET_KEY_FALLBACKS", setup.fallbacks.clone())
            .setting("SESSION_ENGINE", engine)
            .setting("PASSWORD_HASHERS", json!(["shop.exchange.QuickPBKDF2"]))
            .setting("LOGGING", logging());
        if let Some(redis) = setup.cache {
            let cache = json!({
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": redis.url(),
            });
            django = django.setting("CACHES", json!({ "default": cache }));
        }
        prepare(&django);
        let (url, fallbacks) = (home.url(), setup.fallbacks.join(","));
        let cache = setup.cache.map(Redis::url);
        let mut environment = vec![
            ("SEALWAX_ENV", "development"),
            ("ALLOWED_HOSTS", HOST),
            ("SECRET_KEY", key),
            ("SESSION_ENGINE", engine),
            ("DATABASE_URL", &url),
            (
                "SIGNED_COOKIE_LEGACY_SALT_FALLBACK",
                setup.legacy_salt.unwrap_or("off"),
            ),
        ];
        if !fallbacks.is_empty() {
            environment.push(("SECRET_KEY_FALLBACKS", &fallbacks));
        }
        if let Some(cache) = &cache {
            environment.push(("CACHE_URL", cache));
        }
        let rust = axum(&environment).await;
        let django = django.start().await;
        Some(Self { django, rust })
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::of(HOST)
    }

    /// Who is logged in, which both sides must say alike.
    pub(crate) async fn who(&self, visitor: &mut Visitor) -> Option<String> {
        // Each with the cookies as they are: whoever is asked first may delete one.
        let mut other = visitor.clone();
        let rust = visitor.get(self.rust.port, "/me/").await.json();
        let django = other.get(self.django.port, "/exchange/me/").await.json();
        assert_eq!(rust, django, "axum and Django do not agree on who this is");
        rust["username"].as_str().map(str::to_owned)
    }

    /// Logs in through Django's admin, with its form and its token.
    pub(crate) async fn log_in_at_django(&self, visitor: &mut Visitor, name: &str) {
        let page = visitor.get(self.django.port, "/admin/login/").await.text();
        let token = between(&page, "name=\"csrfmiddlewaretoken\" value=\"", "\"");
        let fields = [
            ("username", name),
            ("password", PASSWORD),
            ("csrfmiddlewaretoken", &token),
        ];
        let answer = visitor
            .form(
                self.django.port,
                "/admin/login/?next=/exchange/me/",
                &fields,
            )
            .await;
        assert_eq!(answer.status, 302, "{}", answer.text());
    }

    pub(crate) async fn log_in_at_rust(&self, visitor: &mut Visitor, name: &str) {
        let fields = [("username", name), ("password", PASSWORD)];
        let answer = visitor.form(self.rust.port, "/login/", &fields).await;
        assert_eq!(answer.json()["username"], name, "{answer:?}");
    }

    /// The status of Django's admin: 200 for whom it knows and lets in, else 302 to its log-in.
    pub(crate) async fn admin(&self, visitor: &mut Visitor) -> u16 {
        let answer = visitor.get(self.django.port, "/admin/").await;
        if answer.status == 200 {
            assert!(
                answer.text().contains("Site administration"),
                "{}",
                answer.text()
            );
        } else {
            assert!(
                answer.header("location").starts_with("/admin/login/"),
                "{answer:?}"
            );
        }
        answer.status
    }

    /// The JSON of a session as it is stored, to the character.
    pub(crate) async fn stored(&self, key: &str) -> String {
        let target = format!("/exchange/row/?key={key}");
        let answer = self.visitor().get(self.django.port, &target).await.json();
        answer["json"].as_str().expect("the JSON").to_owned()
    }
}

pub(crate) fn session_key(visitor: &Visitor) -> String {
    visitor.cookie("sessionid").expect("a session").to_owned()
}

pub(crate) fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).expect("its end").0.to_owned()
}

/// What Django says of security goes to its output.
fn logging() -> Value {
    json!({
        "version": 1,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "loggers": {"django.security": {"handlers": ["console"], "level": "WARNING"}},
    })
}

fn prepare(django: &Django) {
    // Where the project would have its database without DATABASES.
    let unused = TempDir::new().expect("a temporary directory");
    let output = Command::new(django.python())
        .args(["manage.py", "shell", "-c", PREPARE])
        .current_dir(Django::directory())
        .envs(django.environment(unused.path()))
        .output()
        .expect("Python runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
