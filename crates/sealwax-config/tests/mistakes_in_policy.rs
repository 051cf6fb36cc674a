//! Policies that cannot work: each message whole, as it is shown.

mod shown;

use shown::check;

#[test]
fn redirects() {
    // Leads nowhere.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: the redirect to HTTPS leads nowhere
 --> sealwax.toml:2:8
  |
2 | http = "0.0.0.0:80"
  |        ^^^^^^^^^^^^ nothing here speaks HTTPS
  |
  = help: add https = "0.0.0.0:443" to [listen]; or name the proxies in front that do: trusted = ["10.0.0.0/8"] in [proxies]; or write enabled = false in [site.redirect]

"#,
    );
    // Leads nowhere, asked for.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.redirect]
enabled = true
"#,
        ),
        &[],
        &[],
        r#"error: the redirect to HTTPS leads nowhere
 --> sealwax.toml:7:11
  |
2 | http = "0.0.0.0:80"
  |        ------------ the only listeners
...
7 | enabled = true
  |           ^^^^ nothing here speaks HTTPS
  |
  = help: add https = "0.0.0.0:443" to [listen]; or name the proxies in front that do: trusted = ["10.0.0.0/8"] in [proxies]; or write enabled = false in [site.redirect]

"#,
    );
    // A port where nothing is.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.redirect]
port = 443
"#,
        ),
        &[],
        &[],
        r#"error: the redirect to HTTPS leads nowhere
 --> sealwax.toml:7:8
  |
2 | http = "0.0.0.0:80"
  |        ------------ the only listeners
...
7 | port = 443
  |        ^^^ nothing here speaks HTTPS
  |
  = help: add https = "0.0.0.0:443" to [listen]; or name the proxies in front that do: trusted = ["10.0.0.0/8"] in [proxies]; or write enabled = false in [site.redirect]

"#,
    );
    // Back to plain HTTP.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
https = "0.0.0.0:443"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.redirect]
port = 80
"#,
        ),
        &[],
        &[],
        r#"error: the redirect leads back to plain HTTP
 --> sealwax.toml:8:8
  |
2 | http = "0.0.0.0:80"
  |        ------------ listens here
...
8 | port = 80
  |        ^^ a port without TLS
  |
  = help: write the port on which visitors reach HTTPS, or leave `port` out

"#,
    );
    // Plain HTTP only.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.redirect]
enabled = false
"#,
        ),
        &[],
        &[],
        r#"warning: no cookie will reach the browser
 --> sealwax.toml:7:11
  |
2 | http = "0.0.0.0:80"
  |        ------------ the only listeners
...
7 | enabled = false
  |           ^^^^^ plain HTTP only
  |
  = help: every cookie is Secure and is withheld over plain HTTP: add https = "0.0.0.0:443" to [listen]

"#,
    );
    // Patterns.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.redirect]
exempt = ["^health$", "^(?!api/)"]
refuse = ["(", '(a)\1']
"#,
        ),
        &[],
        &[],
        r#"error: `site.redirect.exempt` has a pattern that does not compile
 --> sealwax.toml:5:23
  |
5 | exempt = ["^health$", "^(?!api/)"]
  |                       ^^^^^^^^^^^ patterns run in linear time, so there is no look-around
  |
  = help: name what is meant: in place of `^(?!api/)`, list the paths that are exempt

error: `site.redirect.refuse` has a pattern that does not compile
 --> sealwax.toml:6:11
  |
