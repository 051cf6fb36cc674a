//! The record of every change: what was done to a message, by which rule, and
//! why. `explain`, the logs, the dashboard and the tests all read this.

use std::fmt;

/// Builds [`Rule`] and its texts from one table, so that none can be forgotten.
macro_rules! rules {
    ($( $(#[$doc:meta])* $variant:ident = $id:literal, $reference:literal, $reason:literal; )+) => {
        /// A rule of the policy. Its id is stable: it appears in `--json`
        /// output, logs and tests.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $( $(#[$doc])* $variant, )+
            /// A change to one cookie that the app sets.
            Cookie(sealwax_cookie::Change),
            /// A cookie of the client that the app does not get to see.
            CookieDropped(sealwax_cookie::InboundDrop),
        }

        impl Rule {
            /// The rules of this crate; those of single cookies are listed by
            /// [`sealwax_cookie`].
            pub const ALL: &'static [Rule] = &[ $( Rule::$variant, )+ ];

            /// The stable name, dotted from general to special.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $( Rule::$variant => $id, )+
                    Rule::Cookie(change) => change.id(),
                    Rule::CookieDropped(drop) => drop.id(),
                }
            }

            /// Why the rule exists, in one plain sentence.
            #[must_use]
            pub fn reason(self) -> &'static str {
                match self {
                    $( Rule::$variant => $reason, )+
                    Rule::Cookie(change) => change.reason(),
                    Rule::CookieDropped(drop) => drop.reason(),
                }
            }

            /// The document and section that the rule rests on.
            #[must_use]
            pub fn reference(self) -> &'static str {
                match self {
                    $( Rule::$variant => $reference, )+
                    Rule::Cookie(_) | Rule::CookieDropped(_) => "RFC 6265bis",
                }
            }
        }
    };
}

