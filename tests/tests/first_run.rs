//! What somebody sees who runs the first command of the README.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use sealwax_tests::{Chromium, Gateway, Request, Step, Upstream, run};
use tempfile::TempDir;

/// A careless app: no cookie attribute that it could leave out.
fn careless(request: &Request) -> Vec<Step> {
    match request.path().as_str() {
        "/" => Step::page(
            &[
                "sessionid=s1; Path=/; HttpOnly",
                "PHPSESSID=p1; path=/",
                "theme=dark; Path=/",
                "cart=c1; Path=/shop/; HttpOnly",
            ],
            "<h1 id=h>A careless app</h1>",
        ),
        _ => Step::page(&[], "<p id=p>deeper</p>"),
    }
}

async fn first_command(app: &Upstream) -> Gateway {
    let home = TempDir::new().unwrap();
    let url = app.url();
    Gateway::typed(
        home,
        &[
            "serve",
            "--to",
            &url,
            "--http",
            "127.0.0.1:HTTP",
            "--https",
            "127.0.0.1:HTTPS",
        ],
        &[],
    )
    .await
}

#[test]
fn one_command_makes_a_careless_app_secure_in_chromium() {
    run(60, async {
        let app = Upstream::with(careless).await;
        let gateway = first_command(&app).await;
        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        assert_eq!(page.goto(&gateway.url("localhost", "/")).await, 200);
        assert_eq!(page.security_state().await, "secure");
        assert_eq!(page.text("#h").await, "A careless app");

        let session = browser.cookie("__Host-sessionid").await;
        assert!(session.secure && session.http_only, "{session:?}");
        assert_eq!(
            (
                session.same_site.as_str(),
                session.path.as_str(),
                session.domain.as_str()
            ),
            ("Lax", "/", "localhost")
        );
        // Not marked HttpOnly by the app, but a session by its name.
        let php = browser.cookie("__Host-PHPSESSID").await;
        assert!(
            php.secure && php.http_only && php.same_site == "Lax",
            "{php:?}"
        );
        let cart = browser.cookie("__Secure-cart").await;
        assert!(
            cart.secure && cart.http_only && cart.same_site == "Lax" && cart.path == "/shop/",
            "{cart:?}"
        );
        // For scripts, as the app made it; but never over plain HTTP.
        let theme = browser.cookie("theme").await;
        assert!(
            theme.secure && !theme.http_only && theme.same_site == "Lax",
            "{theme:?}"
        );
        assert_eq!(page.document_cookie().await, "theme=dark");
        for seen in page.set_cookies() {
            assert!(seen.blocked.is_empty(), "{seen:?}");
        }

        // The app gets its own names back.
        page.goto(&gateway.url("localhost", "/shop/deeper")).await;
        let mut sent: Vec<_> = app
            .last_for("/shop/deeper")
            .header("cookie")
            .split("; ")
            .map(str::to_owned)
            .collect();
        sent.sort();
        assert_eq!(
            sent,
            ["PHPSESSID=p1", "cart=c1", "sessionid=s1", "theme=dark"]
        );

        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR"));
        page.goto(&gateway.url("localhost", "/")).await;
        page.screenshot(&pictures.join("first-run.png")).await;
    });
}

#[test]
fn tls_is_what_a_browser_of_today_wants() {
    run(60, async {
        let app = Upstream::with(careless).await;
        let gateway = first_command(&app).await;
        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        page.goto(&gateway.url("localhost", "/")).await;
        let certificate = page.certificate().await;
        assert_eq!(certificate["protocol"], "TLS 1.3", "{certificate}");
        assert_eq!(
            certificate["keyExchangeGroup"], "X25519MLKEM768",
            "{certificate}"
        );
        assert_eq!(certificate["cipher"], "AES_128_GCM", "{certificate}");
        assert_eq!(
            page.eval("performance.getEntriesByType('navigation')[0].nextHopProtocol")
                .await,
            "h2"
        );

        let openssl = |arguments: &[&str]| {
            let root = gateway.root();
            let output = Command::new("openssl")
                .args([
                    "s_client",
                    "-connect",
                    &gateway.https.to_string(),
                    "-servername",
                    "localhost",
                    "-verify_return_error",
                    "-CAfile",
                ])
                .arg(root)
                .args(arguments)
                .stdin(std::process::Stdio::null())
                .output()
                .unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr)
        };
        assert!(
            openssl(&["-tls1_2"]).contains("Cipher is ECDHE-ECDSA"),
            "{}",
            openssl(&["-tls1_2"])
        );
        let old = openssl(&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
        assert!(old.contains("Cipher is (NONE)"), "{old}");
        assert!(openssl(&["-alpn", "http/1.1"]).contains("ALPN protocol: http/1.1"));

        // Resumption, in both versions.
        for version in ["-tls1_2", "-tls1_3"] {
            let ticket = gateway.home.path().join("ticket");
            let ticket = ticket.display().to_string();
            // A request on the line makes the server send its tickets before the end.
            let first = Command::new("sh")
                .arg("-c")
                .arg(format!(
                    "(printf 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'; sleep 1) | openssl s_client -connect {} -servername localhost {version} -sess_out {ticket} -ign_eof",
                    gateway.https
                ))
                .output()
                .unwrap();
            assert!(first.status.success());
            let again = openssl(&[version, "-sess_in", &ticket]);
            assert!(again.contains("Reused, TLS"), "{version}: {again}");
        }
    });
}

