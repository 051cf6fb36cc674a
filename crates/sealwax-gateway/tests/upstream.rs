//! The connections to the app: which are used again, what may be on them, and
//! how the two directions of one exchange go on side by side.

mod kit;

use std::sync::mpsc::channel;
use std::time::Duration;

use kit::{App, Client, OK, PATIENCE, eventually, site, start};

const EVIL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

#[test]
fn a_byte_behind_a_response_ends_the_connection() {
    for (method, response) in [
        ("GET", OK),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
    ] {
        // In the same write, and when the connection is at rest already.
        for pause in [0, 50] {
            let app = App::new(move |conn| {
                while conn.head().is_some() {
                    if conn.number > 0 {
                        conn.send(response);
                    } else if pause == 0 {
                        conn.send(format!("{response}{EVIL}"));
                    } else {
                        conn.send(response);
                        std::thread::sleep(Duration::from_millis(pause));
                        conn.send(EVIL);
                    }
                }
            });
            let running = start(&site(&app.url()));
            let mut client = Client::plain(running.http);
            let request = format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            for _ in 0..3 {
                let answer = client.send(&request).answer(method);
                assert!(
                    answer.whole && !answer.text().contains("evil"),
                    "{answer:?}"
                );
                std::thread::sleep(Duration::from_millis(2 * pause));
            }
            assert_eq!(app.connections(), 2, "{method} {response:?} {pause}");
        }
    }
}

