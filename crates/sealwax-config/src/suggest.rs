//! "Did you mean …": the nearest of the names that exist.

/// Longer names are no misspellings of ours, and comparing them costs time.
const LONGEST: usize = 64;

/// The candidate nearest to `written`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if written.len() > LONGEST {
        return None;
    }
    let written = fold(written);
    let allowed = (written.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&written, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Case and the choice of `-` or `_` do not count as mistakes.
fn fold(name: &str) -> Vec<u8> {
    name.bytes()
        .filter(|b| !matches!(b, b'-' | b'_'))
        .map(|b| b.to_ascii_lowercase())
        .collect()
}

/// Edits (insert, delete, replace, swap of neighbours) from `a` to `b`.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, left) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(last.len());
        next.push(row + 1);
        let mut up_right = None;
        for (column, right) in b.iter().enumerate() {
            let at =
                |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let replace = at(&last, column) + usize::from(left != right);
            let delete = at(&last, column + 1) + 1;
            let insert = at(&next, column) + 1;
            let mut best = replace.min(delete).min(insert);
            if column > 0 && previous == Some(right) && up_right == Some(left) {
                best = best.min(at(&before, column - 1) + 1);
            }
            next.push(best);
            up_right = Some(right);
        }
        before = last;
        last = next;
        previous = Some(left);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("htps", "https", 1),
            ("sues", "uses", 1),
            ("abc", "xyz", 3),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
        }
    }

    #[test]
    fn finds_the_one_that_was_meant() {
        let names = ["http", "https", "tls_profile"];
        assert_eq!(nearest("htpps", names), Some("https"));
        assert_eq!(nearest("tls-profile", names), Some("tls_profile"));
        assert_eq!(nearest("TLSProfile", names), Some("tls_profile"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest(&"h".repeat(1000), names), None);
    }
}
