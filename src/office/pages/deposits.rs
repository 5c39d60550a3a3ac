//! What customers have paid ahead: what is still owed to them, and what became of the rest.

use super::error::PageError;
use super::layout::{self, Page};
use super::words::Sums;
use super::{View, words};
use crate::domain::deposit::DepositUse;
use crate::domain::money::Money;
use crate::office::deposits::{LIST_MAX, Listed, list};
use maud::{Markup, html};

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    all: String,
}

pub(super) fn page(view: &View<'_>, asked: &Asked) -> Result<Page, PageError> {
    let every = asked.all == "yes";
    let found = list(view.db, every)?;
    let sums = found.iter().fold(Sums::default(), |mut sums, one| {
        sums.add(one.deposit.total.currency, one.deposit.left_minor);
        sums
    });
    let body = html! {
        section.titlebar {
            h1 { "Deposits" }
            span.dim { "paid ahead by customers and not used yet: " strong { (sums.markup()) } }
            @if every { a href="/deposits" { "only what is left" } } @else { a href="/deposits?all=yes" { "all deposits" } }
        }
        @if found.is_empty() {
            (layout::nothing("Nothing is paid ahead. A technician takes a deposit on the handheld: T on a job without an invoice."))
        } @else {
            table.list {
                thead { tr {
                    th { "Taken" } th { "Deposit" } th { "Customer" } th.n { "Agreed" } th.n { "Pending" }
                    th.n { "Used" } th.n { "Given back" } th.n { "Left" }
                } }
                tbody { @for one in &found { (row(view, one)) } }
            }
            @if found.len() == LIST_MAX as usize { p.dim { "The newest " (LIST_MAX) " are shown." } }
        }
    };
    Ok(Page { title: "Deposits".to_owned(), at: "/payments", body })
}

fn row(view: &View<'_>, one: &Listed) -> Markup {
    let deposit = &one.deposit;
    let use_of = one.invoice.deposit.unwrap_or(DepositUse::NONE);
    let plain = |minor| Money::new(minor, deposit.total.currency).plain();
    html! {
        tr {
            td { (view.when(deposit.at_ms)) }
            td { a href={ "/jobs/" (deposit.job) } { (deposit.document) } }
            td { (one.customer) }
            td.n { (words::money(deposit.total)) }
            td.n { @if deposit.pending_minor > 0 { (plain(deposit.pending_minor)) } }
            td.n { @if use_of.used_minor > 0 { (plain(use_of.used_minor)) } }
            td.n {
                @if use_of.given_minor > 0 { (plain(use_of.given_minor)) }
                @if use_of.asked_minor > 0 { br; span.dim { "asked for " (plain(use_of.asked_minor)) } }
            }
            td.n { strong { (plain(deposit.left_minor)) } }
        }
    }
}
