//! Cookies that are bound to a device, at the two moments of an exchange.

use http::StatusCode;
use http::header;
use http::request::Parts;

use super::{Exchange, Facts, State};
use crate::answer::Answer;
use crate::bind::{self, Bind, Came, Fetch, Leaving};
use crate::cookies;
use crate::explain::Rule;

impl<'a> Facts<'a> {
    /// What cookies are bound by, while anything is to be changed. Over plain HTTP too, where a
    /// bound cookie has no business.
    pub(super) fn bind(&self) -> Option<&'a Bind> {
        self.policy.bind.as_ref().filter(|_| self.enforcing())
    }
}

impl Exchange<'_> {
    /// The answer to give instead of asking the app; or notes down what the response must know.
    pub(super) fn bound(
        &mut self,
        bind: &Bind,
        came: Option<Box<Came>>,
        request: &Parts,
        state: State<'_>,
    ) -> Option<Answer> {
        let Self { facts, record, .. } = self;
        let host = facts.target.domain();
        let now = state.now;
        if !facts.route.secure {
            return None;
        }
        let came = came.unwrap_or_else(|| Came::without_cookies(&request.headers).into());
        if let Some((mut answer, leaving)) = bind::answer(bind, &came, request, host, now, record) {
            if let Some(mut leaving) = leaving {
                // The request that waits for this refresh has the bound cookie already.
                let context = cookies::Context {
                    policy: facts.policy,
                    asked: &facts.asked,
                    host,
                    secure: facts.route.secure,
                    status: StatusCode::OK,
                    state,
                };
                for cookie in came.into_unbound() {
                    let leaving = Some(&mut leaving);
                    let again = cookies::send_again(&context, &cookie, leaving, false, record);
                    let again = again.map(|field| (header::SET_COOKIE, field));
                    answer.headers.extend(again);
                }
            }
            // Whoever is on the way to a proof has none.
            record.settle(Rule::BindUnproven);
            return Some(answer);
        }
        if !facts.enforcing() {
            return None;
        }
        let (fetch, path) = (Fetch::of(request), request.uri.path());
        if let Some(answer) = bind::judge(bind, &came, request, fetch, host, now, record) {
            return Some(answer);
        }
        let again = &mut self.cookies.again;
        self.cookies.bind = Leaving::of(bind, *came, fetch, path, now, again).map(Box::new);
        None
    }
}
