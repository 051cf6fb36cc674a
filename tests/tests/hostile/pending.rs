//! What the gateway is known not to do yet.
//!
//! Each entry must fail: when one begins to pass, its family's test says so, and the entry is
//! to be taken out.

/// Family, input, and what happens instead, a line each.
const PENDING: &str = "\
frames | a path that is a fragment | ended as Answered(200), and the app saw 1
frames | a path with a fragment | ended as Answered(200), and the app saw 1
frames | a trailer that is a pseudo-header | ended as Answered(200), and the app saw 1
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
