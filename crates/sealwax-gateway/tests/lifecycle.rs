//! Start, reload, drain, and what is remembered in between.

mod kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use kit::{App, Client, OK, PATIENCE, config, eventually, site, start, start_in};
use sealwax_gateway::Gateway;

#[test]
fn reloads_under_load_fail_no_request() {
    let app = App::answering(OK);
    let other = App::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
    let (rest, changed) = (site(&app.url()), site(&other.url()));
    let running = start(&rest);
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            let mut client = if number % 2 == 0 {
                Client::plain(running.http)
            } else {
                Client::tls(&running, "localhost")
            };
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.get("/");
                    assert!(answer.status == 200 && answer.whole, "{answer:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for turn in 0..50 {
        let next = if turn % 2 == 0 { &changed } else { &rest };
        assert_eq!(
            running.gateway.reload(config(next)).unwrap(),
            Vec::<String>::new()
        );
        let so_far = answered.load(Ordering::Relaxed);
        eventually("requests between two reloads", || {
            answered.load(Ordering::Relaxed) > so_far
        });
    }
    running.gateway.reload(config(&changed)).unwrap();
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!(Client::plain(running.http).get("/").text(), "new");
}

#[test]
fn a_bad_reload_changes_nothing() {
    let app = App::answering(OK);
    let running = start(&site(&app.url()));
    let mut bad = config(&site(&app.url()));
    let missing = running.home.path().join("missing.pem");
    bad.sites[0].tls = sealwax_config::Tls::Files {
        cert: missing.clone(),
        key: missing,
    };
    let error = running.gateway.reload(bad).unwrap_err();
    assert!(error.key().starts_with("site.0.tls."), "{error}");
    assert!(!error.cause().is_empty() && !error.mend().is_empty());
    assert_eq!(Client::tls(&running, "localhost").get("/").status, 200);
    let mut moved = config(&site(&app.url()));
    moved.workers = 3;
    let notes = running.gateway.reload(moved).unwrap();
    assert!(
        notes.len() == 1 && notes[0].contains("workers"),
        "{notes:?}"
    );
}

#[test]
fn a_drain_finishes_what_is_in_flight_and_takes_nothing_new() {
    let (arrived, arrivals) = channel();
    let (go, gone) = channel::<()>();
    let (arrived, gone) = (std::sync::Mutex::new(arrived), std::sync::Mutex::new(gone));
    let app = App::new(move |conn| {
        conn.head();
        arrived.lock().unwrap().send(()).unwrap();
        gone.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        conn.send(OK);
    });
    let running = start(&site(&app.url()));
    let mut idle = Client::plain(running.http);
    assert_eq!(idle.get("/.sealwax/health").status, 200);
    let mut busy = Client::tls(&running, "localhost");
    busy.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    arrivals.recv_timeout(PATIENCE).unwrap();
    let http = running.http;
    let gateway = running.gateway;
    let draining = thread::spawn(move || gateway.drain());
    assert!(idle.at_end(), "an idle connection ends with the drain");
    eventually("the end of the listener", || {
        std::net::TcpStream::connect(http).is_err()
    });
    go.send(()).unwrap();
    let answer = busy.answer("GET");
    assert_eq!((answer.status, answer.whole), (200, true));
    assert!(busy.at_end());
    assert_eq!(draining.join().unwrap().cut, 0);
}

#[test]
fn a_drain_ends_at_its_time() {
    let app = App::new(|conn| {
        conn.head();
        thread::sleep(PATIENCE);
    });
    let running = start(&format!(
        "[timeouts]\ndrain = \"300ms\"\n{}",
        site(&app.url())
    ));
    let mut busy = Client::plain(running.http);
    busy.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    eventually("the request's arrival", || app.connections() == 1);
    assert_eq!(running.gateway.drain().cut, 1);
    assert!(busy.at_end());
}

#[test]
fn names_are_kept_across_restarts() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: mine=1; Path=/; HttpOnly\r\n\r\nok",
    );
    let rest = site(&app.url());
    let running = start(&rest);
    let set = Client::tls(&running, "localhost")
        .get("/")
        .field("set-cookie")
        .unwrap();
    assert!(set.starts_with("__Host-mine=1"), "{set}");
    let kit::Running { gateway, home, .. } = running;
    let _ = gateway.drain();
    let names = std::fs::read_to_string(home.path().join("sites/localhost.names")).unwrap();
    assert!(names.contains("mine"), "{names}");
    let running = start_in(home, &rest);
    let before = app.heads().len();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: mine=forged; __Host-mine=1\r\n\r\n";
    Client::tls(&running, "localhost")
        .send(request)
        .answer("GET");
    assert!(
        app.heads()[before]
            .to_lowercase()
            .contains("\r\ncookie: mine=1\r\n"),
        "{:?}",
        app.heads()
    );
}

#[test]
fn start_names_the_setting_that_cannot_be_served() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(&site("\"http://127.0.0.1:1\""));
    config.listen.https = vec![taken.local_addr().unwrap()];
    let error = Gateway::start(config, home.path()).err().unwrap();
    assert_eq!(error.key(), "listen.https");
    assert!(error.to_string().contains("in use"), "{error}");
}

#[test]
fn several_workers_share_what_they_learn() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: mine=1; Path=/; HttpOnly\r\n\r\nok",
    );
    let home = tempfile::tempdir().unwrap();
    let mut config = config(&site(&app.url()));
    config.workers = 3;
    let gateway = Gateway::start(config, home.path()).unwrap();
    let https = gateway
        .addresses()
        .iter()
        .find(|a| a.scheme == sealwax_gateway::Scheme::Https)
        .unwrap()
        .socket;
    Client::tls_at(https, home.path(), "localhost").get("/");
    for _ in 0..12 {
        let before = app.heads().len();
        let request =
            "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: mine=forged; __Host-mine=1\r\n\r\n";
        Client::tls_at(https, home.path(), "localhost")
            .send(request)
            .answer("GET");
        assert!(
            app.heads()[before]
                .to_lowercase()
                .contains("\r\ncookie: mine=1\r\n")
        );
    }
}
