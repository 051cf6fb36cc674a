//! Where a `next` may lead: what Django refuses is refused here, and mostly the other way round.

use sealwax_django::url_has_allowed_host_and_scheme;
use sealwax_tests::{Django, Version};
use serde_json::{Value, json};

use crate::ask;

/// What a redirect's target is put together from, hostile pieces among them.
const PIECES: &[&str] = &[
    "/",
    "//",
    "///",
    "\\",
    "/\\",
    ":",
    "@",
    "?",
    "#",
    ".",
    "..",
    "%2f",
    "%5c",
    "%",
    "[",
    "]",
    "[::1]",
    "http:",
    "https:",
    "HTTPS:",
    "hTTp:",
    "http://",
    "https://",
    "javascript:",
    "data:",
    "ftp:",
    "a1+-.:",
    "a.example",
    "A.example",
    "b.example:8443",
    "evil",
    "user:word@",
    "orders",
    "x=1",
    "1:2",
    "\t",
    "\n",
    "\r",
    "\0",
    "\u{8}",
    " ",
    "\u{a0}",
    "\u{ad}",
    "\u{2028}",
    "\u{ff0f}",
    "\u{2024}",
    "\u{e4}",
    "\u{feff}",
    "\u{202e}",
    "\u{1f600}",
];

#[test]
fn a_redirect_that_django_refuses_is_refused() {
    let hosts = ["a.example", "b.example:8443"];
    // Every one and every two pieces, and some thousands of three to six.
    let mut urls = vec![
        String::new(),
        format!("/{}", "a".repeat(2047)),
        format!("/{}", "a".repeat(2048)),
    ];
    for first in PIECES {
        urls.push((*first).to_owned());
        urls.extend(PIECES.iter().map(|second| format!("{first}{second}")));
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    for _ in 0..8000 {
        let length = 3 + next(4);
        urls.push((0..length).map(|_| PIECES[next(PIECES.len())]).collect());
    }
    let cases: Vec<(&String, bool)> = urls
        .iter()
        .flat_map(|url| [(url, false), (url, true)])
        .collect();
    let questions: String = cases
        .iter()
        .map(|(url, https)| {
            let question = json!({
                "op": "redirect", "url": url, "hosts": hosts, "https": https, "now": 0,
                "key": "any", "fallbacks": [],
            });
            format!("{question}\n")
        })
        .collect();
    for version in [Version::Old, Version::Lts, Version::Six] {
        let Some(django) = Django::available(version, "a_redirect_that_django_refuses_is_refused")
        else {
            continue;
        };
        let answers = ask(&django.python(), &["judge"], &questions);
        let mut both = 0;
        for ((url, https), answer) in cases.iter().zip(answers.lines()) {
            let answer: Value = serde_json::from_str(answer).expect("JSON");
            let theirs = answer["ok"]
                .as_bool()
                .unwrap_or_else(|| panic!("{url:?}: {answer}"));
            let ours = url_has_allowed_host_and_scheme(url, &hosts, *https);
            assert!(
                theirs || !ours,
                "{version:?} refuses {url:?}, https {https}"
            );
            both += usize::from(ours);
            // Where nothing can be read in two ways, both say the same.
            let plain = url
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
            let first = url.split(['/', '?', '#']).next().unwrap_or_default();
            let scheme =
                ["http:", "https:"].map(|known| first.to_ascii_lowercase().starts_with(known));
            let colon = first.contains(':') && !scheme.contains(&true);
            let hostless = ["//", "//?", "//#"].iter().any(|slashes| {
                url.strip_prefix(slashes)
                    .is_some_and(|rest| rest.is_empty() || slashes.len() > 2)
            });
            if plain && url.len() <= 2048 && !colon && !hostless {
                assert_eq!(ours, theirs, "{version:?} of {url:?}, https {https}");
            }
        }
        assert_eq!(answers.lines().count(), cases.len());
        assert!(both > 500, "{both}");
    }
}
