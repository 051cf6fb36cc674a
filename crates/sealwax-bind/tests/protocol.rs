//! What browsers do in everyday life, over the whole protocol.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use aws_lc_rs::rsa::KeySize;
use sealwax_bind::{
    Binder, DELETE_PROOF, Excluded, Field, Lifetime, MAX_SKEW, PROOF_ATTRIBUTES, PROOF_COOKIE,
    REFRESH_PATH, Refresh, Refreshing, Refusal, Registration, Unusable, end_session,
};

mod support;
use support::{
    Browser, HOST, Key, NOW, binder, challenged, cookie, offered, random, register, ring,
};

#[test]
fn an_offer_is_the_field_that_browsers_read() {
    let offer = binder().offer(HOST, NOW, random());
    let rest = offer
        .strip_prefix("(ES256 RS256);path=\"/.sealwax/bind/register\";challenge=\"")
        .unwrap();
    assert!(
        rest.strip_suffix('"')
            .unwrap()
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    );
}

#[test]
fn the_answer_to_a_registration_is_what_browsers_accept() {
    let binder = binder();
    let key = Key::es256();
    let registered = register(
        &binder,
        HOST,
        &key.registration(&offered(&binder, HOST, NOW)),
        NOW,
    )
    .unwrap();
    let body: serde_json::Value = serde_json::from_str(&registered.body).unwrap();
    let url = body["refresh_url"].as_str().unwrap().to_owned();
    assert_eq!(
        body,
        serde_json::json!({
            "session_identifier": registered.session,
            "refresh_url": url,
            "scope": {"include_site": false},
            "credentials": [{
                "type": "cookie",
                "name": "__Host-sealwax-proof",
                "attributes": "Path=/; Secure; HttpOnly; SameSite=Lax",
            }],
        })
    );
    assert!(url.starts_with(&format!("{REFRESH_PATH}?t={NOW}&k=")));
    // No proof before the first refresh, and the one of an earlier session is removed.
    assert_eq!(registered.set_cookie, DELETE_PROOF);
    assert_eq!(
        DELETE_PROOF,
        format!("{PROOF_COOKIE}=; Max-Age=0; {PROOF_ATTRIBUTES}")
    );
}

#[test]
fn every_kind_of_key_registers_and_refreshes_in_one_round_trip() {
    let binder = binder();
    for key in [
        Key::es256(),
        Key::rs256(KeySize::Rsa2048),
        Key::rs256(KeySize::Rsa3072),
        Key::rs256(KeySize::Rsa4096),
    ] {
        let mut browser = Browser::register(&binder, key, NOW);
        let Refreshing::Refreshed(refreshed) = browser.try_refresh(&binder, NOW + 1) else {
            panic!("the challenge of the registration counts");
        };
        // Chromium takes identifiers and URLs of this length.
        assert!(
            browser.id.len() == 54 && browser.query.len() < 1200,
            "{}",
            browser.query.len()
        );
        let (value, seconds) = cookie(&refreshed.set_cookie);
        let attributes = format!("; Max-Age={seconds}; {PROOF_ATTRIBUTES}");
        assert_eq!(
            refreshed.set_cookie,
            format!("{PROOF_COOKIE}={value}{attributes}")
        );
        assert!(value.len() < 200, "{}", value.len());
        assert_eq!(refreshed.body, "");
        assert_eq!(refreshed.registered, NOW);
        let proof = binder.proof(value.as_bytes(), HOST, NOW + 2).unwrap();
        assert_eq!(proof, refreshed.proof);
        assert_eq!(format!("{NOW:010x}-{}", proof.key), browser.id);
        assert_eq!(refreshed.session, browser.id);
    }
}

#[test]
fn both_forms_of_the_fields_are_read() {
    let binder = binder();
    let quoted = |text: &str| format!("\"{text}\"");
    let key = Key::es256();
    let jwt = key.registration(&offered(&binder, HOST, NOW));
    assert!(register(&binder, HOST, &quoted(&jwt), NOW).is_ok());
    assert!(register(&binder, HOST, &format!(" {jwt}\t"), NOW).is_ok());

    let browser = Browser::register(&binder, key, NOW);
    let jwt = browser.key.refresh(browser.challenge.as_ref().unwrap());
    for (id, jwt) in [
        (browser.id.clone(), quoted(&jwt)),
        (quoted(&browser.id), jwt.clone()),
        // Parameters are ignored.
        (quoted(&browser.id) + ";a=1;b", quoted(&jwt) + ";x=\"y\""),
    ] {
        let refreshing = binder.refresh(&Refresh {
            host: HOST,
            query: Some(browser.query.as_bytes()),
            session: Field::Once(id.as_bytes()),
            response: Field::Once(jwt.as_bytes()),
            mark: None,
            now: NOW,
            random: random(),
        });
        assert_eq!(refreshing.status(), 200, "{refreshing:?}");
    }
}

