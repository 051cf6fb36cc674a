//! The memory of names as text, for the disk.
//!
//! ```text
//! sealwax-cookie-names 1
//! sessionid first=20410 host=20415 floored=20415
//! arr[0] first=20411 bare=20412
//! ```
//!
//! One name a line in the order in which they were learnt, bytes outside `%x21-7E` and `%` as
//! `%XX`; then the day of the first sight and the last day of each form, in days since 1970-01-01.

use std::fmt::{self, Write};

use crate::form::Form;
use crate::known::{Entry, KnownNames, MAX_NAMES, is_learnable};

const VERSION_LINE: &str = "sealwax-cookie-names 1";

impl KnownNames {
    /// Writes the memory down. Equal histories give equal text.
    pub fn to_text(&self) -> String {
        let mut entries: Vec<_> = self.names.iter().collect();
        entries.sort_by_key(|(_, entry)| entry.order);
        let mut text = format!("{VERSION_LINE}\n");
        for (name, entry) in entries {
            escape(name, &mut text);
            number(&mut text, "first", entry.first_day);
            for form in Form::ALL {
                if let Some(day) = entry.day_of(form) {
                    number(&mut text, form.id(), day);
                }
            }
            if let Some(day) = entry.floored_day {
                number(&mut text, "floored", day);
            }
            text.push('\n');
        }
        text
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    ///
    /// # Errors
    ///
    /// A [`TextError`] with the first damaged line. Nothing is guessed: whether to go on with what
    /// an earlier copy holds, or with nothing, is the caller's choice.
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        let mut lines = (1..).zip(text.split_inclusive('\n'));
        let at = |line, cause| TextError { line, cause };
        match lines.next() {
            Some((_, first)) if first.strip_suffix('\n') == Some(VERSION_LINE) => {}
            _ => return Err(at(1, TextCause::Version)),
        }
        let mut names = Self::default();
        for (line, text) in lines {
            let text = text
                .strip_suffix('\n')
                .ok_or(at(line, TextCause::Truncated))?;
            let (name, entry) = read_line(text).map_err(|cause| at(line, cause))?;
            if names.len() >= MAX_NAMES {
                return Err(at(line, TextCause::TooMany));
            }
            if !names.restore(&name, entry) {
                return Err(at(line, TextCause::Duplicate));
            }
        }
        Ok(names)
    }
}

/// A damaged line in the memory of names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TextError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub cause: TextCause,
}

/// What is wrong with a line in the memory of names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TextCause {
    /// A day is missing or no number.
    Day,
    /// The name stands on an earlier line already.
    Duplicate,
    /// An unknown form.
    Form,
    /// The name is missing, longer than 256 bytes or badly escaped.
    Name,
    /// More than 1024 names.
    TooMany,
    /// The line does not end: the file was cut off.
    Truncated,
    /// The first line is not the one of this version.
    Version,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match self.cause {
            TextCause::Day => "a day is missing or is not a number",
            TextCause::Duplicate => "the name stands on an earlier line already",
            TextCause::Form => "unknown form of a cookie",
            TextCause::Name => "the name is missing, longer than 256 bytes or badly escaped",
            TextCause::TooMany => "more than 1024 names",
            TextCause::Truncated => "the file ends within the line",
            TextCause::Version => "expected \"sealwax-cookie-names 1\"",
        };
        write!(
            f,
            "line {}: {cause}; remove the line, or the file to start afresh",
            self.line
        )
    }
}

impl std::error::Error for TextError {}

fn read_line(line: &str) -> Result<(Vec<u8>, Entry), TextCause> {
    let mut words = line.split(' ');
    let name = words
        .next()
        .and_then(unescape)
        .filter(|name| is_learnable(name));
    let name = name.ok_or(TextCause::Name)?;
    let first = words
        .next()
        .and_then(|word| word.strip_prefix("first="))
        .ok_or(TextCause::Day)?;
    let mut entry = Entry::new(&name, 0, day(first)?);
    for word in words {
        let (key, value) = word.split_once('=').ok_or(TextCause::Form)?;
        let value = day(value)?;
        match Form::ALL.into_iter().find(|form| form.id() == key) {
            Some(form) => entry.see(form, value),
            None if key == "floored" => entry.floored_day = Some(value),
            None => return Err(TextCause::Form),
        }
    }
    if entry.last_day().is_none() {
        return Err(TextCause::Form);
    }
    Ok((name, entry))
}

