//! Real apps from the package registries, prepared by `tests/setup.sh`.

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::gateway::built;
use crate::ports::free_port;
use crate::process::Process;

/// Which Django.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The oldest that is spoken with, 4.2.
    Old,
    /// The newest long-term support release, 5.2.
    Lts,
    /// Django 6, on Python 3.12 or newer.
    Six,
}

/// Says that a test did not run, and why: on its output and in the file from which
/// `./test` makes its summary.
pub fn skip(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
    if let Ok(mut file) = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(cache().join("skipped"))
    {
        let _ = writeln!(file, "{test}: {why}");
    }
}

/// A running app.
pub struct App {
    /// Its server process.
    pub process: Process,
    to: String,
    /// Its port, 0 on a unix socket.
    pub port: u16,
    _dir: Option<TempDir>,
}

impl App {
    /// Where it listens, as the `to` of a site.
    #[must_use]
    pub fn url(&self) -> String {
        self.to.clone()
    }
}

/// A Django project to be served.
#[must_use]
pub struct Django {
    version: Version,
    settings: serde_json::Map<String, serde_json::Value>,
    unix: bool,
}

impl Django {
    /// The project with a fresh database in which `alice` (password `correct-horse`) is
    /// superuser.
    pub fn new(version: Version) -> Self {
        Self {
            version,
            settings: serde_json::Map::new(),
            unix: false,
        }
    }

    /// A version, or `None` where the machine has no Python for it: the test is then
    /// reported as skipped.
    pub fn available(version: Version, test: &str) -> Option<Self> {
        if version == Version::Six && !cache().join("venv-django6/bin/python").exists() {
            skip(
                test,
                "Django 6 needs Python 3.12 or newer, and this machine has none",
            );
            return None;
        }
        Some(Self::new(version))
    }

    /// Overrides one setting.
    pub fn setting(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// Listens on a unix socket.
    pub fn unix(mut self) -> Self {
        self.unix = true;
        self
    }

    /// The project's directory, where `manage.py` lies.
    #[must_use]
    pub fn directory() -> PathBuf {
        apps().join("django")
    }

    /// The Python of this version's environment.
    #[must_use]
    pub fn python(&self) -> PathBuf {
        prepared(&format!("venv-{}/bin/python", self.name()))
    }

    /// What the project reads from its environment, for servers that a test starts itself.
    /// `dir` gets the database.
    #[must_use]
    pub fn environment(&self, dir: &Path) -> Vec<(String, String)> {
        let database = dir.join("db.sqlite3");
        std::fs::copy(prepared(&format!("{}.sqlite3", self.name())), &database)
            .expect("a database");
        vec![
            ("SHOP_DATABASE".into(), database.display().to_string()),
            (
                "SHOP_SETTINGS".into(),
                serde_json::Value::Object(self.settings.clone()).to_string(),
            ),
            ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
        ]
    }

    /// Serves it with gunicorn.
    pub async fn start(self) -> App {
        let dir = TempDir::new().expect("a temporary directory");
        let port = if self.unix { 0 } else { free_port() };
        let socket = dir.path().join("app.sock");
        let (bind, to) = if self.unix {
            (
                format!("unix:{}", socket.display()),
                format!("unix:{}", socket.display()),
            )
        } else {
            (
                format!("127.0.0.1:{port}"),
                format!("http://127.0.0.1:{port}"),
            )
        };
        let mut command = gunicorn(&self.python(), &bind);
        command
            .arg("shop.wsgi")
            .current_dir(Self::directory())
            .envs(self.environment(dir.path()));
        let mut process = Process::start("django", &mut command);
        process
            .wait_for_line("a booted worker", 20, |line| {
                line.contains("Booting worker")
            })
            .await;
        App {
            process,
            to,
            port,
            _dir: Some(dir),
        }
    }

    fn name(&self) -> &'static str {
        match self.version {
            Version::Old => "django42",
            Version::Lts => "django52",
            Version::Six => "django6",
        }
    }
}

/// The Flask app, served by gunicorn.
pub async fn flask() -> App {
    let port = free_port();
    let mut command = gunicorn(
        &prepared("venv-flask/bin/python"),
        &format!("127.0.0.1:{port}"),
    );
    command
        .arg("app:app")
        .current_dir(apps().join("flask"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let mut process = Process::start("flask", &mut command);
    process
        .wait_for_line("a booted worker", 20, |line| {
            line.contains("Booting worker")
        })
        .await;
    App {
        process,
        to: format!("http://127.0.0.1:{port}"),
        port,
        _dir: None,
    }
}

/// The Node app with its WebSocket.
pub async fn node() -> App {
    let port = free_port();
    let mut command = Command::new("node");
    command
        .arg(apps().join("node/server.js"))
        .env("PORT", port.to_string())
        .env("NODE_PATH", prepared("node/node_modules"));
    let mut process = Process::start("node", &mut command);
    process
        .wait_for_line("its port", 20, |line| line.contains("listening on"))
        .await;
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_ok(),
        "node does not listen on {port}"
    );
    App {
        process,
        to: format!("http://127.0.0.1:{port}"),
        port,
        _dir: None,
    }
}

/// The axum app behind all of Sealwax's layers (`tests/apps/axum`), with nothing in its
/// environment but its address and these variables.
pub async fn axum(environment: &[(&str, &str)]) -> App {
    let port = free_port();
    let mut command = Command::new(built("sealwax-test-app", "sealwax-test-app"));
    command
        .env_clear()
        .env("LISTEN", format!("127.0.0.1:{port}"))
        .envs(environment.iter().copied());
    let mut process = Process::start("axum", &mut command);
    process
        .wait_for_line("its address", 20, |line| line.starts_with("listening on"))
        .await;
    App {
        process,
        to: format!("http://127.0.0.1:{port}"),
        port,
        _dir: None,
    }
}

fn gunicorn(python: &Path, bind: &str) -> Command {
    let mut command = Command::new(python);
    // Keep-alive needs the threaded worker; two of them, so that one request may stream.
    // gunicorn itself believes X-Forwarded-Proto from 127.0.0.1, which would hide what the
    // app makes of it; beyond one machine it never does.
    command.args(["-m", "gunicorn", "--forwarded-allow-ips", "192.0.2.1"]);
    command.args([
        "--worker-class",
        "gthread",
        "--workers",
        "1",
        "--threads",
        "4",
    ]);
    command.args([
        "--keep-alive",
        "75",
        "--timeout",
        "300",
        "--graceful-timeout",
        "1",
        "--bind",
        bind,
    ]);
    command
}

fn apps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("apps")
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache")
}

/// A file that the setup step made.
fn prepared(name: &str) -> PathBuf {
    let path = cache().join(name);
    assert!(
        path.exists(),
        "{} is missing: run tests/setup.sh (./test does)",
        path.display()
    );
    path
}