#[test]
fn a_browser_that_was_restarted_is_asked_first() {
    let binder = binder();
    let mut browser = Browser::register(&binder, Key::es256(), NOW);
    browser.challenge = None;
    let later = NOW + 30 * 86_400;
    let asked = browser.try_refresh(&binder, later);
    assert_eq!(asked.status(), 403);
    let asked = challenged(asked);
    assert_eq!(asked.reason, Refusal::NoProof);
    assert!(asked.reason.is_ordinary());
    assert!(browser.id.ends_with(&asked.key.to_string()));
    assert_eq!(browser.try_refresh(&binder, later).status(), 200);
}

#[test]
fn a_late_signature_is_a_race_and_gets_another_challenge() {
    let binder = binder();
    let mut browser = Browser::register(&binder, Key::es256(), NOW);
    // Just in time.
    assert_eq!(browser.try_refresh(&binder, NOW + 119).status(), 200);
    let asked = challenged(browser.try_refresh(&binder, NOW + 120));
    assert_eq!(
        asked.reason,
        Refusal::Challenge(Unusable::Expired { seconds: 0 })
    );
    assert!(asked.reason.is_ordinary());
    assert_eq!(browser.try_refresh(&binder, NOW + 120).status(), 200);
}

#[test]
fn the_same_signature_again_is_taken_and_buys_no_time() {
    let binder = binder();
    let browser = Browser::register(&binder, Key::es256(), NOW);
    let jwt = browser.key.refresh(browser.challenge.as_ref().unwrap());
    let mut values = Vec::new();
    for later in [0, 1, 60, 119] {
        let Refreshing::Refreshed(refreshed) = browser.post(&binder, Some(&jwt), NOW + later)
        else {
            panic!("it is taken");
        };
        let (value, seconds) = cookie(&refreshed.set_cookie);
        assert_eq!(seconds, 600 - 10 - later, "forgotten before it is over");
        let live = |now| binder.proof(value.as_bytes(), HOST, now);
        assert!(live(NOW + 599).is_ok());
        assert_eq!(live(NOW + 600), Err(Unusable::Expired { seconds: 0 }));
        assert_eq!(live(NOW + 599).unwrap().age(NOW + 599), 599);
        // Browsers end a session whose cookie does not change.
        assert!(!values.contains(&value));
        values.push(value);
    }
}

#[test]
fn short_lifetimes_work_to_the_last_second() {
    let binder = Binder::new(&ring(&[1]), Lifetime::from_seconds(5).unwrap());
    let mut browser = Browser::register(&binder, Key::es256(), NOW);
    for now in NOW..NOW + 60 {
        let refreshed = browser.refresh(&binder, now);
        let (value, seconds) = cookie(&refreshed.set_cookie);
        assert!((1..=4).contains(&seconds));
        // What the browser sends in its last moment is still good when it comes.
        let live = |later| binder.proof(value.as_bytes(), HOST, now + later).is_ok();
        assert!(live(seconds) && !live(seconds + 1), "{seconds}");
    }
}

