//! Signed cookies, messages and CSRF tokens, made on one side and used on the other.

use sealwax_tests::{Version, Visitor};
use serde_json::{Value, json};

use super::each_django;
use super::pair::{HOST, Home, Pair, Setup};

each_django! {
    messages_and_tokens: messages_and_tokens_cross_over_with_django_4_2, messages_and_tokens_cross_over_with_django_5_2, messages_and_tokens_cross_over_with_django_6;
    signed: signed_cookies_cross_over_with_django_4_2, signed_cookies_cross_over_with_django_5_2, signed_cookies_cross_over_with_django_6;
}

async fn messages_and_tokens(version: Version, test: &str) {
    let home = Home::sqlite();
    let Some(pair) = Pair::start(version, test, &home, &Setup::default()).await else {
        return;
    };
    messages(&pair).await;
    tokens(&pair).await;
}

/// What one side says the other shows, once.
async fn messages(pair: &Pair) {
    let texts = ["Saved.", "schön & <b>\"quoted\"</b>; a, b \\ 😀"];
    let sides = [
        (
            pair.django.port,
            "/exchange/messages/",
            pair.rust.port,
            "/messages/",
        ),
        (
            pair.rust.port,
            "/messages/",
            pair.django.port,
            "/exchange/messages/",
        ),
    ];
    for (speaker, says, listener, hears) in sides {
        let mut visitor = pair.visitor();
        // One without text is none.
        for text in texts.iter().chain(&[""]) {
            let said = visitor.form(speaker, says, &[("value", text)]).await;
            assert_eq!(said.status, 200, "{}", said.text());
        }
        let heard = visitor.get(listener, hears).await;
        let wanted: Vec<Value> = texts
            .iter()
            .map(|text| json!({"level": 30, "text": text}))
            .collect();
        assert_eq!(heard.json(), Value::from(wanted));
        assert_eq!(visitor.cookie("messages"), None, "{heard:?}");
        assert_eq!(visitor.get(speaker, says).await.json(), json!([]));
        // Spoilt, it says nothing.
        visitor.form(speaker, says, &[("value", "Saved.")]).await;
        let mut spoilt = visitor.cookie("messages").expect("a cookie").to_owned();
        let last = if spoilt.pop() == Some('A') { 'B' } else { 'A' };
        spoilt.insert(spoilt.len() - 5, last);
        visitor.set_cookie("messages", &spoilt);
        assert_eq!(visitor.get(listener, hears).await.json(), json!([]));
    }
}

/// A token of one side's page is good on the other, and a wrong one is not.
async fn tokens(pair: &Pair) {
    let sides = [
        (
            pair.django.port,
            "/exchange/token/",
            pair.rust.port,
            "/token/",
        ),
        (
            pair.rust.port,
            "/token/",
            pair.django.port,
            "/exchange/token/",
        ),
    ];
    for (maker, makes, judge, judges) in sides {
        // A browser that says where a request comes from needs no token at the axum app.
        let mut visitor = Visitor::of(HOST).with_old_browser();
        let token = visitor.get(maker, makes).await.text();
        assert_eq!(token.len(), 64);
        let good = visitor
            .form(judge, judges, &[("csrfmiddlewaretoken", &token)])
            .await;
        assert_eq!((good.status, good.text().as_str()), (200, "checked"));
        let header = visitor
            .request(judge, judges)
            .method("POST")
            .header("x-csrftoken", &token);
        assert_eq!(visitor.send(header).await.status, 200);
        // What one side renews is still good on the other.
        let renewed = visitor.get(judge, judges).await.text();
        let good = visitor
            .form(maker, makes, &[("csrfmiddlewaretoken", &renewed)])
            .await;
        assert_eq!(good.status, 200);

        let other = Visitor::of(HOST)
            .with_old_browser()
            .get(maker, makes)
            .await
            .text();
        let spoilt = token.replace(|c: char| c.is_ascii_digit(), "x");
        for (wrong, server, path) in [
            (other.as_str(), judge, judges),
            ("", judge, judges),
            (&token[..63], judge, judges),
            (&spoilt, judge, judges),
            ("%", maker, makes),
        ] {
            if wrong == token {
                continue;
            }
            let refused = visitor
                .form(server, path, &[("csrfmiddlewaretoken", wrong)])
                .await;
            assert_eq!(
                refused.status,
                403,
                "{wrong} of {token}: {}",
                refused.text()
            );
        }
        let mut without = Visitor::of(HOST).with_old_browser();
        let refused = without
            .form(judge, judges, &[("csrfmiddlewaretoken", &token)])
            .await;
        assert_eq!(refused.status, 403, "no cookie");
    }
}

