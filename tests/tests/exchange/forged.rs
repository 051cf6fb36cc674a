//! Rows as an attacker, an accident or another program would leave them: both sides must come to
//! the same answer, and say why.

use std::time::{SystemTime, UNIX_EPOCH};

use sealwax_tests::{Version, wait_until};
use serde_json::{Value, json};

use super::each_django;
use super::pair::{HOST, Home, Pair, Setup, session_key};

const SALT: &str = "django.contrib.sessions.SessionStore";
const DAY: f64 = 86_400.0;

each_django! {
    forged: rows_are_judged_as_django_4_2_does, rows_are_judged_as_django_5_2_does, rows_are_judged_as_django_6_does;
}

#[test]
fn rows_in_postgresql_are_judged_as_django_6_does() {
    let test = "rows_in_postgresql_are_judged_as_django_6_does";
    sealwax_tests::run(120, async {
        judge(Version::Six, test, &Home::postgres().await).await;
    });
}

async fn forged(version: Version, test: &str) {
    judge(version, test, &Home::sqlite()).await;
}

/// What both say of a row.
enum Verdict {
    Alice,
    /// Nobody, and nothing is logged.
    Nobody,
    /// Nobody, since the signature is wrong: both log it.
    Forged,
    /// Nobody, since what is signed cannot be read: the axum app logs it, Django does not.
    Unreadable,
}
use Verdict::{Alice, Forged, Nobody, Unreadable};

async fn judge(version: Version, test: &str, home: &Home) {
    let Some(pair) = Pair::start(version, test, home, &Setup::default()).await else {
        return;
    };
    let mut visitor = pair.visitor();
    pair.log_in_at_django(&mut visitor, "alice").await;
    let text = pair.stored(&session_key(&visitor)).await;
    let login: Value = serde_json::from_str(&text).expect("JSON");
    let mut logged = [0; 3];
    let mut cases = cases(&text, &login);
    if version != Version::Old {
        // Django 4.2 fails with 500 here.
        let mut login = login.clone();
        login["_auth_user_id"] = "9999999999999999999999".into();
        let how = json!({"json": login.to_string(), "salt": SALT, "stamp": now(), "expires": now() + DAY});
        cases.push(("a user who cannot be", how, Nobody));
    }
    for (what, how, verdict) in cases {
        check(&pair, what, &how, &verdict, &mut logged).await;
    }
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs_f64()
}

