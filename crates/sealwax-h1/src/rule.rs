//! Why a message is refused: one rule for each reason, from one table.

use std::fmt;

/// Builds [`Rule`] and its texts from one table, so that none can be forgotten.
macro_rules! rules {
    ($( $(#[$doc:meta])* $variant:ident = $id:literal, $status:literal, $sentence:literal; )+) => {
        /// A reason to refuse a message. Its id is stable: it appears in logs and tests.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $( $(#[$doc])* $variant, )+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[ $( Rule::$variant, )+ ];

            /// The stable name, dotted from general to special.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $( Rule::$variant => $id, )+ }
            }

            /// What was wrong and why it matters, in one plain sentence with the section that
            /// it rests on.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $( Rule::$variant => $sentence, )+ }
            }

            /// The status that a server answers a request refused by this rule with. A gateway
            /// that refuses a *response* answers its client 502, whichever rule it was; the
            /// rules that only a response can break say 502 themselves.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $( Rule::$variant => $status, )+ }
            }
        }
    };
}

rules! {
    /// A LF without a CR before it.
    BareLf = "h1.line.bare-lf", 400,
        "Lines end with CR LF; a LF alone ends a line for some recipients and not for others (RFC 9112 §2.2).";
    /// A CR without a LF after it.
    BareCr = "h1.line.bare-cr", 400,
        "A CR without a LF after it is invalid in a head; recipients differ over what it means (RFC 9112 §2.2).";

    /// The request line is not `method SP target SP version CRLF`.
    RequestLine = "h1.request-line", 400,
        "A request line is a method, one space, a target, one space, a version and CR LF (RFC 9112 §3).";
    /// The request line is longer than [`Limits::start_line`](crate::Limits::start_line).
    RequestLineLong = "h1.request-line.long", 414,
        "The request line is longer than this server reads (RFC 9112 §3).";
    /// The method is not a token.
    Method = "h1.method", 400,
        "A method is a token: letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 §9.1).";
    /// The target holds a byte that no URI has.
    Target = "h1.target", 400,
        "A request target is visible ASCII without a fragment; whatever else it names must be percent-encoded (RFC 9112 §3.2).";
    /// The target's form does not go with the method.
    TargetForm = "h1.target.form", 400,
        "A target is a path, an http or https URL, host:port for CONNECT, or * for OPTIONS (RFC 9112 §3.2).";
    /// The target names a user.
    TargetUserinfo = "h1.target.userinfo", 400,
        "An http URL with user information hides the host that it goes to (RFC 9110 §4.2.4).";
    /// No HTTP version where one belongs.
    Version = "h1.version", 400,
        "A version is HTTP/ in capitals, a digit, a dot and a digit (RFC 9112 §2.3).";
    /// A version that this codec does not speak.
    VersionUnsupported = "h1.version.unsupported", 505,
        "Only HTTP/1.0 and HTTP/1.1 are spoken here (RFC 9110 §15.6.6).";

    /// The status line is not `version SP 3DIGIT [SP reason] CRLF`.
    StatusLine = "h1.status-line", 502,
        "A status line is a version, one space, three digits, and a space and a reason (RFC 9112 §4).";
    /// The status line is longer than [`Limits::start_line`](crate::Limits::start_line).
    StatusLineLong = "h1.status-line.long", 502,
        "The status line is longer than this client reads (RFC 9112 §4).";
    /// A status code outside 100 to 599.
    StatusRange = "h1.status.range", 502,
        "A status code lies between 100 and 599 (RFC 9110 §15).";

    /// A field line does not begin with a name and a colon.
    FieldName = "h1.field.name", 400,
        "A field line is a name of token characters, a colon and a value (RFC 9112 §5).";
    /// White space between name and colon.
    FieldSpace = "h1.field.space", 400,
        "White space between a field's name and its colon has been used to hide the field from others (RFC 9112 §5.1).";
    /// A line that begins with white space.
    FieldFolded = "h1.field.folded", 400,
        "A line that begins with white space continues the one before for some recipients and not for others (RFC 9112 §5.2).";
    /// A control character in a field's value.
    FieldValue = "h1.field.value", 400,
        "A field's value holds no control character but a tab (RFC 9110 §5.5).";
    /// The head is longer than [`Limits::head`](crate::Limits::head).
    HeadLong = "h1.head.long", 431,
        "The head is longer than is read here (RFC 9110 §5.4, RFC 6585 §5).";
    /// More fields than [`Limits::fields`](crate::Limits::fields).
    HeadFields = "h1.head.fields", 431,
        "The head has more fields than are read here (RFC 9110 §5.4, RFC 6585 §5).";

    /// Content-Length beside Transfer-Encoding.
    FramingBoth = "h1.framing.both", 400,
        "Content-Length and Transfer-Encoding together let two recipients see different messages (RFC 9112 §6.1).";
    /// Content-Length is not one number, or a tab stands beside it. RFC 9110 §5.5 allows the tab,
    /// but not every recipient takes it off.
    Length = "h1.content-length", 400,
        "Content-Length is one decimal number below 2^63 without sign, list or leading zero (RFC 9110 §8.6).";
    /// More than one Content-Length.
    LengthRepeated = "h1.content-length.repeated", 400,
        "Content-Length stands once; a second one, equal or not, is read differently by the next recipient (RFC 9112 §6.3).";
    /// Transfer-Encoding is not `chunked`, or a tab stands beside it. RFC 9110 §5.5 allows the
    /// tab, but not every recipient takes it off.
    Coding = "h1.transfer-encoding", 400,
        "A message whose Transfer-Encoding does not end in a single chunked has no certain end (RFC 9112 §6.3).";
    /// Transfer-Encoding names a compression before `chunked`.
    CodingUnsupported = "h1.transfer-encoding.unsupported", 501,
        "No transfer coding but chunked is decoded here (RFC 9112 §6.1).";
    /// More than one Transfer-Encoding.
    CodingRepeated = "h1.transfer-encoding.repeated", 400,
        "Transfer-Encoding stands once; recipients differ over a second one (RFC 9112 §6.1).";
    /// Transfer-Encoding in HTTP/1.0.
    CodingHttp10 = "h1.transfer-encoding.http10", 400,
        "HTTP/1.0 has no transfer codings, so such a message has faulty framing (RFC 9112 §6.1).";

    /// HTTP/1.1 without Host.
    HostMissing = "h1.host.missing", 400,
        "An HTTP/1.1 request names its host (RFC 9112 §3.2).";
    /// More than one Host.
    HostRepeated = "h1.host.repeated", 400,
        "A request names its host once; recipients differ over which of two counts (RFC 9112 §3.2).";
    /// Connection is not a list of tokens.
    Connection = "h1.connection", 400,
        "Connection is a list of tokens (RFC 9110 §7.6.1).";
    /// Upgrade is not a list of protocols.
    Upgrade = "h1.upgrade", 400,
        "Upgrade is a list of protocol names, each with an optional version (RFC 9110 §7.8).";
    /// A request to switch protocols that has a body.
    UpgradeBody = "h1.upgrade.body", 400,
        "A body before a change of protocol can be read as the new protocol's first bytes, or as a second request (RFC 9110 §7.8).";
    /// CONNECT with a body.
    ConnectBody = "h1.connect.body", 400,
        "CONNECT has no content; what follows its head is the tunnel for some recipients and a body for others (RFC 9110 §9.3.6).";
    /// An expectation other than `100-continue`.
    Expect = "h1.expect", 417,
        "The only expectation known is 100-continue (RFC 9110 §10.1.1).";

    /// 101 to a request that did not ask, or without saying to what.
    UpgradeUnasked = "h1.upgrade.unasked", 502,
        "A server switches protocols only when asked, and names the protocol in Upgrade with Connection: upgrade (RFC 9110 §15.2.2).";
    /// 101 to a protocol that was not offered.
    UpgradeOther = "h1.upgrade.other", 502,
        "A server does not switch to a protocol that the client did not offer (RFC 9110 §7.8).";
    /// 1xx with a body.
    InterimBody = "h1.interim.body", 502,
        "A 1xx response has no body; one would be read as the response after it (RFC 9112 §6.1, RFC 9110 §8.6).";
    /// More interim responses than [`Limits::interim`](crate::Limits::interim).
    InterimFlood = "h1.interim.flood", 502,
        "More interim responses came than are read here (RFC 9110 §15.2).";

    /// A chunk does not begin with its size.
    ChunkSize = "h1.chunk.size", 400,
        "A chunk begins with its size in hexadecimal digits, then an extension or CR LF (RFC 9112 §7.1).";
    /// A chunk of 2^63 bytes or more.
    ChunkOverflow = "h1.chunk.overflow", 400,
        "A chunk size must fit the recipient's numbers, else it wraps around to a small one (RFC 9112 §7.1).";
    /// A malformed chunk extension.
    ChunkExtension = "h1.chunk.extension", 400,
        "A chunk extension is a token, with a value that is a token or a quoted string (RFC 9112 §7.1.1).";
    /// A chunk line longer than [`Limits::chunk_line`](crate::Limits::chunk_line).
    ChunkLineLong = "h1.chunk.line", 400,
        "The chunk's extensions are longer than is read here (RFC 9112 §7.1.1).";
    /// No CR LF after a chunk's content.
    ChunkEnd = "h1.chunk.end", 400,
        "A chunk's content is exactly as long as its size says and then CR LF (RFC 9112 §7.1).";
    /// More framing than [`Limits::chunk_overhead`](crate::Limits::chunk_overhead).
    ChunkFlood = "h1.chunk.flood", 400,
        "The chunks cost far more framing than they carry content (RFC 9112 §7.1.1).";
    /// Trailers longer than [`Limits::trailers`](crate::Limits::trailers).
    TrailersLong = "h1.trailers.long", 431,
        "The trailer section is longer than is read here (RFC 9112 §7.1.2, RFC 6585 §5).";
    /// More trailers than [`Limits::trailer_fields`](crate::Limits::trailer_fields).
    TrailersFields = "h1.trailers.fields", 431,
        "The trailer section has more fields than are read here (RFC 9112 §7.1.2, RFC 6585 §5).";
    /// The connection ended within a body.
    CutShort = "h1.body.cut-short", 400,
        "The connection ended before the body did, so the message is incomplete (RFC 9112 §8).";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A message that is not accepted. The connection that it came on carries nothing more that
/// could be trusted: answer, if anybody is there to be answered, and close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub rule: Rule,
    /// Where: the offset of the offending byte or field in the `input` of the call that refused.
    pub at: usize,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} [{} at byte {}]",
            self.rule.sentence(),
            self.rule.id(),
            self.at
        )
    }
}

impl std::error::Error for Refusal {}

/// Short for a refusal, since nearly every line of a parser can be one.
pub(crate) fn refuse<T>(rule: Rule, at: usize) -> Result<T, Refusal> {
    Err(Refusal { rule, at })
}
