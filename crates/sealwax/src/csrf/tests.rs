use std::convert::Infallible;

use bytes::Bytes;
use http::header::{COOKIE, SET_COOKIE, VARY};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::body::{RequestBody, ResponseBody};
use crate::{Mode, Record, Transport};

type Body = Full<Bytes>;

/// An app that answers GET with a token and everything else with the body that it got.
async fn app(request: Request<RequestBody<Body>>) -> Result<Response<Body>, Infallible> {
    let text = match request.method().as_str() {
        "GET" => Bytes::from(Csrf::of(&request).unwrap().token().await.unwrap()),
        _ => request.into_body().collect().await.unwrap().to_bytes(),
    };
    Ok(Response::new(Body::new(text)))
}

struct Site(CsrfLayer);

impl Site {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::production(["a.example"]);
        change(&mut settings);
        Self(CsrfLayer::new(&settings).unwrap())
    }

    async fn send(&self, request: Request<Body>) -> Response<ResponseBody<Body>> {
        let service = self.0.layer(service_fn(app));
        service.oneshot(request).await.unwrap()
    }

    /// The secret in the cookie, and a token of it.
    async fn token(&self) -> (String, String) {
        let response = self.send(tls("GET").body(Body::default()).unwrap()).await;
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert_eq!(response.headers()[VARY], "Cookie");
        let secret = cookie.strip_prefix("csrftoken=").unwrap();
        let secret = secret.split(';').next().unwrap().to_owned();
        (secret, text(response).await)
    }

    async fn status(&self, request: http::request::Builder, body: &str) -> u16 {
        let body = Body::from(body.to_owned());
        let response = self.send(request.body(body).unwrap()).await;
        response.status().as_u16()
    }
}

