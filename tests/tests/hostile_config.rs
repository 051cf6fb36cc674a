//! Configurations and files that cannot work: refused with place, cause and mend.

use std::os::unix::fs::{PermissionsExt, symlink};

use sealwax_tests::{Authority, Builder, Finished, Gateway, free_port, run, sealwax};
use tempfile::TempDir;

/// Serves this text, which must be refused; answers what was said.
fn refused(text: &[u8]) -> Finished {
    let home = TempDir::new().unwrap();
    std::fs::write(home.path().join("sealwax.toml"), text).unwrap();
    sealwax(home.path(), &["serve", "--config", "sealwax.toml"], &[])
}

/// Asserts exit 64 and these words on stderr.
fn says(finished: &Finished, words: &[&str]) {
    assert_eq!(finished.code, 64, "{finished:?}");
    assert!(!finished.err.contains("panicked"), "{finished:?}");
    for word in words {
        assert!(
            finished.err.contains(word),
            "no {word:?} in\n{}",
            finished.err
        );
    }
}

fn site(rest: &str) -> String {
    let (http, https) = (free_port(), free_port());
    format!(
        "[listen]\nhttp = \"127.0.0.1:{http}\"\nhttps = \"127.0.0.1:{https}\"\n\n[[site]]\nhosts = [\"localhost\"]\nto = [\"http://127.0.0.1:9\"]\ntls = \"local\"\n{rest}"
    )
}

#[test]
fn every_mistake_is_named_at_once_with_its_place() {
    let text = site(
        "mode = \"enforced\"\nhots = 1\n[site.hsts]\nseconds = \"soon\"\n[site.headers]\nreferrer_policy = \"sometimes\"\n",
    );
    let finished = refused(text.as_bytes());
    says(
        &finished,
        &[
            "sealwax.toml:9",
            "sealwax.toml:10",
            "hots",
            "hosts",
            "sealwax.toml:12",
            "seconds",
            "sealwax.toml:14",
            "referrer_policy",
        ],
    );
}

#[test]
fn text_that_is_not_a_configuration_is_refused() {
    says(&refused(b"[listen\nhttp = 1"), &["sealwax.toml:1"]);
    says(
        &refused(site("mode = \"report\"\nmode = \"enforce\"\n").as_bytes()),
        &["sealwax.toml:10", "mode"],
    );
    says(&refused(b"\xff\xfe\x00"), &["sealwax.toml", "UTF-8"]);
    says(
        &refused(site("mode = \"re\0port\"\n").as_bytes()),
        &["sealwax.toml"],
    );
    says(&refused(b""), &["site"]);
    let mut huge = site("").into_bytes();
    huge.extend(std::iter::repeat_n(b'#', 10 << 20));
    let finished = refused(&huge);
    says(&finished, &["sealwax.toml"]);
    assert!(finished.err.len() < 4096, "ten mebibytes were shown again");
    let deep = format!("x = {}{}", "[".repeat(20_000), "]".repeat(20_000));
    says(&refused(deep.as_bytes()), &["sealwax.toml"]);
}

#[test]
fn a_byte_order_mark_and_crlf_are_no_mistakes() {
    run(30, async {
        let home = TempDir::new().unwrap();
        let text = format!("\u{feff}{}", site("").replace('\n', "\r\n"));
        let (http, https) = (free_port(), free_port());
        std::fs::write(home.path().join("sealwax.toml"), text).unwrap();
        let (http, https) = (format!("127.0.0.1:{http}"), format!("127.0.0.1:{https}"));
        // Flags win over the file.
        let gateway = Gateway::typed(
            home,
            &[
                "serve",
                "--config",
                "sealwax.toml",
                "--http",
                "127.0.0.1:HTTP",
                "--https",
                "127.0.0.1:HTTPS",
            ],
            &[],
        )
        .await;
        assert!(!gateway.log().contains(&http) && !gateway.log().contains(&https));
        assert_eq!(
            gateway
                .plain("localhost", "/.sealwax/health")
                .send()
                .await
                .status,
            200
        );
    });
}

