//! HTTP/1.1 as both ends of the simulation read and write it. It shares no code
//! with the gateway, so that both cannot be wrong in the same way.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::plan::{Body, Exchange, Upgrade, content};

/// Why a message is not there, or not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bad {
    /// The stream ended as it should, but too early.
    Ended,
    /// The stream broke.
    Broken,
    /// The bytes are no HTTP/1.1: nobody may ever send them.
    Malformed(String),
}

#[derive(Debug, Clone, Default)]
pub struct Head {
    pub start: String,
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// All values of a field, joined.
    pub fn field(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .fields
            .iter()
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The status of a response.
    pub fn status(&self) -> Result<u16, Bad> {
        let mut words = self.start.split(' ');
        let status = match (words.next(), words.next()) {
            (Some("HTTP/1.1"), Some(status)) if status.len() == 3 => status.parse().ok(),
            _ => None,
        };
        status.ok_or_else(|| Bad::Malformed(format!("status line {:?}", self.start)))
    }

    /// How the end of the content is known, by the fields alone.
    pub fn framing(&self) -> Result<Framing, Bad> {
        let malformed = |what: &str| Err(Bad::Malformed(format!("{what} in {self:?}")));
        match (
            self.field("content-length"),
            self.field("transfer-encoding"),
        ) {
            (Some(_), Some(_)) => malformed("two framings"),
            (Some(length), None) => match length.parse() {
                Ok(length) => Ok(Framing::Length(length)),
                Err(_) => malformed("length"),
            },
            (None, Some(coding)) if coding == "chunked" => Ok(Framing::Chunked),
            (None, Some(_)) => malformed("coding"),
            (None, None) => Ok(Framing::None),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    None,
    Length(usize),
    Chunked,
    UntilClose,
}

/// Content as it was received, up to where it stopped.
#[derive(Debug, Clone, Default)]
pub struct Received {
    pub bytes: Vec<u8>,
    pub trailers: Vec<(String, String)>,
}

/// Reads messages from a stream.
pub struct Reader<R> {
    pub io: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(io: R) -> Self {
        Self {
            io,
            buffer: Vec::new(),
        }
    }

    /// What has been read and not used.
    pub fn unread(&self) -> &[u8] {
        &self.buffer
    }

    pub async fn fill(&mut self) -> Result<(), Bad> {
        let mut some = vec![0; 16 * 1024];
        match self.io.read(&mut some).await {
            Ok(0) => Err(Bad::Ended),
            Ok(count) => {
                self.buffer.extend_from_slice(&some[..count]);
                Ok(())
            }
            Err(_) => Err(Bad::Broken),
        }
    }

    /// Until the stream ends.
    pub async fn drain(&mut self) -> Bad {
        loop {
            if let Err(bad) = self.fill().await {
                return bad;
            }
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(count);
        std::mem::replace(&mut self.buffer, rest)
    }

    async fn line(&mut self) -> Result<String, Bad> {
        let mut from = 0;
        loop {
            if let Some(at) = self.buffer[from..]
                .windows(2)
                .position(|two| two == b"\r\n")
            {
                let line = self.take(from + at + 2);
                let line = String::from_utf8(line[..line.len() - 2].to_vec());
                return line.map_err(|error| Bad::Malformed(format!("line {error}")));
            }
            from = self.buffer.len().saturating_sub(1);
            self.fill().await?;
        }
    }

    async fn fields(&mut self) -> Result<Vec<(String, String)>, Bad> {
        let mut fields = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(fields);
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(Bad::Malformed(format!("field {line:?}")));
            };
            let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if name.is_empty() || !name.bytes().all(token) {
                return Err(Bad::Malformed(format!("field name {line:?}")));
            }
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// The next head. [`Bad::Ended`] with nothing unread is a clean end.
    pub async fn head(&mut self) -> Result<Head, Bad> {
        let start = self.line().await?;
        let fields = self.fields().await?;
        Ok(Head { start, fields })
    }

    pub async fn body(&mut self, framing: Framing, into: &mut Received) -> Result<(), Bad> {
        match framing {
            Framing::None => Ok(()),
            Framing::Length(length) => self.exactly(length, into).await,
            Framing::Chunked => loop {
                let line = self.line().await?;
                let size = usize::from_str_radix(&line, 16)
                    .map_err(|_| Bad::Malformed(format!("chunk {line:?}")))?;
                if size == 0 {
                    into.trailers = self.fields().await?;
                    return Ok(());
                }
                self.exactly(size, into).await?;
                let end = self.line().await?;
                if !end.is_empty() {
                    return Err(Bad::Malformed(format!("end of chunk {end:?}")));
                }
            },
            Framing::UntilClose => loop {
                into.bytes.append(&mut self.buffer);
                match self.fill().await {
                    Ok(()) => {}
                    Err(Bad::Ended) => return Ok(()),
                    Err(bad) => return Err(bad),
                }
            },
        }
    }

    async fn exactly(&mut self, length: usize, into: &mut Received) -> Result<(), Bad> {
        let mut left = length;
        loop {
            let some = self.take(left.min(self.buffer.len()));
            left -= some.len();
            into.bytes.extend(some);
            if left == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }
}

/// What names one exchange of one run, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    pub run: u64,
    pub nth: usize,
}

impl Name {
    pub fn target(self) -> String {
        format!("/{:x}/{}", self.run, self.nth)
    }

    pub fn of_target(target: &str) -> Option<Self> {
        let (run, nth) = target.strip_prefix('/')?.split_once('/')?;
        let run = u64::from_str_radix(run, 16).ok()?;
        let nth = nth.parse().ok()?;
        Some(Self { run, nth })
    }

    /// The value of a field that only the one message has.
    pub fn token(self, up: bool) -> String {
        format!("{:x}", self.key(up))
    }

    /// What its content is made from.
    pub fn key(self, up: bool) -> u64 {
        (self.run << 8) ^ ((self.nth as u64) << 1) ^ u64::from(up)
    }
}

/// The content of a message in its framing.
pub fn framed(body: Body, name: Name, up: bool) -> Vec<u8> {
    let bytes = content(name.key(up), body.size());
    let Body::Chunked {
        chunk, trailers, ..
    } = body
    else {
        return bytes;
    };
    let mut out = Vec::with_capacity(bytes.len() + 64);
    for part in bytes.chunks(chunk) {
        out.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n");
    if trailers {
        out.extend_from_slice(format!("x-end: {}\r\n", name.token(up)).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn framing_field(out: &mut String, body: Body) {
    match body {
        Body::Length(length) => *out += &format!("content-length: {length}\r\n"),
        Body::Chunked { .. } => *out += "transfer-encoding: chunked\r\n",
        Body::None | Body::UntilClose(_) => {}
    }
}

pub fn request_head(exchange: &Exchange, name: Name, host: &str) -> String {
    let version = if exchange.http10 { "1.0" } else { "1.1" };
    let mut head = format!(
        "{} {} HTTP/{version}\r\nhost: {host}\r\nx-token: {}\r\n",
        exchange.method,
        name.target(),
        name.token(true)
    );
    framing_field(&mut head, exchange.body);
    if exchange.expect != super::plan::Expect::No {
        head += "expect: 100-continue\r\n";
    }
    if exchange.upgrade != Upgrade::No {
        head += "connection: upgrade\r\nupgrade: echo\r\n";
    }
    if let Some(connection) = exchange.connection {
        head += &format!("connection: {connection}\r\n");
    }
    head + "\r\n"
}

/// The app's final response, content included.
pub fn response(exchange: &Exchange, name: Name) -> Vec<u8> {
    let version = if exchange.app_http10 { "1.0" } else { "1.1" };
    let mut head = format!(
        "HTTP/{version} {} OK\r\nx-token: {}\r\n",
        exchange.status,
        name.token(false)
    );
    // RFC 9110 §8.6: a 304 and an answer to HEAD tell what GET would have got.
    if exchange.status != 204 {
        framing_field(&mut head, exchange.reply);
    }
    if exchange.app_close && !exchange.app_http10 {
        head += "connection: close\r\n";
    }
    let mut out = (head + "\r\n").into_bytes();
    if exchange.reply_has_content() {
        out.extend(framed(exchange.reply, name, false));
    }
    out
}
