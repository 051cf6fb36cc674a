//! What sealing and opening one cookie costs: Django's session cookie, with a note as long as the
//! name of a key that it is bound to.

use std::hint::black_box;

use sealwax_cookie::{Contents, CookieSeal, KeyRing, SealKey, SetCookie};

use crate::units::Work;

const NOW: i64 = 1_764_000_000;
const HOST: &[u8] = b"app.example.com";
const FIELD: &[u8] =
    b"sessionid=kq3vzn0mk3zsh8r9t7c1k2m4x5b6n7v8; HttpOnly; Max-Age=1209600; Path=/; \
                       SameSite=Lax";
const NONCE: [u8; 12] = *b"twelve bytes";

/// From the app's cookie to the value that the browser gets.
pub(crate) fn sealing() -> Result<Work, String> {
    let (seal, contents) = (seal()?, contents()?);
    Ok(Box::new(move || {
        let value = seal.seal(black_box(&contents), b"__Host-sessionid", black_box(NONCE));
        assert!(black_box(value).is_ok());
    }))
}

/// From what the browser sends to what the app gets.
pub(crate) fn opening() -> Result<Work, String> {
    let (seal, contents) = (seal()?, contents()?);
    let value = seal
        .seal(&contents, b"__Host-sessionid", NONCE)
        .map_err(|error| error.to_string())?;
    Ok(Box::new(move || {
        let opened = seal.open(black_box(value.as_bytes()), b"sessionid", HOST, NOW);
        assert!(opened.is_ok_and(|opened| black_box(opened.contents()).value.len() == 32));
    }))
}

fn contents() -> Result<Contents<'static>, String> {
    let cookie = SetCookie::parse(FIELD).map_err(|error| error.to_string())?;
    Ok(Contents {
        note: &[b'k'; 32],
        ..Contents::of(&cookie, HOST, b"/login/", NOW)
    })
}

/// The second of two keys opens no slower than the first worth speaking of; this uses the first.
fn seal() -> Result<CookieSeal, String> {
    let ring = KeyRing::new(SealKey::new([1; 32]), [SealKey::new([2; 32])])
        .map_err(|error| error.to_string())?;
    Ok(CookieSeal::new(&ring))
}
