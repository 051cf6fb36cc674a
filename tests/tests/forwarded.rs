//! What the app learns of the client: the truth, whatever the client claims.

use sealwax_tests::{Client, Django, Gateway, Step, Upstream, Version, run};

fn ok(_: &sealwax_tests::Request) -> Vec<Step> {
    Step::response(200, &[], "ok")
}

async fn django_sees_the_outside(version: Version) {
    let app = Django::new(version).start().await;
    let gateway = Gateway::to(&app.url())
        .hosts(&["shop.example.test"])
        .start()
        .await;
    // An odd port: it belongs into get_host(), and Django never takes it from elsewhere.
    for http2 in [false, true] {
        let request = gateway.request("shop.example.test", "/echo/?q=1");
        let seen = if http2 {
            request.http2().send().await
        } else {
            request.send().await
        }
        .json();
        let authority = gateway.authority("shop.example.test");
        assert_eq!(seen["is_secure"], true, "{seen}");
        assert_eq!(seen["host"], authority.as_str());
        assert_eq!(seen["url"], format!("https://{authority}/echo/?q=1"));
        assert_eq!(seen["meta"]["HTTP_X_FORWARDED_FOR"], "127.0.0.1");
        assert_eq!(seen["meta"]["HTTP_X_REAL_IP"], "127.0.0.1");
        assert_eq!(seen["meta"]["HTTP_X_FORWARDED_HOST"], authority.as_str());
        assert_eq!(
            seen["meta"]["HTTP_X_FORWARDED_PORT"],
            gateway.https.port().to_string()
        );
        // The default port: no port in the Host, 443 in X-Forwarded-Port.
        let request = Client::plain(gateway.https, "shop.example.test", "/echo/")
            .tls(&gateway.tls(), "shop.example.test");
        let seen = if http2 {
            request.http2().send().await
        } else {
            request.send().await
        }
        .json();
        assert_eq!(seen["is_secure"], true, "{seen}");
        assert_eq!(seen["host"], "shop.example.test");
        assert_eq!(seen["url"], "https://shop.example.test/echo/");
        assert_eq!(seen["meta"]["HTTP_X_FORWARDED_PORT"], "443");
    }
}

#[test]
fn django_lts_sees_scheme_host_port_and_client() {
    run(60, django_sees_the_outside(Version::Lts));
}

#[test]
fn django_6_sees_scheme_host_port_and_client() {
    if Django::available(Version::Six, "django_6_sees_scheme_host_port_and_client").is_some() {
        run(60, django_sees_the_outside(Version::Six));
    }
}

#[test]
fn django_with_the_forwarded_settings_on_sees_the_same() {
    run(60, async {
        let app = Django::new(Version::Lts)
            .setting("USE_X_FORWARDED_HOST", true)
            .setting("USE_X_FORWARDED_PORT", true)
            .start()
            .await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["shop.example.test"])
            .start()
            .await;
        let seen = gateway
            .request("shop.example.test", "/echo/")
            .header("X-Forwarded-Host", "evil.test")
            .header("X-Forwarded-Port", "1")
            .send()
            .await
            .json();
        assert_eq!(seen["host"], gateway.authority("shop.example.test"));
        assert_eq!(seen["port"], gateway.https.port().to_string());
    });
}

/// hostile-input: forwarded-header spoofing, every name of the family.
const CLAIMS: &[(&str, &str)] = &[
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Host", "evil.test"),
    ("X-Forwarded-Prefix", "//evil"),
    ("X-Forwarded-Port", "1"),
    ("X-Forwarded-Scheme", "http"),
    ("X-Forwarded-Ssl", "off"),
    ("X-Forwarded-Server", "evil.test"),
    ("X-Forwarded-Anything", "evil"),
    ("X-Forwarded", "for=evil"),
    ("Forwarded", "for=1;host=evil.test;proto=https"),
    ("X-Real-IP", "6.6.6.6"),
    ("True-Client-IP", "6.6.6.6"),
    ("X-Client-IP", "6.6.6.6"),
    ("X-Cluster-Client-IP", "6.6.6.6"),
    ("CF-Connecting-IP", "6.6.6.6"),
    ("Fastly-Client-IP", "6.6.6.6"),
    ("X-Original-URL", "/admin-evil"),
    ("X-Original-Host", "evil.test"),
    ("X-Rewrite-URL", "/admin-evil"),
    ("X-Host", "evil.test"),
    ("X-Url-Scheme", "evil"),
    ("Front-End-Https", "evil"),
    ("Proxy", "http://evil.test"),
];

#[test]
fn nothing_that_an_untrusted_client_claims_reaches_the_app() {
    run(60, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url()).start().await;
        for http2 in [false, true] {
            let mut request = gateway.request("localhost", "/");
            for (name, value) in CLAIMS {
                request = request.header(name, value);
            }
            let answer = if http2 {
                request.http2().send().await
            } else {
                request.send().await
            };
            assert_eq!(answer.status, 200);
            let seen = app.last();
            let head = String::from_utf8_lossy(&seen.head).into_owned();
            assert!(
                !head.contains("evil") && !head.contains("6.6.6.6"),
                "{head}"
            );
            assert_eq!(seen.header("x-forwarded-for"), "127.0.0.1");
            assert_eq!(seen.header("x-real-ip"), "127.0.0.1");
            assert_eq!(seen.header("x-forwarded-proto"), "https");
            assert_eq!(
                seen.header("x-forwarded-host"),
                gateway.authority("localhost")
            );
            assert_eq!(
                seen.header("x-forwarded-port"),
                gateway.https.port().to_string()
            );
            let ours = [
                "x-forwarded-for",
                "x-forwarded-proto",
                "x-forwarded-host",
                "x-forwarded-port",
                "x-real-ip",
            ];
            for (name, _) in CLAIMS {
                let name = name.to_ascii_lowercase();
                assert!(
                    ours.contains(&name.as_str()) || !seen.has(&name),
                    "{name}: {head}"
                );
            }
        }
    });
}

