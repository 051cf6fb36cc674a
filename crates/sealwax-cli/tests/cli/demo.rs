//! `sealwax demo`: the careless app, before and after.

use crate::support::{ANY_PORT, Home, Running, wait};

fn demo(home: &Home) -> Running {
    home.start(&[&["demo"][..], &ANY_PORT].concat())
}

#[test]
fn the_terminal_shows_before_and_after() {
    let home = Home::new();
    let running = demo(&home);
    let shown = wait(
        "the story",
        || Some(running.out()).filter(|out| out.contains("sealwax run")),
        || running.out(),
    );
    assert!(shown.contains("  - Set-Cookie: sessionid="), "{shown}");
    assert!(
        shown.contains("; Path=/; Secure; HttpOnly; SameSite=Lax\n      cookie.secure  "),
        "{shown}"
    );
    assert!(
        shown.contains("  + Set-Cookie: theme=light; Path=/; Secure; SameSite=Lax\n"),
        "{shown}"
    );
    assert!(
        shown.contains("  + X-Content-Type-Options: nosniff\n      headers.nosniff  "),
        "{shown}"
    );
}

#[test]
fn the_page_tells_exactly_what_the_browser_got() {
    let home = Home::new();
    let running = demo(&home);
    let page = home
        .curl(&[
            "-i",
            &format!("https://localhost:{}/", running.port("https")),
        ])
        .out;
    let (head, body) = page.split_once("\r\n\r\n").unwrap();
    let cookies: Vec<&str> = head
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: "))
        .collect();
    assert_eq!(cookies.len(), 3);
    for cookie in cookies {
        assert!(
            body.contains(&format!(
                "<code class=\"after\"><b>Set-Cookie:</b> {cookie}</code>"
            )),
            "{cookie} is not told"
        );
    }
    for name in [
        "x-content-type-options",
        "referrer-policy",
        "cross-origin-opener-policy",
        "x-frame-options",
    ] {
        let value = head
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .unwrap();
        assert!(
            body.contains(&format!(":</b> {value}</code>")),
            "{name} is not told"
        );
    }
}

#[test]
fn a_session_lives_through_the_new_name() {
    let home = Home::new();
    let running = demo(&home);
    let url = format!("https://localhost:{}", running.port("https"));
    let jar = ["--cookie", "jar", "--cookie-jar", "jar", "--location"];
    let ask = |args: &[&str]| home.curl(&[&jar[..], args].concat()).out;
    assert!(ask(&[&format!("{url}/")]).contains("first visit"));
    let page = ask(&[
        "--data-urlencode",
        "name=Ada & <b>",
        &format!("{url}/login"),
    ]);
    assert!(
        page.contains("Signed in as <strong>Ada &amp; &lt;b&gt;</strong>"),
        "{page}"
    );
    ask(&["--data", "", &format!("{url}/basket")]);
    let plain = ask(&[&format!("http://localhost:{}/", running.port("http"))]);
    assert!(
        plain.contains("One thing is in it"),
        "the old link leads back with the session\n{plain}"
    );
    let kept = std::fs::read_to_string(home.path().join("jar")).unwrap();
    assert!(
        kept.contains("__Host-sessionid") && !kept.contains("\tsessionid"),
        "{kept}"
    );
    let page = ask(&["--data", "", &format!("{url}/logout")]);
    assert!(page.contains("Sign in with any name"), "{page}");
}

#[test]
fn the_app_itself_stays_careless() {
    let home = Home::new();
    let running = demo(&home);
    let direct = wait(
        "the app's address",
        || {
            running
                .out()
                .split_whitespace()
                .find(|word| word.starts_with("http://127.0.0.1:"))
                .map(str::to_owned)
        },
        || running.out(),
    );
    let page = home.curl(&["-i", &direct]).out;
    assert!(
        page.contains("set-cookie: theme=light; Path=/\r\n"),
        "{page}"
    );
    assert!(!page.contains("x-frame-options"), "{page}");
    assert!(page.contains("bare</em>"), "the page knows how one came");
}
