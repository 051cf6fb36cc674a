//! Sealed and bound cookies by the layer: an app with sessions, a browser with a key, a thief.
#![cfg(feature = "bind")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests say what they expect"
)]

use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use sealwax::{SealLayer, Settings, Transport};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

type Bytes = Full<bytes::Bytes>;

fn settings(keys: &str) -> Settings {
    let mut settings = Settings::production(["app.example.com"]);
    settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
    settings.seal_keys = keys.into();
    settings.bound_cookies = vec!["sessionid".into()];
    settings.bound_cookie_born_on = vec!["^login$".into()];
    settings.bound_cookie_fresh = vec!["^password=0".into()];
    settings
}

fn keys(byte: u8) -> String {
    use sealwax_cookie::{KeyRing, SealKey};
    KeyRing::from(SealKey::new([byte; 32]))
        .to_text()
        .to_string()
}

/// A browser, which asks one layer or another.
struct Browser {
    jar: BTreeMap<String, String>,
    key: EcdsaKeyPair,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Browser {
    fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self {
            jar: BTreeMap::new(),
            key: key.unwrap(),
        }
    }

    fn cookies(&self) -> String {
        let pairs = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    async fn send(&mut self, layer: &SealLayer, line: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = ask(layer, line, &self.cookies(), fields).await;
        for field in answer.headers.get_all("set-cookie") {
            let field = field.to_str().unwrap();
            let (pair, attributes) = field.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match attributes.contains("Max-Age=0") {
                true => drop(self.jar.remove(name)),
                false => drop(self.jar.insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }

    fn sign(&self, challenge: &str, with_key: bool) -> String {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|number| BASE64URL.encode(number));
        let jwk = match with_key {
            true => format!(r#","jwk":{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#),
            false => String::new(),
        };
        let header = BASE64URL.encode(format!(r#"{{"alg":"ES256","typ":"dbsc+jwt"{jwk}}}"#));
        let payload = BASE64URL.encode(format!(r#"{{"jti":"{challenge}"}}"#));
        let signed = format!("{header}.{payload}");
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        format!("{signed}.{}", BASE64URL.encode(signature.unwrap()))
    }

    /// Makes a key on the login page, and proves it.
    async fn register(&mut self, layer: &SealLayer) {
        let page = self.send(layer, "GET /login", NAVIGATE).await;
        let offer = &page.headers["secure-session-registration"];
        let challenge = between(offer.to_str().unwrap(), "challenge=\"");
        let proof = self.sign(&challenge, true);
        let fields = [SAME_ORIGIN, ("secure-session-response", &proof)];
        let registered = self
            .send(layer, "POST /.sealwax/bind/register", &fields)
            .await;
        assert_eq!(registered.status, 200, "{}", registered.body);
        let told = |name: &str| between(&registered.body, &format!("\"{name}\":\""));
        let (id, url) = (told("session_identifier"), told("refresh_url"));
        let mut challenge = registered.headers.get("secure-session-challenge").cloned();
        for _ in 0..2 {
            let mut fields = vec![SAME_ORIGIN, ("sec-secure-session-id", &*id)];
            let proof = challenge
                .as_ref()
                .map(|field| self.sign(&between(field.to_str().unwrap(), "\""), false));
            if let Some(proof) = &proof {
                fields.push(("secure-session-response", proof));
            }
            let answer = self.send(layer, &format!("POST {url}"), &fields).await;
            if answer.status == 200 {
                return;
            }
            challenge = answer.headers.get("secure-session-challenge").cloned();
        }
        panic!("no proof was taken");
    }
}

const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
const NAVIGATE: &[(&str, &str)] = &[
    ("sec-fetch-site", "none"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

fn between(text: &str, start: &str) -> String {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("{start} in {text}"));
    rest.split('"').next().unwrap().to_owned()
}

/// One request, to an app that logs in on POST /login and else answers with the cookies it saw.
async fn ask(layer: &SealLayer, line: &str, cookies: &str, fields: &[(&str, &str)]) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "app.example.com")
        .extension(Transport::tls("192.0.2.7".parse().ok()));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    if !cookies.is_empty() {
        request = request.header("cookie", cookies);
    }
    let app = service_fn(|request: Request<()>| async move {
        let seen = request.headers().get("cookie");
        let seen = seen.map_or("", |field| field.to_str().unwrap()).to_owned();
        let mut response = Response::new(Bytes::from(seen));
        if request.method() == "POST" && request.uri().path() == "/login" {
            let session = "sessionid=abc; Path=/".parse().unwrap();
            response.headers_mut().insert("set-cookie", session);
        }
        Ok::<_, std::convert::Infallible>(response)
    });
    let response = layer
        .layer(app)
        .oneshot(request.body(()).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

#[tokio::test]
async fn the_app_sees_its_user_and_nobody_else_does() {
    let layer = SealLayer::new(&settings(&keys(7))).unwrap();
    let mut browser = Browser::new();
    browser.register(&layer).await;
    let login = browser.send(&layer, "POST /login", &[SAME_ORIGIN]).await;
    assert_eq!(login.status, 200);
    let sealed = browser.jar["__Host-sessionid"].clone();
    assert!(sealed.len() > 100 && !sealed.contains("abc"), "{sealed}");
    assert_eq!(
        browser.send(&layer, "GET /", NAVIGATE).await.body,
        "sessionid=abc"
    );

    // The cookie alone; the whole jar, on a path that wants a fresh proof.
    let alone = format!("__Host-sessionid={sealed}");
    assert_eq!(ask(&layer, "GET /", &alone, NAVIGATE).await.body, "");
    let fresh = ask(&layer, "GET /password", &browser.cookies(), NAVIGATE).await;
    assert_eq!((fresh.status.as_u16(), &*fresh.body), (307, ""));
}

#[tokio::test]
async fn nodes_with_the_same_keys_are_one_and_others_are_none() {
    let layer = SealLayer::new(&settings(&keys(7))).unwrap();
    let mut browser = Browser::new();
    browser.register(&layer).await;
    browser.send(&layer, "POST /login", &[SAME_ORIGIN]).await;
    let jar = browser.cookies();
    // Another process; and one whose first key is a newer one.
    let newer = format!("{}{}", keys(8), keys(7));
    for node in [keys(7), newer] {
        let node = SealLayer::new(&settings(&node)).unwrap();
        // Its memory is empty: the policy says which names have a prefix.
        assert_eq!(
            ask(&node, "GET /", &jar, NAVIGATE).await.body,
            "sessionid=abc"
        );
    }
    let stranger = SealLayer::new(&settings(&keys(9))).unwrap();
    assert_eq!(ask(&stranger, "GET /", &jar, NAVIGATE).await.body, "");
}

#[tokio::test]
async fn behind_a_gateway_that_seals_the_layer_does_not() {
    let layer = SealLayer::new(&settings(&keys(7)).behind_gateway()).unwrap();
    let login = ask(&layer, "POST /login", "", &[SAME_ORIGIN]).await;
    let field = login.headers["set-cookie"].to_str().unwrap();
    assert!(field.starts_with("sessionid=abc;"), "{field}");
}
