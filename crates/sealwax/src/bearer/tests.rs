use std::convert::Infallible;
use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE, WWW_AUTHENTICATE};
use http::{Request, Response};
use http_body_util::Empty;
use sealwax_store::Memory;
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::{CsrfLayer, RequestBody, ResponseBody, Settings};

type Body = Empty<bytes::Bytes>;

async fn tokens() -> (Arc<Memory>, String) {
    let store = Arc::new(Memory::new());
    let tokens = Tokens::new(Arc::clone(&store) as _);
    let token = tokens
        .issue(NewToken {
            subject: "7".into(),
            scopes: vec!["read".into()],
            ..NewToken::default()
        })
        .await
        .unwrap();
    (store, token)
}

async fn ask(layer: BearerLayer, authorization: &[&str]) -> Response<ResponseBody<Body>> {
    let app = service_fn(|request: Request<()>| {
        let bearer = Bearer::of(&request);
        // With a token there is no cookie, and without one there is.
        assert_eq!(request.headers().contains_key(COOKIE), bearer.is_none());
        let response = Response::builder().header(SET_COOKIE, "a=1");
        let response = response.header(
            "x-subject",
            bearer.map_or(String::new(), |b| b.subject().into()),
        );
        async move { Ok::<_, Infallible>(response.body(Body::new()).unwrap()) }
    });
    let mut request = Request::get("/").header(COOKIE, "sessionid=x");
    for value in authorization {
        request = request.header(AUTHORIZATION, *value);
    }
    let service = layer.layer(app);
    service.oneshot(request.body(()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_valid_token_is_let_in_and_cookies_are_kept_away() {
    let (store, token) = tokens().await;
    let layer = BearerLayer::new(store).scope("read");
    for scheme in ["Bearer", "bearer"] {
        let response = ask(layer.clone(), &[&format!("{scheme} {token}")]).await;
        assert_eq!(response.headers()["x-subject"], "7");
        assert!(!response.headers().contains_key(SET_COOKIE));
    }
}

#[tokio::test]
async fn everything_else_is_refused_by_the_rfc() {
    let (store, token) = tokens().await;
    let layer = BearerLayer::new(Arc::clone(&store) as _);
    let writing = layer.clone().scope("write");
    let good = format!("Bearer {token}");
    let bad = format!("Bearer {token}x");
    for (layer, authorization, status, challenge) in [
        (&layer, &[][..], 401, "Bearer"),
        (&layer, &["Basic YTpi"], 401, "Bearer"),
        (&layer, &[&*bad], 401, "Bearer error=\"invalid_token\""),
        (&layer, &["Bearer "], 401, "Bearer error=\"invalid_token\""),
        (&layer, &["Bearer"], 401, "Bearer error=\"invalid_token\""),
        (
            &layer,
            &[&*good, &*good],
            400,
            "Bearer error=\"invalid_request\"",
        ),
        (
            &writing,
            &[&*good],
            403,
            "Bearer error=\"insufficient_scope\", scope=\"write\"",
        ),
    ] {
        let response = ask(layer.clone(), authorization).await;
        assert_eq!(response.status(), status, "{authorization:?}");
        assert_eq!(response.headers()[WWW_AUTHENTICATE], challenge);
    }
    assert!(
        Tokens::new(Arc::clone(&store) as _)
            .revoke(&token)
            .await
            .unwrap()
    );
    assert_eq!(ask(layer, &[&good]).await.status(), 401);
}

#[tokio::test]
async fn a_layer_further_in_asks_its_own_store() {
    let (customers, token) = tokens().await;
    let (staff, own) = tokens().await;
    let inner = BearerLayer::new(staff);
    let app =
        service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Body::new())) });
    let same = BearerLayer::new(Arc::clone(&customers) as _).scope("read");
    let outer = BearerLayer::new(customers).optional();
    for (layer, token, status) in [
        (&inner, &token, 401),
        (&same, &token, 200),
        (&inner, &own, 401),
    ] {
        let service = outer.layer(layer.layer(app));
        let request = Request::get("/").header(AUTHORIZATION, format!("Bearer {token}"));
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn a_token_ends_in_time() {
    let store = Arc::new(Memory::new());
    let tokens = Tokens::new(Arc::clone(&store) as _);
    let new = |lasts| NewToken {
        subject: "7".into(),
        lasts: Some(lasts),
        ..NewToken::default()
    };
    let ended = tokens.issue(new(Duration::ZERO)).await.unwrap();
    let lasting = tokens.issue(new(Duration::from_secs(60))).await.unwrap();
    let layer = BearerLayer::new(Arc::clone(&store) as _);
    assert_eq!(
        ask(layer.clone(), &[&format!("Bearer {ended}")])
            .await
            .status(),
        401
    );
    assert_eq!(
        ask(layer, &[&format!("Bearer {lasting}")]).await.status(),
        200
    );
    let noted: Vec<bool> = tokens
        .list("7")
        .await
        .unwrap()
        .iter()
        .map(|t| t.last_used.is_some())
        .collect();
    assert_eq!(noted.iter().filter(|noted| **noted).count(), 1);
}

#[tokio::test]
async fn beside_pages_a_token_spares_the_csrf_check_and_nothing_else_does() {
    let (store, token) = tokens().await;
    let app = service_fn(|_: Request<RequestBody<Body>>| async {
        Ok::<_, Infallible>(Response::new(Body::new()))
    });
    let csrf = CsrfLayer::new(&Settings::production(["a.example"])).unwrap();
    let service = BearerLayer::new(store).optional().layer(csrf.layer(app));
    for (authorization, status) in [
        (format!("Bearer {token}"), 200),
        ("Bearer made-up".to_owned(), 401),
        ("Basic YTpi".to_owned(), 403),
    ] {
        let request = Request::post("/").header("host", "a.example");
        let request = request
            .header(AUTHORIZATION, authorization)
            .body(Body::new());
        let response = service.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
    }
}
