//! How the receipt looks on the screen: the rows that will be on the paper.
//!
//! Invariant: shows the words and amounts that are printed; a screen narrower than the paper breaks rows as narrower
//! paper would.

use crate::app::model::{Model, ReceiptView};
use crate::app::screens::job;
use crate::app::screens::job::view::beside;
use crate::app::screens::receipt::email;
use crate::app::view::{Body, Place, field_hints};
use crate::domain::mode::Mode;
use crate::domain::receipt::{Party, ReceiptRow, Sheet};
use crate::ui::Look;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::{width, wrap};
use crate::ui::theme::Role;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let cells = place.main();
    let view = model.receipt.as_ref();
    let rows = match view.and_then(|view| view.rows.as_ref()) {
        None => vec![Row::blank(), Row::centred("Laying the receipt out", Role::Dim)],
        Some(Err(why)) => {
            let text =
                wrap(why, cells.saturating_sub(2)).into_iter().map(|text| Row::of(format!(" {text}"), Role::Warn));
            std::iter::once(Row::blank()).chain(text).collect()
        }
        Some(Ok(rows)) => paper(rows, cells),
    };
    let focus = Focus::From(view.map_or(0, |view| view.scroll));
    let mut panes = vec![rows];
    panes.extend(beside(model, place, true));
    let document = job::invoice(model).map(|i| i.document.to_string()).unwrap_or_default();
    let whose = match view.map(|view| view.party) {
        Some(Party::Merchant) => "MERCHANT COPY",
        Some(Party::Customer) | None => "RECEIPT",
    };
    let title = vec![format!("{whose} {document}"), whose.to_owned()];
    let hints = field_hints(&[("Enter", "send"), ("Esc", "back")]).filter(|_| email::is_open(model));
    let notes = view.map(|view| notes(view, cells, place.look, model.settings.mode)).unwrap_or_default();
    Body { title, panes, focus, notes, hints }
}

/// The rows in the middle, the heavier ones heavier.
fn paper(rows: &[ReceiptRow], cells: usize) -> Vec<Row> {
    let columns = rows.iter().map(columns).max().unwrap_or(0).min(cells);
    let indent = " ".repeat(cells.saturating_sub(columns) / 2);
    let line = |row: &ReceiptRow| match row {
        ReceiptRow::Text { text, bold } => {
            Some(Row::of(format!("{indent}{text}"), if *bold { Role::Strong } else { Role::Plain }))
        }
        ReceiptRow::Qr(_) => Some(Row::centred("[code: Q shows it]", Role::Dim)),
        // A picture would push the figures off a small screen.
        ReceiptRow::Logo => None,
    };
    let drawn = rows.iter().skip_while(|row| **row == ReceiptRow::Logo || is_blank(row));
    drawn.filter_map(line).collect()
}

fn is_blank(row: &ReceiptRow) -> bool {
    matches!(row, ReceiptRow::Text { text, .. } if text.is_empty())
}

fn columns(row: &ReceiptRow) -> usize {
    match row {
        ReceiptRow::Text { text, .. } => width(text),
        ReceiptRow::Qr(_) | ReceiptRow::Logo => 0,
    }
}

/// What is to be known before the paper comes out, and while it does.
fn notes(view: &ReceiptView, cells: usize, look: Look, mode: Mode) -> Vec<Row> {
    let said = |text: &str, role| -> Vec<Row> {
        let lines = wrap(text, cells.saturating_sub(2));
        lines.into_iter().map(|text| Row::of(format!(" {text}"), role)).collect()
    };
    if let Some(field) = &view.email {
        // The end of what is typed is what must be seen.
        let room = cells.saturating_sub(10 + width(look.glyphs.caret));
        let skip = field.text.chars().count().saturating_sub(room);
        let shown: String = field.text.chars().skip(skip).collect();
        let row = Row::of(" E-mail: ", Role::Key).and(shown, Role::Strong).and(look.glyphs.caret, Role::Dim);
        let wrong = field.wrong.as_deref().map(|why| said(&sentence(why), Role::Warn)).unwrap_or_default();
        return std::iter::once(row).chain(wrong).collect();
    }
    if let Some(printing) = &view.printing {
        let how = match (&printing.waits, printing.stopping, printing.rows) {
            (_, true, _) => "stopping".to_owned(),
            (Some(why), false, _) => format!("printing, waits: {why}"),
            (None, false, 0) => "printing".to_owned(),
            (None, false, rows) => format!("printing, {} of {rows} lines", printing.sent),
        };
        return said(&how, Role::Strong);
    }
    let mut rows = match (view.printed, view.unfinished, &view.trouble) {
        (Some((Sheet { copy: 1, .. }, true)), ..) => said("printed", Role::Strong),
        (Some((Sheet { copy, .. }, true)), ..) => said(&format!("printed copy {copy}"), Role::Strong),
        (Some((_, false)), ..) => said("sent, not confirmed: look at the paper", Role::Warn),
        (None, Some(_), _) => {
            said("The program stopped while this was printed. Did it come out? If not, print a copy.", Role::Warn)
        }
        (None, None, Some(trouble)) => said(trouble, Role::Warn),
        (None, None, None) => Vec::new(),
    };
    if let (Some(before), None) = (&view.replaces, view.printed) {
        rows.extend(said(&format!("A new receipt: it replaces the one of {before}."), Role::Warn));
    }
    if view.signature && view.party == Party::Customer {
        rows.extend(said("The customer signs the merchant's copy: M", Role::Strong));
    }
    if let Some(to) = &view.emailed {
        let text = match mode {
            Mode::Training => "Training: nothing is sent.".to_owned(),
            Mode::Live | Mode::Test => format!("Queued: the office sends it to {to}."),
        };
        rows.extend(said(&text, Role::Strong));
    }
    rows
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}
