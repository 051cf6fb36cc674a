//! User agents that mistake `SameSite=None`.
//!
//! Chromium's project page on clients incompatible with `SameSite=None` (2019-11-18) names four
//! families. Some drop such a cookie, some read it as `Strict`; for all of them the cure is to
//! leave the attribute off. A response that depends on this needs `Vary: User-Agent`.

/// Whether the client that sends this `User-Agent` value must not be given `SameSite=None`:
///
/// * Chrome and Chromium 51 to 66 (the cookie is dropped),
/// * UC Browser before 12.13.2 (dropped),
/// * every browser on iOS 12 (read as `Strict`),
/// * Safari and embedded WebKit views on macOS 10.14 (read as `Strict`).
pub fn cannot_read_none(user_agent: &[u8]) -> bool {
    is_ios_12(user_agent)
        || is_webkit_on_macos_10_14(user_agent)
        || drops_unknown_same_site(user_agent)
}

/// `\(iP.+; CPU .*OS (\d+)[_\d]*.*\) AppleWebKit/` with 12 as the number.
fn is_ios_12(ua: &[u8]) -> bool {
    let Some(device) = after(ua, b"(iP") else {
        return false;
    };
    let Some(system) = device.get(1..).and_then(|rest| after(rest, b"; CPU ")) else {
        return false;
    };
    let Some(system) = before_last(system, b") AppleWebKit/") else {
        return false;
    };
    last_numbers(system, b"OS ").is_some_and(|rest| number(rest).0 == Some(12))
}

/// `\(Macintosh;.*Mac OS X (\d+)_(\d+)[_\d]*.*\) AppleWebKit/` with 10 and 14, and the browser is
/// Safari or no browser by name.
fn is_webkit_on_macos_10_14(ua: &[u8]) -> bool {
    let Some(machine) = after(ua, b"(Macintosh;") else {
        return false;
    };
    let Some(system) = before_last(machine, b") AppleWebKit/") else {
        return false;
    };
    let Some(version) = last_numbers(system, b"Mac OS X ") else {
        return false;
    };
    let (major, rest) = number(version);
    let minor = rest.strip_prefix(b"_").and_then(|rest| number(rest).0);
    (major, minor) == (Some(10), Some(14)) && (is_safari(ua) || is_embedded_on_mac(ua))
}

/// `Version/.* Safari/`, and not Chromium, which carries both words too.
fn is_safari(ua: &[u8]) -> bool {
    after(ua, b"Version/").is_some_and(|rest| after(rest, b" Safari/").is_some())
        && !is_chromium_based(ua)
}

/// `^Mozilla/[.\d]+ \(Macintosh;.*Mac OS X [_\d]+\) AppleWebKit/[.\d]+ \(KHTML, like Gecko\)$`
fn is_embedded_on_mac(ua: &[u8]) -> bool {
    let Some(rest) = ua.strip_prefix(b"Mozilla/") else {
        return false;
    };
    let Some(rest) = skip(rest, is_version_byte) else {
        return false;
    };
    if !rest.starts_with(b" (Macintosh;") {
        return false;
    }
    let Some(rest) = rest.strip_suffix(b" (KHTML, like Gecko)") else {
        return false;
    };
    let Some((head, version)) = split_last(rest, b") AppleWebKit/") else {
        return false;
    };
    let Some((_, system)) = split_last(head, b"Mac OS X ") else {
        return false;
    };
    let is_system_byte = |byte: u8| byte == b'_' || byte.is_ascii_digit();
    skip(version, is_version_byte) == Some(&[]) && skip(system, is_system_byte) == Some(&[])
}

fn drops_unknown_same_site(ua: &[u8]) -> bool {
    // UC Browser first: it names a Chromium version as well.
    if let Some(version) = after(ua, b"UCBrowser/") {
        let (major, rest) = number(version);
        let (minor, rest) = number(rest.strip_prefix(b".").unwrap_or_default());
        let (build, _) = number(rest.strip_prefix(b".").unwrap_or_default());
        // A version that cannot be read counts as an old one, as in the published rule.
        return match (major, minor, build) {
            (Some(major), Some(minor), Some(build)) => (major, minor, build) < (12, 13, 2),
            _ => true,
        };
    }
    is_chromium_based(ua) && chromium_major(ua).is_some_and(|major| (51..67).contains(&major))
}

fn is_chromium_based(ua: &[u8]) -> bool {
    after(ua, b"Chrome").is_some() || after(ua, b"Chromium").is_some()
}

/// The number of the first `Chrom[^ /]+/(\d+)`.
fn chromium_major(mut ua: &[u8]) -> Option<u32> {
    while let Some(rest) = after(ua, b"Chrom") {
        let word = rest
            .iter()
            .take_while(|byte| !matches!(byte, b' ' | b'/'))
            .count();
        let tail = rest.get(word..).unwrap_or_default();
        if word > 0
            && let Some(version) = tail.strip_prefix(b"/")
            && let (Some(major), _) = number(version)
        {
            return Some(major);
        }
        ua = rest;
    }
    None
}

