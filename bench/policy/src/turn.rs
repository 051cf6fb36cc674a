//! One exchange as the gateway drives it, with everything remembered that a running gateway
//! remembers.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderValue, header};
use sealwax_policy::{
    AllowedHosts, Connection, Exchange, KnownNames, Level, LoopWatch, Plan, Policy, State, Step,
    Target, When,
};

use crate::pairs::Pair;

const NOW: u64 = 1_795_424_400;
const CONNECTION: Connection = Connection {
    peer: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    tls: true,
    publicly_trusted: true,
};

/// A pair of heads and the policy that judges them.
pub(crate) struct Turn {
    pair: Pair,
    policy: Policy,
    names: KnownNames,
    hsts: HeaderValue,
    loops: LoopWatch,
}

impl Turn {
    /// Runs the first exchange, whose learning is not repeated, and checks that the policy does
    /// to the heads what it is measured for.
    pub(crate) fn new(pair: Pair) -> Result<Self, String> {
        let mut policy = Policy::new(AllowedHosts::new(["localhost"]));
        policy.hsts.when = When::Always;
        let mut turn = Self {
            pair,
            policy,
            names: KnownNames::default(),
            hsts: HeaderValue::from_static("max-age=63072000"),
            loops: LoopWatch::default(),
        };
        let learned = turn.exchange()?.learned;
        if learned.is_empty() {
            return Err("the first exchange taught no cookie name".to_owned());
        }
        for seen in learned {
            turn.names
                .learn(&seen.name, seen.form, seen.floored, seen.day);
        }
        let done = turn.exchange()?;
        if !done.learned.is_empty() {
            return Err("the second exchange still taught something".to_owned());
        }
        let cookies = |headers: &http::HeaderMap, name| {
            let lines: Vec<_> = headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            lines.join("\n")
        };
        let sent = cookies(&done.request.headers, header::COOKIE);
        if sent.contains("__Host-") || !sent.contains("sessionid=") {
            return Err(format!("the app got the cookies {sent:?}"));
        }
        let set = cookies(&done.response.headers, header::SET_COOKIE);
        if set.matches("__Host-").count() != 2 || set.matches("Secure").count() != 2 {
            return Err(format!("the client got the cookies {set:?}"));
        }
        Ok(turn)
    }

    /// The timed path.
    pub(crate) fn judge(&mut self) {
        // An error would have shown in `new`: nothing differs from turn to turn.
        drop(black_box(self.exchange()));
    }

    /// What of the timed path is not the policy's.
    pub(crate) fn copy(&mut self) {
        drop(black_box((
            self.pair.request.clone(),
            self.pair.response.clone(),
        )));
    }

    fn exchange(&mut self) -> Result<Done, String> {
        let mut request = black_box(&self.pair).request.clone();
        let mut response = black_box(&self.pair).response.clone();
        let state = State {
            now: NOW,
            names: &self.names,
            hsts: &self.hsts,
        };
        let target = Target::read(&request).map_err(|rule| format!("refused by {}", rule.id()))?;
        if !self.policy.hosts.allow(target.domain()) {
            return Err("the host is not allowed".to_owned());
        }
        let mut exchange =
            Exchange::new(&self.policy, CONNECTION, target, &request, Level::Notable);
        let Step::Forward = exchange.request(&mut request, state) else {
            return Err("the request was not forwarded".to_owned());
        };
        let Plan::Pass = exchange.response(&mut response, state, &mut self.loops) else {
            return Err("the response was replaced".to_owned());
        };
        let finished = exchange.finish();
        Ok(Done {
            request,
            response,
            learned: finished.learned,
        })
    }
}

struct Done {
    request: http::request::Parts,
    response: http::response::Parts,
    learned: Vec<sealwax_policy::Learned>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs;

    #[test]
    fn both_pairs_are_judged_as_measured() {
        for pair in [pairs::bench().unwrap(), pairs::browser().unwrap()] {
            Turn::new(pair).unwrap();
        }
    }

    #[test]
    fn a_pair_without_the_cookies_is_no_measure() {
        let mut pair = pairs::bench().unwrap();
        pair.response.headers.remove(header::SET_COOKIE);
        assert!(Turn::new(pair).is_err());
        let mut pair = pairs::bench().unwrap();
        pair.request.headers.remove(header::COOKIE);
        assert!(Turn::new(pair).is_err());
    }
}
