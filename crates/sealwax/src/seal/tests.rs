use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{COOKIE, LOCATION, SET_COOKIE, STRICT_TRANSPORT_SECURITY};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::*;
use crate::{Arrival, Record, ResponseBody, Transport};

type Body = Full<bytes::Bytes>;

/// Sends `request` through a layer of `settings` to an app that answers with `fields`, and gives
/// what the app saw too.
struct Site {
    layer: SealLayer,
    clock: Arc<AtomicU64>,
}

impl Site {
    fn new(settings: &Settings) -> Self {
        let clock = Arc::new(AtomicU64::new(1_800_000_000));
        let time = Arc::clone(&clock);
        let world = World::Made(Arc::new(move || {
            Duration::from_secs(time.load(Ordering::Relaxed))
        }));
        let layer = SealLayer::with(settings.checked().unwrap(), world);
        Self { layer, clock }
    }

    async fn ask(
        &self,
        request: http::request::Builder,
        fields: &[(&'static str, &str)],
    ) -> (Response<ResponseBody<Body>>, Option<http::request::Parts>) {
        let seen = Arc::new(std::sync::Mutex::new(None));
        let keep = Arc::clone(&seen);
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        let app = service_fn(move |request: Request<()>| {
            *keep.lock().unwrap() = Some(request.into_parts().0);
            let mut response = Response::new(Body::from("app"));
            for (name, value) in &fields {
                if *name == ":status" {
                    *response.status_mut() = value.parse().unwrap();
                } else {
                    response.headers_mut().append(*name, value.parse().unwrap());
                }
            }
            async { Ok::<_, Infallible>(response) }
        });
        let service = self.layer.layer(app);
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        let seen = seen.lock().unwrap().take();
        (response, seen)
    }
}

fn tls() -> http::request::Builder {
    let transport = Transport::tls("192.0.2.7".parse().ok());
    Request::get("/")
        .header("host", "a.example")
        .extension(transport)
}

fn plain() -> http::request::Builder {
    Request::get("/x?y").header("host", "a.example")
}

fn set(response: &Response<ResponseBody<Body>>) -> Vec<&str> {
    let fields = response.headers().get_all(SET_COOKIE);
    fields.iter().map(|field| field.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_host_that_is_not_ours_gets_400_and_never_the_app() {
    let site = Site::new(&Settings::production(["a.example"]));
    for host in ["b.example", "a.example:x", "a,b", "a.example.evil"] {
        let request = Request::get("/").header("host", host);
        let (response, seen) = site.ask(request, &[]).await;
        assert_eq!(response.status(), 400, "{host}");
        assert!(seen.is_none() && response.body().is_own());
        let record: &Record = response.extensions().get().unwrap();
        assert!(record.changes()[0].rule.id().starts_with("host."));
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert!(
            !text.windows(13).any(|part| part == b"allowed_hosts"),
            "no reason in production"
        );
    }
    let (response, _) = site.ask(Request::get("/"), &[]).await;
    assert_eq!(response.status(), 400);
    let trace = Request::builder()
        .method("TRACE")
        .uri("/")
        .header("host", "a.example");
    assert_eq!(site.ask(trace, &[]).await.0.status(), 405);
}

#[tokio::test]
async fn development_says_why() {
    let site = Site::new(&Settings::development());
    let (response, _) = site
        .ask(Request::get("/").header("host", "b.example"), &[])
        .await;
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert!(
        std::str::from_utf8(&text)
            .unwrap()
            .contains("allowed_hosts")
    );
}

#[tokio::test]
async fn plain_http_goes_to_https_with_its_headers() {
    let site = Site::new(&Settings::production(["a.example"]));
    let (response, seen) = site.ask(plain(), &[]).await;
    assert_eq!(response.status(), 301);
    assert_eq!(response.headers()[LOCATION], "https://a.example/x?y");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert!(seen.is_none());
    let post = Request::post("/").header("host", "a.example");
    assert_eq!(site.ask(post, &[]).await.0.status(), 308);
}

#[tokio::test]
async fn cookies_leave_hardened_and_come_back_under_their_own_name() {
    let site = Site::new(&Settings::production(["a.example"]));
    let (response, _) = site
        .ask(tls(), &[("set-cookie", "sessionid=abc; Path=/")])
        .await;
    assert_eq!(
        set(&response),
        ["__Host-sessionid=abc; Path=/; Secure; HttpOnly; SameSite=Lax"]
    );
    let back = tls().header(COOKIE, "__Host-sessionid=abc; sessionid=evil; theme=dark");
    let (_, seen) = site.ask(back, &[]).await;
    assert_eq!(seen.unwrap().headers[COOKIE], "sessionid=abc; theme=dark");
}

#[tokio::test]
async fn a_cookie_with_a_domain_survives_a_restart() {
    let mut settings = Settings::production(["a.example"]);
    settings.session_cookie_domain = Some("a.example".into());
    let site = Site::new(&settings);
    let (_, seen) = site.ask(tls().header(COOKIE, "sessionid=abc"), &[]).await;
    assert_eq!(seen.unwrap().headers[COOKIE], "sessionid=abc");
}

#[tokio::test]
async fn over_plain_http_cookies_are_withheld_and_the_record_says_so() {
    let mut settings = Settings::production(["a.example"]);
    settings.secure_ssl_redirect = false;
    let site = Site::new(&settings);
    let (response, _) = site.ask(plain(), &[("set-cookie", "sessionid=abc")]).await;
    assert!(set(&response).is_empty());
    let record: &Record = response.extensions().get().unwrap();
    assert_eq!(record.changes()[0].rule.id(), "cookie.withheld");
}

#[tokio::test]
async fn in_development_cookies_that_need_no_tls_pass_over_plain_http() {
    let site = Site::new(&Settings::development());
    let request = || Request::get("/").header("host", "localhost:3000");
    let fields = [
        ("set-cookie", "sessionid=abc; HttpOnly"),
        ("set-cookie", "b=1; Secure"),
    ];
    let (response, _) = site.ask(request(), &fields).await;
    assert_eq!(set(&response), ["sessionid=abc; HttpOnly"]);
    let (_, seen) = site
        .ask(request().header(COOKIE, "sessionid=abc"), &[])
        .await;
    assert_eq!(seen.unwrap().headers[COOKIE], "sessionid=abc");
}

#[tokio::test]
async fn a_websocket_over_http2_passes_and_a_tunnel_does_not() {
    let site = Site::new(&Settings::production(["a.example"]));
    let connect = |target: &str, version| {
        Request::connect(target)
            .version(version)
            .extension(Transport::tls(None))
    };
    let http2 = http::Version::HTTP_2;
    let chat = connect("https://a.example/chat", http2).header(COOKIE, "sessionid=x; a=b");
    let (response, seen) = site
        .ask(chat, &[("set-cookie", "sessionid=abc; Path=/")])
        .await;
    assert_eq!(response.status(), 200);
    let set = set(&response);
    let hardened = |field: &&str| field.starts_with("__Host-sessionid=abc;");
    assert!(set.iter().any(hardened), "{set:?}");
    let seen = seen.unwrap();
    assert_eq!(seen.method, http::Method::CONNECT);
    assert_eq!(seen.uri.path(), "/chat");
    // The bare name of a cookie that leaves with a prefix does not arrive.
    assert_eq!(seen.headers[COOKIE], "a=b");
    let elsewhere = connect("https://evil.example/chat", http2);
    assert_eq!(site.ask(elsewhere, &[]).await.0.status(), 400);
    for (target, version) in [
        ("a.example:443", http2),
        ("a.example:443", http::Version::HTTP_11),
        ("https://a.example/chat", http::Version::HTTP_11),
    ] {
        let request = connect(target, version).header("host", "a.example:443");
        let (response, seen) = site.ask(request, &[]).await;
        assert_eq!(response.status(), 405, "{target} {version:?}");
        assert!(seen.is_none());
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed() {
    let site = Site::new(&Settings::production(["a.example"]).behind_gateway());
    let forwarded = |peer: &str| {
        Request::get("/")
            .header("host", "a.example")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-for", "198.51.100.9")
            .extension(Transport::plain(peer.parse().ok()))
    };
    let cookie = [("set-cookie", "sessionid=abc; Path=/")];
    let (response, seen) = site.ask(forwarded("127.0.0.1"), &cookie).await;
    let seen = seen.unwrap();
    let arrival: &Arrival = seen.extensions.get().unwrap();
    assert!(arrival.is_secure());
    assert_eq!(arrival.client(), "198.51.100.9".parse().ok());
    assert_eq!(arrival.host(), "a.example");
    assert!(!seen.headers.contains_key("x-forwarded-for"));
    // The gateway gives the names their prefix.
    assert!(set(&response)[0].starts_with("sessionid=abc; Path=/; Secure"));
    let (_, seen) = site.ask(forwarded("203.0.113.1"), &[]).await;
    let seen = seen.unwrap();
    let arrival: &Arrival = seen.extensions.get().unwrap();
    assert!(!arrival.is_secure() && arrival.client() == "203.0.113.1".parse().ok());
}

#[tokio::test]
async fn djangos_proxy_header_is_taken_by_djangos_rule() {
    let mut settings = Settings::production(["a.example"]);
    settings.secure_proxy_ssl_header = Some(("HTTP_X_SCHEME".into(), "https".into()));
    let site = Site::new(&settings);
    for (value, status) in [
        ("https", 200),
        ("https, http", 200),
        ("HTTPS", 301),
        ("http", 301),
    ] {
        let (response, _) = site.ask(plain().header("x-scheme", value), &[]).await;
        assert_eq!(response.status(), status, "{value}");
    }
    // Present and wrong beats real TLS.
    let (response, _) = site.ask(tls().header("x-scheme", "http"), &[]).await;
    assert_eq!(response.status(), 301);
}

#[tokio::test]
async fn hsts_waits_for_a_trusted_chain_and_climbs() {
    let site = Site::new(&Settings::production(["a.example"]));
    let hsts = |response: &Response<_>| {
        let value = response.headers().get(STRICT_TRANSPORT_SECURITY);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let (response, _) = site.ask(tls(), &[]).await;
    assert_eq!(hsts(&response), None);
    let trusted = || {
        let transport = Transport::tls(None).publicly_trusted();
        Request::get("/")
            .header("host", "a.example")
            .extension(transport)
    };
    site.clock.fetch_add(60, Ordering::Relaxed);
    let (response, _) = site.ask(trusted(), &[]).await;
    assert_eq!(hsts(&response).unwrap(), "max-age=300");
    site.clock.fetch_add(300, Ordering::Relaxed);
    let (response, _) = site.ask(trusted(), &[]).await;
    assert_eq!(hsts(&response).unwrap(), "max-age=86400");

    let mut settings = Settings::production(["a.example", "localhost"]);
    settings.secure_hsts_seconds = Some(60);
    let site = Site::new(&settings);
    let (response, _) = site.ask(tls(), &[]).await;
    assert_eq!(hsts(&response).unwrap(), "max-age=60");
    let local = Request::get("/")
        .header("host", "localhost")
        .extension(Transport::tls(None));
    assert_eq!(hsts(&site.ask(local, &[]).await.0), None);
}

#[tokio::test]
async fn a_permanent_redirect_to_itself_is_explained() {
    let site = Site::new(&Settings::production(["a.example"]));
    let fields = [(":status", "301"), ("location", "http://a.example/")];
    let (response, _) = site.ask(tls(), &fields).await;
    assert_eq!(response.status(), StatusCode::LOOP_DETECTED);
}

#[tokio::test]
async fn report_changes_nothing_and_records() {
    let mut settings = Settings::production(["a.example"]);
    settings.mode = crate::Mode::Report;
    let site = Site::new(&settings);
    let (response, _) = site.ask(plain(), &[("set-cookie", "sessionid=a")]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(set(&response), ["sessionid=a"]);
    assert!(!response.headers().contains_key("x-frame-options"));
}
