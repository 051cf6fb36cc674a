//! The security headers of a response, whoever made it.

use http::header::{HeaderMap, HeaderValue, STRICT_TRANSPORT_SECURITY};

use super::{Facts, State};
use crate::When;
use crate::explain::{Action, Change, Recorder, Rule};
use crate::headers::{Present, SecurityFields};
use crate::hsts;

impl<'a> Facts<'a> {
    /// Removes what may not stay, and returns the fields that are missing. `frame_exempt`: the
    /// response is meant to be framed ([`crate::FrameExempt`]).
    pub(super) fn protect<'s>(
        &self,
        headers: &mut HeaderMap,
        frame_exempt: bool,
        state: State<'s>,
        record: &mut Recorder,
    ) -> SecurityFields<'s>
    where
        'a: 's,
    {
        let mut present = Present::of(headers);
        present.frame_options |= frame_exempt;
        let mut missing = SecurityFields::default();
        if self.strict_transport_security(headers, &present, record) {
            missing.strict_transport_security = Some(state.hsts);
        }
        self.policy.headers.fill(headers, &present, &mut missing);
        if record.listens() {
            let applied = self.enforcing();
            missing.visit(|rule, name, value| {
                record.routine(|| {
                    Change::new(rule, Action::Added, name.as_str())
                        .after(value.as_bytes())
                        .applied(applied)
                });
            });
        }
        missing
    }

    /// Whether ours is to be added. The app's own is removed where it can only do harm.
    fn strict_transport_security(
        &self,
        headers: &mut HeaderMap,
        present: &Present,
        record: &mut Recorder,
    ) -> bool {
        let mut report = |rule, action, before: Option<&HeaderValue>| {
            record.routine(|| {
                let change = Change::new(rule, action, STRICT_TRANSPORT_SECURITY.as_str())
                    .applied(self.enforcing());
                match before {
                    Some(value) => change.before(value.as_bytes()),
                    None => change,
                }
            });
        };
        let when = self.policy.hsts.when;
        let memorable = when == When::Always || hsts::may_remember(self.target.domain());
        // RFC 6797 §7.2: never over plain HTTP.
        let own_may_stay = self.route.secure && memorable;
        if !own_may_stay {
            if let Some(own) = headers.remove(STRICT_TRANSPORT_SECURITY) {
                report(Rule::HstsRemoved, Action::Removed, Some(&own));
            } else if self.route.secure && when != When::Never {
                report(Rule::HstsWithheld, Action::Reported, None);
            }
            return false;
        }
        if present.strict_transport_security {
            return false;
        }
        let wanted = match when {
            When::Never => false,
            When::Always => true,
            When::Public => self.connection.publicly_trusted,
        };
        if !wanted && when == When::Public {
            report(Rule::HstsWithheld, Action::Reported, None);
        }
        wanted
    }
}