fn day(text: &str) -> Result<u32, TextCause> {
    // `u32::from_str` alone would take "+1".
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(TextCause::Day)
}

fn number(text: &mut String, key: &str, value: u32) {
    // Writing to a String cannot fail.
    let _ = write!(text, " {key}={value}");
}

fn escape(name: &[u8], text: &mut String) {
    for byte in name {
        if byte.is_ascii_graphic() && *byte != b'%' {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut name = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        name.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            _ if byte.is_ascii_graphic() => byte,
            _ => return None,
        });
    }
    Some(name)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_went() {
        let mut names = KnownNames::default();
        names.learn(b"sessionid", Form::Host, true, 20_410);
        names.learn(b"sessionid", Form::BareLong, false, 20_415);
        names.learn(b"arr[0]", Form::Bare, false, 20_411);
        names.learn(b"100%=\xff \n", Form::BareDomain, false, 20_412);
        let text = names.to_text();
        assert_eq!(
            text,
            "sealwax-cookie-names 1\n\
             sessionid first=20410 host=20410 bare-long=20415 floored=20410\n\
             arr[0] first=20411 bare=20411\n\
             100%25=%FF%20%0A first=20412 bare-domain=20412\n"
        );
        let back = KnownNames::from_text(&text).unwrap();
        assert_eq!(back.to_text(), text);
        assert!(names.iter().eq(back.iter()));
        assert!(
            KnownNames::from_text("sealwax-cookie-names 1\n")
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_full_memory_comes_back() {
        let mut names = KnownNames::default();
        for n in 0..2000 {
            names.learn(format!("n{n}").as_bytes(), Form::Host, false, n);
        }
        let back = KnownNames::from_text(&names.to_text()).unwrap();
        assert_eq!(back.to_text(), names.to_text());
    }

    #[test]
    fn damage_names_the_line() {
        let cases = [
            ("", 1, TextCause::Version),
            ("sealwax-cookie-names 2\n", 1, TextCause::Version),
            ("sealwax-cookie-names 1", 1, TextCause::Version),
            ("V\na first=1 host=1", 2, TextCause::Truncated),
            ("V\n\n", 2, TextCause::Name),
            ("V\n first=1 host=1\n", 2, TextCause::Name),
            ("V\n% first=1 host=1\n", 2, TextCause::Name),
            ("V\n%4g first=1 host=1\n", 2, TextCause::Name),
            ("V\n\u{e9} first=1 host=1\n", 2, TextCause::Name),
            (
                "V\na first=1 host=1\na first=1 host=1\n",
                3,
                TextCause::Duplicate,
            ),
            ("V\na\n", 2, TextCause::Day),
            ("V\na host=1\n", 2, TextCause::Day),
            ("V\na first=1 host=+1\n", 2, TextCause::Day),
            ("V\na first=1 host=\n", 2, TextCause::Day),
            ("V\na first=1 host=4294967296\n", 2, TextCause::Day),
            ("V\na first=1 guest=1\n", 2, TextCause::Form),
            ("V\na first=1 host\n", 2, TextCause::Form),
            ("V\na first=1\n", 2, TextCause::Form),
            ("V\na first=1 host=1\r\n", 2, TextCause::Day),
        ];
        for (text, line, cause) in cases {
            let text = text.replace('V', VERSION_LINE);
            let error = KnownNames::from_text(&text).unwrap_err();
            assert_eq!((error.line, error.cause), (line, cause), "{text:?}");
            assert!(error.to_string().starts_with(&format!("line {line}: ")));
        }
        let long = format!("{VERSION_LINE}\n{} first=1 host=1\n", "a".repeat(257));
        assert_eq!(
            KnownNames::from_text(&long).unwrap_err().cause,
            TextCause::Name
        );
        let many: String = (0..1025)
            .map(|n| format!("n{n} first=1 host=1\n"))
            .collect();
        let error = KnownNames::from_text(&format!("{VERSION_LINE}\n{many}")).unwrap_err();
        assert_eq!((error.line, error.cause), (1026, TextCause::TooMany));
    }
}
