//! What is left to do when the response comes.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use sealwax_bind::{Bond, DELETE_MARK, REGISTRATION, Thumbprint};
use sealwax_cookie::OpenedCookie;

use super::Bind;
use super::answers::set_cookie;
use super::came::{Came, Fetch};
use crate::explain::{Action, Change, Recorder, Rule, printable};
use crate::policy::Mode;

/// Seconds after which a browser that holds an unbound cookie is offered a session again.
const OFFER_AGAIN: u64 = 60 * 60;

/// What a request that goes to the app means for its response.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    /// The key of a live proof: what the app sets now is bound to it.
    key: Option<Thumbprint>,
    /// A session may be offered: the browser has none.
    may_offer: bool,
    /// And is to be, whatever the app answers.
    offer: bool,
    /// Since it is a page of the login, which is worth more than what caches save.
    born: bool,
    delete_mark: bool,
    /// Bound cookies that the app did not get, and whose place it must not give to new ones.
    kept: Vec<Box<[u8]>>,
    /// In report mode: the keys of bound cookies that came without their proof.
    keys: Vec<(Box<[u8]>, Thumbprint)>,
    now: u64,
}

impl Leaving {
    /// Takes from `came` the cookies that are to be sent again, for `again`. `None`: nothing is.
    pub(crate) fn of(
        bind: &Bind,
        mut came: Came,
        fetch: Fetch,
        path: &str,
        now: u64,
        again: &mut Vec<OpenedCookie>,
    ) -> Option<Self> {
        let key = came.proof.map(|proof| proof.key);
        // Another site's requests come without a proof, session or not; a second one would fight
        // with the first.
        let may_offer = key.is_none() && !came.skipped && !fetch.from_elsewhere;
        let page = fetch.page && fetch.get;
        // Somebody who logs in sends a form, and gets a new cookie. What a page's parts get, or a
        // request that could not be refreshed, is for nobody.
        let not_a_login = match fetch.safe {
            true => came.skipped || !page,
            // Where the pages of the login are named, other forms are none.
            false => came.skipped && bind.tells_logins() && !bind.born_on.find(path),
        };
        let kept = match not_a_login {
            true => std::mem::take(&mut came.withheld),
            false => Vec::new(),
        };
        let keys = match bind.mode {
            Mode::Report => std::mem::take(&mut came.keys),
            Mode::Enforce => Vec::new(),
        };
        let overdue = |offered: u64| offered.saturating_add(OFFER_AGAIN) <= now;
        let again_offered = came.unbound.iter().any(|(_, offered)| overdue(*offered));
        let born = may_offer && page && bind.born_on.find(path);
        let offer = born || may_offer && page && again_offered;
        let delete_mark = came.mark.is_some();
        // Beside a page rarely another request is under way that sets the cookie, whose value must
        // not be overtaken by an older one.
        if page && (key.is_some() || offer) {
            for cookie in came.into_unbound() {
                let name = cookie.contents().name;
                if again.iter().all(|other| other.contents().name != name) {
                    again.push(cookie);
                }
            }
        }
        let nothing =
            key.is_none() && !may_offer && !delete_mark && kept.is_empty() && keys.is_empty();
        (!nothing).then_some(Self {
            key,
            may_offer,
            offer,
            born,
            delete_mark,
            kept,
            keys,
            now,
        })
    }

    /// For the answer to a refresh by `key`.
    pub(super) fn refreshed(key: Thumbprint, now: u64) -> Self {
        Self {
            key: Some(key),
            now,
            ..Self::default()
        }
    }

    /// The note for a cookie that leaves, `before` being the one that it came with. The app sets the
    /// cookie where there is none.
    pub(crate) fn note(
        &mut self,
        name: &[u8],
        before: Option<&[u8]>,
        record: &mut Recorder,
    ) -> Vec<u8> {
        if let Some(bound @ Bond::Bound(_)) = before.and_then(Bond::from_bytes) {
            return bound.to_bytes();
        }
        let came_bound = self.keys.iter().find(|(bound, _)| **bound == *name);
        match self.key.or(came_bound.map(|(_, key)| *key)) {
            Some(key) => {
                record.routine(|| {
                    Change::new(Rule::BindBound, Action::Changed, printable(name))
                        .after(key.short().as_bytes())
                });
                Bond::Bound(key).to_bytes()
            }
            None => {
                self.offer |= self.may_offer && before.is_none();
                let offered = if self.offer { self.now } else { 0 };
                Bond::Unbound { offered }.to_bytes()
            }
        }
    }

    /// Whether the app's `Set-Cookie` for `name` does not leave.
    pub(crate) fn keeps(&self, name: &[u8]) -> bool {
        self.kept.iter().any(|kept| **kept == *name)
    }

    /// Whether the response becomes one browser's, whatever the app says: a page of the login.
    pub(crate) fn is_for_one(&self) -> bool {
        self.born
    }

    /// What is for everybody carries no offer, which is one browser's.
    pub(crate) fn offer_nothing(&mut self) {
        (self.may_offer, self.offer) = (false, false);
    }

    /// The mark has done its work, whatever becomes of the rest.
    pub(crate) fn delete_mark(&mut self, headers: &mut HeaderMap) {
        if std::mem::take(&mut self.delete_mark) {
            set_cookie(headers, DELETE_MARK);
        }
    }

    /// Adds what is ours to the response; returns whether anything is.
    pub(crate) fn finish(
        self,
        bind: &Bind,
        host: &str,
        headers: &mut HeaderMap,
        record: &mut Recorder,
    ) -> bool {
        if !self.offer {
            return false;
        }
        let offer = bind.binder.offer(host, self.now, bind.random());
        if let Ok(offer) = HeaderValue::try_from(offer) {
            record.routine(|| Change::new(Rule::BindOffered, Action::Added, REGISTRATION));
            // The challenge in it is this browser's, and soon over.
            headers.append(HeaderName::from_static(REGISTRATION), offer);
        }
        true
    }
}
