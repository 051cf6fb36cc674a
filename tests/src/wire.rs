//! A reader of HTTP/1.1 that shares nothing with the gateway and forgives nothing.
//!
//! It judges what the gateway sends, to the app and to the client. Both must be in the one
//! form that nobody can read in two ways, so this reader knows no other: no lone CR or LF,
//! no space that the grammar leaves to the recipient, no chunk extension, no length with a
//! leading zero.

use std::fmt;

/// What the bytes so far are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// One message, and how many bytes it took.
    Whole(Message, usize),
    /// The beginning of a message.
    Partial,
    /// No message, whatever may follow.
    Bad(String),
}

/// A request or response. Text holds one character per byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The three parts of the start line.
    pub start: [String; 3],
    /// Names as sent, and values.
    pub fields: Vec<(String, String)>,
    /// The content, unchunked.
    pub body: Vec<u8>,
    /// The trailer section.
    pub trailers: Vec<(String, String)>,
    /// Whether only the end of the connection ended it.
    pub until_close: bool,
}

impl Message {
    /// A request's method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.start[0]
    }

    /// A request's target.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.start[1]
    }

    /// A response's status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.start[1].parse().unwrap_or_default()
    }

    /// Every value of a field.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        values(&self.fields, name)
    }
}

/// Reads a request as the gateway may send it to an app.
#[must_use]
pub fn request(bytes: &[u8]) -> Read {
    settle(bytes, |bytes| {
        let (mut message, mut at) = head(bytes)?;
        let [method, target, version] = &message.start;
        require(is_token(method), || format!("method {method:?}"))?;
        require(
            (target.starts_with('/') || target == "*")
                && target.chars().all(|c| c.is_ascii_graphic() && c != '#'),
            || format!("target {target:?}"),
        )?;
        require(version == "HTTP/1.1", || format!("version {version:?}"))?;
        require(message.all("host").len() == 1, || {
            format!("{} Host fields", message.all("host").len())
        })?;
        // RFC 3875 §4.1.18 and PHP fold both into `_` of another field's name.
        let folded = message
            .fields
            .iter()
            .find(|(name, _)| name.contains(['_', '.']));
        require(folded.is_none(), || format!("the field {folded:?}"))?;
        match framing(&message)? {
            Framing::Chunked => chunked(bytes, &mut at, &mut message)?,
            Framing::Length(length) => sized(bytes, &mut at, &mut message, length)?,
            Framing::None => {}
        }
        Ok((message, at))
    })
}

/// Reads a response as the gateway may send it to a client that asked with HEAD or not;
/// `closed`: no more bytes will come.
#[must_use]
pub fn response(bytes: &[u8], to_head: bool, closed: bool) -> Read {
    settle(bytes, |bytes| {
        let (mut message, mut at) = head(bytes)?;
        let [version, status, _] = &message.start;
        require(version == "HTTP/1.1" || version == "HTTP/1.0", || {
            format!("version {version:?}")
        })?;
        require(
            status.len() == 3 && (100..600).contains(&message.status()),
            || format!("status {status:?}"),
        )?;
        let status = message.status();
        let framing = framing(&message)?;
        if status < 200 || status == 204 {
            require(framing == Framing::None, || format!("{status} with a body"))?;
            return Ok((message, at));
        }
        if to_head || status == 304 {
            return Ok((message, at));
        }
        match framing {
            Framing::Chunked => chunked(bytes, &mut at, &mut message)?,
            Framing::Length(length) => sized(bytes, &mut at, &mut message, length)?,
            Framing::None if closed => {
                message.until_close = true;
                message.body = bytes[at..].to_vec();
                at = bytes.len();
            }
            Framing::None => return Err(Stop::Partial),
        }
        Ok((message, at))
    })
}

enum Stop {
    Partial,
    Bad(String),
}

fn settle(bytes: &[u8], read: impl Fn(&[u8]) -> Result<(Message, usize), Stop>) -> Read {
    match read(bytes) {
        Ok((message, taken)) => Read::Whole(message, taken),
        Err(Stop::Partial) => Read::Partial,
        Err(Stop::Bad(what)) => Read::Bad(what),
    }
}

fn require(holds: bool, what: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds {
        Ok(())
    } else {
        Err(Stop::Bad(what()))
    }
}

fn bad<T>(what: impl fmt::Display) -> Result<T, Stop> {
    Err(Stop::Bad(what.to_string()))
}

/// One line without its CR LF.
fn line<'b>(bytes: &'b [u8], at: &mut usize) -> Result<&'b [u8], Stop> {
    let rest = &bytes[*at..];
    let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return Err(Stop::Partial);
    };
    match rest.get(end..end + 2) {
        None if rest[end] == b'\r' => Err(Stop::Partial),
        Some(b"\r\n") => {
            *at += end + 2;
            Ok(&rest[..end])
        }
        _ => bad(format!("a lone CR or LF after {:?}", text(&rest[..end]))),
    }
}

fn head(bytes: &[u8]) -> Result<(Message, usize), Stop> {
    let mut at = 0;
    let start = text(line(bytes, &mut at)?);
    let mut parts = start.splitn(3, ' ').map(str::to_owned);
    let start = [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default);
    let fields = fields(bytes, &mut at)?;
    let message = Message {
        start,
        fields,
        ..Message::default()
    };
    Ok((message, at))
}

fn fields(bytes: &[u8], at: &mut usize) -> Result<Vec<(String, String)>, Stop> {
    let mut fields = Vec::new();
    loop {
        let line = text(line(bytes, at)?);
        if line.is_empty() {
            return Ok(fields);
        }
        let Some((name, value)) = line.split_once(':') else {
            return bad(format!("a line without a colon: {line:?}"));
        };
        require(is_token(name), || format!("the name {name:?}"))?;
        let value = value.strip_prefix(' ').unwrap_or(value);
        require(
            value.trim_matches([' ', '\t']) == value
                && value.chars().all(|c| c == '\t' || !c.is_ascii_control()),
            || format!("the value {value:?} of {name}"),
        )?;
        fields.push((name.to_owned(), value.to_owned()));
    }
}