rules! {
    /// More or fewer than one `Host`, or a malformed one.
    HostMalformed = "host.malformed", "RFC 9112 §3.2",
        "A request names exactly one well-formed host; anything else could be read differently by the next server.";
    /// The URL and `Host` name different hosts.
    HostMismatch = "host.mismatch", "RFC 9112 §3.2.2, RFC 9113 §8.3.1",
        "The URL and the Host field name different hosts, so two servers could disagree about the site.";
    /// No site answers for this host.
    HostUnknown = "host.unknown", "RFC 9110 §15.5.20",
        "No site here answers for this host, so a forged Host cannot reach an app.";
    /// `CONNECT` to a gateway.
    MethodRefused = "method.refused", "RFC 9110 §9.3.6, §9.3.8",
        "CONNECT asks for a tunnel and TRACE reflects credentials; a gateway in front of an app offers neither.";
    /// A request under `/.sealwax/` that nothing answers.
    ReservedPath = "path.reserved", "Sealwax",
        "Paths under /.sealwax/ belong to the gateway and never reach the app.";

    /// A route header of an untrusted client.
    ForwardedRemoved = "forwarded.removed", "OWASP ASVS 4.1.3",
        "What a client says about itself or its route is not believed.";
    /// Our own route headers.
    ForwardedSet = "forwarded.set", "RFC 7239 §1",
        "The app learns scheme, host and client from the gateway, which knows them.";
    /// A header whose name some servers read as another name.
    HeaderNameDropped = "header-name.dropped", "RFC 3875 §4.1.18",
        "A name with `_` or `.` reads like the one with `-` in many frameworks, and could forge it.";

    /// Plain HTTP is sent to HTTPS.
    RedirectHttps = "redirect.https", "RFC 9110 §15.4",
        "Plain HTTP can be read and changed by anyone on the way.";
    /// A path on which a redirect would hide the mistake.
    RedirectRefused = "redirect.refused", "OWASP ASVS 4.1.2",
        "An API client that is redirected has already sent its secret in plain text; a refusal makes the mistake visible.";
    /// A path that is served over plain HTTP.
    RedirectExempt = "redirect.exempt", "SECURE_REDIRECT_EXEMPT",
        "The configuration exempts this path from the redirect.";
    /// The app redirects a URL to itself, again and again.
    RedirectLoop = "redirect.loop", "RFC 9110 §15.4",
        "The app keeps redirecting this URL to itself; it probably does not know that the client came over HTTPS.";

    /// The app refused a request from its own pages.
    SchemeUnknown = "app.scheme.hint", "Django SECURE_PROXY_SSL_HEADER",
        "A POST from the site's own pages was refused with 403: perhaps the app does not know that it is reached over HTTPS and takes its own Origin for a foreign one. Django: SECURE_PROXY_SSL_HEADER = (\"HTTP_X_FORWARDED_PROTO\", \"https\"); Rails: config.assume_ssl = true; Express: app.set('trust proxy', 1).";

    /// HSTS was added.
    HstsAdded = "hsts.added", "RFC 6797 §7.1",
        "The browser will use HTTPS on its own from now on.";
    /// The app's own HSTS was removed.
    HstsRemoved = "hsts.removed", "RFC 6797 §7.2, §8.1.1",
        "Browsers would remember it for a host where it can only do harm, or it must not be sent over plain HTTP.";
    /// HSTS is not sent here.
    HstsWithheld = "hsts.withheld", "RFC 6797 §8.1.1",
        "HSTS is only sent for public names with a publicly trusted certificate.";

    /// `X-Content-Type-Options` was added.
    NosniffAdded = "headers.nosniff", "WHATWG Fetch, X-Content-Type-Options",
        "Browsers must not guess a type that the app did not declare.";
    /// `Referrer-Policy` was added.
    ReferrerPolicyAdded = "headers.referrer-policy", "W3C Referrer Policy",
        "Full URLs of this site are not told to other sites.";
    /// `Cross-Origin-Opener-Policy` was added.
    OpenerPolicyAdded = "headers.cross-origin-opener-policy", "WHATWG HTML, Cross-origin opener policies",
        "Pages of other sites that open this one get no handle on its window.";
    /// `X-Frame-Options` was added.
    FrameOptionsAdded = "headers.x-frame-options", "RFC 7034 §2.1",
        "Other sites cannot show this page in a frame to steal clicks.";

    /// An unsafe request from a foreign origin.
    CsrfOrigin = "csrf.origin", "RFC 6454 §7, Django CSRF_TRUSTED_ORIGINS",
        "The browser names an origin that is neither the site's own nor trusted, so another site may have sent the request with the user's cookies.";
    /// An unsafe request that the browser says another site sent.
    CsrfFetchMetadata = "csrf.fetch-metadata", "W3C Fetch Metadata, Sec-Fetch-Site",
        "The browser says that another site sent the request, and names no trusted origin.";
    /// An unsafe request over HTTPS that no page of the site refers to.
    CsrfReferer = "csrf.referer", "RFC 9110 §10.1.3, Django CSRF_TRUSTED_ORIGINS",
        "Without an Origin, only the Referer can show that a page of the site itself sent the request.";
    /// An unsafe request without a valid token.
    CsrfToken = "csrf.token", "Django CsrfViewMiddleware",
        "The request does not repeat the secret of its CSRF cookie, which only the site's own pages know.";

    /// `Content-Security-Policy` was added.
    CspAdded = "csp.added", "W3C CSP Level 3 §3.1",
        "The browser loads and runs only what the policy allows.";
    /// `Content-Security-Policy-Report-Only` was added.
    CspReportOnlyAdded = "csp.report-only", "W3C CSP Level 3 §3.2",
        "The browser reports what the policy would not allow, and loads it all the same.";

    /// The Cookie header was written anew.
    CookieCanonical = "cookie.canonical", "RFC 6265bis §4.2",
        "The app gets one Cookie header in one unambiguous form.";
    /// The client holds a form of a cookie that is no longer used.
    CookieStale = "cookie.stale", "RFC 6265bis §5.8.3",
        "The client holds this cookie in a form that is not accepted; it is deleted so that it cannot win later.";
    /// A cookie would have left over plain HTTP.
    CookieWithheld = "cookie.withheld", "RFC 6265bis §5.7",
        "A Secure cookie sent over plain HTTP is refused by the browser and readable on the way.";
    /// A browser would ignore this Set-Cookie.
    CookieInvalid = "cookie.invalid", "RFC 6265bis §5.6",
        "Browsers ignore this Set-Cookie; where it can be read all the same it is hardened, else it is passed on as the app wrote it.";
    /// A cookie that scripts can read.
    CookieReadable = "cookie.readable", "RFC 6265bis §4.1.2.6",
        "Scripts can read this cookie; it could be hardened if no script needs it.";
    /// The app deletes a cookie.
    CookieDeleted = "cookie.deleted", "RFC 6265bis §3.1",
        "The app deletes this cookie, so it is deleted in every form that the client may hold.";
    /// A cross-site POST arrived without a cookie that the Lax floor held back.
    CookieCrossSitePost = "cookie.same-site.cross-site-post", "RFC 6265bis §5.2, §8.8.2",
        "SameSite=Lax holds cookies back on cross-site POST (SAML, form_post); if the app needs one here, set same_site = \"None\" for its name.";
    /// A cookie leaves sealed.
    SealAdded = "seal.added", "RFC 8452",
        "The browser holds the value encrypted and bound to its name and host: it can be neither read, nor changed, nor moved.";
    /// A sealed cookie was opened for the app.
    SealOpened = "seal.opened", "RFC 8452",
        "The app gets the value that it set.";
    /// A cookie is sealed under the current key.
    SealRenewed = "seal.renewed", "NIST SP 800-57 Part 1 §5.3.6",
        "An older key sealed this cookie; the current one takes its place, so that the older one can go.";
    /// The app sets a sealed cookie under another name.
    SealOtherSpelling = "seal.spelling", "RFC 6265bis §4.1.3",
        "The app sets this cookie with a prefix of its own, and its name is listed without: it is not sealed. Name it as the app does.";
    /// A cookie is too long to be sealed.
    SealTooLong = "seal.too-long", "RFC 6265bis §5.6",
        "Sealed, the cookie would pass the 4096 bytes that browsers take, so it leaves as the app wrote it; keep the data on the server.";
    /// A sealed cookie is over.
    SealExpired = "seal.expired", "RFC 6265bis §5.7",
        "The cookie's own lifetime is over, whatever the client kept.";
    /// A sealed cookie does not open.
    SealForged = "seal.forged", "RFC 8452",
        "The value was changed, cut off or made up.";
    /// A sealed cookie was made later than now.
    SealFromTheFuture = "seal.from-the-future", "Sealwax",
        "The value was sealed by a clock that is far ahead of this one; set the clocks of the nodes that share the keys.";
    /// A plain value where a sealed one belongs.
    SealMissing = "seal.not-sealed", "Sealwax",
        "This cookie is only accepted sealed; cookies from before are let in while cookies.migrate lasts.";
    /// A sealed cookie of another host.
    SealOtherHost = "seal.other-host", "RFC 6265bis §8.6",
        "The value was sealed for another host, so somebody has moved it.";
    /// A sealed cookie of another name.
    SealOtherName = "seal.other-name", "RFC 6265bis §8.6",
        "The value was sealed for a cookie of another name, so somebody has moved it.";
    /// A cookie sealed by a key that is not there.
    SealUnknownKey = "seal.unknown-key", "Sealwax",
        "No key here has sealed this value: it is older than the keys that were kept, or this node lacks one that the others have.";
    /// A browser is offered a bound session.
    BindOffered = "bind.offered", "W3C Device Bound Session Credentials",
        "A browser that can will make a key that does not leave the device, and prove it from now on.";
    /// A browser has registered a key.
    BindRegistered = "bind.registered", "W3C Device Bound Session Credentials",
        "The browser has made a key for this site.";
    /// A browser has proven its key.
    BindRefreshed = "bind.refreshed", "W3C Device Bound Session Credentials",
        "The browser has proven that it has the key.";
    /// A cookie leaves bound to a key.
    BindBound = "bind.bound", "W3C Device Bound Session Credentials",
        "From now on the cookie is worth nothing without a proof by this key.";
    /// A bound cookie came without its proof.
    BindUnproven = "bind.unproven", "W3C Device Bound Session Credentials",
        "The cookie is bound to a key, and no live proof by it came: somebody else may have copied the cookie, so the app does not get it.";
    /// A bound cookie came with the proof of another key.
    BindOtherKey = "bind.other-key", "W3C Device Bound Session Credentials",
        "The cookie is bound to one key and the proof is by another: they do not belong together, so the app does not get the cookie.";
    /// A proof that cannot be used.
    BindProofUnusable = "bind.proof-unusable", "W3C Device Bound Session Credentials",
        "The proof was changed, made up, or made for another host.";
    /// A cookie with a `Domain` is not bound.
    BindDomain = "bind.domain", "RFC 6265bis §4.1.2.3",
        "A cookie with a Domain goes to other hosts, for which the browser has other keys: it is sealed, and not bound.";
    /// The app sets a cookie of ours.
    BindOurName = "bind.our-name", "Sealwax",
        "This name belongs to the proof of the browser's key; the app's cookie of that name does not leave.";
    /// The app answers a request whose bound cookie it did not get with a new one.
    BindKept = "bind.kept", "W3C Device Bound Session Credentials",
        "The browser may only have missed a refresh: its bound cookie is not replaced by one for a visitor.";
    /// A browser says that its key fails.
    BindSkipped = "bind.skipped", "W3C Device Bound Session Credentials",
        "The browser says that it could not refresh its proof; bind.fallback decides what becomes of cookies that are not bound yet.";
    /// A registration or a refresh was refused.
    BindRefused = "bind.refused", "W3C Device Bound Session Credentials",
        "What came was no proof by the session's key.";
    /// A page loads itself again.
    BindReload = "bind.reload", "W3C Device Bound Session Credentials",
        "Browsers do not refresh a proof for a link on another site; loaded again, the page is this site's own request, and is.";
    /// A path wants a younger proof.
    BindFresh = "bind.fresh", "W3C Device Bound Session Credentials",
        "This path wants a proof that is younger than the one that came.";
    /// A bound cookie for cross-site use.
    BindCrossSite = "bind.cross-site", "RFC 6265bis §5.6.7.1",
        "A bound cookie is SameSite=None, but browsers send the proof of their key to no other site's frame and with no other site's form: there the app does not get the cookie.";
    /// Caches are told that a response is one browser's.
    CachePrivate = "cache.private", "RFC 9111 §5.2.2.7",
        "What is set here for one browser must not be kept for others, so caches are told.";
    /// Scripts probably wanted the CSRF cookie.
    CookieScriptWanted = "cookie.readable.hint", "Django CSRF_COOKIE_HTTPONLY",
        "A same-origin request with the CSRF cookie but without its header was refused: if scripts read that cookie, list it in cookies.readable.";
    /// A response varies with the user agent.
    VaryUserAgent = "cookie.legacy-same-site.vary", "RFC 9110 §12.5.5",
        "The cookie depends on the User-Agent, so a cache must not mix the responses.";
}

