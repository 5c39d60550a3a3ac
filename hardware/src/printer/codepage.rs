//! Text to a printer's code pages, with transliteration of what they lack.
//!
//! Each character of [`printable`]'s answer is on one of the pages or can be drawn; a row whose characters share no page
//! is drawn whole. The tables are those of the `oem_cp` crate, held against another codec below.
//!
//! Invariant: whatever goes in, no control character comes out, so that a product's name can never be a printer command.
//!
//! Start at [`printable`].

use super::font;
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use unicode_width::UnicodeWidthChar as _;

/// A code page that a printer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "(u16, u8)")]
pub struct Page {
    /// Its number at IBM and Microsoft: 437, 858, …
    pub code: u16,
    /// Its number at this make, the n of `ESC t n`.
    pub number: u8,
}

impl From<(u16, u8)> for Page {
    fn from((code, number): (u16, u8)) -> Page {
        Page { code, number }
    }
}

impl Page {
    /// Whether there is a table for it.
    pub fn is_known(self) -> bool {
        DECODING_TABLE_CP_MAP.get(&self.code).is_some()
    }

    /// The character of a byte of 0x20 and above; `None` for a control byte or one that the page leaves open.
    pub fn to_char(self, byte: u8) -> Option<char> {
        match byte {
            b' '..=b'~' => Some(char::from(byte)),
            0x80.. => DECODING_TABLE_CP_MAP.get(&self.code)?.decode_char_checked(byte),
            0..=0x1F | 0x7F => None,
        }
    }

    /// The byte of a character, 0x20 and above, if the page has it.
    pub fn to_byte(self, c: char) -> Option<u8> {
        match c {
            ' '..='~' => u8::try_from(c).ok(),
            '\0'..='\x7F' => None,
            c => {
                let table = DECODING_TABLE_CP_MAP.get(&self.code)?;
                (0x80..=0xFF).find(|&byte| table.decode_char_checked(byte) == Some(c))
            }
        }
    }
}

/// The page among `pages` that has all of the text, the first if several have.
pub fn page_of(text: &str, pages: &[Page]) -> Option<Page> {
    pages.iter().copied().find(|page| text.chars().all(|c| page.to_byte(c).is_some()))
}

/// How many columns a printable text takes: two for a wide character, one for any other.
pub fn cells(text: &str) -> usize {
    text.chars().map(cells_of).sum()
}

/// How many columns one printable character takes.
pub fn cells_of(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// The text as a printer with these pages can show it: composed (NFC), every kind of space and control character a
/// space, invisible characters (joiners, direction marks, combining marks) gone; the rest is on a page, transliterated
/// to ASCII, drawn, or `?`. Applying it twice changes nothing.
pub fn printable(text: &str, pages: &[Page]) -> String {
    let on_a_page = |c| pages.iter().any(|page| page.to_byte(c).is_some());
    let mut shown = String::with_capacity(text.len());
    for c in text.nfc() {
        match c {
            ' '..='~' => shown.push(c),
            c if is_space(c) => shown.push(' '),
            c if is_invisible(c) => {}
            c if on_a_page(c) => shown.push(c),
            c => match (transliterated(c), latin(c)) {
                (Some(ascii), _) => shown.push_str(ascii),
                (None, Some(ascii)) => shown.push(ascii),
                (None, None) => shown.push(if font::has(c) { c } else { '?' }),
            },
        }
    }
    shown
}

fn is_space(c: char) -> bool {
    c.is_control() || c.is_whitespace()
}

/// Characters without a width of their own, and those that turn the direction. A printer would show a box for them.
fn is_invisible(c: char) -> bool {
    c == '\u{AD}' || c.width() == Some(0) || matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{FFF0}'..='\u{FFFF}')
}

/// Punctuation, ligatures and currencies that the pages may lack.
fn transliterated(c: char) -> Option<&'static str> {
    Some(match c {
        '‘' | '’' | '‚' | '‛' | '′' | '‹' | '›' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
        '…' => "...",
        '•' | '∙' | '‣' | '⋅' | '·' => "*",
        '⁄' | '∕' => "/",
        '†' => "+",
        '×' => "x",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '≈' => "~",
        '→' => "->",
        '←' => "<-",
        '✓' | '✔' => "v",
        '✗' | '✘' => "x",
        '™' => "(TM)",
        '®' => "(R)",
        '©' => "(C)",
        '№' => "No",
        '‰' => "o/oo",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬀ' => "ff",
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'Œ' => "OE",
        'œ' => "oe",
        'Æ' => "AE",
        'æ' => "ae",
        'ß' => "ss",
        'ẞ' => "SS",
        '\u{3A9}' | '\u{2126}' => "Ohm",
        '€' => "EUR",
        '£' => "GBP",
        '¥' => "JPY",
        '₹' => "INR",
        '₽' => "RUB",
        '₺' => "TRY",
        '₴' => "UAH",
        '₩' => "KRW",
        '₪' => "ILS",
        '₫' => "VND",
        '₱' => "PHP",
        '₦' => "NGN",
        _ => return None,
    })
}

