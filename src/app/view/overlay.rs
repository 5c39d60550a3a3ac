//! What lies on top of a screen: a notice, the command list, a question.
//!
//! Invariant: a question names the letter that answers it and what happens then.

use super::field_hints;
use crate::app::command::{self, CommandId};
use crate::app::model::{Model, Overlay, PaletteItem, PaletteView, Question};
use crate::app::screens::{checkout, job};
use crate::domain::payment::{Standing, Tender};
use crate::domain::receipt::Dots;
use crate::ui::Look;
use crate::ui::page::{Focus, HintText, Popup, popup_columns};
use crate::ui::row::Row;
use crate::ui::text::{width, wrap};
use crate::ui::theme::Role;

/// The box on top, if any.
pub fn popup(model: &Model, look: Look) -> Option<Popup> {
    let cells = usize::from(popup_columns(model.columns)).saturating_sub(4);
    if let Some(notice) = model.notice() {
        let rows = wrap(&notice.text, cells).into_iter().map(Row::text).collect();
        return Some(Popup { title: notice.title.clone(), rows, focus: Focus::From(0) });
    }
    match model.overlay.as_ref()? {
        Overlay::Code(_) => None,
        Overlay::Pin(pin) => Some(super::pin::popup(pin, cells, look)),
        Overlay::Palette(palette) => Some(list(model, palette, cells, look)),
        Overlay::Confirm(question) => {
            let (title, text) = words(model, question);
            let mut rows: Vec<Row> = wrap(&text, cells).into_iter().map(Row::text).collect();
            rows.push(Row::blank());
            rows.push(Row::of("Y", Role::Key).and(format!(" {}", yes(question)), Role::Strong));
            Some(Popup { title, focus: Focus::Keep(rows.len() - 1..rows.len()), rows })
        }
    }
}

/// The keys of the box on top.
pub fn hints(model: &Model) -> Option<Vec<HintText>> {
    if model.notice().is_some() {
        return field_hints(&[("Enter", "ok")]);
    }
    match model.overlay.as_ref()? {
        Overlay::Code(_) => field_hints(&[("Esc", "back")]),
        Overlay::Pin(pin) => super::pin::hints(pin),
        Overlay::Palette(_) => field_hints(&[("Enter", "run"), ("Esc", "back")]),
        Overlay::Confirm(question) => field_hints(&[("Y", yes(question)), ("Esc", "no")]),
    }
}

