//! What an explanation rests on: the policy, the memory of cookie names, the
//! certificate, the clock. Each is also told, since the answer depends on it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use sealwax_cert::{CertificateFiles, LocalAuthority};
use sealwax_config::{Config, Flags, Site, Tls};
use sealwax_policy::{KnownNames, Ramp};

use super::examine::{self, Circumstances};
use super::message::Message;
use crate::exit::Failure;
use crate::settings::Settings;
use crate::{args, home};

/// Far more than a full memory takes.
const LONGEST_MEMORY: u64 = 4 << 20;

pub(crate) struct Basis {
    sites: Vec<Site>,
    names: KnownNames,
    hsts: HeaderValue,
    publicly_trusted: bool,
    now: u64,
    /// Where the policy comes from.
    pub(crate) policy: String,
    /// The file that the cookie names come from.
    pub(crate) memory: Option<String>,
    certificate: String,
    /// The keys that open and seal cookies, where some are sealed.
    keys: Option<String>,
}

impl Basis {
    pub(crate) fn gather(args: &args::Explain, message: &Message) -> Result<Self, Failure> {
        let (settings, policy, assumed_public) = match &args.config {
            Some(file) => {
                let flags = Flags {
                    environment: args.env.clone(),
                    ..Flags::default()
                };
                (
                    Settings {
                        file: Some(file.clone()),
                        flags,
                    },
                    file.display().to_string(),
                    false,
                )
            }
            None => defaults(message),
        };
        let mut config = settings.load()?.config;
        let keys = keys(&mut config);
        let sites = config.sites;
        let site = examine::site(&sites, message);
        let (names, memory) = memory(args.names.as_deref(), site)?;
        let hsts = site.map(|site| site.policy.hsts.value(Ramp::default()));
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let (publicly_trusted, certificate) = if assumed_public {
            (true, "a publicly trusted certificate is assumed".to_owned())
        } else {
            site.map_or((false, String::new()), |site| certificate(site, now))
        };
        Ok(Self {
            names,
            hsts: hsts.unwrap_or_else(|| HeaderValue::from_static("max-age=0")),
            publicly_trusted,
            now,
            policy,
            memory,
            certificate,
            keys,
            sites,
        })
    }

    pub(crate) fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            sites: &self.sites,
            publicly_trusted: self.publicly_trusted,
            names: &self.names,
            hsts: &self.hsts,
            now: self.now,
        }
    }

    /// What a reader should know, one line each.
    pub(crate) fn facts(&self) -> Vec<String> {
        let memory = match &self.memory {
            Some(file) => format!("cookie names seen: {file}"),
            None => "cookie names seen: none yet".to_owned(),
        };
        let mut facts = vec![format!("policy: {}", self.policy), memory];
        if !self.certificate.is_empty() {
            facts.push(format!("certificate: {}", self.certificate));
        }
        if let Some(keys) = &self.keys {
            facts.push(format!("keys: {keys}"));
        }
        facts
    }
}

/// Without a file: the defaults for the host of the URL. A local name gets the
/// listeners of `sealwax serve`; a public one the usual ports, and what no
/// machine can know without its certificate, that this is publicly trusted.
fn defaults(message: &Message) -> (Settings, String, bool) {
    let host = message.host.trim_end_matches('.').to_ascii_lowercase();
    let local = LocalAuthority::covers(&host).is_ok();
    let mut flags = Flags {
        to: vec!["http://127.0.0.1:8000".to_owned()],
        hosts: vec![host.clone()],
        ..Flags::default()
    };
    if !local {
        flags.http = Some("0.0.0.0:80".to_owned());
        flags.https = Some("0.0.0.0:443".to_owned());
        flags.cert = Some("certificate.pem".to_owned());
        flags.key = Some("key.pem".to_owned());
    }
    (
        Settings { file: None, flags },
        format!("the defaults, for {host}"),
        !local,
    )
}

/// The names that `--names` or, without it, the gateway's own memory holds.
fn memory(
    given: Option<&Path>,
    site: Option<&Site>,
) -> Result<(KnownNames, Option<String>), Failure> {
    let own = match (given, site) {
        (Some(_), _) | (_, None) => None,
        // A machine without a home has no memory either.
        (None, Some(site)) => home::directory()
            .ok()
            .map(|home| home.join("sites").join(format!("{}.names", site.name))),
    };
    let Some(path) = given.or(own.as_deref()) else {
        return Ok((KnownNames::default(), None));
    };
    let place = path.display().to_string();
    let size = fs::metadata(path).map(|facts| facts.len());
    let text = match size.and_then(|size| {
        if size > LONGEST_MEMORY {
            Err(ErrorKind::FileTooLarge.into())
        } else {
            fs::read_to_string(path)
        }
    }) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && given.is_none() => {
            return Ok((KnownNames::default(), None));
        }
        Err(error) => {
            return Err(Failure::unable(
                place,
                format!("the cookie names cannot be read: {error}"),
                "name a file with --names",
            ));
        }
    };
    let names = KnownNames::from_text(&text).map_err(|error| {
        Failure::unable(
            &place,
            format!("the cookie names cannot be read: {error}"),
            "remove the file; the names are learned again",
        )
    })?;
    Ok((names, Some(place)))
}

/// Lets the sites seal and open cookies, if their keys can be had.
fn keys(config: &mut Config) -> Option<String> {
    if config.sites.iter().all(|site| site.seal.is_empty()) {
        return None;
    }
    let Ok(home) = home::directory() else {
        return Some("none, so nothing is sealed or opened here: there is no home".to_owned());
    };
    Some(match sealwax_gateway::seal_sites(config, &home) {
        Ok(ids) => format!("{} seals", ids.join(", then ")),
        Err(error) => format!(
            "none, so nothing is sealed or opened here: {}",
            error.cause()
        ),
    })
}

fn certificate(site: &Site, now: u64) -> (bool, String) {
    match &site.tls {
        Tls::Local => (false, "from the local authority".to_owned()),
        Tls::Files { cert, key } => {
            let files = CertificateFiles {
                cert: cert.clone(),
                key: key.clone(),
            };
            // Unix time fits an i64 for the next 292 billion years.
            match sealwax_cert::load(&files, i64::try_from(now).unwrap_or(i64::MAX)) {
                Ok(loaded) if loaded.publicly_trusted => {
                    (true, format!("{}, publicly trusted", cert.display()))
                }
                Ok(_) => (false, format!("{}, not publicly trusted", cert.display())),
                Err(error) => (
                    true,
                    format!(
                        "assumed to be publicly trusted ({}: {})",
                        error.place(),
                        error.cause()
                    ),
                ),
            }
        }
        Tls::Off => (false, "none: TLS ends at a proxy in front".to_owned()),
    }
}
