//! Money that is to go back, and transfers that are to come: what waits for a decision, and what was decided.
//!
//! Invariant: giving money back takes its own button, next to how much and to whom.

use super::actions::{answer, check};
use super::error::PageError;
use super::layout::{self, Page};
use super::{PagesState, View, words};
use crate::domain::money::Money;
use crate::domain::payment::Tender;
use crate::office::OfficeError;
use crate::office::decide::{REASON_MAX_CHARS, REASON_MIN_CHARS};
use crate::office::payments::refunds::{self, Decision, Work};
use crate::office::payments::transfers;
use crate::office::users::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

/// Refunds and transfers shown at the most.
const SHOWN_MAX: usize = 200;

/// A transfer that was announced.
struct Expected {
    payment: String,
    job: String,
    document: String,
    customer: String,
    reference: String,
    amount: Money,
    at_ms: i64,
}

/// The page.
pub(super) fn page(view: &View<'_>) -> Result<Page, PageError> {
    let works = refunds::all(view.db, SHOWN_MAX)?;
    let expected = expected(view)?;
    let body = html! {
        section.titlebar { h1 { "Refunds and transfers" } }
        section.panel {
            h2 { "Refunds" }
            @if works.is_empty() { (layout::nothing("Nobody has asked for money back.")) }
            @for work in &works { (refund(view, work)) }
        }
        section.panel {
            h2 { "Transfers expected" }
            @if expected.is_empty() { (layout::nothing("No transfer is expected.")) }
            @for one in &expected { (transfer(view, one)) }
        }
    };
    Ok(Page { title: "Refunds".to_owned(), at: "/refunds", body })
}

fn expected(view: &View<'_>) -> Result<Vec<Expected>, PageError> {
    let mut statement = view.db.prepare_cached(
        "SELECT p.id, p.job, p.document, coalesce(c.name, ''), coalesce(json_extract(p.record, '$.reference'), ''),
                p.amount_minor, p.currency, p.at_ms
         FROM transfer t JOIN payment p ON p.id = t.payment
         LEFT JOIN job j ON j.id = p.job LEFT JOIN customer c ON c.id = j.customer
         WHERE t.word_n = 0 AND p.state = 'tendered' ORDER BY p.at_ms LIMIT ?1",
    )?;
    let mut rows = statement.query([SHOWN_MAX])?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let currency: String = r.get(6)?;
        let currency = currency.parse().map_err(OfficeError::from)?;
        found.push(Expected {
            payment: r.get(0)?,
            job: r.get(1)?,
            document: r.get(2)?,
            customer: r.get(3)?,
            reference: r.get(4)?,
            amount: Money::new(r.get(5)?, currency),
            at_ms: r.get(7)?,
        });
    }
    Ok(found)
}

fn refund(view: &View<'_>, work: &Work) -> Markup {
    let refund = &work.refund;
    let (tone, shape, word) = match work.state.as_str() {
        "waits" => ("s-unknown", "◇", "WAITS"),
        "released" => ("s-pending", "◐", "RELEASED"),
        "done" => ("s-paid", "✓", "GIVEN BACK"),
        _ => ("s-over", "–", "REFUSED"),
    };
    html! {
        article.exception {
            div.money-at-stake { (words::money(refund.amount)) span.dim { (view.ago(refund.at_ms)) } }
            div.what {
                h2 { (words::state(tone, shape, word)) " " (refund.tender.word()) }
                p { (refund.reason) }
                p.links {
                    a href={ "/jobs/" (refund.job) } { "the job" }
                    @match refund.payment {
                        Some(payment) => a href={ "/payments?payment=" (payment) } { "the payment" },
                        None => b { "linked to no payment" },
                    }
                    @if refund.manager { span.dim { "a manager's PIN was given" } }
                    @if work.exception.is_some() { span.dim { "begun by the office" } }
                    @if let Some(who) = &work.decided_by { span.dim { "by " (who) } }
                    @if let Some(answer) = &work.answer { span.dim { (answer) } }
                }
            }
            @if work.state == "waits" && view.visitor.role.may_decide() {
                div.ways {
                    form.resolve method="post" action={ "/refunds/" (refund.id) "/release" } {
                        (layout::token(view))
                        button type="submit" {
                            @if refund.tender == Tender::Card { "Give " (refund.amount) " back to the card" }
                            @else if refund.tender == Tender::Cash && refund.payment.is_none() {
                                "Let the technician hand over " (refund.amount)
                            } @else if refund.tender == Tender::Deposit { "Put " (refund.amount) " back to the deposit" }
                            @else { "It was given back by hand" }
                        }
                    }
                    form.resolve method="post" action={ "/refunds/" (refund.id) "/refuse" } {
                        (layout::token(view))
                        input type="text" name="reason" required minlength=(REASON_MIN_CHARS) maxlength=(REASON_MAX_CHARS)
                            placeholder="Why not?" aria-label="Why not?" autocomplete="off";
                        button type="submit" { "Refuse" }
                    }
                }
            }
        }
    }
}

