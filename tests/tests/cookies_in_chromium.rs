//! Apps that use cookies in their own way: none breaks by default, in a real browser.

use sealwax_tests::{Authority, Chromium, Gateway, Page, Request, Step, Upstream, run};

const APP: &str = "app.example.test";

struct Scene {
    app: Upstream,
    gateway: Gateway,
    browser: Chromium,
    page: Page,
}

async fn scene(
    site: &str,
    handler: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
) -> Scene {
    let app = Upstream::with(handler).await;
    let gateway = Gateway::to(&app.url())
        .hosts(&[APP])
        .site(site)
        .start()
        .await;
    let browser = Chromium::start(&[&gateway.root()], "").await;
    let page = browser.page().await;
    Scene {
        app,
        gateway,
        browser,
        page,
    }
}

impl Scene {
    async fn goto(&self, path: &str) {
        assert_eq!(self.page.goto(&self.gateway.url(APP, path)).await, 200);
    }

    /// The Cookie field that the app received with the newest request for `path`, sorted.
    fn received(&self, path: &str) -> Vec<String> {
        sorted(&self.app.last_for(path).header("cookie"))
    }
}

fn sorted(cookies: &str) -> Vec<String> {
    let mut cookies: Vec<_> = cookies
        .split("; ")
        .filter(|cookie| !cookie.is_empty())
        .map(str::to_owned)
        .collect();
    cookies.sort();
    cookies
}

/// Sets these cookies at /set and nothing elsewhere.
fn at_set(
    cookies: &'static [&'static str],
) -> impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static {
    move |request| {
        Step::page(
            if request.path() == "/set" {
                cookies
            } else {
                &[]
            },
            "<p>page</p>",
        )
    }
}

#[test]
fn an_app_that_prefixes_its_own_cookies_keeps_them() {
    run(60, async {
        let cookies = &[
            "__Secure-next-auth.session-token=t; Path=/; Secure; HttpOnly; SameSite=Lax",
            "__Host-s=2; Path=/; Secure",
            "__Secure-weak=3; Path=/",
        ];
        let scene = scene("", at_set(cookies)).await;
        scene.goto("/set").await;
        for visit in ["/one", "/two"] {
            scene.goto(visit).await;
            // The third one lacks the Secure that its prefix asks for; ours makes it valid.
            assert_eq!(
                scene.received(visit),
                [
                    "__Host-s=2",
                    "__Secure-next-auth.session-token=t",
                    "__Secure-weak=3"
                ]
            );
        }
        assert!(
            scene
                .browser
                .cookie("__Secure-next-auth.session-token")
                .await
                .http_only
        );
        assert_eq!(scene.browser.cookies().await.len(), 3);
    });
}

#[test]
fn a_script_reads_and_writes_its_own_cookie() {
    run(60, async {
        let scene = scene(
            "",
            at_set(&[
                "theme=dark; Path=/",
                "XSRF-TOKEN=x; Path=/",
                "_xsrf=y; Path=/",
            ]),
        )
        .await;
        scene.goto("/set").await;
        assert_eq!(
            sorted(&scene.page.document_cookie().await),
            ["XSRF-TOKEN=x", "_xsrf=y", "theme=dark"]
        );
        scene
            .page
            .eval("document.cookie = 'theme=light; path=/'; document.cookie = 'mine=1; path=/'")
            .await;
        scene.goto("/next").await;
        assert_eq!(
            scene.received("/next"),
            ["XSRF-TOKEN=x", "_xsrf=y", "mine=1", "theme=light"]
        );
    });
}

