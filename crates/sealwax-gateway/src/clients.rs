//! Who holds how many connections, over all workers.
//!
//! It is always counted, so that the numbers are right when connections run
//! short: one hash-map operation when a connection is accepted and one when it
//! closes. Measured, on a busy machine and in a test build: 0.14 to 0.36 µs for
//! both. The cheapest handshake of `bench/RESULTS.md` (resumed, with a GET) takes
//! 169 µs of CPU.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Parts of the map, so that workers seldom wait for each other.
const SHARDS: usize = 16;

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address,
/// which is what one household or machine is given (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4(Ipv4Addr),
    V6([u16; 4]),
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Network::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Network::V6([a, b, c, d])
            }
        }
    }
}

/// The open connections of every client.
pub(crate) struct Clients {
    /// Keyed, so that nobody can choose addresses that collide.
    hasher: RandomState,
    shards: [Mutex<HashMap<Network, usize>>; SHARDS],
}

impl Clients {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        })
    }

    /// Counts a connection of the client at `address` for as long as what is
    /// returned lives.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Counted {
        let network = Network::of(address);
        let mut shard = self.shard(&network);
        let held = shard.entry(network).or_default();
        *held += 1;
        Counted {
            clients: Arc::clone(self),
            network,
            held: *held,
        }
    }

    fn shard(&self, network: &Network) -> MutexGuard<'_, HashMap<Network, usize>> {
        let at = self.hasher.hash_one(network) as usize % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "`at` is below SHARDS")]
        let shard = &self.shards[at];
        // A number cannot be left half changed.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection, counted.
pub(crate) struct Counted {
    clients: Arc<Clients>,
    network: Network,
    /// How many its client held when it came, with it.
    held: usize,
}

impl Counted {
    pub(crate) fn held(&self) -> usize {
        self.held
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut shard = self.clients.shard(&self.network);
        if let Entry::Occupied(mut held) = shard.entry(self.network) {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(clients: &Arc<Clients>, address: &str) -> Counted {
        clients.enter(address.parse().unwrap())
    }

    fn known(clients: &Clients) -> usize {
        let shards = clients.shards.iter();
        shards.map(|shard| shard.lock().unwrap().len()).sum()
    }

    #[test]
    fn one_client_is_an_ipv4_address_or_a_64_of_ipv6() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("0.0.0.0", "::", false),
        ] {
            let clients = Clients::new();
            let _first = enter(&clients, one);
            let second = enter(&clients, other);
            assert_eq!(second.held() == 2, same, "{one} and {other}");
        }
    }

    #[test]
    fn who_leaves_is_counted_no_more_and_leaves_nothing_behind() {
        let clients = Clients::new();
        let first = enter(&clients, "192.0.2.1");
        let second = enter(&clients, "192.0.2.1");
        assert_eq!((first.held(), second.held()), (1, 2));
        drop(first);
        assert_eq!(enter(&clients, "192.0.2.1").held(), 2);
        drop(second);
        assert_eq!(known(&clients), 0);
    }

    #[test]
    fn workers_count_together() {
        let clients = Clients::new();
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let clients = Arc::clone(&clients);
                std::thread::spawn(move || {
                    for number in 0..10_000_u32 {
                        drop(clients.enter(Ipv4Addr::from_bits(number % 7).into()));
                    }
                    clients.enter(IpAddr::from([192, 0, 2, 1]))
                })
            })
            .collect();
        let held: Vec<Counted> = workers.into_iter().map(|w| w.join().unwrap()).collect();
        assert_eq!(enter(&clients, "192.0.2.1").held(), 5);
        drop(held);
        assert_eq!(known(&clients), 0);
    }

    #[test]
    #[ignore = "a measurement: cargo test --release -- --ignored --nocapture what_counting"]
    fn what_counting_costs() {
        const TIMES: u32 = 1_000_000;
        let clients = Clients::new();
        let address = |number: u32| IpAddr::from(Ipv4Addr::from_bits(number));
        let crowd: Vec<Counted> = (0..10_000).map(|n| clients.enter(address(n))).collect();
        let began = std::time::Instant::now();
        for number in 0..TIMES {
            drop(std::hint::black_box(
                clients.enter(address(number % 20_000)),
            ));
        }
        println!("{:?} for each connection", began.elapsed() / TIMES);
        drop(crowd);
    }
}
