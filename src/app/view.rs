//! Draws the model: the status row, the screen in front, what lies on top of it.
//!
//! Invariant: pure; the same model gives the same frame. Below the smallest size it is one legible line.

mod overlay;
mod pin;
mod status;

use super::command::{self, Hint};
use super::model::{GlyphChoice, MIN_COLUMNS, MIN_ROWS, Model, Overlay, Screen, ThemeChoice};
use super::screens::{
    add_line, card, cash, checkout, consent, devices, entry, help, job, receipt, shift, sync, today, unknown, welcome,
};
use crate::domain::payment::Standing;
use crate::ui::Look;
use crate::ui::breakpoints::panes;
use crate::ui::glyphs::{ASCII, CP437, UNICODE};
use crate::ui::page::{Focus, HintText, Page};
use crate::ui::row::Row;
use crate::ui::theme::{Role, Theme};
use ratatui::Frame;

/// What a screen brings to its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Where I am, the longest way to say it first.
    pub title: Vec<String>,
    /// From the left; the first one is the screen itself.
    pub panes: Vec<Vec<Row>>,
    /// What must be seen of the first pane.
    pub focus: Focus,
    /// Above the hints.
    pub notes: Vec<Row>,
    /// In place of the command table's, where keys go into a field.
    pub hints: Option<Vec<HintText>>,
}

/// What a view may ask for beside the model.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Colours and characters.
    pub look: Look,
    /// Widths of the panes that fit, cells; never empty.
    pub widths: &'a [u16],
}

impl Place<'_> {
    /// Cells of the screen's own pane.
    pub fn main(&self) -> usize {
        self.widths.first().map_or(0, |cells| usize::from(*cells))
    }

    /// Cells of the pane beside it, if there is room for one.
    pub fn side(&self) -> Option<usize> {
        self.widths.get(1).map(|cells| usize::from(*cells))
    }

    /// Cells of the third pane, if there is room for one.
    pub fn third(&self) -> Option<usize> {
        self.widths.get(2).map(|cells| usize::from(*cells))
    }
}

/// Draws one frame.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let look = look(model);
    let area = frame.area();
    if area.width < MIN_COLUMNS || area.height < MIN_ROWS {
        let (x, y) = (area.x, area.y);
        too_small(area.width).draw(frame.buffer_mut(), (x, y), area.width, look);
        return;
    }
    if let Some(Overlay::Code(code)) = &model.overlay {
        let mut rows = overlay::code(code, look, area.width, area.height);
        let word = model.settings.mode.word().unwrap_or_default();
        if let Some(last) = rows.last_mut() {
            *last = last.clone().right(word, Role::Banner);
        }
        for (y, row) in (area.y..area.bottom()).zip(rows) {
            row.draw(frame.buffer_mut(), (area.x, y), area.width, look);
        }
        return;
    }
    page(model, look, area.width).draw(frame.buffer_mut(), look);
}

fn look(model: &Model) -> Look {
    let glyphs = match model.settings.glyphs {
        GlyphChoice::Unicode => UNICODE,
        GlyphChoice::Cp437 => CP437,
        GlyphChoice::Ascii => ASCII,
    };
    Look { theme: Theme::new(model.settings.theme == ThemeChoice::Colour, false), glyphs }
}

fn too_small(columns: u16) -> Row {
    let size = format!("{MIN_COLUMNS}x{MIN_ROWS}");
    let sentences = [format!("tillroll needs {size} or more"), format!("make it {size}"), size];
    let fits = sentences.iter().find(|text| text.len() <= usize::from(columns));
    Row::of(fits.cloned().unwrap_or_default(), Role::Strong)
}

fn page(model: &Model, look: Look, columns: u16) -> Page {
    let widths = panes(columns);
    let place = Place { look, widths: &widths };
    let body = match model.screen {
        Screen::Welcome => welcome::view::body(place),
        Screen::Today => today::view::body(model, place),
        Screen::Job => job::view::body(model, place),
        Screen::AddLine => add_line::view::body(model, place),
        Screen::Checkout => checkout::view::body(model, place),
        Screen::Consent => consent::view::body(model, place),
        Screen::Card => card::view::body(model, place),
        Screen::Cash => cash::view::body(model, place),
        Screen::Entry => entry::view::body(model, place),
        Screen::Receipt => receipt::view::body(model, place),
        Screen::Unknown => unknown::view::body(model, place),
        Screen::Sync => sync::view::body(model, place),
        Screen::Devices => devices::view::body(model, place),
        Screen::Shift => shift::view::body(model, place),
        Screen::Help => help::view::body(model, columns),
    };
    let popup = overlay::popup(model, look);
    let mut notes = body.notes;
    if model.screen != Screen::Sync {
        notes.extend(status::stored(model, columns));
    }
    let of_table = || command::hints(model).into_iter().map(hint_text).collect();
    let hints = overlay::hints(model).or(body.hints).unwrap_or_else(of_table);
    let (status, status_role) = status::status(model, look);
    let (title, reversed) = titled(model, body.title);
    Page { title, reversed, status, status_role, panes: body.panes, focus: body.focus, notes, hints, popup }
}

/// Where money is not real every screen says so, by word and by a reversed row.
fn titled(model: &Model, title: Vec<String>) -> (Vec<String>, bool) {
    match model.settings.mode.word() {
        Some(word) => (title.iter().map(|title| format!("{word} {title}")).chain([word.to_owned()]).collect(), true),
        None => (title, false),
    }
}

fn hint_text(hint: Hint) -> HintText {
    HintText { key: hint.key, word: hint.word.to_owned() }
}

/// Hints of a field.
pub fn field_hints(pairs: &[(&str, &str)]) -> Option<Vec<HintText>> {
    Some(pairs.iter().map(|(key, word)| HintText { key: (*key).to_owned(), word: (*word).to_owned() }).collect())
}

/// The mark of a standing: its shape says it without colour.
pub fn mark(look: Look, standing: Standing) -> &'static str {
    match standing {
        Standing::Open => look.glyphs.due,
        Standing::Paid => look.glyphs.paid,
        Standing::Pending => look.glyphs.pending,
        Standing::Unknown => look.glyphs.unknown,
        Standing::Failed => look.glyphs.failed,
    }
}

/// The role of a standing.
pub fn role(standing: Standing) -> Role {
    match standing {
        Standing::Open => Role::Strong,
        Standing::Paid => Role::Paid,
        Standing::Pending => Role::Pending,
        Standing::Unknown => Role::Unknown,
        Standing::Failed => Role::Failed,
    }
}
