//! A PostgreSQL server of a test's own.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{Process, free_port};

/// The server's superuser, whom it asks for [`PASSWORD`].
const USER: &str = "sealwax";
const PASSWORD: &str = "correct-horse";

/// A PostgreSQL server with a data directory and a port of its own, ended with the handle.
///
/// PostgreSQL refuses to run as root, so root runs it as the user that Debian's package made.
pub struct Postgres {
    process: Option<Process>,
    directory: TempDir,
    port: u16,
}

impl Postgres {
    /// Makes a data directory and starts a server on it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message carries its log.
    pub async fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("sealwax-postgres-")
            .tempdir()
            .expect("a temporary directory");
        let password = directory.path().join("password");
        std::fs::write(&password, PASSWORD).expect("a file for the password");
        if let Some((user, group)) = unprivileged() {
            for path in [directory.path(), &password] {
                chown(path, Some(user), Some(group)).expect("root may change owners");
            }
        }
        let made = program("initdb")
            .arg("--pgdata")
            .arg(directory.path().join("data"))
            .args(["--username", USER, "--auth", "scram-sha-256", "--pwfile"])
            .arg(&password)
            .args(["--encoding", "UTF8", "--no-locale"])
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut server = Self {
            process: None,
            directory,
            port: free_port(),
        };
        server.start_again().await;
        server
    }

    /// The URL of its database, with the password.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres",
            self.port
        )
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it on the data that is there.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        let mut command = program("postgres");
        command
            .arg("-D")
            .arg(self.directory.path().join("data"))
            .args(["-p", &self.port.to_string()])
            .arg("-k")
            .arg(self.directory.path())
            .args(["-c", "listen_addresses=127.0.0.1"]);
        let mut process = Process::start("postgres", &mut command);
        let ready = |line: &str| line.contains("ready to accept connections");
        process.wait_for_line("its readiness", 30, ready).await;
        self.process = Some(process);
    }

    /// Ends it in an orderly way: it breaks off what runs, and writes everything down.
    pub async fn stop(&mut self) {
        self.end(Signal::INT).await;
    }

    /// Kills it and its workers with SIGKILL, as a crash would end them.
    pub async fn kill(&mut self) {
        let workers = self.process.as_ref().map(Process::descendants);
        for id in workers.unwrap_or_default() {
            let id = i32::try_from(id).expect("a process id");
            let pid = rustix::process::Pid::from_raw(id).expect("not zero");
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        self.end(Signal::KILL).await;
    }

    async fn end(&mut self, signal: Signal) {
        if let Some(mut process) = self.process.take() {
            process.signal(signal);
            process.wait(30).await;
        }
    }

    /// Runs statements as the superuser and answers what psql prints, unaligned.
    ///
    /// # Panics
    /// When one fails.
    #[must_use]
    pub fn psql(&self, statements: &str) -> String {
        let output = Command::new(binaries().join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", statements])
            .arg(self.url())
            .output()
            .expect("psql runs");
        assert!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Else the harness asks politely first, and the server waits for its clients.
        if let Some(process) = &self.process {
            process.signal(Signal::INT);
        }
    }
}

/// A program of the server, as a user who may run it.
fn program(name: &str) -> Command {
    let path = binaries().join(name);
    if unprivileged().is_none() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "--",
        ])
        .arg(path);
    // The directory that tests run in may be closed to that user.
    command.current_dir("/");
    command
}

/// The newest version that Debian's packages have installed.
fn binaries() -> PathBuf {
    let version = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/postgres").exists())
        .max_by_key(|path| version(path))
        .expect("PostgreSQL is installed: apt-get install postgresql")
        .join("bin")
}

/// User and group `postgres`, when this is root.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("a list of users");
    let line = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("the user of Debian's package");
    let mut fields = line
        .split(':')
        .skip(2)
        .map(|field| field.parse().expect("a number"));
    Some((
        fields.next().expect("a user"),
        fields.next().expect("a group"),
    ))
}
