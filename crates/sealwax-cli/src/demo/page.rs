//! The demo's only page.

use std::fmt::Write as _;

use sealwax_policy::{Action, Rule};

use super::app::Session;
use crate::explain::{Comparison, Part, title_case};

pub(crate) const STYLE: &str = include_str!("page.css");
/// The brand, as SVG.
pub(crate) const SEAL: &str = "<svg viewBox=\"0 0 32 32\" aria-hidden=\"true\"><path class=\"wax\" d=\"M16 1.5c2.3 0 3.4 1.7 5.3 2.3 2 .7 4.2 2 6.2 4.3 1.1 1.3 1.5 3.7 2.3 5.6.8 2-.1 4-.6 5.9-.5 2-1.5 4.1-3.1 5.6-1.6 1.5-3.7 1.7-5.6 2.9-1.5 1-3 2.2-4.9 2.2-2 0-3.3-1.7-5.3-2.3-2-.7-4.3-1.5-5.8-3.3-1.4-1.6-1.2-3.8-1.9-5.6C2 17.4 1 15.4 1.7 13.3c.6-2 1.5-4.3 3-5.9C6.2 5.9 8.4 5.4 10.3 4c1.7-1.2 3.5-2.5 5.7-2.5z\"/><circle class=\"ring\" cx=\"16\" cy=\"16\" r=\"8.5\"/><path class=\"key\" d=\"M16 11.5a2.7 2.7 0 0 1 1.3 5.1l.9 3.9h-4.4l.9-3.9A2.7 2.7 0 0 1 16 11.5z\"/></svg>";
const SCRIPT: &str = include_str!("page.js");

/// How the visitor came.
#[derive(Debug)]
pub(crate) enum Way {
    /// Through the gateway, which does this to the response.
    Through(Comparison),
    /// Straight to the app.
    Direct,
}

/// What the page shows.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) session: &'a Session,
    pub(crate) theme: &'a str,
    pub(crate) way: &'a Way,
    /// The Cookie header as the app received it.
    pub(crate) received: Option<&'a str>,
    pub(crate) https: &'a str,
    pub(crate) http: &'a str,
}

/// The start page as HTML.
pub(crate) fn start(view: &View<'_>) -> String {
    let mut html = String::with_capacity(16 * 1024);
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\" data-theme=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Sealwax demo</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        view.theme
    );
    header(&mut html, view);
    visitor(&mut html, view);
    match view.way {
        Way::Through(comparison) => {
            outward(&mut html, comparison);
            inward(&mut html, view);
        }
        Way::Direct => {}
    }
    next(&mut html);
    let _ = write!(
        html,
        "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    );
    html
}

fn header(html: &mut String, view: &View<'_>) {
    let _ = write!(
        html,
        "<header>\n<div class=\"brand\">{SEAL}\
         <span>Sealwax demo</span></div>\n<button id=\"theme\" type=\"button\">Switch theme</button>\n</header>\n"
    );
    match view.way {
        Way::Through(_) => html.push_str(
            "<h1>A careless app, <em>sealed</em></h1>\n<p class=\"lead\">The app behind this page knows nothing of HTTPS. \
             It sets its session cookie bare, links to itself with <code>http://</code> and sends no security header. \
             Nothing in it was changed; Sealwax stands in front of it.</p>\n",
        ),
        Way::Direct => {
            let _ = write!(
                html,
                "<h1>A careless app, <em class=\"bare\">bare</em></h1>\n<p class=\"lead\">You came straight to the app, without \
                 Sealwax: plain HTTP, and cookies that anything on the way or on the page can read. \
                 <a href=\"{0}\">Come through Sealwax</a> and compare.</p>\n",
                escape(view.https)
            );
        }
    }
}

fn visitor(html: &mut String, view: &View<'_>) {
    html.push_str("<section class=\"cards\">\n<div class=\"card\">\n<h2>Session</h2>\n");
    match &view.session.name {
        Some(name) => {
            let _ = write!(
                html,
                "<p>Signed in as <strong>{}</strong>. Reload, close the tab, come back: the session is there.</p>\n\
                 <form method=\"post\" action=\"/logout\"><button>Sign out</button></form>\n",
                escape(name)
            );
        }
        None => html.push_str(
            "<p>Sign in with any name. The app never learns that its cookie has another name in your browser.</p>\n\
             <form method=\"post\" action=\"/login\"><label class=\"sr\" for=\"name\">Name</label>\
             <input id=\"name\" name=\"name\" placeholder=\"Your name\" autocomplete=\"off\" maxlength=\"40\" required>\
             <button>Sign in</button></form>\n",
        ),
    }
    let _ = write!(
        html,
        "</div>\n<div class=\"card\">\n<h2>Basket</h2>\n<p>{} in it. The app marked this cookie HttpOnly itself, \
         so it gets the full treatment too.</p>\n<form method=\"post\" action=\"/basket\"><button>Add one</button></form>\n</div>\n\
         <div class=\"card\">\n<h2>Scripts</h2>\n<p>All that scripts of this page can read:</p>\n\
         <p><code id=\"readable\">needs JavaScript</code></p>\n<p class=\"small\">The session is not among them.</p>\n</div>\n",
        match view.session.basket {
            0 => "Nothing is".to_owned(),
            1 => "One thing is".to_owned(),
            count => format!("{count} things are"),
        }
    );
    if matches!(view.way, Way::Through(_)) {
        let _ = write!(
            html,
            "<div class=\"card\">\n<h2>Old links</h2>\n<p>This link says <code>http://</code>, as the app wrote it.</p>\n\
             <p><a class=\"button\" href=\"{0}\">{0}</a></p>\n<p class=\"small\">You end up here again, over HTTPS.</p>\n</div>\n",
            escape(view.http)
        );
    }
    html.push_str("</section>\n");
}