impl Rule {
    /// Whether something is probably broken until somebody acts, rather than
    /// merely worth knowing.
    #[must_use]
    pub fn needs_attention(self) -> bool {
        matches!(
            self,
            Rule::RedirectLoop
                | Rule::SchemeUnknown
                | Rule::CookieScriptWanted
                | Rule::CookieCrossSitePost
                | Rule::CookieInvalid
                | Rule::CookieWithheld
                | Rule::SealFromTheFuture
                | Rule::SealTooLong
                | Rule::SealOtherSpelling
                | Rule::BindCrossSite
        )
    }

    /// Whether an honest browser gives no cause for it: a cookie was probably
    /// copied, moved, made up or tossed in by another host.
    ///
    /// What old browsers, clocks, other spellings and migrations bring about
    /// is none of these.
    #[must_use]
    pub fn is_sign_of_theft(self) -> bool {
        use sealwax_cookie::InboundDrop;
        matches!(
            self,
            Rule::BindUnproven
                | Rule::BindOtherKey
                | Rule::BindProofUnusable
                | Rule::BindRefused
                | Rule::SealForged
                | Rule::SealOtherHost
                | Rule::SealOtherName
                | Rule::CookieDropped(
                    InboundDrop::CaseVariant
                        | InboundDrop::DoublePrefix
                        | InboundDrop::LookAlike
                        | InboundDrop::NotSentOut
                )
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Something that was not there is now.
    Added,
    /// Something is different.
    Changed,
    /// Something is gone.
    Removed,
    /// The request was answered by the policy instead of the app.
    Refused,
    /// Nothing was changed, but somebody should know.
    Reported,
}

impl Action {
    /// Lower-case word for output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Added => "added",
            Action::Changed => "changed",
            Action::Removed => "removed",
            Action::Refused => "refused",
            Action::Reported => "reported",
        }
    }
}

