//! Running a command without a shell, without a terminal and not forever.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Rebuilding a distribution's bundle takes seconds on a slow machine.
const LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(10);
/// More output than this is not looked at.
const OUTPUT: u64 = 1024 * 1024;

pub(super) struct Finished {
    pub(super) success: bool,
    pub(super) stdout: String,
    /// What went wrong, in one line.
    pub(super) complaint: String,
}

/// Runs a command to its end.
///
/// # Errors
/// One line: not found, not startable, or killed for taking too long.
pub(super) fn run(argv: &[String]) -> Result<Finished, String> {
    run_within(argv, LIMIT)
}

fn run_within(argv: &[String], limit: Duration) -> Result<Finished, String> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err("no command was given".to_owned());
    };
    let mut child = Command::new(program)
        .args(arguments)
        // Messages are shown, not parsed, but dates and quotes should not vary.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    // Both pipes are emptied as they fill: a full one would stop the command.
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let status = wait(&mut child, limit).map_err(|error| format!("{program}: {error}"))?;
    let Some(status) = status else {
        return Err(format!(
            "{program} did not end within {} s",
            limit.as_secs()
        ));
    };
    let stdout = text(stdout);
    let stderr = text(stderr);
    Ok(Finished {
        success: status.success(),
        complaint: complaint(status, &stderr),
        stdout,
    })
}

fn drain<R: Read + Send + 'static>(pipe: Option<R>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            // What cannot be read is as good as not said.
            let _ = pipe.by_ref().take(OUTPUT).read_to_end(&mut kept);
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        kept
    })
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if waited >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
        waited += POLL;
    }
}

fn text(reader: JoinHandle<Vec<u8>>) -> String {
    String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
}

/// The last line is where tools say what went wrong.
fn complaint(status: ExitStatus, stderr: &str) -> String {
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty());
    match last {
        Some(line) => format!("{} ({status})", line.trim()),
        None => status.to_string(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Result<Finished, String> {
        run_within(&["sh", "-c", script].map(str::to_owned), limit)
    }

    #[test]
    fn tells_success_output_and_the_last_complaint() {
        let finished = sh("echo out; echo first >&2; echo last >&2; exit 3", LIMIT).unwrap();
        assert!(!finished.success);
        assert_eq!(finished.stdout, "out\n");
        assert_eq!(finished.complaint, "last (exit status: 3)");
        assert!(sh("true", LIMIT).unwrap().success);
    }

    #[test]
    fn a_flood_of_output_does_not_stop_it_and_waiting_has_an_end() {
        let finished = sh(
            "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2",
            LIMIT,
        );
        assert_eq!(finished.unwrap().stdout.len() as u64, OUTPUT);
        let error = sh("exec sleep 60", Duration::from_millis(50))
            .err()
            .unwrap();
        assert!(error.contains("did not end"), "{error}");
        // Reading from the terminal ends at once: there is none.
        assert!(!sh("read line", LIMIT).unwrap().success);
    }

    #[test]
    fn a_missing_command_is_named() {
        let error = run(&["/no/such/tool".to_owned()]).err().unwrap();
        assert!(
            error.starts_with("/no/such/tool cannot be started"),
            "{error}"
        );
    }
}
