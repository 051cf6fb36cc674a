//! A gateway in a process of its own: its memory and its descriptors are nobody
//! else's. The test file needs a test `gateway`, ignored, that calls [`serve`].

use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::Client;

const CONFIG: &str = "SEALWAX_KIT_CONFIG";
const FILES: &str = "SEALWAX_KIT_FILES";

pub struct Apart {
    child: Child,
    /// It may have more to say, and would end if it could not.
    _said: Lines<BufReader<ChildStdout>>,
    pub http: SocketAddr,
    pub https: SocketAddr,
    pub home: PathBuf,
}

/// Serves until standard input ends.
pub fn serve() {
    if let Some(files) = std::env::var(FILES)
        .ok()
        .map(|files| files.parse().unwrap())
    {
        let few = Rlimit {
            current: Some(files),
            maximum: Some(files),
        };
        setrlimit(Resource::Nofile, few).unwrap();
    }
    let running = super::start(&std::env::var(CONFIG).unwrap());
    let home = running.home.path().display();
    println!("\nready {} {} {home}", running.http, running.https);
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

impl Apart {
    /// `config` as for [`super::start`]; `files` is the limit of open files.
    pub fn start(config: &str, files: Option<u64>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "gateway", "--ignored", "--nocapture"])
            .env(CONFIG, config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(files) = files {
            command.env(FILES, files.to_string());
        }
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = said.find_map(|line| Some(line.unwrap().strip_prefix("ready ")?.to_owned()));
        let ready = ready.unwrap();
        let mut parts = ready.split(' ');
        let mut next = || parts.next().unwrap();
        Self {
            child,
            http: next().parse().unwrap(),
            https: next().parse().unwrap(),
            home: next().into(),
            _said: said,
        }
    }

    pub fn tls(&self) -> Client {
        Client::tls_at(self.https, &self.home, "localhost")
    }

    /// Resident bytes.
    pub fn memory(&self) -> usize {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * rustix::param::page_size()
    }

    /// Open descriptors.
    pub fn files(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        files.unwrap().count()
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The child cannot do it any more.
        let _ = std::fs::remove_dir_all(&self.home);
    }
}