#[test]
fn odd_names_and_values_come_back_as_they_were() {
    run(60, async {
        let cookies = &[
            "arr[0]=a; Path=/",
            "arr[1]=b; Path=/",
            "prefs={\"a\":1,\"b\":[2,3]}; Path=/",
            "quoted=\"x y\"; Path=/",
            "equals=a=b==; Path=/",
            "php[k][sub]=1; Path=/; HttpOnly",
            "empty=; Path=/",
            "utf=caf\u{e9} \u{2713}; Path=/",
        ];
        let scene = scene("", at_set(cookies)).await;
        scene.goto("/set").await;
        scene.goto("/next").await;
        let mut wanted: Vec<_> = cookies
            .iter()
            .map(|cookie| cookie.split("; ").next().unwrap().to_owned())
            .collect();
        wanted.sort();
        assert_eq!(scene.received("/next"), wanted);
        assert!(scene.browser.cookie("__Host-php[k][sub]").await.http_only);
    });
}

#[test]
fn a_session_of_4090_bytes_lives() {
    run(60, async {
        let scene = scene("", |request| {
            let cookie = format!(
                "session={}; Path=/; HttpOnly",
                "v".repeat(4090 - "session".len())
            );
            let cookies = [cookie.as_str()];
            Step::page(
                if request.path() == "/set" {
                    &cookies
                } else {
                    &[]
                },
                "<p>page</p>",
            )
        })
        .await;
        scene.goto("/set").await;
        let stored = scene.browser.cookie("session").await;
        assert!(
            stored.secure && stored.http_only && stored.same_site == "Lax",
            "{:?}",
            stored.same_site
        );
        assert_eq!(stored.name.len() + stored.value.len(), 4090);
        scene.goto("/next").await;
        assert_eq!(scene.app.last_for("/next").header("cookie").len(), 4091);
        // A short one under that name is not what was sent out: a sibling could have set it.
        let tossed = scene
            .gateway
            .request(APP, "/tossed")
            .header("Cookie", "session=evil")
            .send()
            .await;
        assert_eq!(
            (
                tossed.status,
                scene.app.last_for("/tossed").header("cookie").as_str()
            ),
            (200, "")
        );
    });
}

#[test]
fn a_session_shared_with_a_sibling_by_domain_stays_shared_and_is_reported() {
    run(60, async {
        let ours = Authority::new();
        let sibling = Upstream::tls(&ours, &["other.example.test"], |_| {
            Step::page(&[], "<p>sibling</p>")
        })
        .await;
        let app = Upstream::with(at_set(&[
            "sessionid=shared; Domain=example.test; Path=/; HttpOnly",
        ]))
        .await;
        let gateway = Gateway::to(&app.url()).hosts(&[APP]).start().await;
        let browser = Chromium::start(&[&gateway.root(), &ours.root()], "").await;
        let page = browser.page().await;
        page.goto(&gateway.url(APP, "/set")).await;
        let stored = browser.cookie("sessionid").await;
        assert!(
            stored.secure
                && stored.http_only
                && stored.same_site == "Lax"
                && stored.domain == ".example.test",
            "{stored:?}"
        );
        page.goto(&format!("https://other.example.test:{}/", sibling.port()))
            .await;
        assert_eq!(sibling.last_for("/").header("cookie"), "sessionid=shared");
        page.goto(&gateway.url(APP, "/next")).await;
        assert_eq!(app.last_for("/next").header("cookie"), "sessionid=shared");
        assert!(
            gateway.log().contains("sessionid"),
            "what we cannot protect is not reported:\n{}",
            gateway.log()
        );
    });
}

#[test]
fn rename_domain_protects_the_shared_session_as_far_as_it_goes() {
    run(60, async {
        let cookies = &["sessionid=shared; Domain=example.test; Path=/; HttpOnly"];
        let scene = scene(
            "[site.cookies]\nrename_domain = [\"sessionid\"]",
            at_set(cookies),
        )
        .await;
        scene.goto("/set").await;
        assert_eq!(
            scene.browser.cookie("__Secure-sessionid").await.domain,
            ".example.test"
        );
        scene.goto("/next").await;
        assert_eq!(scene.received("/next"), ["sessionid=shared"]);
    });
}