#[test]
fn what_cannot_work_is_refused_with_the_mend() {
    let two =
        "\n[[site]]\nhosts = [\"LOCALHOST\"]\nto = [\"http://127.0.0.1:9\"]\ntls = \"local\"\n";
    let cases: &[(&str, &[&str])] = &[
        (two, &["localhost", "sealwax.toml:11"]),
        (
            "[site.hsts]\npreload = true\nseconds = 300\n",
            &["preload", "sealwax.toml"],
        ),
        (
            "[site.redirect]\nexempt = [\"^(unclosed\"]\n",
            &["exempt", "unclosed"],
        ),
        ("[site.redirect]\nport = 0\n", &["port"]),
        (
            "[site.cookies.names]\nsessionid = { secure = false }\n",
            &["secure"],
        ),
        (
            "[site.cookies]\nreadable = [\"a\"]\nrename_domain = [\"a\"]\n",
            &["readable", "rename_domain"],
        ),
        (
            "[site.headers]\nx_frame_options = \"ALLOWALL\"\n",
            &["x_frame_options", "SAMEORIGIN"],
        ),
        ("[site.csrf]\nmode = \"on\"\n", &["csrf"]),
        ("[site.csp]\npolicy = \"default-src 'self'\"\n", &["csp"]),
        ("[store]\nurl = \"sqlite:x\"\n", &["store"]),
    ];
    for (rest, words) in cases {
        says(&refused(site(rest).as_bytes()), words);
    }
    says(
        &refused(site("").replace("\"local\"", "\"acme\"").as_bytes()),
        &["acme", "sealwax.toml:8"],
    );
    says(
        &refused(
            site("")
                .replace("[\"localhost\"]", "[\"app.example.com\"]")
                .as_bytes(),
        ),
        &["app.example.com"],
    );
    says(
        &refused(
            site("")
                .replace("[\"localhost\"]", "[\"https://localhost\"]")
                .as_bytes(),
        ),
        &["https://localhost"],
    );
    says(
        &refused(site("").replace("[\"localhost\"]", "[]").as_bytes()),
        &["hosts"],
    );
    says(
        &refused(
            site("")
                .replace("http://127.0.0.1:9", "https://127.0.0.1:9")
                .as_bytes(),
        ),
        &["https"],
    );
    // A redirect that leads nowhere.
    let nowhere = site("")
        .lines()
        .filter(|line| !line.starts_with("https =") && !line.starts_with("tls ="))
        .collect::<Vec<_>>()
        .join("\n");
    says(&refused(nowhere.as_bytes()), &["redirect", "https"]);
}

#[test]
fn flags_and_variables_are_named_where_they_are_wrong() {
    let home = TempDir::new().unwrap();
    let serve = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut all = vec!["serve"];
        all.extend(arguments);
        sealwax(home.path(), &all, environment)
    };
    says(&serve(&[], &[]), &["--to"]);
    says(
        &serve(&["--to", "http://127.0.0.1:9", "--https", "nowhere"], &[]),
        &["--https"],
    );
    says(
        &serve(&["--to", "http://127.0.0.1:9", "--host", "a b"], &[]),
        &["--host"],
    );
    says(
        &serve(&["--to", "http://127.0.0.1:9", "--nonsense"], &[]),
        &["--nonsense"],
    );
    says(
        &serve(
            &["--to", "http://127.0.0.1:9"],
            &[("SEALWAX_SECURE_HSTS_SECONDS", "soon")],
        ),
        &["SEALWAX_SECURE_HSTS_SECONDS"],
    );
    says(
        &serve(&["--config", "missing.toml"], &[]),
        &["missing.toml"],
    );
    says(&sealwax(home.path(), &["nonsense"], &[]), &["nonsense"]);
    for later in ["check", "audit", "watch"] {
        assert_eq!(sealwax(home.path(), &[later], &[]).code, 64, "{later}");
    }
}

#[test]
fn djangos_names_work_as_variables() {
    run(30, async {
        let app =
            sealwax_tests::Upstream::with(|_| sealwax_tests::Step::response(200, &[], "ok")).await;
        let gateway = Gateway::to(&app.url())
            .env("SEALWAX_SECURE_SSL_REDIRECT", "false")
            .env("SEALWAX_SECURE_REFERRER_POLICY", "no-referrer")
            .start()
            .await;
        let plain = gateway.plain("localhost", "/").send().await;
        assert_eq!(plain.status, 200, "{plain:?}");
        assert_eq!(plain.header("referrer-policy"), "no-referrer");
    });
}

/// What makes a certificate file or its key useless.
type Spoil = fn(&std::path::Path, &std::path::Path) -> std::io::Result<()>;

/// A site with certificate files that `change` has spoiled.
fn with_files(
    change: impl Fn(&std::path::Path, &std::path::Path, &Authority),
) -> (Builder, TempDir) {
    let directory = TempDir::new().unwrap();
    let authority = Authority::new();
    let (cert, key) = authority.files(directory.path(), &["a.example.test"]);
    change(&cert, &key, &authority);
    let builder = Gateway::to("http://127.0.0.1:9")
        .hosts(&["a.example.test"])
        .site(&format!("tls = {{ cert = {cert:?}, key = {key:?} }}"));
    (builder, directory)
}

