//! Cross-site request forgery: where a request came from, and its token.

use sealwax_django::csrf::{Brought, CsrfSecret, FormatError, check_format, check_token};
use sealwax_policy::{OwnHost, TrustedOrigins, origin_verified, referer_verified};
use serde_json::{Value, json};

use crate::store::random;
use crate::wire::{Answer, Args, Failure};

pub(crate) fn mask(args: &Args<'_>) -> Answer {
    let secret = CsrfSecret::parse(args.text("secret")?).map_err(Failure::value)?;
    Ok(json!(secret.mask(&random()?)))
}

pub(crate) fn unmask(args: &Args<'_>) -> Answer {
    let secret = CsrfSecret::parse(args.text("token")?).map_err(Failure::value)?;
    Ok(json!(secret.as_str()))
}

pub(crate) fn format(args: &Args<'_>) -> Answer {
    Ok(match check_format(args.text("token")?) {
        Ok(()) => Value::Null,
        Err(reason) => json!(reason.to_string()),
    })
}

pub(crate) fn matches(args: &Args<'_>) -> Answer {
    let parse = |name: &str| {
        CsrfSecret::parse(args.text(name)?).map_err(|error| match error {
            // Django asserts that the format was checked before.
            FormatError::Length => Failure::new("AssertionError", error),
            FormatError::Characters => Failure::value(error),
        })
    };
    Ok(json!(parse("secret")?.matches(&parse("token")?)))
}

pub(crate) fn origin(args: &Args<'_>) -> Answer {
    let trusted = TrustedOrigins::as_django(args.texts("trusted"));
    let (origin, host) = (args.text("origin")?, args.optional_text("host"));
    let verified = origin_verified(origin, host, args.flag("secure"), &trusted);
    Ok(json!(verified))
}

pub(crate) fn referer(args: &Args<'_>) -> Answer {
    let trusted = TrustedOrigins::as_django(args.texts("trusted"));
    let [domain, host, port] =
        ["cookie_domain", "host", "port"].map(|name| args.optional_text(name));
    // What the other side has not looked up yet is unknown.
    let own = match (domain, host, port) {
        (Some(domain), _, Some(port)) => OwnHost::CookieDomain { domain, port },
        (None, Some(host), _) => OwnHost::Requested(host),
        _ => OwnHost::Unknown,
    };
    Ok(
        match referer_verified(args.optional_text("referer"), own, &trusted) {
            Ok(()) => Value::Null,
            Err(reason) => json!(reason.to_string()),
        },
    )
}

pub(crate) fn token(args: &Args<'_>) -> Answer {
    let brought = Brought {
        secret: args.optional_text("secret"),
        from_session: args.flag("from_session"),
        field: args.optional_text("post").unwrap_or_default(),
        header: args.optional_text("header"),
        header_label: args.text("header_label")?,
    };
    Ok(match check_token(&brought) {
        Ok(()) => Value::Null,
        Err(reason) => json!(reason.to_string()),
    })
}
