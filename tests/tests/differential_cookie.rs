//! Our reading of cookies beside that of the programs that decide: Chromium for Set-Cookie,
//! Django for Cookie. Where they differ, ours is wrong.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use sealwax_cookie::{Pairing, SameSite, SameSiteAttribute, SetCookie, pairs};
use sealwax_tests::{Authority, Chromium, Cookie, Django, Request, Step, Upstream, Version, run};

const HOST: &str = "app.example.test";
const PATH: &str = "/dir/page";

/// By hand: what RFC 6265bis, 5.6 is careful about.
const FIELDS: &[&str] = &[
    "a=b",
    "a=b;",
    "a=b;;;",
    " a = b ",
    "a\t=\tb",
    "a=",
    "a",
    "=b",
    "=",
    ";",
    "a=b=c",
    "a==b",
    "a=\"b\"",
    "a=\"b;c\"",
    "a=\"b\"; Path=\"/\"",
    "a b=c",
    "a=b c",
    "a=b\u{e9}",
    "\u{e9}=b",
    "a=b; ",
    "a=b ;Path=/",
    "a=b; path=/ ",
    "a=b; PATH=/x",
    "a=b; Path",
    "a=b; Path=",
    "a=b; Path=x",
    "a=b; Path=/x; Path=/y",
    "a=b; Path=/x; Path=y",
    "a=b; Path=/x; Path",
    "a=b; Path=/x/../y",
    "a=b; Path=//x",
    "a=b; Domain=example.test",
    "a=b; Domain=.example.test",
    "a=b; Domain=..example.test",
    "a=b; Domain=EXAMPLE.test",
    "a=b; Domain=app.example.test",
    "a=b; Domain=",
    "a=b; Domain",
    "a=b; Domain=example.test; Domain=",
    "a=b; Domain=other.test; Domain=example.test",
    "a=b; Domain=other.test",
    "a=b; Domain=test",
    "a=b; Secure",
    "a=b; secure",
    "a=b; SECURE=no",
    "a=b; Secure=",
    "a=b;Secure;HttpOnly",
    "a=b; httponly=1",
    "a=b; Http-Only",
    "a=b; HttpOnly x",
    "a=b; SameSite=Lax",
    "a=b; samesite=STRICT",
    "a=b; SameSite=none; Secure",
    "a=b; SameSite=None",
    "a=b; SameSite",
    "a=b; SameSite=",
    "a=b; SameSite=Bogus",
    "a=b; SameSite=Strict; SameSite=Lax",
    "a=b; SameSite=Strict; SameSite=Bogus",
    "a=b; SameSite=Bogus; SameSite=Strict",
    "a=b; SameSite=\"Lax\"",
    "a=b; SameSite= Lax ",
    "a=b; Same-Site=Lax",
    "a=b; Max-Age=60",
    "a=b; Max-Age=0",
    "a=b; Max-Age=-1",
    "a=b; Max-Age=60s",
    "a=b; Max-Age=",
    "a=b; Max-Age=\"60\"",
    "a=b; Max-Age=99999999999999999999",
    "a=b; Max-Age=-99999999999999999999",
    "a=b; Max-Age=60; Max-Age=120",
    "a=b; Max-Age=-",
    "a=b; max-age=060",
    "a=b; Max-Age=6 0",
    "a=b; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
    "a=b; Expires=Wed, 01-Jan-2031 00:00:00 GMT",
    "a=b; expires=Wed, 01-Jan-31 00:00:00 GMT",
    "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "a=b; Expires=01 January 2031 1:2:3",
    "a=b; Expires=1:2:3 2031 Jan 1",
    "a=b; Expires=Wed Jan  1 00:00:00 2031",
    "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT",
    "a=b; Expires=never",
    "a=b; Expires=",
    "a=b; Expires=0",
    "a=b; Expires=Wed, 31 Feb 2031 00:00:00 GMT",
    "a=b; Expires=Wed, 01 Jan 2031 24:00:00 GMT",
    "a=b; Expires=Wed, 01 Jan 2031 00:60:00 GMT",
    "a=b; Expires=Wed, 32 Jan 2031 00:00:00 GMT",
    "a=b; Expires=01 Jan 69 00:00:00",
    "a=b; Expires=01 Jan 70 00:00:00",
    "a=b; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "a=b; Max-Age=0; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
    "a=b; Max-Age=x; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
    "__Host-a=b; Secure; Path=/",
    "__Secure-a=b; Secure",
    "__Host-a=b; Secure; Path=/; HttpOnly; SameSite=Strict",
    "__Http-a=b; Secure; HttpOnly",
    "__Host-Http-a=b; Secure; HttpOnly; Path=/",
    "=__Host-a",
    "__Secure-",
    "=__secure-x=y",
    "a=b; Priority=High; Unknown; x=y",
    "a=b; Partitioned; Secure; SameSite=None; Path=/",
    "a={\"x\":1,\"y\":[2]}",
    "a[0]=b",
    "a=\u{1}",
    "a=b\u{7f}",
    "a\u{1}=b",
    "a=b; Path=/\u{1}",
    "a=b; Pa\u{1}th=/",
    "a=\tb\t",
    "$a=b",
    "a,b=c",
    "a=b,c=d",
    "a\\=b",
    "(a)=b",
    "a=b; Comment=x; Version=1; Secure",
];

