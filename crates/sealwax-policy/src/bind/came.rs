//! What a request brings: a proof, a mark, and what the browser says of itself.

use http::Method;
use http::header::HeaderMap;
use http::request::Parts;
use sealwax_bind::{
    Bond, MARK_COOKIE, Mark, PROOF_COOKIE, Proof, SKIPPED, Skipped, Standing, Thumbprint, Unusable,
};
use sealwax_cookie::{OpenedCookie, Pairing};

use super::{Bind, Fallback};
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::policy::Mode;
use crate::seal::is_for_a_domain;

/// What a browser says about how it came to send a request (W3C Fetch Metadata).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fetch {
    /// Another site, or another host of this one, has started it.
    pub(crate) from_elsewhere: bool,
    /// The page of a window is being loaded.
    pub(crate) page: bool,
    /// By GET.
    pub(crate) get: bool,
    /// By a safe method.
    pub(crate) safe: bool,
    /// The browser is of the Chromium family, the only one that makes proofs.
    pub(crate) chromium: bool,
}

impl Fetch {
    pub(crate) fn of(request: &Parts) -> Self {
        let says =
            |name: &str, value: &str| request.headers.get(name).is_some_and(|sent| sent == value);
        let site = |value| says("sec-fetch-site", value);
        Self {
            from_elsewhere: site("cross-site") || site("same-site"),
            page: says("sec-fetch-mode", "navigate")
                && says("sec-fetch-dest", "document")
                && !request.headers.contains_key("sec-purpose"),
            get: request.method == Method::GET,
            safe: request.method.is_safe(),
            chromium: request.headers.contains_key("sec-ch-ua"),
        }
    }
}

/// What came of binding with a request. It holds credentials, so there is no `Debug`.
#[derive(Default)]
pub(crate) struct Came {
    /// A live proof.
    pub(super) proof: Option<Proof>,
    /// A wish for a fresh one that is not over, and its value.
    pub(super) mark: Option<(Mark, Vec<u8>)>,
    /// The browser says that it could not refresh.
    pub(super) skipped: bool,
    /// The key of a cookie that came with its proof.
    pub(super) proven: Option<Thumbprint>,
    /// A bound cookie came without its proof.
    pub(super) unproven: bool,
    /// In report mode: bound cookies, each with its key, that came with their proof or without.
    pub(super) keys: Vec<(Box<[u8]>, Thumbprint)>,
    /// Those of them that the app does not get.
    pub(super) withheld: Vec<Box<[u8]>>,
    /// Cookies that are bound to nothing yet, and when a session was last offered for them.
    pub(super) unbound: Vec<(OpenedCookie, u64)>,
}