#[test]
fn plain_http_leads_to_https_and_no_browser_remembers_it() {
    run(60, async {
        let app = Upstream::with(careless).await;
        let gateway = first_command(&app).await;
        let answer = gateway.plain("localhost", "/a%20b/?q=1&r=%2F").send().await;
        assert_eq!(answer.status, 307);
        assert_eq!(
            answer.header("location"),
            gateway.url("localhost", "/a%20b/?q=1&r=%2F")
        );
        assert!(
            answer.header("cache-control").contains("no-store"),
            "{answer:?}"
        );
        assert!(app.requests().is_empty());

        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        assert_eq!(
            page.goto(&format!("http://localhost:{}/", gateway.http.port()))
                .await,
            200
        );
        assert_eq!(
            page.eval("location.href").await,
            gateway.url("localhost", "/")
        );
        assert_eq!(page.security_state().await, "secure");
    });
}

#[test]
fn a_local_host_never_gets_hsts() {
    run(30, async {
        let app = Upstream::replying("HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000\r\nContent-Length: 0\r\n\r\n").await;
        let gateway = first_command(&app).await;
        let answer = gateway.get("localhost", "/").await;
        assert_eq!(answer.status, 200);
        // Not even the app's own: on localhost it would poison every other app there.
        assert!(
            !answer.headers.contains_key("strict-transport-security"),
            "{answer:?}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(
            answer.header("referrer-policy"),
            "strict-origin-when-cross-origin"
        );
        assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            "same-origin-allow-popups"
        );
    });
}

#[test]
fn the_authoritys_key_is_for_its_owner_alone() {
    run(30, async {
        let app = Upstream::with(careless).await;
        let gateway = first_command(&app).await;
        let root = gateway.root();
        let directory = root.parent().unwrap();
        assert_eq!(
            std::fs::metadata(directory).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let mut keys = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            if text.contains("PRIVATE KEY") {
                keys += 1;
                assert_eq!(
                    entry.metadata().unwrap().permissions().mode() & 0o777,
                    0o600,
                    "{:?}",
                    entry.path()
                );
            }
        }
        assert_eq!(keys, 1);
        // A second start uses the same root.
        let before = std::fs::read(&root).unwrap();
        let home = gateway.stop().await;
        let again = Gateway::typed(
            home,
            &[
                "serve",
                "--to",
                &app.url(),
                "--http",
                "127.0.0.1:HTTP",
                "--https",
                "127.0.0.1:HTTPS",
            ],
            &[],
        )
        .await;
        assert_eq!(std::fs::read(again.root()).unwrap(), before);
    });
}

#[test]
fn the_demo_shows_before_and_after() {
    run(90, async {
        let home = TempDir::new().unwrap();
        let gateway = Gateway::typed(
            home,
            &[
                "demo",
                "--http",
                "127.0.0.1:HTTP",
                "--https",
                "127.0.0.1:HTTPS",
            ],
            &[],
        )
        .await;
        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        assert_eq!(page.goto(&gateway.url("localhost", "/")).await, 200);
        assert_eq!(page.security_state().await, "secure");
        page.screenshot(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo.png"))
            .await;
        let body = page.body().await;
        assert!(
            body.contains("Set-Cookie") || body.to_lowercase().contains("cookie"),
            "{body}"
        );
        let prefixed = browser
            .cookies()
            .await
            .into_iter()
            .filter(|cookie| cookie.name.starts_with("__Host-"))
            .count();
        assert!(prefixed > 0, "{:#?}", browser.cookies().await);
        for cookie in browser.cookies().await {
            assert!(cookie.secure, "{cookie:?}");
            assert!(
                ["Lax", "Strict", "None"].contains(&cookie.same_site.as_str()),
                "{cookie:?}"
            );
        }
    });
}
