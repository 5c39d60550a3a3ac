//! What people decide about exceptions, from the pages. What it does is `office::decide`'s matter; here are forms,
//! roles and the session's token.

use super::actions::{answer, check};
use super::error::PageError;
use super::{LinkWanted, PagesState};
use crate::domain::decision::Action;
use crate::domain::exception::ExceptionType;
use crate::office::decide::{self, Case, Decided};
use crate::office::users::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};

/// What a form about an exception says.
#[derive(serde::Deserialize)]
pub(super) struct Deciding {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    reason: String,
    /// Whether the box was ticked.
    #[serde(default)]
    sure: String,
    #[serde(default)]
    amount: String,
    /// The job's page, if that is where the form was.
    #[serde(default)]
    back: String,
}

/// `POST /exceptions/{id}/decide`
pub(super) async fn decide(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Deciding>,
) -> Response {
    let back = back(&form.back);
    match Action::from_name(&form.action) {
        Some(action) => answer(run(&state, &who, id, action, form).await, &back),
        None => PageError::Form("Choose what to do: that is none of the buttons.").into_response(),
    }
}

/// `POST /exceptions/{id}/resolve`: with a note.
pub(super) async fn resolve(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Deciding>,
) -> Response {
    answer(run(&state, &who, id, Action::Note, form).await, "/exceptions")
}

/// `POST /payments/{id}/release`
pub(super) async fn release(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path(payment): Path<String>,
    Form(form): Form<Deciding>,
) -> Response {
    let back = format!("/payments?payment={}", plain(&payment));
    let found = state
        .blocking(move |db| match decide::open_about(db, ExceptionType::HeldExcess, &payment)? {
            Some(id) => Ok(id),
            None if db.prepare("SELECT 1 FROM card_payment WHERE payment = ?1")?.exists([&payment])? => {
                Err(PageError::Conflict("This payment is not held any more."))
            }
            None => Err(PageError::NotFound("card payment")),
        })
        .await;
    match found {
        Ok(id) => answer(run(&state, &who, id, Action::Release, form).await, &back),
        Err(why) => why.into_response(),
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Undoing {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    back: String,
}

/// `POST /decisions/{id}/undo`
pub(super) async fn undo(
    State(state): State<PagesState>,
    Extension(who): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Undoing>,
) -> Response {
    if let Err(why) = check(&who, &form.csrf, who.role.may_decide()) {
        return why.into_response();
    }
    let now_ms = (state.clock)();
    let done = state.change(move |tx| Ok(decide::undo(tx, &id, &who.name, now_ms)?));
    answer(done.await, &back(&form.back))
}

async fn run(
    state: &PagesState,
    who: &Visitor,
    exception: String,
    action: Action,
    form: Deciding,
) -> Result<(), PageError> {
    check(who, &form.csrf, who.role.may(action))?;
    let (reason, sure, amount) = (form.reason.trim().to_owned(), form.sure == "yes", form.amount.trim().to_owned());
    let (by, now_ms) = (who.name.clone(), (state.clock)());
    let decided = move |link: Option<String>, go: &dyn Fn(&Decided<'_>) -> Result<Case, PageError>| {
        let amount = (!amount.is_empty()).then_some(amount.as_str());
        let link = link.as_deref();
        go(&Decided { exception: &exception, action, by: &by, reason: &reason, sure, amount, link })
    };
    let link = match action {
        Action::PaymentLink => {
            // Nobody is asked for a link to what cannot be decided.
            let first = decided.clone();
            let look = move |db: &mut rusqlite::Connection| {
                first(None, &|decided| {
                    let case = decide::open_case(db, decided.exception)?;
                    decide::check(db, &case, decided)?;
                    Ok(case)
                })
            };
            let case = state.blocking(look).await?;
            let what = format!("Invoice {}", case.document);
            let wanted = LinkWanted { key: format!("link-{}", case.id), amount: case.amount, what };
            Some((state.make_link)(wanted).await.map_err(|why| PageError::NoLink(why.to_string()))?)
        }
        _ => None,
    };
    let work = move |tx: &rusqlite::Transaction<'_>| {
        decided(link, &|decided| {
            let case = decide::open_case(tx, decided.exception)?;
            decide::decide(tx, decided, now_ms)?;
            Ok(case)
        })
    };
    state.change(work).await?;
    (state.wake_payments)();
    Ok(())
}

/// Where to go after the form: to a job's page, or to the list.
fn back(job: &str) -> String {
    let job = plain(job);
    if job.is_empty() { "/exceptions".to_owned() } else { format!("/jobs/{job}") }
}

fn plain(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}
