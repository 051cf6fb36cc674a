//! Cookies that the browser holds sealed.

use sealwax_cookie::{KeyRing, SealKey};
use sealwax_policy::{Mode, Seal};

use crate::world::World;

const LOGIN: &str = "200\nset-cookie: sid=abc; Path=/; Max-Age=3600";
const PAGE: &str = "GET /\nsec-fetch-mode: navigate\ncookie: ";

fn seal(keys: &[u8]) -> Seal {
    let mut keys = keys.iter().map(|byte| SealKey::new([*byte; 32]));
    let ring = KeyRing::new(keys.next().expect("a key"), keys).expect("a ring");
    // Both ways to drive an exchange are to come to the same.
    Seal::new(&ring, ["sid"], |nonce| nonce.fill(9))
}

fn sealing() -> World {
    let mut world = World::new();
    world.policy.set_seal(seal(&[1]));
    world
}

/// The one cookie that the response sets, as the client sends it back.
fn sent_back(world: &mut World, response: &str) -> String {
    let set = world.run("GET /", response).set_cookies();
    let [field] = set.as_slice() else {
        panic!("one cookie: {set:?}");
    };
    field.split(';').next().expect("a pair").to_owned()
}

#[test]
fn the_browser_holds_what_only_we_can_read() {
    let mut world = sealing();
    let seen = world.run("GET /", LOGIN);
    let set = seen.set_cookies().concat();
    let (pair, attributes) = set.split_once("; ").expect("attributes");
    assert_eq!(
        attributes,
        "Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"
    );
    let value = pair.strip_prefix("__Host-sid=").expect("the name");
    assert!(value.len() > 80 && !value.contains("abc"), "{value}");
    assert!(seen.rules().contains(&"seal.added"));
    assert_eq!(
        world.cookie_for(&format!("a=1; {pair}; b=2")),
        "a=1; sid=abc; b=2"
    );
}

#[test]
fn other_cookies_are_left_alone() {
    let mut world = sealing();
    let set = world
        .run("GET /", "200\nset-cookie: theme=dark; Path=/")
        .set_cookies();
    assert_eq!(set, ["theme=dark; Path=/; Secure; SameSite=Lax"]);
    assert_eq!(world.cookie_for("theme=dark"), "theme=dark");
}

#[test]
fn what_does_not_open_has_not_come() {
    let mut world = sealing();
    let pair = sent_back(&mut world, LOGIN);
    let forged = format!("{}A", &pair[..pair.len() - 1]);
    let forged = if forged == pair {
        format!("{}B", &pair[..pair.len() - 1])
    } else {
        forged
    };
    for (came, rule) in [
        ("__Host-sid=abc", "seal.not-sealed"),
        ("__Host-sid=", "seal.not-sealed"),
        (&forged[..], "seal.forged"),
    ] {
        let seen = world.run(&format!("GET /\ncookie: theme=dark; {came}"), "200");
        assert_eq!(
            seen.app.as_ref().expect("forwarded")["cookie"],
            "theme=dark"
        );
        assert!(seen.rules().contains(&rule), "{came}: {:?}", seen.rules());
        let notable: Vec<_> = seen
            .changes
            .iter()
            .filter(|change| change.notable)
            .collect();
        assert!(
            notable
                .iter()
                .all(|change| !format!("{change:?}").contains("abc"))
        );
    }
    assert_eq!(world.cookie_for("__Host-sid=abc"), "");
}

#[test]
fn a_value_does_not_move_to_another_host() {
    let mut world = sealing();
    let pair = sent_back(&mut world, LOGIN);
    let seen = world.run(
        &format!("GET /\nhost: blog.example.com\ncookie: {pair}"),
        "200",
    );
    assert!(!seen.app.as_ref().expect("forwarded").contains_key("cookie"));
    let change = seen
        .changes
        .iter()
        .find(|change| change.rule.id() == "seal.other-host");
    assert_eq!(
        change.expect("told").before.as_deref(),
        Some("app.example.com")
    );
}

#[test]
fn a_cookie_for_the_domain_opens_on_its_hosts() {
    let mut world = sealing();
    let pair = sent_back(
        &mut world,
        "200\nset-cookie: sid=abc; Path=/; Domain=example.com; HttpOnly",
    );
    let seen = world.run(
        &format!("GET /\nhost: blog.example.com\ncookie: {pair}"),
        "200",
    );
    assert_eq!(seen.app.expect("forwarded")["cookie"], "sid=abc");
}

#[test]
fn a_deletion_is_no_value_to_seal() {
    let mut world = sealing();
    let pair = sent_back(&mut world, LOGIN);
    let seen = world.run(
        &format!("GET /\ncookie: {pair}"),
        "200\nset-cookie: sid=\"\"; Max-Age=0; Path=/",
    );
    assert!(
        seen.set_cookies()
            .iter()
            .any(|field| field.starts_with("__Host-sid="))
    );
    assert!(!seen.rules().contains(&"seal.added"));
}

