//! One job: what was ordered, done and paid, and what the handheld's journal says, with both times.

use super::error::PageError;
use super::layout::{self, Page};
use super::query::decisions::{self, Decided};
use super::query::exceptions::{self, Order};
use super::query::job::{self, Facts, TIMELINE_MAX, Told};
use super::query::payments::{self, Seen};
use super::story;
use super::{View, money_page, words};
use crate::domain::job::{Review, VisitState};
use crate::domain::line::{Line, LineKind};
use crate::domain::money::{Currency, Money};
use crate::domain::totals::{Extras, Totals, totals};
use maud::{Markup, html};

/// A row that came later than this after it was written was written offline, milliseconds.
const LATE_MS: i64 = 60_000;

pub(super) fn page(view: &View<'_>, id: &str) -> Result<Page, PageError> {
    let facts = job::facts(view.db, id)?.ok_or(PageError::NotFound("job"))?;
    let equipment = job::equipment(view.db, &facts)?;
    let lines = job::lines(view.db, &facts)?;
    let paid = job::paid(view.db, &facts)?;
    let told = job::timeline(view.db, &facts.id)?;
    let decisions = decisions::of_job(view.db, &facts.id)?;
    let open = exceptions::exceptions(view.db, Order::Money, Some(&facts.id))?;
    let invoice = facts.invoice.as_ref().map(|invoice| invoice.id.to_string());
    let by_mail = super::ereceipts::section(view, invoice.as_deref().unwrap_or_default())?;
    let body = html! {
        (heading(view, &facts, &paid))
        @for one in &open { (super::exceptions::banner(view, one)) }
        div.columns {
            div {
                (order(view, &facts, &equipment))
                (work(&facts, &lines, &paid, decisions::written_off(&decisions)))
                (payments(view, &paid))
                (by_mail)
            }
            (timeline(view, &facts, &told, &paid, &decisions))
        }
    };
    Ok(Page { title: format!("{} {}", facts.number, facts.title), at: "/", body })
}

fn heading(view: &View<'_>, facts: &Facts, paid: &[Seen]) -> Markup {
    let money = payments::money_of(facts.invoice.as_ref(), paid);
    html! {
        section.heading {
            div {
                p.dim { (facts.number) " · " (view.day(facts.start_ms)) ", " (view.clock(facts.start_ms)) "–"
                    (view.clock(facts.end_ms)) " · " (facts.technician.as_deref().unwrap_or("not assigned")) }
                h1 { (facts.title) }
                p { (facts.customer) @if !facts.address.is_empty() { ", " (facts.address) } }
            }
            div.stands {
                (words::visit(facts.state))
                (words::money_state(money))
                (review(view, facts))
            }
        }
    }
}

fn review(view: &View<'_>, facts: &Facts) -> Markup {
    match facts.review {
        Review::Approved => html! {
            span.state.s-paid { i aria-hidden="true" { "✓" } " APPROVED" }
            span.dim {
                @if let Some(by) = &facts.reviewed_by { "by " (by) }
                @if let Some(ms) = facts.reviewed_ms { ", " (view.when(ms)) }
            }
        },
        Review::SentBack => words::state("s-pending", "↩", "SENT BACK"),
        Review::Open if facts.state == VisitState::Done => approve_form(view, &facts.id, "job"),
        Review::Open => html! { span.dim { "can be approved when the work is done" } },
    }
}

/// The button that approves a visit; `back` is where to go then.
pub(super) fn approve_form(view: &View<'_>, job: &str, back: &str) -> Markup {
    if !view.visitor.role.may_approve() {
        return words::state("s-open", "○", "TO REVIEW");
    }
    html! {
        form method="post" action={ "/jobs/" (job) "/approve" } {
            (layout::token(view))
            input type="hidden" name="back" value=(back);
            button.primary type="submit" { "Approve visit" }
        }
    }
}

