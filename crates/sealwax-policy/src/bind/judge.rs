//! What becomes of a request that the app does not get as it is.

use http::StatusCode;
use http::request::Parts;
use http::uri::PathAndQuery;
use sealwax_bind::Mark;

use super::Bind;
use super::answers;
use super::came::{Came, Fetch};
use crate::answer::Answer;
use crate::explain::{Action, Change, Recorder, Rule};
use crate::policy::Mode;

/// The answer to give instead of asking the app, if any.
pub(crate) fn judge(
    bind: &Bind,
    came: &Came,
    request: &Parts,
    fetch: Fetch,
    host: &str,
    now: u64,
    record: &mut Recorder,
) -> Option<Answer> {
    if fetch.from_elsewhere {
        // Browsers refresh for no request of another site: it says nothing of a thief.
        record.settle(Rule::BindUnproven);
    }
    let path = request.uri.path();
    let (rule, answer) = match bind.age_on(path) {
        Some(age) if came.is_stale(age, now) => (
            Rule::BindFresh,
            came.ask_again(bind, request, fetch, host, now),
        ),
        _ if came.must_reload(bind, path, fetch) => (Rule::BindReload, answers::reload(None)),
        _ => return None,
    };
    if answer.status != StatusCode::FORBIDDEN {
        // Whoever has the key is asked again, and will have proven it then.
        record.settle(Rule::BindUnproven);
    }
    let enforcing = bind.mode == Mode::Enforce;
    record.routine(|| {
        let url = request
            .uri
            .path_and_query()
            .map_or("/", PathAndQuery::as_str);
        Change::new(rule, Action::Refused, "request")
            .before(url.as_bytes())
            .applied(enforcing)
    });
    enforcing.then_some(answer)
}

impl Came {
    /// Whether a bound cookie came, and no proof that is young enough for it.
    fn is_stale(&self, age: u64, now: u64) -> bool {
        match (&self.proof, self.proven) {
            (Some(proof), Some(_)) => {
                let asked = self.wish().is_some_and(|wish| proof.mark == Some(wish.id));
                // "At most 0 seconds" has nothing to do with the clock.
                !asked && (age == 0 || proof.age(now) > age)
            }
            // Without the mark it is an ordinary request without a proof.
            _ => self.unproven && (self.wish().is_some() || self.skipped),
        }
    }

    /// The wish for a fresh proof of the key that was proven, if one was. Another key's is none: no
    /// refresh would fulfil it.
    fn wish(&self) -> Option<&Mark> {
        let mark = self.mark.as_ref().map(|(mark, _)| mark)?;
        self.proven
            .is_none_or(|key| key == mark.key)
            .then_some(mark)
    }

    fn ask_again(
        &self,
        bind: &Bind,
        request: &Parts,
        fetch: Fetch,
        host: &str,
        now: u64,
    ) -> Answer {
        let repeats = fetch.page && (fetch.get || !fetch.from_elsewhere);
        match (self.proven, self.wish()) {
            _ if self.skipped => answers::no_fresh_proof(),
            // Browsers refresh for no part of another host's page: that would end the proof, cost
            // one of the few signatures, and come to the same.
            _ if fetch.from_elsewhere && !repeats => answers::no_fresh_proof(),
            // The browser was asked and has refreshed beside it: the proof that was wished for is
            // on its way, and a new wish would be one too late again.
            (Some(_), Some(_)) => answers::again(request, None),
            (Some(key), None) => {
                let (_, mark) = bind.binder.make_mark(host, key, now, bind.random());
                answers::again(request, Some(mark))
            }
            // A chain of redirects is refreshed once, and this one was: a new chain must begin.
            (None, Some(wish)) if repeats => answers::reload(Some(&wish.id)),
            (None, _) => answers::no_fresh_proof(),
        }
    }

    /// Browsers do not refresh for a link on another site. The same request by our own page they
    /// refresh first.
    fn must_reload(&self, bind: &Bind, path: &str, fetch: Fetch) -> bool {
        // Nobody else's visitors are kept waiting.
        let born = fetch.chromium && self.proof.is_none() && bind.born_on.find(path);
        let waits = self.unproven || born;
        waits && fetch.from_elsewhere && fetch.page && fetch.get && !self.skipped
    }
}
