//! Payloads: base64 for URLs, with zlib under it where that is shorter.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

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
    // Capacity for what would be worth it, and not a byte more: then the work ends early.
    let mut packed = Vec::with_capacity(bytes.len() - 2);
    let status = Compress::new(Compression::default(), true)
        .compress_vec(bytes, &mut packed, FlushCompress::Finish)
        .ok()?;
    (status == Status::StreamEnd && packed.len() < bytes.len() - 1).then_some(packed)
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

/// Grows the output as it goes, up to `limit` and one byte that tells whether there is more.
fn inflate(packed: &[u8], limit: usize) -> Result<Vec<u8>, UnpackError> {
    let most = limit.saturating_add(1);
    let mut stream = Decompress::new(true);
    let mut bytes = Vec::with_capacity(packed.len().saturating_mul(3).clamp(64, 1 << 16).min(most));
    loop {
        let read = usize::try_from(stream.total_in()).map_err(|_| UnpackError::Zlib)?;
        let status = stream
            .decompress_vec(
                packed.get(read..).unwrap_or_default(),
                &mut bytes,
                FlushDecompress::Finish,
            )
            .map_err(|_| UnpackError::Zlib)?;
        if bytes.len() > limit {
            return Err(UnpackError::TooLarge { limit });
        }
        if status == Status::StreamEnd {
            return Ok(bytes);
        }
        // Neither ended nor out of space: the input ended early.
        if bytes.len() < bytes.capacity() {
            return Err(UnpackError::Zlib);
        }
        bytes.reserve_exact(
            bytes
                .len()
                .clamp(64, 1 << 20)
                .min(most - bytes.len())
                .max(1),
        );
    }
}
