//! What the keys of the day's list do.
//!
//! Invariant: the selection stays on its visit when the list is read again.

use crate::app::effect::Effect;
use crate::app::model::{Model, Screen};
use crate::app::msg::Key;
use crate::app::update::{edit, pay, step};
use crate::domain::id::JobId;
use crate::domain::read::TodayRow;

/// From this width on the selected job is shown beside the list, cells.
pub const SIDE_COLUMNS: u16 = 80;

/// The list came.
pub fn loaded(model: &mut Model, rows: Vec<TodayRow>, out: &mut Vec<Effect>) {
    let visit = model.selected_today().map(|row| row.visit);
    model.today.rows = Some(rows);
    let place = visit.and_then(|visit| model.shown_today().iter().position(|row| row.visit == visit));
    let last = model.shown_today().len().saturating_sub(1);
    model.today.selected = place.unwrap_or(model.today.selected).min(last);
    preview(model, out);
}

/// Reads the selected job where there is room to show it.
pub fn preview(model: &mut Model, out: &mut Vec<Effect>) {
    if model.screen == Screen::Today
        && model.columns >= SIDE_COLUMNS
        && let Some(job) = model.selected_today().map(|row| row.job)
    {
        want(model, job, out);
    }
    if model.screen == Screen::Today {
        pay::take_up(model, out);
    }
}

/// Opens the selected job.
pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    if let Some(job) = model.selected_today().map(|row| row.job) {
        model.wanted = None;
        want(model, job, out);
        model.line_selected = 0;
        model.go(Screen::Job);
    }
}

/// Another row.
pub fn moved(model: &mut Model, key: Key, out: &mut Vec<Effect>) {
    if key == Key::Esc && !model.today.find.is_empty() {
        model.today.find.clear();
    }
    let count = model.shown_today().len();
    model.today.selected = step(model.today.selected, key, count);
    preview(model, out);
}

/// A key while the find field is open: Enter keeps what was found, Esc shows all again.
pub fn find_key(model: &mut Model, key: Key, out: &mut Vec<Effect>) -> bool {
    match key {
        Key::Enter => model.today.finding = false,
        Key::Esc => {
            model.today.finding = false;
            model.today.find.clear();
        }
        Key::Char(_) | Key::Backspace => {
            edit(&mut model.today.find, key);
            model.today.selected = 0;
        }
        Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Interrupt => moved(model, key, out),
    }
    preview(model, out);
    true
}

fn want(model: &mut Model, job: JobId, out: &mut Vec<Effect>) {
    if model.wanted != Some(job) {
        model.wanted = Some(job);
        if model.job.as_ref().is_some_and(|shown| shown.row.job != job) {
            model.job = None;
        }
        out.push(Effect::LoadJob(job));
    }
}
