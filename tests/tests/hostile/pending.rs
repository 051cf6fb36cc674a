//! What the gateway is known not to do yet.
//!
//! Each entry must fail: when one begins to pass, its family's test says so, and the entry is
//! to be taken out.

/// Family, input, and what happens instead, a line each.
const PENDING: &str = "\
bent framing | coding, 0x09 after the colon | the app saw [\"POST /\"]
bent framing | coding, 0x09 at the end | the app saw [\"POST /\"]
bent framing | coding, 0x0a before the name | the app saw [\"POST /\"]
bent framing | coding, 0x20 after the colon | the app saw [\"POST /\"]
bent framing | coding, 0x20 at the end | the app saw [\"POST /\"]
bent framing | length, 0x0a at the end | the app saw [\"POST /\", \"ldGET /after\"]
bent framing | length, 0x0a before the name | the app saw [\"POST /\"]
bent hosts | 0x0a at the end | the app saw [\"GET /\", \"GET /after\"]
bent hosts | 0x0a before the name | answered [400, 400]
boundaries | a query of a mebibyte | answered [431]
boundaries | a target as long as a head | answered [431]
boundaries | a target of 64 KiB | answered [431]
bytes in a target | 0x23 | the app saw [\"GET /a\", \"GET /after\"]
chunks passed | the trailer CF-Connecting-IP | the app saw the trailer field cf-connecting-ip: 127.0.0.1
chunks passed | the trailer Proxy | the app saw the trailer field proxy: http://evil.test
chunks passed | the trailer Remote-User | the app saw the trailer field remote-user: admin
chunks passed | the trailer True-Client-IP | the app saw the trailer field true-client-ip: 127.0.0.1
chunks passed | the trailer X-Original-URL | the app saw the trailer field x-original-url: /admin
chunks passed | the trailer X-Rewrite-URL | the app saw the trailer field x-rewrite-url: /admin
chunks passed | the trailer X-SSL-Client-Cert | the app saw the trailer field x-ssl-client-cert: x
chunks refused | LF at the very end | the app saw [\"POST /\"]
chunks refused | a NUL in it | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a NUL in quotes | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a quote in the middle | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a quote that never ends | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a semicolon alone | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a size of 64 KiB | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a space after | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a space in its name | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a tab after | the app saw [\"POST /\", \"GET /after\"]
chunks refused | a trailer that ends with LF | the app saw [\"POST /\"]
chunks refused | an extension without a name | the app saw [\"POST /\", \"GET /after\"]
chunks refused | an extension without a value | the app saw [\"POST /\", \"GET /after\"]
chunks refused | something after the quote | the app saw [\"POST /\", \"GET /after\"]
chunks refused | two semicolons | the app saw [\"POST /\", \"GET /after\"]
codings | a lone LF after | the app saw [\"POST /\", \"GET /after\"]
codings | a lone LF before | the app saw [\"POST /\", \"GET /after\"]
cookies | an LF in a value | the app saw [\"GET /\", \"GET /after\"]
field lines | an LF after the last field | the app saw [\"GET /\", \"GET /after\"]
field lines | an LF after the request line | the app saw [\"GET /\", \"GET /after\"]
field lines | an LF at the end of the head | the app saw [\"GET /\", \"GET /after\"]
field lines | an LF before a line end | the app saw [\"GET /\"]
field lines | an LF for a line end | the app saw [\"GET /\", \"GET /after\"]
field lines | nothing but LFs | the app saw [\"GET /\", \"GET /after\"]
field lines | two LFs, as if the head ended | the app saw [\"GET /\", \"GET /after\"]
frames | a path that is a fragment | ended as Answered(200), and the app saw 1
frames | a path that is a query | what reached the app is no exact request: target \"?x\"
frames | a path with a fragment | ended as Answered(200), and the app saw 1
frames | a scheme in capitals | ended as Answered(200), and the app saw 1
frames | a trailer that is a pseudo-header | ended as Answered(200), and the app saw 1
frames | a value with a space after | what reached the app is no exact request: the value \"b \" of x-a
frames | a value with a space before | what reached the app is no exact request: the value \" b\" of x-a
frames | a value with a tab after | what reached the app is no exact request: the value \"b\\t\" of x-a
frames | a value with a tab before | what reached the app is no exact request: the value \"\\tb\" of x-a
frames | an empty scheme | ended as Answered(200), and the app saw 1
frames | the scheme ftp | ended as Answered(200), and the app saw 1
frames | the scheme http within TLS | ended as Answered(200), and the app saw 1
length and chunks | a length beyond all | the app saw [\"POST /\"]
length and chunks | a length of nought | the app saw [\"POST /\"]
length and chunks | a length on each side | the app saw [\"POST /\"]
length and chunks | a length that is that of the chunks | the app saw [\"POST /\"]
length and chunks | both in lower case | the app saw [\"POST /\"]
length and chunks | both in upper case | the app saw [\"POST /\"]
length and chunks | in a GET | the app saw [\"GET /\"]
length and chunks | the chunks first | the app saw [\"POST /\"]
length and chunks | the coding nominated to be dropped | the app saw [\"POST /\"]
length and chunks | the length first | the app saw [\"POST /\"]
length and chunks | the length nominated to be dropped | the app saw [\"POST /\"]
length and chunks | with a field between | the app saw [\"POST /\"]
length and chunks | with tabs | the app saw [\"POST /\"]
length and chunks | without spaces | the app saw [\"POST /\"]
redirects | a fragment | answered [(307, \"https://good.test/a\")]
redirects | length and chunks | answered [(307, \"https://good.test/a\")]
requests in a row | three and then length and chunks | the app saw [\"GET /1\", \"POST /2\", \"POST /3\", \"POST /smuggled\"]
upgrades and expectations | GET to upgrade with a length | answered [400, 400]
upgrades and expectations | GET to upgrade with chunks | the app saw [\"GET /after\"]
upgrades and expectations | POST to upgrade with a length | answered [400, 400]
upgrades and expectations | POST to upgrade with chunks | the app saw [\"GET /after\"]
upgrades and expectations | expecting 100-continue and more | answered 200
upgrades and expectations | expecting 100-continue with a parameter | answered 200
upgrades and expectations | expecting 200-ok | answered 200
upgrades and expectations | expecting a number | answered 200
upgrades and expectations | expecting something unknown | answered 200
upgrades and expectations | expecting something unknown in quotes | answered 200
white space and targets | CONNECT to elsewhere | the app saw [\"GET /after\"]
white space and targets | CONNECT to us | the app saw [\"GET /after\"]
white space and targets | CONNECT with a URL | the app saw [\"GET /after\"]
white space and targets | CONNECT with a length | the app saw [\"GET /after\"]
white space and targets | CONNECT with a path | the app saw [\"GET /after\"]
white space and targets | CONNECT with chunks | the app saw [\"GET /after\"]
white space and targets | CONNECT without a port | the app saw [\"GET /after\"]
white space and targets | FTP | answered 200
white space and targets | a fragment | answered 200
white space and targets | a fragment after a query | answered 200
white space and targets | a fragment after the host | answered 200
white space and targets | an LF first | the app saw [\"GET /\", \"GET /after\"]
white space and targets | an absolute OPTIONS without a path | neither denied (answered 200
white space and targets | an absolute target with a query only | what reached the app is no exact request: target \"?x=1\"
white space and targets | an empty fragment | answered 200
";

/// Fails if anything did not happen as it should, but for what is pending, or if something
/// pending did.
pub(crate) fn compare<'c>(
    family: &str,
    outcomes: impl Iterator<Item = (&'c str, Result<(), String>)>,
) {
    let listed = || {
        let entries = PENDING.lines().map(|line| {
            let mut parts = line.splitn(3, " | ");
            (parts.next(), parts.next())
        });
        entries.filter(|(of, _)| *of == Some(family))
    };
    let (mut wrong, mut count, mut met) = (Vec::new(), 0, 0);
    for (name, outcome) in outcomes {
        count += 1;
        let pending = listed().any(|(_, pending)| pending == Some(name));
        met += usize::from(pending);
        match outcome {
            Err(fault) if !pending => wrong.push(format!("{name}: {fault}")),
            Ok(()) if pending => wrong.push(format!(
                "{name}: happens as it should now: take it out of PENDING"
            )),
            _ => {}
        }
    }
    let unknown = listed().count() - met;
    assert!(
        unknown == 0,
        "{unknown} entries of PENDING name no input of {family}"
    );
    eprintln!("{family}: {count} inputs, {met} of them pending");
    assert!(
        wrong.is_empty(),
        "{} of {count} inputs of {family}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
