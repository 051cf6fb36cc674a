//! An exchange while its app works, for a driver that cannot keep a borrow of the policy that long.

use super::{Asked, Connection, Exchange, Facts, Learned, Recorder, RequestCookies, Route, Target};
use crate::policy::Policy;

/// An [`Exchange`] without its policy: plain data, to be kept until the response comes.
///
/// A future that owns the policy in an `Arc` cannot also hold what borrows from it.
#[derive(Debug)]
pub struct Paused {
    connection: Connection,
    target: Target,
    route: Route,
    asked: Asked,
    has_host: bool,
    cookies: RequestCookies,
    learned: Vec<Learned>,
    record: Recorder,
}

impl Exchange<'_> {
    /// Lets go of the policy, until [`Paused::resume`].
    #[must_use]
    pub fn pause(self) -> Paused {
        Paused {
            connection: self.facts.connection,
            target: self.facts.target,
            route: self.facts.route,
            asked: self.facts.asked,
            has_host: self.has_host,
            cookies: self.cookies,
            learned: self.learned,
            record: self.record,
        }
    }
}

impl Paused {
    /// Goes on. `policy` is the one that the exchange began with.
    #[must_use]
    pub fn resume(self, policy: &Policy) -> Exchange<'_> {
        Exchange {
            facts: Facts {
                policy,
                connection: self.connection,
                target: self.target,
                route: self.route,
                asked: self.asked,
            },
            has_host: self.has_host,
            cookies: self.cookies,
            learned: self.learned,
            record: self.record,
        }
    }
}
