//! What the client claims about its route and itself is taken out. What the
//! gateway knows comes in [`crate::route_fields`].

use http::header::{COOKIE, HOST, HeaderMap, HeaderName, HeaderValue};

use crate::claims::{Claim, claim};
use crate::explain::{Action, Change, Recorder, Rule};

/// Which fields the request has, of those that later rules ask for: seen on the way, without a
/// lookup for each.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) host: bool,
    pub(crate) cookie: bool,
}

/// Takes out every header that the client may not send ([`crate::claims`]). A proxy
/// that is trusted may say who the user is; the route is ours to tell.
pub(crate) fn strip(
    headers: &mut HeaderMap,
    allowed: &[HeaderName],
    by_proxy: bool,
    record: &mut Recorder,
) -> Seen {
    let mut seen = Seen::default();
    // Most requests carry none: find out in one pass before changing anything.
    let mut doomed: Vec<(HeaderName, Rule)> = Vec::new();
    for name in headers.keys() {
        // Every request has the first, most have the second, and neither claims anything.
        if *name == HOST {
            seen.host = true;
            continue;
        }
        if *name == COOKIE {
            seen.cookie = true;
            continue;
        }
        let may_stay = |claim| match claim {
            Claim::Route => false,
            Claim::Identity => by_proxy,
            Claim::OddName => allowed.contains(name),
        };
        if let Some(claim) = claim(name.as_str()).filter(|claim| !may_stay(*claim)) {
            doomed.push((name.clone(), claim.rule()));
        }
    }
    for (name, rule) in doomed {
        let change = || {
            let before: Vec<&[u8]> = headers
                .get_all(&name)
                .iter()
                .map(HeaderValue::as_bytes)
                .collect();
            Change::new(rule, Action::Removed, name.as_str()).before(&before.join(&b", "[..]))
        };
        if rule == Rule::HeaderNameDropped {
            record.notable(change);
        } else {
            record.routine(change);
        }
        headers.remove(&name);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Level;

    fn map(names: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for name in names {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_static("1"),
            );
        }
        map
    }

    #[test]
    fn nothing_a_client_says_about_its_route_survives() {
        let claims = [
            "X-Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Forwarded-Port",
            "X-Forwarded-Prefix",
            "X-Forwarded-Scheme",
            "X-Forwarded-Ssl",
            "X-Forwarded-Server",
            "Forwarded",
            "X-Real-IP",
            "True-Client-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "CF-Connecting-IP",
            "Fastly-Client-IP",
            "X-Original-URL",
            "X-Original-Host",
            "X-Rewrite-URL",
            "X-Host",
            "X-Url-Scheme",
            "Front-End-Https",
            "Proxy",
            "X-Sealwax-Anything",
            "Sealwax-Session",
            "X_Forwarded_Proto",
            "X-Forwarded_For",
            "X.Forwarded.Proto",
            "Transfer_Encoding",
            "Client-Ip",
            "X-Original-Forwarded-For",
            "X-ForwardedFor",
            "Proxy-Client-IP",
            "WL-Proxy-Client-IP",
            "HTTP-Client-IP",
            "X-Azure-ClientIP",
            "X-Remote-Addr",
            "X-Scheme",
            "X-Script-Name",
            "X-Envoy-External-Address",
            "X-ARR-SSL",
            "X-HTTPS",
            "Remote-User",
            "X-Remote-User",
            "SSL-Client-Verify",
            "X-SSL-Client-S-Dn",
            "X-Client-Cert",
        ];
        let mut headers = map(&claims);
        let mut record = Recorder::new(Level::All);
        strip(&mut headers, &[], false, &mut record);
        assert!(headers.is_empty(), "{headers:?}");
        assert_eq!(record.changes().len(), claims.len());
    }

    #[test]
    fn everything_else_stays() {
        let names = [
            "accept",
            "user-agent",
            "x-csrftoken",
            "x-requested-with",
            "proxy-authorization",
            "content-type",
            "sec-fetch-site",
            "cookie",
            "x-api-key",
            "traceparent",
            "priority",
            "x-hostname",
        ];
        let mut headers = map(&names);
        strip(&mut headers, &[], false, &mut Recorder::default());
        assert_eq!(headers.len(), names.len());
    }

    #[test]
    fn a_trusted_proxy_may_say_who_the_user_is() {
        let mut headers = map(&["Remote-User", "X-SSL-Client-Verify", "X-Scheme"]);
        strip(&mut headers, &[], true, &mut Recorder::default());
        assert!(headers.contains_key("remote-user") && headers.contains_key("x-ssl-client-verify"));
        assert!(!headers.contains_key("x-scheme"));
    }

    #[test]
    fn an_allowed_odd_name_stays_and_another_is_reported() {
        let mut headers = map(&["x_legacy", "x_other"]);
        let mut record = Recorder::default();
        strip(
            &mut headers,
            &[HeaderName::from_static("x_legacy")],
            false,
            &mut record,
        );
        assert!(headers.contains_key("x_legacy") && !headers.contains_key("x_other"));
        assert_eq!(record.changes()[0].subject, "x_other");
    }
}
