//! Certificate files under hostile bytes: always an answer, never a panic, and
//! what is accepted is a pair.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;

use proptest::prelude::*;
use sealwax_cert::{CertificateFiles, load};

const NOW: i64 = 1_800_000_000;

proptest! {
    // A pair that does not match is looked at again for 150 ms.
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn damaged_files_end_in_one_clear_message(
        in_key in any::<bool>(),
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        removed in 0_usize..40,
    ) {
        let made = rcgen::generate_simple_self_signed(vec!["app.test".to_owned()]).unwrap();
        let mut cert = made.cert.pem().into_bytes();
        let mut key = made.signing_key.serialize_pem().into_bytes();
        let damaged = if in_key { &mut key } else { &mut cert };
        let start = at.index(damaged.len());
        let end = (start + removed).min(damaged.len());
        damaged.splice(start..end, bytes);

        let dir = tempfile::tempdir().unwrap();
        let files = CertificateFiles {
            cert: dir.path().join("cert.pem"),
            key: dir.path().join("key.pem"),
        };
        fs::write(&files.cert, cert).unwrap();
        fs::write(&files.key, key).unwrap();
        match load(&files, NOW) {
            Ok(loaded) => prop_assert!(loaded.key.keys_match().is_ok()),
            Err(error) => {
                prop_assert!(error.path().starts_with(dir.path()));
                prop_assert!(!error.cause().is_empty() && !error.mend().is_empty());
                prop_assert!(!error.to_string().contains('\n'), "{error}");
            }
        }
    }

    #[test]
    fn damaged_der_inside_sound_pem(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let made = rcgen::generate_simple_self_signed(vec!["app.test".to_owned()]).unwrap();
        let mut der = made.cert.der().to_vec();
        let index = at.index(der.len());
        der[index] = byte;
        let dir = tempfile::tempdir().unwrap();
        let files = CertificateFiles {
            cert: dir.path().join("cert.pem"),
            key: dir.path().join("key.pem"),
        };
        fs::write(dir.path().join("cert.der"), &der).unwrap();
        let base64 = std::process::Command::new("openssl")
            .args(["base64", "-in"])
            .arg(dir.path().join("cert.der"))
            .output()
            .unwrap();
        let body = String::from_utf8(base64.stdout).unwrap();
        fs::write(
            &files.cert,
            format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"),
        )
        .unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        // Served or refused: a byte in the signature is for clients to notice.
        if let Err(error) = load(&files, NOW) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
