//! What people change from the pages: approve a visit, resolve an exception, release a held payment.
//!
//! Each is one transaction, checked against how things stand now, and needs the session's token and a role.

use super::error::PageError;
use super::exceptions::{REASON_MAX_CHARS, REASON_MIN_CHARS};
use super::{PagesState, guard};
use crate::office::import::feed;
use crate::office::users::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};
use rusqlite::{OptionalExtension, Transaction, params};

#[derive(serde::Deserialize)]
pub(super) struct Approving {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    back: String,
}

/// `POST /jobs/{id}/approve`
pub(super) async fn approve(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path(job): Path<String>,
    Form(form): Form<Approving>,
) -> Response {
    if let Err(why) = check(&who, &form.csrf, who.role.may_approve()) {
        return why.into_response();
    }
    let back = if form.back == "review" { "/review".to_owned() } else { format!("/jobs/{job}") };
    let (now_ms, note) = ((state.clock)(), state.note.clone());
    let done = state.change(move |tx| {
        if set_approved(tx, &job, &who.name, now_ms)? {
            for one in feed::job_changed(tx, &job)? {
                note(tx, &one)?;
            }
        }
        Ok(())
    });
    answer(done.await, &back)
}

/// Marks a finished visit as approved; false when it already was.
fn set_approved(tx: &Transaction<'_>, job: &str, by: &str, now_ms: i64) -> Result<bool, PageError> {
    let sql = "SELECT j.review, coalesce(w.state, 'new') FROM job j LEFT JOIN visit_work w ON w.visit = j.visit
         WHERE j.id = ?1";
    let found: Option<(String, String)> = tx.query_row(sql, [job], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (review, work) = found.ok_or(PageError::NotFound("job"))?;
    if review == "approved" {
        return Ok(false);
    }
    if work != "done" {
        return Err(PageError::Conflict("The work is not done yet; a visit can be approved when it is."));
    }
    let sql = "UPDATE job SET review = 'approved', reviewed_by = ?2, reviewed_ms = ?3 WHERE id = ?1";
    tx.execute(sql, params![job, by, now_ms])?;
    Ok(true)
}

#[derive(serde::Deserialize)]
pub(super) struct Resolving {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    reason: String,
}

/// `POST /exceptions/{id}/resolve`
pub(super) async fn resolve(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Resolving>,
) -> Response {
    if let Err(why) = check(&who, &form.csrf, who.role.may_decide()) {
        return why.into_response();
    }
    let reason = form.reason.trim().to_owned();
    if !(REASON_MIN_CHARS..=REASON_MAX_CHARS).contains(&reason.chars().count()) {
        return PageError::Form("Say in a few words what was done; it stays with the exception.").into_response();
    }
    let now_ms = (state.clock)();
    let done = state.change(move |tx| {
        let sql = "UPDATE exception SET state = 'resolved', resolved_ms = ?2, resolution = ?3, owner = ?4
             WHERE id = ?1 AND state = 'open'";
        match tx.execute(sql, params![id, now_ms, reason, who.name])? {
            0 if tx.prepare("SELECT 1 FROM exception WHERE id = ?1")?.exists([&id])? => {
                Err(PageError::Conflict("Somebody else has resolved this already."))
            }
            0 => Err(PageError::NotFound("exception")),
            _ => Ok(()),
        }
    });
    answer(done.await, "/exceptions")
}

#[derive(serde::Deserialize)]
pub(super) struct Releasing {
    #[serde(default)]
    csrf: String,
}

/// `POST /payments/{id}/release`
pub(super) async fn release(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path(payment): Path<String>,
    Form(form): Form<Releasing>,
) -> Response {
    if let Err(why) = check(&who, &form.csrf, who.role.may_decide()) {
        return why.into_response();
    }
    let back = format!("/payments?payment={}", payment.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', ""));
    let now_ms = (state.clock)();
    let done = state.change(move |tx| {
        let sql = "UPDATE card_payment SET released_by = ?2, next_ms = ?3 WHERE payment = ?1 AND over = 0
             AND released_by IS NULL AND json_extract(outcome_record, '$.state') = 'held'";
        match tx.execute(sql, params![payment, who.name, now_ms])? {
            0 if tx.prepare("SELECT 1 FROM card_payment WHERE payment = ?1")?.exists([&payment])? => {
                Err(PageError::Conflict("This payment is not held any more."))
            }
            0 => Err(PageError::NotFound("card payment")),
            _ => Ok(()),
        }
    });
    let done = done.await;
    if done.is_ok() {
        (state.wake_payments)();
    }
    answer(done, &back)
}

pub(super) fn check(who: &Visitor, csrf: &str, allowed: bool) -> Result<(), PageError> {
    if !who.csrf_fits(csrf) {
        return Err(PageError::Csrf);
    }
    if allowed { Ok(()) } else { Err(PageError::Forbidden) }
}

pub(super) fn answer(done: Result<(), PageError>, back: &str) -> Response {
    match done {
        Ok(()) => guard::see_other(back),
        Err(why) => why.into_response(),
    }
}