/// The response: what the app sent, what the browser got.
fn outward(html: &mut String, comparison: &Comparison) {
    html.push_str(
        "<section>\n<h2>This very page: what the app sent, what your browser got</h2>\n\
         <p>Compare with the network panel of your browser.</p>\n",
    );
    let (cookies, headers): (Vec<&Part>, Vec<&Part>) = comparison
        .parts
        .iter()
        .filter(|part| part.is_changed() || !part.why.is_empty())
        .partition(|part| part.name == "set-cookie");
    let mut told = Vec::new();
    for (title, parts) in [("Cookies", cookies), ("Headers that were missing", headers)] {
        let _ = writeln!(html, "<h3>{title}</h3>\n<div class=\"changes\">");
        for part in parts {
            outward_part(html, part, &mut told);
        }
        html.push_str("</div>\n");
    }
    html.push_str("</section>\n");
}

fn outward_part(html: &mut String, part: &Part, told: &mut Vec<Rule>) {
    let name = title_case(&part.name);
    let lines = |html: &mut String, class: &str, values: &[String]| {
        for value in values {
            let _ = writeln!(
                html,
                "<code class=\"{class}\"><b>{}:</b> {}</code>",
                escape(&name),
                escape(value)
            );
        }
    };
    html.push_str("<article>\n<div class=\"lines\">\n");
    if part.is_changed() {
        lines(html, "before", &part.before);
        lines(html, "after", &part.after);
    } else {
        lines(html, "same", &part.before);
    }
    html.push_str("</div>\n<ul>\n");
    let mut again = Vec::new();
    for change in &part.why {
        if told.contains(&change.rule) {
            again.push(change.rule.id());
            continue;
        }
        told.push(change.rule);
        let note = if change.action == Action::Reported {
            " class=\"note\""
        } else {
            ""
        };
        let _ = writeln!(
            html,
            "<li{note}><span class=\"rule\">{}</span> {}</li>",
            escape(change.rule.id()),
            escape(change.rule.reason())
        );
    }
    if !again.is_empty() {
        let _ = writeln!(
            html,
            "<li><span class=\"rule\">{}</span> as above</li>",
            escape(&again.join(", "))
        );
    }
    html.push_str("</ul>\n</article>\n");
}

/// The request: what came back, under the names that the app knows.
fn inward(html: &mut String, view: &View<'_>) {
    html.push_str("<section>\n<h2>And on the way back</h2>\n");
    match view.received {
        Some(cookie) => {
            let _ = write!(
                html,
                "<p>Your browser sent the sealed names. The app received, in this request:</p>\n\
                 <div class=\"changes\"><article><div class=\"lines\"><code class=\"same\"><b>Cookie:</b> {}</code></div></article></div>\n\
                 <p class=\"small\">A cookie of the bare name <code>sessionid</code>, planted by a sibling host or over plain \
                 HTTP, would not have reached it.</p>\n",
                escape(cookie)
            );
        }
        None => html.push_str(
            "<p>This was your first visit, so no cookie came yet. <a href=\"/\">Load the page again</a> to see what the app \
             receives.</p>\n",
        ),
    }
    html.push_str("</section>\n");
}

fn next(html: &mut String) {
    html.push_str(
        "<section>\n<h2>In front of your own app</h2>\n<pre>sealwax serve --to http://127.0.0.1:8000\n\
         sealwax run -- python manage.py runserver {port}</pre>\n\
         <p>And to ask what would be done to any message, and why:</p>\n\
         <pre>sealwax explain POST https://localhost:8443/login \\\n  --response-header 'Set-Cookie: sessionid=abc; Path=/'</pre>\n</section>\n",
    );
}

/// Text for HTML, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_visitors_type_is_text() {
        let session = Session {
            name: Some("<script>\"'&".into()),
            basket: 2,
        };
        let view = View {
            session: &session,
            theme: "dark",
            way: &Way::Through(Comparison::default()),
            received: Some("a=<b>"),
            https: "https://localhost:8443/",
            http: "http://localhost:8080/",
        };
        let html = start(&view);
        assert!(html.contains("<strong>&lt;script&gt;&quot;&#39;&amp;</strong>"));
        assert!(html.contains("a=&lt;b&gt;"));
        assert!(html.contains("2 things are in it"));
        assert!(html.contains("data-theme=\"dark\""));
    }
}
