//! The dispatcher's pages: board, job, review, payments, exceptions, shifts, devices, behind a login.
//!
//! HTML by `maud`, one function a page from the database to markup; a small script fetches the page again when the
//! office has committed something. Invariants: no inline script or style (the content security policy forbids both),
//! nothing from another origin, every change is a POST with the session's token, every text is escaped.
//! Start at [`router`].

mod actions;
mod agreements;
mod assets;
mod back;
mod board;
mod decisions;
mod deposits;
mod devices;
mod ereceipts;
mod error;
mod exceptions;
mod guard;
mod job;
mod layout;
mod login;
mod money_page;
mod query;
mod review;
mod shifts;
mod story;
mod words;

use super::import::FeedNote;
pub use login::Attempts;

use super::processors::{self, ProcessorError};
use super::users::Visitor;
use super::{Conn, Office, feed, mode};
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router, middleware};
use error::PageError;
use jiff::tz::TimeZone;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use tokio::sync::mpsc;

/// The largest form, bytes.
const FORM_MAX_BYTES: usize = 16 * 1024;

/// Writes one reference into the feed, in the transaction of the change.
pub type NoteFeed = Arc<dyn Fn(&Transaction<'_>, &FeedNote) -> rusqlite::Result<()> + Send + Sync>;

/// What a customer is to pay by link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkWanted {
    /// Our name for it: the same again is the same link.
    pub key: String,
    /// How much.
    pub amount: Money,
    /// For what, as the customer reads it.
    pub what: String,
}

/// Makes a link, or says why there is none.
pub type MakeLink = Arc<dyn Fn(LinkWanted) -> Linked + Send + Sync>;
/// A link, some time.
pub type Linked = Pin<Box<dyn Future<Output = Result<String, ProcessorError>> + Send>>;

/// Speaks to the office's processor, by a client of its own: links are rare.
fn link_maker(office: &Office) -> MakeLink {
    let (url, answer_ms) = (office.settings().processor_url.clone(), office.settings().timing.answer_ms);
    Arc::new(move |wanted| {
        let url = url.clone();
        Box::pin(async move {
            let (late, _) = mpsc::channel(1);
            let processor = processors::open(&url, answer_ms, late)?;
            processor.link(&wanted.key, wanted.amount.minor, wanted.amount.currency.code(), &wanted.what).await
        })
    })
}

/// What the pages work with.
#[derive(Clone)]
pub struct PagesState {
    /// The office's database.
    pub db: Conn,
    /// Counts the office's commits: a page that has seen fewer fetches itself again.
    pub changes: Arc<AtomicU64>,
    /// Called after a page has committed a change; must move `changes` and wake those who wait for the feed.
    pub on_change: Arc<dyn Fn() + Send + Sync>,
    /// Called after a held payment was released.
    pub wake_payments: Arc<dyn Fn() + Send + Sync>,
    /// Writes into the feed.
    pub note: NoteFeed,
    /// The office's time, Unix milliseconds.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// The zone that days and times are shown in.
    pub zone: TimeZone,
    /// Said on the login page, such as the demo's user and password.
    pub login_hint: Option<String>,
    /// Asks the processor for a link to pay by.
    pub make_link: MakeLink,
    /// How often somebody tried to log in lately.
    pub attempts: Attempts,
}

impl PagesState {
    /// Pages of a running office.
    pub fn of(office: &Office, zone: TimeZone, login_hint: Option<String>) -> PagesState {
        let (db, clock, changes) = office.parts();
        // An office whose mode cannot be read says so on every page.
        let word = office.read(mode::of).ok().and_then(Mode::word).map(|word| format!("{word}: no real money."));
        let said: Vec<String> = word.into_iter().chain(login_hint).collect();
        let login_hint = (!said.is_empty()).then(|| said.join(" "));
        let (changed, woken) = (office.clone(), office.clone());
        PagesState {
            db,
            changes,
            on_change: Arc::new(move || changed.changed()),
            wake_payments: Arc::new(move || woken.changed()),
            note: Arc::new(|tx, note| feed::note(tx, &note.channel, note.kind, &note.entity, note.op.name())),
            clock,
            zone,
            login_hint,
            make_link: link_maker(office),
            attempts: Attempts::default(),
        }
    }

    /// Runs `work` with the database on a blocking thread.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        let db = Arc::clone(&self.db);
        tokio::task::spawn_blocking(move || work(&mut db.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
            .map_err(|_| PageError::Worker)?
    }

    /// Runs `work` in one transaction; commits when it is `Ok`, then tells who waits.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        let done = self
            .blocking(move |db| {
                let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let done = work(&tx)?;
                tx.commit()?;
                Ok(done)
            })
            .await?;
        (self.on_change)();
        Ok(done)
    }

