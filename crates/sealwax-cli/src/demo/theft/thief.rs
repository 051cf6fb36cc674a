//! Another client, elsewhere, with a copy of all cookies and without the key.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sealwax_cert::LocalAuthority;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::shop::{BOUND, ORDINARY};
use crate::exit::Failure;
use crate::terminal::{self, Paint};

/// Between two tries of everything.
const EVERY: Duration = Duration::from_secs(2);

/// Three minutes of tries; nobody looks for longer.
const MOST_TRIES: usize = 90;

/// The cookie without which a bound one is worth nothing, and which is over soon.
const PROOF: &str = "__Host-sealwax-proof";

/// What came of one try with all cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Try {
    /// Milliseconds since the cookies were copied.
    pub(super) after: u128,
    /// Whether the shop took the thief for its user.
    pub(super) ordinary: bool,
    pub(super) bound: bool,
    /// With the bound cookie, but without the proof.
    pub(super) alone: bool,
    /// Whether money was moved.
    pub(super) ordinary_transfer: bool,
    pub(super) bound_transfer: bool,
}

/// What the thief has, and what he could do with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Loot {
    pub(super) copied: Option<Instant>,
    pub(super) jar: String,
    /// Whose cookies they are, once they have worked.
    pub(super) name: Option<String>,
    pub(super) tries: Vec<Try>,
}

impl Loot {
    /// Whether the browser that lost it had proven a key.
    pub(super) fn has_proof(&self) -> bool {
        pairs(&self.jar).any(|pair| pair.starts_with(PROOF))
    }
}

#[derive(Debug, Clone)]
pub(super) struct Thief {
    loot: Arc<Mutex<Loot>>,
}

impl Thief {
    /// Starts the client; it does nothing until there are cookies.
    pub(super) fn start(shop: &str, home: &Path) -> Result<Self, Failure> {
        let thief = Self {
            loot: Arc::default(),
        };
        let client = Client {
            agent: agent(home)?,
            shop: shop.trim_end_matches('/').to_owned(),
        };
        let loot = Arc::clone(&thief.loot);
        thread::Builder::new()
            .name("thief".into())
            .spawn(move || {
                loop {
                    work(&client, &loot);
                    thread::sleep(EVERY);
                }
            })
            .map_err(|error| Failure::unable("the thief", error.to_string(), ""))?;
        Ok(thief)
    }

    /// Takes the place of what was copied before.
    pub(super) fn copy(&self, jar: &str) {
        *held(&self.loot) = Loot {
            copied: Some(Instant::now()),
            jar: jar.to_owned(),
            ..Loot::default()
        };
    }

    pub(super) fn loot(&self) -> Loot {
        held(&self.loot).clone()
    }
}

fn held(loot: &Mutex<Loot>) -> MutexGuard<'_, Loot> {
    // Whole even after a panic elsewhere: it is replaced and pushed to only.
    loot.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(client: &Client, loot: &Mutex<Loot>) {
    let before = held(loot).clone();
    let Some(copied) = before.copied.filter(|_| before.tries.len() < MOST_TRIES) else {
        return;
    };
    let without: Vec<&str> = pairs(&before.jar)
        .filter(|pair| !pair.starts_with(PROOF))
        .collect();
    let name = client.who(ORDINARY, &before.jar);
    let tried = Try {
        after: copied.elapsed().as_millis(),
        ordinary: name.is_some(),
        bound: client.who(BOUND, &before.jar).is_some(),
        alone: client.who(BOUND, &without.join("; ")).is_some(),
        ordinary_transfer: client.transfers(ORDINARY, &before.jar),
        bound_transfer: client.transfers(BOUND, &before.jar),
    };
    let mut loot = held(loot);
    // Other cookies may have come meanwhile.
    if loot.copied != before.copied {
        return;
    }
    tell(before.tries.last(), &tried);
    loot.name = loot.name.take().or(name);
    loot.tries.push(tried);
}

/// A line for each change.
fn tell(before: Option<&Try>, now: &Try) {
    let paint = Paint::for_stderr();
    let line = |what: &str, was: Option<bool>, is: bool| {
        if was != Some(is) {
            let who = match is {
                true => paint.red("the user"),
                false => paint.green("nobody"),
            };
            terminal::say(&format!("  {:>3} s  {what}: {who}", now.after / 1000));
        }
    };
    line(
        "thief with the ordinary cookie",
        before.map(|t| t.ordinary),
        now.ordinary,
    );
    line(
        "thief with the bound cookie   ",
        before.map(|t| t.bound),
        now.bound,
    );
}

fn pairs(jar: &str) -> impl Iterator<Item = &str> {
    jar.split(';').map(str::trim)
}

struct Client {
    agent: Agent,
    shop: String,
}

impl Client {
    /// Whose account the cookies open.
    fn who(&self, session: &str, jar: &str) -> Option<String> {
        let url = format!("{}/{session}/who", self.shop);
        let mut answer = self.agent.get(url).header("cookie", jar).call().ok()?;
        if answer.status() != 200 {
            return None;
        }
        let text = answer.body_mut().read_to_string().ok()?;
        Some(text.trim().split_once(' ')?.1.to_owned())
    }

    /// Whether the cookies move money.
    fn transfers(&self, session: &str, jar: &str) -> bool {
        let url = format!("{}/{session}/transfer", self.shop);
        let answer = self.agent.post(url).header("cookie", jar).send_empty();
        answer.is_ok_and(|answer| answer.status() == 303)
    }
}

/// A client that trusts the local authority, and goes where it is told only.
fn agent(home: &Path) -> Result<Agent, Failure> {
    let root = LocalAuthority::open(&home.join("ca"));
    let root = root.ok().flatten().ok_or_else(|| {
        Failure::unable(
            home.display().to_string(),
            "there is no local certificate authority",
            "",
        )
    })?;
    let roots = vec![Certificate::from_der(root.root_der()).to_owned()];
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(sealwax_cert::crypto_provider())
        .build();
    Ok(Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(5)))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build()
        .new_agent())
}
