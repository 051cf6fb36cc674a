//! Properties that hold for every sealed value, tried on random ones.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "support/sealing.rs"]
mod sealing;

use proptest::prelude::*;
use sealing::{NOW, ring, sealed_value};
use sealwax_cookie::{Contents, CookieSeal, Scope, SetCookie, WhyNot};

fn cookie() -> Contents<'static> {
    let cookie = SetCookie::parse(b"sessionid=kq3vzn0mk3zsh8r9t7c1k2m4x5; Path=/").unwrap();
    Contents::of(&cookie, b"app.example.com", b"/", NOW)
}

fn host() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9-]{1,6}\\.){0,3}[a-z]{1,5}|[0-9]{1,3}(\\.[0-9]{1,3}){3}"
}

proptest! {
    #[test]
    fn whatever_is_sealed_comes_back(data in prop::collection::vec(any::<u8>(), 0..300)) {
        sealed_value(&[b"\n", &data[..]].concat());
    }

    #[test]
    fn whatever_an_app_sets_is_sealed_and_sent_again(
        pair in "[a-z]{0,4}=?[ -~]{0,20}",
        attributes in prop::collection::vec(
            "; ?(Path=[/a-z ]{0,9}|Domain=\\.?[a-zA-Z.]{0,9}|Max-Age=-?[0-9]{0,9}|Secure|HttpOnly=?|\
             SameSite=(Lax|None|strict|x)|Partitioned|Priority=High|Expires=Mon, 08 Dec 20[0-4]5 \
             16:00:00 GMT|[ -~]{0,60}| *)",
            0..8,
        ),
    ) {
        sealed_value(format!("\n{pair}{}", attributes.concat()).as_bytes());
    }

    #[test]
    fn fields_of_any_length_come_back(
        value in prop::collection::vec(any::<u8>(), 0..2000),
        note in prop::collection::vec(any::<u8>(), 0..700),
        nonce in any::<[u8; 12]>(),
    ) {
        let contents = Contents { value: &value, note: &note, ..cookie() };
        let seal = CookieSeal::new(&ring(&[1]));
        let text = seal.seal(&contents, b"__Host-sessionid", nonce).unwrap();
        let opened = seal.open(text.as_bytes(), b"sessionid", b"app.example.com", NOW).unwrap();
        prop_assert_eq!(opened.contents(), contents);
    }

    #[test]
    fn what_was_not_sealed_does_not_open(text in prop_oneof!["[A-Za-z0-9_-]{0,200}", "AQ[A-Za-z0-9_-]{42,99}", ".*"]) {
        sealed_value(text.as_bytes());
    }

    #[test]
    fn two_changed_places_do_not_cancel_out(
        first in any::<prop::sample::Index>(),
        second in any::<prop::sample::Index>(),
        flips in any::<(u8, u8)>(),
    ) {
        let seal = CookieSeal::new(&ring(&[1]));
        let text = seal.seal(&cookie(), b"sessionid", [1; 12]).unwrap().into_bytes();
        let mut changed = text.clone();
        changed[first.index(text.len())] ^= flips.0;
        changed[second.index(text.len())] ^= flips.1;
        let opened = seal.open(&changed, b"sessionid", b"app.example.com", NOW);
        prop_assert_eq!(opened.is_ok(), changed == text);
    }

    /// Held against a second reading of RFC 6265bis, Section 5.1.3.
    #[test]
    fn a_domain_opens_on_its_hosts_and_nowhere_else(
        ours in host(), other in host(), below in "[a-z-]{0,4}\\.?",
    ) {
        for other in [other, format!("{below}{ours}")] {
            let contents = Contents { scope: Scope::Domain(ours.as_bytes()), ..cookie() };
            let seal = CookieSeal::new(&ring(&[1]));
            let text = seal.seal(&contents, b"sessionid", [1; 12]).unwrap();
            let (lower, domain) = (other.to_lowercase(), ours.to_lowercase());
            let address = lower.parse::<std::net::Ipv4Addr>().is_ok();
            let expected = lower == domain || !address && lower.ends_with(&format!(".{domain}"));
            match seal.open(text.as_bytes(), b"sessionid", other.as_bytes(), NOW) {
                Ok(_) => prop_assert!(expected, "{} opened on {}", ours, other),
                Err(WhyNot::OtherHost { sealed_for }) => {
                    prop_assert!(!expected, "{} did not open on {}", ours, other);
                    prop_assert_eq!(&*sealed_for, &ours);
                }
                Err(why) => panic!("{why}"),
            }
        }
    }
}
