//! Cookies that are bound to the browser's device, with a browser that has a key.

mod attacks;
mod signs;

use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use http::{HeaderMap, HeaderValue, Request, Response};
use sealwax_bind::Lifetime;
use sealwax_cookie::{KeyRing, SealKey};
use sealwax_policy::{
    Bind, Change, Exchange, Fallback, KnownNames, Level, LoopWatch, Mode, Paths, Policy, Seal,
    State, Step, Target,
};

use crate::world::{HSTS, NOW, World, headers, text};

const NAVIGATE: &str = "sec-fetch-site: none\nsec-fetch-mode: navigate\nsec-fetch-dest: document";
const LINK_ELSEWHERE: &str =
    "sec-fetch-site: cross-site\nsec-fetch-mode: navigate\nsec-fetch-dest: document";
const FETCH: &str = "sec-fetch-site: same-origin\nsec-fetch-mode: cors\nsec-fetch-dest: empty";
const LOGIN: &str =
    "302\nlocation: /\nset-cookie: sessionid=abc; Path=/; HttpOnly; Max-Age=1209600";
const LIFETIME: u64 = 600;

fn ring(keys: &[u8]) -> KeyRing {
    let mut keys = keys.iter().map(|byte| SealKey::new([*byte; 32]));
    KeyRing::new(keys.next().expect("a key"), keys).expect("a ring")
}

fn random(bytes: &mut [u8]) {
    use aws_lc_rs::rand::SecureRandom as _;
    SystemRandom::new().fill(bytes).expect("random bytes");
}

fn bind(ring: &KeyRing) -> Bind {
    let lifetime = Lifetime::from_seconds(LIFETIME).expect("a lifetime");
    Bind::new(ring, ["sessionid"], lifetime, random)
        .born_on(Paths::new(["^login/$"]).expect("paths"))
        .fresh(Paths::new(["^password/"]).expect("paths"), 0)
        .fresh(Paths::new(["^orders/"]).expect("paths"), 60)
}

fn policy(keys: &[u8]) -> Policy {
    let ring = ring(keys);
    let mut policy = World::new().policy;
    policy.set_seal(Seal::new(&ring, ["sessionid"], random));
    policy.set_bind(bind(&ring));
    policy
}

/// A site and one browser, with the jar and the key of that browser.
struct Play {
    policy: Policy,
    names: KnownNames,
    now: u64,
    jar: BTreeMap<String, String>,
    key: EcdsaKeyPair,
    tls: bool,
    host: &'static str,
    /// The session's identifier and refresh URL, once there is one.
    session: Option<(String, String)>,
    /// The challenge to sign next.
    challenge: Option<String>,
}

/// What came of one request.
struct Seen {
    /// The Cookie header that the app got; `Err` holds the status of our own answer.
    app: Result<String, u16>,
    headers: HeaderMap,
    body: String,
    changes: Vec<Change>,
}

impl Seen {
    fn rules(&self) -> Vec<&'static str> {
        self.changes.iter().map(|change| change.rule.id()).collect()
    }

    fn has(&self, rule: &str) -> bool {
        self.rules().contains(&rule)
    }
}

impl Play {
    fn new() -> Self {
        Self {
            policy: policy(&[1]),
            names: KnownNames::default(),
            now: NOW,
            jar: BTreeMap::new(),
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"),
            tls: true,
            host: "app.example.com",
            session: None,
            challenge: None,
        }
    }

    /// One request with the jar as it is, and what the response sets put into it.
    fn send(&mut self, line: &str, fields: &str, response: &str) -> Seen {
        let jar: Vec<String> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let seen = self.raw(line, fields, &jar.join("; "), response);
        for field in seen.headers.get_all("set-cookie") {
            let field = text(field);
            let (pair, attributes) = field.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            match attributes.contains("Max-Age=0;") || attributes.ends_with("Max-Age=0") {
                true => drop(self.jar.remove(name)),
                false => drop(self.jar.insert(name.to_owned(), value.to_owned())),
            }
        }
        seen
    }