#[test]
fn certificate_files_that_do_not_fit_are_refused_at_their_line() {
    let (builder, directory) = with_files(|_, key, authority| {
        let strange = authority
            .files(key.parent().unwrap(), &["b.example.test"])
            .1;
        std::fs::copy(strange, key).unwrap();
    });
    says(
        &builder.refused(),
        &["does not belong", "key", "sealwax.toml:"],
    );
    drop(directory);
    let key_name = &["a.example.test-key.pem"][..];
    let cert_name = &["a.example.test.pem"][..];
    let cases: [(&str, Spoil, &[&str]); 6] = [
        ("missing key", |_, key| std::fs::remove_file(key), key_name),
        (
            "empty certificate",
            |cert, _| std::fs::write(cert, ""),
            cert_name,
        ),
        (
            "garbage key",
            |_, key| std::fs::write(key, "garbage"),
            key_name,
        ),
        (
            "swapped",
            |cert, key| {
                let text = std::fs::read(cert)?;
                std::fs::copy(key, cert)?;
                std::fs::write(key, text)
            },
            &["a.example.test"],
        ),
        (
            "a directory",
            |_, key| {
                std::fs::remove_file(key)?;
                std::fs::create_dir(key)
            },
            key_name,
        ),
        (
            "damaged certificate",
            |cert, _| {
                std::fs::write(
                    cert,
                    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                )
            },
            cert_name,
        ),
    ];
    for (what, change, words) in cases {
        let (builder, _directory) = with_files(|cert, key, _| change(cert, key).unwrap());
        let finished = builder.refused();
        assert_eq!(finished.code, 64, "{what}: {finished:?}");
        says(&finished, words);
    }
}

#[test]
fn a_key_that_everyone_can_read_is_warned_of() {
    run(30, async {
        let (builder, _directory) = with_files(|_, key, _| {
            std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o644)).unwrap();
        });
        let gateway = builder.start().await;
        let log = gateway.log();
        assert!(
            log.contains("a.example.test-key.pem") && log.contains("chmod 600"),
            "{log}"
        );
    });
}

#[test]
fn the_authoritys_directory_is_not_fooled() {
    let to = [
        "serve",
        "--to",
        "http://127.0.0.1:9",
        "--http",
        "127.0.0.1:0",
        "--https",
        "127.0.0.1:0",
    ];
    let fresh = || {
        let home = TempDir::new().unwrap();
        let path = sealwax(home.path(), &["trust", "path"], &[]).out;
        let directory = std::path::Path::new(path.trim())
            .parent()
            .unwrap()
            .to_owned();
        let key = std::fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| {
                std::fs::read_to_string(path).is_ok_and(|text| text.contains("PRIVATE KEY"))
            })
            .unwrap();
        (home, key)
    };
    // A key that others can read, a link in its place, a key of another root, half a key.
    let (home, key) = fresh();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let finished = sealwax(home.path(), &to, &[]);
    assert!(
        finished.code != 0 && finished.err.contains("chmod 600"),
        "{finished:?}"
    );

    let (home, key) = fresh();
    let elsewhere = home.path().join("elsewhere.pem");
    std::fs::rename(&key, &elsewhere).unwrap();
    symlink(&elsewhere, &key).unwrap();
    let finished = sealwax(home.path(), &to, &[]);
    assert!(
        finished.code != 0 && finished.err.contains("link"),
        "{finished:?}"
    );

    let (home, key) = fresh();
    let (_other, strange) = fresh();
    std::fs::copy(&strange, &key).unwrap();
    let finished = sealwax(home.path(), &to, &[]);
    assert!(
        finished.code != 0 && finished.err.contains("does not belong"),
        "{finished:?}"
    );

    let (home, key) = fresh();
    let text = std::fs::read(&key).unwrap();
    std::fs::write(&key, &text[..text.len() / 2]).unwrap();
    let finished = sealwax(home.path(), &to, &[]);
    assert!(
        finished.code != 0
            && finished
                .err
                .contains(key.file_name().unwrap().to_str().unwrap()),
        "{finished:?}"
    );
}

#[test]
fn a_port_that_is_taken_is_a_clear_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = TempDir::new().unwrap();
    let finished = sealwax(
        home.path(),
        &[
            "serve",
            "--to",
            "http://127.0.0.1:9",
            "--http",
            &address,
            "--https",
            "127.0.0.1:0",
        ],
        &[],
    );
    assert!(
        finished.code != 0 && finished.err.contains(&address) && !finished.err.contains("panicked"),
        "{finished:?}"
    );
}
