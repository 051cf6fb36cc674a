//! One field bent by one byte in each place.

/// Bytes that some parser takes for white space or for nothing.
pub(crate) const SKIPPED: [u8; 13] = [
    0x01, 0x04, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1f, 0x20, 0x7f, 0xa0, 0xff,
];

/// The line `name: value` with `byte` put in at each place that matters.
pub(crate) fn bent(name: &str, value: &str, byte: u8) -> [(&'static str, String); 6] {
    let byte = char::from(byte);
    let half = |text: &str| {
        let (first, second) = text.split_at(text.len() / 2);
        format!("{first}{byte}{second}")
    };
    [
        ("before the name", format!("{byte}{name}: {value}")),
        ("in the name", format!("{}: {value}", half(name))),
        ("before the colon", format!("{name}{byte}: {value}")),
        ("after the colon", format!("{name}:{byte}{value}")),
        ("in the value", format!("{name}: {}", half(value))),
        ("at the end", format!("{name}: {value}{byte}")),
    ]
}