#[test]
fn a_connection_that_the_app_has_closed_is_not_tried() {
    // A POST would be lost on it, for it is never sent twice.
    let app = App::new(|conn| {
        let head = conn.head().unwrap();
        if head.starts_with("POST") {
            conn.body(2);
        }
        conn.send(OK);
        conn.close();
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    for count in 1..5 {
        let post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab";
        assert_eq!(client.send(post).answer("POST").status, 200);
        assert_eq!(app.connections(), count);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn chunks_trailers_and_closing_words_are_understood() {
    let app = App::new(|conn| {
        while let Some(head) = conn.head() {
            conn.send(match head.split(' ').nth(1) {
                Some("/trailers") => {
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"
                }
                Some("/close") => {
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
                }
                _ => OK,
            });
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    for (path, connections) in [
        ("/trailers", 1),
        ("/trailers", 1),
        ("/", 1),
        ("/close", 1),
        ("/", 2),
        ("/", 2),
    ] {
        assert_eq!(client.get(path).text(), "ok");
        assert_eq!(app.connections(), connections, "{path}");
    }
}

#[test]
fn interim_responses_stay_here() {
    let app = App::new(|conn| {
        while conn.head().is_some() {
            conn.send(
                "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 10",
            );
            std::thread::sleep(Duration::from_millis(20));
            conn.send(format!("2 Processing\r\n\r\n{OK}"));
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    for _ in 0..3 {
        let answer = client.get("/");
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
        assert_eq!(answer.field("set-cookie"), None);
    }
    assert_eq!(app.connections(), 1);
}

#[test]
fn an_upload_goes_on_while_the_response_comes() {
    let app = App::new(|conn| {
        while conn.head().is_some() {
            conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for _ in 0..4 {
                let part = conn.body(50_000);
                conn.send("c350\r\n");
                conn.send(part);
                conn.send("\r\n");
            }
            conn.send("0\r\n\r\n");
        }
    });
    let running = start(&site(&app.url()));
    for mut client in [
        Client::plain(running.http),
        Client::tls(&running, "localhost"),
    ] {
        client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n");
        assert!(client.head().unwrap().starts_with("HTTP/1.1 200 "));
        // The next part is only sent once the answer to the last one is here.
        for part in 1..=4 {
            client.send(vec![part; 50_000]);
            let mut left = 50_000;
            while left > 0 {
                let line: Vec<u8> = std::iter::from_fn(|| Some(client.read_exact(1)[0]))
                    .take_while(|byte| *byte != b'\n')
                    .collect();
                let line = String::from_utf8(line).unwrap();
                let size = usize::from_str_radix(line.trim(), 16).unwrap();
                assert!(client.read_exact(size).iter().all(|byte| *byte == part));
                client.read_exact(2);
                left -= size;
            }
        }
        assert_eq!(client.read_exact(5), b"0\r\n\r\n");
    }
    assert_eq!(app.connections(), 1);
}

#[test]
fn the_rest_of_an_upload_is_still_taken_after_the_answer() {
    let app = App::new(|conn| {
        while let Some(head) = conn.head() {
            conn.send(OK);
            if head.starts_with("POST") {
                assert_eq!(conn.body(200_000), vec![b'x'; 200_000]);
            }
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    for _ in 0..3 {
        client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n");
        client.send(vec![b'x'; 70_000]);
        assert_eq!(client.answer("POST").text(), "ok");
        client.send(vec![b'x'; 130_000]);
        assert_eq!(client.get("/").text(), "ok");
    }
    assert!(app.connections() <= 2, "{}", app.connections());
}

#[test]
fn a_body_that_waited_in_vain_for_a_100_goes_all_the_same() {
    let app = App::new(|conn| {
        conn.head();
        assert_eq!(conn.body(5), b"hello");
        conn.send(OK);
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    client.send(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    assert!(client.head().unwrap().starts_with("HTTP/1.1 100 "));
    assert_eq!(client.send("hello").answer("POST").text(), "ok");
}

#[test]
fn requests_are_framed_by_us() {
    let app = App::new(|conn| {
        while let Some(head) = conn.head() {
            let head = head.to_lowercase();
            if head.contains("transfer-encoding: chunked\r\n") {
                assert!(!head.contains("content-length"));
                assert_eq!(conn.chunked().0, b"hello");
            } else if head.contains("content-length: 5\r\n") {
                assert_eq!(conn.body(5), b"hello");
            } else {
                assert!(head.contains("content-length: 0\r\n"), "{head}");
            }
            conn.send(OK);
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    for (fields, body) in [
        ("Content-Length: 5", "hello"),
        ("Content-Length: 0", ""),
        ("X-None: 1", ""),
        (
            "Transfer-Encoding: chunked",
            "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ),
    ] {
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n{body}"
        ));
        assert_eq!(client.answer("POST").text(), "ok", "{fields}");
    }
    assert_eq!(app.connections(), 1);
}

#[test]
fn a_client_that_drips_is_a_408() {
    let app = App::new(|conn| {
        conn.head();
        while !conn.read_some().is_empty() {}
    });
    let running = start(&format!(
        "[timeouts]\nrequest_body_idle = \"2s\"\n{}",
        site(&app.url())
    ));
    let mut client = Client::plain(running.http);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
    // 100 bytes a second, and never a pause: no idle limit would notice.
    let dripped = (0..150).take_while(|_| {
        std::thread::sleep(Duration::from_millis(100));
        client
            .tcp()
            .set_read_timeout(Some(Duration::from_millis(1)))
            .unwrap();
        client.tcp().peek(&mut [0]).is_err() && client.try_send(&[0; 10])
    });
    let dripped = dripped.count();
    // Not at its first pause, and not when it had sent all that it meant to.
    assert!((10..100).contains(&dripped), "{dripped}");
    client.tcp().set_read_timeout(Some(PATIENCE)).unwrap();
    let answer = client.answer("POST");
    assert_eq!(answer.status, 408);
    assert!(answer.text().contains("request_body_rate"), "{answer:?}");
}

#[test]
fn not_a_byte_reaches_an_app_that_has_not_switched() {
    let (told, tells) = channel();
    let told = std::sync::Mutex::new(told);
    let app = App::new(move |conn| {
        while let Some(head) = conn.head() {
            if head.starts_with("GET /plain") {
                conn.send(OK);
                continue;
            }
            if head.starts_with("GET /refused") {
                conn.send("HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n");
                continue;
            }
            conn.stream()
                .set_read_timeout(Some(Duration::from_millis(200)))
                .unwrap();
            let early = conn.read_some();
            conn.stream().set_read_timeout(Some(PATIENCE)).unwrap();
            conn.send(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            );
            let later = conn.read_some();
            told.lock().unwrap().send((early, later)).unwrap();
            return;
        }
    });
    let running = start(&site(&app.url()));
    let upgrade = |path| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
        )
    };
    let mut client = Client::plain(running.http);
    client.send(upgrade("/switch") + "early");
    assert!(client.head().unwrap().starts_with("HTTP/1.1 101 "));
    let (early, later) = tells.recv_timeout(PATIENCE).unwrap();
    assert_eq!((&*early, &*later), (&b""[..], &b"early"[..]));
    // Whoever is not let over goes on as before, and so does the connection.
    let mut client = Client::plain(running.http);
    assert_eq!(client.send(upgrade("/refused")).answer("GET").status, 426);
    assert_eq!(client.get("/plain").text(), "ok");
    assert_eq!(app.connections(), 2);
}

#[test]
fn an_app_that_leaves_in_the_middle_of_an_upload_is_a_502() {
    let app = App::new(|conn| {
        conn.head();
        conn.body(1000);
        conn.reset();
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n");
    client.send(vec![0; 1000]);
    let piece = vec![0; 100_000];
    while client.try_send(&piece) {}
    let answer = client.try_answer("POST");
    assert!(
        answer.as_ref().is_none_or(|answer| answer.status == 502),
        "{answer:?}"
    );
    // Others are served still.
    eventually("the next answer", || {
        Client::plain(running.http).get("/.sealwax/health").status == 200
    });
}

#[test]
fn a_large_response_is_whole_on_either_kind_of_connection() {
    const LENGTH: usize = 5_000_000;
    let body: Vec<u8> = (0..LENGTH).map(|n| (n % 251) as u8).collect();
    let expected = body.clone();
    let app = App::new(move |conn| {
        while let Some(head) = conn.head() {
            if head.contains("/chunked") {
                conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                for piece in body.chunks(33_333) {
                    conn.send(format!("{:X};x=\"y z\"\r\n", piece.len()));
                    conn.send(piece);
                    conn.send("\r\n");
                }
                conn.send("0\r\n\r\n");
            } else {
                conn.send(format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"
                ));
                conn.send(&body);
            }
        }
    });
    let running = start(&site(&app.url()));
    for mut client in [
        Client::plain(running.http),
        Client::tls(&running, "localhost"),
    ] {
        for path in ["/", "/chunked", "/", "/chunked"] {
            let answer = client.get(path);
            assert!(answer.whole && answer.body == expected, "{path}");
        }
    }
    assert_eq!(app.connections(), 1);
}

const FORMS: [&str; 4] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;a=b\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
    "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\nX-Sum: 7\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nhello world",
];

#[test]
fn responses_may_come_in_any_pieces() {
    let app = App::new(|conn| {
        conn.stream().set_nodelay(true).unwrap();
        while let Some(head) = conn.head() {
            let number: usize = head[5..6].parse().unwrap();
            for byte in FORMS[number].bytes() {
                conn.send([byte]);
                std::thread::yield_now();
            }
            if number == 3 {
                return;
            }
        }
    });
    let running = start(&site(&app.url()));
    let mut client = Client::plain(running.http);
    for (number, form) in FORMS.iter().enumerate() {
        let answer = client.get(&format!("/{number}"));
        assert!(
            answer.whole && answer.text() == "hello world",
            "{form:?} became {answer:?}"
        );
    }
    assert_eq!(app.connections(), 1);
}

#[test]
fn a_response_that_is_cut_anywhere_is_never_whole() {
    let app = App::new(|conn| {
        let head = conn.head().unwrap();
        let path = head.split(' ').nth(1).unwrap();
        let (number, cut) = path[1..].split_once('/').unwrap();
        let form = FORMS[number.parse::<usize>().unwrap()];
        conn.send(&form[..cut.parse::<usize>().unwrap()]);
    });
    let running = start(&site(&app.url()));
    // The last form ends where the connection does; nobody can tell.
    for (number, form) in FORMS.iter().enumerate().take(3) {
        for cut in 0..form.len() {
            let mut client = Client::plain(running.http);
            let answer = client.get(&format!("/{number}/{cut}"));
            assert!(
                answer.status == 502 || !answer.whole,
                "{:?} became {answer:?}",
                &form[..cut]
            );
        }
    }
}
