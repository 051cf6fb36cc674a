//! Checks JSON as Python's `json.loads` reads it and finds the members of an object, without
//! making values of them.
//!
//! Python reads `NaN`, `Infinity` and `-Infinity`, lone surrogates and numbers of any length; a
//! session may hold them all, and all of them survive here.

use crate::error::JsonError;

/// The deepest nesting: about where Python gives up as well.
const DEEPEST: usize = 960;

/// A piece of the text: from, to.
pub(crate) type Span = (usize, usize);

/// Whether the whole text is one value.
pub(crate) fn check(text: &str) -> Result<(), JsonError> {
    let mut scan = Scan::new(text);
    scan.space();
    scan.value()?;
    scan.end()
}

/// Calls `found` with the span of each name, quotes included, and of its value, where the whole
/// text is one object.
pub(crate) fn members(text: &str, mut found: impl FnMut(Span, Span)) -> Result<(), JsonError> {
    let mut scan = Scan::new(text);
    scan.space();
    scan.expect(b'{', "an object")?;
    scan.space();
    if scan.take(b'}') {
        scan.space();
        return scan.end();
    }
    loop {
        let name = scan.name()?;
        scan.space();
        let from = scan.at;
        scan.value()?;
        found(name, (from, scan.at));
        scan.space();
        if scan.take(b'}') {
            scan.space();
            return scan.end();
        }
        scan.expect(b',', "a comma or the end of the object")?;
        scan.space();
    }
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.take(byte) {
            Ok(())
        } else {
            self.fail(expected)
        }
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T, JsonError> {
        Err(JsonError {
            at: self.at,
            expected,
        })
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), JsonError> {
        self.space();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            self.fail("the end")
        }
    }

    /// One value of any kind. Nesting is kept as one bit a level, not on the stack.
    fn value(&mut self) -> Result<(), JsonError> {
        let mut nesting = Nesting::default();
        loop {
            // A value begins here.
            match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    self.space();
                    if !self.take(b'}') {
                        self.name()?;
                        self.space();
                        self.descend(&mut nesting, true)?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    self.space();
                    if !self.take(b']') {
                        self.descend(&mut nesting, false)?;
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            // A value has ended here; so may have those around it.
            loop {
                let Some(object) = nesting.innermost() else {
                    return Ok(());
                };
                self.space();
                if self.take(b',') {
                    self.space();
                    if object {
                        self.name()?;
                        self.space();
                    }
                    break;
                }
                let close = if object { b'}' } else { b']' };
                self.expect(close, "a comma or the end of an array or object")?;
                nesting.leave();
            }
        }
    }

    fn descend(&self, nesting: &mut Nesting, object: bool) -> Result<(), JsonError> {
        if nesting.enter(object) {
            Ok(())
        } else {
            self.fail(JsonError::SHALLOWER)
        }
    }

    /// A name and its colon.
    fn name(&mut self) -> Result<Span, JsonError> {
        let from = self.at;
        if self.peek() != Some(b'"') {
            return self.fail("a name in double quotes");
        }
        self.string()?;
        let to = self.at;
        self.space();
        self.expect(b':', "a colon")?;
        Ok((from, to))
    }

    fn scalar(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'N') => self.word(b"NaN"),
            Some(b'I') => self.word(b"Infinity"),
            Some(b'-') if self.bytes.get(self.at + 1) == Some(&b'I') => self.word(b"-Infinity"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.fail("a value"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        match self.bytes.get(self.at..) {
            Some(rest) if rest.starts_with(word) => {
                self.at += word.len();
                Ok(())
            }
            _ => self.fail("a value"),
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == from {
            return self.fail("a digit");
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        loop {
            self.pass_plain();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                            self.at += 1;
                        }
                        Some(b'u') => {
                            self.at += 1;
                            for _ in 0..4 {
                                if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return self.fail("four hexadecimal digits");
                                }
                                self.at += 1;
                            }
                        }
                        _ => return self.fail("an escape"),
                    }
                }
                Some(b'\0'..=b'\x1f') | None => return self.fail("the end of a string"),
                Some(_) => self.at += 1,
            }
        }
    }

    /// Goes on to the next byte of a string that is not just itself, or near the end of the text:
    /// eight bytes at a time, since most of a session is strings.
    fn pass_plain(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        for eight in rest.as_chunks::<8>().0 {
            let marks = not_plain(u64::from_le_bytes(*eight));
            if marks != 0 {
                // The lowest mark is that of the first such byte.
                self.at += marks.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
    }
}

/// Marks, in its highest bit, the first byte that is a quote, a backslash or a control character;
/// bytes behind it may be marked without reason. None: there is no such byte.
fn not_plain(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    // A byte below `limit`, at most 128, borrows from its highest bit.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    is(b'"') | is(b'\\') | below(word, b' ')
}

/// Which levels around a value are objects.
#[derive(Default)]
struct Nesting {
    objects: [u64; DEEPEST / 64],
    depth: usize,
}

impl Nesting {
    fn enter(&mut self, object: bool) -> bool {
        let Some(word) = self.objects.get_mut(self.depth / 64) else {
            return false;
        };
        let bit = 1 << (self.depth % 64);
        *word = if object { *word | bit } else { *word & !bit };
        self.depth += 1;
        true
    }

    fn innermost(&self) -> Option<bool> {
        let level = self.depth.checked_sub(1)?;
        let word = self.objects.get(level / 64)?;
        Some(word >> (level % 64) & 1 == 1)
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_reads() {
        for text in [
            "{}",
            " [ ] ",
            "0",
            "-0.5e+10",
            "NaN",
            "[NaN,Infinity,-Infinity]",
            r#""\ud800""#,
            r#"{"a":{"b":[1,{"c":null}],"d":"\"}"},"e":[[],{}]}"#,
            "123456789012345678901234567890123456789012345678901234567890",
            "\"é\u{7f}\"",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_python_refuses() {
        for text in [
            "",
            "{",
            "[",
            "]",
            "{]",
            "[}",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":}",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "nan",
            "-NaN",
            "tru",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "1 2",
            "[1 2]",
            "'a'",
            "{1:2}",
            "[[1}]",
            "{\"a\":[1}}",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn strings_end_where_they_end_wherever_they_stand() {
        // Every byte at every place of the words that are looked at together.
        for place in 0..20 {
            for byte in 0..128_u8 {
                let mut text = format!("\"{}\"", "a\u{e9}".repeat(9));
                let plain = "b".repeat(place);
                text.insert_str(1, &format!("{plain}{}", char::from(byte)));
                let bad = byte < b' ' || byte == b'"' || byte == b'\\';
                assert_eq!(check(&text).is_err(), bad, "{text:?}");
                if bad {
                    assert!(check(&text).is_err_and(|error| error.at > place));
                }
            }
            let text = format!("[\"{}\\\"\\\\\",1]", "c".repeat(place));
            assert_eq!(check(&text), Ok(()), "{text}");
        }
    }

    #[test]
    fn depth_has_an_end_and_costs_no_stack() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nested(900)), Ok(()));
        assert!(check(&nested(DEEPEST + 2)).is_err());
        assert!(check(&"[".repeat(1 << 20)).is_err());
        assert!(check(&"{\"a\":".repeat(1 << 18)).is_err());
    }

    #[test]
    fn members_are_found_where_they_stand() {
        let text = r#" { "a" : [1, {"x":2}] ,"b\n":"}" } "#;
        let mut seen = Vec::new();
        members(text, |name, value| {
            seen.push((&text[name.0..name.1], &text[value.0..value.1]));
        })
        .unwrap();
        assert_eq!(seen, [("\"a\"", "[1, {\"x\":2}]"), ("\"b\\n\"", "\"}\"")]);
        for text in ["[]", "1", "{} {}", "{\"a\":1", "", "{\"a\":1}x"] {
            assert!(members(text, |_, _| ()).is_err(), "{text}");
        }
    }
}