fn cases(text: &str, login: &Value) -> Vec<(&'static str, Value, Verdict)> {
    let with = |changes: Value| {
        let mut how = json!({"json": text, "salt": SALT, "stamp": now(), "expires": now() + DAY});
        for (name, value) in changes.as_object().expect("an object") {
            how[name] = value.clone();
        }
        how
    };
    let login_with = |name: &str, value: Value| {
        let mut login = login.clone();
        login[name] = value;
        with(json!({ "json": login.to_string() }))
    };
    let without = |name: &str| {
        let mut login = login.clone();
        login.as_object_mut().expect("an object").remove(name);
        with(json!({ "json": login.to_string() }))
    };
    vec![
        ("as it was", with(json!({})), Alice),
        ("compressed", with(json!({"compress": true})), Alice),
        (
            "long and compressed",
            with(
                json!({"json": format!("{},\"x\":\"{}\"}}", text.trim_end_matches('}'), "y".repeat(3000)), "compress": true}),
            ),
            Alice,
        ),
        (
            "in another order",
            with(json!({"json": login.to_string()})),
            Alice,
        ),
        (
            "with spaces",
            with(json!({"json": serde_json::to_string_pretty(login).expect("JSON")})),
            Alice,
        ),
        (
            "stamped ten years ago",
            with(json!({"stamp": now() - 3650.0 * DAY})),
            Alice,
        ),
        (
            "stamped in ten years",
            with(json!({"stamp": now() + 3650.0 * DAY})),
            Alice,
        ),
        ("stamped before 1970", with(json!({"stamp": -5})), Alice),
        (
            "expired a second ago",
            with(json!({"expires": now() - 1.0})),
            Nobody,
        ),
        ("expired in 1970", with(json!({"expires": 1})), Nobody),
        (
            "signed with another key",
            with(json!({"key": "x".repeat(50)})),
            Forged,
        ),
        (
            "signed for another purpose",
            with(json!({"salt": "django.contrib.sessions.backends.signed_cookies"})),
            Forged,
        ),
        (
            "signed by a project's own store",
            with(json!({"salt": "django.contrib.sessions.MyStore"})),
            Forged,
        ),
        ("a bit of the payload", with(json!({"flip": 0})), Forged),
        (
            "a bit in the payload's middle",
            with(json!({"flip": 40})),
            Forged,
        ),
        ("a bit of the stamp", with(json!({"flip": -46})), Forged),
        ("a bit of the signature", with(json!({"flip": -43})), Forged),
        (
            "a bit in the signature's middle",
            with(json!({"flip": -20})),
            Forged,
        ),
        ("nothing", with(json!({"instead": ""})), Forged),
        ("no signature", with(json!({"instead": "e30"})), Forged),
        ("only separators", with(json!({"instead": "::"})), Forged),
        (
            "text that was never Django's",
            with(json!({"instead": "{\"_auth_user_id\":\"1\"}"})),
            Forged,
        ),
        ("not JSON", with(json!({"json": "{\"a\":"})), Unreadable),
        (
            "another backend",
            login_with("_auth_user_backend", json!("evil.Backend")),
            Nobody,
        ),
        ("no backend", without("_auth_user_backend"), Nobody),
        ("no user", without("_auth_user_id"), Nobody),
        ("no hash", without("_auth_user_hash"), Nobody),
        (
            "a user who is not there",
            login_with("_auth_user_id", json!("4711")),
            Nobody,
        ),
        (
            "another user",
            login_with("_auth_user_id", json!("2")),
            Nobody,
        ),
        (
            "an empty hash",
            login_with("_auth_user_hash", json!("")),
            Nobody,
        ),
        (
            "another hash",
            login_with("_auth_user_hash", json!("0".repeat(64))),
            Nobody,
        ),
    ]
}

/// Asks both sides about a row; `logged` counts the lines that they have to have written by now:
/// the axum app's of either kind, and Django's.
async fn check(pair: &Pair, what: &str, how: &Value, verdict: &Verdict, logged: &mut [usize; 3]) {
    let row = "forged0forged0forged0forged0forg";
    let mut how = how.clone();
    how["row"] = row.into();
    let forge = pair
        .visitor()
        .json(pair.django.port, "/exchange/forge/", &how)
        .await;
    assert_eq!(forge.status, 200, "{what}: {}", forge.text());
    let mut asked = [None, None];
    let sides = [
        (pair.rust.port, "/me/"),
        (pair.django.port, "/exchange/me/"),
    ];
    for (seen, (port, path)) in asked.iter_mut().zip(sides) {
        // Either may delete the row, so it is made anew for each.
        pair.visitor()
            .json(pair.django.port, "/exchange/forge/", &how)
            .await;
        let mut visitor = sealwax_tests::Visitor::of(HOST);
        visitor.set_cookie("sessionid", row);
        let answer = visitor.get(port, path).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        *seen = answer.json()["username"].as_str().map(str::to_owned);
    }
    let wanted = matches!(verdict, Alice).then(|| "alice".to_owned());
    assert_eq!(asked, [wanted.clone(), wanted], "{what}: axum, Django");
    let log = match verdict {
        Alice | Nobody => [0, 0, 0],
        Forged => [1, 0, 1],
        Unreadable => [0, 1, 0],
    };
    for (total, more) in logged.iter_mut().zip(log) {
        *total += more;
    }
    let lines = || {
        let (rust, django) = (pair.rust.process.log(), pair.django.process.log());
        [
            rust.matches("signed with another key").count(),
            rust.matches("cannot be read").count(),
            django.matches("Session data corrupted").count(),
        ]
    };
    // A line may come later than the answer; one too many shows with the next case at the latest.
    let as_many = || (lines() == *logged).then_some(());
    wait_until(&format!("lines {logged:?} for {what}"), 5, as_many).await;
}
