//! The characters that are not text: rules, the cursor, and the marks that tell states apart by shape.
//!
//! Invariant: every mark is three cells wide; paid is square, what is not certain is round, failed has points.

/// One set of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// A horizontal rule, one cell.
    pub rule: &'static str,
    /// A divider between panes, one cell.
    pub divider: &'static str,
    /// Stands before the selected row, one cell.
    pub cursor: &'static str,
    /// Stands where text was cut.
    pub ellipsis: &'static str,
    /// Stands before the number of unsent rows, one cell.
    pub unsent: &'static str,
    /// Where typed text goes, one cell.
    pub caret: &'static str,
    /// Corners of a box: upper left, upper right, lower left, lower right.
    pub corners: [&'static str; 4],
    /// Money that is certain.
    pub paid: &'static str,
    /// Money that is accepted and not certain.
    pub pending: &'static str,
    /// Nobody knows.
    pub unknown: &'static str,
    /// No money.
    pub failed: &'static str,
    /// Money that is due, or under way.
    pub due: &'static str,
    /// Only seven bits may reach the terminal: letters with marks lose them, the rest becomes `?`.
    pub seven_bits: bool,
}

/// Seven bits, for any line.
pub const ASCII: Glyphs = Glyphs {
    rule: "-",
    divider: "|",
    cursor: ">",
    ellipsis: "..",
    unsent: "^",
    caret: "_",
    corners: ["+", "+", "+", "+"],
    paid: "[x]",
    pending: "(~)",
    unknown: "(?)",
    failed: "<!>",
    due: "[ ]",
    seven_bits: true,
};

/// What the IBM PC font has, for the Linux console.
pub const CP437: Glyphs = Glyphs {
    rule: "─",
    divider: "│",
    cursor: "►",
    ellipsis: "..",
    unsent: "^",
    caret: "█",
    corners: ["┌", "┐", "└", "┘"],
    paid: "[√]",
    pending: "(≈)",
    unknown: "(?)",
    failed: "<!>",
    due: "[ ]",
    seven_bits: false,
};

/// For terminals with a modern font.
pub const UNICODE: Glyphs = Glyphs {
    rule: "─",
    divider: "│",
    cursor: "▸",
    ellipsis: "…",
    unsent: "↑",
    caret: "▏",
    corners: ["╭", "╮", "╰", "╯"],
    paid: "[✓]",
    pending: "(~)",
    unknown: "(?)",
    failed: "<✗>",
    due: "[ ]",
    seven_bits: false,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text::width;

    #[test]
    fn marks_are_three_cells_and_differ() {
        for set in [ASCII, CP437, UNICODE] {
            let marks = [set.paid, set.pending, set.unknown, set.failed, set.due];
            for (i, mark) in marks.iter().enumerate() {
                assert_eq!(width(mark), 3, "{mark}");
                assert!(!marks[..i].contains(mark), "{mark}");
            }
            for single in [set.rule, set.divider, set.cursor, set.unsent, set.caret].iter().chain(&set.corners) {
                assert_eq!(width(single), 1, "{single}");
            }
        }
        assert!(ASCII.corners.iter().all(|c| c.is_ascii()));
    }
}