#[test]
fn a_fresh_proof_is_one_that_was_signed_after_the_wish() {
    let binder = binder();
    let mut browser = Browser::register(&binder, Key::es256(), NOW);
    let before = browser.refresh(&binder, NOW);
    // The wish, and in the same second the browser sends again what it has signed already.
    let (mark, set_cookie) = binder.make_mark(HOST, before.proof.key, NOW, random());
    assert!(set_cookie.ends_with("; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax"));
    browser.mark = Some(cookie(&set_cookie).0);
    let asked = challenged(browser.try_refresh(&binder, NOW));
    assert_eq!(asked.reason, Refusal::Challenge(Unusable::OtherMark));
    assert!(asked.reason.is_ordinary());
    let fresh = browser.refresh(&binder, NOW);
    assert_eq!(fresh.proof.mark, Some(mark.id));
    assert_eq!(
        binder.mark(browser.mark.as_ref().unwrap().as_bytes(), HOST, NOW),
        Ok(mark)
    );

    // The cookie keeps it.
    let value = cookie(&fresh.set_cookie).0;
    assert_eq!(
        binder.proof(value.as_bytes(), HOST, NOW).unwrap().mark,
        Some(mark.id)
    );
    // Without the mark the challenge is as good as any, and the proof says nothing of it.
    browser.mark = None;
    let Refreshing::Refreshed(after) = browser.try_refresh(&binder, NOW + 1) else {
        panic!()
    };
    assert_eq!(after.proof.mark, None);
    // The next wish is another one.
    browser.mark = Some(cookie(&binder.make_mark(HOST, mark.key, NOW, random()).1).0);
    assert_eq!(browser.try_refresh(&binder, NOW + 1).status(), 403);
    // A wish that is over, somebody else's or made up is none.
    let other = Browser::register(&binder, Key::es256(), NOW)
        .refresh(&binder, NOW)
        .proof
        .key;
    for made_up in [
        cookie(&binder.make_mark(HOST, mark.key, NOW - 60, random()).1).0,
        cookie(&binder.make_mark(HOST, other, NOW, random()).1).0,
        cookie(&binder.make_mark("other.example", mark.key, NOW, random()).1).0,
        "made-up".to_owned(),
    ] {
        browser.mark = Some(made_up);
        assert_eq!(browser.refresh(&binder, NOW).proof.mark, None);
    }
}

#[test]
fn keys_rotate_under_a_session() {
    let [old, both, new] =
        [&[1][..], &[2, 1], &[2]].map(|keys| Binder::new(&ring(keys), Lifetime::default()));
    let mut browser = Browser::register(&old, Key::es256(), NOW);
    let before = cookie(&browser.refresh(&old, NOW).set_cookie).0;
    assert!(both.proof(before.as_bytes(), HOST, NOW).is_ok());

    // The first refresh under the new key brings a new URL, the second none.
    let query = browser.query.clone();
    let refreshed = browser.refresh(&both, NOW + 1);
    assert!(
        refreshed
            .body
            .contains(&format!("{REFRESH_PATH}?t={}&k=", NOW + 1))
    );
    assert_ne!(browser.query, query);
    assert_eq!(refreshed.registered, NOW);
    assert_eq!(browser.refresh(&both, NOW + 2).body, "");

    // Now the old key can go: who was here since goes on, who was not has to begin anew.
    assert_eq!(browser.refresh(&new, NOW + 3).registered, NOW);
    let gone = |refreshing: Refreshing| match refreshing {
        Refreshing::Ended(Refusal::Session(Unusable::UnknownKey(_))) => true,
        Refreshing::Unavailable(Refusal::Session(Unusable::UnknownKey(_))) => false,
        other => panic!("{other:?}"),
    };
    browser.query = query;
    assert!(gone(browser.try_refresh(&new, NOW + 3600)));
    // What was sealed a moment ago may be by a key that has yet to come here.
    let soon = browser.try_refresh(&new, NOW + 3599);
    assert_eq!(soon.status(), 503);
    assert!(!gone(soon));
    assert!(!gone(browser.try_refresh(&new, NOW - 60)));
}

#[test]
fn other_settings_reach_those_who_have_a_session() {
    let before = binder();
    let excluded = vec![Excluded {
        path: "/static".into(),
    }];
    let after = binder().excluding(excluded);
    let mut browser = Browser::register(&before, Key::es256(), NOW);
    let body = browser.refresh(&after, NOW).body;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body["scope"],
        serde_json::json!({
            "include_site": false,
            "scope_specification": [{"type": "exclude", "domain": "*", "path": "/static"}],
        })
    );
    assert_eq!(body["session_identifier"], browser.id);
    assert_eq!(browser.refresh(&after, NOW).body, "");
    assert_ne!(browser.refresh(&before, NOW).body, "");
}

/// Of two sessions for one cookie Chromium refreshes the one whose identifier sorts first.
#[test]
fn the_older_of_two_sessions_sorts_first() {
    let binder = binder();
    let mut last = String::new();
    for now in [1, 255, 256, NOW, NOW + 1, NOW + 16, NOW + 1_000_000_000] {
        let id = Browser::register(&binder, Key::es256(), now).id;
        assert!(last < id, "{last} {id}");
        last = id;
    }
}