    /// One request with any cookies.
    fn raw(&mut self, line: &str, fields: &str, cookies: &str, response: &str) -> Seen {
        let (method, url) = line.split_once(' ').expect("METHOD URL");
        let request = Request::builder()
            .method(method)
            .uri(url)
            .body(())
            .expect("a request");
        let mut parts = request.into_parts().0;
        parts.headers = headers(fields);
        parts
            .headers
            .insert("host", HeaderValue::from_static(self.host));
        if !cookies.is_empty() {
            parts
                .headers
                .insert("cookie", HeaderValue::try_from(cookies).expect("cookies"));
        }
        let target = Target::read(&parts).expect("a target");
        let names = self.names.clone();
        let state = State {
            now: self.now,
            names: &names,
            hsts: &HSTS,
        };
        let mut connection = World::new().connection;
        connection.tls = self.tls;
        let mut exchange = Exchange::new(&self.policy, connection, target, &parts, Level::All);
        let (app, headers, body) = match exchange.request(&mut parts, state) {
            Step::Respond(answer) => {
                let body = String::from_utf8(answer.body.to_vec()).expect("text");
                (Err(answer.status.as_u16()), answer.headers, body)
            }
            Step::Forward => {
                let (status, lines) = response.split_once('\n').unwrap_or((response, ""));
                let built = Response::builder()
                    .status(status)
                    .body(())
                    .expect("a response");
                let mut answer = built.into_parts().0;
                answer.headers = crate::world::headers(lines);
                let _ = exchange.response(&mut answer, state, &mut LoopWatch::default());
                let cookie = parts.headers.get("cookie").map_or(String::new(), text);
                (Ok(cookie), answer.headers, String::new())
            }
        };
        let finished = exchange.finish();
        for learned in finished.learned {
            self.names
                .learn(&learned.name, learned.form, learned.floored, learned.day);
        }
        Seen {
            app,
            headers,
            body,
            changes: finished.changes,
        }
    }

