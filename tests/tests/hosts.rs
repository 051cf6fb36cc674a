//! Several sites behind one address: by name, by certificate, by socket.

use sealwax_tests::{
    Authority, Client, Django, Gateway, Step, Tls, Upstream, Version, connect_tls, free_port,
    parse_answer, run,
};
use tempfile::TempDir;

async fn named(name: &'static str) -> Upstream {
    Upstream::with(move |_| Step::response(200, &[("Set-Cookie", "sessionid=1; Path=/")], name))
        .await
}

#[test]
fn each_host_has_its_app_and_its_certificate() {
    run(60, async {
        let (a, b, c) = (named("a").await, named("b").await, named("c").await);
        let authority = Authority::new();
        let directory = TempDir::new().unwrap();
        let (cert, key) = authority.files(directory.path(), &["shop.example.com"]);
        let gateway = Gateway::to(&a.url())
            .hosts(&["a.example.test"])
            .and_site(&["b.example.test", ".wild.test"], &b.url())
            .and_site(&["shop.example.com"], &c.url())
            .site(&format!("tls = {{ cert = {cert:?}, key = {key:?} }}"))
            .start()
            .await;
        let everyone = Tls::trusting(&[&gateway.root(), &authority.root()]);
        for (host, app) in [
            ("a.example.test", "a"),
            ("b.example.test", "b"),
            ("wild.test", "b"),
            ("x.y.wild.test", "b"),
            ("shop.example.com", "c"),
        ] {
            for http2 in [false, true] {
                let request = Client::plain(gateway.https, &gateway.authority(host), "/")
                    .tls(&everyone, host);
                let answer = if http2 {
                    request.http2().send().await
                } else {
                    request.send().await
                };
                assert_eq!(
                    (answer.status, answer.text().as_str()),
                    (200, app),
                    "{host}"
                );
            }
        }
        // Each certificate is for its own name only, and the local CA did not sign for the
        // public one.
        assert!(
            connect_tls(gateway.https, &gateway.tls(), "shop.example.com", &[b"h2"])
                .await
                .is_err()
        );
        let certificate = async |host: &str| {
            let stream = connect_tls(gateway.https, &everyone, host, &[b"h2"])
                .await
                .unwrap();
            stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
        };
        assert_ne!(
            certificate("a.example.test").await,
            certificate("b.example.test").await
        );
        assert_eq!(
            certificate("a.example.test").await,
            certificate("a.example.test").await
        );
    });
}

/// One host, one policy, two apps: a cookie of the one reaches the other.
#[test]
fn a_part_of_a_site_may_have_its_own_app() {
    run(60, async {
        let (site, api) = (named("site").await, named("api").await);
        let gateway = Gateway::to(&site.url())
            .hosts(&["a.example.test"])
            .site(&format!("paths = {{ \"/api/\" = [\"{}\"] }}", api.url()))
            .start()
            .await;
        let ask = |path: &str| {
            Client::plain(gateway.https, &gateway.authority("a.example.test"), path)
                .tls(&gateway.tls(), "a.example.test")
        };
        // What one app sets is known for the other.
        let first = ask("/").send().await;
        assert!(first.text() == "site", "{}", first.text());
        for (path, app) in [
            ("/", "site"),
            ("/api", "site"),
            ("/api/", "api"),
            ("/api/x?y=/", "api"),
            ("/x?/api/", "site"),
            ("/%61pi/", "site"),
        ] {
            for http2 in [false, true] {
                let request = ask(path).header("Cookie", "__Host-sessionid=1");
                let answer = if http2 {
                    request.http2().send().await
                } else {
                    request.send().await
                };
                assert_eq!(
                    (answer.status, answer.text().as_str()),
                    (200, app),
                    "{path}"
                );
                let got = if app == "api" { &api } else { &site }.requests();
                let got = got.last().unwrap();
                assert_eq!(
                    (got.target().as_str(), got.header("Cookie").as_str()),
                    (path, "sessionid=1")
                );
            }
        }
    });
}

#[test]
fn no_or_unknown_server_name_gets_the_first_site() {
    run(60, async {
        let (a, b) = (named("a").await, named("b").await);
        let gateway = Gateway::to(&a.url())
            .hosts(&["a.example.test"])
            .and_site(&["b.example.test"], &b.url())
            .start()
            .await;
        let subject = |arguments: &[&str]| {
            let output = std::process::Command::new("openssl")
                .args(["s_client", "-connect", &gateway.https.to_string()])
                .args(arguments)
                .stdin(std::process::Stdio::null())
                .output()
                .unwrap();
            let leaf = String::from_utf8_lossy(&output.stdout).into_owned();
            let mut child = std::process::Command::new("openssl")
                .args(["x509", "-noout", "-ext", "subjectAltName"])
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), leaf.as_bytes()).unwrap();
            String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
        };
        assert!(subject(&["-servername", "b.example.test"]).contains("b.example.test"));
        assert!(subject(&["-noservername"]).contains("a.example.test"));
        for name in [
            "unknown.example.test",
            "xn--bcher-kva.example.test",
            "127.0.0.1",
        ] {
            assert!(
                subject(&["-servername", name]).contains("a.example.test"),
                "{name}"
            );
        }
        // A name that DNS cannot have ends the handshake or gets the first site's; never more.
        let long = format!("{}.test", "x".repeat(245));
        let answer = subject(&["-servername", &long]);
        assert!(
            answer.is_empty() || answer.contains("a.example.test"),
            "{answer}"
        );
        assert_eq!(gateway.get("b.example.test", "/").await.text(), "b");
    });
}

