//! How the entry screen looks: what it is for, the amount with its limit, the text, the decision.
//!
//! Invariant: what will be written is on the screen before the key that writes it.

use super::{chosen, most, of_deposit, presets, typed};
use crate::app::model::{EntryStep, Model, Purpose};
use crate::app::screens::job::view::{amount_of, beside, card_short, loading};
use crate::app::screens::{checkout, job};
use crate::app::view::{Body, Place, field_hints};
use crate::domain::money::Money;
use crate::domain::payment::Tender;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::{width, wrap};
use crate::ui::theme::Role;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let Some((amount, most)) = typed(model).zip(most(model)) else { return loading("ENTRY") };
    let entry = &model.entry;
    let caret = |step| if entry.step == step { place.look.glyphs.caret } else { "" };
    let (word, first, label) = words(model);
    let mut rows = vec![Row::blank()];
    if let Some(first) = first {
        rows.push(first);
    }
    if !matches!(entry.purpose, Purpose::Correct { .. }) {
        rows.push(
            Row::text(format!(" {label}"))
                .right(format!("{}{}", amount.plain(), caret(EntryStep::Amount)), Role::Strong),
        );
    }
    rows.extend(then(model, amount));
    match entry.step {
        EntryStep::Amount => {
            rows.push(Row::blank());
            rows.extend(preset_rows(model, place.main()));
            rows.push(Row::of(" keys: 1 2 0 0 0 = 120.00", Role::Dim));
        }
        EntryStep::Text | EntryStep::Decide => {
            rows.push(Row::blank());
            rows.push(Row::of(format!(" {}", ask(model)), Role::Dim));
            for part in wrap(&format!("{}{}", entry.text, caret(EntryStep::Text)), place.main().saturating_sub(2)) {
                rows.push(Row::of(format!("  {part}"), Role::Strong));
            }
        }
    }
    if entry.step == EntryStep::Decide {
        rows.push(Row::blank());
        rows.extend(decide_rows(model, amount, place.main()));
    }
    if let Some(problem) = &entry.problem {
        let parts = wrap(problem, place.main().saturating_sub(2));
        rows.extend(parts.into_iter().map(|part| Row::of(format!(" {part}"), Role::Warn)));
    }
    let _ = most;
    let focus = Focus::Keep(rows.len().saturating_sub(1)..rows.len());
    let document = job::invoice(model).map(|i| i.document.to_string()).unwrap_or_default();
    let mut panes = vec![rows];
    panes.extend(beside(model, place, true));
    let hints = (entry.step == EntryStep::Text).then(|| field_hints(&[("Enter", "go on"), ("Esc", "back")])).flatten();
    Body { title: vec![format!("{word} {document}"), word.to_owned()], panes, focus, notes: Vec::new(), hints }
}

/// Title, first row and the amount's label.
fn words(model: &Model) -> (&'static str, Option<Row>, &'static str) {
    let open = checkout::open_amount(model).map(|open| Row::pair(" TO PAY", open.to_string()).all(Role::Strong));
    match model.entry.purpose {
        Purpose::Tip => {
            let base = checkout::base(model);
            ("TIP", base.map(|base| Row::pair(" Before the tip", base.to_string()).all(Role::Strong)), "Tip")
        }
        Purpose::Part => ("SPLIT", open, "Pay now"),
        Purpose::Cheque => ("CHEQUE", open, "By cheque"),
        Purpose::Transfer => ("TRANSFER", open, "By transfer"),
        Purpose::Refund { .. } => ("REFUND", of_payment(model), "Give back"),
        Purpose::Unlinked => ("REFUND", Some(Row::text(" Not for a payment taken here")), "Give back"),
        Purpose::Correct { .. } => ("CORRECT", of_payment(model), ""),
        Purpose::Deposit => {
            let total = model.job.as_ref().and_then(|job| job.totals.as_ref()).map(|totals| totals.total());
            let first = total.map(|total| Row::pair(" So far on this job", total.to_string()));
            ("DEPOSIT", first, "Paid ahead")
        }
    }
}

