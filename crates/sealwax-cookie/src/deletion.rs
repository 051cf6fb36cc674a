//! Deleting a cookie in every form in which the client may hold it.

use crate::form::{Form, Forms};
use crate::harden::{Demand, Rename, harden};
use crate::prefix::Prefix;
use crate::set_cookie::SetCookie;

/// The field values that carry out the deletion which the app wrote in `cookie` (see
/// [`SetCookie::is_deletion`]).
///
/// First the name as the app wrote it, then the prefixed name that the cookie may have left under.
/// `forms` are the forms known of this name (an `Option<Known>` will do), empty when nothing is
/// known. The prefixed deletion is
/// left out only where the name is known never to have been renamed, or keeps its name for its
/// `Domain`: apps rarely repeat `HttpOnly` when they delete, so `demand` alone does not tell.
///
/// As in a browser without us, a deletion reaches the cookie of its own path and domain only.
pub fn deletions(
    cookie: &SetCookie<'_>,
    request_path: &[u8],
    demand: &Demand,
    forms: impl Into<Forms>,
) -> Vec<Vec<u8>> {
    let forms = forms.into();
    let bare = harden(
        cookie,
        request_path,
        &Demand {
            rename: Rename::Never,
            ..*demand
        },
    );
    let mut fields = vec![bare.field.into_owned()];

    let may_be_renamed = demand.rename != Rename::Never || forms.is_empty() || forms.any_renamed();
    if bare.form == Form::AppPrefixed || !may_be_renamed {
        return fields;
    }
    let rename = if demand.rename == Rename::EvenWithDomain || forms.contains(Form::Secure) {
        Rename::EvenWithDomain
    } else {
        Rename::HostOnly
    };
    // A prefixed cookie without Secure would be refused, and with it its deletion.
    let renamed = harden(
        cookie,
        request_path,
        &Demand {
            rename,
            secure: true,
            ..*demand
        },
    );
    if renamed.form.is_renamed() {
        fields.push(renamed.field.into_owned());
    }
    fields
}

/// A deletion of `name` (without a prefix of ours) in one `form` that the client holds and should
/// not.
///
/// It reaches the host-only cookie with `Path=/`; one with a `Domain` or another path cannot be
/// told from the request and stays.
pub fn delete_stale(name: &[u8], form: Form) -> Vec<u8> {
    delete_stale_at(name, form, b"/")
}

/// [`delete_stale`] for a cookie whose path is known.
pub fn delete_stale_at(name: &[u8], form: Form, path: &[u8]) -> Vec<u8> {
    let prefix = match form {
        Form::Host => Prefix::Host.as_str(),
        Form::Secure => Prefix::Secure.as_str(),
        Form::Bare | Form::BareDomain | Form::BareLong | Form::AppPrefixed => "",
    };
    let path = if form == Form::Host { b"/" } else { path };
    let attributes = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; \
                      HttpOnly; SameSite=Lax";
    [
        prefix.as_bytes(),
        name,
        b"=; Path=",
        path,
        attributes.as_bytes(),
    ]
    .concat()
}

