//! SIGHUP under load: the policy changes, no request and no socket is lost.

use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use sealwax_tests::{
    Authority, Client, Gateway, Process, Step, Tls, Upstream, connect_tls, node, run, wait_until,
};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

/// The numbers in h2load's line that begins with `label`, such as `requests:`.
fn numbers(output: &str, label: &str) -> Vec<u64> {
    let line = output
        .lines()
        .find(|line| line.starts_with(label))
        .unwrap_or_else(|| panic!("no {label} in\n{output}"));
    line.split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[test]
fn a_hundred_reloads_under_load_lose_nothing() {
    run(120, async {
        let app = node().await;
        let gateway = Gateway::to(&app.url()).start().await;
        let stream = connect_tls(gateway.https, &gateway.tls(), "localhost", &[b"http/1.1"])
            .await
            .unwrap();
        let request = format!("wss://{}/socket", gateway.authority("localhost"))
            .into_client_request()
            .unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();

        let load = |protocol: &str| {
            let mut command = Command::new("h2load");
            command.args(["-D", "22", "-c", "4", "-m", "4", "-t", "1"]);
            command.arg(protocol).arg(gateway.url("localhost", "/"));
            Process::start("h2load", &mut command)
        };
        let mut loads = [load("--npn-list=h2"), load("--h1")];
        let steady = gateway.read_config();
        let began = Instant::now();
        for round in 0..100 {
            // Every other reload changes something.
            let change = if round % 2 == 0 {
                "\n[site.headers]\nreferrer_policy = \"no-referrer\"\n"
            } else {
                ""
            };
            gateway.write_config(&format!("{steady}{change}"));
            gateway.reload();
            socket
                .send(Message::text(format!("round {round}")))
                .await
                .unwrap();
            let answer = socket.next().await.unwrap().unwrap();
            assert_eq!(answer.to_text().unwrap(), format!("round {round}"));
            let next = Duration::from_millis(150) * (round + 1);
            tokio::time::sleep(next.saturating_sub(began.elapsed())).await;
        }
        for load in &mut loads {
            assert!(
                load.is_running(),
                "the load ended before the reloads did:\n{}",
                load.log()
            );
        }
        for load in &mut loads {
            load.wait(60).await;
            let output = load.log();
            // total, started, done, succeeded, failed, errored, timeout
            let [_, _, done, succeeded, failed, errored, timeout] =
                numbers(&output, "requests:")[..]
            else {
                panic!("another h2load: {output}");
            };
            assert!(done > 1000 && done == succeeded, "{output}");
            assert_eq!((failed, errored, timeout), (0, 0, 0), "{output}");
            // 2xx, 2, 3xx, 3, …: every answer was a good one.
            assert_eq!(
                numbers(&output, "status codes:")[..4],
                [done, 2, 0, 3],
                "{output}"
            );
        }
        // What h2load asked for is what was done: the reloads were reloads.
        assert!(
            gateway.log().to_lowercase().matches("reload").count() >= 50,
            "{}",
            gateway.log()
        );
        socket.send(Message::text("after")).await.unwrap();
        assert_eq!(
            socket.next().await.unwrap().unwrap().to_text().unwrap(),
            "after"
        );
    });
}

#[test]
fn a_reload_brings_new_policy_and_new_certificates() {
    run(60, async {
        let app =
            Upstream::with(|_| Step::response(200, &[("Set-Cookie", "a=1; Path=/")], "ok")).await;
        let authority = Authority::new();
        let directory = TempDir::new().unwrap();
        let (cert, key) = authority.files(directory.path(), &["a.example.test"]);
        let gateway = Gateway::to(&app.url())
            .hosts(&["a.example.test"])
            .site(&format!("tls = {{ cert = {cert:?}, key = {key:?} }}"))
            .start()
            .await;
        let tls = Tls::trusting(&[&authority.root()]);
        let leaf = async || {
            let stream = connect_tls(gateway.https, &tls, "a.example.test", &[b"h2"])
                .await
                .unwrap();
            stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
        };
        let first = leaf().await;
        assert!(authority.files(directory.path(), &["a.example.test"]).0 == cert);
        assert_eq!(leaf().await, first, "files count from a reload on");
        gateway.write_config(&format!(
            "{}\n[site.headers]\nreferrer_policy = \"no-referrer\"\n",
            gateway.read_config()
        ));
        gateway.reload();
        wait_until("the new policy", 10, || {
            (gateway.log().to_lowercase().matches("reload").count() > 0).then_some(())
        })
        .await;
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while leaf().await == first {
            assert!(
                std::time::Instant::now() < deadline,
                "the old certificate is still served:\n{}",
                gateway.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let answer = Client::plain(gateway.https, &gateway.authority("a.example.test"), "/")
            .tls(&tls, "a.example.test")
            .send()
            .await;
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    });
}

#[test]
fn a_broken_configuration_changes_nothing() {
    run(60, async {
        let app = Upstream::with(|_| Step::response(200, &[], "ok")).await;
        let authority = Authority::new();
        let directory = TempDir::new().unwrap();
        let (cert, key) = authority.files(directory.path(), &["a.example.test"]);
        let (_, strange) = authority.files(directory.path(), &["b.example.test"]);
        let mut gateway = Gateway::to(&app.url())
            .hosts(&["a.example.test"])
            .site(&format!("tls = {{ cert = {cert:?}, key = {key:?} }}"))
            .start()
            .await;
        let tls = Tls::trusting(&[&authority.root()]);
        let good = gateway.read_config();
        let mut said = gateway.log().len();
        let broken = [
            ("not TOML at all [", "sealwax.toml"),
            ("listen = 3", "listen"),
            (
                &good.replace(key.to_str().unwrap(), strange.to_str().unwrap()),
                "does not belong",
            ),
            (
                &good.replace(key.to_str().unwrap(), "/nonexistent/key.pem"),
                "/nonexistent/key.pem",
            ),
        ];
        for (text, word) in broken {
            gateway.write_config(text);
            gateway.reload();
            wait_until(&format!("a complaint with {word:?}"), 10, || {
                gateway.log()[said..].contains(word).then_some(())
            })
            .await;
            said = gateway.log().len();
            assert!(gateway.process.is_running());
            let answer = Client::plain(gateway.https, &gateway.authority("a.example.test"), "/")
                .tls(&tls, "a.example.test")
                .send()
                .await;
            assert_eq!(answer.status, 200);
        }
        // The mended file counts again.
        gateway.write_config(&format!(
            "{good}\n[site.headers]\nreferrer_policy = \"no-referrer\"\n"
        ));
        gateway.reload();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        loop {
            let answer = Client::plain(gateway.https, &gateway.authority("a.example.test"), "/")
                .tls(&tls, "a.example.test")
                .send()
                .await;
            if answer.header("referrer-policy") == "no-referrer" {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{answer:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn sigterm_lets_the_running_request_finish() {
    run(60, async {
        let app = Upstream::with(|_| {
            let mut steps = vec![Step::Send(
                b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n".to_vec(),
            )];
            for _ in 0..10 {
                steps.push(Step::Wait(Duration::from_millis(150)));
                steps.push(Step::Send(b"xy".to_vec()));
            }
            steps
        })
        .await;
        for http2 in [false, true] {
            let mut gateway = Gateway::to(&app.url()).start().await;
            let request = gateway.request("localhost", "/");
            let request = if http2 { request.http2() } else { request };
            let slow = tokio::spawn(request.try_send());
            let before = app.requests().len();
            wait_until("the request at the app", 10, || {
                (app.requests().len() > before || http2 || before > 0).then_some(())
            })
            .await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            gateway.process.signal(rustix::process::Signal::TERM);
            tokio::time::sleep(Duration::from_millis(200)).await;
            // New visitors are turned away at the door while the old one is served.
            let refused = tokio::net::TcpStream::connect(gateway.https).await;
            assert!(refused.is_err(), "still accepting while draining");
            let answer = slow.await.unwrap().unwrap();
            assert_eq!((answer.status, answer.body.len()), (200, 20));
            assert!(
                gateway.process.wait(15).await.success(),
                "{}",
                gateway.log()
            );
        }
    });
}
