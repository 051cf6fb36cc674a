//! The bytes of [`Contents`] under the seal. The table is at [`CookieSeal`](super::CookieSeal).

use std::ops::Range;

use super::contents::{Attributes, Contents, Scope};
use super::sealer::Unsealed;
use crate::same_site::SameSite;

/// The first byte. Another layout gets another one.
const LAYOUT: u8 = 1;
/// Times have five bytes: that does for 34,865 years.
const MAX_TIME: i64 = (1 << 40) - 1;
/// Layout, flags and two times.
const FIXED: usize = 1 + 1 + 5 + 5;

const SAME_SITE: u8 = 0b11;
const SECURE: u8 = 1 << 2;
const HTTP_ONLY: u8 = 1 << 3;
const PARTITIONED: u8 = 1 << 4;
const PERSISTENT: u8 = 1 << 5;
const DOMAIN: u8 = 1 << 6;
const HAS_PATH: u8 = 1 << 7;

/// The fields that have a length in front of them, in their order.
const FIELDS: usize = 5;

fn fields<'c>(contents: &'c Contents<'_>) -> [&'c [u8]; FIELDS] {
    let (Scope::Domain(host) | Scope::Host(host)) = contents.scope;
    [
        contents.name,
        host,
        contents.attributes.path.unwrap_or_default(),
        &contents.attributes.others,
        contents.note,
    ]
}

/// How many bytes `contents` become.
pub(super) fn length(contents: &Contents<'_>) -> usize {
    let fields = fields(contents).map(|field| length_of_length(field.len()) + field.len());
    FIXED + fields.iter().sum::<usize>() + contents.value.len()
}

/// Writes `contents`.
pub(super) fn write(contents: &Contents<'_>, to: &mut Unsealed) {
    to.push(LAYOUT);
    to.push(flags(contents));
    for time in [contents.issued, contents.expires] {
        let [_, _, _, bytes @ ..] = time.clamp(0, MAX_TIME).to_be_bytes();
        to.extend(&bytes);
    }
    for field in fields(contents) {
        write_length(field.len(), to);
        to.extend(field);
    }
    to.extend(contents.value);
}

fn flags(contents: &Contents<'_>) -> u8 {
    let attributes = &contents.attributes;
    let same_site = match attributes.same_site {
        None => 0,
        Some(SameSite::None) => 1,
        Some(SameSite::Lax) => 2,
        Some(SameSite::Strict) => 3,
    };
    [
        (attributes.secure, SECURE),
        (attributes.http_only, HTTP_ONLY),
        (attributes.partitioned, PARTITIONED),
        (attributes.persistent, PERSISTENT),
        (matches!(contents.scope, Scope::Domain(_)), DOMAIN),
        (attributes.path.is_some(), HAS_PATH),
    ]
    .into_iter()
    .filter(|(is, _)| *is)
    .fold(same_site, |flags, (_, flag)| flags | flag)
}

/// Where everything lies in the bytes of a [`Contents`].
#[derive(Clone)]
pub(super) struct Layout {
    flags: u8,
    issued: i64,
    expires: i64,
    fields: [Range<usize>; FIELDS],
    value: usize,
}

impl Layout {
    /// Finds everything in `raw`, which begins with the layout at `start`. `None` for another
    /// layout, of a version to come.
    pub(super) fn read(raw: &[u8], start: usize) -> Option<Self> {
        let [layout, flags, times @ ..] = raw.get(start..)?.first_chunk::<FIXED>()?;
        if *layout != LAYOUT {
            return None;
        }
        let [a, b, c, d, e, f, g, h, i, j] = *times;
        let time = |[a, b, c, d, e]: [u8; 5]| i64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        let mut at = start + FIXED;
        let mut fields: [Range<usize>; FIELDS] = Default::default();
        for field in &mut fields {
            let length = read_length(raw, &mut at)?;
            let end = at.checked_add(length).filter(|end| *end <= raw.len())?;
            *field = at..end;
            at = end;
        }
        Some(Self {
            flags: *flags,
            issued: time([a, b, c, d, e]),
            expires: time([f, g, h, i, j]),
            fields,
            value: at,
        })
    }

