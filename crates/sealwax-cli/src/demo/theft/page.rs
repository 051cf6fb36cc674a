//! The pages of the shop and of the thief's desk.

use crate::demo::page::{SEAL, STYLE, escape};

const STAGE: &str = include_str!("stage.css");
const DESK: &str = include_str!("desk.html");
const SCRIPT: &str = include_str!("desk.js");

pub(super) fn login() -> String {
    page(
        "The careless shop",
        "shop",
        "<h1>The careless shop</h1>\n<p class=\"lead\">An app that knows nothing of keys. It sets two session cookies at \
         login: Sealwax binds one of them to this device, and leaves the other as ordinary cookies are.</p>\n\
         <form class=\"row\" method=\"post\" action=\"/login\"><label class=\"sr\" for=\"name\">Name</label>\
         <input id=\"name\" name=\"name\" value=\"Ada\" autocomplete=\"off\" maxlength=\"40\" required>\
         <button class=\"main\">Sign in</button></form>\n",
        "",
    )
}

pub(super) fn account(name: &str, balance: u32, desk: &str) -> String {
    let (name, desk) = (escape(name), escape(desk));
    page(
        "The careless shop",
        "shop",
        &format!(
            "<h1>Hello <span id=\"user\">{name}</span></h1>\n<p class=\"lead\">On your account: <strong id=\"balance\">{balance}</strong> €. \
             Both session cookies are Secure, HttpOnly, SameSite and encrypted, as good as cookies get.</p>\n\
             <div class=\"row\"><form method=\"post\" action=\"{desk}\" target=\"thief\"><button id=\"copy\" class=\"main\">Copy my cookies</button></form>\n\
             <form method=\"post\" action=\"/bound/transfer\"><button id=\"transfer\">Transfer 10 €</button></form>\n\
             <form method=\"post\" action=\"/logout\"><button id=\"logout\">Sign out</button></form></div>\n\
             <p class=\"small\">The button stands for malware, a leaked log, a stolen backup: it hands every cookie that this browser \
             holds for the shop to another server, at {desk}. Come back here afterwards: you are still signed in.</p>\n"
        ),
        "",
    )
}

pub(super) fn desk(shop: &str) -> String {
    page(
        "The thief's desk",
        "desk",
        &DESK
            .replace("{shop}", &escape(shop))
            .replace("{chromium}", &escape(super::CHROMIUM)),
        SCRIPT,
    )
}

fn page(title: &str, kind: &str, body: &str, script: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\" class=\"{kind}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}{STAGE}</style>\n</head>\n<body>\n<main>\n\
         <header><div class=\"brand\">{SEAL}<span>{title}</span></div></header>\n{body}</main>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )
}
