//! Known answers made by Django itself, in this very test: fresh keys, salts, payloads and clocks,
//! under Django 4.2, 5.2 and 6.
//!
//! What Django made is read here and made again byte for byte (where zlib's levels differ: to the
//! same contents). What was made here Django reads. And of hundreds of spoilt texts both say the
//! same: flipped bits, other salts, retired and forgotten keys, expired and future times.

mod redirects;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use sealwax_django::cookie::{self, Attributes};
use sealwax_django::csrf::CsrfSecret;
use sealwax_django::session::{Engine, Expiry, SessionCodec, SessionData};
use sealwax_django::{
    Algorithm, BadSignature, Keys, LegacySalt, LoadError, Message, MessagesCookie, SecretKey,
    SessionAuth, SignedCookie, Signer, TimestampSigner, UNPACKED_LIMIT, base62, dumps, pack,
    password, unpack,
};
use sealwax_tests::{Django, Version};
use serde_json::{Value, json};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/apps/vectors.py");
const CASES: &str = "60";

fn ask(python: &std::path::Path, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(python)
        .args(["-W", "ignore", SCRIPT])
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("python ends");
    let written = writer.join().expect("the writer ends");
    assert!(
        output.status.success() && written.is_ok(),
        "{SCRIPT} failed"
    );
    String::from_utf8(output.stdout).expect("JSON is text")
}

/// The vectors of one Django.
struct Vectors {
    python: std::path::PathBuf,
    tables: Value,
    cases: Vec<Value>,
}

