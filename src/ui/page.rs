//! A whole screen: status row, panes between two rules, a note, the hints; and a box on top of it.
//!
//! Invariant: every size from one cell up is drawn without leaving the screen; the hints are always the last row.

use super::Look;
use super::breakpoints::panes;
use super::row::Row;
use super::text::width;
use super::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::ops::Range;

/// Which rows of a pane must be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Focus {
    /// These, with as many before them as fit.
    Keep(Range<usize>),
    /// From this one on.
    From(usize),
}

/// A key and its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintText {
    /// The key.
    pub key: String,
    /// Its word; may be empty.
    pub word: String,
}

/// A box on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Popup {
    /// On its upper edge.
    pub title: String,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Which of them must be seen.
    pub focus: Focus,
}

/// A whole screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where I am, the longest way to say it first.
    pub title: Vec<String>,
    /// Light and dark change places in the top row.
    pub reversed: bool,
    /// How things stand, the longest way to say it first.
    pub status: Vec<String>,
    /// What the status is.
    pub status_role: Role,
    /// Panes from the left; as many as fit are shown.
    pub panes: Vec<Vec<Row>>,
    /// What must be seen of the first pane.
    pub focus: Focus,
    /// Above the hints.
    pub notes: Vec<Row>,
    /// Keys, the most useful first; the first one is shown before all others, then the last one.
    pub hints: Vec<HintText>,
    /// On top.
    pub popup: Option<Popup>,
}

/// The width of a box on a terminal of some width, cells; four of them are its edges.
pub fn popup_columns(columns: u16) -> u16 {
    if columns < 60 { columns } else { 50 }
}

impl Page {
    /// Draws it.
    pub fn draw(&self, buffer: &mut Buffer, look: Look) {
        let area = buffer.area;
        if area.width == 0 || area.height == 0 {
            return;
        }
        self.status_row(area.width).draw(buffer, (area.x, area.y), area.width, look);
        if self.reversed {
            buffer.set_style(Rect { height: 1, ..area }, look.theme.style(Role::Banner));
        }
        let notes = u16::try_from(self.notes.len()).unwrap_or(0).min(area.height.saturating_sub(6));
        let bottom = area.y + area.height - 1;
        let body = Rect { y: area.y + 2, height: area.height.saturating_sub(4 + notes), ..area };
        self.hint_row(area.width).draw(buffer, (area.x, bottom), area.width, look);
        if area.height < 5 {
            return;
        }
        for (index, note) in (0..notes).zip(&self.notes) {
            note.draw(buffer, (area.x, bottom - notes + index), area.width, look);
        }
        let (above, below) = self.draw_panes(buffer, body, look);
        draw_rule(buffer, (area.x, area.y + 1), area.width, above, look);
        draw_rule(buffer, (area.x, bottom - notes - 1), area.width, below, look);
        if let Some(popup) = &self.popup {
            popup.draw(buffer, body, look);
        }
    }

    /// The title and the status, in the longest words that fit together.
    fn status_row(&self, columns: u16) -> Row {
        let room = usize::from(columns);
        let fits = |title: &String, status: &String| width(title) + 1 + width(status) <= room;
        let (last_status, longer) = self.status.split_last().map_or((None, &[][..]), |(last, rest)| (Some(last), rest));
        let pairs = self.title.iter().flat_map(|title| longer.iter().map(move |status| (title, status)));
        let pairs = pairs.chain(self.title.iter().filter_map(|title| last_status.map(|status| (title, status))));
        let pair = pairs.into_iter().find(|(title, status)| fits(title, status));
        let pair = pair.map(|(title, status)| (title.as_str(), status.as_str()));
        let shortest = (self.title.last().map_or("", String::as_str), self.status.last().map_or("", String::as_str));
        let (title, status) = pair.unwrap_or(shortest);
        Row::of(title, Role::Strong).right(status, self.status_role)
    }

    fn hint_row(&self, columns: u16) -> Row {
        let room = usize::from(columns);
        let cells = |hint: &HintText| width(&hint.key) + usize::from(!hint.word.is_empty()) + width(&hint.word);
        let mut row = Row::blank();
        let mut used = 0;
        let Some((last, others)) = self.hints.split_last() else { return row };
        let both = others.first().is_some_and(|first| cells(first) + 2 + cells(last) <= room);
        let reserve = if both { cells(last) + 2 } else { 0 };
        for hint in others {
            let gap = if used == 0 { 0 } else { 2 };
            if used + gap + cells(hint) + reserve <= room {
                row = add_hint(row, gap, hint);
                used += gap + cells(hint);
            }
        }
        if both || others.is_empty() { add_hint(row, if used == 0 { 0 } else { 2 }, last) } else { row }
    }

