//! Agreements and the cards that they charge: what is due when, what became of it, and the ways to make, stop and
//! let go on.
//!
//! Invariant: nothing here shows or takes card data; a card is its brand, its last four digits and its consent.

use super::actions::{answer, check};
use super::error::PageError;
use super::layout::{self, Page};
use super::{PagesState, View, words};
use crate::domain::money::{Currency, Money};
use crate::office::agreements::list::{self, Agreement, Run, RunState};
use crate::office::agreements::schedule::{Every, Unit};
use crate::office::agreements::{self, NewAgreement, runs};
use crate::office::decide::{REASON_MAX_CHARS, REASON_MIN_CHARS};
use crate::office::kept::{self, KeptCard};
use crate::office::users::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use rusqlite::Transaction;
use uuid::Uuid;

/// The page.
pub(super) fn page(view: &View<'_>) -> Result<Page, PageError> {
    let all = list::all(view.db)?;
    let cards = kept::all(view.db)?;
    let body = html! {
        section.titlebar { h1 { "Agreements" } span.dim { "what customers pay again and again with a card on file" } }
        @if all.is_empty() { (layout::nothing("No agreements yet. One is made below, from a card that a customer let you keep.")) }
        @for one in &all { (agreement(view, one)?) }
        section.panel {
            h2 { "Cards on file" }
            @if cards.is_empty() {
                (layout::nothing("No cards are kept. Customers are asked on the handheld where the rules bring a text to agree to."))
            }
            @for one in &cards { (card(view, one)) }
        }
    };
    Ok(Page { title: "Agreements".to_owned(), at: "/agreements", body })
}

fn agreement(view: &View<'_>, one: &Agreement) -> Result<Markup, PageError> {
    let (tone, shape, word) = match one.state.as_str() {
        "active" => ("s-paid", "✓", "IN FORCE"),
        "suspended" => ("s-alert", "▲", "WAITS FOR A LOOK"),
        _ => ("s-over", "–", "STOPPED"),
    };
    let may = view.visitor.role.may_decide();
    Ok(html! {
        article.exception .calm[one.state != "suspended"] {
            div.money-at-stake { (words::money(one.amount()?)) span.dim { (one.every) } }
            div.what {
                h2 { (words::state(tone, shape, word)) " " (one.customer) }
                p { (one.what) ", " (one.card)
                    @if one.state == "active" { ", next on " b { (one.next_due) } } }
                p.dim { "a soft decline is tried again after " (one.retry_days) " days, " (one.tries) " times in all" }
                @if one.state != "active" { p.dim { (one.why) " (" (one.changed_by) ")" } }
                @for run in &one.runs { (run_line(view, one, run, may)) }
            }
            @if may && one.state == "suspended" {
                form.resolve method="post" action={ "/agreements/" (one.id) "/resume" } {
                    (layout::token(view))
                    button type="submit" { "It goes on" }
                }
            }
            @if may && one.state != "stopped" {
                form.resolve method="post" action={ "/agreements/" (one.id) "/stop" } {
                    (layout::token(view)) (why_field())
                    button type="submit" { "The customer stops it" }
                }
            }
        }
    })
}

fn run_line(view: &View<'_>, of: &Agreement, run: &Run, may: bool) -> Markup {
    let (tone, shape) = match run.state {
        RunState::Paid => ("s-paid", "✓"),
        RunState::UnderWay | RunState::Retrying => ("s-pending", "◐"),
        RunState::Stopped => ("s-over", "–"),
        RunState::InQuestion => ("s-unknown", "◇"),
        RunState::Failed | RunState::Missed | RunState::Held => ("s-alert", "▲"),
    };
    html! {
        div {
            (run.due) " " (words::state(tone, shape, run.state.word())) " "
            @if let (Some(payment), Some(document)) = (&run.payment, &run.document) {
                a href={ "/payments?payment=" (payment) } { (document) }
            }
            @if run.declines > 0 { span.dim { " declined " (run.declines) " of " (of.tries) " times" } }
            @if let Some(next) = run.next_try_ms {
                span.dim title=(view.exact(next)) { ", next try " (view.until(next)) }
                @if may {
                    form method="post" action={ "/agreements/" (of.id) "/try/" (run.due) } {
                        (layout::token(view))
                        button type="submit" { "Try again now" }
                    }
                }
            }
            @if run.state == RunState::Failed { " " a href="/exceptions" { "decide" } }
        }
    }
}

fn card(view: &View<'_>, one: &KeptCard) -> Markup {
    let may = view.visitor.role.may_decide();
    html! {
        article.exception.calm {
            div.what {
                h2 { (one.brand) " ....." (one.last4) " " span.dim { (one.customer_name) } }
                p.links {
                    span { "consent " (one.consent) ", " (view.when(one.kept_ms)) }
                    a href={ "/payments?payment=" (one.payment) } { "the payment with which it was given" }
                    @if let (Some(ended), Some(why)) = (one.ended_ms, &one.ended_why) {
                        b { "ended " (view.when(ended)) } span.dim { (why) }
                    }
                }
            }
            @if may && one.ended_ms.is_none() {
                (new_form(view, one))
                form.resolve method="post" action={ "/cards/" (one.id) "/end" } {
                    (layout::token(view)) (why_field())
                    button type="submit" { "The customer takes the consent back" }
                }
            }
        }
    }
}

fn why_field() -> Markup {
    html! {
        input type="text" name="reason" required minlength=(REASON_MIN_CHARS) maxlength=(REASON_MAX_CHARS)
            placeholder="Why?" aria-label="Why?" autocomplete="off";
    }
}

