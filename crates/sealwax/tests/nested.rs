//! Layers on a router that is nested in another: what a pattern means and where a redirect leads.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(feature = "axum")]

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::{Request, StatusCode};
use sealwax::{CsrfLayer, SealLayer, Settings};
use tower::ServiceExt as _;

fn settings() -> Settings {
    let mut settings = Settings::production(["a.example"]);
    settings.csrf_exempt = vec!["^hooks/".into()];
    settings.secure_redirect_exempt = vec!["^hooks/".into()];
    settings
}

async fn send(app: Router, path: &str) -> http::Response<Body> {
    let request = Request::post(path).header("host", "a.example");
    app.oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn exempt_paths_are_those_that_the_client_asks_for() {
    let inner = || {
        Router::new()
            .route("/hooks/pay", post(|| async { "paid" }))
            .layer(CsrfLayer::new(&settings()).unwrap())
    };
    let app = || {
        Router::new()
            .nest("/admin", inner())
            .nest("/hooks", Router::new().nest("/deep", inner()))
            .merge(inner())
    };
    for (path, status) in [
        ("/hooks/pay", StatusCode::OK),
        ("/hooks/deep/hooks/pay", StatusCode::OK),
        ("/admin/hooks/pay", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(send(app(), path).await.status(), status, "{path}");
    }
}

#[tokio::test]
async fn a_redirect_leads_to_the_url_that_was_asked_for() {
    let inner = Router::new()
        .route("/hooks/pay", post(|| async { "paid" }))
        .layer(SealLayer::new(&settings()).unwrap());
    let app = Router::new().nest("/admin", inner.clone()).merge(inner);
    let response = send(app.clone(), "/admin/hooks/pay?x=%2F").await;
    assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(
        response.headers()["location"],
        "https://a.example/admin/hooks/pay?x=%2F"
    );
    assert_eq!(send(app, "/hooks/pay").await.status(), StatusCode::OK);
}
