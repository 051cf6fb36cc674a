//! Latin-1: what Django encodes its JSON in. Its own is all ASCII; another writer's may not be.

/// Bytes that are characters.
pub(crate) struct Latin1;

impl Latin1 {
    /// Every byte is the character of its number.
    pub(crate) fn read(bytes: Vec<u8>) -> String {
        match String::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => text,
            Ok(text) => text.bytes().map(char::from).collect(),
            Err(error) => error.as_bytes().iter().copied().map(char::from).collect(),
        }
    }

    /// The bytes of JSON: characters past Latin-1, which stand only in strings, are escaped.
    pub(crate) fn write(json: &str) -> std::borrow::Cow<'_, [u8]> {
        if json.is_ascii() {
            return json.as_bytes().into();
        }
        let mut bytes = Vec::with_capacity(json.len());
        for character in json.chars() {
            match u8::try_from(character) {
                Ok(byte) => bytes.push(byte),
                Err(_) => {
                    let mut escaped = String::with_capacity(12);
                    super::write::escape_unicode(character, &mut escaped);
                    bytes.extend_from_slice(escaped.as_bytes());
                }
            }
        }
        bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_characters() {
        assert_eq!(Latin1::read(b"ab".to_vec()), "ab");
        assert_eq!(Latin1::read(vec![0xe9]), "é");
        assert_eq!(Latin1::read("é".as_bytes().to_vec()), "Ã©");
    }

    #[test]
    fn what_was_read_is_written_back() {
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(*Latin1::write(&Latin1::read(every.clone())), every);
        assert_eq!(
            *Latin1::write("\"é\u{2019}\u{1f600}\""),
            *b"\"\xe9\\u2019\\ud83d\\ude00\""
        );
    }
}
