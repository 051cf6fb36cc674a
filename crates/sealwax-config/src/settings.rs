//! The table of settings: one row for each.
//!
//! Everything that knows a setting's name knows it from here: the reader of
//! files with its suggestions, variables, flags, the help of the command line
//! and the reference in `docs/settings.md`.

use std::time::Duration;

use crate::kind::{Item, Kind};

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The dotted key. `site.…` belongs to `[[site]]`; `*` stands for the name
    /// of a cookie.
    pub key: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// What holds when it is not set.
    pub default: Unset,
    /// What it does, in one or two sentences.
    pub help: &'static str,
    /// The command-line flag that sets it, with its dashes.
    pub flag: Option<&'static str>,
    /// Django's names for it, each also a variable with `SEALWAX_` in front.
    pub django: &'static [&'static str],
    /// The version in which it appeared.
    pub since: &'static str,
}

/// What holds when a setting is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unset {
    /// This value, written as in a variable.
    Is(&'static str),
    /// What this sentence says.
    Told(&'static str),
    /// It must be set.
    Required,
}

/// Where a setting applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole gateway.
    Gateway,
    /// One site.
    Site,
    /// One cookie of one site.
    Cookie,
    /// One part of a site's paths.
    Path,
    /// Paths of a site that want a fresh proof.
    Fresh,
}

impl Setting {
    /// Where it applies.
    #[must_use]
    pub fn scope(&self) -> Scope {
        if self.key.starts_with("site.cookies.names.") {
            Scope::Cookie
        } else if self.key.starts_with("site.paths.") {
            Scope::Path
        } else if self.key.starts_with("site.bind.fresh.") {
            Scope::Fresh
        } else if self.key.starts_with("site.") {
            Scope::Site
        } else {
            Scope::Gateway
        }
    }