    fn sign(&self, challenge: &str, with_key: bool) -> String {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|number| BASE64URL.encode(number));
        let jwk = format!(r#","jwk":{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
        let jwk = if with_key { jwk } else { String::new() };
        let header = BASE64URL.encode(format!(r#"{{"alg":"ES256","typ":"dbsc+jwt"{jwk}}}"#));
        let payload = BASE64URL.encode(format!(r#"{{"jti":"{challenge}"}}"#));
        let signed = format!("{header}.{payload}");
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        format!(
            "{signed}.{}",
            BASE64URL.encode(signature.expect("a signature"))
        )
    }

    /// Answers the offer of a response.
    fn register(&mut self, seen: &Seen) -> Seen {
        let offer = text(&seen.headers["secure-session-registration"]);
        let proof = self.sign(&between(&offer, "challenge=\""), true);
        let fields = format!("secure-session-response: {proof}\nsec-fetch-site: same-origin");
        let registered = self.send("POST /.sealwax/bind/register", &fields, "500");
        assert_eq!(registered.app, Err(200), "{:?}", registered.rules());
        let told = |name: &str| between(&registered.body, &format!("\"{name}\":\""));
        self.session = Some((told("session_identifier"), told("refresh_url")));
        let challenge = registered.headers.get("secure-session-challenge");
        self.challenge = challenge.map(|field| between(&text(field), "\""));
        registered
    }

    /// Refreshes as a browser does: with the challenge that it has, else it gets one first.
    fn refresh(&mut self) -> Seen {
        for _ in 0..3 {
            let seen = self.refresh_once();
            if seen.app == Err(200) {
                if !seen.body.is_empty() {
                    let told = |name: &str| between(&seen.body, &format!("\"{name}\":\""));
                    self.session = Some((told("session_identifier"), told("refresh_url")));
                }
                return seen;
            }
            assert_eq!(seen.app, Err(403), "{:?}", seen.rules());
            let challenge = text(&seen.headers["secure-session-challenge"]);
            self.challenge = Some(between(&challenge, "\""));
        }
        panic!("the browser would have given up")
    }

    fn refresh_once(&mut self) -> Seen {
        let (id, url) = self.session.clone().expect("a session");
        let mut fields = format!("sec-secure-session-id: {id}\nsec-fetch-site: same-origin");
        if let Some(challenge) = &self.challenge {
            let proof = self.sign(challenge, false);
            fields += &format!("\nsecure-session-response: {proof}");
        }
        self.send(&format!("POST {url}"), &fields, "500")
    }

    /// A browser that is logged in, with a cookie bound from its first byte.
    fn logged_in() -> Self {
        let mut play = Self::new();
        let page = play.send("GET /login/", NAVIGATE, "200");
        play.register(&page);
        play.refresh();
        let login = play.send("POST /login/", FETCH, LOGIN);
        assert!(login.has("bind.bound"), "{:?}", login.rules());
        play
    }

    /// Whom the app sees.
    fn user(&mut self, line: &str, fields: &str) -> Result<String, u16> {
        self.send(line, fields, "200").app
    }
}

fn between(text: &str, start: &str) -> String {
    let rest = text
        .split_once(start)
        .unwrap_or_else(|| panic!("{start} in {text}"))
        .1;
    rest.split('"').next().expect("an end").to_owned()
}

#[test]
fn a_cookie_is_bound_from_its_first_byte_where_the_login_page_offers_a_session() {
    let mut play = Play::logged_in();
    assert_eq!(play.user("GET /", NAVIGATE), Ok("sessionid=abc".into()));
    // The app sees none of our cookies, and no session is offered again.
    let seen = play.send("GET /login/", NAVIGATE, "200");
    assert!(!seen.headers.contains_key("secure-session-registration"));
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
}

#[test]
fn a_thief_with_the_cookie_alone_is_nobody_at_once() {
    let mut play = Play::logged_in();
    let stolen = format!("__Host-sessionid={}", play.jar["__Host-sessionid"]);
    for fields in [NAVIGATE, FETCH, "", "secure-session-skipped: unreachable"] {
        let seen = play.raw("GET /", fields, &stolen, "200");
        assert_eq!(seen.app, Ok(String::new()), "{fields}");
        assert!(seen.has("bind.unproven"));
    }
}

#[test]
fn a_thief_with_the_whole_jar_is_nobody_after_the_lifetime() {
    let mut play = Play::logged_in();
    let jar = |play: &Play| {
        let pairs = play
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    };
    let stolen = jar(&play);
    play.now += LIFETIME - 1;
    assert_eq!(
        play.raw("GET /", FETCH, &stolen, "200").app,
        Ok("sessionid=abc".into())
    );
    play.now += 1;
    play.refresh();
    assert_eq!(
        play.raw("GET /", FETCH, &stolen, "200").app,
        Ok(String::new())
    );
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
    // And never anybody on a path that wants a fresh proof, not even with a jar of just now.
    let stolen = jar(&play);
    for _ in 0..5 {
        let seen = play.raw("GET /password/", NAVIGATE, &stolen, "200");
        assert_eq!(seen.app, Err(307));
        let mut set = seen.headers.get_all("set-cookie").iter().map(text);
        let mark = set.find(|field| field.starts_with("__Host-sealwax-fresh"));
        let mark = mark.expect("a mark");
        let mark = mark.split(';').next().expect("a pair");
        // With a mark of his own, too.
        let with_mark = format!("{stolen}; {mark}");
        let seen = play.raw("GET /password/", FETCH, &with_mark, "200");
        assert_eq!(seen.app, Err(307), "{:?}", seen.rules());
    }
}

#[test]
fn an_unbound_cookie_becomes_bound_with_the_first_refresh() {
    let mut play = Play::new();
    let login = play.send("POST /accounts/", FETCH, LOGIN);
    assert!(login.has("bind.offered"), "{:?}", login.rules());
    // Until the key is proven nothing is bound, so whoever cannot prove it loses nothing.
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
    play.register(&login);
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
    let refreshed = play.refresh();
    assert!(refreshed.has("bind.bound"), "{:?}", refreshed.rules());
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
    let alone = format!("__Host-sessionid={}", play.jar["__Host-sessionid"]);
    assert_eq!(
        play.raw("GET /", FETCH, &alone, "200").app,
        Ok(String::new())
    );
}

#[test]
fn a_page_binds_what_the_refresh_could_not() {
    let mut play = Play::new();
    let login = play.send("POST /accounts/", FETCH, LOGIN);
    play.register(&login);
    // Another site started the refresh: no cookie came with it.
    let session = play.jar.remove("__Host-sessionid").expect("a cookie");
    play.refresh();
    play.jar.insert("__Host-sessionid".into(), session);
    let fetched = play.send("GET /", FETCH, "200");
    assert!(!fetched.has("bind.bound"));
    let page = play.send("GET /", NAVIGATE, "200");
    assert!(page.has("bind.bound"), "{:?}", page.rules());
    // Not where a cache keeps the response, and not over what the app sets.
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
}

#[test]
fn browsers_that_cannot_are_offered_a_session_now_and_then() {
    let mut play = Play::new();
    play.send("POST /accounts/", FETCH, LOGIN);
    let offered = |seen: &Seen| seen.headers.contains_key("secure-session-registration");
    assert!(!offered(&play.send("GET /", NAVIGATE, "200")));
    play.now += 3600;
    assert!(!offered(&play.send("GET /", FETCH, "200")));
    assert!(!offered(&play.send("GET /", LINK_ELSEWHERE, "200")));
    assert!(!offered(&play.send(
        "GET /",
        NAVIGATE,
        "200\ncache-control: public"
    )));
    assert!(offered(&play.send("GET /", NAVIGATE, "200")));
    assert!(!offered(&play.send("GET /", NAVIGATE, "200")));
    assert_eq!(play.user("GET /", NAVIGATE), Ok("sessionid=abc".into()));
}

#[test]
fn a_second_login_is_bound_to_the_session_that_lives() {
    let mut play = Play::logged_in();
    let logout = play.send(
        "POST /logout/",
        FETCH,
        "302\nset-cookie: sessionid=; Path=/; Max-Age=0",
    );
    assert!(
        !play.jar.contains_key("__Host-sessionid"),
        "{:?}",
        logout.headers
    );
    play.now += LIFETIME;
    play.refresh();
    let login = play.send("POST /login/", FETCH, LOGIN);
    assert!(
        login.has("bind.bound") && !login.has("bind.offered"),
        "{:?}",
        login.rules()
    );
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
}

#[test]
fn a_link_on_another_site_is_loaded_again_by_ourselves() {
    let mut play = Play::logged_in();
    play.now += LIFETIME;
    play.jar.remove("__Host-sealwax-proof");
    let seen = play.send("GET /inbox?a=1", LINK_ELSEWHERE, "200");
    assert_eq!(seen.app, Err(200));
    assert!(seen.body.contains("location.reload()") && seen.has("bind.reload"));
    assert_eq!(seen.headers["cache-control"], "no-store");
    // A form of another site is not repeated as if it were ours.
    assert_eq!(play.user("POST /inbox", LINK_ELSEWHERE), Ok(String::new()));
    assert_eq!(
        play.user(
            "GET /inbox",
            "sec-fetch-site: cross-site\nsec-fetch-mode: no-cors"
        ),
        Ok(String::new())
    );
    play.refresh();
    assert_eq!(
        play.user("GET /inbox?a=1", NAVIGATE),
        Ok("sessionid=abc".into())
    );
    assert_eq!(
        play.user("GET /inbox?a=1", LINK_ELSEWHERE),
        Ok("sessionid=abc".into())
    );
}

#[test]
fn the_page_allows_its_own_script_and_no_other() {
    let mut play = Play::logged_in();
    play.jar.remove("__Host-sealwax-proof");
    let seen = play.send("GET /", LINK_ELSEWHERE, "200");
    let (_, rest) = seen.body.split_once("<script>").expect("a script");
    let (script, _) = rest.split_once("</script>").expect("its end");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, script.as_bytes());
    let hash = base64::engine::general_purpose::STANDARD.encode(digest);
    let policy = text(&seen.headers["content-security-policy"]);
    assert!(
        policy.contains(&format!("script-src 'sha256-{hash}'")),
        "{policy} {hash}"
    );
}

#[test]
fn a_fresh_path_asks_for_a_proof_that_was_made_for_it() {
    for line in ["GET /password/", "POST /password/"] {
        let mut play = Play::logged_in();
        let asked = play.send(line, NAVIGATE, "200");
        assert_eq!(asked.app, Err(307));
        assert_eq!(asked.headers["location"], "/password/");
        assert!(!play.jar.contains_key("__Host-sealwax-proof"));
        play.refresh();
        assert_eq!(
            play.user(line, NAVIGATE),
            Ok("sessionid=abc".into()),
            "{line}"
        );
        // Once: the next request wants another one.
        assert!(!play.jar.contains_key("__Host-sealwax-fresh"));
        assert_eq!(play.user(line, NAVIGATE), Err(307));
    }
}

#[test]
fn an_age_is_counted_from_the_challenge() {
    let mut play = Play::logged_in();
    play.now += 60;
    assert_eq!(play.user("GET /orders/", FETCH), Ok("sessionid=abc".into()));
    play.now += 1;
    assert_eq!(play.user("GET /orders/", FETCH), Err(307));
    play.refresh();
    assert_eq!(play.user("GET /orders/", FETCH), Ok("sessionid=abc".into()));
}

#[test]
fn a_chain_that_was_refreshed_already_begins_anew() {
    let mut play = Play::logged_in();
    assert_eq!(play.user("GET /password/", NAVIGATE), Err(307));
    // The second leg comes with the mark and without a proof.
    let page = play.send("GET /password/", NAVIGATE, "200");
    assert_eq!(page.app, Err(200));
    assert!(page.body.contains("data-wish="), "{}", page.body);
    play.refresh();
    assert_eq!(
        play.user("GET /password/", NAVIGATE),
        Ok("sessionid=abc".into())
    );
    // What no page shows is refused instead of sent round and round.
    assert_eq!(play.user("GET /password/", FETCH), Err(307));
    let refused = play.send("GET /password/", FETCH, "200");
    assert_eq!(refused.app, Err(403));
    // A form of another site that slipped in is not repeated.
    assert_eq!(play.user("POST /password/", LINK_ELSEWHERE), Err(403));
}

#[test]
fn a_refresh_beside_the_redirect_is_waited_for() {
    let mut play = Play::logged_in();
    let before = play.jar["__Host-sealwax-proof"].clone();
    assert_eq!(play.user("GET /password/", NAVIGATE), Err(307));
    // A refresh that was under way brings a proof without the mark.
    let mark = play.jar["__Host-sealwax-fresh"].clone();
    play.jar.insert("__Host-sealwax-proof".into(), before);
    assert_eq!(play.user("GET /password/", NAVIGATE), Err(307));
    assert_eq!(play.jar["__Host-sealwax-fresh"], mark, "no new wish");
    play.refresh();
    assert_eq!(
        play.user("GET /password/", NAVIGATE),
        Ok("sessionid=abc".into())
    );
}

#[test]
fn a_browser_whose_key_fails_gets_no_further_on_a_fresh_path() {
    let mut play = Play::logged_in();
    let skipped = format!("{NAVIGATE}\nsecure-session-skipped: quota_exceeded");
    assert_eq!(play.user("GET /password/", NAVIGATE), Err(307));
    assert_eq!(play.user("GET /password/", &skipped), Err(403));
}

#[test]
fn unbound_cookies_go_by_the_fallback() {
    let mut play = Play::new();
    play.send("POST /accounts/", FETCH, LOGIN);
    let skipped = "secure-session-skipped: server_error";
    let seen = play.send("GET /", skipped, "200");
    assert_eq!(seen.app, Ok("sessionid=abc".into()));
    assert!(seen.has("bind.skipped"));
    play.policy
        .set_bind(bind(&ring(&[1])).fallback(Fallback::Deny));
    assert_eq!(play.user("GET /", skipped), Ok(String::new()));
    assert_eq!(play.user("GET /", FETCH), Ok("sessionid=abc".into()));
}

#[test]
fn keys_rotate_under_a_live_session() {
    let mut play = Play::logged_in();
    play.policy = policy(&[2, 1]);
    assert_eq!(play.user("GET /", NAVIGATE), Ok("sessionid=abc".into()));
    play.refresh();
    // Everything has moved to the new key; the old one can go.
    play.policy = policy(&[2]);
    assert_eq!(play.user("GET /", NAVIGATE), Ok("sessionid=abc".into()));
    play.now += LIFETIME;
    play.refresh();
    assert_eq!(play.user("GET /", NAVIGATE), Ok("sessionid=abc".into()));
    let stolen = format!("__Host-sessionid={}", play.jar["__Host-sessionid"]);
    assert_eq!(
        play.raw("GET /", FETCH, &stolen, "200").app,
        Ok(String::new())
    );
}

#[test]
fn the_proof_of_another_browser_proves_nothing() {
    let mut mallory = Play::logged_in();
    let alice = Play::logged_in();
    let mixed = format!(
        "__Host-sessionid={}; __Host-sealwax-proof={}",
        alice.jar["__Host-sessionid"], mallory.jar["__Host-sealwax-proof"]
    );
    let seen = mallory.raw("GET /", FETCH, &mixed, "200");
    assert_eq!(seen.app, Ok(String::new()));
    assert!(seen.has("bind.other-key"));
    let forged = format!(
        "__Host-sessionid={}; __Host-sealwax-proof=AAAA",
        alice.jar["__Host-sessionid"]
    );
    let seen = mallory.raw("GET /", FETCH, &forged, "200");
    assert!(seen.has("bind.proof-unusable") && seen.app == Ok(String::new()));
}

#[test]
fn report_modes_withhold_nothing() {
    let mut play = Play::logged_in();
    let stolen = format!("__Host-sessionid={}", play.jar["__Host-sessionid"]);
    play.policy.set_bind(bind(&ring(&[1])).mode(Mode::Report));
    let seen = play.raw("GET /password/", LINK_ELSEWHERE, &stolen, "200");
    assert_eq!(seen.app, Ok("sessionid=abc".into()));
    let would = seen
        .changes
        .iter()
        .find(|change| change.rule.id() == "bind.unproven");
    assert!(!would.expect("told").applied);
    play.policy.mode = Mode::Report;
    assert_eq!(
        play.raw("GET /", FETCH, &stolen, "200").app,
        Ok("sessionid=abc".into())
    );
}

#[test]
fn the_endpoints_are_for_browsers_by_themselves() {
    let mut play = Play::new();
    for path in ["/.sealwax/bind/register", "/.sealwax/bind/refresh"] {
        for (method, site, status) in [
            ("GET", "same-origin", 404),
            ("POST", "cross-site", 404),
            ("POST", "same-site", 404),
            ("POST", "same-origin", 400),
        ] {
            let fields = format!("sec-fetch-site: {site}");
            let seen = play.send(&format!("{method} {path}"), &fields, "200");
            assert_eq!(seen.app, Err(status), "{method} {path} {site}");
        }
    }
}

#[test]
fn no_secret_is_told() {
    let mut play = Play::logged_in();
    let stolen = play.jar["__Host-sessionid"].clone();
    let seen = play.raw("GET /", FETCH, &format!("__Host-sessionid={stolen}"), "200");
    for change in seen.changes.iter().filter(|change| change.notable) {
        let told = format!("{change:?}");
        assert!(!told.contains("abc") && !told.contains(&stolen), "{told}");
    }
}