/// Where Chromium 156 leaves the text of RFC 6265bis and we stay with it. All of it concerns
/// lifetimes and one control byte: nothing that a protection hangs on. A line that is no
/// longer true fails the test.
const DEVIATIONS: &[&str] = &[
    // 5.6.2: a Max-Age that begins with neither digit nor `-` is ignored; Chromium takes `+`.
    "a=b; Max-Age=+60",
    // 5.6.1 and 5.6.2: an attribute that is ignored replaces no earlier one; in Chromium it does.
    "a=b; Max-Age=60; Max-Age=x",
    "a=b; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Expires=never",
    // 5.1.1: a year before 1601 is no date; in Chromium it has passed.
    "a=b; Expires=Wed, 01 Jan 1600 00:00:00 GMT",
    // 5.6 lets a tab through; Chromium refuses the cookie.
    "a=b\tc",
];

/// Pieces to be thrown together.
const NAMES: &[&str] = &["a=b", "sid=\"x y\"", "n", "=v", "x= y ", "utf=\u{2713}"];
const PIECES: &[&str] = &[
    "Secure",
    " secure ",
    "SECURE=x",
    "HttpOnly",
    "httponly=",
    "Path=/",
    "path=/dir",
    "Path=",
    "Path=x",
    "Domain=example.test",
    "Domain=.example.test",
    "Domain=",
    "SameSite=Lax",
    "samesite = strict",
    "SameSite=Bogus",
    "SameSite=None",
    "Max-Age=100",
    "max-age = 200 ",
    "Expires=Wed, 01 Jan 2031 00:00:00 GMT",
    "",
    " ",
    "Unknown=1",
    "=",
    "==x",
];

/// Fields of random pieces, the same in every run (xorshift).
fn random_fields(count: usize) -> Vec<String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    (0..count)
        .map(|_| {
            let mut field = NAMES[next(NAMES.len())].to_owned();
            for _ in 0..next(7) {
                field.push(';');
                field.push_str(PIECES[next(PIECES.len())]);
            }
            field
        })
        .collect()
}

