//! Connections run short: who is at rest makes room, who has too many gets no
//! more, and the rest are told to come again. The gateway has a process of its
//! own, with a limit of open files of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod kit;

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use kit::apart::Apart;
use kit::{App, Client, OK, PATIENCE, eventually, site};
use socket2::{Domain, Socket, Type};

/// Beyond the gateway's own 64 three fifths are for clients, and of those a
/// sixteenth is the reserve: 158 are served and 10 turned away at a time.
const FILES: u64 = 64 + 5 * 56 + 1;
const SERVED: usize = 158;
/// Nine tenths: from here on room is made.
const NEAR: usize = 143;
const RESERVE: usize = 10;
/// An eighth.
const SHARE: usize = 19;

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn from(last: u8, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    socket.bind(&address.into()).unwrap();
    socket.connect(&to.into()).unwrap();
    TcpStream::from(socket)
}

/// The address of the `n`th client; each of them stays below its share.
fn address(n: usize) -> u8 {
    (n / 15) as u8 + 10
}

fn plain(last: u8, running: &Apart) -> Client {
    Client::over(from(last, running.http))
}

fn tls(last: u8, running: &Apart) -> Client {
    Client::tls_over(from(last, running.https), &running.home, "localhost")
}

fn has_ended(client: &mut Client) -> bool {
    let tcp = client.tcp().try_clone().unwrap();
    tcp.set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    let ended = !client.at_rest();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    ended
}

#[test]
#[ignore = "the gateway of the test below, in a process of its own"]
fn gateway() {
    kit::apart::serve();
}

#[test]
fn connections_that_run_short() {
    let (go, gone) = channel::<()>();
    let gone = std::sync::Mutex::new(gone);
    let app = App::new(move |conn| {
        while let Some(head) = conn.head() {
            if head.contains("/slow") {
                gone.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            }
            conn.send(OK);
        }
    });
    // None of these may be what ends a connection here.
    let patient = "[timeouts]\nhandshake = \"1h\"\nrequest_head = \"1h\"\nkeep_alive = \"1h\"\n";
    let running = Apart::start(&format!("{patient}{}", site(&app.url())), Some(FILES));
    idle_ones_make_room(&running);
    who_never_begins_makes_room(&running);
    who_has_many_gets_no_more(&running);
    what_is_in_use_stays(&running, || go.send(()).unwrap());
}

/// Newcomers are served for as long as others rest, and the oldest leave first.
fn idle_ones_make_room(running: &Apart) {
    const CLIENTS: usize = SERVED + 60;
    let mut all: Vec<Client> = Vec::new();
    for n in 0..CLIENTS {
        let mut client = match n % 2 {
            0 => plain(address(n), running),
            _ => tls(address(n), running),
        };
        let answer = client.get("/.sealwax/health");
        assert_eq!(answer.status, 200, "client {n} among those at rest");
        all.push(client);
    }
    let ended: Vec<bool> = all.iter_mut().map(has_ended).collect();
    let left = ended.iter().filter(|ended| **ended).count();
    assert!(left >= CLIENTS - NEAR - 1, "{left} have left");
    assert!(left <= CLIENTS - NEAR + SERVED / 8, "{left} have left");
    // Those of one millisecond are equally old.
    let newest = ended.get(left + 20..).unwrap();
    assert!(!newest.contains(&true), "the newest stay: {ended:?}");
}

/// Half-open handshakes and heads hold no place that others need.
fn who_never_begins_makes_room(running: &Apart) {
    let mut silent: Vec<TcpStream> = (0..SERVED + 20)
        .map(|n| {
            let mut stream = from(
                address(n),
                if n % 2 == 0 {
                    running.http
                } else {
                    running.https
                },
            );
            // The start of a handshake, or of a head.
            let begin: &[u8] = if n % 2 == 0 {
                b"GET / HT"
            } else {
                &[22, 3, 1, 2, 0, 1]
            };
            let _ = std::io::Write::write_all(&mut stream, begin);
            stream
        })
        .collect();
    thread::sleep(Duration::from_millis(1300));
    for n in 0..10 {
        eventually("an answer in spite of those that never begin", || {
            let mut client = tls(200, running);
            client.try_send(GET.as_bytes())
                && client
                    .try_answer("GET")
                    .is_some_and(|answer| answer.status == 200)
        });
        silent.truncate(SERVED + 20 - n);
    }
}

/// Near the limit a client gets its share; others get theirs.
fn who_has_many_gets_no_more(running: &Apart) {
    let mut crowd: Vec<Client> = (0..NEAR - SHARE - 1)
        .map(|n| plain(address(n), running))
        .collect();
    for client in &mut crowd {
        client.send("GET /");
    }
    // These are too young to make room.
    let mut greedy: Vec<Client> = (0..SHARE + 1).map(|_| plain(201, running)).collect();
    for client in &mut greedy {
        client.send("GET /");
    }
    eventually("the share's end", || {
        let mut client = plain(201, running);
        client.send(GET);
        client
            .try_answer("GET")
            .is_some_and(|answer| answer.status == 503)
    });
    assert_eq!(tls(202, running).get("/").status, 200);
}

/// What is under way ends as if nothing were, whatever else comes.
fn what_is_in_use_stays(running: &Apart, go: impl Fn()) {
    let slow = "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";
    eventually("the end of what was before", || {
        let mut client = plain(203, running);
        client.send(GET).answer("GET").status == 200
    });
    let mut busy: Vec<Client> = Vec::new();
    eventually("as many requests as can be served", || {
        let mut client = plain(address(busy.len()), running);
        client.send(slow);
        client
            .tcp()
            .set_read_timeout(Some(Duration::from_millis(5)))
            .unwrap();
        let served = client.at_rest();
        client.tcp().set_read_timeout(Some(PATIENCE)).unwrap();
        if served {
            busy.push(client);
        }
        !served && busy.len() >= NEAR
    });
    // Beyond: 503 over plain HTTP and TLS, from a reserve, and then nothing.
    for mut turned_away in [plain(204, running), tls(204, running)] {
        let answer = turned_away.send(GET).answer("GET");
        assert_eq!((answer.status, answer.whole), (503, true), "{answer:?}");
        assert_eq!(answer.field("retry-after").as_deref(), Some("5"));
        assert!(turned_away.at_end());
    }
    // In a second of its own, since there is a limit for each second too.
    thread::sleep(Duration::from_millis(1100));
    let silent: Vec<TcpStream> = (0..RESERVE).map(|_| from(205, running.https)).collect();
    thread::sleep(Duration::from_millis(300));
    let mut beyond = plain(204, running);
    beyond.try_send(GET.as_bytes());
    assert!(beyond.try_answer("GET").is_none(), "the reserve has an end");
    // Its connections do not last, so there is room in it again.
    eventually("room in the reserve", || {
        let mut client = plain(204, running);
        client.try_send(GET.as_bytes());
        client
            .try_answer("GET")
            .is_some_and(|answer| answer.status == 503)
    });
    drop(silent);
    for _ in &busy {
        go();
    }
    for client in &mut busy {
        let answer = client.answer("GET");
        assert_eq!((answer.status, answer.whole), (200, true), "{answer:?}");
    }
    drop(busy);
    eventually("service as before", || {
        tls(206, running).get("/").status == 200
    });
}
