//! One row of a screen: text on the left, text at the right edge.
//!
//! Invariant: drawn within its width, whatever the text; the right part is cut last, because money stands there.

use super::Look;
use super::text::{fit, seven_bits, width};
use super::theme::Role;
use ratatui::buffer::Buffer;

/// A piece of text and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The text, as it came.
    pub text: String,
    /// What it is.
    pub role: Role,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Left parts one after the other, and one at the right edge.
    Line {
        /// From the left.
        left: Vec<Part>,
        /// At the right edge.
        right: Option<Part>,
    },
    /// In the middle.
    Centred(Part),
    /// A rule across.
    Rule,
}

impl Row {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Row {
        Row::of(text, Role::Plain)
    }

    /// Text of a role.
    pub fn of(text: impl Into<String>, role: Role) -> Row {
        Row::Line { left: vec![Part { text: text.into(), role }], right: None }
    }

    /// Nothing.
    pub fn blank() -> Row {
        Row::Line { left: Vec::new(), right: None }
    }

    /// In the middle.
    pub fn centred(text: impl Into<String>, role: Role) -> Row {
        Row::Centred(Part { text: text.into(), role })
    }

    /// A label and what belongs to it at the right edge.
    pub fn pair(left: impl Into<String>, right: impl Into<String>) -> Row {
        Row::text(left).right(right, Role::Plain)
    }

    /// Another piece on the left.
    pub fn and(mut self, text: impl Into<String>, role: Role) -> Row {
        if let Row::Line { left, .. } = &mut self {
            left.push(Part { text: text.into(), role });
        }
        self
    }

    /// At the right edge.
    pub fn right(mut self, text: impl Into<String>, role: Role) -> Row {
        let text = text.into();
        if let Row::Line { right, .. } = &mut self {
            *right = (!text.is_empty()).then_some(Part { text, role });
        }
        self
    }

    /// Every plain piece becomes `role`.
    pub fn all(mut self, role: Role) -> Row {
        if let Row::Line { left, right } = &mut self {
            for part in left.iter_mut().chain(right.iter_mut()).filter(|part| part.role == Role::Plain) {
                part.role = role;
            }
        }
        self
    }

    /// True for an empty row, which may be left out where there is no room.
    pub fn is_blank(&self) -> bool {
        matches!(self, Row::Line { left, right: None } if left.is_empty())
    }

    /// Draws it at `x`, `y` within `cells`.
    pub fn draw(&self, buffer: &mut Buffer, (x, y): (u16, u16), cells: u16, look: Look) {
        let room = usize::from(cells);
        match self {
            Row::Rule => {
                let rule = look.glyphs.rule.repeat(room);
                put(buffer, (x, y), room, &Part { text: rule, role: Role::Dim }, look);
            }
            Row::Centred(part) => {
                let text = fit(&part.text, room, look.glyphs.ellipsis);
                let indent = room.saturating_sub(width(&text)) / 2;
                put(buffer, (shift(x, indent), y), room - indent, &Part { text, role: part.role }, look);
            }
            Row::Line { left, right } => {
                let mut left_room = room;
                if let Some(part) = right {
                    let text = fit(&part.text, room, look.glyphs.ellipsis);
                    let used = width(&text);
                    put(buffer, (shift(x, room - used), y), used, &Part { text, role: part.role }, look);
                    left_room = room.saturating_sub(used + 1);
                }
                let mut at = 0;
                for part in left {
                    at += put(buffer, (shift(x, at), y), left_room.saturating_sub(at), part, look);
                }
            }
        }
    }
}

/// Draws one piece, cut to `cells`; the cells that it took.
fn put(buffer: &mut Buffer, (x, y): (u16, u16), cells: usize, part: &Part, look: Look) -> usize {
    let mut text = fit(&part.text, cells, look.glyphs.ellipsis);
    if look.glyphs.seven_bits {
        text = seven_bits(&text);
    }
    if cells == 0 || !buffer.area.contains((x, y).into()) {
        return 0;
    }
    let (end, _) = buffer.set_stringn(x, y, &text, cells, look.theme.style(part.role));
    usize::from(end.saturating_sub(x))
}

fn shift(x: u16, cells: usize) -> u16 {
    x.saturating_add(u16::try_from(cells).unwrap_or(u16::MAX))
}
