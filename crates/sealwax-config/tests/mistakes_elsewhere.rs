//! Mistakes in variables, flags and overlays: each message whole, as it is shown.

mod shown;

use shown::check;

#[test]
fn variables() {
    // A misspelt one.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[("SEALWAX_LISTEN_HTPS", "0.0.0.0:443")],
        &[],
        r#"error: there is no setting `SEALWAX_LISTEN_HTPS`
 |
 | SEALWAX_LISTEN_HTPS=0.0.0.0:443
 |                     ^^^^^^^^^^^ did you mean `SEALWAX_LISTEN_HTTPS`?
 |
 = help: write SEALWAX_LISTEN_HTTPS, or unset it

"#,
    );
    // One of another program.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[("SEALWAX_BIN", "/usr/bin/sealwax")],
        &[],
        r#"warning: the variable `SEALWAX_BIN` is not a setting
 |
 | SEALWAX_BIN=/usr/bin/sealwax
 |             ^^^^^^^^^^^^^^^^ it has no effect
 |
 = help: unset it, or look its name up in the reference of settings

"#,
    );
    // A value of the wrong kind.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[
            ("SEALWAX_SECURE_SSL_REDIRECT", "maybe"),
            ("SEALWAX_WORKERS", "two"),
            ("SEALWAX_X_FRAME_OPTIONS", "ALLOWALL"),
        ],
        &[],
        r#"error: `SEALWAX_SECURE_SSL_REDIRECT` must be `true` or `false`
 |
 | SEALWAX_SECURE_SSL_REDIRECT=maybe
 |                             ^^^^^ neither of the two
 |
 = help: write true or false

error: `SEALWAX_WORKERS` must be a number
 |
 | SEALWAX_WORKERS=two
 |                 ^^^ this is text
 |
 = help: write a whole number, without quotes

error: `SEALWAX_X_FRAME_OPTIONS` has an unknown value
 |
 | SEALWAX_X_FRAME_OPTIONS=ALLOWALL
 |                         ^^^^^^^^ not one of the words it takes
 |
 = help: write "DENY", "SAMEORIGIN" or "off"

error: the configuration has 3 errors
"#,
    );
    // An item of a list.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[("SEALWAX_ALLOWED_HOSTS", "a.test, *.b.test")],
        &[],
        r#"error: `SEALWAX_ALLOWED_HOSTS` has a host that cannot match
 |
 | SEALWAX_ALLOWED_HOSTS=a.test, *.b.test
 |                               ^^^^^^^^ a star stands for every host, not for a part of a name
 |
 = help: write ".b.test" for b.test and every host below it

"#,
    );
    // Secure off.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[("SEALWAX_SESSION_COOKIE_SECURE", "False")],
        &[],
        r#"error: `SEALWAX_SESSION_COOKIE_SECURE` cannot be switched off
 |
 | SEALWAX_SESSION_COOKIE_SECURE=False
 |                               ^^^^^ every cookie leaves with `Secure`
 |
 = help: leave SEALWAX_SESSION_COOKIE_SECURE out; development has HTTPS too, with tls = "local"

"#,
    );
    // SameSite=None without Secure.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[
            ("SEALWAX_SESSION_COOKIE_SECURE", "False"),
            ("SEALWAX_SESSION_COOKIE_SAMESITE", "None"),
        ],
        &[],
        r#"error: `SameSite=None` cannot work without `Secure`
 |
 | SEALWAX_SESSION_COOKIE_SECURE=False
 |                               ^^^^^ browsers refuse such a cookie (RFC 6265bis section 5.7)
 | SEALWAX_SESSION_COOKIE_SAMESITE=None
 |                                 ---- asked for here
 |
 = help: leave SEALWAX_SESSION_COOKIE_SECURE out; development has HTTPS too, with tls = "local"

"#,
    );
    // Not taken from Django.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[
            ("SEALWAX_SECURE_SSL_HOST", "a.test"),
            ("SEALWAX_SECURE_PROXY_SSL_HEADER", "x"),
        ],
        &[],
        r#"error: `SEALWAX_SECURE_PROXY_SSL_HEADER` belongs in Django's own settings
 |
 | SEALWAX_SECURE_PROXY_SSL_HEADER=x
 |                                 ^
 |
 = help: in Django set SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https"); proxies in front of the gateway are named in `proxies.trusted`

error: `SEALWAX_SECURE_SSL_HOST` is not offered: a redirect to another host would take visitors away from the one they asked for
 |
 | SEALWAX_SECURE_SSL_HOST=a.test
 |                         ^^^^^^
 |
 = help: leave it out; the redirect keeps the host of the request

error: the configuration has 2 errors
"#,
    );
    // Two that disagree.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[
            ("SEALWAX_SITE_HSTS_SECONDS", "60"),
            ("SEALWAX_SECURE_HSTS_SECONDS", "3600"),
        ],
        &[],
        r#"error: two variables say different things about `site.hsts.seconds`
 |
 | SEALWAX_SITE_HSTS_SECONDS=60
 |                           ^^
 | SEALWAX_SECURE_HSTS_SECONDS=3600
 |                             ---- and this one
 |
 = help: unset one of the two