    /// The environment variable that sets it, for every site if it belongs to
    /// a site. The rules of single cookies have Django's names only, paths and
    /// patterns none.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        match self.scope() {
            Scope::Cookie | Scope::Path | Scope::Fresh => None,
            // Named in the command's reference; one variable, not two.
            _ if self.key == "environment" => Some("SEALWAX_ENV".to_owned()),
            _ => Some(format!(
                "SEALWAX_{}",
                self.key.replace('.', "_").to_ascii_uppercase()
            )),
        }
    }

    /// The row of `key`.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// Whether some key begins with `prefix` and a dot.
    pub(crate) fn is_table(prefix: &str) -> bool {
        SETTINGS.iter().any(|s| {
            s.key
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// The names that may stand in the table `prefix` (empty: at the top).
    pub(crate) fn children(prefix: &str) -> impl Iterator<Item = &'static str> + '_ {
        SETTINGS.iter().filter_map(move |setting| {
            let rest = if prefix.is_empty() {
                setting.key
            } else {
                setting.key.strip_prefix(prefix)?.strip_prefix('.')?
            };
            rest.split('.').next()
        })
    }
}

/// The same shape for every row, so that the table can be read as one.
const fn row(key: &'static str, kind: Kind, default: Unset, help: &'static str) -> Setting {
    Setting {
        key,
        kind,
        default,
        help,
        flag: None,
        django: &[],
        since: "0.1.0",
    }
}

impl Setting {
    const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    const fn django(mut self, names: &'static [&'static str]) -> Self {
        self.django = names;
        self
    }
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

const DAY: u64 = 86_400;

/// A deadline: at least a millisecond, at most a year.
const DEADLINE: Kind = Kind::Duration(Duration::from_millis(1), seconds(365 * DAY));

pub(crate) const REFERRER_POLICIES: &[&str] = &[
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
    "off",
];

/// Every setting there is.
pub static SETTINGS: &[Setting] = &[
    row(
        "environment",
        Kind::Environment,
        Unset::Told("`production` with a configuration file, `development` without one"),
        "Which `[env.NAME]` table is laid over the rest. `production` and `development` always exist; another name needs its table, and counts as production.",
    )
    .flag("--env"),
    row("workers", Kind::Count(1, 1024), Unset::Told("one per core"), "Worker threads."),
    row(
        "listen.http",
        Kind::List(Item::Address),
        Unset::Told("`127.0.0.1:8080`; with a configuration file only if `listen.https` is not set either"),
        "Where to listen for plain HTTP. Port 0 takes a free one.",
    )
    .flag("--http"),
    row(
        "listen.https",
        Kind::List(Item::Address),
        Unset::Told("`127.0.0.1:8443`; with a configuration file only if `listen.http` is not set either"),
        "Where to listen for HTTPS. Port 0 takes a free one.",
    )
    .flag("--https"),
    row(
        "listen.tls_profile",
        Kind::Word(&["intermediate", "modern"]),
        Unset::Is("intermediate"),
        "Mozilla's TLS guideline: `intermediate` is TLS 1.2 and 1.3, `modern` is TLS 1.3 alone (RFC 8446).",
    ),
    row(
        "proxies.trusted",
        Kind::List(Item::Range),
        Unset::Is(""),
        "Proxies in front of the gateway whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    ),
    row("timeouts.handshake", DEADLINE, Unset::Is("10s"), "The TLS handshake, from the first byte to the last."),
    row("timeouts.request_head", DEADLINE, Unset::Is("15s"), "The head of a request, from its first byte to its last."),
    row("timeouts.request_body_idle", DEADLINE, Unset::Is("60s"), "Between two pieces of a request body."),
    row("timeouts.connect", DEADLINE, Unset::Is("5s"), "Connecting to the app."),
    row("timeouts.response_head", DEADLINE, Unset::Is("60s"), "The head of the app's response, from the end of the request."),
    row("timeouts.response_idle", DEADLINE, Unset::Is("300s"), "Between two pieces of a response body."),
    row("timeouts.keep_alive", DEADLINE, Unset::Is("75s"), "A client's connection without a request."),
    row("timeouts.upgraded_idle", DEADLINE, Unset::Is("1h"), "An upgraded connection (WebSocket) without a byte in either direction."),
    row(
        "timeouts.total",
        DEADLINE,
        Unset::Is("24h"),
        "One request and its response, from the first byte to the last; upgraded connections have `upgraded_idle`.",
    ),
    row(
        "timeouts.drain",
        Kind::Duration(Duration::ZERO, seconds(365 * DAY)),
        Unset::Is("30s"),
        "How long requests in flight may take to finish when the gateway ends.",
    ),
    row(
        "limits.request_head",
        Kind::Size { least: 8 << 10, most: 1 << 20, unlimited: false },
        Unset::Is("64KiB"),
        "The head of a request, all lines together; more is answered with 431 (RFC 6585 section 5).",
    ),
    row("limits.request_headers", Kind::Count(10, 1000), Unset::Is("100"), "Header lines of a request; more is answered with 431."),
    row(
        "limits.request_body",
        Kind::Size { least: 0, most: 1 << 50, unlimited: true },
        Unset::Is("unlimited"),
        "The body of a request; more is answered with 413 (RFC 9110 section 15.5.14).",
    ),
    row(
        "limits.request_body_rate",
        Kind::Count(0, 1 << 30),
        Unset::Is("240"),
        "Bytes per second that a client must send of a body. Only the time in which it is waited for counts, beyond `timeouts.request_body_idle`; 0 asks for none.",
    ),
    row(
        "limits.response_rate",
        Kind::Count(0, 1 << 30),
        Unset::Is("240"),
        "Bytes per second that a client must take of a response. Only the time in which it is waited for counts, beyond `timeouts.response_idle`; 0 asks for none.",
    ),
    row(
        "limits.client_connections",
        Kind::Count(0, 1 << 20),
        Unset::Is("0"),
        "Connections that one client may hold: an IPv4 address, or the /64 of an IPv6 address. Trusted proxies are not limited. 0 sets no limit until connections run short.",
    ),
    row(
        "secret.file",
        Kind::Path,
        Unset::Told("`secret/keys` below `$SEALWAX_HOME`, made on first use in development"),
        "The keys that seal cookies (`site.cookies.seal`): one a line, the first seals, all open. `sealwax secret` makes and rotates them. The keys themselves may be given in the variable `SEALWAX_SECRET` instead, by lines or commas.",
    ),
    row(
        "site.hosts",
        Kind::List(Item::Host),
        Unset::Told("`localhost` without a configuration file, else required"),
        "The hosts of the site, by Django's rules: a name, `.example.com` for it and everything below, `*` for all. Requests for other hosts are refused.",
    )
    .flag("--host")
    .django(&["ALLOWED_HOSTS"]),
    row(
        "site.to",
        Kind::List(Item::Upstream),
        Unset::Required,
        "Where the app listens: `http://127.0.0.1:8000` or `unix:/run/app.sock`. Requests are spread over several.",
    )
    .flag("--to"),
    row(
        "site.paths.*",
        Kind::List(Item::Upstream),
        Unset::Told("all paths go to `site.to`"),
        "Another app for a part of the site, under the same policy and the same cookies: `\"/api/\" = [\"http://127.0.0.1:3000\"]`. `/api/` means what lies below it, `/api` also itself; the longest that fits counts, compared byte for byte with the path as the client sent it, which the app gets whole. This shares out work; it protects nothing.",
    ),
    row(
        "site.tls",
        Kind::Word(&["local"]),
        Unset::Told("`local` if every host of the site is a local name, else required with an HTTPS listener"),
        "Where certificates come from: `local` is this machine's own authority, for local names only. Certificate files are named in its place: `tls = { cert = \"…\", key = \"…\" }`.",
    )
    .flag("--tls"),
    row("site.tls.cert", Kind::Path, Unset::Told("none"), "Certificate chain of the site, PEM, its own certificate first.").flag("--cert"),
    row("site.tls.key", Kind::Path, Unset::Told("none"), "Private key of the certificate, PEM.").flag("--key"),
    row(
        "site.mode",
        Kind::Word(&["enforce", "report"]),
        Unset::Is("enforce"),
        "`report` changes no response and refuses nothing by policy, but records what would be done.",
    ),
    row("site.redirect.enabled", Kind::Flag, Unset::Is("true"), "Send plain HTTP to HTTPS.").django(&["SECURE_SSL_REDIRECT"]),
    row(
        "site.redirect.port",
        Kind::Count(1, 65535),
        Unset::Told("the first HTTPS listener's; 443 without one"),
        "The port in the redirect, as visitors reach it.",
    ),
    row(
        "site.redirect.exempt",
        Kind::List(Item::Pattern),
        Unset::Is(""),
        "Paths served over plain HTTP too: regular expressions, searched in the decoded path without its leading slash.",
    )
    .django(&["SECURE_REDIRECT_EXEMPT"]),
    row(
        "site.redirect.refuse",
        Kind::List(Item::Pattern),
        Unset::Is(""),
        "Paths answered with 403 over plain HTTP instead of a redirect, such as `^api/`: an API client should notice.",
    ),
    row(
        "site.hsts.seconds",
        Kind::Duration(Duration::ZERO, seconds(36_500 * DAY)),
        Unset::Is("63072000"),
        "`max-age` of Strict-Transport-Security (RFC 6797) at the end of the ramp; 0 tells browsers to forget. Under Django's name, 0 sends no header, as in Django.",
    )
    .django(&["SECURE_HSTS_SECONDS"]),
    row("site.hsts.include_subdomains", Kind::Flag, Unset::Is("false"), "Adds `includeSubDomains`.").django(&["SECURE_HSTS_INCLUDE_SUBDOMAINS"]),
    row(
        "site.hsts.preload",
        Kind::Flag,
        Unset::Is("false"),
        "Adds `preload`; needs at least 31,536,000 seconds and `include_subdomains`.",
    )
    .django(&["SECURE_HSTS_PRELOAD"]),
    row("site.hsts.ramp", Kind::Flag, Unset::Is("true"), "Grow `max-age` in steps: 5 minutes, 1 day, 30 days, then `seconds`."),
    row(
        "site.hsts.when",
        Kind::Word(&["public", "always", "never"]),
        Unset::Is("public"),
        "`public`: only with a publicly trusted certificate and a public name; `always`: on every response over TLS; `never`: not by the gateway.",
    ),
    row(
        "site.cookies.harden",
        Kind::Word(&["sessions", "all"]),
        Unset::Is("sessions"),
        "Which cookies get `HttpOnly` and a prefix beside `Secure` and `SameSite`: those the app marked HttpOnly and the known session and CSRF cookies, or all.",
    ),
    row(
        "site.cookies.same_site",
        Kind::Word(&["Lax", "Strict", "None"]),
        Unset::Is("Lax"),
        "The least `SameSite` a cookie leaves with; what the app sets more strictly stays, and so does its `None`.",
    ),
    row("site.cookies.prefix", Kind::Flag, Unset::Is("true"), "Give cookies `__Host-` or `__Secure-` towards the browser (RFC 6265bis section 4.1.3)."),
    row(
        "site.cookies.readable",
        Kind::List(Item::CookieName),
        Unset::Is(""),
        "Cookies that scripts read: never renamed, never made HttpOnly. `XSRF-TOKEN` and `_xsrf` always belong to them.",
    ),
    row(
        "site.cookies.migrate",
        Kind::Duration(Duration::ZERO, seconds(400 * DAY)),
        Unset::Is("0s"),
        "How long sessions from before the gateway are still accepted under their old, unprefixed name.",
    ),
    row(
        "site.cookies.rename_domain",
        Kind::List(Item::CookieName),
        Unset::Is(""),
        "Cookies with a `Domain` that get `__Secure-` all the same: every app on the sibling hosts must be behind a gateway with this setting.",
    ),
    row(
        "site.cookies.seal",
        Kind::List(Item::CookieName),
        Unset::Is(""),
        "Cookies whose values the browser gets encrypted and authenticated, for one name and its hosts; the app sets and gets them plain. Needs keys: `secret.file`.",
    ),
    row(
        "site.cookies.legacy_same_site",
        Kind::Flag,
        Unset::Is("false"),
        "Leave `SameSite=None` off for browsers that cannot read it, with `Vary: User-Agent`.",
    ),
    row(
        "site.cookies.names.*.same_site",
        Kind::Word(&["Lax", "Strict", "None"]),
        Unset::Told("`site.cookies.same_site`"),
        "The same for one cookie: `names.sessionid = { same_site = \"None\" }`.",
    )
    .django(&["SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SAMESITE", "LANGUAGE_COOKIE_SAMESITE"]),
    row(
        "site.cookies.names.*.http_only",
        Kind::Flag,
        Unset::Told("by `site.cookies.harden`"),
        "Whether to add `HttpOnly` to this cookie; one that the app set stays.",
    )
    .django(&["SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_HTTPONLY", "LANGUAGE_COOKIE_HTTPONLY"]),
    row("site.cookies.names.*.prefix", Kind::Flag, Unset::Told("by `site.cookies.harden` and `site.cookies.prefix`"), "Whether to give this cookie a prefix."),
    row(
        "site.bind.cookies",
        Kind::List(Item::CookieName),
        Unset::Is(""),
        "Cookies that are bound to the browser's device (Device Bound Session Credentials), by the names that the app gives them: `[\"sessionid\"]`. They are sealed, too. A browser that can proves a key that does not leave the device, again and again; without its proof the app does not get the cookie. Other browsers have the sealed cookie.",
    ),
    row(
        "site.bind.mode",
        Kind::Word(&["enforce", "report"]),
        Unset::Is("enforce"),
        "`report` binds cookies and asks for proofs, but withholds and refuses nothing: it records what would be.",
    ),
    row(
        "site.bind.lifetime",
        Kind::Duration(seconds(5), seconds(DAY)),
        Unset::Is("10m"),
        "How long a proof lasts, and with it whoever copied all cookies. Browsers sign six times in nine minutes at most: under three minutes is for tests.",
    ),
    row(
        "site.bind.born_on",
        Kind::List(Item::Pattern),
        Unset::Is(""),
        "Login pages, such as `^accounts/login/`: the key is made while the form is being filled in, so that the cookie of the login is bound from its first byte. Elsewhere it is bound with the next request.",
    ),
    row(
        "site.bind.fallback",
        Kind::Word(&["allow", "deny"]),
        Unset::Is("allow"),
        "What becomes of a cookie that is not bound yet, where the browser says that its key fails: `deny` withholds it. A bound cookie never goes without its proof.",
    ),
    row(
        "site.bind.fresh.*",
        Kind::Duration(seconds(0), seconds(DAY)),
        Unset::Told("every live proof will do"),
        "Paths that want a younger proof: `\"^account/password\" = \"0s\"` asks the browser for one made for this very request, `\"60s\"` for one of the last minute. Each costs the browser a signature; a script whose request is refused with 403 may send it again.",
    ),
    row(
        "site.notify.url",
        Kind::Webhook,
        Unset::Told("the log alone is told"),
        "A webhook that is told of signs of theft: a bound cookie without its proof, a value sealed for another host. Each event is a JSON object in a POST, once a minute at most, with its count; HTTPS only, but for this machine.",
    ),
    row(
        "site.notify.command",
        Kind::List(Item::Argument),
        Unset::Told("the log alone is told"),
        "A program with its arguments that gets each such event on its standard input, without a shell: `[\"/usr/local/bin/page-us\", \"--team\", \"web\"]`. It has ten seconds.",
    ),
    row(
        "site.headers.preset",
        Kind::Word(&["compatible", "django"]),
        Unset::Is("compatible"),
        "The values of the four headers below: those that break no working app, or Django's defaults.",
    ),
    row(
        "site.headers.content_type_nosniff",
        Kind::Flag,
        Unset::Is("true"),
        "Add `X-Content-Type-Options: nosniff` where the app sends none.",
    )
    .django(&["SECURE_CONTENT_TYPE_NOSNIFF"]),
    row(
        "site.headers.referrer_policy",
        Kind::Words(REFERRER_POLICIES),
        Unset::Told("`strict-origin-when-cross-origin`; with the preset `django` `same-origin`"),
        "Add `Referrer-Policy` where the app sends none.",
    )
    .django(&["SECURE_REFERRER_POLICY"]),
    row(
        "site.headers.cross_origin_opener_policy",
        Kind::Word(&["same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none", "off"]),
        Unset::Told("`same-origin-allow-popups`; with the preset `django` `same-origin`"),
        "Add `Cross-Origin-Opener-Policy` where the app sends none.",
    )
    .django(&["SECURE_CROSS_ORIGIN_OPENER_POLICY"]),
    row(
        "site.headers.x_frame_options",
        Kind::Word(&["DENY", "SAMEORIGIN", "off"]),
        Unset::Told("`SAMEORIGIN`; with the preset `django` `DENY`"),
        "Add `X-Frame-Options` where the app sends neither it nor `frame-ancestors` (RFC 7034).",
    )
    .django(&["X_FRAME_OPTIONS"]),
    row(
        "site.headers.allow_names",
        Kind::List(Item::HeaderName),
        Unset::Is(""),
        "Request headers with `_` or `.` in their name that may reach the app; others are held back.",
    ),
];

/// Something that is refused by name, with what to do instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// A key, or Django's name of a setting.
    pub name: &'static str,
    /// Ends the sentence "`name` …".
    pub why: &'static str,
    /// What to do instead.
    pub mend: &'static str,
}

const LATER: &str = "is not in this version";

/// Keys that are planned, and keys that will never be.
pub static REFUSED_KEYS: &[Refused] = &[
    Refused {
        name: "listen.admin",
        why: LATER,
        mend: "leave it out; the health page is /.sealwax/health on every listener",
    },
    Refused {
        name: "store",
        why: LATER,
        mend: "leave it out; what the gateway remembers is kept under $SEALWAX_HOME",
    },
    Refused {
        name: "site.csrf",
        why: LATER,
        mend: "leave it out; the app's own CSRF protection works unchanged behind the gateway",
    },
    Refused {
        name: "site.csp",
        why: LATER,
        mend: "leave it out; a Content-Security-Policy that the app sends passes unchanged",
    },
];

/// Settings of Django that are not taken over, and why.
pub static REFUSED_DJANGO: &[Refused] = &[
    Refused {
        name: "SECURE_SSL_HOST",
        why: "is not offered: a redirect to another host would take visitors away from the one they asked for",
        mend: "leave it out; the redirect keeps the host of the request",
    },
    Refused {
        name: "SECURE_PROXY_SSL_HEADER",
        why: "belongs in Django's own settings",
        mend: "in Django set SECURE_PROXY_SSL_HEADER = (\"HTTP_X_FORWARDED_PROTO\", \"https\"); proxies in front of the gateway are named in `proxies.trusted`",
    },
    Refused {
        name: "USE_X_FORWARDED_HOST",
        why: "is not needed: the app gets the Host as it was sent",
        mend: "leave it out",
    },
    Refused {
        name: "USE_X_FORWARDED_PORT",
        why: "is not needed: the app gets the Host with its port as it was sent",
        mend: "leave it out",
    },
    Refused {
        name: "SECURE_CSP",
        why: LATER,
        mend: "set it in Django; the header passes unchanged",
    },
    Refused {
        name: "SECURE_CSP_REPORT_ONLY",
        why: LATER,
        mend: "set it in Django; the header passes unchanged",
    },
    Refused {
        name: "CSRF_TRUSTED_ORIGINS",
        why: LATER,
        mend: "set it in Django; behind the gateway it is needed only for origins of other sites",
    },
    Refused {
        name: "CSRF_USE_SESSIONS",
        why: "belongs in Django's own settings",
        mend: "set it in Django",
    },
    Refused {
        name: "SESSION_COOKIE_AGE",
        why: "belongs in Django's own settings",
        mend: "set it in Django; the gateway leaves the lifetime of a cookie alone",
    },
    Refused {
        name: "SESSION_COOKIE_DOMAIN",
        why: "belongs in Django's own settings",
        mend: "set it in Django; the gateway leaves the domain of a cookie alone",
    },
    Refused {
        name: "SESSION_COOKIE_PATH",
        why: "belongs in Django's own settings",
        mend: "set it in Django; the gateway leaves the path of a cookie alone",
    },
    Refused {
        name: "CSRF_COOKIE_AGE",
        why: "belongs in Django's own settings",
        mend: "set it in Django; the gateway leaves the lifetime of a cookie alone",
    },
    Refused {
        name: "CSRF_COOKIE_DOMAIN",
        why: "belongs in Django's own settings",
        mend: "set it in Django; the gateway leaves the domain of a cookie alone",
    },
    Refused {
        name: "CSRF_COOKIE_PATH",
        why: "belongs in Django's own settings",
        mend: "set it in Django; the gateway leaves the path of a cookie alone",
    },
];
