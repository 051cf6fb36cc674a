//! Cookie names that carry a login or a CSRF secret wherever they appear.

use crate::look_alike::folded;

/// What a well-known cookie is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// Half of a CSRF token pair.
    Csrf,
    /// Signed one-time messages that a framework keeps in a cookie.
    Messages,
    /// A long-lived "remember me" login.
    Remember,
    /// A session identifier, or the whole session, signed or encrypted.
    Session,
}

/// The session and CSRF cookies of frameworks: name, framework, kind. A name that ends in `*`
/// stands for every name that begins so. Names are case-sensitive.
///
/// Not here, on purpose:
/// * names made for scripts to read (see [`READABLE_BY_DEFAULT`]);
/// * single sign-on cookies that another host usually sets for the whole domain (`LtpaToken2`,
///   `.ASPXAUTH`), since a protected name is accepted only as this site's app sent it;
/// * names whose framework prefixes them itself on HTTPS (`authjs.*`, `next-auth.*`,
///   `better-auth.*`): they are marked `HttpOnly`, which earns them the full treatment, and as
///   unprotected names they pass in either spelling until the app's own choice is known.
pub const WELL_KNOWN: &[(&str, &str, Kind)] = &[
    // Exact names, in the order of their bytes (the lookup needs it, a test holds it).
    (".AspNetCore.Cookies", "ASP.NET Core", Kind::Session),
    (
        ".AspNetCore.Identity.Application",
        "ASP.NET Core Identity",
        Kind::Session,
    ),
    (".AspNetCore.Session", "ASP.NET Core", Kind::Session),
    ("AIOHTTP_SESSION", "aiohttp-session", Kind::Session),
    ("ASP.NET_SessionId", "ASP.NET", Kind::Session),
    ("CAKEPHP", "CakePHP", Kind::Session),
    ("CFID", "ColdFusion", Kind::Session),
    ("CFTOKEN", "ColdFusion", Kind::Session),
    (
        "JSESSIONID",
        "Servlet containers (Tomcat, Jetty, WildFly)",
        Kind::Session,
    ),
    ("PHPSESSID", "PHP", Kind::Session),
    ("PLAY_SESSION", "Play", Kind::Session),
    ("REMEMBERME", "Symfony", Kind::Remember),
    ("REVEL_SESSION", "Revel", Kind::Session),
    ("SESSION", "Spring Session", Kind::Session),
    ("__RequestVerificationToken", "ASP.NET MVC", Kind::Csrf),
    ("_buffalo_session", "Buffalo", Kind::Session),
    ("_csrf", "csurf, Yii", Kind::Csrf),
    ("_gorilla_csrf", "gorilla/csrf", Kind::Csrf),
    ("_session_id", "Rails", Kind::Session),
    ("auth_tkt", "Pyramid", Kind::Session),
    ("be_typo_user", "TYPO3", Kind::Session),
    ("beaker.session.id", "Beaker", Kind::Session),
    ("beegosessionID", "Beego", Kind::Session),
    ("ci_session", "CodeIgniter", Kind::Session),
    ("connect.sid", "express-session", Kind::Session),
    ("csrftoken", "Django", Kind::Csrf),
    ("dancer.session", "Dancer", Kind::Session),
    ("express:sess", "cookie-session", Kind::Session),
    ("express:sess.sig", "cookie-session", Kind::Session),
    ("fe_typo_user", "TYPO3", Kind::Session),
    ("koa.sess", "koa-session", Kind::Session),
    ("koa.sess.sig", "koa-session", Kind::Session),
    ("koa:sess", "koa-session", Kind::Session),
    ("koa:sess.sig", "koa-session", Kind::Session),
    ("laravel_session", "Laravel", Kind::Session),
    ("messages", "Django", Kind::Messages),
    ("mojolicious", "Mojolicious", Kind::Session),
    ("plack_session", "Plack", Kind::Session),
    ("rack.session", "Rack", Kind::Session),
    ("remember-me", "Spring Security", Kind::Remember),
    ("remember_token", "Flask-Login", Kind::Remember),
    ("remember_user_token", "Devise", Kind::Remember),
    ("sails.sid", "Sails", Kind::Session),
    (
        "session",
        "Flask, Starlette, cookie-session, hapi",
        Kind::Session,
    ),
    ("session.sig", "cookie-session", Kind::Session),
    ("sessionid", "Django", Kind::Session),
    ("symfony", "symfony 1", Kind::Session),
    // Beginnings of names.
    (".AspNetCore.Antiforgery.*", "ASP.NET Core", Kind::Csrf),
    ("ASPSESSIONID*", "Classic ASP", Kind::Session),
    ("MoodleSession*", "Moodle", Kind::Session),
    ("SSESS*", "Drupal", Kind::Session),
    ("__RequestVerificationToken_*", "ASP.NET MVC", Kind::Csrf),
    ("remember_web_*", "Laravel", Kind::Remember),
    ("wordpress_logged_in_*", "WordPress", Kind::Session),
    ("wordpress_sec_*", "WordPress", Kind::Session),
];

/// Names that exist for scripts to read, and are therefore neither renamed nor made `HttpOnly`
/// unless a rule for the name says so: Angular's and axios's, and Tornado's.
pub const READABLE_BY_DEFAULT: &[&str] = &["XSRF-TOKEN", "_xsrf"];

/// How many exact names stand in front of the beginnings.
const EXACT: usize = {
    let mut count = 0;
    while count < WELL_KNOWN.len() && !matches!(WELL_KNOWN[count].0.as_bytes(), [.., b'*']) {
        count += 1;
    }
    count
};

