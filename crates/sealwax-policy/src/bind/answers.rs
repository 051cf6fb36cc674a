//! Answers in place of the app's.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use sealwax_bind::{DELETE_PROOF, MarkId};

use crate::answer::{Answer, Problem};

/// Loads the page again, as a request of this site's own. Once is enough: where it comes to the same,
/// the browser has no session any more, and a person decides. A page that was loaded again a while
/// later was so by a person. (`location.replace` stays on a blank page where the URL has a fragment.)
const SCRIPT: &str = "let wish=document.body.dataset.wish,first=true,now=Date.now();\
try{let s=sessionStorage;if(wish){first=s.sealwaxWish!==wish;s.sealwaxWish=wish}\
else{first=performance.getEntriesByType('navigation')[0].type!=='reload'||!(now-s.sealwaxReload<3e4);\
s.sealwaxReload=now}}catch{first=false}\
if(first)location.reload();else document.querySelector('p').hidden=false";

/// The hash of [`SCRIPT`], which the page's own policy allows to run.
const POLICY: &str = "default-src 'none'; script-src 'sha256-vJZQaKaMKjZqjfWUIZXHdc4DUy+GxldEwv+eh6sL69M='; frame-ancestors 'none'";

/// What a person reads who is not sent on by the script.
const TEXT: &str = "Your browser has yet to confirm that it is still you: \
<a href=\"\">go on</a>. If you come back here, please log in again.";

/// A page that loads itself again.
pub(super) fn reload(wish: Option<&MarkId>) -> Answer {
    let wish = wish.map_or(String::new(), |id| format!(" data-wish={}", id.short()));
    let page = format!(
        "<!doctype html><meta charset=utf-8><title>One moment</title><body{wish}>\
         <p hidden>{TEXT}</p><noscript>{TEXT}</noscript><script>{SCRIPT}</script>"
    );
    let mut answer = never_stored(StatusCode::OK);
    answer.headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    answer.with_body("text/html; charset=utf-8", page)
}

/// The same request again, with a new proof: browsers refresh before they follow.
pub(super) fn again(request: &Parts, mark: Option<String>) -> Answer {
    let mut answer = never_stored(StatusCode::TEMPORARY_REDIRECT);
    let url = request
        .uri
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    // Two slashes at the begin, of either kind, would name a host.
    let dot = match url.as_bytes() {
        [b'/', b'/' | b'\\', ..] => "/.",
        _ => "",
    };
    if let Ok(location) = HeaderValue::try_from(format!("{dot}{url}")) {
        answer.headers.insert(header::LOCATION, location);
    }
    set_cookie(&mut answer.headers, DELETE_PROOF);
    if let Some(mark) = mark {
        set_cookie(&mut answer.headers, &mark);
    }
    answer
}

/// The browser has no fresh proof to give.
pub(super) fn no_fresh_proof() -> Answer {
    Answer {
        problem: Some(Problem::NoFreshProof),
        ..never_stored(StatusCode::FORBIDDEN)
    }
}

pub(super) fn never_stored(status: StatusCode) -> Answer {
    let mut answer = Answer::empty(status);
    answer
        .headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Our own cookies are base64url and text of ours.
pub(super) fn set_cookie(headers: &mut HeaderMap, field: &str) {
    if let Ok(field) = HeaderValue::try_from(field) {
        headers.append(header::SET_COOKIE, field);
    }
}
