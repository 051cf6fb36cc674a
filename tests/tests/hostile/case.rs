//! One input, what must become of it, and why.

use sealwax_tests::echo_body;
use sealwax_tests::wire::Message;

use crate::stage::printable;

/// What stands for the case's host in an input.
pub(crate) const HOST: &str = "HOST";

/// One input.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) input: Vec<u8>,
    pub(crate) tail: Tail,
    pub(crate) want: Want,
    /// The sentence that decides.
    pub(crate) why: &'static str,
}

/// What follows the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// `GET /after`, to be served if and only if the input passed.
    Request,
    /// The same, never to be served: the input ends its connection.
    Unserved,
    /// The end of what the client sends.
    End,
    /// Nothing: the gateway must answer and close by itself.
    Nothing,
}

/// What should happen. Numbers are the statuses that will do.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// The message cannot be understood: one of these, the connection closes, and the app gets
    /// no byte.
    Refused(&'static [u16]),
    /// The message is understood but not allowed: one of these; the connection may go on.
    Denied(&'static [u16]),
    /// The fault shows after the head: the app may have the beginning, never a whole request;
    /// one of these or none, and the connection closes.
    Broken(&'static [u16]),
    /// Exactly these requests reach the app, each answered by it.
    Passed(Vec<Seen>),
    /// These pass, the next is refused as by [`Want::Refused`] without reaching the app.
    PassedThenRefused(Vec<Seen>, &'static [u16]),
    /// RFC and practice leave both: refused as above, or passed in the one form.
    Either(&'static [u16], Seen),
    /// The same where the end of the message is clear: denied as above, or passed.
    Optional(&'static [u16], Seen),
}

/// A request as the app should see it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    method: String,
    target: String,
    body: Vec<u8>,
    with: Vec<(&'static str, String)>,
    without_header: Vec<&'static str>,
    without_trailer: Vec<&'static str>,
}

/// A request with no body.
pub(crate) fn seen(method: &str, target: &str) -> Seen {
    Seen {
        method: method.to_owned(),
        target: target.to_owned(),
        body: Vec::new(),
        with: Vec::new(),
        without_header: Vec::new(),
        without_trailer: Vec::new(),
    }
}

impl Seen {
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// The only value of this field; `HOST` becomes the case's host.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.with.push((name, value.to_owned()));
        self
    }

    /// No such field, nor trailer.
    pub(crate) fn without(self, name: &'static str) -> Self {
        self.without_header(name).without_trailer(name)
    }

    /// No such field in the head.
    pub(crate) fn without_header(mut self, name: &'static str) -> Self {
        self.without_header.push(name);
        self
    }

    /// No such field after the body.
    pub(crate) fn without_trailer(mut self, name: &'static str) -> Self {
        self.without_trailer.push(name);
        self
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The body of the app's answer to it.
    pub(crate) fn echo(&self) -> Vec<u8> {
        echo_body(&self.method, &self.target, &self.body)
    }

    pub(crate) fn matches(&self, message: &Message, host: &str) -> Result<(), String> {
        let got = (message.method(), message.target(), &message.body);
        if got != (&self.method, &self.target, &self.body) {
            return Err(format!(
                "the app saw {} {} with {:?}, not {} {} with {:?}",
                got.0,
                got.1,
                printable(got.2),
                self.method,
                self.target,
                printable(&self.body)
            ));
        }
        for (name, value) in &self.with {
            let value = value.replace(HOST, host);
            if message.all(name) != [value.as_str()] {
                return Err(format!(
                    "the app saw {name}: {:?}, not {value:?}",
                    message.all(name)
                ));
            }
        }
        for (place, fields, unwanted) in [
            ("", &message.fields, &self.without_header),
            ("trailer ", &message.trailers, &self.without_trailer),
        ] {
            let is_unwanted =
                |name: &str| unwanted.iter().any(|not| not.eq_ignore_ascii_case(name));
            if let Some((name, value)) = fields.iter().find(|(name, _)| is_unwanted(name)) {
                return Err(format!("the app saw the {place}field {name}: {value}"));
            }
        }
        Ok(())
    }
}

/// The inputs of one family, in the making.
#[derive(Default)]
pub(crate) struct Cases(Vec<Case>);

impl Cases {
    /// Each of the rows (name, input) must be refused with 400.
    pub(crate) fn refused(&mut self, why: &'static str, rows: &[(&str, &str)]) {
        self.all(why, Want::Refused(&[400]), rows);
    }

    /// Each of the rows must reach the app as this one request.
    pub(crate) fn passed(&mut self, why: &'static str, seen: &Seen, rows: &[(&str, &str)]) {
        self.all(why, Want::Passed(vec![seen.clone()]), rows);
    }

    /// Each of the rows must be answered with 400.
    pub(crate) fn denied(&mut self, why: &'static str, rows: &[(&str, &str)]) {
        self.all(why, Want::Denied(&[400]), rows);
    }

    /// The same expectation for each of the rows.
    pub(crate) fn all(&mut self, why: &'static str, want: Want, rows: &[(&str, &str)]) {
        for (name, input) in rows {
            self.one(why, want.clone(), Tail::Request, name, input);
        }
    }

    /// One input with what follows it.
    pub(crate) fn one(
        &mut self,
        why: &'static str,
        want: Want,
        tail: Tail,
        name: &str,
        input: &str,
    ) {
        assert!(
            self.0.iter().all(|case| case.name != name),
            "two inputs are called {name:?}"
        );
        self.0.push(Case {
            name: name.to_owned(),
            input: bytes(input),
            tail,
            want,
            why,
        });
    }

    pub(crate) fn into_inner(self) -> Vec<Case> {
        self.0
    }
}

/// The bytes of an input: `⏎` is CR LF, any other character is the byte with its number.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) => bytes.push(byte),
            Err(_) if character == '⏎' => bytes.extend_from_slice(b"\r\n"),
            Err(_) => panic!("{character:?} is no byte"),
        }
    }
    bytes
}