6 | refuse = ["(", '(a)\1']
  |           ^^^ unclosed group
  |
  = help: write a regular expression, searched in the path without its leading slash; `\` makes a special character plain

error: `site.redirect.refuse` has a pattern that does not compile
 --> sealwax.toml:6:16
  |
6 | refuse = ["(", '(a)\1']
  |                ^^^^^^^ backreferences are not supported
  |
  = help: patterns run in linear time, so nothing can refer back to a group; write the text out

error: the configuration has 3 errors
"#,
    );
}

#[test]
fn hsts() {
    // Preload under a year.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.hsts]
seconds = 86400
preload = true
include_subdomains = true
"#,
        ),
        &[],
        &[],
        r#"error: `preload` needs a year
 --> sealwax.toml:5:11
  |
5 | seconds = 86400
  |           ^^^^^ the preload list takes no less than 31536000 s
6 | preload = true
  |           ---- asked for here
  |
  = help: write seconds = 63072000, or leave out preload

"#,
    );
    // Preload without subdomains.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.hsts]
preload = true
"#,
        ),
        &[],
        &[],
        r#"error: `preload` needs `include_subdomains`
 --> sealwax.toml:5:11
  |
5 | preload = true
  |           ^^^^ the preload list takes whole domains only
  |
  = help: write include_subdomains = true if every subdomain has HTTPS, or leave out preload

"#,
    );
    // Preload by variable.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.hsts]
include_subdomains = false
"#,
        ),
        &[("SEALWAX_SECURE_HSTS_PRELOAD", "True")],
        &[],
        r#"error: `preload` needs `include_subdomains`
  |
  | SEALWAX_SECURE_HSTS_PRELOAD=True
  |                             ^^^^ the preload list takes whole domains only
  |
 ::: sealwax.toml:5:22
  |
5 | include_subdomains = false
  |                      ----- switched off here
  |
  = help: write include_subdomains = true if every subdomain has HTTPS, or leave out preload

"#,
    );
    // Always with local certificates.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.hsts]
when = "always"
"#,
        ),
        &[],
        &[],
        r#"warning: browsers will remember HTTPS for local names
 --> sealwax.toml:5:8
  |
5 | when = "always"
  |        ^^^^^^^^ every app on these names is then reached over HTTPS only
  |
  = help: leave `when` at "public", which sends no HSTS with a local certificate

"#,
    );
}

#[test]
fn cookies() {
    // Secure off.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
secure = false
names.sessionid = { secure = false }
"#,
        ),
        &[],
        &[],
        r#"error: `site.cookies.secure` cannot be switched off
 --> sealwax.toml:5:10
  |
5 | secure = false
  |          ^^^^^ every cookie leaves with `Secure`
  |
  = help: leave it out; development has HTTPS too, with tls = "local"

error: `site.cookies.names.sessionid.secure` cannot be switched off
 --> sealwax.toml:6:30
  |
6 | names.sessionid = { secure = false }
  |                              ^^^^^ every cookie leaves with `Secure`
  |
  = help: leave it out; development has HTTPS too, with tls = "local"

error: the configuration has 2 errors
"#,
    );
    // Prefixed names.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
readable = ["__Host-a"]
names."__Secure-b" = { prefix = false }
"#,
        ),
        &[],
        &[],
        r#"error: `site.cookies.readable` names a cookie that already has a prefix
 --> sealwax.toml:5:13
  |
5 | readable = ["__Host-a"]
  |             ^^^^^^^^^^ the prefix demands its attributes by itself (RFC 6265bis section 4.1.3); the app's own stays as it is
  |
  = help: leave it out, or write the name without the prefix: "a"

error: `site.cookies.names` names a cookie that already has a prefix
 --> sealwax.toml:6:7
  |
6 | names."__Secure-b" = { prefix = false }
  |       ^^^^^^^^^^^^ the prefix demands its attributes by itself (RFC 6265bis section 4.1.3); the app's own stays as it is
  |
  = help: leave it out, or write the name without the prefix: "b"

error: the configuration has 2 errors
"#,
    );
    // Names that cannot be.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
readable = ["a b"]
rename_domain = [""]
"#,
        ),
        &[],
        &[],
        r#"error: `site.cookies.readable` has a name that no cookie can have
 --> sealwax.toml:5:13
  |
5 | readable = ["a b"]
  |             ^^^^^ printable ASCII without space, `"`, `,`, `;`, `=`, `\`, and no `$` in front
  |
  = help: write the name as it stands before the `=` in Set-Cookie

error: `site.cookies.rename_domain` has a name that no cookie can have
 --> sealwax.toml:6:18
  |
