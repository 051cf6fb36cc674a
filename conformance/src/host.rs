//! Scheme and host of a request, by Django's settings.

use http::{HeaderMap, HeaderValue};
use sealwax_policy::{AllowedHosts, Host, HostClaims, SecureProxySslHeader};
use serde_json::json;

use crate::wire::{Answer, Args, Failure};

pub(crate) fn scheme(args: &Args<'_>) -> Answer {
    let tls = args.text("transport")? == "https";
    let secure = match args.texts("setting").as_slice() {
        [name, value] => {
            let setting = SecureProxySslHeader::from_django(name, value).map_err(Failure::bug)?;
            let mut headers = HeaderMap::new();
            if let Some(sent) = args.optional_text("value") {
                let sent = HeaderValue::from_str(sent).map_err(Failure::bug)?;
                headers.insert(&setting.name, sent);
            }
            setting.is_secure(&headers, tls)
        }
        _ => tls,
    };
    Ok(json!(if secure { "https" } else { "http" }))
}

pub(crate) fn get(args: &Args<'_>) -> Answer {
    let x_forwarded_host = args.optional_text("xfh");
    let claims = HostClaims {
        x_forwarded_host: x_forwarded_host.filter(|_| args.flag("use_xfh")),
        host: args.optional_text("host"),
        server: args
            .optional_text("server_name")
            .zip(args.optional_text("port")),
        secure: args.flag("secure"),
    };
    let mut allowed = AllowedHosts::new(args.texts("allowed"));
    if allowed.is_empty() && args.flag("debug") {
        allowed = AllowedHosts::development();
    }
    match claims.host(&allowed) {
        Ok(host) => Ok(json!(host)),
        Err(disallowed) => Err(Failure::new("DisallowedHost", disallowed)),
    }
}

pub(crate) fn split(args: &Args<'_>) -> Answer {
    Ok(match Host::parse(args.text("host")?.as_bytes()) {
        Ok(host) => json!([host.domain(), host.port().unwrap_or_default()]),
        Err(_) => json!(["", ""]),
    })
}
