//! Sites that cannot work: each message whole, as it is shown.

mod shown;

use shown::check;

#[test]
fn hosts_and_sites() {
    // Hosts that cannot match.
    check(
        Some(
            r#"[[site]]
hosts = ["*.example.com", "https://example.com", "app.test:8443", "::1", "a_b"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `site.hosts` has a host that cannot match
 --> sealwax.toml:2:10
  |
2 | hosts = ["*.example.com", "https://example.com", "app.test:8443", "::1", "a_b"]
  |          ^^^^^^^^^^^^^^^ a star stands for every host, not for a part of a name
  |
  = help: write ".example.com" for example.com and every host below it

error: `site.hosts` has a host that cannot match
 --> sealwax.toml:2:27
  |
2 | hosts = ["*.example.com", "https://example.com", "app.test:8443", "::1", "a_b"]
  |                           ^^^^^^^^^^^^^^^^^^^^^ `https://` belongs to a URL
  |
  = help: write the name: "example.com"

error: `site.hosts` has a host that cannot match
 --> sealwax.toml:2:50
  |
2 | hosts = ["*.example.com", "https://example.com", "app.test:8443", "::1", "a_b"]
  |                                                  ^^^^^^^^^^^^^^^ a port plays no part in which host is allowed
  |
  = help: write "app.test", which stands for every port

error: `site.hosts` has a host that cannot match
 --> sealwax.toml:2:67
  |
2 | hosts = ["*.example.com", "https://example.com", "app.test:8443", "::1", "a_b"]
  |                                                                   ^^^^^ browsers send this address in another form
  |
  = help: write "[::1]"

error: `site.hosts` has a host that cannot match
 --> sealwax.toml:2:74
  |
2 | hosts = ["*.example.com", "https://example.com", "app.test:8443", "::1", "a_b"]
  |                                                                          ^^^^^ `_` does not occur in a host name
  |
  = help: use letters, digits, dots and hyphens

error: the configuration has 5 errors
"#,
    );
    // Two sites with one host.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[[site]]
hosts = ["b.test", "APP.test"]
to = "127.0.0.1:8001"
"#,
        ),
        &[],
        &[],
        r#"error: two sites have the host APP.test
 --> sealwax.toml:5:20
  |
2 | hosts = ["app.test"]
  |          ---------- first here
...
5 | hosts = ["b.test", "APP.test"]
  |                    ^^^^^^^^^^ the same host
  |
  = help: leave it to one of the two

"#,
    );
    // A site without hosts.
    check(
        Some(
            r#"[[site]]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: a site has no hosts
 --> sealwax.toml:1:1
  |
1 | [[site]]
  | ^^^^^^^^ no request could be for it
  |
  = help: name the hosts it answers for: hosts = ["app.example.com"]

"#,
    );
    // An empty list.
    check(
        Some(
            r#"[[site]]
hosts = []
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: a site has no hosts
 --> sealwax.toml:2:9
  |
2 | hosts = []
  |         ^^ no request could be for it
  |
  = help: name the hosts it answers for: hosts = ["app.example.com"]

"#,
    );
    // No site.
    check(
        Some(
            r#"[listen]
https = "0.0.0.0:443"
"#,
        ),
        &[],
        &[],
        r#"error: there is no site
 |
 = help: add one:
         [[site]]
         hosts = ["app.example.com"]
         to = ["http://127.0.0.1:8000"]

"#,
    );
    // A site without an app.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
"#,
        ),
        &[],
        &[],
        r#"error: the site app.test has no app to forward to
 --> sealwax.toml:1:1
  |
1 | [[site]]
  | ^^^^^^^^ `to` is missing
  |
  = help: name the app's address: to = ["http://127.0.0.1:8000"]

"#,
    );
    // One list of hosts for several sites.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[[site]]
hosts = ["b.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[("SEALWAX_ALLOWED_HOSTS", "c.test")],
        &[],
        r#"error: several sites would get the same hosts
 |
 | SEALWAX_ALLOWED_HOSTS=c.test
 |                       ^^^^^^ this counts for every site
 |
 = help: name the hosts of each site in the file

"#,
    );
}

