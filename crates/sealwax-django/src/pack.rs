//! Payloads: base64 for URLs, with zlib under it where that is shorter.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use crate::error::UnpackError;

/// What a payload may unpack to where nothing else is asked for: 4 MiB.
pub const UNPACKED_LIMIT: usize = 4 << 20;

/// zlib never makes fewer bytes than this of anything, so that it need not be tried.
const NEVER_SHORTER: usize = 10;

/// Reads base64 with or without padding, since Python pads before it reads.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes as the text that Django's `sign_object` signs: base64 for URLs without padding. With
/// `compress`, zlib (RFC 1950) is tried first and marked by a leading dot where it saves more than
/// one byte.
///
/// ```
/// use sealwax_django::{UNPACKED_LIMIT, pack, unpack};
///
/// assert_eq!(pack(br#"{"a":1}"#, true), "eyJhIjoxfQ");
/// let long = pack(&[b'a'; 400], true);
/// assert!(long.starts_with('.') && long.len() < 40);
/// assert_eq!(unpack(&long, UNPACKED_LIMIT), Ok(vec![b'a'; 400]));
/// ```
#[must_use]
pub fn pack(bytes: &[u8], compress: bool) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4 + 1);
    pack_into(bytes, compress, &mut text);
    text
}

/// The same at the end of a text.
pub(crate) fn pack_into(bytes: &[u8], compress: bool, text: &mut String) {
    let packed = compress.then(|| deflate(bytes)).flatten();
    if packed.is_some() {
        text.push('.');
    }
    URL_SAFE_NO_PAD.encode_string(packed.as_deref().unwrap_or(bytes), text);
}

/// The bytes under zlib, where that saves more than the byte that the dot costs.
fn deflate(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() <= NEVER_SHORTER {
        return None;
    }
    // Level 6 with zlib's header, as Python compresses; the space is what would be worth it, so
    // that the work ends early.
    let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(6, 1, 0));
    let mut packed = vec![0; bytes.len() - 2];
    let (status, _, length) = compress(&mut compressor, bytes, &mut packed, TDEFLFlush::Finish);
    packed.truncate(length);
    (status == TDEFLStatus::Done).then_some(packed)
}

/// The bytes of a text that [`pack`] or Django made.
///
/// # Errors
/// [`UnpackError`]: no base64, no zlib after a dot, or more than `limit` bytes.
pub fn unpack(text: &str, limit: usize) -> Result<Vec<u8>, UnpackError> {
    match text.strip_prefix('.') {
        None => {
            // Three bytes of four characters; the rest is padding or an error.
            if text.len() / 4 * 3 > limit.saturating_add(3) {
                return Err(UnpackError::TooLarge { limit });
            }
            let bytes = LENIENT.decode(text).map_err(|_| UnpackError::Base64)?;
            if bytes.len() > limit {
                return Err(UnpackError::TooLarge { limit });
            }
            Ok(bytes)
        }
        Some(text) => {
            let packed = LENIENT.decode(text).map_err(|_| UnpackError::Base64)?;
            inflate(&packed, limit)
        }
    }
}

/// The output grows as it goes, up to one byte past the limit.
fn inflate(packed: &[u8], limit: usize) -> Result<Vec<u8>, UnpackError> {
    match decompress_to_vec_zlib_with_limit(packed, limit.saturating_add(1)) {
        Ok(bytes) if bytes.len() <= limit => Ok(bytes),
        Ok(_) => Err(UnpackError::TooLarge { limit }),
        Err(error) if error.status == TINFLStatus::HasMoreOutput => {
            Err(UnpackError::TooLarge { limit })
        }
        Err(_) => Err(UnpackError::Zlib),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zlib_is_used_where_it_saves_more_than_the_dot_costs() {
        assert_eq!(pack(b"", true), "");
        assert_eq!(pack(b"abcdefghijklmnop", true), "YWJjZGVmZ2hpamtsbW5vcA");
        assert!(pack(&[b'a'; 60], true).starts_with('.'));
        assert!(!pack(&[b'a'; 60], false).starts_with('.'));
    }

    #[test]
    fn what_python_compressed_is_read() {
        // zlib.compress(b"a" * 400), and the same in base64 with padding.
        for text in [".eJxLTBwFgwkAALzCl5E", ".eJxLTBwFgwkAALzCl5E="] {
            assert_eq!(unpack(text, 400), Ok(vec![b'a'; 400]));
            assert_eq!(unpack(text, 399), Err(UnpackError::TooLarge { limit: 399 }));
        }
        assert_eq!(unpack("YWI=", 9), Ok(b"ab".to_vec()));
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let bomb = pack(&vec![0; 64 << 20], true);
        assert!(bomb.len() < 100_000);
        let limit = UNPACKED_LIMIT;
        assert_eq!(unpack(&bomb, limit), Err(UnpackError::TooLarge { limit }));
        assert_eq!(unpack("YWJj", 2), Err(UnpackError::TooLarge { limit: 2 }));
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let whole = ".eJxLTBwFgwkAALzCl5E";
        for end in 2..whole.len() - 1 {
            let error = unpack(&whole[..end], 400).unwrap_err();
            assert!(matches!(error, UnpackError::Zlib | UnpackError::Base64));
        }
        // The last bytes are Adler-32's (RFC 1950, Section 2.2).
        assert_eq!(unpack(".eJxLTBwFgwkAALzCl5I", 400), Err(UnpackError::Zlib));
        assert_eq!(unpack(".", 9), Err(UnpackError::Zlib));
        assert_eq!(unpack("a b", 9), Err(UnpackError::Base64));
        assert_eq!(unpack("é", 9), Err(UnpackError::Base64));
    }
}
