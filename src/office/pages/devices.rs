//! Handhelds: when they were last heard, how much of their journal is here, whether the chain is whole.

use super::error::PageError;
use super::layout::{self, Page};
use super::query::devices::{Device, Journal, devices};
use super::{View, words};
use maud::{Markup, html};

/// How much of an id or a hash is enough to compare by eye, characters.
const SHORT_CHARS: usize = 8;

pub(super) fn page(view: &View<'_>) -> Result<Page, PageError> {
    let all = devices(view.db)?;
    let body = html! {
        section.titlebar {
            h1 { "Devices" }
            span.dim { "what they have said, and how much of it the office holds" }
        }
        @if all.is_empty() {
            (layout::nothing("No handhelds yet. Add one: tillroll office device add NAME --technician ID"))
        } @else {
            table.list {
                thead { tr {
                    th { "Handheld" } th { "Technician" } th { "Last heard" } th.n { "Office holds" } th.n { "Not sent" }
                    th { "Journal" } th { "Chain" }
                } }
                tbody { @for device in &all { (row(view, device)) } }
            }
        }
    };
    Ok(Page { title: "Devices".to_owned(), at: "/devices", body })
}

fn row(view: &View<'_>, device: &Device) -> Markup {
    html! {
        tr .wants[device.forks > 0 || device.quarantined > 0] {
            td { b { (device.name) } }
            td { (device.technician.as_deref().unwrap_or("–")) }
            td { (heard(view, device)) }
            @match &device.journal {
                None => { td.n { "–" } td.n { "–" } td { span.dim { "none yet" } } },
                Some(journal) => (journal_cells(view, device, journal)),
            }
            td { (chain(device)) }
        }
    }
}

fn heard(view: &View<'_>, device: &Device) -> Markup {
    html! {
        @if let Some(ms) = device.revoked_ms { (words::state("s-failed", "✕", "REVOKED")) " " span.dim { (view.when(ms)) } }
        @else if !device.enrolled { (words::state("s-open", "○", "NOT ENROLLED")) }
        @else {
            @match device.heard_ms {
                None => span.dim { "never" },
                Some(ms) => span title=(view.exact(ms)) { (view.ago(ms)) },
            }
        }
    }
}

fn journal_cells(view: &View<'_>, device: &Device, journal: &Journal) -> Markup {
    html! {
        td.n { "1–" (journal.acked_seq) }
        td.n { @if journal.unsent() > 0 { b { (journal.unsent()) } } @else { span.dim { "0" } } }
        td {
            code title=(journal.epoch) { (short(&journal.epoch)) }
            span.dim { " since " (view.when(journal.since_ms)) @if device.epochs > 1 { ", " (device.epochs) " in all" } }
        }
    }
}

fn chain(device: &Device) -> Markup {
    html! {
        @if device.forks > 0 {
            (words::state("s-alert", "▲", "FORKED")) " " span.dim { (device.forks) " rows with another content" }
        } @else if let Some(journal) = device.journal.as_ref().filter(|journal| journal.acked_seq > 0) {
            (words::state("s-paid", "✓", "WHOLE")) " " code.dim title=(journal.acked_hash) { (short(&journal.acked_hash)) }
        } @else { span.dim { "–" } }
        @if device.quarantined > 0 {
            br; (words::state("s-alert", "▲", &format!("{} QUARANTINED", device.quarantined)))
            @if device.held > 0 { span.dim { " " (device.held) " held behind" } }
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(SHORT_CHARS).collect()
}
