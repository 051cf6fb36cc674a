//! Whether the public trusts a chain.

use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Whether `chain` leads to one of Mozilla's roots at `now`, for its own first
/// name. Anything that cannot be decided is "no": the question is asked before
/// browsers are told to insist on HTTPS.
pub(super) fn trusted(chain: &[CertificateDer<'_>], names: &[String], now: i64) -> bool {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    verifies(roots, chain, names, now)
}

fn verifies(
    roots: RootCertStore,
    chain: &[CertificateDer<'_>],
    names: &[String],
    now: i64,
) -> bool {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return false;
    };
    let Some(name) = names.first().and_then(|name| concrete(name)) else {
        return false;
    };
    let Ok(now) = u64::try_from(now) else {
        return false;
    };
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
            .build();
    verifier.is_ok_and(|verifier| {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        verifier
            .verify_server_cert(leaf, intermediates, &name, &[], now)
            .is_ok()
    })
}

/// A wildcard is no server name; any label in its place is.
fn concrete(name: &str) -> Option<ServerName<'static>> {
    let name = match name.strip_prefix("*.") {
        Some(parent) => format!("www.{parent}"),
        None => name.to_owned(),
    };
    ServerName::try_from(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    fn chain_of_a_root() -> (RootCertStore, Vec<CertificateDer<'static>>) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let leaf = CertificateParams::new(vec!["*.example.com".to_owned()])
            .unwrap()
            .signed_by(&KeyPair::generate().unwrap(), &root)
            .unwrap();
        let mut store = RootCertStore::empty();
        store.add(root.der().clone()).unwrap();
        (store, vec![leaf.into()])
    }

    #[test]
    fn yes_only_for_a_chain_to_the_roots() {
        let (store, chain) = chain_of_a_root();
        let names = ["*.example.com".to_owned()];
        let now = 1_800_000_000;
        assert!(verifies(store.clone(), &chain, &names, now));
        assert!(!trusted(&chain, &names, now), "Mozilla does not know it");
        assert!(!verifies(
            store.clone(),
            &chain,
            &["other.test".to_owned()],
            now
        ));
        assert!(!verifies(store.clone(), &chain, &[], now));
        assert!(!verifies(store.clone(), &chain, &names, -1));
        assert!(!verifies(store.clone(), &chain, &names, i64::MAX));
        assert!(!verifies(store, &[], &names, now));
    }
}
