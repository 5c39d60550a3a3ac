//! Receipts as ESC/POS bytes, without a library: a dozen commands are simpler than working round one.
//!
//! Sources: Epson's "ESC/POS Command Reference for TM Printers"; each constant names its command there.
//!
//! Invariant: pure, and nothing of a row's text is ever a command: text goes through [`codepage::printable`]. A row never
//! wraps: it is cut at the columns. At most one drawer pulse a job, only when asked for.
//!
//! Start at [`encode`].

use super::codepage;
use super::{COLUMNS_MAX, COLUMNS_MIN, PrintRow};

/// `ESC @`, Initialize printer: clears the line buffer and sets alignment, bold and code page to their defaults.
pub const INITIALIZE: [u8; 2] = [0x1B, 0x40];

/// `ESC t n`, Select character code table; n follows.
pub const SELECT_PAGE: [u8; 2] = [0x1B, 0x74];

/// The n of `ESC t` for CP858 on Epson and on most clones (page 19: PC858 Euro).
pub const PAGE_CP858_EPSON: u8 = 19;

/// `ESC a n`, Select justification; works at the beginning of a line only. n: 0 left, 1 centred.
pub const JUSTIFY: [u8; 2] = [0x1B, 0x61];

/// `ESC E n`, Turn emphasized mode on/off; n: 0 off, 1 on.
pub const EMPHASIZE: [u8; 2] = [0x1B, 0x45];

/// `LF`, Print and line feed.
pub const LINE_FEED: u8 = 0x0A;

/// `ESC p m t1 t2`, Generate pulse: drawer pin 2, on for 25 × 2 ms = 50 ms, then off for 125 × 2 ms = 250 ms.
pub const DRAWER_PULSE: [u8; 5] = [0x1B, 0x70, 0x00, 0x19, 0x7D];

/// `GS V m n`, Select cut mode and cut paper, function B: feed to the cutter and n = 0 steps more, cut but for a bridge.
pub const FEED_AND_CUT: [u8; 4] = [0x1D, 0x56, 0x42, 0x00];

/// `GS r n`, Transmit status, n = 1 paper sensor. Queued: answered with one byte 0xx0xxxx when everything before it has
/// been worked off, and not at all while there is no paper. This makes it the fence behind a job.
pub const FENCE: [u8; 3] = [0x1D, 0x72, 0x01];

/// How a receipt is parted from the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The printer has a cutter.
    Cut,
    /// The paper is fed over the tear bar. By line feeds: old firmware of 58 mm clones mishandles `ESC d n`.
    Tear {
        /// Rows from the head to the bar; 3 or 4 on most.
        feed_lines: u8,
    },
}

/// What the encoder has to know of a printer and a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Characters in a row; brought into [`COLUMNS_MIN`]..=[`COLUMNS_MAX`].
    pub columns: u16,
    /// The n of `ESC t` that selects CP858 on this printer.
    pub page: u8,
    /// Cut or tear.
    pub finish: Finish,
    /// Whether the drawer is kicked before the first row.
    pub drawer: bool,
}

impl EncodeOptions {
    /// A printer with a cutter and Epson's page numbers, no drawer pulse.
    pub fn epson(columns: u16) -> EncodeOptions {
        EncodeOptions { columns, page: PAGE_CP858_EPSON, finish: Finish::Cut, drawer: false }
    }
}

/// A job's bytes, and where its rows end in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedJob {
    /// Everything from `ESC @` to the fence.
    pub bytes: Vec<u8>,
    /// For each row the offset behind its line feed, ascending.
    pub row_ends: Vec<usize>,
}

/// The bytes of a receipt, from `ESC @` to the fence.
pub fn encode(rows: &[PrintRow], options: &EncodeOptions) -> Vec<u8> {
    encode_job(rows, options).bytes
}

/// The bytes of a receipt with the ends of its rows, for whoever reports progress.
pub fn encode_job(rows: &[PrintRow], options: &EncodeOptions) -> EncodedJob {
    let columns = usize::from(options.columns.clamp(COLUMNS_MIN, COLUMNS_MAX));
    let mut bytes = Vec::with_capacity(32 + rows.len() * (columns + 7));
    let mut row_ends = Vec::with_capacity(rows.len());
    bytes.extend_from_slice(&INITIALIZE);
    bytes.extend_from_slice(&SELECT_PAGE);
    bytes.push(options.page);
    if options.drawer {
        bytes.extend_from_slice(&DRAWER_PULSE);
    }
    for row in rows {
        push_row(&mut bytes, row, columns);
        row_ends.push(bytes.len());
    }
    match options.finish {
        Finish::Cut => bytes.extend_from_slice(&FEED_AND_CUT),
        Finish::Tear { feed_lines } => bytes.extend((0..feed_lines).map(|_| LINE_FEED)),
    }
    bytes.extend_from_slice(&FENCE);
    EncodedJob { bytes, row_ends }
}

