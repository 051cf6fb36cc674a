//! One exchange, and all that came of it in words.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use sealwax_cookie::{Form, KnownNames, NameRule, NameRules, SameSite};
use sealwax_policy::{
    AllowedHosts, Connection, Exchange, Headers, Level, LoopWatch, Mode, Plan, Policy, State,
    Target, TrustedProxies, When,
};

static HSTS: HeaderValue = HeaderValue::from_static("max-age=300");

/// What comes in from both sides. Fields that HTTP forbids are left out.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) first_line: String,
    pub(crate) request: Vec<(String, Vec<u8>)>,
    pub(crate) status: u16,
    pub(crate) response: Vec<(String, Vec<u8>)>,
    pub(crate) tls: bool,
    /// Unix time in days.
    pub(crate) day: u32,
}

impl Scene {
    pub(crate) fn new(first_line: &str) -> Self {
        Self {
            first_line: first_line.to_owned(),
            request: vec![("host".into(), b"app.example.com".to_vec())],
            status: 200,
            response: Vec::new(),
            tls: true,
            day: 20_780,
        }
    }

    /// The outcome of the exchange, the same for every [`Level`].
    pub(crate) fn play(&self, policy: &Policy, names: &KnownNames) -> String {
        let (mut all, changes) = self.play_at(policy, names, Level::All);
        let (notable, few) = self.play_at(policy, names, Level::Notable);
        assert_eq!(all, notable, "{self:?}");
        let expected: Vec<_> = changes.iter().filter(|change| change.notable).collect();
        assert!(expected.into_iter().eq(&few), "{self:?}");
        for change in changes {
            writeln!(all, "{change:?}").expect("strings grow");
        }
        all
    }

    fn play_at(
        &self,
        policy: &Policy,
        names: &KnownNames,
        level: Level,
    ) -> (String, Vec<sealwax_policy::Change>) {
        let mut out = String::new();
        let (method, url) = self.first_line.split_once(' ').expect("METHOD URL");
        let request = Request::builder().method(method).uri(url).body(());
        let mut request = request.expect("a request").into_parts().0;
        request.headers = map(&self.request);
        let target = match Target::read(&request) {
            Ok(target) => target,
            Err(rule) => return (format!("refused: {rule}\n"), Vec::new()),
        };
        let connection = Connection {
            peer: "203.0.113.9".parse().ok(),
            tls: self.tls,
            publicly_trusted: true,
        };
        let state = State {
            now: u64::from(self.day) * 86_400,
            names,
            hsts: &HSTS,
        };
        let mut exchange = Exchange::new(policy, connection, target, &request, level);
        if let Err(mut answer) = exchange.request_apart(&mut request, state) {
            exchange.own_response(&mut answer.headers, state);
            writeln!(out, "answered {}", answer.status).expect("strings grow");
            write_map(&mut out, &answer.headers);
            return (out, exchange.finish().changes);
        }
        write_map(&mut out, &request.headers);
        exchange.route_fields().for_each(|name, value| {
            writeln!(out, "+{name}: {}", value.escape_ascii()).expect("strings grow");
        });
        let mut response = Response::new(()).into_parts().0;
        response.status = self.status.try_into().expect("a status");
        response.headers = map(&self.response);
        let mut loops = LoopWatch::default();
        let (plan, missing) = exchange.response_apart(&mut response, state, &mut loops);
        let plan = match plan {
            Plan::Pass => "passed",
            Plan::Replace(_) => "replaced",
        };
        writeln!(out, "{plan} {}", response.status).expect("strings grow");
        write_map(&mut out, &response.headers);
        missing.for_each(|name, value| writeln!(out, "+{name}: {value:?}").expect("strings grow"));
        let finished = exchange.finish();
        writeln!(out, "{:?}", finished.learned).expect("strings grow");
        (out, finished.changes)
    }
}

fn map(fields: &[(String, Vec<u8>)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value),
        ) {
            headers.append(name, value);
        }
    }
    headers
}

fn write_map(out: &mut String, headers: &HeaderMap) {
    for (name, value) in headers {
        writeln!(out, "{name}: {}", value.as_bytes().escape_ascii()).expect("strings grow");
    }
}

/// Policies that differ in what they do about cookies.
pub(crate) fn policies() -> Vec<Policy> {
    let with = |change: fn(&mut Policy)| {
        let mut policy = Policy::new(AllowedHosts::new(["app.example.com"]));
        change(&mut policy);
        policy
    };
    let rule = |name: &str| NameRule {
        name: name.into(),
        ..NameRule::default()
    };
    let mut ruled = with(|_| ());
    ruled.cookies = NameRules {
        migrate: true,
        rules: vec![
            NameRule {
                same_site: Some(SameSite::None),
                ..rule("sessionid")
            },
            NameRule {
                http_only: Some(false),
                ..rule("csrftoken")
            },
            NameRule {
                http_only: Some(true),
                ..rule("sid")
            },
            NameRule {
                prefix: Some(false),
                ..rule("PHPSESSID")
            },
            NameRule {
                prefix: Some(true),
                ..rule("XSRF-TOKEN")
            },
        ],
        ..NameRules::default()
    };
    vec![
        with(|_| ()),
        with(|policy| policy.mode = Mode::Report),
        with(|policy| policy.cookies.prefix = false),
        with(|policy| {
            policy.headers = Headers::django();
            policy.cookies.harden_all = true;
            policy.cookies.same_site = Some(SameSite::Strict);
            policy.cookies.readable = vec!["csrftoken".into(), "theme".into()];
            policy.cookies.rename_domain = vec!["sid".into(), "sessionid".into()];
        }),
        ruled,
        with(|policy| {
            policy.legacy_same_site = true;
            policy.hsts.when = When::Always;
            policy.proxies = TrustedProxies::new(vec!["203.0.113.0/24".parse().expect("a range")]);
            policy.odd_header_names = vec![HeaderName::from_static("x_odd")];
            policy.cookies.same_site = None;
        }),
    ]
}

/// Nothing, and a few names that left in each form.
pub(crate) fn memories() -> Vec<KnownNames> {
    let mut memories = vec![KnownNames::default()];
    for form in Form::ALL {
        let mut known = KnownNames::default();
        for (name, day) in [
            ("sid", 20_779),
            ("sessionid", 20_780),
            ("__Host-own", 20_780),
            ("a", 20_780),
        ] {
            known.learn(name.as_bytes(), form, form == Form::Host, day);
        }
        memories.push(known);
    }
    memories
}
