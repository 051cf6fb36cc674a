//! Values of the wrong kind: each message whole, as it is shown.

mod shown;

use shown::check;

#[test]
fn values_of_the_wrong_kind() {
    // Numbers.
    check(
        Some(
            r#"workers = 0
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.redirect]
port = 70000
"#,
        ),
        &[],
        &[],
        r#"error: `workers` is out of range
 --> sealwax.toml:1:11
  |
1 | workers = 0
  |           ^ outside what is possible
  |
  = help: write a number from 1 to 1024

error: `site.redirect.port` is out of range
 --> sealwax.toml:6:8
  |
6 | port = 70000
  |        ^^^^^ outside what is possible
  |
  = help: write a number from 1 to 65535

error: the configuration has 2 errors
"#,
    );
    // Port zero.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.redirect]
port = 0
"#,
        ),
        &[],
        &[],
        r#"error: `site.redirect.port` is out of range
 --> sealwax.toml:5:8
  |
5 | port = 0
  |        ^ outside what is possible
  |
  = help: write a number from 1 to 65535

"#,
    );
    // Text for a number.
    check(
        Some(
            r#"workers = "two"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `workers` must be a number
 --> sealwax.toml:1:11
  |
1 | workers = "two"
  |           ^^^^^ this is text
  |
  = help: write a whole number, without quotes

"#,
    );
    // A fraction.
    check(
        Some(
            r#"workers = 1.5
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `workers` must be a number
 --> sealwax.toml:1:11
  |
1 | workers = 1.5
  |           ^^^ this is a number with a fraction
  |
  = help: write a whole number, without quotes

"#,
    );
    // A number beyond all.
    check(
        Some(
            r#"workers = 99999999999999999999999999999999999999999999
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `workers` is out of range
 --> sealwax.toml:1:11
  |
1 | workers = 99999999999999999999999999999999999999999999
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ outside what is possible
  |
  = help: write a number from 1 to 1024

"#,
    );
    // Flags.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.hsts]
preload = "yes"
ramp = 1
"#,
        ),
        &[],
        &[],
        r#"error: `site.hsts.preload` must be `true` or `false`
 --> sealwax.toml:5:11
  |
5 | preload = "yes"
  |           ^^^^^ this is text
  |
  = help: write true or false, without quotes

error: `site.hsts.ramp` must be `true` or `false`
 --> sealwax.toml:6:8
  |
6 | ramp = 1
  |        ^ this is a number
  |
  = help: write true or false, without quotes

error: the configuration has 2 errors
"#,
    );
    // Durations.
    check(
        Some(
            r#"[timeouts]
drain = "1 year"
connect = 0
keep_alive = -1
handshake = 2020-01-01
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `timeouts.drain` must be a duration
 --> sealwax.toml:2:9
  |
2 | drain = "1 year"
  |         ^^^^^^^^ not a whole number with a unit
  |
  = help: write a whole number of seconds, or a number with ms, s, m, h or d, such as "30d"

error: `timeouts.connect` is out of range
 --> sealwax.toml:3:11
  |
3 | connect = 0
  |           ^ outside what is possible
  |
  = help: write a duration from 1ms to 365d

error: `timeouts.keep_alive` must be a duration
 --> sealwax.toml:4:14
  |
4 | keep_alive = -1
  |              ^^ not a whole number with a unit
  |
  = help: write a whole number of seconds, or a number with ms, s, m, h or d, such as "30d"

error: `timeouts.handshake` must be a duration
 --> sealwax.toml:5:13
  |
5 | handshake = 2020-01-01
  |             ^^^^^^^^^^ this is a date or time
  |
  = help: write a whole number of seconds, or a number with ms, s, m, h or d, such as "30d"

error: the configuration has 4 errors
"#,
    );
    // Sizes.
    check(
        Some(
            r#"[limits]
request_head = "64K"
request_body = "lots"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `limits.request_head` must be a size
 --> sealwax.toml:2:16
  |
2 | request_head = "64K"
  |                ^^^^^ not a whole number with a unit
  |
  = help: write a whole number of bytes, or a number with KiB, MiB, GiB, kB, MB or GB, such as "64KiB"

error: `limits.request_body` must be a size
 --> sealwax.toml:3:16
  |
3 | request_body = "lots"
  |                ^^^^^^ not a whole number with a unit
  |
  = help: write a whole number of bytes, or a number with KiB, MiB, GiB, kB, MB or GB, such as "64KiB"

error: the configuration has 2 errors
"#,
    );
    // Size out of range.
    check(
        Some(
            r#"[limits]
request_head = 100
request_headers = 9
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `limits.request_head` is out of range
 --> sealwax.toml:2:16
  |
2 | request_head = 100
  |                ^^^ outside what is possible
  |
  = help: write a size from 8KiB to 1MiB

error: `limits.request_headers` is out of range
 --> sealwax.toml:3:19
  |
3 | request_headers = 9
  |                   ^ outside what is possible
  |
  = help: write a number from 10 to 1000

error: the configuration has 2 errors
"#,
    );
    // Words.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
mode = "reprt"
[site.hsts]
when = "sometimes"
"#,
        ),
        &[],
        &[],
        r#"error: `site.mode` has an unknown value
 --> sealwax.toml:4:8
  |
4 | mode = "reprt"
  |        ^^^^^^^ did you mean `report`?
  |
  = help: write "enforce" or "report"

error: `site.hsts.when` has an unknown value
 --> sealwax.toml:6:8
  |
6 | when = "sometimes"
  |        ^^^^^^^^^^^ not one of the words it takes
  |
  = help: write "public", "always" or "never"

error: the configuration has 2 errors
"#,
    );
    // Header words.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[site.headers]
referrer_policy = "same-orgin, strict-origin"
cross_origin_opener_policy = "allow"
x_frame_options = "ALLOW-FROM https://a"
"#,
        ),
        &[],
        &[],
        r#"error: `site.headers.referrer_policy` has an unknown value
 --> sealwax.toml:5:19
  |
5 | referrer_policy = "same-orgin, strict-origin"
  |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `same-origin`?
  |
  = help: write "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url" or "off"

error: `site.headers.cross_origin_opener_policy` has an unknown value
 --> sealwax.toml:6:30
  |
6 | cross_origin_opener_policy = "allow"
  |                              ^^^^^^^ not one of the words it takes
  |
  = help: write "same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none" or "off"

error: `site.headers.x_frame_options` has an unknown value
 --> sealwax.toml:7:19
  |
7 | x_frame_options = "ALLOW-FROM https://a"
  |                   ^^^^^^^^^^^^^^^^^^^^^^ not one of the words it takes
  |
  = help: write "DENY", "SAMEORIGIN" or "off"

error: the configuration has 3 errors
"#,
    );
    // List of numbers.
    check(
        Some(
            r#"[proxies]
trusted = [1, "10.0.0.0/8"]
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `proxies.trusted` is a list of address ranges
 --> sealwax.toml:2:12
  |
2 | trusted = [1, "10.0.0.0/8"]
  |            ^ this is a number
  |
  = help: write each item as text, in quotes

"#,
    );
    // A number for a list.
    check(
        Some(
            r#"[proxies]
trusted = 1
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: `proxies.trusted` must be a list
 --> sealwax.toml:2:11
  |
2 | trusted = 1
  |           ^ this is a number
  |
  = help: write a list of texts: ["…", "…"]

"#,
    );
    // A path.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
tls = { cert = "", key = 1 }
"#,
        ),
        &[],
        &[],
        r#"error: `site.tls.cert` must be a path
 --> sealwax.toml:4:16
  |
4 | tls = { cert = "", key = 1 }
  |                ^^ no file has this name
  |
  = help: write the path of the file

error: `site.tls.key` must be a path
 --> sealwax.toml:4:26
  |
4 | tls = { cert = "", key = 1 }
  |                          ^ this is a number
  |
  = help: write the path in quotes

error: the configuration has 2 errors
"#,
    );
}