fn of_payment(model: &Model) -> Option<Row> {
    let view = chosen(model)?;
    let card = view.payment.card.as_ref().map(card_short);
    let name = card.unwrap_or_else(|| view.payment.tender.word().to_owned());
    Some(Row::text(format!(" {name}")).right(amount_of(view).to_string(), Role::Strong))
}

/// What comes of the amount.
fn then(model: &Model, amount: Money) -> Vec<Row> {
    let pair =
        |label: &str, minor: i64| vec![Row::pair(format!(" {label}"), Money::new(minor, amount.currency).to_string())];
    match model.entry.purpose {
        Purpose::Tip => checkout::base(model)
            .map_or(Vec::new(), |base| pair("With the tip", base.minor.saturating_add(amount.minor))),
        Purpose::Part | Purpose::Cheque | Purpose::Transfer => checkout::open_amount(model)
            .map_or(Vec::new(), |open| pair("Stays open", open.minor.saturating_sub(amount.minor).max(0))),
        Purpose::Refund { .. } | Purpose::Unlinked => {
            most(model).map_or(Vec::new(), |most| pair("Can go back", most.minor))
        }
        Purpose::Deposit | Purpose::Correct { .. } => Vec::new(),
    }
}

fn preset_rows(model: &Model, cells: usize) -> Vec<Row> {
    let mut rows = vec![Row::of("", Role::Plain)];
    let mut used = 0;
    for ((word, amount), key) in presets(model).into_iter().zip(["Q", "W", "E"]) {
        let text = format!(" {word} {}", amount.plain());
        if used > 0 && used + width(&text) + 3 > cells {
            rows.push(Row::of("", Role::Plain));
            used = 0;
        }
        used += width(&text) + 3;
        if let Some(row) = rows.pop() {
            rows.push(row.and(" ", Role::Plain).and(key, Role::Key).and(text, Role::Plain));
        }
    }
    rows
}

fn ask(model: &Model) -> &'static str {
    match model.entry.purpose {
        Purpose::Cheque => "Number of the cheque, bank:",
        Purpose::Transfer => "What the transfer will say:",
        Purpose::Refund { .. } | Purpose::Unlinked => "Why does it go back?",
        Purpose::Correct { .. } => "What was wrong?",
        Purpose::Tip | Purpose::Part | Purpose::Deposit => "",
    }
}

fn decide_rows(model: &Model, amount: Money, cells: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut say = |text: &str| {
        rows.extend(wrap(text, cells.saturating_sub(2)).into_iter().map(|part| Row::text(format!(" {part}"))));
    };
    match (model.entry.purpose, chosen(model).map(|view| view.payment.tender)) {
        (Purpose::Correct { .. }, _) => {
            say("The entry is taken back and the balance is open again. It stays in the books, crossed out.");
            rows.push(Row::of(" Y", Role::Key).and(" take the entry back", Role::Plain));
            return rows;
        }
        (Purpose::Unlinked, _) => {
            say("The office decides. Hand nothing over before this handheld shows REFUNDED.");
            rows.push(Row::of(" H", Role::Key).and(" cash, from the drawer", Role::Plain));
            rows.push(Row::of(" B", Role::Key).and(" transfer, by the office", Role::Plain));
            return rows;
        }
        (_, Some(Tender::Cash)) => say(&format!("Hand over {amount} from the drawer.")),
        (_, Some(Tender::Deposit)) => say("The office puts it back to the deposit."),
        (_, Some(Tender::Card | Tender::Cheque | Tender::Transfer) | None) => {
            say("The office releases it; tell the customer that it takes days.");
        }
    }
    if of_deposit(model) {
        rows.push(Row::of(" O", Role::Key).and(" it was paid ahead: give it back", Role::Plain));
        return rows;
    }
    rows.push(Row::of(" C", Role::Key).and(" owes that much less", Role::Plain));
    rows.push(Row::of(" O", Role::Key).and(" owes it again, pays otherwise", Role::Plain));
    rows
}
