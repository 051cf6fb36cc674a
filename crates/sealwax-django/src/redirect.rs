//! Where a `next` parameter may lead.

/// The longest URL that is looked at, in bytes; Django's limit as well, where its version has one.
const LONGEST: usize = 2048;

/// Whether a redirect to `url` stays on the site: Django's `url_has_allowed_host_and_scheme`. A path
/// (`/orders?page=2`, `orders`, `?page=2`) does; so does a URL whose host and port are literally one
/// of `allowed_hosts`, over HTTP or HTTPS, or over HTTPS alone with `require_https`.
///
/// What Django refuses is refused. More is: whatever browsers and servers could read in two ways, and
/// what cannot stand in `Location` as it is. These are characters other than visible ASCII, `\\`, a
/// colon in the first segment that ends no scheme, and `//` without a host.
///
/// ```
/// use sealwax_django::url_has_allowed_host_and_scheme as good;
///
/// let hosts = ["shop.example"];
/// assert!(good("/orders?page=2", &hosts, true));
/// assert!(good("https://shop.example/orders", &hosts, true));
/// assert!(!good("http://shop.example/orders", &hosts, true));
/// for evil in ["//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"] {
///     assert!(!good(evil, &hosts, false), "{evil}");
/// }
/// ```
#[must_use]
pub fn url_has_allowed_host_and_scheme(
    url: &str,
    allowed_hosts: &[impl AsRef<str>],
    require_https: bool,
) -> bool {
    let plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if url.is_empty() || url.len() > LONGEST || !plain || url.starts_with("///") {
        return false;
    }
    let (scheme, rest) = match scheme(url) {
        Scheme::None => (None, url),
        Scheme::Known(https, rest) => (Some(https), rest),
        Scheme::Other => return false,
    };
    match (scheme, rest.strip_prefix("//")) {
        // A path.
        (None, None) => true,
        // `https:host` and `https:/host`, which browsers repair to `https://host`.
        (Some(_), None) => false,
        // Without a scheme it counts as the weaker one.
        (https, Some(rest)) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let host = rest.get(..end).unwrap_or_default();
            let allowed = allowed_hosts.iter().any(|allowed| allowed.as_ref() == host);
            !host.is_empty() && allowed && (https == Some(true) || !require_https)
        }
    }
}

enum Scheme<'u> {
    None,
    /// Whether it is HTTPS, and what follows the colon.
    Known(bool, &'u str),
    Other,
}

/// What stands before the first colon, unless a path, query or fragment has begun (RFC 3986 §4.2: the
/// first segment of a relative path has none).
fn scheme(url: &str) -> Scheme<'_> {
    match url.find([':', '/', '?', '#']) {
        Some(at) if url.as_bytes().get(at) == Some(&b':') => {
            let (scheme, rest) = url.split_at(at);
            let rest = rest.get(1..).unwrap_or_default();
            if scheme.eq_ignore_ascii_case("https") {
                Scheme::Known(true, rest)
            } else if scheme.eq_ignore_ascii_case("http") {
                Scheme::Known(false, rest)
            } else {
                Scheme::Other
            }
        }
        _ => Scheme::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_the_site_is_good() {
        for good in [
            "/",
            "/a//b?next=//evil.example#x",
            "/a:b",
            "orders",
            "?page=2",
            "#top",
            "./a:b",
            "https://a.example",
            "HTTPS://a.example/x",
            "https://b.example:8443?x",
        ] {
            let hosts = ["a.example", "b.example:8443"];
            assert!(
                url_has_allowed_host_and_scheme(good, &hosts, true),
                "{good}"
            );
        }
        let hosts = ["a.example"];
        for weak in ["http://a.example/", "//a.example/x"] {
            assert!(
                url_has_allowed_host_and_scheme(weak, &hosts, false),
                "{weak}"
            );
            assert!(
                !url_has_allowed_host_and_scheme(weak, &hosts, true),
                "{weak}"
            );
        }
    }

    #[test]
    fn what_leads_elsewhere_or_could_be_read_so_is_refused() {
        let long = format!("/{}", "a".repeat(LONGEST));
        for bad in [
            "",
            " ",
            long.as_str(),
            "//evil",
            "///evil",
            "////evil",
            "//",
            "//?a.example",
            "/\\evil",
            "\\\\evil",
            "/a\\b",
            "https:evil",
            "https:/evil",
            "https:a.example",
            "https:///evil",
            "https://evil",
            "https://a.example@evil/",
            "https://user@a.example/",
            "https://a.example:443/",
            "https://a.example\\@evil",
            "https://A.EXAMPLE/",
            "http:///a.example",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "ftp://a.example/",
            "1:2",
            ":x",
            "a.example:443/x",
            "\u{8}//evil",
            " //evil",
            "/\t/evil",
            "/\r\nSet-Cookie: a=b",
            "/p\u{e4}th",
            "\u{ff0f}\u{ff0f}evil",
            "\u{2028}/a",
            "https://a.example\u{2024}evil",
        ] {
            let hosts = ["a.example"];
            assert!(
                !url_has_allowed_host_and_scheme(bad, &hosts, false),
                "{bad:?}"
            );
        }
    }
}
