//! What the keys of the cash shift do.
//!
//! Invariant: Enter never takes cash out and never closes: a letter does, after a question. What was typed stays until
//! it is on the disk, or until it is left by Esc.

use super::MAX_DIGITS;
use crate::app::effect::{Effect, ShiftCommand};
use crate::app::model::{AfterSaving, Model, Overlay, Question, Saving, Screen, ShiftStage};
use crate::app::msg::{Key, OpId};
use crate::app::update::{edit, step};
use crate::domain::id::{MoveId, ShiftId};
use crate::domain::money::Money;
use crate::domain::shift::{MoveKind, ShiftNow};
use uuid::Uuid;

/// Shows the report.
pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    model.shift.stage = ShiftStage::Report;
    model.shift.scroll = 0;
    model.go(Screen::Shift);
    out.push(Effect::LoadShift);
}

/// Reads it again while it is shown.
pub fn refresh(model: &Model, out: &mut Vec<Effect>) {
    if model.screen == Screen::Shift {
        out.push(Effect::LoadShift);
    }
}

/// It came.
pub fn loaded(model: &mut Model, now: ShiftNow) {
    model.shift.now = Some(now);
}

/// The change is on the disk.
pub fn written(model: &mut Model, out: &mut Vec<Effect>) {
    model.shift.stage = ShiftStage::Report;
    model.shift.scroll = 0;
    out.push(Effect::LoadShift);
}

/// Asks for the float.
pub fn begin(model: &mut Model) {
    model.shift.stage = ShiftStage::Float { digits: String::new() };
}

/// Asks how much moves.
pub fn move_cash(model: &mut Model, kind: MoveKind) {
    model.shift.stage = ShiftStage::Amount { kind, digits: String::new() };
}

/// Asks what is in the drawer, without a word on what should be.
pub fn count(model: &mut Model) {
    model.shift.stage = ShiftStage::Count { digits: String::new() };
}

/// Scrolls the report.
pub fn moved(model: &mut Model, key: Key) {
    let rows = super::view::report_rows(model);
    let shown = usize::from(model.rows).saturating_sub(5);
    model.shift.scroll = step(model.shift.scroll, key, rows.saturating_sub(shown) + 1);
}

/// A key while something is typed; false if no field is open.
pub fn key(model: &mut Model, key: Key, out: &mut Vec<Effect>) -> bool {
    match (&mut model.shift.stage, key) {
        (ShiftStage::Report, _) => return false,
        (_, Key::Esc) => model.shift.stage = ShiftStage::Report,
        (_, Key::Enter) => entered(model, out),
        (ShiftStage::Reason { typed, .. }, Key::Char(_) | Key::Backspace) => {
            edit(typed, key);
        }
        (ShiftStage::Reason { kind, typed, selected, .. }, Key::Up | Key::Down | Key::PageUp | Key::PageDown) => {
            typed.clear();
            *selected = step(*selected, key, kind.reasons().len());
        }
        (
            ShiftStage::Float { digits } | ShiftStage::Amount { digits, .. } | ShiftStage::Count { digits },
            Key::Char(c),
        ) => digit(digits, c),
        (
            ShiftStage::Float { digits } | ShiftStage::Amount { digits, .. } | ShiftStage::Count { digits },
            Key::Backspace,
        ) => {
            digits.pop();
        }
        (
            ShiftStage::Float { .. } | ShiftStage::Amount { .. } | ShiftStage::Count { .. },
            Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Interrupt,
        )
        | (ShiftStage::Reason { .. }, Key::Interrupt) => {}
    }
    true
}

/// Zero can be typed: an empty drawer is a count too.
fn digit(digits: &mut String, c: char) {
    if c.is_ascii_digit() && digits.len() < MAX_DIGITS {
        if digits == "0" {
            digits.clear();
        }
        digits.push(c);
    }
}

/// Enter: what goes in is written, what goes out and the close are asked about.
fn entered(model: &mut Model, out: &mut Vec<Effect>) {
    let amount = |digits: &str| super::typed(model, digits);
    match model.shift.stage.clone() {
        ShiftStage::Report => {}
        ShiftStage::Float { digits } => {
            if let Some(float) = amount(&digits) {
                with_id(model, out, |id| ShiftCommand::Open { shift: ShiftId(id), float });
            }
        }
        ShiftStage::Amount { kind, digits } => {
            if let Some(amount) = amount(&digits).filter(|amount| amount.minor > 0) {
                model.shift.stage = ShiftStage::Reason { kind, amount, typed: String::new(), selected: 0 };
            }
        }
        ShiftStage::Reason { kind, amount, typed, selected } => {
            let listed = kind.reasons().get(selected).copied().unwrap_or_default();
            let reason = if typed.trim().is_empty() { listed.to_owned() } else { typed.trim().to_owned() };
            if kind.goes_out() {
                model.overlay = Some(Overlay::Confirm(Question::CashOut { kind, amount, reason }));
            } else {
                write_move(model, kind, amount, reason, out);
            }
        }
        ShiftStage::Count { digits } => {
            if let Some(counted) = amount(&digits) {
                model.overlay = Some(Overlay::Confirm(Question::CloseShift { counted }));
            }
        }
    }
}

/// Writes a move.
pub fn write_move(model: &mut Model, kind: MoveKind, amount: Money, reason: String, out: &mut Vec<Effect>) {
    let Some(shift) = super::open(model).map(|report| report.shift) else { return gone(model) };
    with_id(model, out, |id| ShiftCommand::Move { shift, movement: MoveId(id), kind, amount, reason });
}

/// Closes the shift.
pub fn close(model: &mut Model, counted: Money, out: &mut Vec<Effect>) {
    let Some(shift) = super::open(model).map(|report| report.shift) else { return gone(model) };
    write(model, ShiftCommand::Close { shift, counted }, out);
}

/// Prints the report in front.
pub fn print(model: &mut Model, out: &mut Vec<Effect>) {
    if let Some(shift) = super::report(model).map(|report| report.shift) {
        let op = model.next_op();
        model.shift.printing = Some(op);
        out.push(Effect::PrintShift { op, shift });
    }
}

/// It was printed, or not.
pub fn printed(model: &mut Model, op: OpId, outcome: Result<bool, String>) {
    if model.shift.printing.take_if(|awaited| *awaited == op).is_none() {
        return;
    }
    match outcome {
        Ok(true) => model.tell("Printed", "The report is on paper.", true),
        Ok(false) => model.tell("Look at the paper", "The report was sent; the printer does not say more.", true),
        Err(why) => model.tell("Not printed", &format!("{why} The shift is not touched: print it again."), true),
    }
}

fn gone(model: &mut Model) {
    model.tell("Too late", "The shift is not open any more. Look again.", false);
}

fn with_id(model: &mut Model, out: &mut Vec<Effect>, command: impl FnOnce(Uuid) -> ShiftCommand) {
    if model.saving.is_some() {
        return;
    }
    match model.take_id(out) {
        Some(id) => write(model, command(id), out),
        None => model.tell("One moment", "The program is still starting. Press the key again.", false),
    }
}

fn write(model: &mut Model, command: ShiftCommand, out: &mut Vec<Effect>) {
    if model.saving.is_none() {
        let op = model.next_op();
        model.saving = Some(Saving { op, then: AfterSaving::ShiftWritten });
        out.push(Effect::Shift { op, command });
    }
}