#[test]
fn a_page_brings_the_cookie_under_the_new_key() {
    let mut world = sealing();
    let pair = sent_back(&mut world, LOGIN);
    world.policy.set_seal(seal(&[2, 1]));
    let seen = world.run(&format!("{PAGE}{pair}"), "200");
    assert_eq!(seen.app.as_ref().expect("forwarded")["cookie"], "sid=abc");
    let set = seen.set_cookies().concat();
    let (renewed, attributes) = set.split_once("; ").expect("attributes");
    assert_ne!(renewed, pair);
    assert_eq!(
        attributes,
        "Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"
    );
    // Under the new key alone it opens, and is not sealed again.
    world.policy.set_seal(seal(&[2]));
    let seen = world.run(&format!("{PAGE}{renewed}"), "200");
    assert_eq!(seen.app.as_ref().expect("forwarded")["cookie"], "sid=abc");
    assert!(seen.set_cookies().is_empty());
    let gone = world.run(&format!("{PAGE}{pair}"), "200");
    assert!(gone.rules().contains(&"seal.unknown-key"));
}

#[test]
fn nothing_overtakes_what_the_app_sets() {
    let mut world = sealing();
    let pair = sent_back(&mut world, LOGIN);
    world.policy.set_seal(seal(&[2, 1]));
    // The app's own value, or its deletion, is the only one in the response.
    let login = "200\nset-cookie: sid=new; Path=/; HttpOnly";
    let set = world.run(&format!("{PAGE}{pair}"), login).set_cookies();
    assert_eq!(set.len(), 1);
    let logout = "200\nset-cookie: sid=; Max-Age=0; Path=/";
    let seen = world.run(&format!("{PAGE}{pair}"), logout);
    assert!(
        !seen.rules().contains(&"seal.renewed"),
        "{:?}",
        seen.set_cookies()
    );
    // Not by a script's request, beside which another may set the cookie; not for a cache.
    let script = world.run(&format!("GET /\ncookie: {pair}"), "200");
    assert!(script.set_cookies().is_empty());
    let cached = world.run(&format!("{PAGE}{pair}"), "200\ncache-control: public");
    assert!(cached.set_cookies().is_empty());
}

#[test]
fn what_is_too_long_to_be_sealed_stays_as_it_is_both_ways() {
    let mut world = sealing();
    for (length, sealed) in [(2900, true), (3100, false)] {
        let value = "x".repeat(length);
        let response = format!("200\nset-cookie: sid={value}; Path=/; HttpOnly");
        let seen = world.run("GET /", &response);
        assert_eq!(
            !seen.set_cookies().concat().contains(&value),
            sealed,
            "{length}"
        );
        assert_eq!(seen.rules().contains(&"seal.too-long"), !sealed);
        let pair = sent_back(&mut world, &response);
        assert!(pair.len() <= 4096);
        assert_eq!(world.cookie_for(&pair), format!("sid={value}"), "{length}");
    }
}

/// Whatever length an app's value has, it comes back; none falls between two stools.
#[test]
fn every_length_comes_back() {
    let mut world = sealing();
    for path in ["/", "/a/long/path/that/needs/room/in/the/sealed/value"] {
        for length in (2800..3060).step_by(1) {
            let value = "x".repeat(length);
            let response =
                format!("200\nset-cookie: sid={value}; Path={path}; Priority=High; HttpOnly");
            let pair = sent_back(&mut world, &response);
            assert_eq!(
                world.cookie_for(&pair),
                format!("sid={value}"),
                "{length} {path}"
            );
        }
    }
}

#[test]
fn values_from_before_are_let_in_while_a_migration_lasts() {
    let mut world = sealing();
    world.policy.cookies.migrate = true;
    assert_eq!(world.cookie_for("__Host-sid=abc"), "sid=abc");
}

#[test]
fn report_mode_seals_nothing_and_opens_what_was_sealed() {
    let mut world = sealing();
    let pair = sent_back(&mut world, LOGIN);
    world.policy.mode = Mode::Report;
    assert_eq!(world.cookie_for(&pair), "sid=abc");
    assert_eq!(world.cookie_for("sid=abc"), "sid=abc");
    let seen = world.run("GET /", LOGIN);
    assert!(
        seen.set_cookies()
            .iter()
            .any(|field| field.starts_with("sid=abc"))
    );
    let would = seen
        .changes
        .iter()
        .find(|change| change.rule.id() == "seal.added");
    assert!(!would.expect("told").applied);
}