/// For each first byte of an entry, the lengths (below 64) that a match may have, one bit each.
/// Most cookies of a request are not well known, and this says so without a search.
const LENGTHS: [u64; 256] = {
    let mut lengths = [0; 256];
    let mut at = 0;
    while at < WELL_KNOWN.len() {
        let name = WELL_KNOWN[at].0.as_bytes();
        assert!(name.len() < 64, "a longer name needs a wider mask");
        lengths[name[0] as usize] |= if at < EXACT {
            1 << name.len()
        } else {
            // What it stands for is as long as the entry without its `*`, or longer.
            u64::MAX << (name.len() - 1)
        };
        at += 1;
    }
    lengths
};

/// The same as [`LENGTHS`] for names as the most forgiving server reads them.
const FOLDED_LENGTHS: [u64; 256] = {
    let mut lengths = [0; 256];
    let mut first = 0;
    while first < 256 {
        lengths[folded(first as u8) as usize] |= LENGTHS[first];
        first += 1;
    }
    lengths
};

/// Whether a folded name has the beginning and the length of a well-known one.
pub(crate) fn may_be_well_known(fold: &[u8]) -> bool {
    // 256 places, and a shift of at most 63: nothing is out of bounds.
    let lengths = fold
        .first()
        .map_or(0, |first| FOLDED_LENGTHS[usize::from(*first)]);
    lengths >> fold.len().min(63) & 1 != 0
}

/// The places of the exact names in [`WELL_KNOWN`], each where [`place`] says or behind it, before
/// the next gap: most lookups end with one comparison or none.
const EXACT_PLACES: [u8; PLACES] = {
    let mut places = [GAP; PLACES];
    let mut at = 0;
    while at < EXACT {
        let mut place = place(WELL_KNOWN[at].0.as_bytes());
        while places[place] != GAP {
            place = (place + 1) % PLACES;
        }
        places[place] = at as u8;
        at += 1;
    }
    places
};

/// A power of two, and several times as many as there are names.
const PLACES: usize = 256;
const GAP: u8 = u8::MAX;
const _: () = assert!(EXACT < PLACES / 4 && EXACT < GAP as usize);

/// Where to look for `name` first: by its length and three of its bytes, which tells nearly all of
/// the table apart.
const fn place(name: &[u8]) -> usize {
    match name {
        [first, second, .., last] => {
            (*first as usize + 2 * *second as usize + 8 * *last as usize + 5 * name.len()) % PLACES
        }
        _ => 0,
    }
}

/// For each byte, whether one of the beginnings of names begins with it.
const BEGINS: [bool; 256] = {
    let mut begins = [false; 256];
    let mut at = EXACT;
    while at < WELL_KNOWN.len() {
        begins[WELL_KNOWN[at].0.as_bytes()[0] as usize] = true;
        at += 1;
    }
    begins
};

/// What the cookie `name` is for, if it is well known.
///
/// ```
/// use sealwax_cookie::{Kind, well_known};
/// assert_eq!(well_known(b"sessionid"), Some(Kind::Session));
/// assert_eq!(well_known(b".AspNetCore.Antiforgery.cdV5uW_Ejgc"), Some(Kind::Csrf));
/// assert_eq!(well_known(b"theme"), None);
/// ```
pub fn well_known(name: &[u8]) -> Option<Kind> {
    let mut place = place(name);
    // A place is below 256, and so is each next one: nothing is out of bounds.
    while let Some((known, _, kind)) = WELL_KNOWN.get(usize::from(EXACT_PLACES[place])) {
        if known.as_bytes() == name {
            return Some(*kind);
        }
        place = (place + 1) % PLACES;
    }
    if !BEGINS[usize::from(*name.first()?)] {
        return None;
    }
    WELL_KNOWN
        .get(EXACT..)?
        .iter()
        .find(|(known, ..)| {
            known
                .strip_suffix('*')
                .is_some_and(|k| name.starts_with(k.as_bytes()))
        })
        .map(|(.., kind)| *kind)
}

/// Whether `name` is the CSRF cookie of a framework.
pub fn is_csrf_name(name: &[u8]) -> bool {
    well_known(name) == Some(Kind::Csrf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs::name_flaw;
    use crate::prefix::Prefix;

    #[test]
    fn the_table_is_sorted_and_every_entry_is_found() {
        let (exact, beginnings) = WELL_KNOWN.split_at(EXACT);
        assert!(exact.is_sorted_by(|a, b| a.0.as_bytes() < b.0.as_bytes()));
        assert!(beginnings.is_sorted_by(|a, b| a.0.as_bytes() < b.0.as_bytes()));
        assert!(beginnings.iter().all(|(name, ..)| name.ends_with('*')));
        for (name, _, kind) in exact {
            assert_eq!(well_known(name.as_bytes()), Some(*kind), "{name}");
        }
        for (name, _, kind) in beginnings {
            let begun = format!("{}xyz", name.trim_end_matches('*'));
            assert_eq!(well_known(begun.as_bytes()), Some(*kind), "{name}");
        }
    }

    #[test]
    fn entries_are_names_an_app_can_get_back_and_we_can_prefix() {
        for (name, ..) in WELL_KNOWN {
            assert_eq!(
                name_flaw(name.trim_end_matches('*').as_bytes()),
                None,
                "{name}"
            );
            assert!(Prefix::split(name.as_bytes()).is_none(), "{name}");
        }
        for name in READABLE_BY_DEFAULT {
            assert_eq!(well_known(name.as_bytes()), None, "{name} cannot be both");
        }
    }

    #[test]
    fn names_are_case_sensitive_and_whole() {
        for name in [
            "Sessionid",
            "sessionid2",
            "sessioni",
            "",
            "PHPSESSID ",
            "theme",
        ] {
            assert_eq!(well_known(name.as_bytes()), None, "{name}");
        }
        assert!(is_csrf_name(b"csrftoken") && !is_csrf_name(b"sessionid"));
    }
}
