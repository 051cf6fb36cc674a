//! Settings that do not exist: each message whole, as it is shown.

mod shown;

use shown::check;

#[test]
fn names_that_do_not_exist() {
    // A misspelt key.
    check(
        Some(
            r#"[listen]
htps = "0.0.0.0:443"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: there is no setting `htps` in `[listen]`
 --> sealwax.toml:2:1
  |
2 | htps = "0.0.0.0:443"
  | ^^^^ did you mean `https`?
  |
  = help: write https

"#,
    );
    // A misspelt table.
    check(
        Some(
            r#"[listn]
https = "0.0.0.0:443"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: there is no setting `listn` at the top of the file
 --> sealwax.toml:1:2
  |
1 | [listn]
  |  ^^^^^ did you mean `listen`?
  |
  = help: write listen

"#,
    );
    // A misspelt table of a site.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.hst]
seconds = 1
"#,
        ),
        &[],
        &[],
        r#"error: there is no setting `hst` in `[[site]]`
 --> sealwax.toml:4:7
  |
4 | [site.hst]
  |       ^^^ did you mean `hsts`?
  |
  = help: write hsts

"#,
    );
    // Nothing near.
    check(
        Some(
            r#"colour = "blue"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: there is no setting `colour` at the top of the file
 --> sealwax.toml:1:1
  |
1 | colour = "blue"
  | ^^^^^^ not known here
  |
  = help: what can stand here: env, environment, limits, listen, proxies, secret, site, timeouts, workers

"#,
    );
    // In the wrong table.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
include_subdomains = true
"#,
        ),
        &[],
        &[],
        r#"error: there is no setting `include_subdomains` in `[[site]]`
 --> sealwax.toml:4:1
  |
4 | include_subdomains = true
  | ^^^^^^^^^^^^^^^^^^ it belongs elsewhere
  |
  = help: write include_subdomains in [site.hsts]

"#,
    );
    // Django name in the file.
    check(
        Some(
            r#"SECURE_HSTS_SECONDS = 3600
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: there is no setting `SECURE_HSTS_SECONDS` at the top of the file
 --> sealwax.toml:1:1
  |
1 | SECURE_HSTS_SECONDS = 3600
  | ^^^^^^^^^^^^^^^^^^^ Django's name
  |
  = help: write seconds in [site.hsts]

"#,
    );
    // Refused Django name in the file.
    check(
        Some(
            r#"SECURE_SSL_HOST = "x"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: there is no setting `SECURE_SSL_HOST` at the top of the file
 --> sealwax.toml:1:1
  |
1 | SECURE_SSL_HOST = "x"
  | ^^^^^^^^^^^^^^^ it is not offered: a redirect to another host would take visitors away from the one they asked for
  |
  = help: leave it out; the redirect keeps the host of the request

"#,
    );
    // Unknown rule of a cookie.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies.names.sessionid]
samesite = "None"
max_age = 3
"#,
        ),
        &[],
        &[],
        r#"error: there is no setting `samesite` among the rules of a cookie
 --> sealwax.toml:5:1
  |
5 | samesite = "None"
  | ^^^^^^^^ did you mean `same_site`?
  |
  = help: write same_site

error: there is no setting `max_age` among the rules of a cookie
 --> sealwax.toml:6:1
  |
6 | max_age = 3
  | ^^^^^^^ not known here
  |
  = help: what can stand here: http_only, prefix, same_site

error: the configuration has 2 errors
"#,
    );
    // A dot in a cookie name.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
names.connect.sid = { same_site = "None" }
"#,
        ),
        &[],
        &[],
        r#"error: `sid` is no rule of the cookie `connect`
 --> sealwax.toml:5:15
  |
5 | names.connect.sid = { same_site = "None" }
  |               ^^^ a dot begins a table of its own
  |
  = help: a name with a dot in it needs quotes: names."connect.sid"

"#,
    );
    // Site as a table.
    check(
        Some(
            r#"[site]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `site` is a list of tables
 --> sealwax.toml:1:2
  |
1 | [site]
  |  ^^^^ one pair of brackets makes one table
  |
  = help: write [[site]] to begin each site; its parts stay as they are: [site.hsts]

"#,
    );
    // Site as text.
    check(
        Some(
            r#"site = "app.test"
"#,
        ),
        &[],
        &[],
        r#"error: `site` is a table
 --> sealwax.toml:1:1
  |
1 | site = "app.test"
  | ^^^^ here it has a value of another kind
  |
  = help: write [[site]]

"#,
    );
    // Table as text.
    check(
        Some(
            r#"listen = "0.0.0.0:80"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
cookies = "all"
"#,
        ),
        &[],
        &[],
        r#"error: `listen` is a table
 --> sealwax.toml:1:1
  |
1 | listen = "0.0.0.0:80"
  | ^^^^^^ here it has a value of another kind
  |
  = help: write [listen]

error: `site.cookies` is a table
 --> sealwax.toml:5:1
  |
5 | cookies = "all"
  | ^^^^^^^ here it has a value of another kind
  |
  = help: write [site.cookies]

error: the configuration has 2 errors
"#,
    );
    // Environment inside env.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[env.development]
environment = "production"
[env.development.env]
x = 1
"#,
        ),
        &[],
        &[],
        r#"error: `environment` cannot stand in `[env.NAME]`
 --> sealwax.toml:5:1
  |
5 | environment = "production"
  | ^^^^^^^^^^^ the environment is chosen before its table is read
  |
  = help: move it to the top of the file

error: `env` cannot stand in `[env.NAME]`
 --> sealwax.toml:6:18
  |
6 | [env.development.env]
  |                  ^^^ the environment is chosen before its table is read
  |
  = help: move it to the top of the file

error: the configuration has 2 errors
"#,
    );
    // Env as text, bad name.
    check(
        Some(
            r#"[env]
"a b" = {}
development = 1
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `env` is not the name of an environment
 --> sealwax.toml:2:1
  |
2 | "a b" = {}
  | ^^^^^ letters, digits, `-` and `_`
  |
  = help: write "production" or "development"

error: `env.development` is a table
 --> sealwax.toml:3:1
  |
3 | development = 1
  | ^^^^^^^^^^^ here it has a value of another kind
  |
  = help: write [env.development]

error: the configuration has 2 errors
"#,
    );
}