/// One entry of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The rule that decided.
    pub rule: Rule,
    /// What it did.
    pub action: Action,
    /// The header, cookie or part of the request concerned.
    pub subject: String,
    /// The value before, where there was one.
    pub before: Option<String>,
    /// The value after, where there is one.
    pub after: Option<String>,
    /// False in report mode: this is what would have been done.
    pub applied: bool,
    /// Whether somebody should be told, once, rather than only who asks.
    pub notable: bool,
}

/// How much is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Only what somebody should be told once: drops, reports, refusals. Costs
    /// nothing on a message without them.
    #[default]
    Notable,
    /// Every change, for `explain` and tests.
    All,
}

/// Collects the changes of one exchange.
#[derive(Debug, Default)]
pub struct Recorder {
    level: Level,
    changes: Vec<Change>,
}

impl Recorder {
    /// A recorder for `level`; it allocates only when something is recorded.
    #[must_use]
    pub fn new(level: Level) -> Self {
        Self {
            level,
            changes: Vec::new(),
        }
    }

    /// Whether everyday changes are recorded.
    #[inline]
    pub(crate) fn listens(&self) -> bool {
        self.level == Level::All
    }

    /// Records an everyday change; `make` runs only when somebody listens.
    #[inline]
    pub(crate) fn routine(&mut self, make: impl FnOnce() -> Change) {
        if self.listens() {
            self.changes.push(make());
        }
    }

