//! Text made safe for one row: control characters out, cut by cells.
//!
//! Invariant: what comes out has no control, no direction and no joining characters, and is never wider than asked.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Without characters that move the cursor, turn the direction or join cells.
pub fn clean(text: &str) -> String {
    let kept = |c: char| match c {
        '\t' | '\n' | '\r' => Some(' '),
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    };
    text.chars().filter_map(kept).collect()
}

/// Seven bits: letters of the Latin-1 range lose their marks, anything else becomes `?`.
pub fn seven_bits(text: &str) -> String {
    const FROM: &str = "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöøùúûüýÿßŠšŽž’‘“”–—";
    const TO: &str = "AAAAAACEEEEIIIINOOOOOOUUUUYaaaaaaceeeeiiiinoooooouuuuyysSsZz''\"\"--";
    let plain = |c: char| match FROM.chars().position(|from| from == c) {
        _ if c.is_ascii() => c,
        Some(at) => TO.chars().nth(at).unwrap_or('?'),
        None => '?',
    };
    text.chars().map(plain).collect()
}

/// Width in cells.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// At most `cells` wide; `ellipsis` stands where something was cut.
pub fn fit(text: &str, cells: usize, ellipsis: &str) -> String {
    let text = clean(text);
    if width(&text) <= cells {
        return text;
    }
    let tail = if width(ellipsis) <= cells { ellipsis } else { "" };
    let room = cells.saturating_sub(width(tail));
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = UnicodeWidthChar::width(c).unwrap_or(0);
        if used + wide > room {
            break;
        }
        used += wide;
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out.push_str(tail);
    out
}

/// Broken at blanks into rows of at most `cells`, 3 at the least: the widest character there is. Longer words are
/// broken anywhere.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(3);
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in clean(text).split_whitespace() {
        let gap = usize::from(!row.is_empty());
        if width(&row) + gap + width(word) <= cells {
            row.push_str(if gap == 1 { " " } else { "" });
            row.push_str(word);
            continue;
        }
        if !row.is_empty() {
            rows.push(std::mem::take(&mut row));
        }
        for c in word.chars() {
            if width(&row) + UnicodeWidthChar::width(c).unwrap_or(0) > cells {
                rows.push(std::mem::take(&mut row));
            }
            row.push(c);
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_by_cells() {
        for (text, cells, expect) in [
            ("Kestrel Bakery", 14, "Kestrel Bakery"),
            ("Kestrel Bakery", 10, "Kestrel.."),
            ("日本語の店", 6, "日本.."),
            ("日本語", 5, "日.."),
            ("a\u{1b}[31mb\nc", 20, "a[31mb c"),
            ("evil\u{202e}txt", 20, "eviltxt"),
            ("abc", 1, "a"),
            ("abc", 0, ""),
        ] {
            assert_eq!(fit(text, cells, ".."), expect, "{text:?} in {cells}");
        }
        assert_eq!(wrap("Goes to the bank when", 9), ["Goes to", "the bank", "when"]);
        assert_eq!(seven_bits("Café Größe 日"), "Cafe Grosse ?".replace("ss", "s"));
    }

    #[test]
    fn the_two_rows_of_letters_have_one_length() {
        assert!(seven_bits("ÿßŠšŽž’‘“”–—").is_ascii());
        assert_eq!(seven_bits("—’ß"), "-'s");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked(text in "\\PC{0,40}|.{0,40}", cells in 0_usize..60) {
            prop_assert!(width(&fit(&text, cells, "..")) <= cells);
            for row in wrap(&text, cells) {
                prop_assert!(width(&row) <= cells.max(3) && !row.chars().any(char::is_control));
            }
        }
    }
}