impl Came {
    /// Looks for the cookies that are ours in the lines of the header.
    pub(crate) fn read<'h>(
        bind: &Bind,
        header: impl Iterator<Item = &'h [u8]>,
        skipped: bool,
        host: &str,
        now: u64,
        record: &mut Recorder,
    ) -> Self {
        let mut came = Self {
            skipped,
            ..Self::default()
        };
        let (mut proofs, mut marks) = (0, 0);
        for pair in sealwax_cookie::pairs(header).filter_map(Pairing::good) {
            // The first of several counts, as everywhere.
            if pair.name == PROOF_COOKIE.as_bytes() {
                proofs += 1;
                if proofs > 1 {
                    continue;
                }
                came.proof = match bind.binder.proof(pair.value, host, now) {
                    Ok(proof) => Some(proof),
                    Err(why) => {
                        report(&why, record);
                        None
                    }
                };
            } else if pair.name == MARK_COOKIE.as_bytes() {
                marks += 1;
                if marks > 1 {
                    continue;
                }
                let mark = bind.binder.mark(pair.value, host, now).ok();
                came.mark = mark.map(|mark| (mark, pair.value.to_vec()));
            }
        }
        came
    }

    /// The cookies that are bound to nothing yet.
    pub(crate) fn into_unbound(self) -> impl Iterator<Item = OpenedCookie> {
        self.unbound.into_iter().map(|(cookie, _)| cookie)
    }

    /// What is known of a request without cookies.
    pub(crate) fn without_cookies(headers: &HeaderMap) -> Self {
        Self {
            skipped: Self::is_skipped(headers),
            ..Self::default()
        }
    }

    /// Whether the browser says that it could not refresh. Of an app that has sessions of its own it
    /// says so, too, and that is the app's affair.
    pub(crate) fn is_skipped(headers: &HeaderMap) -> bool {
        let lines = headers.get_all(SKIPPED);
        lines.iter().any(|line| {
            let skipped = Skipped::parse(line.as_bytes());
            // What cannot be read may mean us.
            skipped.map_or(true, |skipped| skipped.iter().any(Skipped::may_be_ours))
        })
    }

    /// Whether `name` is a cookie of ours, which the app never gets.
    pub(crate) fn is_ours(name: &[u8]) -> bool {
        let is = |ours: &str| {
            let ours = ours.as_bytes();
            name == ours || ours.strip_prefix(b"__Host-") == Some(name)
        };
        is(PROOF_COOKIE) || is(MARK_COOKIE)
    }

    /// Whether a sealed cookie with this note belongs to a key.
    pub(crate) fn is_bound(note: &[u8]) -> bool {
        !matches!(Bond::from_bytes(note), Some(Bond::Unbound { .. }))
    }

    /// Whether the app may see `cookie`, by the key that it is bound to.
    pub(crate) fn admit(
        &mut self,
        bind: &Bind,
        name: &[u8],
        cookie: &OpenedCookie,
        record: &mut Recorder,
    ) -> bool {
        // What a version to come has written may be bound.
        let bond = Bond::from_bytes(cookie.contents().note);
        let standing = bond.map_or(Standing::Unproven, |bond| {
            bond.standing(self.proof.as_ref())
        });
        if let (Mode::Report, Some(Bond::Bound(key))) = (bind.mode, bond) {
            self.keys.push((name.into(), key));
        }
        let (rule, key) = match (standing, bond) {
            (Standing::Proven, Some(Bond::Bound(key))) => {
                self.proven = Some(key);
                return true;
            }
            (Standing::Unbound, Some(Bond::Unbound { offered })) => {
                if !self.skipped {
                    // Proofs are for this host alone, and what is for a domain others get, too.
                    if !is_for_a_domain(cookie) {
                        self.unbound.push((cookie.clone(), offered));
                    }
                    return true;
                }
                if bind.fallback == Fallback::Allow {
                    record.notable(|| {
                        Change::new(Rule::BindSkipped, Action::Reported, printable(name))
                    });
                    return true;
                }
                (Rule::BindSkipped, None)
            }
            (Standing::OtherKey, Some(Bond::Bound(key))) => (Rule::BindOtherKey, Some(key)),
            (_, Some(Bond::Bound(key))) => (Rule::BindUnproven, Some(key)),
            _ => (Rule::BindUnproven, None),
        };
        self.unproven |= rule != Rule::BindSkipped;
        let enforcing = bind.mode == Mode::Enforce;
        record.notable(|| {
            let change = Change::new(rule, Action::Removed, printable(name)).applied(enforcing);
            match key {
                Some(key) => change.before(key.short().as_bytes()),
                None => change,
            }
        });
        if enforcing {
            self.withheld.push(name.into());
        }
        !enforcing
    }
}

/// A proof that is over was overtaken; any other that cannot be used was made or moved by hand.
fn report(why: &Unusable, record: &mut Recorder) {
    if matches!(why, Unusable::Expired { .. } | Unusable::UnknownKey(_)) {
        return;
    }
    record.notable(|| {
        Change::new(Rule::BindProofUnusable, Action::Removed, PROOF_COOKIE)
            .before(why.to_string().as_bytes())
    });
}