#[test]
fn nodes_whose_clocks_differ_understand_each_other() {
    let binder = binder();
    let mut browser = Browser::register(&binder, Key::es256(), NOW);
    // Challenged by a node that is five minutes ahead.
    browser.challenge = None;
    challenged(browser.try_refresh(&binder, NOW + MAX_SKEW));
    let refreshed = browser.refresh(&binder, NOW);
    assert_eq!(
        (refreshed.proof.proven, refreshed.proof.left(NOW)),
        (NOW, 600)
    );
    // And by one that is further: asked again, once.
    browser.challenge = None;
    challenged(browser.try_refresh(&binder, NOW + MAX_SKEW + 1));
    let asked = challenged(browser.try_refresh(&binder, NOW));
    assert_eq!(asked.reason, Refusal::Challenge(Unusable::FromTheFuture));
    assert_eq!(browser.try_refresh(&binder, NOW).status(), 200);
}

#[test]
fn a_session_ends_where_there_is_none() {
    let binder = binder();
    let browser = Browser::register(&binder, Key::es256(), NOW);
    let (id, query) = (browser.id.as_bytes(), browser.query.as_bytes());
    let other = Browser::register(&binder, Key::es256(), NOW);
    let t = |rest: &str| {
        browser
            .query
            .replacen(&NOW.to_string(), rest, 1)
            .into_bytes()
    };
    let (none, late, cut) = (t(""), t("99999999999999999999"), &query[..query.len() - 1]);
    let cases: [(&str, Option<&[u8]>, Field<'_>, u16); 12] = [
        (HOST, Some(query), Field::Absent, 400),
        (HOST, Some(query), Field::Repeated, 400),
        (HOST, Some(query), Field::Once(b""), 400),
        (HOST, Some(query), Field::Once(b"(a b)"), 400),
        (HOST, None, Field::Once(id), 400),
        (HOST, Some(b""), Field::Once(id), 400),
        (HOST, Some(&none), Field::Once(id), 400),
        (HOST, Some(&late), Field::Once(id), 400),
        (HOST, Some(cut), Field::Once(id), 410),
        (HOST, Some(other.query.as_bytes()), Field::Once(id), 410),
        ("other.example", Some(query), Field::Once(id), 410),
        (HOST, Some(query), Field::Once(id), 403),
    ];
    for (at, (host, query, session, status)) in cases.into_iter().enumerate() {
        let refreshing = binder.refresh(&Refresh {
            host,
            query,
            session,
            response: Field::Absent,
            mark: None,
            now: NOW,
            random: random(),
        });
        assert_eq!(refreshing.status(), status, "{at}: {refreshing:?}");
        assert_eq!(matches!(refreshing, Refreshing::Ended(_)), status != 403);
    }
    let body = end_session(&browser.id);
    assert_eq!(
        body,
        format!(
            r#"{{"session_identifier":"{}","continue":false}}"#,
            browser.id
        )
    );
}

#[test]
fn an_offer_is_good_for_five_minutes_on_its_host() {
    let binder = binder();
    let jwt = Key::es256().registration(&offered(&binder, HOST, NOW));
    assert!(register(&binder, HOST, &jwt, NOW + 299).is_ok());
    let refused = |host, now| register(&binder, host, &jwt, now).unwrap_err();
    assert_eq!(
        refused(HOST, NOW + 300),
        Refusal::Challenge(Unusable::Expired { seconds: 0 })
    );
    assert_eq!(
        refused(HOST, NOW - MAX_SKEW - 1),
        Refusal::Challenge(Unusable::FromTheFuture)
    );
    let sealed_for = HOST.into();
    assert_eq!(
        refused("other.example", NOW),
        Refusal::Challenge(Unusable::OtherHost { sealed_for })
    );
    for (response, refusal) in [
        (Field::Absent, Refusal::NoProof),
        (
            Field::Repeated,
            Refusal::ProofField(sealwax_bind::FieldError::Repeated),
        ),
    ] {
        let registration = Registration {
            host: HOST,
            response,
            now: NOW,
            random: random(),
        };
        assert_eq!(binder.register(&registration), Err(refusal));
    }
}
