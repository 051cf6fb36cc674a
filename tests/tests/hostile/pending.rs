//! What the gateway is known not to do yet.
//!
//! Each entry must fail: when one begins to pass, its family's test says so, and the entry is
//! to be taken out.

/// Family, input, and what happens instead, a line each.
const PENDING: &str = "\
chunks passed | the trailer CF-Connecting-IP | the app saw the trailer field cf-connecting-ip: 127.0.0.1
chunks passed | the trailer Proxy | the app saw the trailer field proxy: http://evil.test
chunks passed | the trailer Remote-User | the app saw the trailer field remote-user: admin
chunks passed | the trailer True-Client-IP | the app saw the trailer field true-client-ip: 127.0.0.1
chunks passed | the trailer X-Original-URL | the app saw the trailer field x-original-url: /admin
chunks passed | the trailer X-Rewrite-URL | the app saw the trailer field x-rewrite-url: /admin
chunks passed | the trailer X-SSL-Client-Cert | the app saw the trailer field x-ssl-client-cert: x
frames | a path that is a fragment | ended as Answered(200), and the app saw 1
frames | a path with a fragment | ended as Answered(200), and the app saw 1
frames | a trailer that is a pseudo-header | ended as Answered(200), and the app saw 1
white space and targets | CONNECT to elsewhere | the app saw [\"GET /after\"]
white space and targets | CONNECT to us | the app saw [\"GET /after\"]
white space and targets | an absolute OPTIONS without a path | neither denied (answered 200
white space and targets | an absolute target with a query only | what reached the app is no exact request: target \"?x=1\"
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
