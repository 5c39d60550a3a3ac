//! What people change from the pages: approve a visit. For exceptions see `decisions`.
//!
//! Each is one transaction, checked against how things stand now, and needs the session's token and a role.

use super::error::PageError;
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

/// The form's token is the session's, and the person may.
pub(super) fn check(who: &Visitor, csrf: &str, allowed: bool) -> Result<(), PageError> {
    if !who.csrf_fits(csrf) {
        return Err(PageError::Csrf);
    }
    if allowed { Ok(()) } else { Err(PageError::Forbidden) }
}

/// Back to the page, or why not.
pub(super) fn answer(done: Result<(), PageError>, back: &str) -> Response {
    match done {
        Ok(()) => guard::see_other(back),
        Err(why) => why.into_response(),
    }
}
