//! Redirect and security headers: each answer is what the `Exchange`, the very
//! machine of the gateway and the tower layers, makes of a request or response
//! under a policy with Django's values.

use http::{HeaderName, HeaderValue, Request, Response};
use sealwax_policy::{
    AllowedHosts, Connection, Exchange, FrameExempt, Headers, Hsts, KnownNames, Level, LoopWatch,
    Paths, Plan, Policy, Ramp, Redirect, RedirectHost, State, Step, Target,
};
use serde_json::{Map, Value, json};

use crate::wire::{Answer, Args, Failure, is_true};

/// Stands for the host until the other side has been asked for it.
const ANY_HOST: &str = "host.invalid";

pub(crate) fn request(args: &Args<'_>) -> Answer {
    let mut policy = policy(&args.settings()?)?;
    // Only the redirect is asked for: a secure request is never redirected.
    policy.hsts = Hsts::django(0, false, false);
    let host = args.optional_text("host");
    let head = Request::get(args.text("full_path")?)
        .header("host", host.unwrap_or(ANY_HOST))
        .body(())
        .map_err(Failure::bug)?;
    let (mut head, ()) = head.into_parts();
    let mut exchange = exchange(&policy, args.flag("secure"), &head)?;
    let names = KnownNames::default();
    let hsts = policy.hsts.value(Ramp::default());
    match exchange.request(&mut head, state(&names, &hsts)) {
        Step::Forward => Ok(Value::Null),
        Step::Respond(_)
            if host.is_none() && policy.redirect.host == RedirectHost::RequestedWithPort =>
        {
            Ok(json!({ "need_host": true }))
        }
        Step::Respond(answer) => match answer.headers.get("location").map(HeaderValue::to_str) {
            Some(Ok(location)) => Ok(json!({ "location": location })),
            _ => Err(Failure::bug("refused instead of redirected")),
        },
    }
}

pub(crate) fn response(args: &Args<'_>) -> Answer {
    let mut policy = policy(&args.settings()?)?;
    policy.headers.x_frame_options = None;
    let mut response = Response::new(());
    for name in args.texts("have") {
        let name = HeaderName::try_from(name).map_err(Failure::bug)?;
        let theirs = HeaderValue::from_static("theirs");
        response.headers_mut().insert(name, theirs);
    }
    added(&policy, args.flag("secure"), response)
}

pub(crate) fn x_frame_options(args: &Args<'_>) -> Answer {
    let mut policy = Policy::new(AllowedHosts::new(["*"]));
    policy.hsts = Hsts::django(0, false, false);
    policy.headers = Headers {
        content_type_nosniff: false,
        referrer_policy: None,
        cross_origin_opener_policy: None,
        x_frame_options: Headers::frame_options(args.text("value")?),
    };
    let mut response = Response::new(());
    if args.flag("present") {
        let theirs = HeaderValue::from_static("theirs");
        response.headers_mut().insert("x-frame-options", theirs);
    }
    if args.flag("exempt") {
        response.extensions_mut().insert(FrameExempt);
    }
    let added = added(&policy, true, response)?;
    Ok(added.get("x-frame-options").cloned().unwrap_or(Value::Null))
}

/// The headers that the exchange adds to a response.
fn added(policy: &Policy, secure: bool, response: Response<()>) -> Answer {
    let (head, ()) = Request::get("/")
        .header("host", ANY_HOST)
        .body(())
        .map_err(Failure::bug)?
        .into_parts();
    let mut exchange = exchange(policy, secure, &head)?;
    let before = response.headers().clone();
    let (mut response, ()) = response.into_parts();
    let names = KnownNames::default();
    let hsts = policy.hsts.value(Ramp::default());
    let mut loops = LoopWatch::default();
    match exchange.response(&mut response, state(&names, &hsts), &mut loops) {
        Plan::Pass => {}
        Plan::Replace(_) => return Err(Failure::bug("the response was replaced")),
    }
    let added = response.headers.iter();
    let added = added.filter(|(name, _)| !before.contains_key(*name));
    let added: Map<String, Value> = added
        .map(|(name, value)| {
            (
                name.to_string(),
                json!(String::from_utf8_lossy(value.as_bytes())),
            )
        })
        .collect();
    Ok(added.into())
}

fn exchange<'p>(
    policy: &'p Policy,
    tls: bool,
    head: &http::request::Parts,
) -> Result<Exchange<'p>, Failure> {
    let connection = Connection {
        peer: None,
        tls,
        publicly_trusted: false,
    };
    let target = Target::read(head).map_err(|rule| Failure::bug(rule.reason()))?;
    Ok(Exchange::new(
        policy,
        connection,
        target,
        head,
        Level::Notable,
    ))
}

fn state<'s>(names: &'s KnownNames, hsts: &'s HeaderValue) -> State<'s> {
    State {
        now: 0,
        names,
        hsts,
    }
}

/// The policy that Django's settings ask for.
fn policy(settings: &Args<'_>) -> Result<Policy, Failure> {
    let mut policy = Policy::new(AllowedHosts::new(["*"]));
    policy.redirect = Redirect {
        enabled: settings.flag("SECURE_SSL_REDIRECT"),
        host: match settings.optional_text("SECURE_SSL_HOST") {
            Some(host) if !host.is_empty() => RedirectHost::Fixed(host.into()),
            _ => RedirectHost::RequestedWithPort,
        },
        exempt: Paths::new(settings.texts("SECURE_REDIRECT_EXEMPT")).map_err(Failure::value)?,
        ..Redirect::default()
    };
    policy.hsts = Hsts::django(
        settings.get("SECURE_HSTS_SECONDS").as_u64().unwrap_or(0),
        settings.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS"),
        settings.flag("SECURE_HSTS_PRELOAD"),
    );
    let opener = settings.optional_text("SECURE_CROSS_ORIGIN_OPENER_POLICY");
    policy.headers = Headers {
        content_type_nosniff: settings.flag("SECURE_CONTENT_TYPE_NOSNIFF"),
        referrer_policy: match settings.get("SECURE_REFERRER_POLICY") {
            Value::String(policy) => Headers::referrer_policies([policy]),
            list if is_true(list) => {
                Headers::referrer_policies(settings.texts("SECURE_REFERRER_POLICY"))
            }
            _ => None,
        },
        cross_origin_opener_policy: match opener {
            Some(policy) if !policy.is_empty() => {
                Some(HeaderValue::from_str(policy).map_err(Failure::value)?)
            }
            _ => None,
        },
        x_frame_options: None,
    };
    Ok(policy)
}
