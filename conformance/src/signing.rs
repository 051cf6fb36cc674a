//! Signatures, payloads and the salt of signed cookies.

use sealwax_django::{
    Algorithm, BadSignature, Keys, SecretKey, Signer, TimestampSigner, UNPACKED_LIMIT, base62,
    signed_cookie_salt,
};
use serde_json::{Value, json};

use crate::wire::{Answer, Args, Failure, bytes, from_bytes};

pub(crate) fn signature(args: &Args<'_>) -> Answer {
    let signer = signer(args, keys([args.get("key")])?)?;
    Ok(json!(signer.signature(args.bytes("value")?)))
}

pub(crate) fn sign(args: &Args<'_>) -> Answer {
    let signer = signer(args, keys([args.get("key")])?)?;
    let value = args.text("value")?;
    Ok(json!(match args.flag("stamped") {
        true => TimestampSigner::from(signer).sign(value, args.seconds("now")?),
        false => signer.sign(value),
    }))
}

pub(crate) fn unsign(args: &Args<'_>) -> Answer {
    let signer = signer(args, keys(args.list("keys"))?)?;
    let text = args.text("value")?;
    let value = match args.flag("stamped") {
        true => {
            let max_age = args.optional_seconds("max_age");
            TimestampSigner::from(signer).unsign(text, max_age, args.seconds("now")?)
        }
        false => signer.unsign(text),
    };
    value.map(|value| json!(value)).map_err(|error| {
        let kind = match error {
            BadSignature::Expired { .. } => "SignatureExpired",
            BadSignature::BadTimestamp => "ValueError",
            _ => "BadSignature",
        };
        Failure::new(kind, error)
    })
}

pub(crate) fn pack(args: &Args<'_>) -> Answer {
    let data = args.bytes("data")?;
    Ok(json!(sealwax_django::pack(&data, args.flag("compress"))))
}

pub(crate) fn unpack(args: &Args<'_>) -> Answer {
    let data = sealwax_django::unpack(args.text("text")?, UNPACKED_LIMIT);
    data.map(|data| from_bytes(&data)).map_err(Failure::value)
}

pub(crate) fn base62_encode(args: &Args<'_>) -> Answer {
    Ok(json!(base62::encode(args.number("n")?)))
}

pub(crate) fn base62_decode(args: &Args<'_>) -> Answer {
    let number = base62::decode(args.text("s")?);
    number.map(|number| json!(number)).map_err(Failure::value)
}

pub(crate) fn cookie_salt(args: &Args<'_>) -> Answer {
    Ok(json!(signed_cookie_salt(
        args.text("name")?,
        args.text("salt")?
    )))
}

/// The first key signs, all verify.
fn keys<'a>(values: impl IntoIterator<Item = &'a Value>) -> Result<Keys, Failure> {
    let mut keys = values
        .into_iter()
        .map(|key| SecretKey::new(bytes(key)?).map_err(Failure::value));
    let current = keys.next().ok_or_else(|| Failure::bug("no key"))??;
    let fallbacks: Vec<SecretKey> = keys.collect::<Result<_, _>>()?;
    Ok(Keys::new(current).with_fallbacks(fallbacks))
}

fn signer(args: &Args<'_>, keys: Keys) -> Result<Signer, Failure> {
    let algorithm = Algorithm::from_name(args.text("alg")?);
    let algorithm = algorithm.map_err(|error| Failure::new("InvalidAlgorithm", error))?;
    let signer = Signer::with_algorithm(&keys, args.bytes("salt")?, algorithm);
    match args.optional_text("sep") {
        Some(separator) => signer.with_separator(separator).map_err(Failure::value),
        None => Ok(signer),
    }
}
