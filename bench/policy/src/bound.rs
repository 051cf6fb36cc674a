//! What a request costs whose session is bound to the browser's device, beside the same request with
//! a session that is only sealed, and with a plain one.

use std::collections::BTreeMap;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use sealwax_policy::{
    AllowedHosts, Bind, Connection, Exchange, KeyRing, KnownNames, Level, Lifetime, LoopWatch,
    Paths, Policy, Seal, State, Step, Target,
};

static HSTS: HeaderValue = HeaderValue::from_static("max-age=300");
const NOW: u64 = 1_800_000_000;
const HOST: &str = "app.example.com";
const LOGIN: &str = "sessionid=0123456789abcdef0123456789abcdef; Path=/; HttpOnly; Max-Age=1209600";

/// One kind of session, logged in, and its next request.
pub(crate) struct Visit {
    policy: Policy,
    names: KnownNames,
    jar: BTreeMap<String, String>,
    request: Parts,
}

/// How the session is protected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Sealed,
    Bound,
}

impl Visit {
    pub(crate) fn of(kind: Kind) -> Result<Self, String> {
        let mut policy = Policy::new(AllowedHosts::new([HOST.to_owned()]));
        let ring = KeyRing::from(sealwax_cookie::SealKey::new([7; 32]));
        if kind != Kind::Plain {
            policy.set_seal(Seal::new(&ring, ["sessionid"], random));
        }
        if kind == Kind::Bound {
            let lifetime = Lifetime::from_seconds(600).map_err(|error| error.to_string())?;
            let born_on = Paths::new(["^login$"]).map_err(|error| error.to_string())?;
            policy.set_bind(Bind::new(&ring, ["sessionid"], lifetime, random).born_on(born_on));
        }
        let mut visit = Self {
            policy,
            names: KnownNames::default(),
            jar: BTreeMap::new(),
            request: request("GET", "/", "", &[])?,
        };
        if kind == Kind::Bound {
            visit.register()?;
        }
        visit.send("POST", "/login", &[SAME_ORIGIN], LOGIN)?;
        let cookies = visit.cookies();
        visit.request = request("GET", "/", &cookies, &[SAME_ORIGIN])?;
        match visit.sees()?.contains("sessionid=0123456789abcdef") {
            true => Ok(visit),
            false => Err("the app does not see the session".to_owned()),
        }
    }

    /// One request and its response, without cookies in it.
    pub(crate) fn turn(&self) -> bool {
        let mut head = self.request.clone();
        let Ok(target) = Target::read(&head) else {
            return false;
        };
        let mut exchange = Exchange::new(&self.policy, tls(), target, &head, Level::Notable);
        let judged = exchange.request(&mut head, self.state());
        let mut answer = Response::new(()).into_parts().0;
        let _ = exchange.response(&mut answer, self.state(), &mut LoopWatch::default());
        matches!(judged, Step::Forward) && exchange.finish().changes.is_empty()
    }

