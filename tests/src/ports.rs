//! Ports that no other test takes at the same time.

use std::fs::File;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

/// The locks of the ports handed out, held until this process ends.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port on loopback that is free now and reserved for this process.
///
/// Binding port 0 and closing it again would not do: the gateway binds with SO_REUSEPORT,
/// so two of them could share one port without an error. A locked file per port keeps
/// parallel test processes apart; the ports lie below the range that the kernel hands out
/// to clients.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 18_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let dir = std::env::temp_dir().join("sealwax-test-ports");
    std::fs::create_dir_all(&dir).expect("a directory for port locks");
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("below 18,000");
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        // 31 is coprime to COUNT: every port comes up once before any comes twice.
        let offset = (u32::from(start) * 97 + u32::from(step) * 31) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset).expect("below 18,000");
        let Ok(lock) = File::create(dir.join(port.to_string())) else {
            continue;
        };
        if lock.try_lock().is_err() || TcpListener::bind(("127.0.0.1", port)).is_err() {
            continue;
        }
        HELD.lock().expect("no poisoned lock").push(lock);
        return port;
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}