    /// Whether rows are hidden above and below in the first pane.
    fn draw_panes(&self, buffer: &mut Buffer, body: Rect, look: Look) -> (bool, bool) {
        let widths = if self.panes.len() > 1 { panes(body.width) } else { vec![body.width] };
        let mut x = body.x;
        let mut hidden = (false, false);
        for (index, cells) in widths.into_iter().enumerate() {
            if index > 0 {
                for y in body.top()..body.bottom() {
                    Row::of(look.glyphs.divider, Role::Dim).draw(buffer, (x, y), 1, look);
                }
                x += 1;
            }
            let whole = Focus::Keep(0..0);
            let focus = if index == 0 { &self.focus } else { &whole };
            if let Some(rows) = self.panes.get(index) {
                let area = Rect { x, width: cells, ..body };
                let cut = draw_rows(buffer, area, rows, focus, look);
                if index == 0 {
                    hidden = cut;
                }
            }
            x += cells;
        }
        hidden
    }
}

impl Popup {
    fn draw(&self, buffer: &mut Buffer, body: Rect, look: Look) {
        let wanted = u16::try_from(self.rows.len()).unwrap_or(u16::MAX).saturating_add(2);
        let (columns, rows) = (popup_columns(body.width), body.height.min(wanted));
        if columns < 4 || rows < 3 {
            return;
        }
        let x = body.x + (body.width - columns) / 2;
        let y = body.y + (body.height - rows) / 2;
        let area = Rect { x, y, width: columns, height: rows };
        for row in area.top()..area.bottom() {
            for column in area.left()..area.right() {
                buffer[(column, row)].reset();
            }
            for column in [area.left(), area.right() - 1] {
                Row::of(look.glyphs.divider, Role::Dim).draw(buffer, (column, row), 1, look);
            }
        }
        for row in [area.top(), area.bottom() - 1] {
            Row::Rule.draw(buffer, (x, row), columns, look);
        }
        let ends = [(area.left(), area.top()), (area.right() - 1, area.top())];
        let feet = [(area.left(), area.bottom() - 1), (area.right() - 1, area.bottom() - 1)];
        for (place, corner) in ends.into_iter().chain(feet).zip(look.glyphs.corners) {
            Row::of(corner, Role::Dim).draw(buffer, place, 1, look);
        }
        let title = Row::of(format!(" {} ", self.title), Role::Strong);
        let title_cells = u16::try_from(width(&self.title)).unwrap_or(u16::MAX).saturating_add(2);
        title.draw(buffer, (x + 2, y), title_cells.min(columns - 3), look);
        let inner = Rect { x: x + 2, y: y + 1, width: columns - 4, height: rows - 2 };
        draw_rows(buffer, inner, &self.rows, &self.focus, look);
    }
}

fn add_hint(row: Row, gap: usize, hint: &HintText) -> Row {
    let word = if hint.word.is_empty() { String::new() } else { format!(" {}", hint.word) };
    row.and(" ".repeat(gap), Role::Plain).and(hint.key.clone(), Role::Key).and(word, Role::Plain)
}

fn draw_rule(buffer: &mut Buffer, (x, y): (u16, u16), columns: u16, more: bool, look: Look) {
    Row::Rule.draw(buffer, (x, y), columns, look);
    const MORE: &str = " more ";
    let cells = u16::try_from(MORE.len()).unwrap_or(0);
    if more && columns > cells + 2 {
        Row::of(MORE, Role::Dim).draw(buffer, (x + columns - cells - 2, y), cells, look);
    }
}

/// Draws as many rows as fit; says whether some are hidden above and below. Blank rows go first.
fn draw_rows(buffer: &mut Buffer, area: Rect, rows: &[Row], focus: &Focus, look: Look) -> (bool, bool) {
    let height = usize::from(area.height);
    let too_many = rows.len().saturating_sub(height);
    let squeezed = !matches!(focus, Focus::From(_)) && too_many > 0;
    let mut blanks = if squeezed { too_many } else { 0 };
    let mut kept = Vec::new();
    let mut places = Vec::new();
    for row in rows {
        places.push(kept.len());
        if blanks > 0 && row.is_blank() {
            blanks -= 1;
        } else {
            kept.push(row);
        }
    }
    places.push(kept.len());
    let place = |index: usize| places.get(index).copied().unwrap_or(kept.len());
    let most = kept.len().saturating_sub(height);
    let start = match focus {
        Focus::Keep(range) => place(range.end).saturating_sub(height).min(place(range.start)).min(most),
        Focus::From(first) => (*first).min(most),
    };
    for (y, row) in (area.top()..area.bottom()).zip(kept.iter().skip(start)) {
        row.draw(buffer, (area.x, y), area.width, look);
    }
    (start > 0, start < most)
}
