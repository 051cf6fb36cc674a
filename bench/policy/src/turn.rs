//! One exchange as the gateway drives it, with everything remembered that a running gateway
//! remembers.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderValue, header, request, response};
use sealwax_policy::{
    AllowedHosts, Connection, Exchange, KnownNames, Learned, Level, LoopWatch, Plan, Policy, State,
    Step, Target, When,
};

use crate::pairs::Pair;
use crate::wire;

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
    /// Where the heads are written.
    out: Vec<u8>,
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
            out: Vec::with_capacity(4096),
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

    /// Both heads are read, judged and written.
    pub(crate) fn judge(&mut self) {
        // An error would have shown in `new`: nothing differs from turn to turn.
        drop(black_box(self.exchange()));
    }

    /// Both heads are read and written: what of [`judge`](Self::judge) is not the policy's.
    pub(crate) fn pass(&mut self) {
        self.out.clear();
        let Ok((request, response)) = self.read() else {
            return;
        };
        wire::write_request(&request, &mut self.out);
        wire::write_response(&response, &mut self.out);
        black_box(&self.out);
    }

    fn read(&self) -> Result<(request::Parts, response::Parts), String> {
        let pair = black_box(&self.pair);
        wire::read_request(&pair.request)
            .zip(wire::read_response(&pair.response))
            .ok_or_else(|| format!("the heads of {:?} cannot be read", pair.name))
    }

    fn exchange(&mut self) -> Result<Done, String> {
        self.out.clear();
        let (mut request, mut response) = self.read()?;
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
        wire::write_request(&request, &mut self.out);
        let Plan::Pass = exchange.response(&mut response, state, &mut self.loops) else {
            return Err("the response was replaced".to_owned());
        };
        wire::write_response(&response, &mut self.out);
        black_box(&self.out);
        Ok(Done {
            request,
            response,
            learned: exchange.finish().learned,
        })
    }
}

struct Done {
    request: request::Parts,
    response: response::Parts,
    learned: Vec<Learned>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs;

    #[test]
    fn both_pairs_are_judged_as_measured() {
        for pair in pairs::all() {
            Turn::new(pair).unwrap();
        }
    }

    #[test]
    fn a_pair_without_the_cookies_is_no_measure() {
        let without = |head: &[u8], name: &str| {
            let text = String::from_utf8(head.to_vec()).unwrap();
            let kept = text.split_inclusive("\r\n");
            kept.filter(|line| !line.starts_with(name))
                .collect::<String>()
                .into_bytes()
        };
        let mut pair = pairs::bench();
        pair.response = without(&pair.response, "set-cookie");
        assert!(Turn::new(pair).is_err());
        let mut pair = pairs::bench();
        pair.request = without(&pair.request, "cookie");
        assert!(Turn::new(pair).is_err());
    }
}