#[test]
fn a_return_from_a_log_in_elsewhere_by_get_has_its_session() {
    run(60, async {
        let ours = Authority::new();
        let app = Upstream::with(at_set(&[
            "sessionid=s; Path=/; HttpOnly",
            "state=n; Path=/callback; HttpOnly",
        ]))
        .await;
        let gateway = Gateway::to(&app.url()).hosts(&[APP]).start().await;
        let back = gateway.url(APP, "/callback?code=1");
        let idp = Upstream::tls(&ours, &["idp.other.test"], move |request| {
            match request.path().as_str() {
                "/authorize" => Step::page(
                    &[],
                    "<form method=post action=/agree><button id=agree>Agree</button></form>",
                ),
                "/agree" => Step::response(303, &[("Location", &back)], ""),
                _ => Step::response(404, &[], ""),
            }
        })
        .await;
        let browser = Chromium::start(&[&gateway.root(), &ours.root()], "").await;
        let page = browser.page().await;
        page.goto(&gateway.url(APP, "/set")).await;
        page.goto(&format!("https://idp.other.test:{}/authorize", idp.port()))
            .await;
        assert_eq!(page.click_through("#agree").await, 200);
        assert_eq!(
            sorted(&app.last_for("/callback").header("cookie")),
            ["sessionid=s", "state=n"]
        );
    });
}

/// A page elsewhere that posts to the app by itself, as SAML's POST binding does.
async fn saml(site: &str) -> (Upstream, Gateway) {
    let ours = Authority::new();
    let app = Upstream::with(at_set(&["sessionid=s; Path=/; HttpOnly"])).await;
    let gateway = Gateway::to(&app.url())
        .hosts(&[APP])
        .site(site)
        .start()
        .await;
    let form = format!(
        "<form method=post action='{}'><input name=SAMLResponse value=x><button id=go>Go</button></form>",
        gateway.url(APP, "/acs")
    );
    let idp = Upstream::tls(&ours, &["idp.other.test"], move |_| Step::page(&[], &form)).await;
    let browser = Chromium::start(&[&gateway.root(), &ours.root()], "").await;
    let page = browser.page().await;
    page.goto(&gateway.url(APP, "/set")).await;
    page.goto(&format!("https://idp.other.test:{}/", idp.port()))
        .await;
    assert_eq!(page.click_through("#go").await, 200);
    (app, gateway)
}

#[test]
fn a_cross_site_post_loses_its_session_and_is_told_why() {
    run(60, async {
        let (app, gateway) = saml("").await;
        let arrived = app.last_for("/acs");
        assert_eq!(
            (arrived.method().as_str(), arrived.header("cookie").as_str()),
            ("POST", "")
        );
        let log = gateway.log();
        assert!(
            log.contains("same_site") && log.contains("sessionid") || log.contains("cross-site"),
            "not explained:\n{log}"
        );
    });
}

#[test]
fn one_setting_mends_the_cross_site_post() {
    run(60, async {
        let (app, _gateway) =
            saml("[site.cookies.names]\nsessionid = { same_site = \"None\" }").await;
        assert_eq!(app.last_for("/acs").header("cookie"), "sessionid=s");
    });
}

