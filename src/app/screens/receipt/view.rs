//! How the receipt looks on the screen: the rows that will be on the paper.
//!
//! Invariant: shows the words and amounts that are printed; a screen narrower than the paper takes out blanks only.

use crate::app::model::{Model, ReceiptView};
use crate::app::screens::job;
use crate::app::screens::job::view::beside;
use crate::app::view::{Body, Place};
use crate::domain::receipt::ReceiptRow;
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
    let title = vec![format!("RECEIPT {document}"), "RECEIPT".to_owned()];
    Body { title, panes, focus, notes: view.and_then(note).into_iter().collect(), hints: None }
}

/// The rows in the middle, the heavier ones heavier.
fn paper(rows: &[ReceiptRow], cells: usize) -> Vec<Row> {
    let columns = rows.iter().map(|row| width(&row.text)).max().unwrap_or(0).min(cells);
    let indent = cells.saturating_sub(columns) / 2;
    let line = |row: &ReceiptRow| {
        let role = if row.bold { Role::Strong } else { Role::Plain };
        let text = squeeze(&row.text, cells);
        let own = if row.centred { columns.saturating_sub(width(&text)) / 2 } else { 0 };
        Row::of(format!("{}{text}", " ".repeat(indent + own)), role)
    };
    rows.iter().map(line).collect()
}

/// Takes blanks out of the widest gap until it fits: the amount at the end stays. A rule is cut.
fn squeeze(text: &str, cells: usize) -> String {
    let mut text = text.to_owned();
    while width(&text) > cells {
        match text.trim_start().rfind("  ") {
            Some(_) => {
                let at = text.rfind("  ").unwrap_or(0);
                text.remove(at);
            }
            None if text.bytes().all(|b| b == b'-') => text.truncate(cells),
            None => break,
        }
    }
    text
}

fn note(view: &ReceiptView) -> Option<Row> {
    if view.printing.is_some() {
        return Some(Row::of(" printing", Role::Strong));
    }
    match (view.printed, view.drawer) {
        (Some(1), _) => Some(Row::of(" printed", Role::Strong)),
        (Some(copy), _) => Some(Row::of(format!(" printed copy {copy}"), Role::Strong)),
        (None, true) => Some(Row::of(" printing opens the drawer", Role::Dim)),
        (None, false) => None,
    }
}
