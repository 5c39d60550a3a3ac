//! Rows to ESC/POS bytes. The commands are those of Epson's ESC/POS reference; the few that are used here are shared
//! by nearly every receipt printer.
//!
//! Invariant: text never becomes a command. What the code page lacks is written by its nearest ASCII letters, control
//! characters become spaces, and a row never exceeds the printer's columns.

use super::PrintRow;

/// ESC @: initialise.
pub const INIT: [u8; 2] = [0x1B, 0x40];
/// ESC t n: select the code page; 19 is CP858 on Epson and most clones.
pub const CODE_PAGE_858: [u8; 3] = [0x1B, 0x74, 19];
/// ESC a n: justification; 0 left, 1 centre.
pub const JUSTIFY: [u8; 2] = [0x1B, 0x61];
/// ESC E n: emphasised; 0 off, 1 on.
pub const EMPHASIS: [u8; 2] = [0x1B, 0x45];
/// ESC d n: print and feed n lines.
pub const FEED: [u8; 2] = [0x1B, 0x64];
/// ESC p m t1 t2: pulse on drawer pin 2 (m = 0), 50 ms on and 250 ms off, in steps of 2 ms.
pub const DRAWER: [u8; 5] = [0x1B, 0x70, 0x00, 25, 125];
/// GS r 1: send the paper sensor's status, once everything before it was processed: the fence behind a job.
pub const FENCE: [u8; 3] = [0x1D, 0x72, 0x01];

/// Lines between the last row and the tear bar.
const TEAR_LINES: u8 = 4;

/// What a job needs beside its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Characters on a row.
    pub columns: usize,
    /// Open the cash drawer first.
    pub drawer: bool,
}

/// The bytes of one job.
pub fn encode(rows: &[PrintRow], options: &EncodeOptions) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * (options.columns + 8) + 32);
    out.extend(INIT);
    out.extend(CODE_PAGE_858);
    if options.drawer {
        out.extend(DRAWER);
    }
    let (mut bold, mut centred) = (false, false);
    for row in rows {
        if row.centred != centred {
            centred = row.centred;
            out.extend(JUSTIFY);
            out.push(u8::from(centred));
        }
        if row.bold != bold {
            bold = row.bold;
            out.extend(EMPHASIS);
            out.push(u8::from(bold));
        }
        let text = to_cp858(&row.text);
        out.extend_from_slice(text.get(..options.columns).unwrap_or(&text));
        out.push(b'\n');
    }
    out.extend(FEED);
    out.push(TEAR_LINES);
    out.extend(FENCE);
    out
}

/// The upper half of CP858: CP850 with the euro sign at D5 (IBM code page 858).
const UPPER: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅ",
    "ÉæÆôöòûùÿÖÜø£Ø×ƒ",
    "áíóúñÑªº¿®¬½¼¡«»",
    "░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐",
    "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤",
    "ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀",
    "ÓßÔÒõÕµþÞÚÛÙýÝ¯´",
    "\u{AD}±‗¾¶§÷¸°¨·¹³²■\u{A0}",
);

/// Letters and signs that CP858 lacks, as the nearest that it has.
const NEAREST: &[(&str, &str)] = &[
    ("ĀĂĄǍ", "A"),
    ("āăąǎ", "a"),
    ("ĆĈĊČ", "C"),
    ("ćĉċč", "c"),
    ("ĎĐ", "D"),
    ("ďđ", "d"),
    ("ĒĔĖĘĚ", "E"),
    ("ēĕėęě", "e"),
    ("ĜĞĠĢ", "G"),
    ("ĝğġģ", "g"),
    ("ĨĪĬĮİ", "I"),
    ("ĩīĭįı", "i"),
    ("ĹĻĽŁ", "L"),
    ("ĺļľł", "l"),
    ("ŃŅŇ", "N"),
    ("ńņň", "n"),
    ("ŌŎŐ", "O"),
    ("ōŏő", "o"),
    ("ŔŖŘ", "R"),
    ("ŕŗř", "r"),
    ("ŚŜŞŠȘ", "S"),
    ("śŝşšș", "s"),
    ("ŢŤȚ", "T"),
    ("ţťț", "t"),
    ("ŨŪŬŮŰŲ", "U"),
    ("ũūŭůűų", "u"),
    ("ŴẀẂẄ", "W"),
    ("ŵẁẃẅ", "w"),
    ("ŶŸỲ", "Y"),
    ("ŷỳ", "y"),
    ("ŹŻŽ", "Z"),
    ("źżž", "z"),
    ("Œ", "OE"),
    ("œ", "oe"),
    ("‐‑‒–—―−", "-"),
    ("‘’‚‛′", "'"),
    ("“”„″", "\""),
    ("…", "..."),
    ("•", "\u{B7}"),
    ("™", "TM"),
];

/// Text as the printer's bytes, one byte a character of the code page.
pub fn to_cp858(text: &str) -> Vec<u8> {
    text.chars().flat_map(bytes_of).collect()
}

fn bytes_of(c: char) -> Vec<u8> {
    if c.is_control() {
        return vec![b' '];
    }
    if let Some(byte) = byte_of(c) {
        return vec![byte];
    }
    // Marks without a width of their own: joiners, direction, variation.
    if matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{300}'..='\u{36F}')
    {
        return Vec::new();
    }
    let nearest = NEAREST.iter().find(|(from, _)| from.contains(c)).map_or("?", |(_, to)| to);
    nearest.chars().filter_map(byte_of).collect()
}

fn byte_of(c: char) -> Option<u8> {
    if matches!(c, ' '..='~') {
        return u8::try_from(c).ok();
    }
    let place = UPPER.chars().position(|known| known == c)?;
    u8::try_from(place).ok().map(|place| place + 0x80)
}

/// The character of a byte that was printed.
pub(super) fn char_of(byte: u8) -> char {
    match byte {
        0x20..=0x7E => char::from(byte),
        0x80.. => UPPER.chars().nth(usize::from(byte - 0x80)).unwrap_or('?'),
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_its_places() {
        assert_eq!(UPPER.chars().count(), 128);
        assert_eq!(to_cp858("€ Äß"), [0xD5, b' ', 0x8E, 0xE1]);
        assert_eq!(to_cp858("Łódź – “ok”…"), b"L\xA2dz - \"ok\"...");
        assert_eq!(to_cp858("a\u{202E}b\x1b\0\u{1F600}"), b"ab  ?");
    }

    #[test]
    fn a_job_is_these_bytes() {
        let row = |text: &str, bold, centred| PrintRow { text: text.to_owned(), bold, centred };
        let rows = [row("TOTAL", true, false), row("12 €", false, true)];
        let bytes = encode(&rows, &EncodeOptions { columns: 32, drawer: true });
        let expected = [
            b"\x1b@\x1bt\x13\x1bp\0\x19\x7d".as_slice(),
            b"\x1bE\x01TOTAL\n",
            b"\x1ba\x01\x1bE\x0012 \xD5\n",
            b"\x1bd\x04\x1dr\x01",
        ]
        .concat();
        assert_eq!(bytes, expected);
    }
}
