//! What the exchanges are played with: a policy, a client, an app.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use sealwax_policy::{
    AllowedHosts, Change, Connection, Exchange, KnownNames, Learned, Level, LoopWatch, Plan,
    Policy, State, Step, Target,
};

pub(crate) static HSTS: HeaderValue = HeaderValue::from_static("max-age=300");
pub(crate) const NOW: u64 = 1_764_000_000;

pub(crate) struct World {
    pub(crate) policy: Policy,
    pub(crate) connection: Connection,
    pub(crate) names: KnownNames,
    pub(crate) loops: LoopWatch,
    pub(crate) loops_apart: LoopWatch,
}

/// What becomes of the fields that the policy adds: it puts them into the map, or the driver does.
#[derive(Clone, Copy)]
pub(crate) enum Fields {
    InTheMap,
    Apart,
}

/// What came of it: `Err` holds the status and headers of our own answer.
pub(crate) struct Seen {
    pub(crate) app: Result<HeaderMap, (u16, HeaderMap)>,
    pub(crate) client: HeaderMap,
    pub(crate) changes: Vec<Change>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            policy: Policy::new(AllowedHosts::new([".example.com", "localhost"])),
            connection: Connection {
                peer: "203.0.113.9".parse().ok(),
                tls: true,
                publicly_trusted: true,
            },
            names: KnownNames::default(),
            loops: LoopWatch::default(),
            loops_apart: LoopWatch::default(),
        }
    }

    pub(crate) fn plain() -> Self {
        let mut world = Self::new();
        world.connection.tls = false;
        world
    }

    /// `request`: first line `METHOD URL`, then headers. `response`: first line
    /// the status, then headers. Both ways to drive an exchange must come to the same.
    pub(crate) fn run(&mut self, request: &str, response: &str) -> Seen {
        let (apart, _) = self.drive(request, response, Fields::Apart);
        let (seen, learned) = self.drive(request, response, Fields::InTheMap);
        assert_eq!(seen.app, apart.app);
        assert_eq!(seen.client, apart.client);
        assert_eq!(seen.changes, apart.changes);
        for learned in learned {
            self.names
                .learn(&learned.name, learned.form, learned.floored, learned.day);
        }
        seen
    }

    pub(crate) fn drive(
        &mut self,
        request: &str,
        response: &str,
        fields: Fields,
    ) -> (Seen, Vec<Learned>) {
        let (line, lines) = request.split_once('\n').unwrap_or((request, ""));
        let (method, url) = line.split_once(' ').expect("METHOD URL");
        let mut parts = Request::builder()
            .method(method)
            .uri(url)
            .body(())
            .expect("request")
            .into_parts()
            .0;
        parts.headers = headers(lines);
        if !parts.headers.contains_key("host") {
            parts
                .headers
                .insert("host", HeaderValue::from_static("app.example.com"));
        }
        let target = Target::read(&parts).expect("a good target");
        let names = self.names.clone();
        let state = State {
            now: NOW,
            names: &names,
            hsts: &HSTS,
        };
        let mut exchange = Exchange::new(&self.policy, self.connection, target, &parts, Level::All);
        let step = match fields {
            Fields::InTheMap => exchange.request(&mut parts, state),
            Fields::Apart => match exchange.request_apart(&mut parts, state) {
                Ok(()) => {
                    exchange.route_fields().for_each(|name, value| {
                        let value = HeaderValue::from_bytes(value).expect("a field value");
                        assert!(!parts.headers.append(name, value), "{name} was there");
                    });
                    Step::Forward
                }
                Err(answer) => Step::Respond(answer),
            },
        };
        let app = match step {
            Step::Forward => Ok(parts.headers),
            Step::Respond(answer) => {
                let mut own = answer.headers;
                exchange.own_response(&mut own, state);
                Err((answer.status.as_u16(), own))
            }
        };
        let (status, lines) = response.split_once('\n').unwrap_or((response, ""));
        let mut answer = Response::builder()
            .status(status.trim())
            .body(())
            .expect("response")
            .into_parts()
            .0;
        answer.headers = headers(lines);
        if app.is_ok() {
            let plan = match fields {
                Fields::InTheMap => exchange.response(&mut answer, state, &mut self.loops),
                Fields::Apart => {
                    let loops = &mut self.loops_apart;
                    let (plan, missing) = exchange.response_apart(&mut answer, state, loops);
                    missing.for_each(|name, value| {
                        let there = answer.headers.append(name, value.clone());
                        assert!(!there, "{name} was there");
                    });
                    plan
                }
            };
            if let Plan::Replace(replaced) = plan {
                answer.headers = replaced.headers;
                answer
                    .headers
                    .insert("x-status", HeaderValue::from(replaced.status.as_u16()));
            }
        }
        let finished = exchange.finish();
        let seen = Seen {
            app,
            client: answer.headers,
            changes: finished.changes,
        };
        (seen, finished.learned)
    }

    pub(crate) fn cookie_for(&mut self, sent: &str) -> String {
        let seen = self.run(&format!("GET /\ncookie: {sent}"), "200");
        seen.app
            .expect("forwarded")
            .get("cookie")
            .map_or(String::new(), text)
    }
}

impl Seen {
    pub(crate) fn set_cookies(&self) -> Vec<String> {
        self.client.get_all("set-cookie").iter().map(text).collect()
    }

    pub(crate) fn rules(&self) -> Vec<&'static str> {
        self.changes.iter().map(|c| c.rule.id()).collect()
    }
}

pub(crate) fn headers(fields: &str) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in fields.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (name, value) = line.split_once(':').expect("name: value");
        let name = HeaderName::from_bytes(name.as_bytes()).expect("name");
        map.append(
            name,
            HeaderValue::from_bytes(value.trim().as_bytes()).expect("value"),
        );
    }
    map
}

pub(crate) fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
