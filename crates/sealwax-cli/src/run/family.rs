//! The processes below one process, as Linux tells them in `/proc`. Elsewhere
//! the list is empty and only the app itself gets the signal.

use std::fs;

use rustix::process::Pid;

/// All descendants of `ancestor`, the nearest first.
pub(crate) fn below(ancestor: Pid) -> Vec<Pid> {
    let parents = parents();
    let mut family = vec![ancestor.as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(child, _)| *child),
        );
        next += 1;
    }
    family
        .into_iter()
        .skip(1)
        .filter_map(Pid::from_raw)
        .collect()
}

/// Every process with its parent.
fn parents() -> Vec<(i32, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let process: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((process, parent(&stat)?))
        })
        .collect()
}

/// The fourth field. The second is the program's name in brackets, which may
/// itself hold spaces and brackets.
fn parent(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_cannot_hide_behind_its_name() {
        assert_eq!(parent("12 (a) 1 R) S 34 5 6"), Some(34));
        assert_eq!(parent(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn finds_a_child() {
        let mut child = std::process::Command::new("sleep")
            .arg("30")
            .spawn()
            .unwrap();
        let ours = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        let found = below(ours)
            .iter()
            .any(|pid| pid.as_raw_nonzero().get() == i32::try_from(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
    }
}
