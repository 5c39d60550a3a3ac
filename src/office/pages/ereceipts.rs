//! Receipts by e-mail on a job's page: where to, and how far.

use super::View;
use super::error::PageError;
use crate::office::ereceipts::{Entry, of_invoice};
use maud::{Markup, html};

/// Nothing where nobody asked for one.
pub(super) fn section(view: &View<'_>, invoice: &str) -> Result<Markup, PageError> {
    let entries = of_invoice(view.db, invoice)?;
    Ok(html! {
        @if !entries.is_empty() {
            section.panel {
                h2 { "Receipts by e-mail" }
                ul { @for one in &entries { li { (entry(view, one)) } } }
            }
        }
    })
}

fn entry(view: &View<'_>, one: &Entry) -> Markup {
    let what = if one.n == 1 { "asked for" } else { "after a late word" };
    let then = one.standing.map(|standing| format!(", it said {}", standing.words())).unwrap_or_default();
    html! {
        (one.address) " · " (what) " · "
        @match (one.state.as_str(), one.sent_ms) {
            ("sent", Some(at)) => { b { "sent" } " " (view.day(at)) " " (view.clock(at)) (then) }
            ("failed", _) => b { "not sent, given up" },
            _ => b { "waits" },
        }
        @if let Some(why) = &one.error { " · " (why) }
    }
}