fn transfer(view: &View<'_>, one: &Expected) -> Markup {
    html! {
        article.exception {
            div.money-at-stake { (words::money(one.amount)) span.dim { (view.ago(one.at_ms)) } }
            div.what {
                h2 { (words::state("s-pending", "◐", "EXPECTED")) " " (one.document) }
                p { (one.customer) ", " (one.reference) }
                p.links { a href={ "/jobs/" (one.job) } { "the job" } }
            }
            @if view.visitor.role.may_decide() {
                @for (word, button) in [("came", "It came"), ("missing", "It will not come")] {
                    form.resolve method="post" action={ "/transfers/" (one.payment) "/" (word) } {
                        (layout::token(view))
                        button type="submit" { (button) }
                    }
                }
            }
        }
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Deciding {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    reason: String,
}

/// `POST /refunds/{id}/release` and `/refuse`
pub(super) async fn decide(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path((id, word)): Path<(String, String)>,
    Form(form): Form<Deciding>,
) -> Response {
    if let Err(why) = check(&who, &form.csrf, who.role.may_decide()) {
        return why.into_response();
    }
    let reason = form.reason.trim().to_owned();
    let refuse = match word.as_str() {
        "release" => false,
        "refuse" => true,
        _ => return PageError::NotFound("page").into_response(),
    };
    if refuse && !(REASON_MIN_CHARS..=REASON_MAX_CHARS).contains(&reason.chars().count()) {
        return PageError::Form("Say in a few words why not; the technician reads it.").into_response();
    }
    let Ok(id) = id.parse() else { return PageError::NotFound("refund").into_response() };
    let now_ms = (state.clock)();
    let done = state.change(move |tx| {
        let decision = if refuse { Decision::Refuse(&reason) } else { Decision::Release };
        match refunds::decide(tx, id, decision, &who.name, now_ms) {
            Ok(true) => Ok(()),
            Ok(false) => Err(PageError::Conflict("Somebody else has decided this already.")),
            Err(OfficeError::Missing(_)) => Err(PageError::NotFound("refund")),
            Err(why) => Err(why.into()),
        }
    });
    let done = done.await;
    if done.is_ok() {
        (state.wake_payments)();
    }
    answer(done, "/refunds")
}

/// `POST /transfers/{id}/came` and `/missing`
pub(super) async fn transferred(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path((id, word)): Path<(String, String)>,
    Form(form): Form<Deciding>,
) -> Response {
    if let Err(why) = check(&who, &form.csrf, who.role.may_decide()) {
        return why.into_response();
    }
    let came = match word.as_str() {
        "came" => true,
        "missing" => false,
        _ => return PageError::NotFound("page").into_response(),
    };
    let Ok(id) = id.parse() else { return PageError::NotFound("transfer").into_response() };
    let now_ms = (state.clock)();
    let done = state.change(move |tx| match transfers::decide(tx, id, came, &who.name, now_ms) {
        Ok(true) => Ok(()),
        Ok(false) => Err(PageError::Conflict("Somebody else has decided this already.")),
        Err(OfficeError::Missing(_)) => Err(PageError::NotFound("transfer")),
        Err(why) => Err(why.into()),
    });
    answer(done.await, "/refunds")
}