async fn signed(version: Version, test: &str) {
    let home = Home::sqlite();
    // Since June 2026 Django signs cookies with another salt; 4.2 never learnt it.
    let old = version == Version::Old;
    let legacy_salt = Some(if old { "write" } else { "off" });
    let setup = Setup {
        legacy_salt,
        ..Setup::default()
    };
    let Some(pair) = Pair::start(version, test, &home, &setup).await else {
        return;
    };
    let (rust, django) = (
        (pair.rust.port, "/signed/"),
        (pair.django.port, "/exchange/signed/"),
    );
    for ((maker, makes), (reader, reads)) in [(rust, django), (django, rust)] {
        for (salt, value) in [
            ("", "hello"),
            ("plan-2", "hello"),
            ("ü", "a:b c;\"d\" , é"),
            ("", ""),
        ] {
            let mut visitor = pair.visitor();
            let fields = [("name", "plan"), ("salt", salt), ("value", value)];
            visitor.form(maker, makes, &fields).await;
            let read = |query: &str| format!("{reads}?name=plan&{query}");
            let same = read(&format!(
                "salt={}",
                if salt == "ü" { "%C3%BC" } else { salt }
            ));
            assert_eq!(
                visitor.get(reader, &same).await.json(),
                json!({ "value": value }),
                "{salt} {value}"
            );
            let fresh = format!("{same}&max_age=100");
            assert_eq!(
                visitor.get(reader, &fresh).await.json(),
                json!({ "value": value })
            );
            let other = visitor.get(reader, &read("salt=other")).await.json();
            assert!(
                other["error"] == "Mismatch" || other["error"] == "BadSignature",
                "{other}"
            );
            // The same text under another name is another cookie.
            let cookie = visitor.cookie("plan").expect("it was set").to_owned();
            visitor.set_cookie("role", &cookie);
            let moved = visitor
                .get(reader, &same.replace("name=plan", "name=role"))
                .await
                .json();
            assert!(moved["error"].is_string(), "{moved}");
            visitor.set_cookie("plan", &cookie.replace(":1", ":2"));
            let restamped = visitor.get(reader, &same).await.json();
            assert!(restamped["error"].is_string(), "{restamped}");
        }
    }
    let none = pair
        .visitor()
        .get(pair.rust.port, "/signed/?name=plan")
        .await
        .json();
    assert_eq!(none, json!({"value": null}));
    drop(pair);
    if old {
        the_old_salt_is_read_only_where_that_is_set(version, test, &home).await;
    }
}

/// Beside a Django of before: refused by default, read where one setting says so.
async fn the_old_salt_is_read_only_where_that_is_set(version: Version, test: &str, home: &Home) {
    for (legacy_salt, wanted) in [
        ("off", json!({"error": "Mismatch"})),
        ("read", json!({"value": "basic"})),
    ] {
        let setup = Setup {
            legacy_salt: Some(legacy_salt),
            ..Setup::default()
        };
        let pair = Pair::start(version, test, home, &setup).await;
        let pair = pair.expect("it was there before");
        let mut visitor = pair.visitor();
        let fields = [("name", "plan"), ("value", "basic")];
        visitor
            .form(pair.django.port, "/exchange/signed/", &fields)
            .await;
        assert_eq!(
            visitor
                .get(pair.rust.port, "/signed/?name=plan")
                .await
                .json(),
            wanted
        );
        // What is written has the new salt, which that Django does not know.
        visitor.form(pair.rust.port, "/signed/", &fields).await;
        let read = visitor
            .get(pair.django.port, "/exchange/signed/?name=plan")
            .await
            .json();
        assert_eq!(read["error"], "BadSignature");
    }
}
