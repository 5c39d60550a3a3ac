//! What fits at which width.
//!
//! Invariant: every width has a layout; narrower ones leave out, wider ones put side by side.

/// What fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// Below 40 columns: things are cut.
    Tiny,
    /// 40 to 52: the handheld's panel.
    Narrow,
    /// 53 to 79: addresses fit.
    Roomy,
    /// 80 to 127: list and detail side by side.
    Wide,
    /// 128 and more: a third pane.
    Huge,
}

/// The class of a width in cells.
pub fn width(columns: u16) -> Width {
    match columns {
        0..40 => Width::Tiny,
        40..53 => Width::Narrow,
        53..80 => Width::Roomy,
        80..128 => Width::Wide,
        128.. => Width::Huge,
    }
}

/// Widths of the panes, cells; one cell of divider stands between two.
pub fn panes(columns: u16) -> Vec<u16> {
    match width(columns) {
        Width::Tiny | Width::Narrow | Width::Roomy => vec![columns],
        Width::Wide => {
            let main = columns.saturating_sub(1) / 2 + 2;
            vec![main, columns.saturating_sub(1 + main)]
        }
        Width::Huge => {
            let main = columns.saturating_sub(2) / 3 + 2;
            let rest = columns.saturating_sub(2 + main);
            vec![main, rest / 2, rest - rest / 2]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_and_dividers_fill_the_width() {
        for columns in 0..400 {
            let panes = panes(columns);
            let dividers = u16::try_from(panes.len()).unwrap() - 1;
            assert_eq!(panes.iter().sum::<u16>() + dividers, columns, "{columns}");
        }
        assert_eq!(
            [39, 40, 53, 80, 128].map(width),
            [Width::Tiny, Width::Narrow, Width::Roomy, Width::Wide, Width::Huge]
        );
    }
}