#[derive(PartialEq)]
enum Framing {
    None,
    Length(usize),
    Chunked,
}

fn framing(message: &Message) -> Result<Framing, Stop> {
    let lengths = message.all("content-length");
    match (&message.all("transfer-encoding")[..], &lengths[..]) {
        ([], []) => Ok(Framing::None),
        (["chunked"], []) => Ok(Framing::Chunked),
        ([], [length]) => {
            let canonical = length.bytes().all(|byte| byte.is_ascii_digit())
                && (*length == "0" || !length.starts_with('0'));
            match length.parse() {
                Ok(length) if canonical => Ok(Framing::Length(length)),
                _ => bad(format!("Content-Length {length:?}")),
            }
        }
        (codings, lengths) => bad(format!(
            "Transfer-Encoding {codings:?} with Content-Length {lengths:?}"
        )),
    }
}

fn sized(bytes: &[u8], at: &mut usize, message: &mut Message, length: usize) -> Result<(), Stop> {
    let end = at.checked_add(length);
    let body = end
        .and_then(|end| bytes.get(*at..end))
        .ok_or(Stop::Partial)?;
    message.body = body.to_vec();
    *at += length;
    Ok(())
}

fn chunked(bytes: &[u8], at: &mut usize, message: &mut Message) -> Result<(), Stop> {
    loop {
        let size = text(line(bytes, at)?);
        let number = usize::from_str_radix(&size, 16);
        let canonical = size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(size) = number.ok().filter(|_| canonical) else {
            return bad(format!("the chunk size {size:?}"));
        };
        if size == 0 {
            message.trailers = fields(bytes, at)?;
            return Ok(());
        }
        let data = bytes.get(*at..*at + size).ok_or(Stop::Partial)?;
        message.body.extend_from_slice(data);
        *at += size;
        match bytes.get(*at..*at + 2) {
            Some(b"\r\n") => *at += 2,
            None if b"\r\n".starts_with(&bytes[*at..]) => return Err(Stop::Partial),
            _ => return bad("no CR LF after a chunk"),
        }
    }
}

fn values<'m>(fields: &'m [(String, String)], name: &str) -> Vec<&'m str> {
    fields
        .iter()
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect()
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// One character per byte.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n";

    #[test]
    fn a_good_request_is_whole_at_its_last_byte_and_not_before() {
        for end in 0..GOOD.len() {
            assert_eq!(request(&GOOD.as_bytes()[..end]), Read::Partial, "{end}");
        }
        let more = format!("{GOOD}GET");
        let Read::Whole(message, taken) = request(more.as_bytes()) else {
            panic!("{:?}", request(more.as_bytes()));
        };
        assert_eq!((taken, &message.body[..]), (GOOD.len(), &b"abc"[..]));
        assert_eq!((message.method(), message.target()), ("POST", "/a?b"));
        assert_eq!(message.trailers, [("X".to_owned(), "y".to_owned())]);
    }

    #[test]
    fn whatever_could_be_read_in_two_ways_is_bad() {
        for (from, to) in [
            ("\r\nHost", "\nHost"),
            ("Host: a", "Host : a"),
            ("Host: a", "Host:  a"),
            ("Host: a", "Host: a "),
            ("Host: a", "Host: a\0"),
            ("Host: a", "Host: a\r\n b"),
            ("Host: a", "Host: a\r\nHost: a"),
            ("Host: a", "Host: a\r\nX_Y: a"),
            ("Host: a", "Host: a\r\nContent-Length: 3"),
            ("chunked", "Chunked"),
            ("chunked", "gzip, chunked"),
            ("Transfer-Encoding: chunked", "Content-Length: 03"),
            ("Transfer-Encoding: chunked", "Content-Length: +3"),
            ("\r\n3\r\n", "\r\n3;a\r\n"),
            ("\r\n3\r\n", "\r\n0x3\r\n"),
            ("\r\n3\r\n", "\r\n2\r\n"),
            ("\r\n3\r\n", "\r\n3\n"),
            ("/a?b", "/a b"),
            ("/a?b", "/a#b"),
            ("/a?b", "a"),
            ("HTTP/1.1", "HTTP/1.0"),
        ] {
            let bytes = GOOD.replacen(from, to, 1);
            assert!(
                matches!(request(bytes.as_bytes()), Read::Bad(_)),
                "{bytes:?}: {:?}",
                request(bytes.as_bytes())
            );
        }
    }

    #[test]
    fn a_response_ends_by_its_length_its_chunks_its_status_or_the_connection() {
        let whole = |text: &str, to_head, closed| match response(text.as_bytes(), to_head, closed) {
            Read::Whole(message, taken) => Some((message.body, taken == text.len())),
            _ => None,
        };
        let open = "HTTP/1.1 200 OK\r\n\r\nab";
        assert_eq!(whole(open, false, false), None);
        assert_eq!(whole(open, false, true), Some((b"ab".to_vec(), true)));
        let sized = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc";
        assert_eq!(whole(sized, false, true), Some((b"ab".to_vec(), false)));
        assert_eq!(whole(sized, true, true), Some((Vec::new(), false)));
        assert_eq!(
            whole("HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", false, false)
                .unwrap()
                .0,
            b""
        );
        assert_eq!(
            whole("HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", false, true),
            None
        );
        assert_eq!(
            whole(
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
                false,
                true
            ),
            None
        );
    }
}
