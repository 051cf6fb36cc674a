//! What is in a session survives a write by the other side, to the character.

use sealwax_tests::Version;
use serde_json::{Value, json};

use super::each_django;
use super::pair::{Home, Pair, Setup, session_key};

each_django! {
    values: values_survive_beside_django_4_2, values_survive_beside_django_5_2, values_survive_beside_django_6;
}

/// What Python's json can write, and what of it is no JSON or no number of Rust's.
const PYTHONS: &str = r#"{"true":true,"false":false,"zero":0,"minus":-1,"huge":123456789012345678901234567890123456789012345678901234567890,"float":0.1,"small":1e-07,"large":1e+22,"minus_zero":-0.0,"inf":Infinity,"minus_inf":-Infinity,"nan":NaN,"empty":"","text":"\u00e9\u2019\ud83d\ude00","lone":"\ud800","control":"\u0000\u001f\u007f\"\\/","markup":"</script>&'","list":[],"nested":[1,[2,[3,{"deep":[null,{}]}]]],"object":{"b":1,"a":2,"":3},"\u00fc key":[null],"":"empty key","_session_expiry":86400}"#;

async fn values(version: Version, test: &str) {
    let home = Home::sqlite();
    let Some(pair) = Pair::start(version, test, &home, &Setup::default()).await else {
        return;
    };
    django_then_rust(&pair).await;
    rust_then_django(&pair).await;
    an_expiry_counts_on_both_sides(&pair).await;
}

async fn django_then_rust(pair: &Pair) {
    let mut visitor = pair.visitor();
    let answer = visitor
        .json_text(pair.django.port, "/exchange/session/", PYTHONS)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let key = session_key(&visitor);
    let before = pair.stored(&key).await;
    assert_eq!(before, PYTHONS, "this is not what Python writes");
    // One name more, then one other, then none of both.
    visitor
        .json(pair.rust.port, "/session/", &json!({"rust": "schön"}))
        .await;
    assert_eq!(session_key(&visitor), key);
    let inside = before.strip_suffix('}').expect("an object");
    let wanted = format!("{inside},\"rust\":\"sch\\u00f6n\"}}");
    assert_eq!(pair.stored(&key).await, wanted);
    visitor
        .json(pair.rust.port, "/session/", &json!({"rust": 1, "zero": 5}))
        .await;
    let wanted = wanted
        .replace("\"sch\\u00f6n\"", "1")
        .replace("\"zero\":0", "\"zero\":5");
    assert_eq!(pair.stored(&key).await, wanted);
    visitor
        .json(
            pair.rust.port,
            "/session/",
            &json!({"rust": null, "zero": 0}),
        )
        .await;
    assert_eq!(pair.stored(&key).await, before);
}

async fn rust_then_django(pair: &Pair) {
    let all = json!({
        "true": true, "zero": 0, "minus": -1, "big": u64::MAX, "small": i64::MIN, "float": 0.1,
        "text": "é’😀\u{0}\u{1f}\u{7f}\"\\/</script>", "list": [], "object": {}, "empty": "",
        "nested": [1, [2, [3, {"deep": [null, {"x": [0.5, "ü"]}]}]]], "ü key": [null], "": "empty key",
    });
    let mut visitor = pair.visitor();
    visitor.json(pair.rust.port, "/session/", &all).await;
    let key = session_key(&visitor);
    let before = pair.stored(&key).await;
    assert!(before.is_ascii(), "{before}");
    let read = visitor
        .get(pair.django.port, "/exchange/session/")
        .await
        .json();
    assert_eq!(read, all);
    visitor
        .json(
            pair.django.port,
            "/exchange/session/",
            &json!({"django": "ü"}),
        )
        .await;
    let inside = before.strip_suffix('}').expect("an object");
    let wanted = format!("{inside},\"django\":\"\\u00fc\"}}");
    assert_eq!(pair.stored(&key).await, wanted);
    // And back: what Django wrote anew is what was there.
    let mut read = visitor.get(pair.rust.port, "/session/").await.json();
    assert_eq!(read["django"].take(), Value::from("ü"));
    read.as_object_mut().expect("an object").remove("django");
    assert_eq!(read, all);
}

/// A lifetime that one side sets is that of the cookie which the other sends.
async fn an_expiry_counts_on_both_sides(pair: &Pair) {
    for (expiry, wanted) in [(json!(3600), "Max-Age=3600"), (json!(0), "")] {
        let both = json!({"_session_expiry": expiry, "x": 1});
        for (first, second) in [
            (pair.django.port, pair.rust.port),
            (pair.rust.port, pair.django.port),
        ] {
            let path = |port| {
                if port == pair.django.port {
                    "/exchange/session/"
                } else {
                    "/session/"
                }
            };
            let mut visitor = pair.visitor();
            visitor.json(first, path(first), &both).await;
            let answer = visitor.json(second, path(second), &json!({"y": 1})).await;
            let field = answer.set_cookie("sessionid");
            assert!(!field.is_empty(), "{answer:?}");
            match wanted {
                "" => assert!(
                    !field.contains("Max-Age") && !field.contains("expires"),
                    "{field}"
                ),
                wanted => assert!(field.contains(wanted), "{field}"),
            }
        }
    }
}