fn order(view: &View<'_>, facts: &Facts, equipment: &[String]) -> Markup {
    let priority = match facts.priority {
        0 => "low",
        1 => "normal",
        2 => "high",
        _ => "! emergency",
    };
    let facts_of = [
        (
            "Appointment",
            format!("{}, {} to {}", view.day(facts.start_ms), view.clock(facts.start_ms), view.clock(facts.end_ms)),
        ),
        ("Priority", priority.to_owned()),
        ("Site", facts.site.clone()),
        ("Phone", facts.phone.clone()),
        ("Access", facts.access_note.clone()),
        ("Equipment", equipment.join("\n")),
        ("Asked for", facts.description.clone()),
    ];
    html! {
        section.panel {
            h2 { "Order" }
            dl {
                @for (word, text) in facts_of.iter().filter(|(_, text)| !text.is_empty()) {
                    dt { (word) } dd { (text) }
                }
            }
        }
    }
}

fn work(facts: &Facts, lines: &[Line], paid: &[Seen], written_off: i64) -> Markup {
    let document = facts.invoice.as_ref().map(|invoice| invoice.document.to_string());
    let currency = lines.first().map_or(Currency::EUR, |line| line.unit_price.currency);
    let sums = match &facts.invoice {
        Some(invoice) => Some(invoice.totals.clone()),
        None if lines.is_empty() => None,
        None => totals(lines, currency, Extras::NONE).ok(),
    };
    html! {
        section.panel {
            h2 { "Work" @if let Some(document) = &document { span.dim { " invoice " (document) } }
                @else if !lines.is_empty() { span.dim { " not invoiced yet" } } }
            @if lines.is_empty() { (layout::nothing("No lines yet.")) }
            @else {
                table.lines {
                    thead { tr { th { "What" } th.n { "Quantity" } th.n { "Price" } th.n { "Amount" } } }
                    tbody { @for line in lines { (line_row(line)) } }
                    @if let Some(sums) = &sums { (totals_rows(facts, sums, paid, written_off)) }
                }
            }
        }
    }
}

fn line_row(line: &Line) -> Markup {
    let amount = line.amount().map_or_else(|_| "?".to_owned(), words::grouped);
    let kind = match line.kind {
        LineKind::Labour => "labour",
        LineKind::Part => "part",
        LineKind::Fee => "fee",
        LineKind::Discount => "discount",
    };
    html! {
        tr {
            td { (line.name) " " span.dim { (kind) } }
            @if line.kind == LineKind::Discount { td.n {} td.n {} }
            @else {
                td.n { (line.quantity) " " (line.unit) }
                td.n { (words::grouped(line.unit_price)) }
            }
            td.n { (amount) }
        }
    }
}

fn totals_rows(facts: &Facts, sums: &Totals, paid: &[Seen], written_off: i64) -> Markup {
    let money = |minor| words::grouped(Money::new(minor, sums.currency));
    let covered = payments::sums(facts.invoice.as_ref(), paid);
    let open = facts.invoice.as_ref().and_then(|invoice| invoice.open(covered).ok());
    let open = open.map(|open| Money::new(open.minor.saturating_sub(written_off), open.currency));
    html! {
        tfoot {
            @for part in &sums.taxes {
                tr.minor { td colspan="3" { (part.rule.label) " on " (money(part.net_minor)) } td.n { (money(part.tax_minor)) } }
            }
            @if sums.tip_minor != 0 { tr.minor { td colspan="3" { "Tip" } td.n { (money(sums.tip_minor)) } } }
            @if sums.rounding_minor != 0 {
                tr.minor { td colspan="3" { "Cash rounding" } td.n { (money(sums.rounding_minor)) } }
            }
            tr.total { td colspan="3" { "Total" } td.n { (words::money(sums.total())) } }
            @if facts.invoice.is_some() {
                @if covered.approved_minor != 0 {
                    tr { td colspan="3" { (words::state("s-paid", "✓", "Paid")) } td.n { (money(covered.approved_minor)) } }
                }
                @if covered.pending_minor != 0 {
                    tr { td colspan="3" { (words::state("s-pending", "◐", "Pending, not certain")) }
                        td.n { (money(covered.pending_minor)) } }
                }
                @if written_off != 0 {
                    tr { td colspan="3" { (words::state("s-over", "–", "Written off")) } td.n { (money(written_off)) } }
                }
                @if let Some(open) = open.filter(|open| !open.is_zero()) {
                    tr.total { td colspan="3" { "Still open" } td.n { (words::money(open)) } }
                }
            }
        }
    }
}

