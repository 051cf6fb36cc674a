//! One field of a form with files (RFC 7578), found while the form is still coming in.

/// The longest boundary (RFC 2046 §5.1.1).
const LONGEST_BOUNDARY: usize = 70;

/// The most bytes of one part's headers, and of the value that is looked for.
const LONGEST_PIECE: usize = 16 * 1024;

/// Looks for the value of one field in a body that comes in pieces. No byte is looked at twice but
/// for the length of what is looked for, however small the pieces are.
#[derive(Debug)]
pub(super) struct Multipart {
    /// A line break, `--` and the boundary.
    delimiter: Vec<u8>,
    field: &'static str,
    state: State,
    /// Where the piece at hand begins.
    begin: usize,
    /// Up to where its end has been looked for.
    searched: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first delimiter.
    Preamble,
    /// Behind a delimiter, in a part's headers.
    Headers,
    /// In a part of no interest.
    Content,
    /// In the value that was looked for.
    Value,
    /// Behind the last delimiter, or in what is no form.
    Over,
}

impl Multipart {
    /// For a body of this `Content-Type`; `None` without a usable boundary.
    pub(super) fn new(content_type: &str, field: &'static str) -> Option<Self> {
        let boundary = parameter(content_type, "boundary")?;
        let usable = !boundary.is_empty() && boundary.len() <= LONGEST_BOUNDARY;
        usable.then(|| Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            field,
            state: State::Preamble,
            begin: 0,
            searched: 0,
        })
    }

    /// Looks on, in everything that came so far. `Some` ends the search: the value, or empty where
    /// the form is over without it.
    pub(super) fn look(&mut self, body: &[u8]) -> Option<String> {
        loop {
            let piece = body.get(self.begin..).unwrap_or_default();
            match self.state {
                State::Over => return Some(String::new()),
                State::Preamble => {
                    // The first delimiter needs no line break before it.
                    let bare = self.delimiter.get(2..).unwrap_or_default();
                    if body.len() < bare.len() {
                        return None;
                    }
                    if body.starts_with(bare) {
                        self.go_on(State::Headers, bare.len());
                    } else {
                        self.state = State::Content;
                    }
                }
                State::Content => {
                    let Some(end) = self.end(body, &self.delimiter) else {
                        self.searched = body.len();
                        return None;
                    };
                    self.go_on(State::Headers, end + self.delimiter.len());
                }
                State::Headers if piece.starts_with(b"--") => self.state = State::Over,
                State::Headers => {
                    let Some(end) = self.end(body, b"\r\n\r\n") else {
                        return self.give_up(body);
                    };
                    let headers = body.get(self.begin..end).unwrap_or_default();
                    let next = match names(headers, self.field) {
                        true => State::Value,
                        false => State::Content,
                    };
                    self.go_on(next, end + 4);
                }
                State::Value => {
                    let Some(end) = self.end(body, &self.delimiter) else {
                        return self.give_up(body);
                    };
                    let value = body.get(self.begin..end).unwrap_or_default();
                    let value = String::from_utf8_lossy(value).into_owned();
                    self.state = State::Over;
                    return Some(value);
                }
            }
        }
    }

    fn go_on(&mut self, state: State, begin: usize) {
        (self.state, self.begin, self.searched) = (state, begin, begin);
    }

    /// Where the piece at hand ends, counted from the body's beginning.
    fn end(&self, body: &[u8], mark: &[u8]) -> Option<usize> {
        let from = self.searched.saturating_sub(mark.len()).max(self.begin);
        let rest = body.get(from..).unwrap_or_default();
        let found = rest.windows(mark.len()).position(|part| part == mark)?;
        Some(from + found)
    }

    /// The end has not come; a piece that is too long is none.
    fn give_up(&mut self, body: &[u8]) -> Option<String> {
        self.searched = body.len();
        if body.len() - self.begin <= LONGEST_PIECE {
            return None;
        }
        self.state = State::Over;
        Some(String::new())
    }
}

/// Whether a part's headers say that it is the field `name`, and no file.
fn names(headers: &[u8], name: &str) -> bool {
    let Ok(headers) = std::str::from_utf8(headers) else {
        return false;
    };
    headers.split("\r\n").any(|line| {
        let Some((key, value)) = line.split_once(':') else {
            return false;
        };
        key.trim().eq_ignore_ascii_case("content-disposition")
            && parameter(value, "name").as_deref() == Some(name)
            && parameter(value, "filename").is_none()
    })
}

/// The parameter `name` of a field value such as `form-data; name="a"`.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let value = value.trim();
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"x-y\"";

    /// The field, with the body given byte by byte and whole.
    fn token(body: &str) -> Option<String> {
        let mut whole = Multipart::new(TYPE, "token").unwrap();
        let found = whole.look(body.as_bytes());
        let mut slow = Multipart::new(TYPE, "token").unwrap();
        let bytes = body.as_bytes();
        let slowly = (0..=bytes.len()).find_map(|end| slow.look(&bytes[..end]));
        assert_eq!(found, slowly, "{body}");
        found
    }

    #[test]
    fn the_field_is_found_wherever_it_stands() {
        let part = |head: &str, value: &str| {
            format!("--x-y\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
        };
        let own = part("name=\"token\"", "abc");
        let file = part("name=\"f\"; filename=\"token\"", "--x-\r\nabc");
        let end = "--x-y--\r\n";
        assert_eq!(token(&format!("{own}{file}{end}")).as_deref(), Some("abc"));
        assert_eq!(token(&format!("{file}{own}{end}")).as_deref(), Some("abc"));
        let preamble = format!("a preamble --x-y\r\n{own}{end}");
        assert_eq!(token(&preamble).as_deref(), Some("abc"));
        assert_eq!(token(&format!("{file}{end}")).as_deref(), Some(""));
        assert_eq!(token(&file), None, "there may be more");
        let tricky = part("name=\"f\"; filename=\"a\"", "--x-y\r\n--x-");
        assert_eq!(
            token(&format!("{tricky}{own}{end}")).as_deref(),
            Some("abc")
        );
        let as_file = part("name=\"token\"; filename=\"a\"", "abc");
        assert_eq!(token(&format!("{as_file}{end}")).as_deref(), Some(""));
        let lower = own.replace("Content-Disposition", "content-disposition");
        assert_eq!(token(&lower).as_deref(), None, "its end has not come");
        assert_eq!(token(&format!("{lower}{end}")).as_deref(), Some("abc"));
        let empty = part("name=\"token\"", "");
        assert_eq!(token(&format!("{empty}{end}")).as_deref(), Some(""));
    }

    #[test]
    fn what_never_ends_is_given_up() {
        let endless = format!("--x-y\r\n{}", "a".repeat(LONGEST_PIECE + 100));
        let mut form = Multipart::new(TYPE, "token").unwrap();
        assert_eq!(form.look(endless.as_bytes()).as_deref(), Some(""));
    }

    #[test]
    fn without_a_boundary_there_is_no_form() {
        for bad in ["multipart/form-data", "multipart/form-data; boundary=", "x"] {
            assert!(Multipart::new(bad, "token").is_none());
        }
        let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
        assert!(Multipart::new(&long, "token").is_none());
    }
}