/// What follows the first `needle`.
fn after<'a>(text: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    let at = text
        .windows(needle.len())
        .position(|window| window == needle)?;
    text.get(at + needle.len()..)
}

/// What stands before and after the last `needle`.
fn split_last<'a>(text: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text
        .windows(needle.len())
        .rposition(|window| window == needle)?;
    Some((text.get(..at)?, text.get(at + needle.len()..)?))
}

fn before_last<'a>(text: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    split_last(text, needle).map(|(before, _)| before)
}

/// What follows the last `needle` that a digit follows: greedy `.*` in the published patterns.
fn last_numbers<'a>(mut text: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    while let Some((before, rest)) = split_last(text, needle) {
        if rest.first().is_some_and(u8::is_ascii_digit) {
            return Some(rest);
        }
        text = before;
    }
    None
}

/// The digits at the front as a number, and what follows them.
fn number(text: &[u8]) -> (Option<u32>, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count).unwrap_or_default();
    let value = digits.iter().fold(0u32, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    ((count > 0).then_some(value), rest)
}

/// Skips one or more bytes of a class.
fn skip(text: &[u8], class: impl Fn(u8) -> bool) -> Option<&[u8]> {
    let count = text.iter().take_while(|byte| class(**byte)).count();
    if count == 0 { None } else { text.get(count..) }
}

fn is_version_byte(byte: u8) -> bool {
    byte == b'.' || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IOS: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 12_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1";
    const IPAD_CHROME: &str = "Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/79.0.3945.73 Mobile/15E148 Safari/605.1";
    const MAC_SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Safari/605.1.15";
    const MAC_VIEW: &str =
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko)";
    const MAC_CHROME: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.87 Safari/537.36";
    const CHROME_60: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/60.0.3112.90 Safari/537.36";
    const UC_OLD: &str = "Mozilla/5.0 (Linux; U; Android 8.1.0; en-US; Redmi) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/57.0.2987.108 UCBrowser/12.13.0.1207 Mobile Safari/537.36";

    fn cannot(ua: &str) -> bool {
        cannot_read_none(ua.as_bytes())
    }

    #[test]
    fn every_browser_on_ios_12() {
        assert!(cannot(IOS));
        assert!(cannot(IPAD_CHROME));
        assert!(!cannot(&IOS.replace("12_4_1", "13_1")));
        assert!(!cannot(&IOS.replace("12_4_1", "11_4")));
        assert!(!cannot(&IOS.replace("12_4_1", "121_4")));
    }

    #[test]
    fn safari_and_embedded_webkit_on_macos_10_14() {
        assert!(cannot(MAC_SAFARI));
        assert!(cannot(MAC_VIEW));
        assert!(cannot(&MAC_VIEW.replace("10_14_6", "10_14")));
        assert!(!cannot(&MAC_SAFARI.replace("10_14_6", "10_15_1")));
        assert!(!cannot(&MAC_VIEW.replace("10_14_6", "10_13_6")));
        assert!(!cannot(MAC_CHROME), "Chromium on macOS 10.14 reads None");
        // Firefox on the same system has no AppleWebKit token; a view with a name is not one.
        assert!(!cannot(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.14; rv:70.0) Gecko/20100101 Firefox/70.0"
        ));
        assert!(!cannot(&format!("{MAC_VIEW} Slack/4")));
    }

    #[test]
    fn chromium_51_to_66() {
        for (major, expected) in [(50, false), (51, true), (60, true), (66, true), (67, false)] {
            let ua = CHROME_60.replace("Chrome/60", &format!("Chrome/{major}"));
            assert_eq!(cannot(&ua), expected, "{ua}");
            assert_eq!(
                cannot(&ua.replace("Chrome/", "Chromium/")),
                expected,
                "{ua}"
            );
        }
        assert!(!cannot(&CHROME_60.replace("Chrome/60", "Chrome/156")));
        assert!(!cannot("Chrome"));
        assert!(!cannot("Chrom/55 Chrome/x"));
        assert!(cannot("HeadlessChrome/55.0"));
    }

    #[test]
    fn uc_browser_before_12_13_2_whatever_its_chromium() {
        assert!(cannot(UC_OLD));
        assert!(cannot(&UC_OLD.replace("12.13.0.1207", "11.9.9.1")));
        assert!(!cannot(&UC_OLD.replace("12.13.0.1207", "12.13.2.1208")));
        assert!(!cannot(&UC_OLD.replace("12.13.0.1207", "12.14.0.1")));
        assert!(!cannot(&UC_OLD.replace("12.13.0.1207", "13.0.0.1")));
        assert!(cannot("UCBrowser/"));
    }

    #[test]
    fn everything_else_reads_none() {
        for ua in [
            "",
            "curl/8.5.0",
            "(iP",
            "(iPhone; CPU ) AppleWebKit/",
            "(Macintosh;",
            "\u{fffd}",
        ] {
            assert!(!cannot(ua), "{ua}");
        }
        assert!(!cannot_read_none(&[0xff; 64]));
        assert!(!cannot(
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
        ));
    }
}
