//! Exceptions: what it is, what it means, what to do, how long there is.

use super::error::PageError;
use super::layout::{self, Page};
use super::query::exceptions::{EXCEPTIONS_MAX, Open, Order, exceptions};
use super::words::Sums;
use super::{View, words};
use crate::domain::decision::{Action, actions};
use crate::domain::exception::ExceptionType;
use crate::office::decide::{REASON_MAX_CHARS, REASON_MIN_CHARS};
use maud::{Markup, html};

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    sort: String,
}

pub(super) fn page(view: &View<'_>, asked: &Asked) -> Result<Page, PageError> {
    let order = if asked.sort == "age" { Order::Age } else { Order::Money };
    let open = exceptions(view.db, order, None)?;
    let resolved = exceptions(view.db, Order::Resolved, None)?;
    let sums = open.iter().fold(Sums::default(), |mut sums, one| {
        sums.add(one.amount.currency, one.amount.minor);
        sums
    });
    let current = |mine: Order| (order == mine).then_some("true");
    let body = html! {
        section.titlebar {
            h1 { "Exceptions" }
            @if !open.is_empty() { span.dim { (open.len()) " open, " } (sums.markup()) span.dim { " at stake" } }
            span.sort {
                a href="/exceptions" aria-current=[current(Order::Money)] { "most money first" }
                a href="/exceptions?sort=age" aria-current=[current(Order::Age)] { "oldest first" }
            }
        }
        @if open.is_empty() { (layout::nothing("Nothing needs a decision.")) }
        @for one in &open { (card(view, one)) }
        @if open.len() == EXCEPTIONS_MAX as usize { p.dim { "The first " (EXCEPTIONS_MAX) " are shown." } }
        @if !resolved.is_empty() { (resolved_list(view, &resolved)) }
    };
    Ok(Page { title: "Exceptions".to_owned(), at: "/exceptions", body })
}

/// The type in words.
pub(super) fn words_of(kind: ExceptionType) -> String {
    kind.name().replace('_', " ").to_uppercase()
}

fn card(view: &View<'_>, one: &Open) -> Markup {
    html! {
        article.exception {
            div.money-at-stake { (words::money(one.amount)) span.dim title=(view.exact(one.opened_ms)) { (view.ago(one.opened_ms)) } }
            div.what {
                h2 { (words::state("s-alert", "▲", &words_of(one.kind))) }
                p { (one.kind.advice()) }
                @if !one.note.is_empty() { p.dim { (one.note) } }
                p.links {
                    @if let (Some(job), Some(about)) = (&one.job, &one.about) { a href={ "/jobs/" (job) } { (about) } }
                    @if let Some(payment) = &one.payment { a href={ "/payments?payment=" (payment) } { "the payment" } }
                    @if matches!(one.kind, ExceptionType::AgreementFailed | ExceptionType::AgreementWaits) { a href="/agreements" { "the agreement" } }
                    @if one.kind == ExceptionType::CashVariance { a href="/shifts" { "the shift" } }
                    @if let Some(device) = &one.device_name { a href="/devices" { "handheld " (device) } }
                    @if let Some(deadline) = one.deadline_ms { b { "deadline " (view.until(deadline)) } }
                    @if let Some(owner) = &one.owner { span.dim { "with " (owner) } }
                }
            }
            (decide_form(view, one, None))
        }
    }
}

/// The ways to deal with it that this person has; `job`: the page to come back to.
fn decide_form(view: &View<'_>, one: &Open, job: Option<&str>) -> Markup {
    let offered: Vec<Action> =
        actions(one.kind).iter().copied().filter(|action| view.visitor.role.may(*action)).collect();
    if offered.is_empty() {
        return html! {};
    }
    if one.under_way {
        return html! { p { "The money is on its way back: " a href="/refunds" { "the refund" } "." } };
    }
    html! {
        form.resolve method="post" action={ "/exceptions/" (one.id) "/decide" } {
            (layout::token(view))
            @if let Some(job) = job { input type="hidden" name="back" value=(job); }
            input type="text" name="reason" required minlength=(REASON_MIN_CHARS) maxlength=(REASON_MAX_CHARS)
                placeholder="Why?" aria-label="Why?" autocomplete="off";
            @if offered.contains(&Action::AtProcessor) {
                label { "captured " (one.amount.currency.code()) " "
                    input.amount type="text" name="amount" value=(one.amount.plain()) inputmode="decimal" autocomplete="off"; }
            }
            @if offered.iter().any(|action| action.needs_confirmation()) {
                label.sure { input type="checkbox" name="sure" value="yes"; " I am sure"
                    span.dim { " (" (sure_for(&offered)) ")" } }
            }
            div.ways {
                @for action in &offered { button type="submit" name="action" value=(action.name()) { (action.label()) } }
            }
        }
    }
}

/// Which of the ways need the box.
fn sure_for(offered: &[Action]) -> String {
    let labels: Vec<&str> = offered.iter().filter(|a| a.needs_confirmation()).map(|a| a.label()).collect();
    format!("needed for: {}", labels.join(", "))
}

/// One line on the page of the job that it is about.
pub(super) fn banner(view: &View<'_>, one: &Open) -> Markup {
    html! {
        section.banner {
            (words::state("s-alert", "▲", &words_of(one.kind))) " " (words::money(one.amount))
            span { (one.kind.advice()) } a href="/exceptions" { "All exceptions" }
            (decide_form(view, one, one.job.as_deref()))
        }
    }
}

/// Takes a decision back, where that is possible; `job`: the page to come back to.
pub(super) fn undo_form(view: &View<'_>, decision: &str, job: Option<&str>) -> Markup {
    if !view.visitor.role.may_decide() {
        return html! {};
    }
    html! {
        form method="post" action={ "/decisions/" (decision) "/undo" } {
            (layout::token(view))
            @if let Some(job) = job { input type="hidden" name="back" value=(job); }
            button type="submit" { "Undo" }
        }
    }
}

fn resolved_list(view: &View<'_>, resolved: &[Open]) -> Markup {
    html! {
        section.panel {
            h2 { "Resolved lately" }
            table.list {
                tbody {
                    @for one in resolved {
                        tr {
                            td { @if let Some(ms) = one.resolved_ms { (view.when(ms)) } }
                            td { (words::state("s-over", "✓", &words_of(one.kind))) }
                            td.n { (words::money(one.amount)) }
                            td { (one.resolution.as_deref().unwrap_or("by itself"))
                                @if let Some(owner) = &one.owner { span.dim { " " (owner) } }
                                @if let Some(detail) = one.detail.as_ref().filter(|detail| !detail.is_empty()) { br; span.dim { (detail) } }
                                @if let Some(decision) = &one.undoable { (undo_form(view, decision, None)) } }
                            td { @if let (Some(job), Some(about)) = (&one.job, &one.about) { a href={ "/jobs/" (job) } { (about) } } }
                        }
                    }
                }
            }
        }
    }
}
