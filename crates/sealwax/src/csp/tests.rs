use std::convert::Infallible;

use http::header::{CONTENT_SECURITY_POLICY as CSP, CONTENT_SECURITY_POLICY_REPORT_ONLY as REPORT};
use http::{Request, Response};
use tower::{ServiceExt as _, service_fn};

use super::*;

async fn ask(app: fn(CspNonce) -> Response<()>) -> Response<()> {
    let mut settings = Settings::production(["a.example"]);
    settings.secure_csp = Some("default-src 'self'; script-src <CSP_NONCE_SENTINEL>".into());
    settings.secure_csp_report_only = Some("img-src 'none'".into());
    let layer = CspLayer::new(&settings).unwrap();
    let app = service_fn(move |request: Request<()>| {
        let response = app(CspNonce::of(&request).unwrap());
        async { Ok::<_, Infallible>(response) }
    });
    layer.layer(app).oneshot(Request::new(())).await.unwrap()
}

#[tokio::test]
async fn a_nonce_is_in_the_policy_if_the_page_asked_for_it() {
    let response = ask(|_| Response::new(())).await;
    assert_eq!(response.headers()[CSP], "default-src 'self'");
    assert_eq!(response.headers()[REPORT], "img-src 'none'");
    let response = ask(|nonce| {
        let value = nonce.value().unwrap().to_owned();
        assert_eq!(value, nonce.clone().value().unwrap());
        Response::builder()
            .header("x-nonce", value)
            .body(())
            .unwrap()
    })
    .await;
    let nonce = response.headers()["x-nonce"].to_str().unwrap();
    assert_eq!(nonce.len(), 22);
    assert_eq!(
        response.headers()[CSP],
        format!("default-src 'self'; script-src 'nonce-{nonce}'")
    );
}

#[tokio::test]
async fn the_apps_own_policy_stays_and_an_override_counts() {
    let response = ask(|_| Response::builder().header(CSP, "x").body(()).unwrap()).await;
    assert_eq!(response.headers()[CSP], "x");
    let response = ask(|_| {
        let mut response = Response::new(());
        let own = CspOverride::enforce("img-src *").unwrap();
        response.extensions_mut().insert(own);
        response
    })
    .await;
    assert_eq!(response.headers()[CSP], "img-src *");
    assert!(!response.headers().contains_key(REPORT));
    let response = ask(|_| {
        let mut response = Response::new(());
        response.extensions_mut().insert(CspOverride::none());
        response
    })
    .await;
    assert!(response.headers().is_empty());
    assert!(CspOverride::enforce("a b,c").is_err());
}