    /// The contents that lie so in `raw`.
    pub(super) fn contents<'a>(&self, raw: &'a [u8]) -> Contents<'a> {
        let is = |flag| self.flags & flag != 0;
        let [name, host, path, others, note] = self
            .fields
            .clone()
            .map(|field| raw.get(field).unwrap_or_default());
        Contents {
            name,
            value: raw.get(self.value..).unwrap_or_default(),
            scope: match is(DOMAIN) {
                true => Scope::Domain(host),
                false => Scope::Host(host),
            },
            issued: self.issued,
            expires: self.expires,
            attributes: Attributes {
                path: is(HAS_PATH).then_some(path),
                secure: is(SECURE),
                http_only: is(HTTP_ONLY),
                same_site: match self.flags & SAME_SITE {
                    0 => None,
                    1 => Some(SameSite::None),
                    2 => Some(SameSite::Lax),
                    _ => Some(SameSite::Strict),
                },
                partitioned: is(PARTITIONED),
                persistent: is(PERSISTENT),
                others: others.into(),
            },
            note,
        }
    }
}

/// Seven bits a byte, the lowest first; all but the last byte have the eighth bit set (LEB128).
fn write_length(mut length: usize, to: &mut Unsealed) {
    loop {
        // Seven bits are a byte.
        let low = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            return to.push(low);
        }
        to.push(low | 0x80);
    }
}

fn length_of_length(length: usize) -> usize {
    let bits = usize::BITS - length.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}

fn read_length(raw: &[u8], at: &mut usize) -> Option<usize> {
    let mut length = 0usize;
    for shift in [0, 7, 14, 21] {
        let byte = *raw.get(*at)?;
        *at += 1;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(contents: &Contents<'_>) -> Vec<u8> {
        let mut to = Unsealed::with_capacity(0);
        write(contents, &mut to);
        to.plain().to_vec()
    }

    const BARE: Contents<'_> = Contents {
        name: b"sid",
        value: b"abc",
        scope: Scope::Host(b"a.test"),
        issued: 1,
        expires: 0x01_0203_0405,
        attributes: Attributes {
            path: Some(b"/"),
            secure: true,
            http_only: false,
            same_site: Some(SameSite::Lax),
            partitioned: false,
            persistent: false,
            others: std::borrow::Cow::Borrowed(&[]),
        },
        note: b"n",
    };

    #[test]
    fn the_layout_stays_as_it_is() {
        assert_eq!(
            written(&BARE),
            b"\x01\x86\0\0\0\0\x01\x01\x02\x03\x04\x05\x03sid\x06a.test\x01/\0\x01nabc"
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let long = [b'x'; 20_000];
        for size in [0, 1, 127, 128, 16_383, 16_384, 20_000] {
            let contents = Contents {
                note: &long[..size],
                scope: Scope::Domain(&long[..size]),
                ..BARE
            };
            let bytes = written(&contents);
            assert_eq!(bytes.len(), length(&contents));
            let layout = Layout::read(&bytes, 0).unwrap();
            assert!(layout.contents(&bytes) == contents, "{size}");
        }
    }

    #[test]
    fn times_are_kept_within_five_bytes() {
        for (time, kept) in [
            (-1, 0),
            (i64::MIN, 0),
            (1 << 40, MAX_TIME),
            (i64::MAX, MAX_TIME),
        ] {
            let contents = Contents {
                issued: time,
                ..BARE
            };
            let bytes = written(&contents);
            assert_eq!(Layout::read(&bytes, 0).unwrap().issued, kept);
        }
    }

    #[test]
    fn another_layout_and_broken_ones_are_not_read() {
        let bytes = written(&BARE);
        for end in 0..bytes.len() - BARE.value.len() {
            assert!(Layout::read(&bytes[..end], 0).is_none(), "{end}");
        }
        for (at, byte) in [(0, 2), (12, 0xff), (16, 0xff)] {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            assert!(Layout::read(&bytes, 0).is_none(), "{at}");
        }
    }
}