"#,
    );
    // A cookie name that cannot be.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[
            ("SEALWAX_SESSION_COOKIE_NAME", "__Host-sid"),
            ("SEALWAX_SESSION_COOKIE_SAMESITE", "Strict"),
        ],
        &[],
        r#"error: `SEALWAX_SESSION_COOKIE_NAME` names a cookie that already has a prefix
 |
 | SEALWAX_SESSION_COOKIE_NAME=__Host-sid
 |                             ^^^^^^^^^^ the prefix demands its attributes by itself (RFC 6265bis section 4.1.3); the app's own stays as it is
 |
 = help: leave it out, or write the name without the prefix: "sid"

"#,
    );
    // The other name of SEALWAX_ENV.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[("SEALWAX_ENVIRONMENT", "development")],
        &[],
        r#"error: there is no setting `SEALWAX_ENVIRONMENT`
 |
 | SEALWAX_ENVIRONMENT=development
 |                     ^^^^^^^^^^^ did you mean `SEALWAX_ENV`?
 |
 = help: write SEALWAX_ENV, or unset it

"#,
    );
    // A redirect switched off meets a redirect port.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
https = "0.0.0.0:443"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[("SEALWAX_SITE_REDIRECT_PORT", "80")],
        &[],
        r#"error: the redirect leads back to plain HTTP
  |
  | SEALWAX_SITE_REDIRECT_PORT=80
  |                            ^^ a port without TLS
  |
 ::: sealwax.toml:2:8
  |
2 | http = "0.0.0.0:80"
  |        ------------ listens here
  |
  = help: write the port on which visitors reach HTTPS, or leave `port` out

"#,
    );
}

#[test]
fn flags() {
    // No app.
    check(
        None,
        &[],
        &[],
        r#"error: the site localhost has no app to forward to
 |
 = help: name the app's address: --to http://127.0.0.1:8000

"#,
    );
    // Bad values.
    check(
        None,
        &[],
        &[
            ("to", "https://app:8443"),
            ("to", "8000"),
            ("http", "8080"),
            ("hosts", "https://app.test"),
            ("environment", "prodution"),
        ],
        r#"error: `--http` is not an address to listen on
 |
 | --http 8080
 |        ^^^^ the address is missing
 |
 = help: write "127.0.0.1:8080" for this machine only, "0.0.0.0:8080" for every IPv4 address, "[::]:8080" for IPv6 too

error: `--host` has a host that cannot match
 |
 | --host https://app.test
 |        ^^^^^^^^^^^^^^^^ `https://` belongs to a URL
 |
 = help: write the name: "app.test"

error: `--to` asks for HTTPS to the app, which is not in this version
 |
 | --to https://app:8443
 |      ^^^^^^^^^^^^^^^^ the gateway speaks plain HTTP to the app: over loopback, a private network or a unix socket
 |
 = help: write "http://app:8443" with the app's plain HTTP port, or use a unix socket

error: `--to` does not say where the app listens
 |
 | --to 8000
 |      ^^^^ there is no host and port in it
 |
 = help: write "http://127.0.0.1:8000"

error: there is no environment `prodution`
 |
 | --env prodution
 |       ^^^^^^^^^ did you mean `production`?
 |
 = help: write production or development, or add a table [env.prodution] to the file

error: the configuration has 5 errors
"#,
    );
    // An environment that is not there.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[("environment", "staging")],
        r#"error: there is no environment `staging`
 |
 | --env staging
 |       ^^^^^^^ no such environment
 |
 = help: write production or development, or add a table [env.staging] to the file

"#,
    );
}

#[test]
fn environments() {
    // Misspelt.
    check(
        Some(
            r#"environment = "devlopment"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: there is no environment `devlopment`
 --> sealwax.toml:1:15
  |
1 | environment = "devlopment"
  |               ^^^^^^^^^^^^ did you mean `development`?
  |
  = help: write production or development, or add a table [env.devlopment] to the file

"#,
    );
    // Mistakes in one that is not chosen.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[env.development.site]
to = "https://app"
hosst = "x"
"#,
        ),
        &[],
        &[],
        r#"error: `site.to` asks for HTTPS to the app, which is not in this version
 --> sealwax.toml:5:6
  |
5 | to = "https://app"
  |      ^^^^^^^^^^^^^ the gateway speaks plain HTTP to the app: over loopback, a private network or a unix socket
  |
  = help: write "http://app" with the app's plain HTTP port, or use a unix socket

error: there is no setting `hosst` in `[[site]]`
 --> sealwax.toml:6:1
  |
6 | hosst = "x"
  | ^^^^^ did you mean `hosts`?
  |
  = help: write hosts

error: the configuration has 2 errors
"#,
    );
    // An overlay that contradicts.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
https = "0.0.0.0:443"
[[site]]
hosts = ["app.example.com"]
to = "127.0.0.1:8000"
tls = { cert = "c.pem", key = "k.pem" }
[env.production.site.hsts]
preload = true
"#,
        ),
        &[],
        &[],
        r#"error: `preload` needs `include_subdomains`
 --> sealwax.toml:9:11
  |
9 | preload = true
  |           ^^^^ the preload list takes whole domains only
  |
  = help: write include_subdomains = true if every subdomain has HTTPS, or leave out preload

"#,
    );
}
