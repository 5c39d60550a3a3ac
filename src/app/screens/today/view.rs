//! How the day's list looks: time, customer and state on one row, what and how much below.
//!
//! Invariant: the state of a visit and of its money is a word and a mark, never a colour alone.

use crate::app::model::Model;
use crate::app::screens::job::view::{side, timeline};
use crate::app::view::{Body, Place, field_hints, mark, role};
use crate::domain::job::{MoneyState, Review};
use crate::domain::payment::Standing;
use crate::domain::read::TodayRow;
use crate::domain::receipt::ReceiptStanding;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// From this width on the money's word stands beside its mark, cells.
const WORD_CELLS: usize = 40;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let (rows, focus) = list(model, place);
    let mut panes = vec![rows];
    if let (Some(cells), Some(row)) = (place.side(), model.selected_today()) {
        panes.push(side(model, row, cells, place.look, true));
        if let Some(cells) = place.third() {
            panes.push(timeline(model, row, cells, place.look));
        }
    } else if place.side().is_some() {
        panes.push(Vec::new());
    }
    let mut notes = Vec::new();
    if model.today.finding || !model.today.find.is_empty() {
        let caret = if model.today.finding { place.look.glyphs.caret } else { "  (Esc shows all)" };
        notes.push(Row::of("/", Role::Key).and(model.today.find.clone(), Role::Strong).and(caret, Role::Dim));
    }
    let hints = model.today.finding.then(|| field_hints(&[("Enter", "keep"), ("Esc", "show all")])).flatten();
    Body { title: title(model), panes, focus, notes, hints }
}

fn title(model: &Model) -> Vec<String> {
    let date = model.now().map(|now| now.date()).unwrap_or_default();
    let day = model.now().map(|now| now.weekday()).unwrap_or_default();
    vec![format!("TODAY {date}"), format!("TODAY {day}"), "TODAY".to_owned()]
}

fn list(model: &Model, place: Place<'_>) -> (Vec<Row>, Focus) {
    let shown = model.shown_today();
    if shown.is_empty() {
        let text = match &model.today.rows {
            None => "Reading the day's list",
            Some(rows) if rows.is_empty() => "No visits. New ones come with the next sync.",
            Some(_) => "No visit has this.",
        };
        let text = wrap(text, place.main().saturating_sub(2)).into_iter().map(|text| Row::centred(text, Role::Dim));
        return (std::iter::once(Row::blank()).chain(text).collect(), Focus::Keep(0..1));
    }
    let mut rows = Vec::new();
    let mut focus = Focus::Keep(0..1);
    for (index, row) in shown.iter().enumerate() {
        let from = rows.len();
        let selected = index == model.today.selected;
        rows.extend(item(model, row, selected, place));
        if selected {
            focus = Focus::Keep(from..rows.len());
        }
    }
    (rows, focus)
}

fn item(model: &Model, row: &TodayRow, selected: bool, place: Place<'_>) -> Vec<Row> {
    let cells = place.main();
    let cursor = if selected { place.look.glyphs.cursor } else { " " };
    let name_role = if selected { Role::Selected } else { Role::Plain };
    let time = model.local(row.window_start_ms).clock5();
    let urgent = if row.priority >= 2 { "! " } else { "" };
    let (word, word_role) = match row.review {
        Review::SentBack => ("SENT BACK", Role::Warn),
        Review::Open | Review::Approved => (row.state.word(), name_role),
    };
    let head = format!("{cursor} {time} {urgent}{}", row.customer_name);
    let mut rows = vec![Row::of(head, name_role).right(word, word_role)];
    let (money, money_role) = money(row, cells, place);
    let indent = if cells < WORD_CELLS { "  " } else { "        " };
    let title = format!("{indent}{}", row.title);
    let address = format!("{indent}{}", row.address);
    if selected {
        rows.push(Row::text(title));
        rows.push(Row::of(address, Role::Plain).right(money, money_role));
    } else {
        rows.push(Row::text(title).right(money, money_role));
    }
    rows
}

/// The mark, the word where there is room, and the amount that counts.
fn money(row: &TodayRow, cells: usize, place: Place<'_>) -> (String, Role) {
    let (standing, word, amount) = match (row.money, row.back) {
        (MoneyState::None, _) if row.deposit.is_some() => (Standing::Paid, "deposit", row.deposit),
        (MoneyState::None, _) => return (String::new(), Role::Plain),
        (MoneyState::Due, _) => (Standing::Open, "due", row.open.or(row.total)),
        (MoneyState::Pending, _) => (Standing::Pending, MoneyState::Pending.word(), row.total),
        (MoneyState::Paid, Some(ReceiptStanding::Refunded)) => (Standing::Paid, "REFUNDED", row.total),
        (MoneyState::Paid, Some(ReceiptStanding::PartRefunded)) => (Standing::Paid, "PART REFUNDED", row.total),
        (MoneyState::Paid, Some(ReceiptStanding::RefundWaiting)) => (Standing::Unknown, "REFUND WAITS", row.total),
        (MoneyState::Paid, _) => (Standing::Paid, MoneyState::Paid.word(), row.total),
    };
    // What went back is said where there is room for nothing else: the mark alone is that of paid.
    let short = cells < WORD_CELLS;
    let word = if short && row.back.is_none() { String::new() } else { format!("{word} ") };
    let amount = amount.filter(|_| !short || row.back.is_none()).map(|money| money.plain()).unwrap_or_default();
    let shown = if standing == Standing::Open { Role::Plain } else { role(standing) };
    (format!("{} {}", mark(place.look, standing), format!("{word}{amount}").trim_end()), shown)
}