/// What a browser at `HOST` stores after our reading of the field.
fn ours(field: &str, now: i64) -> Option<Cookie> {
    let cookie = SetCookie::parse(field.as_bytes()).ok()?;
    let same_site = match cookie.same_site() {
        SameSiteAttribute::Is(SameSite::None) => "None",
        SameSiteAttribute::Is(SameSite::Lax) => "Lax",
        SameSiteAttribute::Is(SameSite::Strict) => "Strict",
        _ => "",
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let domain = match cookie.domain() {
        None => HOST.to_owned(),
        Some(domain) => {
            let domain = text(domain).to_lowercase();
            // Domain matching and the public suffix are the jar's business, not the parser's.
            if domain != HOST && domain != "example.test" {
                return None;
            }
            format!(".{domain}")
        }
    };
    if cookie.is_deletion(now) || same_site == "None" && !cookie.secure() {
        return None;
    }
    let name = text(cookie.name());
    if name.to_lowercase().starts_with("__secure-") && !cookie.secure() {
        return None;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds of this century are exact"
    )]
    let expires = cookie.expiry(now).map(|time| time as f64);
    Some(Cookie {
        name,
        value: text(cookie.value()),
        domain,
        path: text(cookie.effective_path(PATH.as_bytes())),
        expires,
        http_only: cookie.http_only(),
        secure: cookie.secure(),
        same_site: same_site.to_owned(),
    })
}

/// Equal but for the seconds that pass between two clocks.
fn same(ours: &Option<Cookie>, theirs: &Option<Cookie>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => {
            let near = match (ours.expires, theirs.expires) {
                (Some(ours), Some(theirs)) => (ours - theirs).abs() < 10.0,
                (ours, theirs) => ours == theirs,
            };
            near && Cookie {
                expires: None,
                ..ours.clone()
            } == Cookie {
                expires: None,
                ..theirs.clone()
            }
        }
        (ours, theirs) => ours.is_none() && theirs.is_none(),
    }
}

#[test]
fn chromium_stores_what_we_read() {
    run(120, async {
        let mut fields: Vec<String> = FIELDS.iter().map(|&field| field.to_owned()).collect();
        fields.extend(random_fields(250));
        for total in [4095, 4096, 4097] {
            fields.push(format!("long={}", "v".repeat(total - "long".len())));
        }
        for length in [1023, 1024, 1025] {
            fields.push(format!("p=1; Path=/{}", "x".repeat(length - 1)));
        }
        let agreed = fields.len();
        fields.extend(DEVIATIONS.iter().map(|&field| field.to_owned()));
        let served = fields.clone();
        let authority = Authority::new();
        let server = Upstream::tls(&authority, &[HOST], move |request: &Request| {
            let number = request
                .target()
                .split_once('?')
                .and_then(|(_, number)| number.parse::<usize>().ok());
            match number {
                Some(number) => Step::response(200, &[("Set-Cookie", &served[number])], "ok"),
                None => Step::page(&[], "<p>page</p>"),
            }
        })
        .await;
        let browser = Chromium::start(&[&authority.root()], "").await;
        let page = browser.page().await;
        page.goto(&format!("https://{HOST}:{}{PATH}", server.port()))
            .await;
        let mut wrong = Vec::new();
        for (number, field) in fields.iter().enumerate() {
            page.eval(&format!(
                "fetch('{PATH}?{number}').then(answer => answer.text())"
            ))
            .await;
            let now = i64::try_from(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap()
                    .as_secs(),
            )
            .unwrap();
            let stored = browser.cookies().await;
            assert!(stored.len() <= 1, "{field:?}: {stored:#?}");
            let (ours, theirs) = (ours(field, now), stored.into_iter().next());
            if same(&ours, &theirs) != (number < agreed) {
                wrong.push(format!(
                    "{field:?}\n    ours   {ours:?}\n    theirs {theirs:?}"
                ));
            }
            if theirs.is_some() {
                browser.clear_cookies().await;
            }
        }
        assert!(
            wrong.is_empty(),
            "{} of {} are not as expected:\n{}",
            wrong.len(),
            fields.len(),
            wrong.join("\n")
        );
    });
}

