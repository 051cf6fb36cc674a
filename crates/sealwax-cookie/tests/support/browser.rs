//! What a browser makes of a `Set-Cookie` field: a second, independent reading of RFC 6265bis,
//! written for clarity, against which the crate is judged. It shares no code with the crate.
#![allow(
    dead_code,
    reason = "not every test that includes this file uses all of it"
)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) partitioned: bool,
    /// 0 None, 1 absent or invalid (nothing that all browsers enforce), 2 Lax, 3 Strict.
    pub(crate) same_site: u8,
    pub(crate) domain: Vec<u8>,
    pub(crate) path: Vec<u8>,
    /// Attributes that only the app cares for, in order.
    pub(crate) others: Vec<Vec<u8>>,
}

/// The cookie as it would be stored for an https origin, or `None` if it is ignored.
pub(crate) fn store(field: &[u8], request_path: &[u8]) -> Option<Stored> {
    if field.iter().any(|b| matches!(b, 0..=8 | 10..=31 | 127)) {
        return None;
    }
    let mut segments = field.split(|b| *b == b';');
    let pair = segments.next()?;
    let mut cookie = Stored {
        same_site: 1,
        ..Stored::default()
    };
    match pair.iter().position(|b| *b == b'=') {
        Some(at) => {
            cookie.name = strip(&pair[..at]);
            cookie.value = strip(&pair[at + 1..]);
        }
        None => cookie.value = strip(pair),
    }
    let mut explicit_path = None;
    for segment in segments {
        let (name, value) = match segment.iter().position(|b| *b == b'=') {
            Some(at) => (
                strip(&segment[..at]).to_ascii_lowercase(),
                strip(&segment[at + 1..]),
            ),
            None => (strip(segment).to_ascii_lowercase(), vec![]),
        };
        let ignored = value.len() > 1024;
        match &name[..] {
            b"secure" => cookie.secure |= !ignored,
            b"httponly" => cookie.http_only |= !ignored,
            b"partitioned" => {
                cookie.partitioned |= !ignored;
                cookie.others.push(segment.to_vec());
            }
            b"samesite" if !ignored => {
                cookie.same_site = match &value.to_ascii_lowercase()[..] {
                    b"none" => 0,
                    b"lax" => 2,
                    b"strict" => 3,
                    _ => 1,
                }
            }
            b"samesite" => {}
            b"domain" if !ignored => cookie.domain = value,
            b"path" if !ignored => explicit_path = Some(value),
            b"path" => {}
            // An empty attribute is nothing; a real one must come through untouched.
            b"" if value.is_empty() => {}
            _ => cookie.others.push(segment.to_vec()),
        }
    }
    if cookie.domain.first() == Some(&b'.') {
        cookie.domain.remove(0);
    }
    cookie.path = match &explicit_path {
        Some(path) if path.first() == Some(&b'/') => path.clone(),
        _ => default_path(request_path),
    };

    let lower = cookie.name.to_ascii_lowercase();
    let host = lower.starts_with(b"__host-");
    let http = lower.starts_with(b"__http-") || lower.starts_with(b"__host-http-");
    let nameless_trick = cookie.name.is_empty()
        && [&b"__host-"[..], b"__secure-", b"__http-"]
            .iter()
            .any(|p| cookie.value.to_ascii_lowercase().starts_with(p));
    let refused = cookie.name.len() + cookie.value.len() > 4096
        || cookie.name.is_empty() && cookie.value.is_empty()
        || nameless_trick
        || !cookie.domain.is_ascii()
        || (host || http || lower.starts_with(b"__secure-")) && !cookie.secure
        || http && !cookie.http_only
        || host && (explicit_path.as_deref() != Some(b"/") || !cookie.domain.is_empty())
        || (cookie.same_site == 0 || cookie.partitioned) && !cookie.secure;
    (!refused).then_some(cookie)
}

/// The bytes without SP and HTAB at both ends.
pub(crate) fn strip(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    while matches!(out.last(), Some(b' ' | b'\t')) {
        out.pop();
    }
    while matches!(out.first(), Some(b' ' | b'\t')) {
        out.remove(0);
    }
    out
}

fn default_path(request_path: &[u8]) -> Vec<u8> {
    let path: Vec<u8> = request_path
        .iter()
        .copied()
        .take_while(|b| *b != b'?')
        .collect();
    if path.first() != Some(&b'/') {
        return b"/".to_vec();
    }
    let last = path.iter().rposition(|b| *b == b'/').unwrap();
    if last == 0 {
        b"/".to_vec()
    } else {
        path[..last].to_vec()
    }
}