    fn state(&self) -> State<'_> {
        State {
            now: NOW,
            names: &self.names,
            hsts: &HSTS,
        }
    }

    /// The Cookie header that the app gets.
    fn sees(&self) -> Result<String, String> {
        let mut head = self.request.clone();
        let target = Target::read(&head).map_err(|rule| rule.to_string())?;
        let mut exchange = Exchange::new(&self.policy, tls(), target, &head, Level::Notable);
        let _ = exchange.request(&mut head, self.state());
        let cookie = head
            .headers
            .get("cookie")
            .and_then(|field| field.to_str().ok());
        Ok(cookie.unwrap_or_default().to_owned())
    }

    fn cookies(&self) -> String {
        let pairs = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        fields: &[(&'static str, &str)],
        set_cookie: &str,
    ) -> Result<(HeaderMap, String), String> {
        let mut head = request(method, path, &self.cookies(), fields)?;
        let target = Target::read(&head).map_err(|rule| rule.to_string())?;
        let mut exchange = Exchange::new(&self.policy, tls(), target, &head, Level::Notable);
        let (headers, body) = match exchange.request(&mut head, self.state()) {
            Step::Respond(answer) => (
                answer.headers,
                String::from_utf8_lossy(&answer.body).into_owned(),
            ),
            Step::Forward => {
                let mut answer = Response::new(()).into_parts().0;
                if let Ok(field) = HeaderValue::from_str(set_cookie) {
                    answer.headers.insert("set-cookie", field);
                }
                let state = self.state();
                let _ = exchange.response(&mut answer, state, &mut LoopWatch::default());
                (answer.headers, String::new())
            }
        };
        for learned in exchange.finish().learned {
            self.names
                .learn(&learned.name, learned.form, learned.floored, learned.day);
        }
        for field in headers.get_all("set-cookie") {
            let pair = field.to_str().unwrap_or_default().split(';').next();
            if let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok((headers, body))
    }

    fn register(&mut self) -> Result<(), String> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|error| error.to_string())?;
        let (headers, _) = self.send("GET", "/login", NAVIGATE, "")?;
        let offer = field(&headers, "secure-session-registration")?;
        let proof = sign(&key, &between(&offer, "challenge=\"")?, true)?;
        let fields = [SAME_ORIGIN, ("secure-session-response", &*proof)];
        let (headers, body) = self.send("POST", "/.sealwax/bind/register", &fields, "")?;
        let id = between(&body, "\"session_identifier\":\"")?;
        let url = between(&body, "\"refresh_url\":\"")?;
        let challenge = between(&field(&headers, "secure-session-challenge")?, "\"")?;
        let proof = sign(&key, &challenge, false)?;
        let fields = [
            SAME_ORIGIN,
            ("sec-secure-session-id", &*id),
            ("secure-session-response", &*proof),
        ];
        self.send("POST", &url, &fields, "").map(drop)
    }
}

const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
const NAVIGATE: &[(&str, &str)] = &[
    ("sec-fetch-site", "none"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

fn tls() -> Connection {
    Connection {
        peer: None,
        tls: true,
        publicly_trusted: true,
    }
}

fn random(bytes: &mut [u8]) {
    // Of a benchmark nobody needs to keep a secret.
    let _ = SystemRandom::new().fill(bytes);
}

fn request(
    method: &str,
    path: &str,
    cookies: &str,
    fields: &[(&'static str, &str)],
) -> Result<Parts, String> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    if !cookies.is_empty() {
        request = request.header("cookie", cookies);
    }
    let request = request.body(()).map_err(|error| error.to_string())?;
    Ok(request.into_parts().0)
}

fn field(headers: &HeaderMap, name: &str) -> Result<String, String> {
    let field = headers.get(name).and_then(|field| field.to_str().ok());
    field.map(str::to_owned).ok_or_else(|| format!("no {name}"))
}

fn between(text: &str, start: &str) -> Result<String, String> {
    let rest = text.split_once(start).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| rest.split('"').next());
    found
        .map(str::to_owned)
        .ok_or_else(|| format!("no {start} in {text}"))
}

fn sign(key: &EcdsaKeyPair, challenge: &str, with_key: bool) -> Result<String, String> {
    let point = key.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = point.split_at(point.len() / 2);
    let jwk = match with_key {
        true => format!(
            r#","jwk":{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#,
            base64url(x),
            base64url(y)
        ),
        false => String::new(),
    };
    let header = base64url(format!(r#"{{"alg":"ES256","typ":"dbsc+jwt"{jwk}}}"#).as_bytes());
    let payload = base64url(format!(r#"{{"jti":"{challenge}"}}"#).as_bytes());
    let signed = format!("{header}.{payload}");
    let signature = key
        .sign(&SystemRandom::new(), signed.as_bytes())
        .map_err(|error| error.to_string())?;
    Ok(format!("{signed}.{}", base64url(signature.as_ref())))
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