    /// Renders a page on a blocking thread.
    async fn show(
        &self,
        visitor: Visitor,
        render: impl FnOnce(&View<'_>) -> Result<layout::Page, PageError> + Send + 'static,
    ) -> Response {
        let (now_ms, zone) = ((self.clock)(), self.zone.clone());
        // Read before the database: a change in between makes the page fetch itself once more, never once less.
        let changes = self.changes.load(Ordering::Acquire);
        let done = self
            .blocking(move |db| {
                let view = View { db, now_ms, zone: &zone, visitor: &visitor };
                let page = render(&view)?;
                let counts = query::counts(db)?;
                Ok(layout::whole(&view, changes, counts, mode::of(db)?, page))
            })
            .await;
        match done {
            Ok(markup) => layout::html(StatusCode::OK, markup),
            Err(why) => why.into_response(),
        }
    }
}

/// What a page is made from.
struct View<'a> {
    db: &'a Connection,
    now_ms: i64,
    zone: &'a TimeZone,
    visitor: &'a Visitor,
}

/// The pages and their two assets; merge it with the office's other routes.
pub fn router(state: PagesState) -> Router {
    let inside = Router::new()
        .route("/", get(board_page))
        .route("/jobs/{id}", get(job_page))
        .route("/jobs/{id}/approve", post(actions::approve))
        .route("/review", get(review_page))
        .route("/payments", get(payments_page))
        .route("/deposits", get(deposits_page))
        .route("/payments/{id}/release", post(decisions::release))
        .route("/exceptions", get(exceptions_page))
        .route("/refunds", get(refunds_page))
        .route("/refunds/{id}/{decision}", post(back::decide))
        .route("/transfers/{id}/{decision}", post(back::transferred))
        .route("/exceptions/{id}/resolve", post(decisions::resolve))
        .route("/exceptions/{id}/decide", post(decisions::decide))
        .route("/decisions/{id}/undo", post(decisions::undo))
        .route("/agreements", get(agreements_page).post(agreements::make))
        .route("/agreements/{id}/try/{due}", post(agreements::try_now))
        .route("/agreements/{id}/{change}", post(agreements::change))
        .route("/cards/{id}/end", post(agreements::end_card))
        .route("/shifts", get(shifts_page))
        .route("/devices", get(devices_page))
        .route("/changes", get(changes))
        .route("/logout", post(login::logout))
        .route_layer(middleware::from_fn_with_state(state.clone(), guard::inside));
    Router::new()
        .merge(inside)
        .route("/login", get(login::page).post(login::enter))
        .route("/assets/app.css", get(assets::css))
        .route("/assets/app.js", get(assets::js))
        .layer(DefaultBodyLimit::max(FORM_MAX_BYTES))
        .layer(middleware::from_fn(guard::headers))
        .with_state(state)
}

type Who = Extension<Visitor>;

async fn board_page(State(s): State<PagesState>, Extension(who): Who, Query(q): Query<board::Asked>) -> Response {
    s.show(who, move |view| board::page(view, &q)).await
}

async fn job_page(State(s): State<PagesState>, Extension(who): Who, Path(id): Path<String>) -> Response {
    s.show(who, move |view| job::page(view, &id)).await
}

async fn review_page(State(s): State<PagesState>, Extension(who): Who) -> Response {
    s.show(who, review::page).await
}

async fn payments_page(
    State(s): State<PagesState>,
    Extension(who): Who,
    Query(q): Query<money_page::Asked>,
) -> Response {
    s.show(who, move |view| money_page::page(view, &q)).await
}

async fn deposits_page(State(s): State<PagesState>, Extension(who): Who, Query(q): Query<deposits::Asked>) -> Response {
    s.show(who, move |view| deposits::page(view, &q)).await
}

async fn exceptions_page(
    State(s): State<PagesState>,
    Extension(who): Who,
    Query(q): Query<exceptions::Asked>,
) -> Response {
    s.show(who, move |view| exceptions::page(view, &q)).await
}

async fn refunds_page(State(s): State<PagesState>, Extension(who): Who) -> Response {
    s.show(who, back::page).await
}

async fn agreements_page(State(s): State<PagesState>, Extension(who): Who) -> Response {
    s.show(who, agreements::page).await
}

async fn shifts_page(State(s): State<PagesState>, Extension(who): Who) -> Response {
    s.show(who, shifts::page).await
}

async fn devices_page(State(s): State<PagesState>, Extension(who): Who) -> Response {
    s.show(who, devices::page).await
}

#[derive(serde::Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

/// Whether the office has committed anything since a page was made.
async fn changes(State(s): State<PagesState>, Query(asked): Query<Since>) -> Json<serde_json::Value> {
    let n = s.changes.load(Ordering::Acquire);
    Json(serde_json::json!({ "n": n, "changed": n != asked.since }))
}