6 | rename_domain = [""]
  |                  ^^ printable ASCII without space, `"`, `,`, `;`, `=`, `\`, and no `$` in front
  |
  = help: write the name as it stands before the `=` in Set-Cookie

error: the configuration has 2 errors
"#,
    );
    // Readable and renamed.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
readable = ["csrftoken"]
rename_domain = ["csrftoken", "_xsrf"]
"#,
        ),
        &[],
        &[],
        r#"error: the cookie `csrftoken` cannot both keep its name and be renamed
 --> sealwax.toml:6:18
  |
5 | readable = ["csrftoken"]
  |             ----------- kept as it is here
6 | rename_domain = ["csrftoken", "_xsrf"]
  |                  ^^^^^^^^^^^ renamed here
  |
  = help: a cookie that scripts read keeps its name: leave it to one of the two lists

error: the cookie `_xsrf` exists for scripts and keeps its name
 --> sealwax.toml:6:31
  |
6 | rename_domain = ["csrftoken", "_xsrf"]
  |                               ^^^^^^^ cannot be renamed
  |
  = help: leave it out; if no script reads it, write names._xsrf = { prefix = true } in [site.cookies]

error: the configuration has 2 errors
"#,
    );
    // Readable and HttpOnly.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
readable = ["csrftoken"]
names.csrftoken = { http_only = true, prefix = true }
"#,
        ),
        &[],
        &[],
        r#"error: the cookie `csrftoken` cannot both be read by scripts and get HttpOnly
 --> sealwax.toml:6:33
  |
5 | readable = ["csrftoken"]
  |             ----------- read by scripts
6 | names.csrftoken = { http_only = true, prefix = true }
  |                                 ^^^^ asked for here
  |
  = help: leave out one of the two

error: the cookie `csrftoken` cannot both be read by scripts and get a prefix
 --> sealwax.toml:6:48
  |
5 | readable = ["csrftoken"]
  |             ----------- read by scripts
6 | names.csrftoken = { http_only = true, prefix = true }
  |                                                ^^^^ asked for here
  |
  = help: leave out one of the two

error: the configuration has 2 errors
"#,
    );
    // Renamed and kept.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
rename_domain = ["sid"]
names.sid = { prefix = false }
"#,
        ),
        &[],
        &[],
        r#"error: the cookie `sid` cannot both keep its name and be renamed
 --> sealwax.toml:5:18
  |
5 | rename_domain = ["sid"]
  |                  ^^^^^ renamed here
6 | names.sid = { prefix = false }
  |                        ----- kept here
  |
  = help: leave out one of the two

"#,
    );
    // None for all.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
same_site = "None"
"#,
        ),
        &[],
        &[],
        r#"warning: cookies without `SameSite` will be sent with every cross-site request
 --> sealwax.toml:5:13
  |
5 | same_site = "None"
  |             ^^^^^^ this counts for every cookie of the site
  |
  = help: name the cookies that need it: names.sessionid = { same_site = "None" } in [site.cookies]

"#,
    );
    // A rule that is no table.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.cookies]
names.sessionid = "None"
names.sid = { same_site = "Lacks" }
"#,
        ),
        &[],
        &[],
        r#"error: `site.cookies.names.sessionid` is a table
 --> sealwax.toml:5:7
  |
5 | names.sessionid = "None"
  |       ^^^^^^^^^ here it has a value of another kind
  |
  = help: write names.sessionid = { same_site = "None" }

error: `site.cookies.names.sid.same_site` has an unknown value
 --> sealwax.toml:6:27
  |
6 | names.sid = { same_site = "Lacks" }
  |                           ^^^^^^^ not one of the words it takes
  |
  = help: write "Lax", "Strict" or "None"

error: the configuration has 2 errors
"#,
    );
}

#[test]
fn header_names() {
    // Names that are held back for a reason.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.headers]
allow_names = ["x_request_id", "x_forwarded_for", "x-plain", "a b"]
"#,
        ),
        &[],
        &[],
        r#"error: `site.headers.allow_names` lets a client forge a header that the app trusts
 --> sealwax.toml:5:32
  |
5 | allow_names = ["x_request_id", "x_forwarded_for", "x-plain", "a b"]
  |                                ^^^^^^^^^^^^^^^^^ app servers read this name as `x-forwarded-for`
  |
  = help: leave it out: the gateway sets or frames that header itself

error: `site.headers.allow_names` lists a header that passes anyway
 --> sealwax.toml:5:51
  |
5 | allow_names = ["x_request_id", "x_forwarded_for", "x-plain", "a b"]
  |                                                   ^^^^^^^^^ only names with `_` or `.` are held back
  |
  = help: leave it out

error: `site.headers.allow_names` has a name that no header can have
 --> sealwax.toml:5:62
  |
5 | allow_names = ["x_request_id", "x_forwarded_for", "x-plain", "a b"]
  |                                                              ^^^^^ a header name is a token (RFC 9110 section 5.6.2)
  |
  = help: write the name alone, such as "x_request_id"

error: the configuration has 3 errors
"#,
    );
}
