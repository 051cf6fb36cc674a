//! What must hold for every input. The fuzz targets call these two functions, and so do
//! `tests/corpus.rs` for every file of the committed corpora, and `tests/properties.rs`.
#![allow(
    dead_code,
    reason = "not every test that includes this file uses all of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use sealwax_bind::{
    Binder, Bond, Field, Jwt, Lifetime, MAX_JWT, MAX_SESSION_ID, PublicKey, Refresh, Refreshing,
    Registration, Skipped,
};
use sealwax_cookie::{KeyRing, SealKey};
use serde_json::Value;

pub(crate) const HOST: &str = "app.example";
pub(crate) const NOW: u64 = 1_764_000_000;

/// The ring, host and time of the corpora.
pub(crate) fn binder() -> Binder {
    let ring = KeyRing::new(SealKey::new([1; 32]), []).expect("one key");
    Binder::new(&ring, Lifetime::default())
}

/// A proof, or a key: read, and compared with a reader that knows nothing of ours.
pub(crate) fn dbsc_jwt(data: &[u8]) {
    let parsed = Jwt::parse(data);
    if let Ok(jwt) = &parsed {
        let text = std::str::from_utf8(data).expect("base64url and dots");
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            panic!("not three parts: {text}")
        };
        for part in [header, payload, signature] {
            assert_eq!(BASE64URL.encode(bytes(part)), part, "written in one way");
        }
        let header = object(header);
        assert_eq!(header["alg"], jwt.algorithm().name());
        assert_eq!(header["typ"], "dbsc+jwt");
        assert!(header.get("crit").is_none());
        assert_eq!(header.get("jwk").is_some(), jwt.key().is_some());
        if let Some(key) = jwt.key() {
            assert_eq!(key.algorithm(), jwt.algorithm());
            let jwk = serde_json::to_vec(&header["jwk"]).unwrap();
            assert_eq!(PublicKey::from_jwk(&jwk).as_ref(), Ok(key));
            // Whatever it says, it says it again.
            assert_eq!(jwt.verify(key), jwt.verify(key));
        }
        let payload = object(payload);
        assert_eq!(payload["jti"], jwt.challenge());
        assert!(!jwt.challenge().is_empty());
        assert_eq!(
            payload.get("authorization").and_then(Value::as_str),
            jwt.authorization()
        );
    }
    // What the reader accepts as a key names itself by what is in it, and by nothing else.
    if let Ok(key) = PublicKey::from_jwk(data) {
        let Value::Object(jwk) = serde_json::from_slice(data).unwrap() else {
            panic!("a key that is no object")
        };
        let kept = ["kty", "crv", "x", "y", "n", "e"];
        let jwk: serde_json::Map<String, Value> = jwk
            .into_iter()
            .filter(|(name, _)| kept.contains(&name.as_str()))
            .collect();
        let again = PublicKey::from_jwk(&serde_json::to_vec(&jwk).unwrap()).unwrap();
        assert_eq!(again.thumbprint(), key.thumbprint());
    }
    let registered = binder().register(&Registration {
        host: HOST,
        response: Field::Once(data),
        now: NOW,
        random: [7; 24],
    });
    if let Ok(registered) = registered {
        // Bare or quoted, it was a proof, by the key that is in it.
        let bare = String::from_utf8_lossy(data);
        let bare = bare.trim_ascii();
        let bare = bare.split('"').nth(1).unwrap_or(bare);
        let jwt = Jwt::parse(bare.as_bytes()).expect("a proof");
        let key = jwt.key().expect("a registration's");
        assert_eq!(jwt.verify(key), Ok(()));
        assert_eq!(registered.thumbprint, key.thumbprint());
    }
}

/// The fields of a request, one a line: `Secure-Session-Skipped`, `Sec-Secure-Session-Id`,
/// `Secure-Session-Response`; then the query, and the values of our two cookies.
pub(crate) fn dbsc_headers(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut line = || lines.next();
    if let Some(skipped) = line()
        && let Ok(members) = Skipped::parse(skipped)
    {
        for member in members {
            let token = member.reason.token();
            assert!(
                token
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"\",;()".contains(&b))
            );
            assert!(!token.is_empty() && token.len() <= 64);
            let session = member.session.as_deref().unwrap_or_default();
            assert!(session.is_ascii() && session.len() <= MAX_SESSION_ID);
        }
    }
    let [session, response] = [line(), line()];
    let [query, mark, proof] = [line(), line(), line()];
    let binder = binder();
    let refresh = |session, response| {
        binder.refresh(&Refresh {
            host: HOST,
            query,
            session,
            response,
            mark,
            now: NOW,
            random: [7; 24],
        })
    };
    let refreshing = refresh(session.into(), response.into());
    match &refreshing {
        Refreshing::Refreshed(refreshed) => {
            assert!(response.is_some_and(|response| response.len() <= MAX_JWT));
            assert!(refreshed.proof.proven <= NOW && refreshed.proof.left(NOW) <= 600);
            let value = refreshed.set_cookie.split(['=', ';']).nth(1).unwrap();
            assert_eq!(
                binder.proof(value.as_bytes(), HOST, NOW),
                Ok(refreshed.proof)
            );
        }
        Refreshing::Challenged(challenged) => {
            let id = challenged.key.to_string();
            assert!(challenged.challenge.ends_with(&format!("-{id}\"")));
            // The session opened, so the query is all of it, and the identifier in either form.
            let named = String::from_utf8_lossy(session.unwrap());
            assert!(named.contains(&id));
        }
        Refreshing::Unavailable(refusal) | Refreshing::Ended(refusal) => {
            assert!(!refusal.id().is_empty() && !refusal.to_string().is_empty());
        }
    }
    assert!([200, 400, 403, 410, 503].contains(&refreshing.status()));
    // Without a proof nobody gets one.
    for response in [Field::Absent, Field::Repeated] {
        assert_ne!(refresh(session.into(), response).status(), 200);
    }
    if let Some(Ok(proof)) = proof.map(|value| binder.proof(value, HOST, NOW)) {
        assert!(proof.expires > NOW);
    }
    if let Some(bond) = Bond::from_bytes(data) {
        assert!(data.is_empty() || bond.to_bytes() == data);
    }
}

fn bytes(part: &str) -> Vec<u8> {
    BASE64URL.decode(part).expect("base64url")
}

fn object(part: &str) -> Value {
    let value: Value = serde_json::from_slice(&bytes(part)).expect("JSON");
    assert!(value.is_object());
    value
}
