use std::fmt;

/// Why an unsafe request was refused. The texts are Django's, where Django has
/// the same reason. For logs and development: they repeat what the client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The `Origin` is neither the site's own nor trusted.
    BadOrigin(String),
    /// The `Referer`, here put together from its parts, names another site.
    BadReferer(String),
    /// HTTPS without `Origin` and `Referer`.
    NoReferer,
    /// The `Referer` is no URL with scheme and host.
    MalformedReferer,
    /// The `Referer` is not an `https` URL.
    InsecureReferer,
    /// The browser says (`Sec-Fetch-Site`) that another site sent the request,
    /// and names no origin.
    OtherSite(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadOrigin(origin) => write!(
                f,
                "Origin checking failed - {origin} does not match any trusted origins."
            ),
            Self::BadReferer(url) => write!(
                f,
                "Referer checking failed - {url} does not match any trusted origins."
            ),
            Self::NoReferer => f.write_str("Referer checking failed - no Referer."),
            Self::MalformedReferer => {
                f.write_str("Referer checking failed - Referer is malformed.")
            }
            Self::InsecureReferer => {
                f.write_str("Referer checking failed - Referer is insecure while host is secure.")
            }
            Self::OtherSite(site) => write!(
                f,
                "Fetch Metadata checking failed - the request is {site} and names no trusted origin."
            ),
        }
    }
}