/// A Latin letter without the mark that the pages lack, and the wide forms of ASCII.
fn latin(c: char) -> Option<char> {
    match c {
        'Ł' => Some('L'),
        'ł' => Some('l'),
        'Đ' | 'Ð' => Some('D'),
        'đ' | 'ð' => Some('d'),
        'Ø' => Some('O'),
        'ø' => Some('o'),
        'ı' => Some('i'),
        'Ħ' => Some('H'),
        'ħ' => Some('h'),
        'Ŧ' => Some('T'),
        'ŧ' => Some('t'),
        'μ' | 'µ' => Some('u'),
        // The wide forms of ASCII that Asian keyboards write.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0),
        '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => c.nfd().next().filter(char::is_ascii_alphabetic),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CP858: Page = Page { code: 858, number: 19 };
    const CP866: Page = Page { code: 866, number: 17 };

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(printable(text, &[CP858]), shown);
    }

    /// 0x80..=0xFF decoded as `cp858` by CPython 3's codec.
    const CPYTHON: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
        └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{AD}±‗¾¶§÷¸°¨·¹³²■\u{A0}";

    #[test]
    fn the_page_is_that_of_another_codec() {
        let table: String = (0x80..=0xFF).filter_map(|byte| CP858.to_char(byte)).collect();
        assert_eq!(table, CPYTHON);
        assert_eq!(['€', 'ß', '-'].map(|c| CP858.to_byte(c)), [Some(0xD5), Some(0xE1), Some(0x2D)]);
        assert_eq!((CP858.to_byte('\x1b'), CP858.to_byte('\x7f'), CP858.to_byte('я')), (None, None, None));
    }

    #[test]
    fn what_the_page_lacks_is_written_in_ascii() {
        check("Größe 3 × 1,50 €", "Größe 3 × 1,50 €");
        check("“Tea” – it’s…", "\"Tea\" - it's...");
        check("Łódź, Škoda, Œuvre, Țară, Việt", "Lódz, Skoda, OEuvre, Tara, Viet");
        check("1\u{202F}234,50\u{A0}₽", "1 234,50 RUB");
        assert_eq!(printable("1,50 €", &[Page { code: 437, number: 0 }]), "1,50 EUR");
    }

    #[test]
    fn other_scripts_are_drawn_unless_a_page_has_them() {
        check("日本 ＡＢＣ", "日本 ABC");
        assert_eq!((page_of("Чай", &[CP858, CP866]), page_of("Чай", &[CP858])), (Some(CP866), None));
        assert_eq!(page_of("Чай 5 £", &[CP858, CP866]), None, "no page has both");
        assert_eq!((cells("日本 A"), cells("Чай")), (6, 3));
    }

    #[test]
    fn control_and_invisible_characters_do_no_harm() {
        check("Tea\x1bp\0\x19\x19 cup", "Tea p    cup");
        check("a\u{202E}b\u{200F}c\u{FEFF}d\u{AD}e", "abcde");
        check("e\u{301}\r\nf\u{2028}g\u{85}h\u{9B}i\x7F", "é  f g h i ");
        check("👩\u{200D}🔧\u{FE0F}!", "??!");
    }

    proptest! {
        #[test]
        fn any_text_is_on_a_page_or_drawn_and_stays(text in any::<String>()) {
            let shown = printable(&text, &[CP858, CP866]);
            prop_assert_eq!(&printable(&shown, &[CP858, CP866]), &shown);
            for c in shown.chars() {
                let byte = CP858.to_byte(c).or(CP866.to_byte(c));
                prop_assert!(!c.is_control() && cells_of(c) > 0);
                prop_assert!(byte.is_some_and(|byte| byte >= 0x20 && byte != 0x7F) || font::has(c));
            }
        }
    }
}
