//! Cash shifts: what was expected in each drawer, what was counted, and what came after the close.

use super::error::PageError;
use super::layout::{self, Page};
use super::query::shifts::{Outside, SHIFTS_MAX, Seen, outside, shifts};
use super::{View, words};
use crate::domain::money::Money;
use crate::domain::payment::Tender;
use crate::domain::shift::words::{difference, unsent};
use crate::domain::shift::{CashMove, Late};
use maud::{Markup, html};

pub(super) fn page(view: &View<'_>) -> Result<Page, PageError> {
    let all = shifts(view.db)?;
    let loose = outside(view.db)?;
    let body = html! {
        section.titlebar {
            h1 { "Shifts" }
            span.dim { "cash in the drawers: what should be there, what was counted, what came later" }
        }
        @if !loose.is_empty() { (loose_cash(&loose)) }
        @if all.is_empty() { (layout::nothing("No cash shifts yet. A technician opens one on the handheld: H on Today.")) }
        @else {
            table.list {
                thead { tr {
                    th { "Shift" } th { "Handheld" } th { "Opened" } th { "Closed" } th.n { "Float" } th.n { "Cash taken" }
                    th.n { "Expected" } th.n { "Counted" } th { "Difference" } th { "Moves, and late news" }
                } }
                tbody { @for seen in &all { (row(view, seen)) } }
            }
            @if all.len() == SHIFTS_MAX as usize { p.dim { "The newest " (SHIFTS_MAX) " are shown." } }
        }
    };
    Ok(Page { title: "Shifts".to_owned(), at: "/shifts", body })
}

fn loose_cash(loose: &[Outside]) -> Markup {
    html! {
        section.banner {
            (words::state("s-pending", "◐", "OUTSIDE A SHIFT"))
            @for one in loose { " " b { (one.device_name) } " " (words::money(one.amount)) }
            span { "Cash that was taken while no shift was open. The next shift of the handheld counts it." }
        }
    }
}

fn row(view: &View<'_>, seen: &Seen) -> Markup {
    let report = &seen.report;
    let money = |minor| Money::new(minor, report.currency);
    let drawer = &report.figures.drawer;
    let wants = !report.late.is_empty() || report.closed.as_ref().is_some_and(|closed| closed.difference_minor != 0);
    html! {
        tr .wants[wants] {
            td {
                @match &report.closed {
                    None => (words::state("s-open", "○", "OPEN")),
                    Some(closed) => b { (closed.number) },
                }
            }
            td { b { (seen.device_name) } br; span.dim { (seen.technician.as_deref().unwrap_or("–")) } }
            td title=(view.exact(report.opened_ms)) { (view.when(report.opened_ms)) }
            td {
                @match &report.closed {
                    None => span.dim { "–" },
                    Some(closed) => {
                        span title=(view.exact(closed.at_ms)) { (view.when(closed.at_ms)) }
                        @if let Some(text) = unsent(closed) { br; span.dim { (text) } }
                    },
                }
            }
            td.n { (words::money(money(drawer.float_minor)))
                @if drawer.carried_minor != 0 { br; span.dim { "and " (words::grouped(money(drawer.carried_minor))) " from outside a shift" } } }
            td.n { (words::money(money(drawer.taken_minor)))
                @if drawer.refunded_minor != 0 { br; span.dim { (words::grouped(money(drawer.refunded_minor))) " given back" } } }
            @match &report.closed {
                None => {
                    td.n { @match drawer.expected_minor() {
                        Ok(minor) => (words::money(money(minor))),
                        Err(why) => (why.to_string()),
                    } }
                    td.n { span.dim { "–" } }
                    td { span.dim { "not counted yet" } }
                },
                Some(closed) => {
                    td.n { (words::money(money(closed.expected_minor))) }
                    td.n { (words::money(money(closed.counted_minor))) }
                    td { (difference_cell(money(closed.difference_minor))) }
                },
            }
            td {
                @for one in &report.moves { (cash_move(one)) }
                @for one in &report.late { (late(view, one, money(one.minor))) }
                @if report.moves.is_empty() && report.late.is_empty() { span.dim { "–" } }
            }
        }
    }
}

fn difference_cell(amount: Money) -> Markup {
    let (word, size) = difference(amount);
    let (tone, shape) = if amount.is_zero() { ("s-paid", "✓") } else { ("s-alert", "▲") };
    words::state(tone, shape, &format!("{word} {size}"))
}

fn cash_move(one: &CashMove) -> Markup {
    html! { div { (one.kind.word()) " " (words::money(one.amount)) " " span.dim { (one.reason) } } }
}

/// The bank's word on a payment of a closed shift.
fn late(view: &View<'_>, one: &Late, amount: Money) -> Markup {
    html! {
        div {
            (words::state("s-alert", "▲", "LATE")) " "
            a href={ "/payments?payment=" (one.payment) } { (one.document) } " " (words::payment(one.state, Tender::Card)) " "
            (words::money(amount)) " " span.dim title=(view.exact(one.at_ms)) { (view.when(one.at_ms)) }
        }
    }
}