#[test]
fn an_app_in_a_frame_of_another_site_works() {
    run(60, async {
        let ours = Authority::new();
        let app = Upstream::with(|request| {
            let policy = ("Content-Security-Policy", "frame-ancestors https://*.portal.test:*");
            let page = ("Content-Type", "text/html");
            let cookie = ("Set-Cookie", "embedsession=e; Path=/; SameSite=None; HttpOnly");
            match request.path().as_str() {
                "/frame" => Step::response(200, &[policy, page, cookie], "<p>framed</p><a id=a href=/again>again</a><script>setTimeout(() => location = '/again', 50)</script>"),
                _ => Step::response(200, &[policy, page], "<p>again</p><script>parent.postMessage('again', '*')</script>"),
            }
        })
        .await;
        let gateway = Gateway::to(&app.url()).hosts(&[APP]).start().await;
        let html = format!(
            "<script>window.said = new Promise(ok => onmessage = event => ok(event.data))</script><iframe src='{}'></iframe>",
            gateway.url(APP, "/frame")
        );
        let portal =
            Upstream::tls(&ours, &["www.portal.test"], move |_| Step::page(&[], &html)).await;
        let browser = Chromium::start(&[&gateway.root(), &ours.root()], "").await;
        let page = browser.page().await;
        page.goto(&format!("https://www.portal.test:{}/", portal.port()))
            .await;
        assert_eq!(
            page.eval(
                "Promise.race([said, new Promise(ok => setTimeout(() => ok('blocked'), 8000))])"
            )
            .await,
            "again"
        );
        assert_eq!(app.last_for("/again").header("cookie"), "embedsession=e");
        let stored = browser.cookie("__Host-embedsession").await;
        assert!(stored.secure && stored.same_site == "None", "{stored:?}");
        let answer = gateway.get(APP, "/frame").await;
        assert!(
            !answer.headers.contains_key("x-frame-options"),
            "{answer:?}"
        );
    });
}

#[test]
fn a_cookie_from_before_the_gateway_is_replaced_and_removed() {
    run(60, async {
        // The browser holds the app's bare session from the time without a gateway.
        let handler = |request: &Request| {
            let cookies: &[&str] = if request.path() == "/login" {
                &["sessionid=new; Path=/; HttpOnly"]
            } else {
                &[]
            };
            Step::page(cookies, "<p>page</p>")
        };
        let scene = scene("", handler).await;
        scene.goto("/login").await;
        scene
            .page
            .eval("document.cookie = 'sessionid=old; path=/'")
            .await;
        assert!(scene.browser.has_cookie("sessionid").await);
        scene.goto("/next").await;
        assert_eq!(scene.received("/next"), ["sessionid=new"]);
        assert!(
            !scene.browser.has_cookie("sessionid").await,
            "the stale form is still there: {:#?}",
            scene.browser.cookies().await
        );
        assert_eq!(scene.browser.cookie("__Host-sessionid").await.value, "new");
    });
}

#[test]
fn migration_accepts_the_bare_form_until_a_prefixed_one_comes() {
    run(60, async {
        let handler = |request: &Request| {
            let cookies: &[&str] = if request.path() == "/login" {
                &["sessionid=new; Path=/; HttpOnly"]
            } else {
                &[]
            };
            Step::page(cookies, "<p>page</p>")
        };
        let scene = scene("[site.cookies]\nmigrate = \"30d\"", handler).await;
        scene.goto("/start").await;
        scene
            .page
            .eval("document.cookie = 'sessionid=old; path=/'")
            .await;
        scene.goto("/first").await;
        assert_eq!(scene.received("/first"), ["sessionid=old"]);
        scene.goto("/login").await;
        scene.goto("/second").await;
        assert_eq!(scene.received("/second"), ["sessionid=new"]);
        scene.goto("/third").await;
        assert!(
            !scene.browser.has_cookie("sessionid").await,
            "{:#?}",
            scene.browser.cookies().await
        );
    });
}

#[test]
fn the_same_name_on_two_paths_stays_two_cookies() {
    run(60, async {
        let cookies = &[
            "cart=root; Path=/; HttpOnly",
            "cart=shop; Path=/shop; HttpOnly",
        ];
        let scene = scene("", at_set(cookies)).await;
        scene.goto("/set").await;
        assert_eq!(scene.browser.cookie("__Host-cart").await.value, "root");
        assert_eq!(scene.browser.cookie("__Secure-cart").await.value, "shop");
        scene.goto("/elsewhere").await;
        assert_eq!(scene.received("/elsewhere"), ["cart=root"]);
    });
}
