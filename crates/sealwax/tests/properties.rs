//! What must hold for any input.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use proptest::prelude::*;
use sealwax::{Memory, Protection, RequestBody, Setting, Settings, Transport};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

/// An app that sends the body back.
async fn echo<B>(request: Request<RequestBody<B>>) -> Result<Response<Full<Bytes>>, Infallible>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(Response::new(Full::new(body)))
}

fn protection() -> Protection {
    let mut settings = Settings::production(["a.example"]);
    settings.secret_key = "an example of fifty characters, which nobody guesses!".into();
    settings.data_upload_max_memory_size = 2000;
    // What would be refused goes on, so that its body can be seen.
    settings.csrf_mode = sealwax::Mode::Report;
    Protection::new(&settings, Arc::new(Memory::new())).unwrap()
}

fn header() -> impl Strategy<Value = (HeaderName, HeaderValue)> {
    let names = prop::sample::select(vec![
        "cookie",
        "host",
        "origin",
        "referer",
        "sec-fetch-site",
        "x-csrftoken",
        "x-forwarded-for",
        "x-forwarded-proto",
        "authorization",
        "content-type",
        "upgrade",
    ]);
    let words = prop::sample::select(vec![
        "sessionid=",
        "__Host-sessionid=abcdefgh",
        "csrftoken=short; messages=x:y:z",
        "a.example",
        "https://a.example",
        "same-origin",
        "Bearer x",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
    ]);
    let odd = prop::collection::vec(any::<u8>(), 0..40);
    let values = prop_oneof![words.prop_map(|word| word.as_bytes().to_vec()), odd];
    (names, values).prop_filter_map("a field value", |(name, value)| {
        Some((
            HeaderName::from_static(name),
            HeaderValue::from_bytes(&value).ok()?,
        ))
    })
}

proptest! {
    #[test]
    fn no_request_makes_the_layers_panic_and_no_byte_of_a_body_is_lost(
        headers in prop::collection::vec(header(), 0..6),
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..600),
            Just(b"csrfmiddlewaretoken=x&".to_vec()),
            Just(b"--b\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n".to_vec()),
            Just(b"\r\n--b--\r\n".to_vec()),
        ], 0..8),
        method in prop::sample::select(vec!["GET", "POST", "post", "DELETE", "TRACE"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let whole: Vec<u8> = pieces.concat();
            let frames = pieces.into_iter().map(|piece| {
                Ok::<_, Infallible>(Frame::data(Bytes::from(piece)))
            });
            let body = StreamBody::new(futures_util::stream::iter(frames));
            let mut request = Request::builder().method(method).uri("/x");
            request = request.extension(Transport::tls(None)).header("host", "a.example");
            let mut request = request.body(body).unwrap();
            for (name, value) in headers {
                request.headers_mut().append(name, value);
            }
            let service = protection().layer(service_fn(echo));
            let response = service.oneshot(request).await.unwrap();
            if response.status() == 200 {
                let body = response.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(body, whole);
            }
        });
    }

    #[test]
    fn no_variable_makes_the_settings_panic(
        values in prop::collection::vec((0..Setting::ALL.len(), ".{0,40}"), 0..6)
    ) {
        let variables = values.into_iter().map(|(at, value)| (Setting::ALL[at].variable(), value));
        if let Ok(settings) = Settings::from_variables(variables) {
            let store = Arc::new(Memory::new());
            drop(Protection::new(&settings, store));
        }
    }
}
