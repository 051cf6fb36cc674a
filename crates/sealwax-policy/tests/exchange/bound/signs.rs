//! Signs of theft: an honest browser gives none, a thief does.

use super::*;

fn signs(seen: &Seen) -> Vec<&'static str> {
    let told = seen.changes.iter().filter(|change| change.notable);
    told.map(|change| change.rule)
        .filter(|rule| rule.is_sign_of_theft())
        .map(sealwax_policy::Rule::id)
        .collect()
}

/// As a browser whose proof is over sends it.
fn without_proof(play: &mut Play) {
    play.jar.remove("__Host-sealwax-proof");
}

#[test]
fn an_honest_browser_gives_no_sign_of_theft() {
    let mut play = Play::logged_in();
    let none: [&str; 0] = [];
    for later in [0, LIFETIME + 1] {
        // A refresh comes with the cookie and without a proof.
        play.now += later;
        without_proof(&mut play);
        play.challenge = None;
        for _ in 0..2 {
            let seen = play.refresh_once();
            assert_eq!(signs(&seen), none);
            let Some(challenge) = seen.headers.get("secure-session-challenge") else {
                continue;
            };
            play.challenge = Some(between(&text(challenge), "\""));
        }
        assert_eq!(signs(&play.send("GET /", NAVIGATE, "200")), none);
        // No browser refreshes for what another site has started.
        without_proof(&mut play);
        for (line, fields) in [
            ("GET /", LINK_ELSEWHERE),
            ("POST /", LINK_ELSEWHERE),
            (
                "GET /",
                "sec-fetch-site: cross-site\nsec-fetch-mode: navigate\nsec-fetch-dest: iframe",
            ),
            (
                "GET /",
                "sec-fetch-site: same-site\nsec-fetch-mode: no-cors\nsec-fetch-dest: image",
            ),
        ] {
            let seen = play.send(line, fields, "200");
            assert!(
                seen.has("bind.unproven"),
                "{line} {fields}: {:?}",
                seen.rules()
            );
            assert_eq!(signs(&seen), none, "{line} {fields}");
        }
        play.refresh();
        // A fresh path, and the one chain of redirects that is refreshed once only.
        let seen = play.send("GET /password/", NAVIGATE, "200");
        assert_eq!((seen.app.clone(), signs(&seen)), (Err(307), none.to_vec()));
        let seen = play.send("GET /password/", NAVIGATE, "200");
        assert_eq!(signs(&seen), none, "{:?}", seen.rules());
        play.refresh();
    }
}

#[test]
fn a_thief_gives_one_with_his_first_request() {
    let mut play = Play::logged_in();
    let sealed = play.jar["__Host-sessionid"].clone();
    let cookie = format!("__Host-sessionid={sealed}");
    for fields in ["", NAVIGATE, FETCH, "secure-session-skipped: unreachable"] {
        let seen = play.raw("GET /", fields, &cookie, "200");
        assert_eq!(signs(&seen), ["bind.unproven"], "{fields}");
    }
    let mallory = Play::logged_in();
    let proof = &mallory.jar["__Host-sealwax-proof"];
    let seen = play.raw(
        "GET /",
        FETCH,
        &format!("{cookie}; __Host-sealwax-proof={proof}"),
        "200",
    );
    assert_eq!(signs(&seen), ["bind.other-key"]);
    let seen = play.raw("GET /", FETCH, &format!("{cookie}AA"), "200");
    assert_eq!(signs(&seen), ["seal.forged"]);
}
