//! Bytes as upper-case hex and back, as the vendors' documents print them.

/// Upper-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// Bytes of hex that a test or a table holds; spaces are for the eye. Anything else is skipped.
pub fn unhex(text: &str) -> Vec<u8> {
    let nibbles: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
    nibbles.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
}
