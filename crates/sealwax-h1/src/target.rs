//! The form of a request target (RFC 9112 §3.2).

use crate::Rule;

/// Which of the four forms a request target has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetForm {
    /// A path, perhaps with a query: `/where?q=now`.
    Origin,
    /// An `http` or `https` URL, as it is sent to proxies; every server must accept it.
    Absolute,
    /// `host:port`, with CONNECT only.
    Authority,
    /// `*`, with OPTIONS only.
    Asterisk,
}

/// The form of `target`, whose bytes are known to be those of a target. The host within is not
/// judged beyond being there.
#[inline]
pub(crate) fn form(method: &[u8], target: &[u8]) -> Result<TargetForm, Rule> {
    if method == b"CONNECT" {
        return authority(target);
    }
    match target {
        [b'/', ..] => Ok(TargetForm::Origin),
        b"*" if method == b"OPTIONS" => Ok(TargetForm::Asterisk),
        _ => absolute(target),
    }
}

fn absolute(target: &[u8]) -> Result<TargetForm, Rule> {
    let schemes: [&[u8]; 2] = [b"http://", b"https://"];
    let rest = schemes
        .iter()
        .find_map(|scheme| {
            let (start, rest) = target.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        })
        .ok_or(Rule::TargetForm)?;
    // A backslash ends the authority for browsers (WHATWG URL) and not for RFC 3986.
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'\\'));
    let authority = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
    if authority.contains(&b'@') {
        return Err(Rule::TargetUserinfo);
    }
    if authority.is_empty() || end.is_some_and(|end| rest.get(end) == Some(&b'\\')) {
        return Err(Rule::TargetForm);
    }
    Ok(TargetForm::Absolute)
}

/// uri-host ":" port; an empty or impossible port is to be refused (RFC 9110 §9.3.6).
fn authority(target: &[u8]) -> Result<TargetForm, Rule> {
    if target.contains(&b'@') {
        return Err(Rule::TargetUserinfo);
    }
    let colon = target
        .iter()
        .rposition(|&byte| byte == b':')
        .ok_or(Rule::TargetForm)?;
    let (host, port) = target.split_at(colon);
    let port = port.get(1..).unwrap_or_default();
    let number = std::str::from_utf8(port)
        .ok()
        .filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|port| port.parse::<u16>().ok());
    let bare = host
        .iter()
        .any(|byte| matches!(byte, b'/' | b'?' | b'\\' | b','));
    // Colons belong into brackets, else where the port begins is a guess.
    let bracketed = host.first() == Some(&b'[') && host.last() == Some(&b']');
    let sound = !host.is_empty() && !bare && (bracketed || !host.contains(&b':'));
    if sound && number.is_some_and(|number| number > 0) {
        Ok(TargetForm::Authority)
    } else {
        Err(Rule::TargetForm)
    }
}
