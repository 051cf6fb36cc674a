//! A Redis server of a test's own.

use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{Process, free_port};

/// A Redis server with a directory and a port of its own, ended with the handle.
///
/// It is set up as the documentation asks: append-only, written down before it answers.
pub struct Redis {
    process: Option<Process>,
    directory: TempDir,
    port: u16,
}

impl Redis {
    /// Starts a server without data.
    ///
    /// # Panics
    /// When Redis is not installed or does not start; the message carries its log.
    pub async fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("sealwax-redis-")
            .tempdir()
            .expect("a temporary directory");
        let mut server = Self {
            process: None,
            directory,
            port: free_port(),
        };
        server.start_again().await;
        server
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
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
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .arg("--dir")
            .arg(self.directory.path())
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--maxmemory-policy", "noeviction", "--save", ""]);
        let mut process = Process::start("redis", &mut command);
        let ready = |line: &str| line.contains("Ready to accept connections");
        process.wait_for_line("its readiness", 30, ready).await;
        self.process = Some(process);
    }

    /// Ends it in an orderly way.
    pub async fn stop(&mut self) {
        self.end(Signal::TERM).await;
    }

    /// Kills it with SIGKILL, as a crash would end it.
    pub async fn kill(&mut self) {
        self.end(Signal::KILL).await;
    }

    async fn end(&mut self, signal: Signal) {
        if let Some(mut process) = self.process.take() {
            process.signal(signal);
            process.wait(30).await;
        }
    }

    /// Runs one command with redis-cli and answers what it prints.
    ///
    /// # Panics
    /// When redis-cli cannot be run.
    #[must_use]
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(arguments)
            .output()
            .expect("redis-cli runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}
