//! Gives a site's policy what it seals and binds cookies with.

use std::path::Path;

use sealwax_config::Config;
use sealwax_cookie::KeyRing;
use sealwax_policy::{Bind, Policy, Seal};

use crate::error::StartError;
use crate::secret::{self, Missing};

/// Lets every site of `config` seal and bind its cookies with the keys that a gateway would use,
/// for whoever asks what it would do. Returns the short names of the keys, the sealing one first;
/// none where nothing is sealed. No file is written.
///
/// # Errors
/// There are no keys, or they cannot be read; the sites are as they were then.
pub fn seal_sites(config: &mut Config, home: &Path) -> Result<Vec<String>, StartError> {
    let Some(ring) = secret::open(config, home, Missing::Refuse)? else {
        return Ok(Vec::new());
    };
    for site in &mut config.sites {
        set(&mut site.policy, &ring, &site.seal, site.bind.as_ref());
    }
    Ok(ring.ids().map(|id| id.to_string()).collect())
}

pub(crate) fn set(
    policy: &mut Policy,
    ring: &KeyRing,
    seal: &[String],
    bind: Option<&sealwax_config::Bind>,
) {
    if seal.is_empty() {
        return;
    }
    policy.set_seal(Seal::new(ring, seal, random));
    if let Some(bind) = bind {
        policy.set_bind(bound(ring, bind));
    }
}

/// For nonces. The system has randomness once it has started; were there none, a nonce of zeros would
/// tell no more than that two values are equal (RFC 8452).
fn random(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        tracing::error!(target: "sealwax", %error, "the system gives no randomness; look at /dev/urandom");
    }
}

fn bound(ring: &KeyRing, bind: &sealwax_config::Bind) -> Bind {
    let lifetime = bind.lifetime;
    let fresh = bind.fresh.iter().cloned();
    let rules = Bind::new(ring, &bind.cookies, lifetime, random)
        .born_on(bind.born_on.clone())
        .fallback(bind.fallback)
        .mode(bind.mode);
    fresh.fold(rules, |rules, (paths, age)| {
        rules.fresh(paths, age.as_secs())
    })
}