fn new_form(view: &View<'_>, of: &KeptCard) -> Markup {
    let today = runs::today(view.now_ms);
    html! {
        form.resolve method="post" action="/agreements" {
            (layout::token(view))
            // Sent twice it is one agreement.
            input type="hidden" name="id" value=(Uuid::now_v7());
            input type="hidden" name="card" value=(of.id);
            input type="text" name="what" required maxlength="100" placeholder="What for?" aria-label="What for?" autocomplete="off";
            label { "amount " input.amount type="text" name="amount" required inputmode="decimal" autocomplete="off"; }
            label { "currency " input type="text" name="currency" value="EUR" required size="3" maxlength="3"; }
            label { "tax " select name="tax" { @for code in ["standard", "reduced", "zero"] { option { (code) } } } }
            label { "every " input type="number" name="count" value="1" min="1" max=(Every::MAX); }
            label { select name="unit" aria-label="unit" { @for unit in Unit::ALL { option selected[unit == Unit::Months] { (unit.name()) } } } }
            label { "first on " input type="date" name="first" value=(today) required; }
            label { "a decline again after days " input type="number" name="retry_days" value="3" min="1" max="30"; }
            label { "tries in all " input type="number" name="tries" value="4" min="1" max="10"; }
            button type="submit" { "Make the agreement" }
        }
    }
}

/// What the form of a new agreement says.
#[derive(serde::Deserialize)]
pub(super) struct Making {
    #[serde(default)]
    csrf: String,
    id: Uuid,
    card: String,
    what: String,
    amount: String,
    currency: String,
    tax: String,
    count: u16,
    unit: String,
    first: String,
    retry_days: u32,
    tries: u32,
}

/// `POST /agreements`
pub(super) async fn make(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Form(form): Form<Making>,
) -> Response {
    if let Err(why) = check(&who, &form.csrf, who.role.may_decide()) {
        return why.into_response();
    }
    let now_ms = (state.clock)();
    let done = state.change(move |tx| {
        let form_error = |text| PageError::Form(text);
        let currency: Currency = form
            .currency
            .trim()
            .to_uppercase()
            .parse()
            .map_err(|_| form_error("The currency has three letters, such as EUR."))?;
        let amount = Money::parse(form.amount.trim(), currency).map_err(|_| form_error("Say the amount as 49.00."))?;
        let every = form.unit.parse().ok().and_then(|unit| Every::new(form.count, unit));
        let every = every.ok_or(form_error("How often: every 1 to 366 days, weeks or months."))?;
        let first = form.first.parse().map_err(|_| form_error("The first day is a date such as 2026-12-01."))?;
        let id = form.id.to_string();
        let new = NewAgreement {
            id: &id,
            card: &form.card,
            what: form.what.trim(),
            amount,
            tax: &form.tax,
            every,
            first,
            retry_days: form.retry_days,
            tries: form.tries,
            by: &who.name,
        };
        Ok(agreements::add(tx, &new, runs::today(now_ms), now_ms)?)
    });
    finish(&state, done.await)
}

#[derive(serde::Deserialize)]
pub(super) struct Changing {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    reason: String,
}

/// `POST /agreements/{id}/stop` and `/resume`
pub(super) async fn change(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path((id, word)): Path<(String, String)>,
    Form(form): Form<Changing>,
) -> Response {
    let now_ms = (state.clock)();
    let (by, why) = (who.name.clone(), form.reason.trim().to_owned());
    match word.as_str() {
        "stop" => {
            let work = move |tx: &Transaction<'_>| Ok(agreements::stop_by(tx, &id, &by, &why, now_ms)?);
            changed(&state, &who, &form.csrf, work).await
        }
        "resume" => {
            let work = move |tx: &Transaction<'_>| Ok(agreements::resume(tx, &id, &by, now_ms)?);
            changed(&state, &who, &form.csrf, work).await
        }
        _ => PageError::NotFound("page").into_response(),
    }
}

/// `POST /agreements/{id}/try/{due}`
pub(super) async fn try_now(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path((id, due)): Path<(String, String)>,
    Form(form): Form<Changing>,
) -> Response {
    let now_ms = (state.clock)();
    let work = move |tx: &Transaction<'_>| Ok(runs::try_now(tx, &id, &due, now_ms)?);
    changed(&state, &who, &form.csrf, work).await
}

/// `POST /cards/{id}/end`
pub(super) async fn end_card(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Changing>,
) -> Response {
    let now_ms = (state.clock)();
    let (by, why) = (who.name.clone(), form.reason.trim().to_owned());
    let work = move |tx: &Transaction<'_>| {
        agreements::reason(&why)?;
        match kept::end(tx, &id, &by, &why, now_ms) {
            Ok(true) => Ok(()),
            Ok(false) => Err(PageError::Conflict("Somebody else has ended this already.")),
            Err(crate::office::OfficeError::Missing(_)) => Err(PageError::NotFound("kept card")),
            Err(why) => Err(why.into()),
        }
    };
    changed(&state, &who, &form.csrf, work).await
}

async fn changed(
    state: &PagesState,
    who: &Visitor,
    csrf: &str,
    work: impl FnOnce(&Transaction<'_>) -> Result<(), PageError> + Send + 'static,
) -> Response {
    if let Err(why) = check(who, csrf, who.role.may_decide()) {
        return why.into_response();
    }
    finish(state, state.change(work).await)
}

fn finish(state: &PagesState, done: Result<(), PageError>) -> Response {
    if done.is_ok() {
        (state.wake_payments)();
    }
    answer(done, "/agreements")
}
