//! Redirects: ours to HTTPS, and the app's to the very URL that was asked for.

use http::header;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, StatusCode};

use super::Facts;
use crate::answer::{Answer, Problem};
use crate::explain::{Action, Change, Recorder, Rule};
use crate::loops::LoopWatch;
use crate::redirect::Verdict;

impl Facts<'_> {
    /// The answer to plain HTTP; `None` forwards the request as it came.
    pub(super) fn redirect_to_https(
        &self,
        request: &Parts,
        record: &mut Recorder,
    ) -> Option<Answer> {
        if self.route.secure || !self.policy.redirect.enabled {
            return None;
        }
        let host = self.target.host();
        let (rule, action, answer) = match self.policy.redirect.judge(request, &host) {
            Verdict::Exempt => {
                record.routine(|| Change::new(Rule::RedirectExempt, Action::Reported, "request"));
                return None;
            }
            Verdict::Refuse(answer) => (Rule::RedirectRefused, Action::Refused, answer),
            Verdict::Redirect(answer) => (Rule::RedirectHttps, Action::Changed, answer),
        };
        let applied = self.enforcing();
        let url = request
            .uri
            .path_and_query()
            .map_or("/", PathAndQuery::as_str);
        record.routine(|| {
            let change = Change::new(rule, action, "request")
                .before(&[b"http://", host.as_str().as_bytes(), url.as_bytes()].concat())
                .applied(applied);
            match answer.headers.get(header::LOCATION) {
                Some(location) => change.after(location.as_bytes()),
                None => change,
            }
        });
        applied.then_some(answer)
    }

    /// The answer instead of a response that sends the client round and round.
    pub(super) fn break_loop(
        &self,
        response: &http::response::Parts,
        loops: &mut LoopWatch,
        now: u64,
        record: &mut Recorder,
    ) -> Option<Answer> {
        if !self.redirects_to_itself(response) || !self.is_loop(response, loops, now) {
            return None;
        }
        let applied = self.enforcing();
        let url = self.url();
        record.notable(|| {
            Change::new(Rule::RedirectLoop, Action::Refused, "response")
                .before(&url)
                .applied(applied)
        });
        applied.then(|| Answer::problem(StatusCode::LOOP_DETECTED, Problem::RedirectLoop))
    }

    /// A GET that is answered with a redirect to the very URL that was asked
    /// for, by either scheme (a redirect to `http` comes back through ours).
    /// One that sets a cookie is a page that wants to see it again, no loop.
    fn redirects_to_itself(&self, response: &http::response::Parts) -> bool {
        if !response.status.is_redirection()
            || !matches!(self.asked.method, Method::GET | Method::HEAD)
            || response.headers.contains_key(header::SET_COOKIE)
        {
            return false;
        }
        let Some(location) = response.headers.get(header::LOCATION) else {
            return false;
        };
        let location = location.as_bytes();
        let url = self
            .asked
            .url
            .as_ref()
            .map_or("/", PathAndQuery::as_str)
            .as_bytes();
        let after_scheme = strip_prefix_ignoring_case(location, b"https:")
            .or_else(|| strip_prefix_ignoring_case(location, b"http:"))
            .unwrap_or(location);
        match after_scheme.strip_prefix(b"//") {
            Some(rest) => {
                let authority = self.target.authority().as_bytes();
                rest.len() == authority.len() + url.len()
                    && rest
                        .get(..authority.len())
                        .is_some_and(|host| host.eq_ignore_ascii_case(authority))
                    && rest.ends_with(url)
            }
            None => after_scheme.len() == location.len() && location == url,
        }
    }

    /// A permanent redirect to itself is one at once: browsers keep it and spin
    /// in their own cache, without ever coming back to be counted.
    fn is_loop(&self, response: &http::response::Parts, loops: &mut LoopWatch, now: u64) -> bool {
        let permanent = matches!(
            response.status,
            StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT
        );
        permanent || loops.is_loop(self.route.client, &[&self.url()], now)
    }

    fn url(&self) -> Vec<u8> {
        let path = self.asked.url.as_ref().map_or("/", PathAndQuery::as_str);
        [
            b"https://",
            self.target.authority().as_bytes(),
            path.as_bytes(),
        ]
        .concat()
    }
}

fn strip_prefix_ignoring_case<'b>(bytes: &'b [u8], prefix: &[u8]) -> Option<&'b [u8]> {
    let (head, rest) = bytes.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}