async fn text(response: Response<ResponseBody<Body>>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn tls(method: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri("/transfer")
        .header("host", "a.example")
        .extension(Transport::tls(None))
}

fn own() -> http::request::Builder {
    tls("POST").header("origin", "https://a.example")
}

fn form(secret: &str) -> http::request::Builder {
    own()
        .header("content-type", "application/x-www-form-urlencoded")
        .header(COOKIE, format!("csrftoken={secret}"))
}

#[tokio::test]
async fn a_form_with_its_token_passes_and_keeps_every_byte() {
    let site = Site::new(|_| {});
    let (secret, token) = site.token().await;
    assert_eq!((secret.len(), token.len()), (32, 64));
    let body = format!("a=%20b&csrfmiddlewaretoken={token}&c=");
    let request = form(&secret).body(Body::from(body.clone())).unwrap();
    let response = site.send(request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(text(response).await, body);
    // Another page's token of the same secret is as good.
    let again = site.token().await;
    assert_ne!(again.1, token);
    for (cookie, token) in [(&secret, &again.1), (&again.0, &token)] {
        let body = format!("csrfmiddlewaretoken={token}");
        assert_eq!(site.status(form(cookie), &body).await, 403);
    }
    assert_eq!(site.status(form(&secret), "a=b").await, 403);
    let nobody = own().header("content-type", "application/x-www-form-urlencoded");
    let body = format!("csrfmiddlewaretoken={token}");
    assert_eq!(site.status(nobody, &body).await, 403);
}

#[tokio::test]
async fn a_form_with_files_and_a_header_pass_too() {
    let site = Site::new(|_| {});
    let (secret, token) = site.token().await;
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nfile\r\n--b\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{token}\r\n--b--\r\n"
    );
    let request = own()
        .header("content-type", "multipart/form-data; boundary=b")
        .header(COOKIE, format!("csrftoken={secret}"))
        .body(Body::from(body.clone()))
        .unwrap();
    let response = site.send(request).await;
    assert_eq!(
        (response.status().as_u16(), text(response).await),
        (200, body)
    );
    for method in ["POST", "PUT", "DELETE", "post"] {
        let request = |token: &str| {
            tls(method)
                .header("origin", "https://a.example")
                .header("x-csrftoken", token)
                .header(COOKIE, format!("csrftoken={secret}"))
        };
        assert_eq!(site.status(request(&token), "{}").await, 200);
        assert_eq!(site.status(request(&"x".repeat(64)), "{}").await, 403);
    }
}

#[tokio::test]
async fn other_sites_are_refused_whatever_they_know() {
    let site = Site::new(|s| {
        s.csrf_trusted_origins = vec!["https://forms.example".into(), "https://*.b.example".into()];
    });
    let (secret, token) = site.token().await;
    let from = |origin: &str| {
        tls("POST")
            .header("origin", origin)
            .header("x-csrftoken", &token)
            .header(COOKIE, format!("csrftoken={secret}"))
    };
    for (origin, status) in [
        ("https://a.example", 200),
        ("https://forms.example", 200),
        ("https://x.b.example", 200),
        ("https://a.example.evil.com", 403),
        ("https://evila.example", 403),
        ("null", 403),
        ("https://a.example:444", 403),
        ("http://a.example", 403),
    ] {
        assert_eq!(site.status(from(origin), "").await, status, "{origin}");
    }
    for (referer, status) in [
        (Some("https://a.example/page"), 200),
        (Some("http://a.example/page"), 403),
        (Some("https://evil.example/"), 403),
        (None, 403),
    ] {
        let mut request = tls("POST")
            .header("x-csrftoken", &token)
            .header(COOKIE, format!("csrftoken={secret}"));
        if let Some(referer) = referer {
            request = request.header("referer", referer);
        }
        assert_eq!(site.status(request, "").await, status, "{referer:?}");
    }
    let same_site = own().header("sec-fetch-site", "same-site");
    assert_eq!(site.status(same_site, "").await, 403);
}

#[tokio::test]
async fn the_browsers_word_makes_the_token_optional_unless_always_is_said() {
    let request = || own().header("sec-fetch-site", "same-origin");
    assert_eq!(Site::new(|_| {}).status(request(), "").await, 200);
    let always = Site::new(|s| s.csrf_token = TokenRule::Always);
    assert_eq!(always.status(request(), "").await, 403);
    // An Origin alone is no such word.
    assert_eq!(Site::new(|_| {}).status(own(), "").await, 403);
}

#[tokio::test]
async fn websockets_over_http2_are_judged_like_those_over_http1() {
    // With the host check of a SealLayer in front, and without.
    let settings = Settings::production(["a.example"]);
    let seal = crate::SealLayer::new(&settings).unwrap();
    let csrf = CsrfLayer::new(&settings).unwrap();
    let app = || {
        service_fn(|request: Request<RequestBody<Body>>| async move {
            assert_eq!(request.method(), http::Method::CONNECT);
            Ok::<_, Infallible>(Response::new(Body::default()))
        })
    };
    let connect = |origin: &str, site: Option<&str>| {
        let mut request = Request::connect("https://a.example/chat")
            .version(http::Version::HTTP_2)
            .extension(Transport::tls(None))
            .header("sec-websocket-version", "13")
            .header("origin", origin);
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        request.body(Body::default()).unwrap()
    };
    for (origin, site, status) in [
        ("https://a.example", Some("same-origin"), 200),
        ("https://a.example", None, 200),
        ("https://evil.example", Some("cross-site"), 403),
        ("https://evil.example", None, 403),
        ("https://b.a.example", Some("same-site"), 403),
        ("null", None, 403),
    ] {
        let both = seal.layer(csrf.layer(app()));
        let response = both.oneshot(connect(origin, site)).await.unwrap();
        assert_eq!(response.status(), status, "{origin} {site:?}");
        let alone = csrf.layer(app());
        let response = alone.oneshot(connect(origin, site)).await.unwrap();
        assert_eq!(response.status(), status, "{origin} {site:?}");
    }
}

#[tokio::test]
async fn websockets_of_other_sites_are_refused() {
    let site = Site::new(|_| {});
    let open = |origin: &str| {
        tls("GET")
            .header("upgrade", "websocket")
            .header("origin", origin)
    };
    assert_eq!(site.status(open("https://a.example"), "").await, 200);
    assert_eq!(site.status(open("https://evil.example"), "").await, 403);
}

#[tokio::test]
async fn large_forms_are_not_read_to_their_end() {
    let site = Site::new(|s| s.data_upload_max_memory_size = 100);
    let (secret, token) = site.token().await;
    let tail = format!("csrfmiddlewaretoken={token}");
    let fits = format!("{}&{tail}", "a".repeat(99 - tail.len()));
    assert_eq!(fits.len(), 100);
    assert_eq!(site.status(form(&secret), &fits).await, 200);
    assert_eq!(site.status(form(&secret), &format!("a{fits}")).await, 413);
    // The header spares the reading.
    let by_header = form(&secret).header("x-csrftoken", &token);
    assert_eq!(site.status(by_header, &"a".repeat(1000)).await, 200);
}

#[tokio::test]
async fn exempt_is_exempt_and_nothing_beside_it() {
    let site = Site::new(|s| s.csrf_exempt = vec!["^hook/".into()]);
    for (path, status) in [
        ("/hook/pay", 200),
        ("/hook", 403),
        ("/hook/../admin", 403),
        ("/hook%2f..%2fadmin", 403),
    ] {
        let request = Request::post(path).header("host", "a.example");
        assert_eq!(site.status(request, "").await, status, "{path}");
    }
    let service = CsrfExempt.layer(site.0.layer(service_fn(app)));
    let request = Request::post("/").body(Body::default()).unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_reason_is_given_in_development_only() {
    for (debug, says) in [(false, false), (true, true)] {
        let site = Site::new(|s| s.debug = debug);
        let request = tls("POST").header("origin", "https://evil.example");
        let response = site.send(request.body(Body::default()).unwrap()).await;
        let record: &Record = response.extensions().get().unwrap();
        assert_eq!(record.changes()[0].rule.id(), "csrf.origin");
        let reason =
            "Origin checking failed - https://evil.example does not match any trusted origins.";
        assert_eq!(text(response).await.contains(reason), says);
    }
}

#[tokio::test]
async fn report_lets_pass() {
    let site = Site::new(|s| {
        s.csrf_mode = Mode::Report;
        s.data_upload_max_memory_size = 10;
    });
    let (secret, _) = site.token().await;
    let large = form(&secret).body(Body::from("a=".to_owned() + &"b".repeat(20)));
    let response = site.send(large.unwrap()).await;
    assert_eq!(text(response).await.len(), 22, "and every byte of it");
    let request = tls("POST").header("origin", "https://evil.example");
    let response = site.send(request.body(Body::default()).unwrap()).await;
    assert_eq!(response.status(), 200);
    let record: &Record = response.extensions().get().unwrap();
    assert!(!record.changes()[0].applied);
    assert_eq!(site.status(own(), "").await, 200);
}

#[tokio::test]
async fn a_form_that_breaks_off_is_never_taken_for_a_whole_one() {
    for (mode, expected) in [(Mode::Enforce, 400), (Mode::Report, 400)] {
        let site = Site::new(|s| s.csrf_mode = mode);
        let (secret, token) = site.token().await;
        let frames = [
            Ok(http_body::Frame::data(Bytes::from(format!(
                "csrfmiddlewaretoken={token}"
            )))),
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
        ];
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
        let app = service_fn(|request: Request<RequestBody<_>>| async {
            let read = request.into_body().collect().await;
            assert!(read.is_err(), "the app would do half of what was meant");
            Ok::<_, Infallible>(Response::new(Body::default()))
        });
        let request = form(&secret).body(body).unwrap();
        let response = site.0.layer(app).oneshot(request).await.unwrap();
        assert_eq!(response.status(), expected);
    }
}

#[tokio::test]
async fn the_cookie_is_httponly_and_an_unreadable_one_is_replaced() {
    let site = Site::new(|s| s.csrf_cookie_age = None);
    let request = own()
        .header(COOKIE, "csrftoken=short")
        .header("x-csrftoken", "x");
    let response = site.send(request.body(Body::default()).unwrap()).await;
    assert_eq!(response.status(), 403);
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.ends_with("; HttpOnly; Path=/; SameSite=Lax; Secure"),
        "{cookie}"
    );
    // A masked one, of an older Django, is read, and nobody asked for another.
    let (secret, _) = Site::new(|_| {}).token().await;
    let masked = tls("DELETE")
        .header("sec-fetch-site", "none")
        .header(COOKIE, format!("csrftoken={secret}{secret}"));
    let response = site.send(masked.body(Body::default()).unwrap()).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
}

#[test]
fn the_header_is_shown_as_django_shows_it() {
    assert_eq!(
        label(&HeaderName::from_static("x-csrftoken")),
        "X-Csrftoken"
    );
}