#[test]
fn addresses() {
    // Upstreams.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = ["https://127.0.0.1:8443", "8000", "unix:app.sock", "http://app/x"]
"#,
        ),
        &[],
        &[],
        r#"error: `site.to` asks for HTTPS to the app, which is not in this version
 --> sealwax.toml:3:7
  |
3 | to = ["https://127.0.0.1:8443", "8000", "unix:app.sock", "http://app/x"]
  |       ^^^^^^^^^^^^^^^^^^^^^^^^ the gateway speaks plain HTTP to the app: over loopback, a private network or a unix socket
  |
  = help: write "http://127.0.0.1:8443" with the app's plain HTTP port, or use a unix socket

error: `site.to` does not say where the app listens
 --> sealwax.toml:3:33
  |
3 | to = ["https://127.0.0.1:8443", "8000", "unix:app.sock", "http://app/x"]
  |                                 ^^^^^^ there is no host and port in it
  |
  = help: write "http://127.0.0.1:8000"

error: `site.to` does not say where the app listens
 --> sealwax.toml:3:41
  |
3 | to = ["https://127.0.0.1:8443", "8000", "unix:app.sock", "http://app/x"]
  |                                         ^^^^^^^^^^^^^^^ the path of the socket must be absolute
  |
  = help: write "unix:/run/app.sock"

error: `site.to` does not say where the app listens
 --> sealwax.toml:3:58
  |
3 | to = ["https://127.0.0.1:8443", "8000", "unix:app.sock", "http://app/x"]
  |                                                          ^^^^^^^^^^^^^^ the path of a request goes to the app as it is, so none can be put in front
  |
  = help: write "http://app"

error: the configuration has 4 errors
"#,
    );
    // Itself.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:8080"
https = "0.0.0.0:8443"
[[site]]
hosts = ["app.test"]
to = "http://localhost:8080"
"#,
        ),
        &[],
        &[],
        r#"error: the gateway would forward requests to itself
 --> sealwax.toml:6:6
  |
6 | to = "http://localhost:8080"
  |      ^^^^^^^^^^^^^^^^^^^^^^^ the gateway listens on 0.0.0.0:8080
  |
  = help: write the address on which the app listens, or give the gateway another port

