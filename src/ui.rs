//! Drawing only: colours, marks, rows of text, and where they go on a screen of some size.
//!
//! Invariant: knows no model; text from data never leaves its row. Start at [`page::Page`].

pub mod breakpoints;
pub mod glyphs;
pub mod page;
pub mod row;
pub mod text;
pub mod theme;

/// How things look here: handed to every view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colours.
    pub theme: theme::Theme,
    /// Characters.
    pub glyphs: glyphs::Glyphs,
}
