//! Strict-Transport-Security (RFC 6797): when it may be sent, and how its
//! lifetime grows.
//!
//! A browser that has once seen HSTS refuses plain HTTP and click-through for
//! `max-age` seconds. A wrong first value therefore hurts for as long as it
//! says; so the lifetime ramps up, and never starts where it could poison
//! `localhost`, an address or a private name.

use http::HeaderValue;

use crate::host;

/// The steps of the ramp, in seconds: 5 minutes, 1 day, 30 days, 2 years.
pub const RAMP: [u64; 4] = [300, 86_400, 2_592_000, 63_072_000];

/// Least `max-age` in seconds that the preload list takes (hstspreload.org).
pub const PRELOAD_MINIMUM: u64 = 31_536_000;

/// Where HSTS is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// Only where the served chain is publicly trusted and the host is a
    /// public name.
    #[default]
    Public,
    /// On every TLS response.
    Always,
    /// Never by us.
    Never,
}

/// The site's HSTS settings. Defaults: 63,072,000 s, with subdomains off,
/// preload off, ramp on, only where public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hsts {
    /// Final `max-age` in seconds; 0 tells browsers to forget (RFC 6797 §6.1.1).
    pub seconds: u64,
    /// Adds `includeSubDomains`.
    pub include_subdomains: bool,
    /// Adds `preload`, once `max-age` has reached [`preload_from`](Self::preload_from).
    pub preload: bool,
    /// Least `max-age` in seconds at which `preload` is claimed: what the list
    /// asks for ([`PRELOAD_MINIMUM`]); 0 claims it always, as Django does.
    pub preload_from: u64,
    /// Grow `max-age` step by step ([`RAMP`]) instead of starting at `seconds`.
    pub ramp: bool,
    /// Where to send it.
    pub when: When,
}

impl Default for Hsts {
    fn default() -> Self {
        Self {
            seconds: 63_072_000,
            include_subdomains: false,
            preload: false,
            preload_from: PRELOAD_MINIMUM,
            ramp: true,
            when: When::Public,
        }
    }
}

/// How far the ramp has come. Kept across restarts by the driver; moves only
/// forward, unless the driver is told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ramp {
    /// Index into [`RAMP`].
    pub step: u8,
    /// Unix time in seconds since when this step has been served with a valid,
    /// publicly trusted certificate; `None` before the first such moment.
    pub since: Option<u64>,
}

impl Ramp {
    /// The ramp after a look at the certificate at `now`: the next step comes
    /// when the current `max-age` has passed with a valid certificate served
    /// throughout; an invalid one starts the wait anew without going back.
    #[must_use]
    pub fn advance(self, now: u64, certificate_valid: bool) -> Self {
        if !certificate_valid {
            return Self {
                since: None,
                ..self
            };
        }
        let Some(since) = self.since else {
            return Self {
                since: Some(now),
                ..self
            };
        };
        let waited = now.saturating_sub(since);
        let last = RAMP.len() - 1;
        match RAMP.get(usize::from(self.step)) {
            Some(step) if waited >= *step && usize::from(self.step) < last => Self {
                step: self.step + 1,
                since: Some(now),
            },
            _ => self,
        }
    }
}

impl Hsts {
    /// What Django's `SECURE_HSTS_SECONDS`, `SECURE_HSTS_INCLUDE_SUBDOMAINS`
    /// and `SECURE_HSTS_PRELOAD` ask for: the whole lifetime from the first
    /// response on, on every secure response; 0 seconds send nothing.
    #[must_use]
    pub fn django(seconds: u64, include_subdomains: bool, preload: bool) -> Self {
        Self {
            seconds,
            include_subdomains,
            preload,
            preload_from: 0,
            ramp: false,
            when: if seconds == 0 {
                When::Never
            } else {
                When::Always
            },
        }
    }

    /// `max-age` in seconds that is sent at this point of the ramp.
    #[must_use]
    pub fn max_age(&self, ramp: Ramp) -> u64 {
        if self.ramp {
            let step = RAMP
                .get(usize::from(ramp.step))
                .copied()
                .unwrap_or(self.seconds);
            self.seconds.min(step)
        } else {
            self.seconds
        }
    }

    /// The field value, with the parameters in Django's order.
    #[must_use]
    pub fn value(&self, ramp: Ramp) -> HeaderValue {
        let max_age = self.max_age(ramp);
        let mut text = format!("max-age={max_age}");
        if self.include_subdomains {
            text.push_str("; includeSubDomains");
        }
        if self.preload && max_age >= self.preload_from {
            text.push_str("; preload");
        }
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("max-age=0"))
    }
}

/// Whether a host may ever be given HSTS: names only (RFC 6797 §8.1.1), and
/// none that is local.
#[must_use]
pub fn may_remember(domain: &str) -> bool {
    !host::is_address(domain) && !host::is_local_name(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_waits_out_each_step() {
        let start = Ramp::default().advance(1000, true);
        assert_eq!(
            start,
            Ramp {
                step: 0,
                since: Some(1000)
            }
        );
        assert_eq!(start.advance(1299, true), start);
        let day = start.advance(1300, true);
        assert_eq!(
            day,
            Ramp {
                step: 1,
                since: Some(1300)
            }
        );
        assert_eq!(day.advance(1300 + 86_399, true).step, 1);
        let month = day.advance(1300 + 86_400, true);
        let years = month.advance(u64::MAX / 2, true);
        assert_eq!(years.step, 3);
        assert_eq!(years.advance(u64::MAX, true), years);
    }

    #[test]
    fn an_invalid_certificate_restarts_the_wait_but_never_goes_back() {
        let at_month = Ramp {
            step: 2,
            since: Some(5),
        };
        let broken = at_month.advance(3_000_000, false);
        assert_eq!(
            broken,
            Ramp {
                step: 2,
                since: None
            }
        );
        let mended = broken.advance(3_000_100, true);
        assert_eq!(
            mended,
            Ramp {
                step: 2,
                since: Some(3_000_100)
            }
        );
    }

    #[test]
    fn a_clock_that_jumps_back_never_advances() {
        let ramp = Ramp {
            step: 1,
            since: Some(1_000_000),
        };
        assert_eq!(ramp.advance(10, true), ramp);
    }

    #[test]
    fn the_value_says_preload_only_when_eligible() {
        let hsts = Hsts {
            include_subdomains: true,
            preload: true,
            ..Hsts::default()
        };
        assert_eq!(
            hsts.value(Ramp::default()),
            "max-age=300; includeSubDomains"
        );
        let end = Ramp {
            step: 3,
            since: None,
        };
        assert_eq!(
            hsts.value(end),
            "max-age=63072000; includeSubDomains; preload"
        );
        let short = Hsts {
            seconds: 60,
            ..Hsts::default()
        };
        assert_eq!(short.value(end), "max-age=60");
        let now = Hsts {
            ramp: false,
            ..Hsts::default()
        };
        assert_eq!(now.value(Ramp::default()), "max-age=63072000");
    }

    #[test]
    fn django_starts_at_once() {
        let hsts = Hsts::django(10, true, true);
        assert_eq!(
            hsts.value(Ramp::default()),
            "max-age=10; includeSubDomains; preload"
        );
        assert_eq!(Hsts::django(0, true, true).when, When::Never);
    }

    #[test]
    fn local_names_and_addresses_are_never_remembered() {
        for name in [
            "localhost",
            "a.localhost",
            "x.test",
            "10.0.0.1",
            "[::1]",
            "db.internal",
        ] {
            assert!(!may_remember(name), "{name}");
        }
        assert!(may_remember("example.com"));
    }
}
