//! Text to a printer's code page: CP858, with transliteration of what the page lacks.
//!
//! Invariant: whatever goes in, no byte below 0x20 and no 0x7F comes out, so that a product's name can never be a
//! printer command. One character of [`printable`]'s answer is one byte and one column.
//!
//! Start at [`printable`].

/// The upper half of CP858: CP850 with the euro sign at 0xD5 (IBM code page 858; checked against another codec below).
const HIGH: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', // 80
    'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', 'ø', '£', 'Ø', '×', 'ƒ', // 90
    'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '®', '¬', '½', '¼', '¡', '«', '»', // A0
    '░', '▒', '▓', '│', '┤', 'Á', 'Â', 'À', '©', '╣', '║', '╗', '╝', '¢', '¥', '┐', // B0
    '└', '┴', '┬', '├', '─', '┼', 'ã', 'Ã', '╚', '╔', '╩', '╦', '╠', '═', '╬', '¤', // C0
    'ð', 'Ð', 'Ê', 'Ë', 'È', '€', 'Í', 'Î', 'Ï', '┘', '┌', '█', '▄', '¦', 'Ì', '▀', // D0
    'Ó', 'ß', 'Ô', 'Ò', 'õ', 'Õ', 'µ', 'þ', 'Þ', 'Ú', 'Û', 'Ù', 'ý', 'Ý', '¯', '´', // E0
    '\u{AD}', '±', '‗', '¾', '¶', '§', '÷', '¸', '°', '¨', '·', '¹', '³', '²', '■', '\u{A0}', // F0
];

/// U+0100..=U+017F without their marks; the four ligatures among them are handled before this is asked.
const LATIN_EXTENDED_A: &[u8; 128] = b"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi??JjKkk\
LlLlLlLlLlNnNnNnnNnOoOoOo??RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

/// The text as the printer will show it: control characters and every kind of space become a space, invisible
/// characters (joiners, direction marks, combining marks) vanish, the rest is on the page, transliterated to ASCII,
/// or `?`. Applying it twice changes nothing.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => shown.push(c),
            c if is_space(c) => shown.push(' '),
            c if is_invisible(c) => {}
            c if HIGH.contains(&c) => shown.push(c),
            c => match transliterated(c) {
                Some(ascii) => shown.push_str(ascii),
                None => shown.push(latin(c).unwrap_or('?')),
            },
        }
    }
    shown
}

/// The byte of a character of CP858, or `?`; never a control byte.
pub(crate) fn to_byte(c: char) -> u8 {
    match c {
        ' '..='~' => u8::try_from(c).unwrap_or(b'?'),
        c => match HIGH.iter().position(|&high| high == c).map(|at| u8::try_from(at + 0x80)) {
            Some(Ok(byte)) => byte,
            Some(Err(_)) | None => b'?',
        },
    }
}

/// The character that CP858 shows for a byte of 0x20 and above; `None` for a control byte.
pub(crate) fn to_char(byte: u8) -> Option<char> {
    match byte {
        b' '..=b'~' => Some(char::from(byte)),
        0x80.. => HIGH.get(usize::from(byte - 0x80)).copied(),
        0..=0x1F | 0x7F => None,
    }
}

fn is_space(c: char) -> bool {
    c.is_control() || c.is_whitespace()
}

/// Characters without a width of their own. A printer would show a box for them or give them a column.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' // soft hyphen
        | '\u{300}'..='\u{36F}' // combining marks
        | '\u{61C}' | '\u{180E}'
        | '\u{200B}'..='\u{200F}' // zero-width space, joiners, direction marks
        | '\u{202A}'..='\u{202E}' // direction embeddings and overrides
        | '\u{2060}'..='\u{206F}' // word joiner, isolates
        | '\u{20D0}'..='\u{20FF}' // combining marks for symbols, the keycap
        | '\u{FE00}'..='\u{FE0F}' // variation selectors
        | '\u{FEFF}' // byte order mark
        | '\u{E0000}'..='\u{E0FFF}') // tags
}

/// Punctuation, ligatures and currencies that the page lacks.
fn transliterated(c: char) -> Option<&'static str> {
    Some(match c {
        '‘' | '’' | '‚' | '‛' | '′' | '‹' | '›' => "'",
        '“' | '”' | '„' | '‟' | '″' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
        '…' => "...",
        '•' | '∙' | '‣' | '⋅' => "*",
        '⁄' | '∕' => "/",
        '†' => "+",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '≈' => "~",
        '→' => "->",
        '←' => "<-",
        '✓' | '✔' => "v",
        '✗' | '✘' => "x",
        '™' => "(TM)",
        '№' => "No",
        '‰' => "o/oo",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬀ' => "ff",
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'Œ' => "OE",
        'œ' => "oe",
        'ẞ' => "SS",
        '\u{3A9}' | '\u{2126}' => "Ohm",
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

/// A Latin letter without the mark that the page lacks.
fn latin(c: char) -> Option<char> {
    let code = u32::from(c);
    match c {
        '\u{100}'..='\u{17F}' => {
            let at = usize::try_from(code - 0x100).ok()?;
            LATIN_EXTENDED_A.get(at).map(|&b| char::from(b))
        }
        'Ș' => Some('S'),
        'ș' => Some('s'),
        'Ț' => Some('T'),
        'ț' => Some('t'),
        'μ' => Some('µ'), // the Greek letter for the micro sign
        // The wide forms of ASCII that Asian keyboards write.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(code - 0xFEE0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(printable(text), shown);
    }

    /// 0x80..=0xFF decoded as `cp858` by CPython 3's codec.
    const CPYTHON: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
        └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{AD}±‗¾¶§÷¸°¨·¹³²■\u{A0}";

    #[test]
    fn the_page_is_that_of_another_codec() {
        let ours: String = (0x80..=0xFF).filter_map(to_char).collect();
        assert_eq!(ours, CPYTHON);
        assert_eq!((to_byte('€'), to_byte('ß'), to_byte('-')), (0xD5, 0xE1, 0x2D));
    }

    #[test]
    fn what_the_page_lacks_is_written_in_ascii() {
        check("Größe 3 × 1,50 €", "Größe 3 × 1,50 €");
        check("“Tea” – it’s…", "\"Tea\" - it's...");
        check("Łódź, Škoda, Œuvre, Țară", "Lódz, Skoda, OEuvre, Tara");
        check("1\u{202F}234,50\u{A0}₽", "1 234,50 RUB");
        check("日本 ＡＢＣ", "?? ABC");
    }

    #[test]
    fn control_and_invisible_characters_do_no_harm() {
        check("Tea\x1bp\0\x19\x19 cup", "Tea p    cup");
        check("a\u{202E}b\u{200F}c\u{FEFF}d\u{AD}e", "abcde");
        check("e\u{301}\r\nf\u{2028}g\u{85}h\u{9B}i\x7F", "e  f g h i ");
        check("👩\u{200D}🔧\u{FE0F}!", "??!");
    }

    proptest! {
        #[test]
        fn any_text_is_on_the_page_and_stays(text in any::<String>()) {
            let shown = printable(&text);
            prop_assert_eq!(&printable(&shown), &shown);
            for c in shown.chars() {
                let byte = to_byte(c);
                prop_assert!(byte >= 0x20 && byte != 0x7F);
                prop_assert_eq!(to_char(byte), Some(c));
            }
        }
    }
}