/// Alignment and weight are said anew for each row, so that one lost byte spoils one row and not the rest.
fn push_row(bytes: &mut Vec<u8>, row: &PrintRow, columns: usize) {
    bytes.extend_from_slice(&JUSTIFY);
    bytes.push(u8::from(row.centred));
    bytes.extend_from_slice(&EMPHASIZE);
    bytes.push(u8::from(row.bold));
    bytes.extend(codepage::printable(&row.text).chars().take(columns).map(codepage::to_byte));
    bytes.push(LINE_FEED);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printer::sim::render_text;
    use proptest::prelude::*;

    fn row(text: &str, bold: bool, centred: bool) -> PrintRow {
        PrintRow { text: text.into(), bold, centred }
    }

    #[test]
    fn a_receipt_is_these_bytes() {
        let options = EncodeOptions { drawer: true, ..EncodeOptions::epson(32) };
        let bytes = encode(&[row("Tee 2 €", true, true)], &options);
        let expected = b"\x1b@\x1bt\x13\x1bp\x00\x19\x7d\x1ba\x01\x1bE\x01Tee 2 \xd5\n\x1dVB\x00\x1dr\x01";
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_receipt_for_the_tear_bar_is_fed_and_not_cut() {
        let options = EncodeOptions { finish: Finish::Tear { feed_lines: 3 }, ..EncodeOptions::epson(32) };
        assert!(encode(&[], &options).ends_with(b"\x13\n\n\n\x1dr\x01"));
    }

    #[test]
    fn what_was_encoded_is_what_the_paper_shows() {
        let rows = [
            row("Müller & Söhne", true, true),
            row("Größe 3 × 1,50 €", false, false),
            row("", false, false),
            row("Tea\x1bp\0\x19\x19 \u{202E}cup 😀\n", false, false),
            row(&"x".repeat(500), false, false),
        ];
        let paper = render_text(&encode(&rows, &EncodeOptions::epson(32)), 32);
        let expected =
            ["         Müller & Söhne", "Größe 3 × 1,50 €", "", "Tea p    cup ? ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"];
        assert_eq!(paper.rows, expected);
        assert_eq!(paper.bold, [true, false, false, false, false]);
        assert_eq!((paper.drawer_pulses, paper.cuts, paper.fences), (0, 1, 1));
        assert_eq!((paper.unknown, paper.wrapped), (0, 0));
    }

    fn any_row() -> impl Strategy<Value = PrintRow> {
        // Command bytes far more often than chance would bring them.
        let part = prop_oneof![any::<String>(), "[\\x00-\\x1f]{0,6}[a-z€]{0,9}", "[ -~]{0,90}"];
        (proptest::collection::vec(part, 0..4), any::<bool>(), any::<bool>())
            .prop_map(|(parts, bold, centred)| PrintRow { text: parts.concat(), bold, centred })
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_column_or_opens_a_drawer(
            rows in proptest::collection::vec(any_row(), 0..20),
            columns in COLUMNS_MIN..=COLUMNS_MAX,
            drawer: bool,
            cut: bool,
        ) {
            let finish = if cut { Finish::Cut } else { Finish::Tear { feed_lines: 4 } };
            let job = encode_job(&rows, &EncodeOptions { finish, drawer, ..EncodeOptions::epson(columns) });
            let paper = render_text(&job.bytes, columns);
            prop_assert_eq!(paper.rows.len(), rows.len() + if cut { 0 } else { 4 });
            prop_assert_eq!((paper.wrapped, paper.unknown, paper.fences), (0, 0, 1));
            prop_assert_eq!(paper.drawer_pulses, u32::from(drawer));
            prop_assert_eq!(paper.cuts, u32::from(cut));
            for (shown, sent) in paper.rows.iter().zip(&rows) {
                prop_assert!(shown.chars().count() <= usize::from(columns));
                let text: String = codepage::printable(&sent.text).chars().take(usize::from(columns)).collect();
                prop_assert!(shown.ends_with(&text));
            }
            prop_assert_eq!(job.row_ends.len(), rows.len());
            prop_assert!(job.row_ends.iter().all(|&end| job.bytes.get(end - 1) == Some(&LINE_FEED)));
        }
    }
}
