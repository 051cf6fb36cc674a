//! Processes that never outlive the test, and what they print.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Runs a test on a runtime of its own and fails it after `seconds`.
///
/// # Panics
/// When the time is up, or when the test panics.
pub fn run<F: Future>(seconds: u64, test: F) -> F::Output {
    // Chromium, its DevTools reader and scripted servers must move while a test blocks.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let output = runtime.block_on(async {
        match tokio::time::timeout(Duration::from_secs(seconds), test).await {
            Ok(output) => output,
            Err(_) => panic!("the test took longer than {seconds} s"),
        }
    });
    runtime.shutdown_background();
    output
}

/// Asks `condition` every 20 ms until it answers something, for at most `seconds`.
///
/// # Panics
/// When the time is up; the message names `what` was waited for.
pub async fn wait_until<T>(
    what: &str,
    seconds: u64,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "waited {seconds} s in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A running program and everything it prints; dropping it ends it and its descendants.
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    text: Mutex<String>,
}

impl Process {
    /// Starts `command` with its output collected (both streams into one log).
    #[must_use]
    pub fn start(name: &str, command: &mut Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error} ({command:?})"));
        let log = Arc::new(Log::default());
        collect(&log, child.stdout.take().expect("piped"));
        collect(&log, child.stderr.take().expect("piped"));
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text.lock().expect("no poisoned lock").clone()
    }

    /// Waits until a line of the log satisfies `wanted`, and answers it.
    ///
    /// # Panics
    /// When the process ends first or `seconds` pass; the message carries the log.
    pub async fn wait_for_line(
        &mut self,
        what: &str,
        seconds: u64,
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        loop {
            // Asked before the log is read, so that the last line of a process that has
            // just ended still counts.
            let ended = self.child.try_wait().expect("a child to ask");
            if let Some(line) = self.log().lines().find(|line| wanted(line)) {
                return line.to_owned();
            }
            let log = self.log();
            assert!(
                ended.is_none(),
                "{} ended ({}) before {what}:\n{log}",
                self.name,
                ended.unwrap()
            );
            assert!(
                Instant::now() < deadline,
                "{} did not show {what} within {seconds} s:\n{log}",
                self.name
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a signal to the process itself.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(pid(self.id()), signal);
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child to ask").is_none()
    }

    /// Waits for the end, for at most `seconds`.
    ///
    /// # Panics
    /// When it still runs then.
    pub async fn wait(&mut self, seconds: u64) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child to ask") {
                return status;
            }
            let log = self.log();
            assert!(
                Instant::now() < deadline,
                "{} still runs after {seconds} s:\n{log}",
                self.name
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The processes that this one started, and theirs.
    #[must_use]
    pub fn descendants(&self) -> Vec<u32> {
        descendants(self.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What the process said is most of the answer to why the test failed.
            // (Chromium complains at length that a container has no D-Bus.)
            let log = self.log();
            let lines: Vec<_> = log
                .lines()
                .filter(|line| !line.contains("ERROR:dbus"))
                .collect();
            eprintln!("---- {} said:\n{}\n----", self.name, lines.join("\n"));
        }
        let others: Vec<_> = descendants(self.id())
            .into_iter()
            .map(|id| (id, started(id)))
            .collect();
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.signal(Signal::TERM);
            let deadline = Instant::now() + Duration::from_secs(3);
            while Instant::now() < deadline
                && self.child.try_wait().is_ok_and(|status| status.is_none())
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        for (id, start) in others {
            // The start time tells a survivor from a stranger with the same id.
            if start.is_some() && started(id) == start {
                let _ = kill_process(pid(id), Signal::KILL);
            }
        }
    }
}

/// The most memory the process ever held, in bytes (VmHWM).
#[must_use]
pub fn peak_memory(id: u32) -> u64 {
    memory(id, "VmHWM:")
}

/// The memory the process holds now, in bytes (VmRSS).
#[must_use]
pub fn resident_memory(id: u32) -> u64 {
    memory(id, "VmRSS:")
}

fn memory(id: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a running process");
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .expect("the field in /proc");
    let kilobytes: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .expect("a number");
    kilobytes * 1024
}

fn collect(log: &Arc<Log>, stream: impl Read + Send + 'static) {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|length| length > 0)
        {
            log.text
                .lock()
                .expect("no poisoned lock")
                .push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).expect("a process id")).expect("not zero")
}

fn descendants(id: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let mut open = vec![id];
    while let Some(parent) = open.pop() {
        for task in std::fs::read_dir(format!("/proc/{parent}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let children =
                std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children
                .split_whitespace()
                .filter_map(|text| text.parse().ok())
            {
                all.push(child);
                open.push(child);
            }
        }
    }
    all
}

/// When a process started, in clock ticks since the machine did (field 22 of its stat).
fn started(id: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19).map(str::to_owned)
}