#[test]
fn hosts_that_are_not_ours_are_refused() {
    run(60, async {
        let app = named("a").await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["a.example.test"])
            .start()
            .await;
        let tls = gateway.tls();
        let status = async |host: &str, http2: bool| {
            let request = Client::plain(gateway.https, host, "/").tls(&tls, "a.example.test");
            if http2 {
                request.http2().send().await.status
            } else {
                request.send().await.status
            }
        };
        for unknown in [
            "b.example.test",
            "evil.test:443",
            "127.0.0.1",
            "[::1]:8443",
            "a.example.test.evil.test",
        ] {
            for http2 in [false, true] {
                assert_eq!(status(unknown, http2).await, 421, "{unknown}");
            }
            // On the plain port too: never a redirect to a host that is not ours.
            let plain = Client::plain(gateway.http, unknown, "/").send().await;
            assert_eq!(
                (plain.status, plain.header("location").as_str()),
                (421, ""),
                "{unknown}"
            );
        }
        for known in [
            "A.Example.Test",
            "a.example.test.",
            "a.example.test:1",
            &gateway.authority("a.example.test"),
        ] {
            assert_eq!(status(known, false).await, 200, "{known}");
        }
        for malformed in [
            "a,b",
            "a b",
            "a.example.test/x",
            "a_b.test",
            "[::1",
            "a.example.test:80:80",
            "a.example.test:x",
            "a.example.test@evil.test",
        ] {
            let head = format!("GET / HTTP/1.1\r\nHost: {malformed}\r\nConnection: close\r\n\r\n");
            let answer = parse_answer(&gateway.raw("a.example.test", &head).await).unwrap();
            assert_eq!(answer.status, 400, "{malformed}");
        }
        assert_eq!(app.requests().len(), 4);
    });
}

#[test]
fn the_health_path_answers_before_host_check_and_redirect() {
    run(60, async {
        let app = named("a").await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["a.example.test"])
            .start()
            .await;
        for host in [
            "10.1.2.3",
            "10.1.2.3:8080",
            "a.example.test",
            "anything.at.all",
        ] {
            let plain = Client::plain(gateway.http, host, "/.sealwax/health")
                .send()
                .await;
            assert_eq!(plain.status, 200, "{host}: {plain:?}");
            let secure = Client::plain(gateway.https, host, "/.sealwax/health")
                .tls(&gateway.tls(), "a.example.test")
                .send()
                .await;
            assert_eq!(secure.status, 200, "{host}");
        }
        // A probe of the old kind has no Host at all.
        let bare = parse_answer(
            &gateway
                .raw_plain("GET /.sealwax/health HTTP/1.0\r\n\r\n")
                .await,
        )
        .unwrap();
        assert_eq!(bare.status, 200);
        assert!(app.requests().is_empty());
        // Only this path.
        for other in ["/.sealwax/healthy", "/.sealwax/", "/x/.sealwax/health"] {
            assert_ne!(
                Client::plain(gateway.http, "10.1.2.3", other)
                    .send()
                    .await
                    .status,
                200,
                "{other}"
            );
        }
    });
}

#[test]
fn an_app_on_a_unix_socket_is_an_app() {
    run(60, async {
        let app = Django::new(Version::Lts).unix().start().await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["shop.example.test"])
            .start()
            .await;
        let seen = gateway.get("shop.example.test", "/echo/").await.json();
        assert_eq!(seen["is_secure"], true);
        assert_eq!(seen["host"], gateway.authority("shop.example.test"));
        assert_eq!(seen["meta"]["HTTP_X_FORWARDED_FOR"], "127.0.0.1");
        let home = gateway.get("shop.example.test", "/").await;
        assert!(
            home.set_cookie("__Host-sessionid").contains("Secure"),
            "{home:?}"
        );
    });
}

#[test]
fn several_upstreams_share_the_work_and_cover_for_each_other() {
    run(60, async {
        let (a, b) = (named("a").await, named("b").await);
        let dead = format!("http://127.0.0.1:{}", free_port());
        let gateway = Gateway::to(&a.url())
            .site(&format!("to = [{:?}, {dead:?}, {:?}]", a.url(), b.url()))
            .start()
            .await;
        let mut seen = std::collections::BTreeMap::<String, usize>::new();
        for _ in 0..30 {
            let answer = gateway.get("localhost", "/").await;
            assert_eq!(answer.status, 200, "a dead upstream showed: {answer:?}");
            *seen.entry(answer.text()).or_default() += 1;
        }
        assert!(
            seen.len() == 2 && seen.values().all(|&count| count >= 5),
            "{seen:?}"
        );
        // A body that can be sent only once is safe to send elsewhere while nothing of it
        // has left: nobody listens at the dead one.
        for _ in 0..9 {
            let answer = gateway
                .request("localhost", "/")
                .method("POST")
                .body("x")
                .send()
                .await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    });
}

#[test]
fn keep_alive_is_used_towards_the_app() {
    run(60, async {
        let app = named("a").await;
        let gateway = Gateway::to(&app.url()).top("workers = 1").start().await;
        for _ in 0..20 {
            assert_eq!(gateway.get("localhost", "/").await.status, 200);
        }
        assert!(
            app.connections() <= 2,
            "{} connections for 20 requests",
            app.connections()
        );
    });
}