const HEADERS: &[&str] = &[
    "a=b",
    "a=b; c=d",
    "a=b;c=d",
    " a = b ;; c=d ; ",
    "a=b; a=c",
    "a",
    "=a",
    "a=\"b\"",
    "a=\"b; c=d\"",
    "a=\"\\054\"; b=1",
    "a=\"x",
    "a=x\"",
    "a=\"",
    "\u{2000}a=b",
    "a\u{a0}=b",
    "\u{3000}__Host-a=evil; __Host-a=good",
    "\u{85}a=b; a=c",
    "\x0ba=b",
    "\x0ca=b; c=d",
    "\x1ca=b",
    "a=b\x0b",
    "$Version=1; a=b",
    "$Version=1,a=b",
    "a,b=c",
    "a:b=c",
    "a[0]=b",
    "a={\"x\":1,\"y\":[2]}",
    "a=caf\u{e9}",
    "\u{e9}=b; c=d",
    "a=b=c",
    "a==",
    "a=; b=",
    "a=%20; b=+",
    "a=b\tc",
    "a=\u{2003}b\u{2003}; c=d",
];

#[test]
fn django_reads_from_our_header_what_we_read() {
    let read: Vec<Vec<(String, String)>> = HEADERS
        .iter()
        .map(|header| {
            pairs([header.as_bytes()])
                .filter_map(Pairing::good)
                .map(|pair| {
                    (
                        String::from_utf8_lossy(pair.name).into_owned(),
                        String::from_utf8_lossy(pair.value).into_owned(),
                    )
                })
                .collect()
        })
        .collect();
    let canonical: Vec<String> = read
        .iter()
        .map(|pairs| {
            pairs
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join("; ")
        })
        .collect();
    for version in [Version::Lts, Version::Six] {
        let Some(django) = Django::available(
            version,
            "django_reads_from_our_header_what_we_read (Django 6)",
        ) else {
            continue;
        };
        let script = "import json, sys\nfrom django.http import parse_cookie\nprint(json.dumps([parse_cookie(header) for header in json.load(sys.stdin)]))";
        let mut child = Command::new(django.python())
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(serde_json::to_string(&canonical).unwrap().as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let theirs: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_slice(&output.stdout).unwrap();
        for ((header, ours), theirs) in HEADERS.iter().zip(&read).zip(&theirs) {
            let mut names: Vec<_> = ours.iter().map(|(name, _)| name.clone()).collect();
            names.sort();
            names.dedup();
            let found: Vec<_> = theirs.keys().cloned().collect();
            assert_eq!(names, found, "{header:?}");
            for (name, value) in theirs {
                // Django lets the last of equal names win, and takes quotes away.
                let last = &ours.iter().rfind(|(found, _)| found == name).unwrap().1;
                if !last.starts_with('"') {
                    // Python strips Unicode white space from values; that harms nothing.
                    assert_eq!(value.as_str().unwrap(), last.trim(), "{header:?}");
                }
            }
        }
    }
}

#[test]
fn without_us_django_is_fooled_by_white_space() {
    // The reason for the canonical header; if this fails one day, Django has mended it.
    let script = "from django.http import parse_cookie\nprint(parse_cookie('__Host-sessionid=real; \\u2000__Host-sessionid=evil')['__Host-sessionid'])";
    let output = Command::new(Django::new(Version::Lts).python())
        .args(["-c", script])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "evil");
}

#[test]
fn the_vectors_of_the_cookie_crate_are_what_django_says_today() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sealwax-cookie/tests");
    let committed = std::fs::read_to_string(directory.join("django_vectors.txt")).unwrap();
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    for version in [Version::Lts, Version::Six] {
        let test = "the_vectors_of_the_cookie_crate_are_what_django_says_today (Django 6)";
        let Some(django) = Django::available(version, test) else {
            continue;
        };
        let output = Command::new(django.python())
            .arg(directory.join("django_vectors.py"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let made = lines(&String::from_utf8_lossy(&output.stdout));
        let committed = lines(&committed);
        assert_eq!(made.len(), committed.len(), "{version:?}");
        for (made, committed) in made.iter().zip(&committed) {
            assert_eq!(made, committed, "{version:?}");
        }
    }
}
