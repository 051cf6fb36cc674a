//! The layers on plain hyper and tower, without a framework.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use sealwax::{
    Arrival, Csrf, Memory, Protection, RequestBody, Session, SessionError, Settings, Transport,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::service_fn;
use tower_layer::Layer as _;

type Asked = Request<RequestBody<Incoming>>;

async fn app(request: Asked) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = match answer(request).await {
        Ok(text) => text,
        Err(error) => error.to_string(),
    };
    Ok(Response::new(Full::from(text)))
}

async fn answer(request: Asked) -> Result<String, SessionError> {
    let session = Session::of(&request).ok_or(SessionError::NoLayer)?;
    let csrf = Csrf::of(&request).ok_or(SessionError::NoLayer)?;
    let secure = Arrival::of(&request).is_some_and(Arrival::is_secure);
    let visits = session.get::<u32>("visits").await?.unwrap_or(0) + 1;
    session.insert("visits", &visits).await?;
    let token = csrf.token().await?;
    let body = request.into_body().collect().await;
    let length = body.map_or(0, |body| body.to_bytes().len());
    Ok(format!(
        "secure={secure} visits={visits} token={token} body={length}."
    ))
}

/// Sends `text` to the app over a connection that counts as TLS, and gives the answer.
async fn ask(protection: &Protection, text: String) -> String {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let service = protection.layer(service_fn(app));
    // What accepts connections says how they come.
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Transport::tls(None));
        tower::ServiceExt::oneshot(service.clone(), request)
    });
    let serving = tokio::spawn(async move {
        let service = TowerToHyperService::new(service);
        let connection = hyper::server::conn::http1::Builder::new();
        connection
            .serve_connection(TokioIo::new(server), service)
            .await
    });
    client.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    serving.await.unwrap().unwrap();
    answer
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{before} in {text}"));
    rest.split_once(after).unwrap().0
}

#[tokio::test]
async fn a_session_and_a_form_need_no_framework() {
    let mut settings = Settings::production(["a.example"]);
    settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
    let protection = Protection::new(&settings, Arc::new(Memory::new())).unwrap();
    let head = "host: a.example\r\nconnection: close\r\n";
    let first = ask(&protection, format!("GET / HTTP/1.1\r\n{head}\r\n")).await;
    assert!(first.contains("secure=true visits=1 "), "{first}");
    let session = between(&first, "__Host-sessionid=", ";");
    let secret = between(&first, "__Host-csrftoken=", ";");
    let token = between(&first, " token=", " ");
    let cookies = format!("cookie: __Host-sessionid={session}; __Host-csrftoken={secret}\r\n");
    let form = format!("csrfmiddlewaretoken={token}");
    let post = |body: &str| {
        let length = body.len();
        format!(
            "POST / HTTP/1.1\r\n{head}{cookies}origin: https://a.example\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let second = ask(&protection, post(&form)).await;
    assert!(
        second.contains("visits=2 ") && second.contains("body=84."),
        "{second}"
    );
    let refused = ask(&protection, post("a=b")).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let strange = ask(
        &protection,
        "GET / HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n".into(),
    );
    assert!(strange.await.starts_with("HTTP/1.1 400"));
}
