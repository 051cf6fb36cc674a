//! A Node app: WebSockets, trailers, Express's cookie.

use futures_util::{SinkExt, StreamExt};
use sealwax_tests::{Chromium, Gateway, connect_tls, node, run};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

#[test]
fn a_websocket_talks_through_the_gateway_in_chromium() {
    run(60, async {
        let app = node().await;
        let gateway = Gateway::to(&app.url())
            .hosts(&["node.example.test"])
            .start()
            .await;
        let browser = Chromium::start(&[&gateway.root()], "").await;
        let page = browser.page().await;
        page.goto(&gateway.url("node.example.test", "/")).await;
        let session = browser.cookie("__Host-connect.sid").await;
        assert!(
            session.secure && session.http_only && session.same_site == "Lax",
            "{session:?}"
        );
        assert_eq!(session.value, "s%3Aabc.def");
        let talk = page.eval("talk(50)").await;
        assert_eq!(talk["answers"].as_array().unwrap().len(), 50);
        assert_eq!(talk["answers"][49], "message 49");
        assert_eq!(talk["code"], 1000);
    });
}

#[test]
fn the_websockets_handshake_reaches_the_app_as_it_should() {
    run(60, async {
        let app = node().await;
        let gateway = Gateway::to(&app.url()).start().await;
        // The page comes first and sets the session, as in life.
        gateway.get("localhost", "/").await;
        let stream = connect_tls(gateway.https, &gateway.tls(), "localhost", &[b"http/1.1"])
            .await
            .unwrap();
        let mut request = format!("wss://{}/socket", gateway.authority("localhost"))
            .into_client_request()
            .unwrap();
        request.headers_mut().insert(
            "cookie",
            "__Host-connect.sid=real; connect.sid=tossed; theme=dark"
                .parse()
                .unwrap(),
        );
        request
            .headers_mut()
            .insert("x-forwarded-for", "6.6.6.6".parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        socket.send(Message::text("headers")).await.unwrap();
        let headers: Value =
            serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(headers["cookie"], "connect.sid=real; theme=dark");
        assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert_eq!(headers["host"], gateway.authority("localhost"));

        // A megabyte in one frame each way, then silence, then again.
        let big = vec![7_u8; 1 << 20];
        for pause in [0, 1500] {
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            socket.send(Message::binary(big.clone())).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap().into_data(), big);
        }
        socket.close(None).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    });
}

#[test]
fn http1_and_http2_carry_the_same_and_trailers_too() {
    run(60, async {
        let app = node().await;
        let gateway = Gateway::to(&app.url()).start().await;
        let one = gateway
            .request("localhost", "/echo")
            .header("TE", "trailers")
            .send()
            .await;
        let two = gateway.request("localhost", "/echo").http2().send().await;
        assert_eq!(
            (one.version, two.version),
            (http::Version::HTTP_11, http::Version::HTTP_2)
        );
        for field in [
            "host",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-port",
            "x-real-ip",
        ] {
            let (one, two) = (one.json(), two.json());
            assert!(one["headers"][field].is_string(), "no {field}: {one}");
            assert_eq!(one["headers"][field], two["headers"][field], "{field}");
        }
        let trailers = gateway
            .request("localhost", "/trailers")
            .http2()
            .send()
            .await;
        assert_eq!(trailers.text(), "body");
        assert_eq!(trailers.trailers.unwrap()["x-digest"], "sum");
    });
}
