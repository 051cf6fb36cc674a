//! Starts the binary, waits for it, and never leaves it behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Far beyond what anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A home directory with nothing in it.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The binary, with this home and none of the environment's settings.
    pub(crate) fn sealwax<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealwax"));
        command
            .args(args)
            .env_clear()
            .stdin(Stdio::null())
            .current_dir(self.path());
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.path())
            .env("SEALWAX_HOME", self.path().join("state"));
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn finish(&self, args: &[&str]) -> Finished {
        Finished::from(self.sealwax(args).output().unwrap())
    }

    /// Starts the binary and waits until it says that it is ready.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let running = Running::spawn(self.sealwax(args));
        running.wait_for("sealwax: ready: ");
        running
    }

    /// Runs a program in this home without the rights of root.
    pub(crate) fn as_nobody(&self, program: &str, args: &[&str]) -> Finished {
        const NOBODY: u32 = 65_534;
        let mut command = if rustix::process::geteuid().is_root() {
            give_to(self.path(), NOBODY);
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
            command
        } else {
            Command::new(program)
        };
        command
            .args(args)
            .env_clear()
            .stdin(Stdio::null())
            .current_dir(self.path());
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.path())
            .env("SEALWAX_HOME", self.path().join("state"));
        Finished::from(command.output().unwrap())
    }

    /// The local authority's root, made on first use.
    pub(crate) fn root(&self) -> String {
        self.finish(&["trust", "path"]).out.trim_end().to_owned()
    }

    /// What curl gets, trusting the local authority alone.
    pub(crate) fn curl(&self, args: &[&str]) -> Finished {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--max-time",
            "30",
            "--noproxy",
            "*",
            "--cacert",
            &self.root(),
        ]);
        Finished::from(
            command
                .args(args)
                .current_dir(self.path())
                .output()
                .unwrap(),
        )
    }
}

fn give_to(path: &Path, user: u32) {
    std::os::unix::fs::lchown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_to(&entry.unwrap().path(), user);
        }
    }
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A running program; killed when dropped.
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    out: Arc<Mutex<String>>,
}

impl Running {
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = collect(child.stderr.take().unwrap());
        let out = collect(child.stdout.take().unwrap());
        Self { child, said, out }
    }

    /// Everything on standard error so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Everything on standard output so far.
    pub(crate) fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// Waits for text on standard error and returns its line.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        wait(
            &format!("{text:?}"),
            || {
                self.said()
                    .lines()
                    .find(|line| line.contains(text))
                    .map(str::to_owned)
            },
            || self.said(),
        )
    }

    /// The port of the first listener of `scheme` in the ready line.
    pub(crate) fn port(&self, scheme: &str) -> u16 {
        let line = self.wait_for("sealwax: ready: ");
        let address = line
            .split(' ')
            .find_map(|word| word.strip_prefix(&format!("{scheme}://")))
            .unwrap();
        address.rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let said = Arc::clone(&self.said);
        let child = &mut self.child;
        wait(
            "the end",
            move || child.try_wait().unwrap(),
            move || said.lock().unwrap().clone(),
        )
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGTERM first, so that what it started ends with it.
        if self.child.try_wait().unwrap().is_none() {
            self.signal(Signal::TERM);
            thread::sleep(Duration::from_millis(300));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks `look` until it finds something.
pub(crate) fn wait<T>(
    what: &str,
    mut look: impl FnMut() -> Option<T>,
    context: impl Fn() -> String,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "waited in vain for {what}:\n{}",
            context()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn collect(stream: impl std::io::Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            sink.lock().unwrap().push_str(&format!("{line}\n"));
        }
    });
    text
}

/// Listeners on free ports.
pub(crate) const ANY_PORT: [&str; 4] = ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"];

/// A tiny app: answers every request with its number and the path, until the
/// test ends.
pub(crate) fn app() -> u16 {
    use std::io::{Read, Write};
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n")
                    && stream.read(&mut byte).is_ok_and(|read| read == 1)
                {
                    head.push(byte[0]);
                }
                let _ = stream.write_all(
                    b"HTTP/1.1 200 OK\r\nSet-Cookie: sessionid=abc; Path=/\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
                );
            });
        }
    });
    port
}