    /// Records what somebody should be told.
    #[inline]
    pub(crate) fn notable(&mut self, make: impl FnOnce() -> Change) {
        self.changes.push(make().notable());
    }

    /// What was recorded of a rule has found its answer, and is no news.
    pub(crate) fn settle(&mut self, rule: Rule) {
        for change in &mut self.changes {
            change.notable &= change.rule != rule;
        }
    }

    /// The changes so far, in the order in which they were made.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes, taken out.
    #[must_use]
    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }
}

impl Change {
    /// A change that was applied, everyday until [`notable`](Self::notable).
    /// For drivers with rules that [`crate::Exchange`] does not apply itself.
    #[must_use]
    pub fn new(rule: Rule, action: Action, subject: impl Into<String>) -> Self {
        Self {
            rule,
            action,
            subject: subject.into(),
            before: None,
            after: None,
            applied: true,
            notable: false,
        }
    }

    /// With the value before; what is not printable becomes an escape.
    #[must_use]
    pub fn before(mut self, value: &[u8]) -> Self {
        self.before = Some(printable(value));
        self
    }

    /// With the value after; what is not printable becomes an escape.
    #[must_use]
    pub fn after(mut self, value: &[u8]) -> Self {
        self.after = Some(printable(value));
        self
    }

    /// False: this is what would have been done.
    #[must_use]
    pub fn applied(mut self, applied: bool) -> Self {
        self.applied = applied;
        self
    }

    /// Somebody should be told.
    #[must_use]
    pub fn notable(mut self) -> Self {
        self.notable = true;
        self
    }
}

/// Header bytes as text that is safe to print: what is not printable becomes
/// an escape.
pub(crate) fn printable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_and_texts_are_whole() {
        let mut seen = HashSet::new();
        for rule in Rule::ALL {
            assert!(seen.insert(rule.id()), "{} twice", rule.id());
            assert!(!rule.reason().is_empty() && !rule.reference().is_empty());
            assert!(
                rule.id()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b"-.".contains(&b))
            );
        }
    }

    #[test]
    fn terminal_escapes_cannot_pass() {
        assert_eq!(printable(b"a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(printable("é".as_bytes()), "é");
        assert_eq!(printable(b"\xff"), "\\xff");
    }
}