fn vectors(version: Version, test: &str) -> Option<Vectors> {
    let python = Django::available(version, test)?.python();
    let mut made: Value =
        serde_json::from_str(&ask(&python, &["make", CASES], "")).expect("one JSON object");
    println!("{version:?}: seed {}", made["seed"]);
    let tables = made["tables"].take();
    let Value::Array(cases) = made["cases"].take() else {
        panic!("no cases")
    };
    Some(Vectors {
        python,
        tables,
        cases,
    })
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

fn keys(case: &Value) -> Keys {
    let key = |value: &Value| SecretKey::new(text(value)).expect("a key");
    let fallbacks = case["fallbacks"].as_array().into_iter().flatten();
    Keys::new(key(&case["key"])).with_fallbacks(fallbacks.map(key))
}

fn now(case: &Value) -> Duration {
    Duration::from_secs_f64(case["now"].as_f64().expect("a time"))
}

#[test]
fn what_django_made_is_made_again() {
    for version in [Version::Old, Version::Lts, Version::Six] {
        let Some(vectors) = vectors(version, "what_django_made_is_made_again") else {
            continue;
        };
        let legacy = version == Version::Old;
        for case in &vectors.cases {
            signatures(case);
            objects(case);
            sessions(case);
            messages(case);
            signed_cookies(case, legacy);
            let auth = SessionAuth::new(&keys(case));
            let column = text(&case["auth"]["password"]);
            assert_eq!(auth.hash(column), text(&case["auth"]["hash"]));
            assert!(auth.matches(column, text(&case["auth"]["hash"])).is_some());
        }
        tables(&vectors.tables);
    }
}

fn signatures(case: &Value) {
    let (keys, now) = (keys(case), now(case));
    let (salt, plain) = (text(&case["salt"]), text(&case["text"]));
    let signer = Signer::new(&keys, salt);
    let separated = signer.clone().with_separator("/.").expect("a separator");
    let stamped = TimestampSigner::new(&keys, salt);
    let cookies = TimestampSigner::for_cookies(&keys, salt);
    assert_eq!(signer.sign(plain), text(&case["signed"]));
    assert_eq!(signer.unsign(text(&case["signed"])), Ok(plain));
    assert_eq!(separated.sign(plain), text(&case["separated"]));
    assert_eq!(separated.unsign(text(&case["separated"])), Ok(plain));
    for (signer, made) in [
        (stamped, &case["stamped"]),
        (cookies, &case["cookie_signed"]),
    ] {
        assert_eq!(signer.sign(plain, now), text(made));
        assert_eq!(signer.unsign(text(made), None, now), Ok(plain));
    }
    let algorithms = case["algorithms"].as_object().expect("algorithms");
    assert_eq!(algorithms.len(), 5);
    for (name, made) in algorithms {
        let algorithm = Algorithm::from_name(name).expect("an algorithm");
        let signer = Signer::with_algorithm(&keys, salt, algorithm);
        assert_eq!(signer.sign(plain), text(made), "{name}");
        assert_eq!(signer.unsign(text(made)), Ok(plain), "{name}");
    }
}

fn objects(case: &Value) {
    let now = now(case);
    let signer = TimestampSigner::new(&keys(case), text(&case["salt"]));
    let wild = text(&case["wild"]["json"]);
    for form in ["plain", "compressed"] {
        let made = text(&case["wild"][form]);
        let payload = signer.unsign(made, None, now).expect("Django's signature");
        let bytes = unpack(payload, UNPACKED_LIMIT).expect("Django's payload");
        assert_eq!(String::from_utf8(bytes).as_deref(), Ok(wild));
        // Compression may take another way to the same contents; no compression may not.
        let again = signer.sign(&pack(wild.as_bytes(), form == "compressed"), now);
        if form == "plain" || !(payload.starts_with('.') || again.starts_with('.')) {
            assert_eq!(again, made);
        }
    }
    // The writer, against Python's: order, escapes, floats.
    let tame = text(&case["tame"]["json"]);
    let value: Value = serde_json::from_str(tame).expect("plain JSON");
    let made = text(&case["tame"]["plain"]);
    assert_eq!(
        dumps(&signer, &value, false, now).expect("JSON"),
        made,
        "{tame}"
    );
}

fn engine(name: &str) -> Engine {
    match name {
        "db" => Engine::Db,
        "file" => Engine::File,
        "cached_db" => Engine::CachedDb,
        "signed_cookies" => Engine::SignedCookies,
        class => Engine::Custom(class.to_owned()),
    }
}

fn sessions(case: &Value) {
    let (keys, now) = (keys(case), now(case));
    let json = text(&case["session"]["json"]);
    let texts = case["session"]["texts"].as_object().expect("texts");
    assert_eq!(texts.len(), 5);
    for (name, made) in texts {
        let codec = SessionCodec::new(&keys, &engine(name));
        let mut data = codec
            .decode(text(made), None, now)
            .expect("Django's session");
        assert_eq!(data.to_json(), json);
        let again = codec.encode(&data, now);
        if !(again.starts_with('.') || text(made).starts_with('.')) {
            assert_eq!(again, text(made));
        }
        // Touched and put back, the rest stays as Python wrote it.
        data.insert("sealwax", &1).expect("a number");
        assert!(data.remove("sealwax"));
        assert_eq!(data.to_json(), json);
        for (name, raw) in data.iter() {
            assert!(data.contains(&name), "{name}");
            assert!(json.contains(raw));
        }
    }
}

fn listed(messages: &[Message]) -> Value {
    let row = |m: &Message| json!([m.level, m.text, m.extra_tags, m.safe]);
    Value::Array(messages.iter().map(row).collect())
}

fn messages(case: &Value) {
    let now = now(case);
    let cookie = MessagesCookie::new(&keys(case));
    let made = &case["messages"];
    let received = cookie
        .read(text(&made["cookie"]), now)
        .expect("Django's messages");
    assert_eq!(listed(&received.messages), made["list"]);
    assert!(received.all);
    let again = cookie.store(&received.messages, now).cookie;
    let plain = text(&made["plain"]);
    match again {
        None => assert!(received.messages.is_empty()),
        Some(again) if again.starts_with('.') || text(&made["cookie"]).starts_with('.') => {
            let read = cookie.read(&again, now).expect("our own messages");
            assert_eq!(read.messages, received.messages);
        }
        Some(again) => assert_eq!(again, plain),
    }
}

fn signed_cookies(case: &Value, legacy: bool) {
    let (keys, now) = (keys(case), now(case));
    let made = &case["cookie"];
    let salt = if legacy {
        LegacySalt::Write
    } else {
        LegacySalt::Off
    };
    let cookie =
        |legacy| SignedCookie::new(&keys, text(&made["name"]), text(&made["salt"]), legacy);
    assert_eq!(
        cookie(salt).sign(text(&made["plain"]), now),
        text(&made["value"])
    );
    for (reader, reads) in [
        (LegacySalt::Off, !legacy),
        (LegacySalt::Read, true),
        (LegacySalt::Write, true),
    ] {
        let read = cookie(reader).unsign(text(&made["value"]), None, now);
        let expected = if reads {
            Ok(text(&made["plain"]))
        } else {
            Err(BadSignature::Mismatch)
        };
        assert_eq!(read, expected, "{reader:?}");
    }
}

fn tables(tables: &Value) {
    let rows = |name: &str| {
        tables[name]
            .as_array()
            .unwrap_or_else(|| panic!("no {name}"))
    };
    for row in rows("csrf") {
        let secret = CsrfSecret::parse(text(&row[1])).expect("Django's token");
        assert_eq!(secret.as_str(), text(&row[0]));
    }
    for row in rows("passwords") {
        let column = text(&row[1]);
        assert_eq!(
            password::verify(text(&row[0]), column),
            Ok(true),
            "{column}"
        );
        assert_eq!(password::verify("another", column), Ok(false), "{column}");
    }
    for row in rows("base62") {
        let number = row[0].as_i64().expect("64 bits");
        assert_eq!(base62::encode(number), text(&row[1]));
        assert_eq!(base62::decode(text(&row[1])), Ok(number));
    }
    let mut data = SessionData::new();
    for row in rows("floats") {
        let number = text(&row[1]).parse::<f64>().expect("a float");
        data.insert("number", &number).expect("a number");
        assert_eq!(data.raw("number"), row[1].as_str());
        assert_eq!(data.get("number").expect("there").ok(), Some(number));
    }
    let two_weeks = Duration::from_secs(1_209_600);
    for row in rows("expiries") {
        let data = SessionData::from_json(text(&row["json"])).expect("Django's session");
        let expiry = Expiry::of(&data).expect("Django's expiry");
        let now = Duration::from_micros(row["now"].as_u64().expect("a time"));
        assert_eq!(
            Some(expiry.age(two_weeks, now)),
            row["age"].as_i64(),
            "{row}"
        );
        let date = Duration::from_micros(row["date"].as_u64().expect("a time"));
        assert_eq!(expiry.date(two_weeks, now), date, "{row}");
        assert_eq!(
            Some(expiry.at_browser_close(false)),
            row["close"].as_bool(),
            "{row}"
        );
    }
    for row in rows("formats") {
        let given = &row["attributes"];
        let attributes = Attributes {
            domain: given["domain"].as_str(),
            expires: given["expires"].as_str(),
            http_only: given["httponly"] == true,
            max_age: given["max-age"].as_i64(),
            path: given["path"].as_str(),
            same_site: given["samesite"].as_str(),
            secure: given["secure"] == true,
            ..Attributes::default()
        };
        let field = cookie::format("name", text(&row["value"]), &attributes);
        assert_eq!(field.as_deref(), Ok(text(&row["field"])), "{row}");
    }
    for row in rows("parses") {
        let header = text(&row[0]);
        let read: Vec<_> = cookie::parse(header)
            .iter()
            .map(|(n, v)| json!([n, v]))
            .collect();
        assert_eq!(Value::Array(read), row[1], "{header:?}");
    }
}

/// One question to Django, and what it has to answer.
struct Question {
    asked: Value,
    expected: Value,
}

/// A result in the judge's words.
fn verdict(result: Result<Value, &BadSignature>) -> Value {
    match result {
        Ok(value) => json!({ "ok": value }),
        Err(BadSignature::Expired { .. }) => json!({"err": "SignatureExpired"}),
        Err(BadSignature::BadTimestamp) => json!({"err": "ValueError"}),
        Err(_) => json!({"err": "BadSignature"}),
    }
}

/// The text as it is, and spoilt in every way that a channel or an attacker might.
fn spoilt(whole: &str, step: usize) -> Vec<String> {
    let mut texts = vec![
        whole.to_owned(),
        String::new(),
        whole.replace(':', ""),
        format!("{whole}="),
    ];
    let characters: Vec<char> = whole.chars().collect();
    for at in (0..characters.len()).step_by(step.max(1)) {
        let mut flipped = characters.clone();
        flipped[at] = char::from_u32(u32::from(flipped[at]) ^ 1).unwrap_or('x');
        texts.push(flipped.iter().collect());
        texts.push(characters[..at].iter().collect());
    }
    texts
}

/// Keys with which a text of the case is read: its own, as a fallback, and another.
fn rings(case: &Value) -> [Value; 3] {
    let key = &case["key"];
    let ring = |key: Value, fallbacks: Value| json!({"key": key, "fallbacks": fallbacks});
    [
        ring(key.clone(), json!([])),
        ring(json!("new"), json!(["older", key])),
        ring(json!("new"), json!(["older"])),
    ]
}

#[test]
fn django_says_the_same_of_every_text() {
    for version in [Version::Old, Version::Lts, Version::Six] {
        let Some(vectors) = vectors(version, "django_says_the_same_of_every_text") else {
            continue;
        };
        let mut questions = Vec::new();
        for (number, case) in vectors.cases.iter().enumerate() {
            for ring in rings(case) {
                ask_stamped(case, &ring, number, &mut questions);
                ask_session(case, &ring, number, &mut questions);
                ask_cookie(case, &ring, version, &mut questions);
                ask_others(case, &ring, &mut questions);
            }
        }
        let input: String = questions.iter().map(|q| format!("{}\n", q.asked)).collect();
        let answers = ask(&vectors.python, &["judge"], &input);
        let answers: Vec<&str> = answers.lines().collect();
        assert_eq!(answers.len(), questions.len());
        let mut refused = 0;
        for (question, answer) in questions.iter().zip(answers) {
            let answer: Value = serde_json::from_str(answer).expect("JSON");
            refused += usize::from(answer["err"].is_string());
            assert_eq!(answer, question.expected, "{}", question.asked);
        }
        println!(
            "{version:?}: {} questions, {refused} refusals",
            questions.len()
        );
        assert!(refused > 1000 && questions.len() - refused > 1000);
    }
}

fn question(ring: &Value, fields: Value, expected: Value) -> Question {
    let mut asked = ring.clone();
    for (name, value) in fields.as_object().expect("fields") {
        asked[name] = value.clone();
    }
    Question { asked, expected }
}

fn ask_stamped(case: &Value, ring: &Value, number: usize, questions: &mut Vec<Question>) {
    let (salt, made) = (text(&case["salt"]), now(case));
    let signer = TimestampSigner::new(&keys(ring), salt);
    let step = 7 + number % 5;
    let own = TimestampSigner::new(&keys(case), salt).sign("ours: \u{fc}", made);
    for whole in [text(&case["stamped"]), &own, text(&case["signed"])] {
        for whole in spoilt(whole, step) {
            let read = signer.unsign(&whole, None, made);
            let fields = json!({"op": "unstamp", "salt": salt, "text": whole, "now": case["now"]});
            questions.push(question(
                ring,
                fields,
                verdict(read.as_ref().map(|&v| v.into())),
            ));
        }
        // Read earlier than made, in time, on the second and later.
        for (late, max_age) in [(0.0, 0.0), (5.0, 5.0), (6.0, 5.5), (6.0, 5.0), (-9e3, 1.0)] {
            let then = case["now"].as_f64().expect("a time").floor() + late;
            if then < 0.0 {
                continue;
            }
            let max = Some(Duration::from_secs_f64(max_age));
            let read = signer.unsign(whole, max, Duration::from_secs_f64(then));
            let fields = json!({"op": "unstamp", "salt": salt, "text": whole, "now": then, "max_age": max_age});
            questions.push(question(
                ring,
                fields,
                verdict(read.as_ref().map(|&v| v.into())),
            ));
        }
    }
    let other = format!("{salt}2");
    let read = TimestampSigner::new(&keys(ring), &other).unsign(&own, None, made);
    let fields = json!({"op": "unstamp", "salt": other, "text": own, "now": case["now"]});
    questions.push(question(
        ring,
        fields,
        verdict(read.as_ref().map(|&v| v.into())),
    ));
}

fn ask_session(case: &Value, ring: &Value, number: usize, questions: &mut Vec<Question>) {
    let now = now(case);
    let names = ["db", "file", "cached_db", "OwnStore"];
    let (writer, reader) = (names[number % 4], names[(number / 2) % 4]);
    let mut data = SessionData::from_json(text(&case["session"]["json"])).expect("a session");
    data.insert("by Rust", &json!({"\u{e9}": [1.5, "\u{1f600}\u{7f}"]}))
        .expect("JSON");
    let own = SessionCodec::new(&keys(case), &engine(writer)).encode(&data, now);
    let codec = SessionCodec::new(&keys(ring), &engine(reader));
    for whole in spoilt(&own, own.len() / 6)
        .into_iter()
        .chain([text(&case["session"]["texts"][writer]).to_owned()])
    {
        let read = codec.decode(&whole, None, now);
        // Django takes what is refused for empty.
        let json = read.as_ref().map_or("{}".into(), SessionData::to_json);
        let fields = json!({"op": "session", "engine": reader, "text": whole, "now": case["now"]});
        questions.push(question(ring, fields, json!({ "ok": json })));
    }
    let own = SessionCodec::new(&keys(case), &Engine::SignedCookies).encode(&data, now);
    let codec = SessionCodec::new(&keys(ring), &Engine::SignedCookies);
    for late in [0.0, 60.0, 61.0] {
        let then = case["now"].as_f64().expect("a time").floor() + late;
        let max = Some(Duration::from_secs(60));
        let read = codec.decode(&own, max, Duration::from_secs_f64(then));
        let json = read.as_ref().map_or("{}".into(), SessionData::to_json);
        let fields = json!({"op": "session_cookie", "text": own, "now": then, "max_age": 60});
        questions.push(question(ring, fields, json!({ "ok": json })));
    }
}

fn ask_cookie(case: &Value, ring: &Value, version: Version, questions: &mut Vec<Question>) {
    let (name, salt) = (text(&case["cookie"]["name"]), text(&case["cookie"]["salt"]));
    let made = now(case);
    let old = version == Version::Old;
    for writer in [LegacySalt::Off, LegacySalt::Write] {
        let own = SignedCookie::new(&keys(case), name, salt, writer).sign("hello", made);
        for legacy in [false, true] {
            // Before 5.2.15 Django knew the old salt only, and nothing of the setting.
            let reader = if legacy || old {
                LegacySalt::Read
            } else {
                LegacySalt::Off
            };
            if old && writer == LegacySalt::Off {
                continue;
            }
            for (whole, late) in [
                (own.clone(), 0.0),
                (own.clone(), 99.0),
                (format!("x{own}"), 0.0),
            ] {
                let then = case["now"].as_f64().expect("a time").floor() + late;
                let max = Some(Duration::from_secs(10));
                let cookie = SignedCookie::new(&keys(ring), name, salt, reader);
                let read = cookie.unsign(&whole, max, Duration::from_secs_f64(then));
                let fields = json!({"op": "cookie", "name": name, "salt": salt, "text": whole,
                    "now": then, "max_age": 10, "legacy": legacy});
                questions.push(question(
                    ring,
                    fields,
                    verdict(read.as_ref().map(|&v| v.into())),
                ));
            }
        }
    }
}

fn ask_others(case: &Value, ring: &Value, questions: &mut Vec<Question>) {
    let (made, at) = (now(case), &case["now"]);
    // An object of our making.
    let salt = text(&case["salt"]);
    let value: Value = serde_json::from_str(text(&case["tame"]["json"])).expect("JSON");
    let signer = TimestampSigner::new(&keys(case), salt);
    let own = dumps(&signer, &value, true, made).expect("JSON");
    let read: Result<Value, _> =
        sealwax_django::loads(&TimestampSigner::new(&keys(ring), salt), &own, None, made);
    let expected = match &read {
        Ok(read) => {
            assert_eq!(*read, value);
            verdict(Ok(case["tame"]["json"].clone()))
        }
        Err(LoadError::Signature(error)) => verdict(Err(error)),
        Err(error) => panic!("{error}"),
    };
    let fields = json!({"op": "loads", "salt": salt, "text": own, "now": at});
    questions.push(question(ring, fields, expected));

    // Messages; those that find no room are told of.
    let mut list: Vec<Message> = vec![Message::new(20, "\u{fc}\u{1f600}\"")];
    list.push(Message {
        safe: true,
        extra_tags: Some("a b".into()),
        ..Message::new(25, "<b>")
    });
    for count in [0, 3, 60] {
        let filler = |n: usize| {
            Message::new(
                10,
                format!("{n} {}", base62::encode((n * 7_919_777) as i64).repeat(6)),
            )
        };
        list.extend((0..count).map(filler));
        let stored = MessagesCookie::new(&keys(case)).store(&list, made);
        let own = stored.cookie.expect("a cookie");
        assert!(own.len() <= sealwax_django::MESSAGES_LIMIT);
        let kept = &list[stored.left_out..];
        let read = MessagesCookie::new(&keys(ring)).read(&own, made);
        let expected = match read {
            Ok(read) => {
                assert_eq!(read.messages, kept);
                assert_eq!(read.all, stored.left_out == 0);
                json!({"list": listed(kept), "all": read.all})
            }
            Err(_) => Value::Null,
        };
        let fields = json!({"op": "messages", "text": own, "now": at});
        questions.push(question(ring, fields, json!({ "ok": expected })));
    }

    // Who is logged in, a token and a password.
    let column = text(&case["auth"]["password"]);
    let hash = SessionAuth::new(&keys(case)).hash(column);
    let used = SessionAuth::new(&keys(ring)).matches(column, &hash);
    let place = used.map(|used| match used {
        sealwax_django::KeyUsed::Current => 0,
        sealwax_django::KeyUsed::Fallback(index) => index + 1,
    });
    let fields = json!({"op": "auth", "password": column, "text": hash, "now": at});
    questions.push(question(ring, fields, json!({ "ok": place })));

    let random = |salt: &str| -> [u8; 32] {
        std::array::from_fn(|n| (n * 31 + salt.len() * 7) as u8 ^ column.len() as u8)
    };
    let secret = CsrfSecret::from_random(&random(salt));
    let other = CsrfSecret::from_random(&random("another salt"));
    for (token, fits) in [
        (secret.mask(&random(&hash)), true),
        (other.mask(&random(salt)), other.matches(&secret)),
    ] {
        let fields = json!({"op": "csrf", "text": token, "secret": secret.as_str(), "now": at});
        questions.push(question(ring, fields, json!({ "ok": fits })));
    }
    let encoded = password::encode(salt, "seasalt", 10);
    for (tried, fits) in [(salt, true), ("another", salt == "another")] {
        let fields = json!({"op": "password", "password": tried, "text": encoded, "now": at});
        questions.push(question(ring, fields, json!({ "ok": fits })));
    }
}
