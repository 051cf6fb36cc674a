//! The harness itself, tried on servers that are not the gateway: a test that cannot fail
//! proves nothing, so here the browser refuses what it must and the clients see what was sent.

use sealwax_tests::{
    Authority, Chromium, Client, Django, Process, Step, Tls, Upstream, Version, exchange_tcp,
    parse_answer, run, sha256,
};

#[test]
fn chromium_trusts_exactly_the_imported_root() {
    run(60, async {
        let ours = Authority::new();
        let strange = Authority::new();
        let handler = |_: &sealwax_tests::Request| {
            Step::page(
                &["__Host-a=1; Secure; Path=/", "bad=1; SameSite=None"],
                "<p id=p>hello</p>",
            )
        };
        let good = Upstream::tls(&ours, &["app.example.test"], handler).await;
        let bad = Upstream::tls(&strange, &["app.example.test"], handler).await;
        let browser = Chromium::start(&[&ours.root()], "").await;
        let page = browser.page().await;
        let error = page
            .try_goto(&format!("https://app.example.test:{}/", bad.port()))
            .await
            .unwrap_err();
        assert_eq!(error, "net::ERR_CERT_AUTHORITY_INVALID");
        assert_eq!(
            page.goto(&format!("https://app.example.test:{}/", good.port()))
                .await,
            200
        );
        assert_eq!(page.security_state().await, "secure");
        assert_eq!(page.text("#p").await, "hello");
        assert!(browser.cookie("__Host-a").await.secure);
        let seen = page.set_cookies();
        let bad = seen
            .iter()
            .find(|cookie| cookie.field.starts_with("bad="))
            .unwrap();
        assert_eq!(bad.blocked, ["SameSiteNoneInsecure"]);
        assert_eq!(
            page.eval("new Promise(ok => setTimeout(() => ok(6 * 7), 10))")
                .await,
            42
        );
    });
}

#[test]
fn plain_django_without_a_gateway_shows_the_classic_failures() {
    run(60, async {
        let django = Django::new(Version::Lts).start().await;
        let address = ([127, 0, 0, 1], django.port).into();
        let answer = Client::plain(address, "shop.test:1234", "/echo/")
            .send()
            .await;
        assert_eq!(answer.json()["is_secure"], false);
        assert_eq!(answer.json()["host"], "shop.test:1234");
        let home = Client::plain(address, "shop.test", "/").send().await;
        assert!(!home.set_cookie("sessionid").contains("Secure"), "{home:?}");
        // The proxy of the complaints: it ends TLS and says nothing of it.
        let token = home
            .set_cookie("csrftoken")
            .split(['=', ';'])
            .nth(1)
            .unwrap()
            .to_owned();
        let refused = Client::plain(address, "shop.test", "/order/")
            .method("POST")
            .header("Origin", "https://shop.test")
            .header("Cookie", format!("csrftoken={token}"))
            .header("X-CSRFToken", &token)
            .send()
            .await;
        assert_eq!(refused.status, 403);
    });
}

#[test]
fn the_upstream_sends_and_records_exact_bytes() {
    run(30, async {
        let upstream = Upstream::with(|request| {
            if request.number == 0 {
                Step::response(201, &[("X-A", "b")], "body")
            } else {
                vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Reset]
            }
        })
        .await;
        let address = ([127, 0, 0, 1], upstream.port()).into();
        let bytes = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let answer = parse_answer(&exchange_tcp(address, bytes).await).unwrap();
        assert_eq!(
            (
                answer.status,
                answer.header("x-a").as_str(),
                answer.text().as_str()
            ),
            (201, "b", "body")
        );
        assert_eq!(upstream.raw(), bytes);
        assert_eq!(upstream.last().body, b"abc");
        let broken = Client::plain(address, "a", "/").try_send().await;
        assert!(broken.is_err(), "{broken:?}");
    });
}

#[test]
fn clients_trust_only_what_they_are_told_to() {
    run(30, async {
        let ours = Authority::new();
        let server = Upstream::tls(&ours, &["app.example.test"], |_| {
            Step::response(200, &[], "")
        })
        .await;
        let address = ([127, 0, 0, 1], server.port()).into();
        let ask =
            |tls: &Tls, host: &str| Client::plain(address, host, "/").tls(tls, host).try_send();
        assert_eq!(
            ask(&Tls::trusting(&[&ours.root()]), "app.example.test")
                .await
                .unwrap()
                .status,
            200
        );
        assert!(
            ask(&Tls::trusting(&[&ours.root()]), "other.example.test")
                .await
                .is_err()
        );
        assert!(
            ask(
                &Tls::trusting(&[&Authority::new().root()]),
                "app.example.test"
            )
            .await
            .is_err()
        );
    });
}

#[test]
fn a_dropped_process_takes_its_descendants_along() {
    run(30, async {
        let mut process = Process::start(
            "sh",
            std::process::Command::new("sh")
                .args(["-c", "trap '' TERM; sleep 600 & echo ready; wait"]),
        );
        process
            .wait_for_line("ready", 5, |line| line == "ready")
            .await;
        let children = process.descendants();
        assert_eq!(children.len(), 1);
        drop(process);
        let gone = || {
            let stat =
                std::fs::read_to_string(format!("/proc/{}/stat", children[0])).unwrap_or_default();
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        };
        sealwax_tests::wait_until("the sleeper to end", 5, gone).await;
    });
}

#[test]
fn digests_are_those_of_the_standard() {
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
