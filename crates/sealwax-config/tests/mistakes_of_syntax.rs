//! What is not TOML: each message whole, as it is shown.

mod shown;

use shown::check;

#[test]
fn what_is_not_toml() {
    // Text without quotes.
    check(
        Some(
            r#"[listen]
http = 0.0.0.0:80 # all
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: a value is neither a number, nor true or false, nor text in quotes
 --> sealwax.toml:2:8
  |
2 | http = 0.0.0.0:80 # all
  |        ^^^^^^^^^^ text needs quotes
  |
  = help: write "0.0.0.0:80"

"#,
    );
    // A word without quotes.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
tls = local
"#,
        ),
        &[],
        &[],
        r#"error: a value is neither a number, nor true or false, nor text in quotes
 --> sealwax.toml:4:7
  |
4 | tls = local
  |       ^^^^^ text needs quotes
  |
  = help: write "local"

"#,
    );
    // Quote missing.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000
"#,
        ),
        &[],
        &[],
        r#"error: a text does not end as it should
 --> sealwax.toml:3:21
  |
3 | to = "127.0.0.1:8000
  |                     ^ a quote is missing
  |
  = help: put quotes around the text, both on the same line

"#,
    );
    // List not closed.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: a list does not end as it should
 --> sealwax.toml:3:1
  |
2 | hosts = ["app.test"
  |         - the list begins here
3 | to = "127.0.0.1:8000"
  | ^ here `,` or `]` was expected
  |
  = help: put commas between the items and ] after the last

"#,
    );
    // Header not closed.
    check(
        Some(
            r#"[listen
http = "0.0.0.0:80"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: the name of a table is not closed
 --> sealwax.toml:1:8
  |
1 | [listen
  |        ^ `]` is missing
  |
  = help: write [listen]

"#,
    );
    // No equals sign.
    check(
        Some(
            r#"workers: 2
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: a key has no value
 --> sealwax.toml:1:10
  |
1 | workers: 2
  |          ^ `=` is missing
  |
  = help: write key = value

"#,
    );
    // Two on one line.
    check(
        Some(
            r#"workers = 2 environment = "production"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
"#,
        ),
        &[],
        &[],
        r#"error: two settings stand on one line
 --> sealwax.toml:1:25
  |
1 | workers = 2 environment = "production"
  |                         ^ the second begins here
  |
  = help: begin a new line for each setting

"#,
    );
    // Key given twice.
    check(
        Some(
            r#"workers = 2
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
mode = "report"
[site.hsts]
seconds = 1
seconds = 2
"#,
        ),
        &[],
        &[],
        r#"error: `seconds` is given twice
 --> sealwax.toml:8:1
  |
7 | seconds = 1
  | ------- first here
8 | seconds = 2
  | ^^^^^^^ given again
  |
  = help: keep one of the two

"#,
    );
    // Table given twice.
    check(
        Some(
            r#"[listen]
http = "0.0.0.0:80"
[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
[listen]
https = "0.0.0.0:443"
"#,
        ),
        &[],
        &[],
        r#"error: `listen` is given twice
 --> sealwax.toml:6:2
  |
1 | [listen]
  | -------- first here
...
6 | [listen]
  |  ^^^^^^ given again
  |
  = help: keep one of the two

"#,
    );
    // Syntax and other mistakes together.
    check(
        Some(
            r#"workers = many
[listen]
htps = "0.0.0.0:443"
[[site]]
hosts = ["*.test"]
"#,
        ),
        &[],
        &[],
        r#"error: a value is neither a number, nor true or false, nor text in quotes
 --> sealwax.toml:1:11
  |
1 | workers = many
  |           ^^^^ text needs quotes
  |
  = help: write "many"

error: there is no setting `htps` in `[listen]`
 --> sealwax.toml:3:1
  |
3 | htps = "0.0.0.0:443"
  | ^^^^ did you mean `https`?
  |
  = help: write https

error: `site.hosts` has a host that cannot match
 --> sealwax.toml:5:10
  |
5 | hosts = ["*.test"]
  |          ^^^^^^^^ a star stands for every host, not for a part of a name
  |
  = help: write ".test" for test and every host below it

error: the configuration has 3 errors
"#,
    );
    // A lone carriage return.
    check(
        Some(
            "workers = 2\renvironment = \"x\"\n[[site]]\nhosts = [\"app.test\"]\nto = \"127.0.0.1:8000\"\n",
        ),
        &[],
        &[],
        r#"error: this is not TOML
 --> sealwax.toml:1:13
  |
1 | workers = 2␍environment = "x"
  |             ^ carriage return must be followed by newline, expected newline
  |
  = help: see https://toml.io for the form of the file

"#,
    );
    // An empty key.
    check(
        Some(
            r#"[[site]]
hosts = ["app.test"]
to = "127.0.0.1:8000"
 = 1
"#,
        ),
        &[],
        &[],
        r#"error: a key needs quotes
 --> sealwax.toml:4:2
  |
4 |  = 1
  |  ^ not a letter, digit, `-` or `_`
  |
  = help: write key = value; put a key with other characters in quotes

"#,
    );
}
