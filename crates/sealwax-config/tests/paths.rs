//! Apps for parts of a site: which one is meant, and messages as they are shown.

#![expect(clippy::panic, reason = "helpers of tests")]

mod shown;

use sealwax_config::{Config, Sources, load};
use shown::check;

fn config(paths: &str) -> Config {
    let text = format!("[[site]]\nhosts = [\"app.test\"]\nto = \"site:1\"\n[site.paths]\n{paths}");
    let sources = Sources {
        file: Some(("sealwax.toml".into(), text)),
        ..Sources::default()
    };
    match load(&sources) {
        Ok(loaded) => loaded.config,
        Err(mistakes) => panic!("{}", mistakes.render(false)),
    }
}

fn app<'c>(config: &'c Config, path: &str) -> &'c str {
    let mut parts = config.sites[0].paths.iter();
    parts
        .find(|part| part.serves(path))
        .map_or("", |part| part.path.as_str())
}

#[test]
fn the_longest_part_that_fits_whole_segments_counts() {
    let config = config(
        "\"/api/\" = \"api:1\"\n\"/api/v2/\" = [\"v2:1\", \"v2:2\"]\n\"/login\" = \"login:1\"\n\"/a:b@c\" = \"odd:1\"",
    );
    for (path, part) in [
        ("/", ""),
        ("*", ""),
        ("/api", ""),
        ("/api/", "/api/"),
        ("/api/v2", "/api/"),
        ("/api/v2/", "/api/v2/"),
        ("/api/v2/x", "/api/v2/"),
        ("/api/v20/x", "/api/"),
        ("/apix", ""),
        ("//api/x", ""),
        ("/API/x", ""),
        ("/%61pi/x", ""),
        ("/x/api/", ""),
        ("/login", "/login"),
        ("/login/", "/login"),
        ("/login/x", "/login"),
        ("/login;x", ""),
        ("/logins", ""),
        ("/a:b@c", "/a:b@c"),
    ] {
        assert_eq!(app(&config, path), part, "{path}");
    }
}

#[test]
fn an_environment_may_lead_a_part_elsewhere() {
    let config = config(
        "\"/api/\" = \"api:1\"\n[env.production.site.paths]\n\"/api/\" = \"api:2\"\n\"/new/\" = \"new:1\"",
    );
    let paths: Vec<String> = config.sites[0]
        .paths
        .iter()
        .map(|part| format!("{} {}", part.path, part.upstreams[0]))
        .collect();
    assert_eq!(paths, ["/api/ http://api:2", "/new/ http://new:1"]);
}

#[test]
fn parts_that_cannot_be() {
    check(
        Some(
            r#"[listen]
https = "127.0.0.1:8443"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.paths]
"api/" = "127.0.0.1:3000"
"/" = "127.0.0.1:3000"
"/a//b" = "127.0.0.1:3000"
"/a/../b" = "127.0.0.1:3000"
"/caf%C3%A9" = "127.0.0.1:3000"
"/search?q" = "127.0.0.1:3000"
"/empty/" = []
"/self/" = "127.0.0.1:8443"
"/ftp/" = "ftp://127.0.0.1"
"/number/" = 3000
"#,
        ),
        &[],
        &[],
        r#"error: `site.paths` has a path that cannot stand here
 --> sealwax.toml:7:1
  |
7 | "api/" = "127.0.0.1:3000"
  | ^^^^^^ a path begins with `/`
  |
  = help: write "/api/"

error: `site.paths` has a path that cannot stand here
 --> sealwax.toml:8:1
  |
8 | "/" = "127.0.0.1:3000"
  | ^^^ `/` is every path
  |
  = help: name the app of every path in `to`

error: `site.paths` has a path that cannot stand here
 --> sealwax.toml:9:1
  |
9 | "/a//b" = "127.0.0.1:3000"
  | ^^^^^^^ empty, `.` and `..` segments are read in more than one way
  |
  = help: write the path as it stands in the address bar

error: `site.paths` has a path that cannot stand here
  --> sealwax.toml:10:1
   |
10 | "/a/../b" = "127.0.0.1:3000"
   | ^^^^^^^^^ empty, `.` and `..` segments are read in more than one way
   |
   = help: write the path as it stands in the address bar

error: `site.paths` has a path that cannot stand here
  --> sealwax.toml:11:1
   |
11 | "/caf%C3%A9" = "127.0.0.1:3000"
   | ^^^^^^^^^^^^ compared byte for byte, and these bytes are sent in more than one way or not at all
   |
   = help: use letters, digits, `-`, `.`, `_`, `~` and `/` alone

error: `site.paths` has a path that cannot stand here
  --> sealwax.toml:12:1
   |
12 | "/search?q" = "127.0.0.1:3000"
   | ^^^^^^^^^^^ compared byte for byte, and these bytes are sent in more than one way or not at all
   |
   = help: use letters, digits, `-`, `.`, `_`, `~` and `/` alone

error: `/empty/` has no app to forward to
  --> sealwax.toml:13:1
   |
13 | "/empty/" = []
   | ^^^^^^^^^ the list is empty
   |
   = help: name the app's address: "/empty/" = ["http://127.0.0.1:3000"]; or leave the line out

error: the gateway would forward requests to itself
  --> sealwax.toml:14:12
   |
14 | "/self/" = "127.0.0.1:8443"
   |            ^^^^^^^^^^^^^^^^ the gateway listens on 127.0.0.1:8443
   |
   = help: write the address on which the app listens, or give the gateway another port

error: `site.paths."/ftp/"` does not say where the app listens
  --> sealwax.toml:15:11
   |
15 | "/ftp/" = "ftp://127.0.0.1"
   |           ^^^^^^^^^^^^^^^^^ the scheme is not `http`
   |
   = help: write "http://127.0.0.1:8000" or "unix:/run/app.sock"

error: `site.paths."/number/"` must be a list
  --> sealwax.toml:16:14
   |
16 | "/number/" = 3000
   |              ^^^^ this is a number
   |
   = help: write a list of texts: ["…", "…"]

error: the configuration has 10 errors
"#,
    );
}

#[test]
fn paths_are_a_table() {
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
paths = "/api/"
path = "/api/"
"#,
        ),
        &[],
        &[],
        r#"error: `site.paths` is a table
 --> sealwax.toml:4:1
  |
4 | paths = "/api/"
  | ^^^^^ here it has a value of another kind
  |
  = help: write [site.paths]

error: there is no setting `path` in `[[site]]`
 --> sealwax.toml:5:1
  |
5 | path = "/api/"
  | ^^^^ did you mean `paths`?
  |
  = help: write paths

error: the configuration has 2 errors
"#,
    );
}
