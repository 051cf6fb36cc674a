//! What people complain about when they put Django behind a proxy, and that it is gone.
//!
//! The apps are real Django; where the complaint is about the app's own settings, the test
//! sets them as the complaint did.

use sealwax_tests::{Chromium, Client, Django, Gateway, Version, run};

const HOST: &str = "shop.example.test";

/// 1 and 4: `Origin checking failed`, and CSRF on a port other than 443.
#[test]
fn the_origin_check_passes_without_trusted_origins_on_any_port() {
    run(90, async {
        let app = Django::new(Version::Lts)
            .setting("CSRF_TRUSTED_ORIGINS", Vec::<String>::new())
            .start()
            .await;
        let gateway = Gateway::to(&app.url()).hosts(&[HOST]).start().await;
        // Chromium on the odd port, and on the default port by way of the resolver.
        let rules = format!("MAP {HOST}:443 127.0.0.1:{}", gateway.https.port());
        let browser = Chromium::start(&[&gateway.root()], &rules).await;
        let page = browser.page().await;
        for origin in [gateway.url(HOST, ""), format!("https://{HOST}")] {
            assert_eq!(page.goto(&format!("{origin}/order/")).await, 200);
            assert_eq!(page.eval("location.origin").await, origin.as_str());
            page.fill("#item", "tea").await;
            assert_eq!(
                page.click_through("#submit").await,
                200,
                "{}",
                page.body().await
            );
            assert_eq!(page.text("#messages").await, "ordered: tea");
        }
        // Another site's origin is still refused.
        let home = gateway.get(HOST, "/order/").await;
        let token = home
            .set_cookie("__Host-csrftoken")
            .split(['=', ';'])
            .nth(1)
            .unwrap()
            .to_owned();
        let post = |origin: String| {
            gateway
                .request(HOST, "/order/")
                .method("POST")
                .header("Origin", origin)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Cookie", format!("__Host-csrftoken={token}"))
                .header("X-CSRFToken", &token)
                .body("item=x")
        };
        assert_eq!(post(gateway.url(HOST, "")).send().await.status, 302);
        for evil in [
            "https://evil.example.test".to_owned(),
            format!("https://{HOST}"),
            format!("http://{HOST}:{}", gateway.https.port()),
            "null".into(),
        ] {
            assert_eq!(post(evil.clone()).send().await.status, 403, "{evil}");
        }
    });
}

/// 2: SECURE_SSL_REDIRECT and the endless redirect.
#[test]
fn djangos_own_redirect_does_not_loop() {
    run(60, async {
        let app = Django::new(Version::Lts)
            .setting("SECURE_SSL_REDIRECT", true)
            .start()
            .await;
        let gateway = Gateway::to(&app.url()).hosts(&[HOST]).start().await;
        for http2 in [false, true] {
            let request = gateway.request(HOST, "/echo/");
            let answer = if http2 {
                request.http2().send().await
            } else {
                request.send().await
            };
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        // A second balancer in front says something else: it is not believed.
        let answer = gateway
            .request(HOST, "/echo/")
            .header("X-Forwarded-Proto", "http")
            .send()
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    });
}

/// 2, continued: without SECURE_PROXY_SSL_HEADER the app loops; the gateway says so.
#[test]
fn an_app_that_loops_is_told_what_to_set() {
    run(60, async {
        let app = Django::new(Version::Lts)
            .setting("SECURE_SSL_REDIRECT", true)
            .setting("SECURE_PROXY_SSL_HEADER", serde_json::Value::Null)
            .start()
            .await;
        let gateway = Gateway::to(&app.url()).hosts(&[HOST]).start().await;
        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        let status = page.goto(&gateway.url(HOST, "/echo/?x=1")).await;
        assert!(status >= 500, "{status}");
        assert!(
            gateway.log().contains("SECURE_PROXY_SSL_HEADER"),
            "the log does not name the mend:\n{}",
            gateway.log()
        );
        // An ordinary redirect of the app is none of this.
        let answer = gateway.get(HOST, "/admin").await;
        assert!(answer.status < 500 || answer.status == 508, "{answer:?}");
    });
}

/// 3: the log-in that "succeeds" and returns to the form.
#[test]
fn secure_cookies_survive_a_log_in_that_began_on_plain_http() {
    run(60, async {
        let app = Django::new(Version::Lts)
            .setting("SESSION_COOKIE_SECURE", true)
            .setting("CSRF_COOKIE_SECURE", true)
            .start()
            .await;
        let gateway = Gateway::to(&app.url()).hosts(&[HOST]).start().await;
        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        assert_eq!(
            page.goto(&format!("http://{HOST}:{}/login/", gateway.http.port()))
                .await,
            200
        );
        page.fill("#id_username", "alice").await;
        page.fill("#id_password", "correct-horse").await;
        assert_eq!(page.click_through("#submit").await, 200);
        assert_eq!(page.text("#user").await, "alice");
        assert_eq!(page.eval("location.href").await, gateway.url(HOST, "/"));
        // And typed with http again: still logged in.
        page.goto(&format!("http://{HOST}:{}/", gateway.http.port()))
            .await;
        assert_eq!(page.text("#user").await, "alice");
    });
}

/// 5: health probes by address.
#[test]
fn a_health_probe_needs_neither_host_nor_https() {
    run(60, async {
        let app = Django::new(Version::Lts)
            .setting("ALLOWED_HOSTS", vec![HOST])
            .setting("SECURE_SSL_REDIRECT", true)
            .start()
            .await;
        let gateway = Gateway::to(&app.url()).hosts(&[HOST]).start().await;
        for host in ["10.0.0.7", "10.0.0.7:8080", "ip-10-0-0-7.ec2.internal"] {
            let answer = Client::plain(gateway.http, host, "/.sealwax/health")
                .header("User-Agent", "kube-probe/1.33")
                .send()
                .await;
            assert_eq!(answer.status, 200, "{host}");
            let answer = Client::plain(gateway.http, host, "/.sealwax/health")
                .method("HEAD")
                .send()
                .await;
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{host}");
        }
        assert_eq!(gateway.get(HOST, "/echo/").await.status, 200);
    });
}

/// 7: HSTS in development.
#[test]
fn hsts_of_the_app_does_not_poison_a_development_host() {
    run(60, async {
        let app = Django::new(Version::Lts)
            .setting("SECURE_HSTS_SECONDS", 31_536_000)
            .setting("SECURE_HSTS_INCLUDE_SUBDOMAINS", true)
            .setting("SECURE_HSTS_PRELOAD", true)
            .start()
            .await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["localhost", HOST, "127.0.0.1", "app.localhost"])
            .start()
            .await;
        for host in ["localhost", HOST, "127.0.0.1", "app.localhost"] {
            let answer = gateway.get(host, "/echo/").await;
            assert_eq!(answer.status, 200);
            assert!(
                !answer.headers.contains_key("strict-transport-security"),
                "{host}: {answer:?}"
            );
        }
    });
}
