//! One exchange as the gateway drives it, with everything remembered that a running gateway
//! remembers.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderValue, request, response};
use sealwax_policy::{
    AllowedHosts, Connection, Exchange, KnownNames, Learned, Level, LoopWatch, Plan, Policy, State,
    Step, Target, When, is_unjudged_in_request, is_unjudged_in_response,
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
        let learned = turn.exchange(Fields::InTheMap)?;
        if learned.is_empty() {
            return Err("the first exchange taught no cookie name".to_owned());
        }
        for seen in learned {
            turn.names
                .learn(&seen.name, seen.form, seen.floored, seen.day);
        }
        for fields in [Fields::InTheMap, Fields::Apart] {
            if !turn.exchange(fields)?.is_empty() {
                return Err("a later exchange still taught something".to_owned());
            }
            turn.check()?;
        }
        Ok(turn)
    }

    /// Whether what was written is what the policy is for.
    fn check(&self) -> Result<(), String> {
        let written = String::from_utf8_lossy(&self.out);
        let fields = |name: &str| {
            let lines = written.lines().filter(|line| line.starts_with(name));
            lines.collect::<Vec<_>>().join("\n")
        };
        let sent = fields("cookie: ");
        if sent.contains("__Host-") || !sent.contains("sessionid=") {
            return Err(format!("the app got the cookies {sent:?}"));
        }
        let set = fields("set-cookie: ");
        if set.matches("__Host-").count() != 2 || set.matches("Secure").count() != 2 {
            return Err(format!("the client got the cookies {set:?}"));
        }
        for field in [
            "x-forwarded-proto: https",
            "x-forwarded-host: localhost:8443",
            "x-forwarded-port: 8443",
            "x-forwarded-for: 127.0.0.1",
            "x-real-ip: 127.0.0.1",
            "strict-transport-security: max-age=63072000",
            "x-content-type-options: nosniff",
            "referrer-policy: s",
            "cross-origin-opener-policy: same-origin",
            "x-frame-options: ",
        ] {
            if fields(field).lines().count() != 1 {
                return Err(format!("{field:?} is not there once in:\n{written}"));
            }
        }
        Ok(())
    }

    /// Both heads are read, judged and written. The policy's own fields go into the maps.
    pub(crate) fn judge(&mut self) {
        // An error would have shown in `new`: nothing differs from turn to turn.
        drop(black_box(self.exchange(Fields::InTheMap)));
    }

    /// The same, but fields that no rule looks at stay out of the maps, and the policy's own are
    /// written behind the others: as the gateway does it between HTTP/1.1 and HTTP/1.1.
    pub(crate) fn judge_apart(&mut self) {
        drop(black_box(self.exchange(Fields::Apart)));
    }

    /// Both heads are read and written: what of [`Self::judge`] is not the policy's.
    pub(crate) fn pass(&mut self) {
        self.read_and_write(Fields::InTheMap);
    }

    /// Likewise for [`Self::judge_apart`].
    pub(crate) fn pass_apart(&mut self) {
        self.read_and_write(Fields::Apart);
    }

    fn read_and_write(&mut self, fields: Fields) {
        self.out.clear();
        let Ok((request, response)) = self.read(fields) else {
            return;
        };
        wire::write_request(&request, &mut self.out, |_| ());
        wire::write_response(&response, &mut self.out, |_| ());
        black_box(&self.out);
    }

    fn read(&self, fields: Fields) -> Result<Heads, String> {
        let pair = black_box(&self.pair);
        let passes: [fn(&[u8]) -> bool; 2] = match fields {
            Fields::InTheMap => [|_| false, |_| false],
            Fields::Apart => [is_unjudged_in_request, is_unjudged_in_response],
        };
        wire::read_request(&pair.request, passes[0])
            .zip(wire::read_response(&pair.response, passes[1]))
            .ok_or_else(|| format!("the heads of {:?} cannot be read", pair.name))
    }

    fn exchange(&mut self, fields: Fields) -> Result<Vec<Learned>, String> {
        self.out.clear();
        let (mut request, mut response) = self.read(fields)?;
        let state = State {
            now: NOW,
            names: &self.names,
            hsts: &self.hsts,
        };
        let target =
            Target::read(&request.0).map_err(|rule| format!("refused by {}", rule.id()))?;
        if !self.policy.hosts.allow(target.domain()) {
            return Err("the host is not allowed".to_owned());
        }
        let mut exchange =
            Exchange::new(&self.policy, CONNECTION, target, &request.0, Level::Notable);
        let out = &mut self.out;
        let plan = match fields {
            Fields::InTheMap => {
                let Step::Forward = exchange.request(&mut request.0, state) else {
                    return Err("the request was not forwarded".to_owned());
                };
                wire::write_request(&request, out, |_| ());
                let plan = exchange.response(&mut response.0, state, &mut self.loops);
                wire::write_response(&response, out, |_| ());
                plan
            }
            Fields::Apart => {
                let Ok(()) = exchange.request_apart(&mut request.0, state) else {
                    return Err("the request was not forwarded".to_owned());
                };
                wire::write_request(&request, out, |out| {
                    exchange
                        .route_fields()
                        .for_each(|name, value| wire::write_field(name, value, out));
                });
                let (plan, missing) =
                    exchange.response_apart(&mut response.0, state, &mut self.loops);
                wire::write_response(&response, out, |out| {
                    missing.for_each(|name, value| {
                        wire::write_field(name, value.as_bytes(), out);
                    });
                });
                plan
            }
        };
        black_box(&self.out);
        match plan {
            Plan::Pass => Ok(exchange.finish().learned),
            Plan::Replace(_) => Err("the response was replaced".to_owned()),
        }
    }
}

/// Both heads, each with the lines that are not in its map.
type Heads = (
    (request::Parts, wire::Lines),
    (response::Parts, wire::Lines),
);

/// What becomes of the fields that the policy adds, and of those that no rule looks at.
#[derive(Clone, Copy)]
enum Fields {
    InTheMap,
    Apart,
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