"#,
    );
    // Listeners.
    check(
        Some(
            r#"[listen]
http = "80"
https = ["localhost:443", "https://0.0.0.0:443"]
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `listen.http` is not an address to listen on
 --> sealwax.toml:2:8
  |
2 | http = "80"
  |        ^^^^ the address is missing
  |
  = help: write "127.0.0.1:80" for this machine only, "0.0.0.0:80" for every IPv4 address, "[::]:80" for IPv6 too

error: `listen.https` is not an address to listen on
 --> sealwax.toml:3:10
  |
3 | https = ["localhost:443", "https://0.0.0.0:443"]
  |          ^^^^^^^^^^^^^^^ a name may stand for several addresses
  |
  = help: write "127.0.0.1:443", or a list with "[::1]:443" too

error: `listen.https` is not an address to listen on
 --> sealwax.toml:3:27
  |
3 | https = ["localhost:443", "https://0.0.0.0:443"]
  |                           ^^^^^^^^^^^^^^^^^^^^^ the scheme is in the name of the setting
  |
  = help: write "0.0.0.0:443"

error: the configuration has 3 errors
"#,
    );
    // Twice the same.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
https = ["0.0.0.0:443", "0.0.0.0:80"]
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: two listeners have the address 0.0.0.0:80
 --> sealwax.toml:3:25
  |
2 | http = "0.0.0.0:80"
  |        ------------ first here
3 | https = ["0.0.0.0:443", "0.0.0.0:80"]
  |                         ^^^^^^^^^^^^ the same address
  |
  = help: give each listener a port of its own

"#,
    );
    // None.
    check(
        Some(
            r#"[listen]
http = []
https = []
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: there is no listener
 --> sealwax.toml:3:9
  |
3 | https = []
  |         ^^ nothing to listen on
  |
  = help: write, for example, http = "0.0.0.0:80" and https = "0.0.0.0:443" in [listen]

"#,
    );
    // Ranges.
    check(
        Some(
            r#"[proxies]
trusted = ["10.0.0.1/8", "proxy.internal"]
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `proxies.trusted` has an address range that can be read in two ways
 --> sealwax.toml:2:12
  |
2 | trusted = ["10.0.0.1/8", "proxy.internal"]
  |            ^^^^^^^^^^^^ the address has bits set after the first 8
  |
  = help: write "10.0.0.0/8" for the whole range, or "10.0.0.1" for that address alone

error: `proxies.trusted` is not an address range
 --> sealwax.toml:2:26
  |
2 | trusted = ["10.0.0.1/8", "proxy.internal"]
  |                          ^^^^^^^^^^^^^^^^ proxies are named by address, not by host name
  |
  = help: write a range such as "10.0.0.0/8" or "fd00::/8", or one address

error: the configuration has 2 errors
"#,
    );
    // Everybody is trusted.
    check(
        Some(
            r#"[proxies]
trusted = ["0.0.0.0/0"]
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"warning: every client is trusted as a proxy
 --> sealwax.toml:2:12
  |
2 | trusted = ["0.0.0.0/0"]
  |            ^^^^^^^^^^^ every address is in this range
  |
  = help: name the addresses of your proxies: whoever is trusted can claim any client address, and that a request came over HTTPS

"#,
    );
}

#[test]
fn what_this_version_does_not_have() {
    // What is planned.
    check(
        Some(
            r#"[listen]
admin = "127.0.0.1:9180"
[store]
url = "sqlite:x"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
tls = "acme"
[site.csrf]
mode = "x"
[site.csp]
policy = "x"
"#,
        ),
        &[],
        &[],
        r#"error: `listen.admin` is not in this version
 --> sealwax.toml:2:1
  |
2 | admin = "127.0.0.1:9180"
  | ^^^^^
  |
  = help: leave it out; the health page is /.sealwax/health on every listener

error: `store` is not in this version
 --> sealwax.toml:3:2
  |
3 | [store]
  |  ^^^^^
  |
  = help: leave it out; what the gateway remembers is kept under $SEALWAX_HOME

error: `tls = "acme"` is not in this version
 --> sealwax.toml:8:7
  |
8 | tls = "acme"
  |       ^^^^^^ certificates from a public authority cannot be fetched yet
  |
  = help: name certificate files: tls = { cert = "…", key = "…" }; for local names use tls = "local"

error: `site.csrf` is not in this version
 --> sealwax.toml:9:7
  |
9 | [site.csrf]
  |       ^^^^
  |
  = help: leave it out; the app's own CSRF protection works unchanged behind the gateway

error: `site.csp` is not in this version
  --> sealwax.toml:11:7
   |
11 | [site.csp]
   |       ^^^
   |
   = help: leave it out; a Content-Security-Policy that the app sends passes unchanged

error: the configuration has 5 errors
"#,
    );
    // Acme by flag.
    check(
        None,
        &[],
        &[("tls", "acme"), ("to", "127.0.0.1:8000")],
        r#"error: `tls = "acme"` is not in this version
 |
 | --tls acme
 |       ^^^^ certificates from a public authority cannot be fetched yet
 |
 = help: name certificate files: --cert FILE --key FILE; for local names use --tls local

"#,
    );
    // Acme by variable.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[("SEALWAX_SITE_TLS", "acme")],
        &[],
        r#"error: `tls = "acme"` is not in this version
 |
 | SEALWAX_SITE_TLS=acme
 |                  ^^^^ certificates from a public authority cannot be fetched yet
 |
 = help: name certificate files: tls = { cert = "…", key = "…" }; for local names use tls = "local"

"#,
    );
}

#[test]
fn certificates() {
    // Public host without a certificate.
    check(
        Some(
            r#"[listen]
https = "0.0.0.0:443"
[[site]]
hosts = ["app.example.com"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: the site app.example.com has no certificate
 --> sealwax.toml:4:10
  |
2 | https = "0.0.0.0:443"
  |         ------------- HTTPS needs one
3 | [[site]]
4 | hosts = ["app.example.com"]
  |          ^^^^^^^^^^^^^^^^^ no default for a public name
  |
  = help: name certificate files: tls = { cert = "…", key = "…" }; or list only names ending in .localhost, .test, .local or .internal (or private addresses), which get a local certificate

"#,
    );
    // Every host without a certificate.
    check(
        Some(
            r#"[[site]]
hosts = ["*"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: the site * has no certificate
 --> sealwax.toml:2:10
  |
2 | hosts = ["*"]
  |          ^^^ no default for every name
  |
  = help: name certificate files: tls = { cert = "…", key = "…" }; or list only names ending in .localhost, .test, .local or .internal (or private addresses), which get a local certificate

"#,
    );
    // Local with a public host.
    check(
        Some(
            r#"[[site]]
hosts = ["app.example.com"]
to = "127.0.0.1:8000"
tls = "local"
"#,
        ),
        &[],
        &[],
        r#"error: the local authority may not vouch for app.example.com
 --> sealwax.toml:2:10
  |
2 | hosts = ["app.example.com"]
  |          ^^^^^^^^^^^^^^^^^ a public name
3 | to = "127.0.0.1:8000"
4 | tls = "local"
  |       ------- asked for here
  |
  = help: name certificate files: tls = { cert = "…", key = "…" }; or use a name ending in .localhost, .test, .local or .internal

"#,
    );
    // Local with a public host by flag.
    check(
        None,
        &[],
        &[
            ("hosts", "app.example.com"),
            ("to", "127.0.0.1:8000"),
            ("tls", "local"),
        ],
        r#"error: the local authority may not vouch for app.example.com
 |
 | --host app.example.com
 |        ^^^^^^^^^^^^^^^ a public name
 | --tls local
 |       ----- asked for here
 |
 = help: name certificate files: --cert FILE --key FILE; or use a name ending in .localhost, .test, .local or .internal

"#,
    );
    // Local for every name.
    check(
        Some(
            r#"[[site]]
hosts = ["*"]
to = "127.0.0.1:8000"
tls = "local"
"#,
        ),
        &[],
        &[],
        r#"warning: the local authority vouches for local names only
 --> sealwax.toml:2:10
  |
2 | hosts = ["*"]
  |          ^^^ other names will get a certificate that does not fit
3 | to = "127.0.0.1:8000"
4 | tls = "local"
  |       ------- asked for here
  |
  = help: list the hosts by name

"#,
    );
    // One file of two.
    check(
        Some(
            r#"[[site]]
hosts = ["app.example.com"]
to = "127.0.0.1:8000"
tls = { cert = "c.pem" }
"#,
        ),
        &[],
        &[],
        r#"error: `tls` has a `cert` but no `key`
 --> sealwax.toml:4:16
  |
4 | tls = { cert = "c.pem" }
  |                ^^^^^^^ `key` is missing
  |
  = help: name certificate files: tls = { cert = "…", key = "…" }

"#,
    );
    // Two origins.
    check(
        None,
        &[],
        &[
            ("to", "127.0.0.1:8000"),
            ("tls", "local"),
            ("cert", "c.pem"),
            ("key", "k.pem"),
        ],
        r#"error: the certificate is said to come from two places
 |
 | --tls local
 |       ^^^^^ from this machine's own authority
 | --cert c.pem
 |        ----- and from files
 |
 = help: keep one of the two

"#,
    );
    // Without an HTTPS listener.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
[proxies]
trusted = "10.0.0.0/8"
[[site]]
hosts = ["app.example.com"]
to = "127.0.0.1:8000"
tls = { cert = "c.pem", key = "k.pem" }
"#,
        ),
        &[],
        &[],
        r#"warning: `tls` has no effect
 --> sealwax.toml:8:16
  |
2 | http = "0.0.0.0:80"
  |        ------------ the only listeners
...
8 | tls = { cert = "c.pem", key = "k.pem" }
  |                ^^^^^^^ there is no HTTPS listener
  |
  = help: add https = "0.0.0.0:443" to [listen], or leave tls out

"#,
    );
}
