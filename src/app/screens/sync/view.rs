//! How the exchange with the office looks.
//!
//! Invariant: shows what is known and says what is not.

use crate::app::model::{ChainView, Model};
use crate::app::view::{Body, Place};
use crate::app::when::{span, stopwatch};
use crate::domain::money::Money;
use crate::domain::read::SyncStatus;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// Cells of the labels.
const LABEL_CELLS: usize = 14;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let cells = place.main();
    let mut rows = Vec::new();
    let mut fact = |label: &str, text: String, role: Role| {
        for (index, part) in wrap(&text, cells.saturating_sub(LABEL_CELLS + 1)).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            rows.push(Row::of(format!(" {label:<LABEL_CELLS$}"), Role::Dim).and(part, role));
        }
    };
    if let Some(sync) = &model.sync {
        fact("Not sent", unsent(model, sync), if sync.unsent() > 0 { Role::Strong } else { Role::Plain });
        let (money, role) = card_money(model, sync);
        fact("Card money", money, role);
        let contact = sync.last_contact_ms.map_or_else(|| "never".to_owned(), |at| contact(model, at));
        fact("Last contact", contact, Role::Plain);
        let (next, role) = next_try(model);
        fact("Next try", next, role);
        fact("Office has", format!("rows 1 to {}", sync.acked_seq), Role::Plain);
        let (chain, role) = chain(model);
        fact("This device", format!("rows 1 to {}{chain}", sync.head_seq), role);
        let back = match sync.sent_back {
            0 => "none".to_owned(),
            1 => "1 visit".to_owned(),
            visits => format!("{visits} visits"),
        };
        let backup = match sync.durable_seq {
            0 => "nothing yet".to_owned(),
            last => format!("rows 1 to {last}"),
        };
        fact("Sent back", back, if sync.sent_back > 0 { Role::Warn } else { Role::Plain });
        fact("Backed up", backup, Role::Plain);
    } else {
        fact("", "Reading the journal".to_owned(), Role::Dim);
    }
    if let Some(why) = model.link.last_error.as_ref().filter(|_| !model.link.online) {
        fact("Last error", why.clone(), Role::Plain);
    }
    if let Some(demo) = &model.demo {
        let link = if demo.link_cut { "cut" } else { "whole" };
        fact("Demo", format!("link {link}, card {}", demo.card), Role::Plain);
    }
    Body { title: vec!["SYNC".to_owned()], panes: vec![rows], focus: Focus::Keep(0..1), notes: Vec::new(), hints: None }
}

fn unsent(model: &Model, sync: &SyncStatus) -> String {
    let rows = match sync.unsent() {
        0 => return "nothing".to_owned(),
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    };
    match model.now_ms.zip(sync.oldest_unsent_ms) {
        Some((now, oldest)) => format!("{rows}, oldest {}", span(now.saturating_sub(oldest))),
        None => rows,
    }
}

fn card_money(model: &Model, sync: &SyncStatus) -> (String, Role) {
    let exposure = sync.exposure;
    if exposure.count == 0 {
        return ("none stored".to_owned(), Role::Plain);
    }
    let money = Money::new(exposure.minor, exposure.currency).plain();
    let left = model.now_ms.zip(exposure.first_deadline_ms).map(|(now, deadline)| deadline.saturating_sub(now));
    match left {
        Some(left) if left <= 0 => (format!("{money} in {}, TOO LATE", exposure.count), Role::Failed),
        Some(left) => (format!("{money} in {}, first {}", exposure.count, span(left)), Role::Pending),
        None => (format!("{money} in {}", exposure.count), Role::Pending),
    }
}

fn contact(model: &Model, at_ms: i64) -> String {
    let at = model.local(at_ms);
    match model.now() {
        Some(now) if now.same_day(at) => format!("today {}", at.clock()),
        Some(now) => at.seen_from(now),
        None => at.clock(),
    }
}

fn next_try(model: &Model) -> (String, Role) {
    if model.link.online {
        return ("online".to_owned(), Role::Plain);
    }
    match model.link.next_try_ms.zip(model.now_ms) {
        Some((next, now)) => (format!("in {}, no link", stopwatch(next.saturating_sub(now))), Role::Strong),
        None => ("not planned, no link".to_owned(), Role::Strong),
    }
}

fn chain(model: &Model) -> (String, Role) {
    match model.chain {
        ChainView::Unchecked => (String::new(), Role::Plain),
        ChainView::Checking(_) => (", checking".to_owned(), Role::Plain),
        ChainView::Good { .. } => (", chain ok".to_owned(), Role::Paid),
        ChainView::Bad { rows } => (format!(", CHAIN BROKEN in {rows}: call the office"), Role::Failed),
    }
}