/// The receipt's code over the whole screen: what is white on paper is lit, two dots a cell.
pub fn code(code: &Dots, look: Look, columns: u16, rows: u16) -> Vec<Row> {
    const QUIET: usize = Dots::QUIET;
    let side = code.side + 2 * QUIET;
    let lines = side.div_ceil(2);
    let (columns, rows) = (usize::from(columns), usize::from(rows));
    let hint = Row::of("Esc", Role::Key).and(" back", Role::Dim);
    if look.glyphs.seven_bits || !code.fits(columns, rows) {
        let text = "This screen cannot show a code: print the receipt, or say its number.";
        let mut said: Vec<Row> = wrap(text, columns).into_iter().map(Row::text).collect();
        said.push(hint);
        return said;
    }
    let lit = |x: usize, y: usize| {
        let at = |v: usize| v.checked_sub(QUIET);
        !matches!((at(x), at(y)), (Some(x), Some(y)) if y < code.side && code.get(x, y))
    };
    let indent = " ".repeat((columns - side) / 2);
    let line = |upper: usize| -> Row {
        let cell = |x: usize| match (lit(x, upper), upper + 1 < side && lit(x, upper + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        Row::of(format!("{indent}{}", (0..side).map(cell).collect::<String>()), Role::Strong)
    };
    (0..lines).map(|n| line(2 * n)).chain([hint]).collect()
}

fn list(model: &Model, palette: &PaletteView, cells: usize, look: Look) -> Popup {
    let items = command::palette(model, &palette.query);
    let field = Row::of(": ", Role::Key).and(palette.query.clone(), Role::Strong).and(look.glyphs.caret, Role::Dim);
    let mut rows = vec![field];
    for (index, item) in items.iter().enumerate() {
        let (cursor, role) =
            if index == palette.selected { (look.glyphs.cursor, Role::Selected) } else { (" ", Role::Plain) };
        let key = match item {
            PaletteItem::Command(id) => key_of(model, *id),
            PaletteItem::PresentCard(name) => {
                let now = model.demo.as_ref().is_some_and(|demo| demo.card == *name);
                if now { "now".to_owned() } else { String::new() }
            }
        };
        let title = command::title(model, item);
        let whole = width(&title) + width(&key) + 3 <= cells;
        let title = if whole { title.as_str() } else { title.trim_start_matches("demo: ") };
        rows.push(Row::of(format!("{cursor} {title}"), role).right(key, Role::Dim));
    }
    if items.is_empty() {
        rows.push(Row::of("  nothing here has this name", Role::Dim));
    }
    let at = palette.selected + 1;
    Popup { title: "Menu".to_owned(), rows, focus: Focus::Keep(at..at + 1) }
}

fn key_of(model: &Model, id: CommandId) -> String {
    let row = command::here(model).find(|c| c.id == id);
    row.and_then(|c| c.key).map(command::key_name).unwrap_or_default()
}

fn words(model: &Model, question: &Question) -> (String, String) {
    let payment = model.card.as_ref().and_then(|card| card.machine.payment());
    let amount = payment.map(|p| p.amount.to_string()).unwrap_or_default();
    let (title, text) = match question {
        Question::DeleteLine(line) => ("Delete", format!("Take this line off: {}?", line.name)),
        Question::Reopen => {
            let number = job::invoice(model).map(|i| i.document.to_string()).unwrap_or_default();
            if checkout::is_deposit(model) {
                return ("Take back".to_owned(), format!("Take deposit {number} back? Its number stays used."));
            }
            ("Reopen", format!("Take invoice {number} back and change its lines? Its number stays used."))
        }
        Question::Void => {
            let charged = payment.is_some_and(|p| p.state.standing() == Standing::Paid);
            let then = if charged { "The money returns to the card." } else { "The card is not to be charged." };
            ("Void", format!("Take the card payment of {amount} back? {then}"))
        }
        Question::Forget(row) => {
            let name = if row.name.is_empty() { &row.address } else { &row.name };
            ("Forget", format!("Unpair {name}? To use it again it must be paired anew."))
        }
        Question::AcceptUnknown => (
            "Accept as pending",
            format!("The bank has not agreed to {amount}. If it declines later, the money is not paid."),
        ),
        Question::PartCash { received } => {
            let rest = checkout::open_amount(model).and_then(|open| open.checked_sub(*received).ok());
            let rest = rest.map(|rest| rest.to_string()).unwrap_or_default();
            ("Part payment", format!("Record {received} in cash? {rest} stays open."))
        }
        Question::SecondTender { tender, .. } => {
            let how = match tender {
                Tender::Card => "by card",
                Tender::Cash => "in cash",
                Tender::Cheque => "by cheque",
                Tender::Transfer => "by transfer",
                Tender::Deposit => "with the deposit",
            };
            let text = "Another payment of this invoice is not known yet. If it went through, the customer pays twice.";
            ("Not known yet", format!("{text} Take one {how} all the same? Both are linked for the office."))
        }
        Question::Surcharge { surcharge, total, .. } => {
            let text = "Nothing was charged yet. Does the customer agree? If so, the card is read again.";
            ("Credit card", format!("A credit card pays a surcharge of {surcharge} here: {total} in all. {text}"))
        }
        Question::CashOut { kind, amount, reason } => {
            (kind.title(), format!("Take {amount} out of the drawer ({reason})?"))
        }
        Question::CloseShift { counted } => (
            "Close the shift",
            format!("You counted {counted}. Closing is final: the count and any difference stay as they are."),
        ),
        Question::Quit => {
            ("Quit", "A payment is under way. What is on the disk is kept and taken up next time. Quit?".to_owned())
        }
    };
    (title.to_owned(), text)
}

fn yes(question: &Question) -> &'static str {
    match question {
        Question::DeleteLine(_) => "delete it",
        Question::Reopen => "reopen it",
        Question::Void => "void it",
        Question::Forget(_) => "forget it",
        Question::AcceptUnknown => "accept the risk",
        Question::PartCash { .. } => "take the part",
        Question::SecondTender { .. } => "take it too",
        Question::Surcharge { .. } => "with the surcharge",
        Question::CashOut { .. } => "take it out",
        Question::CloseShift { .. } => "close it for good",
        Question::Quit => "quit",
    }
}