/// The forms to delete when a name goes out in `form`, given the forms `known` of it: those that
/// would beat the new cookie on its way back.
///
/// `__Host-` beats every other form, so a name that falls back to its own (too long for a prefix,
/// or with a `Domain` since a change of settings) would lose to the old cookie for ever.
pub fn superseded(form: Form, known: Forms) -> Forms {
    match form {
        Form::Bare | Form::BareDomain | Form::BareLong => {
            known.iter().filter(|form| form.is_renamed()).collect()
        }
        // Path decides between these two, and both may be in use at once.
        Form::Host | Form::Secure | Form::AppPrefixed => Forms::EMPTY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::same_site::SameSite;

    const DEMAND: Demand = Demand {
        secure: true,
        http_only: true,
        same_site: Some(SameSite::Lax),
        rename: Rename::HostOnly,
        legacy_client: false,
    };
    const UNPROTECTED: Demand = Demand {
        http_only: false,
        rename: Rename::Never,
        ..DEMAND
    };

    fn delete(field: &str, path: &str, demand: &Demand, forms: Forms) -> Vec<String> {
        let cookie = SetCookie::parse(field.as_bytes()).unwrap();
        assert!(cookie.is_deletion(1_764_000_000));
        let fields = deletions(&cookie, path.as_bytes(), demand, forms);
        for field in &fields {
            let cookie = SetCookie::parse(field).unwrap();
            assert!(cookie.is_deletion(1_764_000_000) && cookie.secure());
        }
        fields
            .into_iter()
            .map(|field| String::from_utf8(field).unwrap())
            .collect()
    }

    #[test]
    fn a_protected_name_is_deleted_in_both_forms_with_the_same_attributes() {
        let django = r#"sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"#;
        assert_eq!(
            delete(django, "/logout/", &DEMAND, Forms::EMPTY),
            [
                format!("{django}; Secure; HttpOnly"),
                format!("__Host-{django}; Secure; HttpOnly")
            ]
        );
    }

    #[test]
    fn the_prefixed_form_follows_path_and_domain() {
        assert_eq!(
            delete("a=; Max-Age=0; Path=/x", "/", &DEMAND, Forms::EMPTY),
            [
                "a=; Max-Age=0; Path=/x; Secure; HttpOnly; SameSite=Lax",
                "__Secure-a=; Max-Age=0; Path=/x; Secure; HttpOnly; SameSite=Lax"
            ]
        );
        assert_eq!(
            delete("a=; Max-Age=0", "/logout", &UNPROTECTED, Forms::EMPTY),
            [
                "a=; Max-Age=0; Secure; SameSite=Lax",
                "__Host-a=; Max-Age=0; Path=/; Secure; SameSite=Lax"
            ]
        );
        let domain = "a=; Max-Age=0; Path=/; Domain=x.test";
        assert_eq!(delete(domain, "/", &DEMAND, Form::Host.into()).len(), 1);
        for (demand, forms) in [
            (
                Demand {
                    rename: Rename::EvenWithDomain,
                    ..DEMAND
                },
                Forms::EMPTY,
            ),
            (UNPROTECTED, Form::Secure.into()),
        ] {
            let fields = delete(domain, "/", &demand, forms);
            assert!(fields[1].starts_with("__Secure-a=; Max-Age=0; Path=/; Domain=x.test"));
        }
    }

    #[test]
    fn what_was_never_renamed_is_deleted_once() {
        let field = "theme=; Max-Age=0; Path=/";
        assert_eq!(delete(field, "/", &UNPROTECTED, Form::Bare.into()).len(), 1);
        assert_eq!(delete(field, "/", &UNPROTECTED, Forms::EMPTY).len(), 2);
        assert_eq!(delete(field, "/", &UNPROTECTED, Form::Host.into()).len(), 2);
        assert_eq!(delete(field, "/", &DEMAND, Form::Bare.into()).len(), 2);
    }

    #[test]
    fn a_prefixed_deletion_is_secure_whatever_the_site_demands() {
        let cookie = SetCookie::parse(b"a=; Max-Age=0; Path=/").unwrap();
        let insecure = Demand {
            secure: false,
            ..DEMAND
        };
        let fields = deletions(&cookie, b"/", &insecure, Form::Host);
        assert_eq!(
            fields[1],
            b"__Host-a=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn the_apps_own_prefix_is_deleted_once() {
        let fields = delete("__Secure-a=; Max-Age=0; Path=/", "/", &DEMAND, Forms::EMPTY);
        assert_eq!(
            fields,
            ["__Secure-a=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"]
        );
    }

    #[test]
    fn stale_forms_are_deletions_a_browser_accepts() {
        for form in Form::ALL {
            let field = delete_stale(b"sid", form);
            let cookie = SetCookie::parse(&field).unwrap();
            assert!(cookie.is_deletion(0) && cookie.secure() && cookie.http_only());
            assert_eq!((cookie.path(), cookie.domain()), (Some(&b"/"[..]), None));
            assert!(cookie.name().ends_with(b"sid"));
        }
        assert!(delete_stale(b"sid", Form::Host).starts_with(b"__Host-sid=;"));
        assert!(delete_stale(b"sid", Form::Secure).starts_with(b"__Secure-sid=;"));
    }

    #[test]
    fn only_prefixed_forms_are_superseded_and_only_by_bare_ones() {
        let all: Forms = Form::ALL.into_iter().collect();
        let renamed: Forms = [Form::Host, Form::Secure].into_iter().collect();
        assert_eq!(superseded(Form::BareLong, all), renamed);
        assert_eq!(
            superseded(Form::BareDomain, Form::Host.into()),
            Form::Host.into()
        );
        assert_eq!(superseded(Form::Host, all), Forms::EMPTY);
        assert_eq!(
            superseded(Form::BareLong, Form::BareLong.into()),
            Forms::EMPTY
        );
    }
}