fn payments(view: &View<'_>, paid: &[Seen]) -> Markup {
    html! {
        section.panel {
            h2 { "Payments" }
            @if paid.is_empty() { (layout::nothing("No payments yet.")) }
            @else { (money_page::table(view, paid, false)) }
        }
    }
}

/// What happened, with the office's own steps among the journal's rows.
fn timeline(view: &View<'_>, facts: &Facts, told: &[Told], paid: &[Seen], decided: &[Decided]) -> Markup {
    let mut entries: Vec<(i64, i64, Markup)> =
        told.iter().map(|one| (one.office_at_ms, one.at_ms, entry(view, one))).collect();
    for outcome in paid.iter().filter_map(|one| one.office.as_ref()?.outcome.as_ref()) {
        let said = story::outcome(outcome, "");
        entries.push((outcome.at_ms, outcome.at_ms, office_entry(view, outcome.at_ms, &said)));
    }
    if let (Review::Approved, Some(ms)) = (facts.review, facts.reviewed_ms) {
        let by = facts.reviewed_by.clone().unwrap_or_default();
        let said =
            story::Told { tone: "s-paid", shape: "✓", what: "Visit approved".to_owned(), more: format!("by {by}") };
        entries.push((ms, ms, office_entry(view, ms, &said)));
    }
    for one in decided {
        let said = story::decision(one);
        let undo = one.undoable.then(|| super::exceptions::undo_form(view, &one.id, Some(&facts.id)));
        let markup =
            html! { (office_entry(view, one.at_ms, &said)) @if let Some(undo) = undo { li.by-office { (undo) } } };
        entries.push((one.at_ms, one.at_ms, markup));
    }
    entries.sort_by_key(|(order_ms, _, _)| *order_ms);
    let days: Vec<String> = entries.iter().map(|(_, shown_ms, _)| view.day(*shown_ms)).collect();
    html! {
        section.panel.timeline {
            h2 { "Timeline" span.dim { " handheld's time, then when the office had it" } }
            @if entries.is_empty() { (layout::nothing("The handheld has not said anything about this job yet.")) }
            @else {
                ol {
                    @for (n, (_, _, markup)) in entries.iter().enumerate() {
                        @if n == 0 || days.get(n) != days.get(n - 1) { li.date { (days.get(n).map_or("", String::as_str)) } }
                        (markup)
                    }
                }
                @if told.len() == TIMELINE_MAX as usize { p.dim { "The first " (TIMELINE_MAX) " rows are shown." } }
            }
        }
    }
}

fn office_entry(view: &View<'_>, at_ms: i64, said: &story::Told) -> Markup {
    html! {
        li.by-office {
            time { (view.clock_s(at_ms)) }
            i class=(said.tone) aria-hidden="true" { (said.shape) }
            div {
                b { (said.what) } @if !said.more.is_empty() { " " span.dim { (said.more) } }
                p.dim { "the office" }
            }
        }
    }
}

fn entry(view: &View<'_>, one: &Told) -> Markup {
    let said = one.event.as_ref().map_or_else(
        || story::Told { tone: "s-alert", shape: "?", what: one.kind.clone(), more: "cannot be read here".to_owned() },
        story::story,
    );
    let late_ms = one.received_ms.saturating_sub(one.at_ms);
    html! {
        li title={ (one.kind) ", row " (one.seq) " of " (one.device) } {
            time { (view.clock_s(one.at_ms)) }
            i class=(said.tone) aria-hidden="true" { (said.shape) }
            div {
                b { (said.what) } @if !said.more.is_empty() { " " span.dim { (said.more) } }
                p.dim {
                    (one.actor) " · " (one.device) " · office "
                    @if late_ms > LATE_MS { (view.when(one.received_ms)) " ◌ " (words::span(late_ms)) " later" }
                    @else { (view.clock_s(one.received_ms)) }
                }
                @if one.result != "applied" && one.result != "duplicate" {
                    p.alert { "▲ " (one.result) @if let Some(reason) = &one.reason { ": " (reason) } }
                }
            }
        }
    }
}
