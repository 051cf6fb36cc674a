//! One line in, one line out.

use std::io::{self, Write as _};

use serde_json::{Value, json};

use crate::store::Store;
use crate::wire::{Answer, Args, Failure};
use crate::{check, cookies, csp, csrf, host, security, session, signing};

/// What lives from one line to the next: the sessions.
pub(crate) struct Engine {
    store: Store,
}

impl Engine {
    pub(crate) fn new() -> io::Result<Self> {
        let store = Store::new()?;
        Ok(Self { store })
    }

    pub(crate) fn answer(&mut self, line: &str) -> Value {
        match self.run(line) {
            Ok(value) => json!({ "ok": value }),
            Err(failure) => {
                if failure.is_bug() {
                    // A test might take it for the exception that it expects; this cannot be missed.
                    let _ = writeln!(io::stderr(), "sealwax-conformance: {}", failure.message);
                }
                json!({ "err": failure.kind, "msg": failure.message })
            }
        }
    }

    fn run(&mut self, line: &str) -> Answer {
        let question: Value = serde_json::from_str(line).map_err(Failure::bug)?;
        let op = question.get("op").and_then(Value::as_str);
        let args = Args::of(question.get("a").unwrap_or(&Value::Null))?;
        match op.unwrap_or_default() {
            "scheme" => host::scheme(&args),
            "host.get" => host::get(&args),
            "host.split" => host::split(&args),
            "security.request" => security::request(&args),
            "security.response" => security::response(&args),
            "xframe.response" => security::x_frame_options(&args),
            "csp.build" => csp::build(&args),
            "sign.signature" => signing::signature(&args),
            "sign.sign" => signing::sign(&args),
            "sign.unsign" => signing::unsign(&args),
            "sign.pack" => signing::pack(&args),
            "sign.unpack" => signing::unpack(&args),
            "b62.encode" => signing::base62_encode(&args),
            "b62.decode" => signing::base62_decode(&args),
            "cookie.salt" => signing::cookie_salt(&args),
            "cookie.format" => cookies::format(&args),
            "cookie.parse" => cookies::parse(&args),
            "csrf.mask" => csrf::mask(&args),
            "csrf.unmask" => csrf::unmask(&args),
            "csrf.format" => csrf::format(&args),
            "csrf.match" => csrf::matches(&args),
            "csrf.origin" => csrf::origin(&args),
            "csrf.referer" => csrf::referer(&args),
            "csrf.token" => csrf::token(&args),
            "session.decide" => session::decide(&args),
            "store.reset" => self.store.reset(),
            "store.exists" => self.store.exists(&args),
            "store.newkey" => self.store.new_key(),
            "store.load" => self.store.load(&args),
            "store.save" => self.store.save(&args),
            "store.delete" => self.store.delete(&args),
            "check" => check::run(&args),
            other => Err(Failure::bug(format!("no operation {other:?}"))),
        }
    }
}