#[test]
fn names_with_underscores_and_dots_are_dropped_and_named_once() {
    run(60, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url()).start().await;
        let names = [
            "X_Forwarded_Proto",
            "X-Forwarded_For",
            "X.Forwarded.Proto",
            "Remote_User",
            "X_Custom",
            "Content_Length",
        ];
        for _ in 0..3 {
            let mut request = gateway.request("localhost", "/");
            for name in names {
                request = request.header(name, "evil");
            }
            request.send().await;
            let head = String::from_utf8_lossy(&app.last().head).to_lowercase();
            assert!(!head.contains("evil"), "{head}");
        }
        let log = gateway.log().to_lowercase();
        assert_eq!(
            log.matches("x_custom").count(),
            1,
            "each drop is logged once per name:\n{log}"
        );
    });
}

#[test]
fn a_clients_list_of_hops_is_not_believed() {
    run(60, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url()).start().await;
        let flood = vec!["10.0.0.1"; 3_000].join(", ");
        for claim in [
            "unknown",
            "\"",
            "fe80::1%eth0",
            "1.2.3.4:99",
            "[::1]:80",
            ",,,",
            flood.as_str(),
        ] {
            let answer = gateway
                .request("localhost", "/")
                .header("X-Forwarded-For", claim)
                .send()
                .await;
            assert_eq!(answer.status, 200, "{claim:.40}");
            assert_eq!(app.last().header("x-forwarded-for"), "127.0.0.1");
        }
    });
}

#[test]
fn behind_a_trusted_proxy_the_rightmost_stranger_is_the_client() {
    run(60, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url())
            .top("[proxies]\ntrusted = [\"127.0.0.1/32\", \"10.0.0.0/8\"]")
            .start()
            .await;
        let flood = format!(
            "{}, 203.0.113.9, 10.1.1.1",
            vec!["6.6.6.6"; 2_000].join(", ")
        );
        for (claim, client) in [
            ("203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("203.0.113.9:1234", "203.0.113.9"),
            (flood.as_str(), "203.0.113.9"),
        ] {
            gateway
                .request("localhost", "/")
                .header("X-Forwarded-For", claim)
                .header("X-Forwarded-Proto", "https")
                .send()
                .await;
            let seen = app.last();
            assert_eq!(
                (seen.header("x-forwarded-for"), seen.header("x-real-ip")),
                (client.into(), client.into()),
                "{claim:.60}"
            );
        }
        for garbage in [
            "unknown",
            "\"",
            "fe80::1%eth0, unknown",
            ",,,",
            "6.6.6.6, _hidden",
        ] {
            let answer = gateway
                .request("localhost", "/")
                .header("X-Forwarded-For", garbage)
                .send()
                .await;
            assert_eq!(answer.status, 200, "{garbage}");
            let client = app.last().header("x-forwarded-for");
            assert!(
                client.parse::<std::net::IpAddr>().is_ok(),
                "{garbage} became {client}"
            );
            assert_ne!(
                client, "6.6.6.6",
                "what stands left of garbage was believed"
            );
        }
    });
}

#[test]
fn a_plain_listener_behind_a_trusted_proxy_believes_its_scheme() {
    run(60, async {
        let app =
            Upstream::with(|_| Step::response(200, &[("Set-Cookie", "sessionid=1; Path=/")], "ok"))
                .await;
        let gateway = Gateway::to(&app.url())
            .listen("http = \"127.0.0.1:HTTP\"")
            .top("[proxies]\ntrusted = [\"127.0.0.1/32\"]")
            .start()
            .await;
        let secure = gateway
            .plain("localhost", "/")
            .header("X-Forwarded-Proto", "https")
            .send()
            .await;
        assert_eq!(secure.status, 200, "{secure:?}");
        assert_eq!(app.last().header("x-forwarded-proto"), "https");
        assert!(
            secure.set_cookie("__Host-sessionid").contains("Secure"),
            "{secure:?}"
        );
        for scheme in ["http", "ftp", ""] {
            let before = app.requests().len();
            let plain = gateway
                .plain("localhost", "/")
                .header("X-Forwarded-Proto", scheme)
                .send()
                .await;
            assert!(
                [301, 307, 308].contains(&plain.status),
                "{scheme:?}: {plain:?}"
            );
            assert_eq!(app.requests().len(), before);
        }
    });
}

#[test]
fn a_client_over_ipv6_is_named_without_brackets_and_port() {
    run(30, async {
        let app = Upstream::with(ok).await;
        let gateway = Gateway::to(&app.url())
            .listen("http = \"127.0.0.1:HTTP\"\nhttps = \"[::1]:HTTPS\"")
            .hosts(&["localhost", "[::1]"])
            .start()
            .await;
        let address = (std::net::Ipv6Addr::LOCALHOST, gateway.https.port()).into();
        let authority = format!("[::1]:{}", gateway.https.port());
        for (host, name) in [
            (gateway.authority("localhost"), "localhost"),
            (authority, "::1"),
        ] {
            let answer = Client::plain(address, &host, "/")
                .tls(&gateway.tls(), name)
                .send()
                .await;
            assert_eq!(answer.status, 200, "{host}: {answer:?}");
            let seen = app.last();
            assert_eq!(
                (
                    seen.header("x-forwarded-for").as_str(),
                    seen.header("x-real-ip").as_str()
                ),
                ("::1", "::1")
            );
            assert_eq!(seen.header("host"), host);
        }
    });
}
