//! `sealwax secret`, and keys as `sealwax serve` finds them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::process::Signal;

use crate::support::{Home, Running, app, wait};

fn keys(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn id(line: &str) -> &str {
    line.split(':').next().unwrap()
}

/// The part of a line that nobody may see.
fn material(line: &str) -> &str {
    line.split(':').nth(1).unwrap()
}

fn sealing(app: u16, head: &str) -> String {
    format!(
        "{head}\nlisten.http = \"127.0.0.1:0\"\nlisten.https = \"127.0.0.1:0\"\n[[site]]\n\
         hosts = [\"localhost\"]\nto = \"http://127.0.0.1:{app}\"\ncookies.seal = [\"sessionid\"]\n"
    )
}

#[test]
fn a_new_file_a_rotation_and_a_list() {
    let home = Home::new();
    let path = home.path().join("state/secret/keys");
    let missing = home.finish(&["secret", "list"]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.err.contains("`sealwax secret new`"), "{missing:?}");
    assert!(!path.exists(), "looking changes nothing");

    let made = home.finish(&["secret", "new"]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let first = keys(&path).remove(0);
    assert!(made.out.contains(id(&first)) && made.out.contains("state/secret/keys"));
    let again = home.finish(&["secret", "new"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.err.contains("there already"), "{again:?}");

    let rotated = home.finish(&["secret", "rotate"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let lines = keys(&path);
    assert_eq!(lines[1..], *std::slice::from_ref(&first));
    for part in ["SIGHUP", "every node", id(&lines[0]), id(&first)] {
        assert!(rotated.out.contains(part), "{part}: {rotated:?}");
    }
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);

    let list = home.finish(&["secret", "list"]);
    let expected = format!(
        "{}\n  1  {}  seals and opens  made just now\n  2  {}  opens            made just now, sealed until just now\n",
        path.display(),
        id(&lines[0]),
        id(&first)
    );
    assert_eq!((list.code, list.out.as_str()), (Some(0), expected.as_str()));

    let kept = home.finish(&["secret", "rotate", "--keep", "2"]);
    assert!(
        kept.out.contains(&format!("Dropped: {}.", id(&first))),
        "{kept:?}"
    );
    assert_eq!(keys(&path)[1..], lines[..1]);
    // The key that sealed until now is in use, however old it is.
    let current = keys(&path);
    let old = current
        .iter()
        .map(|line| format!("{}:{}:1600000000\n", id(line), material(line)));
    fs::write(&path, old.collect::<String>()).unwrap();
    let by_age = home.finish(&["secret", "rotate", "--drop-older-than", "400d"]);
    assert_eq!(by_age.code, Some(0), "{by_age:?}");
    assert_eq!(keys(&path).len(), 2, "{by_age:?}");

    let all = [made, again, rotated, list, kept, by_age];
    for line in keys(&path).iter().chain(&lines) {
        for said in &all {
            let said = format!("{}{}", said.out, said.err);
            assert!(!said.contains(&material(line)[..8]), "{said}");
        }
    }
}

#[test]
fn what_cannot_be_asked_is_bad_usage() {
    let home = Home::new();
    home.finish(&["secret", "new"]);
    for args in [
        &["secret", "rotate", "--keep", "0"][..],
        &["secret", "rotate", "--keep", "17"],
        &["secret", "rotate", "--drop-older-than", "soon"],
        &["secret", "rotate", "--keep", "2", "--drop-older-than", "1d"],
        &["secret", "show"],
    ] {
        let refused = home.finish(args);
        assert_eq!(refused.code, Some(64), "{args:?} {refused:?}");
    }
    assert_eq!(keys(&home.path().join("state/secret/keys")).len(), 1);
}

#[test]
fn the_configuration_names_the_file_and_the_environment_needs_none() {
    let home = Home::new();
    // Whatever else is wrong with it.
    home.write("sealwax.toml", "secret.file = \"my keys\"\n[[site]]\n");
    let with = ["--config", "sealwax.toml"];
    let made = home.finish(&[&["secret", "new"][..], &with].concat());
    assert_eq!(made.code, Some(0), "{made:?}");
    let text = fs::read_to_string(home.path().join("my keys")).unwrap();
    assert!(!home.path().join("state").exists());

    let variable = |args: &[&str], value: &str| {
        let mut command = home.sealwax(args);
        let done = command.env("SEALWAX_SECRET", value).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (done.status.code(), text(done.stdout), text(done.stderr))
    };
    let (code, out, _) = variable(&["secret", "list"], &text);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("variable SEALWAX_SECRET\n  1  "), "{out}");
    for action in ["new", "rotate"] {
        let (code, _, err) = variable(&["secret", action], &text);
        assert_eq!(code, Some(64));
        assert!(err.contains("no file to write"), "{err}");
    }
    let (code, _, err) = variable(&["secret", "list", "--config", "sealwax.toml"], &text);
    assert_eq!(code, Some(64));
    assert!(err.contains("two places"), "{err}");
    let cut = &text[..30];
    let (code, _, err) = variable(&["secret", "list"], cut);
    assert_eq!(code, Some(64));
    assert!(
        err.contains("(not shown)") && !err.contains(&cut[9..]),
        "{err}"
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_said_and_nothing_changes() {
    let home = Home::new();
    home.finish(&["secret", "new"]);
    let directory = home.path().join("state/secret");
    let before = keys(&directory.join("keys"));
    let binary = home.path().join("sealwax");
    fs::copy(env!("CARGO_BIN_EXE_sealwax"), &binary).unwrap();
    let program = binary.to_str().unwrap();
    // Once, so that the home belongs to nobody.
    assert_eq!(home.as_nobody(program, &["secret", "list"]).code, Some(0));
    fs::set_permissions(&directory, Permissions::from_mode(0o500)).unwrap();
    let rotated = home.as_nobody(program, &["secret", "rotate"]);
    fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(rotated.code, Some(2), "{rotated:?}");
    assert!(
        rotated.err.contains("may write in its directory"),
        "{rotated:?}"
    );
    assert_eq!(keys(&directory.join("keys")), before);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn production_asks_for_keys_and_a_reload_takes_new_ones() {
    let home = Home::new();
    home.write("sealwax.toml", &sealing(app(), ""));
    let refused = home.finish(&["serve", "--config", "sealwax.toml"]);
    assert_eq!(refused.code, Some(64), "{refused:?}");
    for part in ["cookies.seal = [\"sessionid\"]", "`sealwax secret new`"] {
        assert!(refused.err.contains(part), "{refused:?}");
    }

    home.finish(&["secret", "new", "--config", "sealwax.toml"]);
    let path = home.path().join("state/secret/keys");
    let first = keys(&path).remove(0);
    let mut running = home.start(&["serve", "--config", "sealwax.toml"]);
    running.wait_for(id(&first));

    home.finish(&["secret", "rotate", "--config", "sealwax.toml"]);
    let second = keys(&path).remove(0);
    running.signal(Signal::HUP);
    running.wait_for("configuration reloaded");
    running.wait_for(id(&second));

    // Keys that cannot be read change nothing.
    fs::write(&path, &first[..30]).unwrap();
    running.signal(Signal::HUP);
    running.wait_for("the old one goes on");
    let said = running.said();
    assert!(said.contains("state/secret/keys:1: "), "{said}");

    fs::write(&path, format!("{second}\n{first}\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    running.signal(Signal::HUP);
    running.wait_for("everybody on this machine can read");
    running.stop();
    for line in [first, second] {
        assert!(!running.said().contains(&material(&line)[..8]));
    }
}

/// Sets a session and says which one came.
const APP: &str = r#"
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = self.headers.get("Cookie", "nothing").encode()
        self.send_response(200)
        self.send_header("Set-Cookie", "sessionid=plain-text; Path=/; HttpOnly")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

#[test]
fn a_sealed_cookie_outlives_a_rotation_and_not_its_key() {
    let home = Home::new();
    home.write("app.py", APP);
    home.write(
        "sealwax.toml",
        &sealing(app(), "environment = \"development\""),
    );
    let command = [
        "run",
        "--config",
        "sealwax.toml",
        "--",
        "python3",
        "app.py",
        "{port}",
    ];
    let mut running = home.start(&command);
    let url = format!("https://localhost:{}/", running.port("https"));
    let sealed = |answer: String| {
        let prefix = "set-cookie: __Host-sessionid=";
        let line = answer.lines().find_map(|line| line.strip_prefix(prefix));
        line.unwrap_or_else(|| panic!("{answer}"))
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    };
    let value = sealed(home.curl(&["-i", &url]).out);
    assert!(!value.contains("plain"), "{value}");
    let seen = |value: &str| {
        let cookie = format!("Cookie: __Host-sessionid={value}");
        home.curl(&["-H", &cookie, &url]).out
    };
    assert_eq!(seen(&value), "sessionid=plain-text");
    assert_eq!(seen(&format!("{value}A")), "nothing");
    assert_eq!(seen("plain-text"), "nothing");

    home.finish(&["secret", "rotate"]);
    running.signal(Signal::HUP);
    running.wait_for("configuration reloaded");
    assert_eq!(seen(&value), "sessionid=plain-text");

    home.finish(&["secret", "rotate", "--keep", "1"]);
    let last = keys(&home.path().join("state/secret/keys")).remove(0);
    running.signal(Signal::HUP);
    // It is said just before it is so.
    running.wait_for(id(&last));
    let gone = || (seen(&value) == "nothing").then_some(());
    wait("the end of the old key", gone, || running.said());
    running.stop();
}

#[test]
fn development_makes_its_own_key() {
    let home = Home::new();
    home.write(
        "sealwax.toml",
        &sealing(app(), "environment = \"development\""),
    );
    let mut running = home.start(&["serve", "--config", "sealwax.toml"]);
    let path = home.path().join("state/secret/keys");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    running.wait_for("made a key that seals cookies");
    running.stop();
}

#[test]
fn the_app_does_not_get_the_keys() {
    let home = Home::new();
    home.finish(&["secret", "new"]);
    let text = fs::read_to_string(home.path().join("state/secret/keys")).unwrap();
    let mut command = home.sealwax(&[
        "run",
        "--http",
        "127.0.0.1:0",
        "--https",
        "127.0.0.1:0",
        "--",
        "sh",
        "-c",
        "env > seen; exit 7",
    ]);
    command.env("SEALWAX_SECRET", text);
    let mut running = Running::spawn(command);
    running.wait();
    let seen = fs::read_to_string(home.path().join("seen")).unwrap();
    assert!(
        seen.contains("PORT=") && !seen.contains("SEALWAX_SECRET"),
        "{seen}"
    );
}
