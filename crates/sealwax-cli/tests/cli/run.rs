//! `sealwax run`: the app as a child.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{ANY_PORT, Home, Running, wait};

/// Answers every request with what it finds in its environment.
const APP: &str = r#"
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        names = ("PORT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
        body = "\n".join(f"{name}={os.environ.get(name)}" for name in names).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
port = int(sys.argv[1])
assert os.environ["PORT"] == str(port)
if len(sys.argv) > 2:
    code = int(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *args: os._exit(code))
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"#;

fn run(home: &Home, command: &[&str]) -> Command {
    home.sealwax(&[&["run"][..], &ANY_PORT, &["--"], command].concat())
}

fn started(home: &Home, command: &[&str]) -> Running {
    let running = Running::spawn(run(home, command));
    running.wait_for("sealwax: ready: ");
    running
}

#[test]
fn the_app_gets_its_port_and_trusts_local_certificates() {
    let home = Home::new();
    home.write("app.py", APP);
    let running = started(&home, &["python3", "app.py", "{port}"]);
    let url = format!("https://{}:{}/", host(&home), running.port("https"));
    let resolve = format!("{}:{}:127.0.0.1", host(&home), running.port("https"));
    let answer = home.curl(&["--resolve", &resolve, &url]);
    let root = home.root();
    let bundle = fs::read_to_string(
        answer
            .out
            .lines()
            .last()
            .unwrap()
            .strip_prefix("SSL_CERT_FILE=")
            .unwrap(),
    )
    .unwrap();
    assert!(
        answer
            .out
            .contains(&format!("NODE_EXTRA_CA_CERTS={root}\n")),
        "{answer:?}"
    );
    assert!(
        bundle.contains(fs::read_to_string(root).unwrap().trim()),
        "the bundle holds the local root"
    );
    assert!(
        bundle.matches("BEGIN CERTIFICATE").count() > 1,
        "and the system's"
    );
}

/// The directory's name as a host, for names as `tempfile` makes them.
fn host(home: &Home) -> String {
    let name = home.path().file_name().unwrap().to_str().unwrap();
    format!("{}.localhost", name.trim_start_matches('.').to_lowercase())
}

#[test]
fn the_exit_code_of_the_app_is_ours() {
    for (script, code) in [
        ("exit 7", 7),
        ("exit 0", 0),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
    ] {
        let home = Home::new();
        let mut running = Running::spawn(run(&home, &["sh", "-c", script]));
        assert_eq!(
            running.wait().code(),
            Some(code),
            "{script}: {}",
            running.said()
        );
        running.wait_for("the app ended before it listened on 127.0.0.1:");
    }
}

#[test]
fn an_app_that_ends_while_it_serves_ends_us() {
    let home = Home::new();
    home.write("app.py", APP);
    let script = "python3 app.py {port} & app=$!; sleep 3; kill $app; exit 5";
    let mut running = started(&home, &["sh", "-c", script]);
    assert_eq!(running.wait().code(), Some(5), "{}", running.said());
}

#[test]
fn signals_reach_the_app_and_its_answer_is_ours() {
    for (signal, command, code) in [
        (Signal::TERM, &["python3", "app.py", "{port}"][..], 143),
        (Signal::TERM, &["python3", "app.py", "{port}", "9"], 9),
        (Signal::INT, &["python3", "app.py", "{port}"], 130),
    ] {
        let home = Home::new();
        home.write("app.py", APP);
        let mut running = started(&home, command);
        running.signal(signal);
        let ended = running.wait().code();
        // Python turns SIGINT into an exception and then ends by the signal or
        // with 1, as the version likes.
        assert!(
            ended == Some(code) || (signal == Signal::INT && ended == Some(1)),
            "{signal:?}: {ended:?}\n{}",
            running.said()
        );
    }
}

#[test]
fn what_the_app_started_ends_with_it() {
    let home = Home::new();
    home.write("app.py", APP);
    let script = "sleep 1000 & echo $! > grandchild; exec python3 app.py {port}";
    let mut running = started(&home, &["sh", "-c", script]);
    let grandchild = fs::read_to_string(home.path().join("grandchild")).unwrap();
    let stat = format!("/proc/{}/stat", grandchild.trim());
    assert!(fs::exists(&stat).unwrap());
    running.stop();
    // Nobody may have collected it yet: then it is a zombie, state Z.
    let gone = || match fs::read_to_string(&stat) {
        Ok(stat) if !stat.contains(") Z ") => None,
        _ => Some(()),
    };
    wait("the end of the grandchild", gone, || running.said());
}

#[test]
fn sighup_reloads_and_does_not_reach_the_app() {
    let home = Home::new();
    home.write("app.py", APP);
    let mut running = started(&home, &["python3", "app.py", "{port}"]);
    running.signal(Signal::HUP);
    running.wait_for("configuration reloaded");
    assert_eq!(running.stop().code(), Some(143));
}

#[test]
fn a_program_that_is_not_there_ends_with_2() {
    let home = Home::new();
    let mut running = Running::spawn(run(&home, &["no-such-program"]));
    assert_eq!(running.wait().code(), Some(2));
    running.wait_for("there is no program `no-such-program`");
}

#[test]
fn a_socket_file_is_refused_with_the_mend() {
    let home = Home::new();
    let finished = home.finish(&[
        "run",
        "--to",
        "unix:/tmp/app.sock",
        "--http",
        "127.0.0.1:0",
        "--https",
        "127.0.0.1:0",
        "--",
        "true",
    ]);
    assert_eq!(finished.code, Some(64), "{finished:?}");
    assert!(finished.err.contains("leave --to out"), "{}", finished.err);
}

#[test]
fn usual_ports_that_are_taken_are_passed_over() {
    let home = Home::new();
    home.write("app.py", APP);
    // Taken by us, or by whoever was first.
    let _taken = std::net::TcpListener::bind("127.0.0.1:8443");
    let command = home.sealwax(&[
        "run",
        "--http",
        "127.0.0.1:0",
        "--",
        "python3",
        "app.py",
        "{port}",
    ]);
    let running = Running::spawn(command);
    running.wait_for("sealwax: port 8443 is taken; HTTPS is on ");
    assert!(running.port("https") > 8443);
}
