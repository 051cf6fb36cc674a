//! Fields that no rule looks at.
//!
//! A driver that writes heads out itself need not put them into a map: they are
//! most fields of most messages. A name that is not listed is judged.

/// Whether no rule looks at, changes or adds a request field of this name, in any case of letters.
///
/// With one exception: where [`Policy::legacy_same_site`](crate::Policy::legacy_same_site) is set,
/// `User-Agent` has to be in the map that [`Exchange::new`](crate::Exchange::new) is given.
#[must_use]
pub fn is_unjudged_in_request(name: &[u8]) -> bool {
    match name.len() {
        3 => is_one_of(name, [b"dnt"]),
        4 => is_one_of(name, [b"from"]),
        5 => is_one_of(name, [b"range"]),
        6 => is_one_of(name, [b"accept", b"pragma"]),
        7 => is_one_of(name, [b"referer", b"sec-gpc"]),
        8 => is_one_of(name, [b"if-match", b"if-range", b"priority"]),
        10 => is_one_of(name, [b"user-agent"]),
        11 => is_one_of(name, [b"traceparent"]),
        12 => is_one_of(name, [b"content-type"]),
        13 => is_one_of(name, [b"cache-control", b"if-none-match", b"authorization"]),
        14 => is_one_of(name, [b"sec-fetch-user"]),
        15 => is_one_of(name, [b"accept-encoding", b"accept-language"]),
        16 => is_one_of(
            name,
            [
                b"sec-ch-ua-mobile",
                b"x-requested-with",
                b"content-encoding",
            ],
        ),
        17 => is_one_of(name, [b"if-modified-since"]),
        18 => is_one_of(name, [b"sec-ch-ua-platform"]),
        19 => is_one_of(name, [b"if-unmodified-since"]),
        25 => is_one_of(name, [b"upgrade-insecure-requests"]),
        _ => false,
    }
}

/// Whether no rule looks at, changes or adds a response field of this name, in any case of letters.
#[must_use]
pub fn is_unjudged_in_response(name: &[u8]) -> bool {
    match name.len() {
        3 => is_one_of(name, [b"age"]),
        4 => is_one_of(name, [b"date", b"etag", b"link"]),
        6 => is_one_of(name, [b"server", b"pragma"]),
        7 => is_one_of(name, [b"expires"]),
        11 => is_one_of(name, [b"retry-after"]),
        12 => is_one_of(name, [b"content-type", b"x-powered-by", b"x-request-id"]),
        13 => is_one_of(
            name,
            [
                b"last-modified",
                b"accept-ranges",
                b"content-range",
                b"server-timing",
            ],
        ),
        16 => is_one_of(
            name,
            [
                b"content-encoding",
                b"content-language",
                b"content-location",
            ],
        ),
        19 => is_one_of(name, [b"content-disposition"]),
        _ => false,
    }
}

/// Whether `name`, a token, is one of `names`, which are letters and hyphens: of these each differs
/// from every other character of a token in more than the bit that tells upper from lower case.
/// Arrays, so that they are compared in a few words instead of letter by letter.
#[inline]
fn is_one_of<const N: usize, const M: usize>(name: &[u8], names: [&[u8; N]; M]) -> bool {
    let Some(name) = name.first_chunk::<N>().filter(|_| name.len() == N) else {
        return false;
    };
    names.iter().any(|known| {
        let pairs = name.iter().zip(known.iter());
        pairs.fold(0, |differ, (ours, theirs)| differ | (ours ^ theirs)) & !0x20 == 0
    })
}
