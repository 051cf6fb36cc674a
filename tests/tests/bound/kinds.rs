//! Every kind of request that a page makes waits until the browser has proven its key again; an
//! app in Node here, with the cookie of Express.

use sealwax_tests::{Chromium, Gateway, node, run};

use super::scene::{PROOF, keys, waited_for};

const HOST: &str = "node.example.test";
const SITE: &str = r#"
[site.bind]
cookies = ["connect.sid"]
lifetime = "10m"
born_on = ["^$"]
"#;
const SESSION: &str = "__Host-connect.sid";
/// What Node is to see of it.
const PLAIN: &str = "connect.sid=s%3Aabc.def";

/// Scripts that make one request and tell which cookies the app got with it.
const KINDS: &[(&str, &str)] = &[
    (
        "fetch",
        "fetch('/echo').then((a) => a.json()).then((seen) => seen.headers.cookie)",
    ),
    (
        "XMLHttpRequest",
        "new Promise((ok) => { const x = new XMLHttpRequest(); x.open('GET', '/echo'); \
         x.onload = () => ok(JSON.parse(x.responseText).headers.cookie); x.send() })",
    ),
    (
        "fetch with a megabyte",
        "fetch('/form', {method: 'POST', body: 'x'.repeat(1 << 20) + 'the end'}).then((a) => a.text())\
         .then((text) => text.includes('<p id=\"length\">1048583<p id=\"end\">xxthe end') ? text : 'cut: ' + text)",
    ),
    (
        "EventSource",
        "new Promise((ok, no) => { const e = new EventSource('/events'); e.onerror = () => no(new Error('no events')); \
         e.onmessage = (event) => { e.close(); ok(event.data) } })",
    ),
    (
        "WebSocket",
        "new Promise((ok, no) => { const s = new WebSocket('wss://' + location.host + '/socket'); \
         s.onerror = () => no(new Error('no socket')); s.onopen = () => s.send('headers'); \
         s.onmessage = (event) => { s.close(); ok(JSON.parse(event.data).cookie) } })",
    ),
];

#[test]
fn every_kind_of_request_waits_for_the_proof() {
    run(120, async {
        let app = node().await;
        let gateway = Gateway::to(&app.url())
            .hosts(&[HOST])
            .site(SITE)
            .env("SEALWAX_SECRET", &keys())
            .start()
            .await;
        let browser = Chromium::with_bound_sessions(&[&gateway.root()], "").await;
        let page = browser.page().await;
        let url = gateway.url(HOST, "/");
        let mark = page.mark();
        assert_eq!(page.goto(&url).await, 200);
        let created = |event: &serde_json::Value| event["creationEventDetails"].is_object();
        page.wait_bound_event(mark, "a registration", created).await;
        assert_eq!(page.goto(&url).await, 200);
        let alone = browser.cookie(SESSION).await.value;
        let copied = format!("{SESSION}={alone}");
        let request = gateway.request(HOST, "/echo").header("cookie", copied);
        let seen = request.send().await.json();
        assert_eq!(seen["headers"]["cookie"], serde_json::Value::Null, "bound");

        for (kind, script) in KINDS {
            page.delete_cookie(PROOF, &url).await;
            let mark = page.mark();
            let seen = page.eval(script).await;
            let seen = seen.as_str().unwrap_or_default();
            assert!(seen.contains(PLAIN), "{kind}: {seen}");
            assert_eq!(waited_for(&page, mark), 1, "{kind}");
        }

        // Without the session the picture has the width of one cookie.
        page.delete_cookie(PROOF, &url).await;
        let picture = "new Promise((ok) => { const i = new Image(); i.onload = () => ok(i.naturalWidth); \
             i.src = '/picture' })";
        assert_eq!(page.eval(picture).await, 2, "an image");

        // A form whose page was open until the proof was over.
        page.delete_cookie(PROOF, &url).await;
        let form = "const f = document.createElement('form'); f.method = 'POST'; f.action = '/form'; \
             f.innerHTML = '<textarea name=t>' + 'y'.repeat(100000) + 'theend</textarea>'; \
             document.body.append(f); f.submit()";
        page.start(form).await;
        page.wait_for("document.querySelector('#end')").await;
        assert!(page.text("#cookie").await.contains(PLAIN), "a form");
        assert_eq!(page.text("#length").await, "100008");
        assert_eq!(page.text("#end").await, "yyytheend");
    });
}
