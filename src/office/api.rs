//! The routes that handhelds call. Errors are problem+json (RFC 9457) with a stable `type`.

use super::ingest::Refused;
use super::{Office, OfficeError, feed};
use crate::domain::id::DeviceId;
use crate::domain::journal::Hash;
use crate::sync::wire::batch::Batch;
use crate::sync::wire::{
    BATCH_MAX_BYTES, Cursor, EnrolRequest, FEED_MAX_WAIT_MS, FeedPage, Problem, PushAnswer, SessionAnswer,
    SessionRequest,
};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// The routes of [`Office`].
pub fn router(office: Office) -> Router {
    Router::new()
        .route("/v1/enrol", post(enrol))
        .route("/v1/session", post(session))
        .route("/v1/journal", post(journal))
        .route("/v1/feed", get(feed_page))
        .route("/v1/blobs/{sha256}", put(blob))
        .route("/v1/time", get(time))
        .route("/healthz", get(healthz))
        .layer(DefaultBodyLimit::max(BATCH_MAX_BYTES))
        .with_state(office)
}

/// An error as it goes out.
pub struct Trouble(Problem);

impl Trouble {
    fn new(status: StatusCode, word: &str, title: &str, detail: impl Into<String>) -> Trouble {
        Trouble(Problem {
            kind: format!("urn:tillroll:{word}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            acked_through: None,
        })
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0)).into_response();
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<OfficeError> for Trouble {
    fn from(why: OfficeError) -> Trouble {
        tracing::error!(error = %why, "a request failed in the office");
        let detail = "nothing was stored; try again, and look at the office's log if it stays";
        Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, "office-failed", "The office failed", detail)
    }
}

impl From<Refused> for Trouble {
    fn from(why: Refused) -> Trouble {
        let text = why.to_string();
        match why {
            Refused::OtherDevice => Trouble::new(StatusCode::FORBIDDEN, "other-device", "Another handheld", text),
            Refused::BadSignature => Trouble::new(StatusCode::FORBIDDEN, "bad-signature", "Bad signature", text),
            Refused::Gap { acked, .. } => {
                let mut trouble = Trouble::new(StatusCode::CONFLICT, "gap", "Rows are missing", text);
                trouble.0.acked_through = Some(acked);
                trouble
            }
            Refused::WrongHash => {
                Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-hash", "The chain does not fit", text)
            }
            Refused::Office(why) => why.into(),
        }
    }
}

/// The device that a bearer token belongs to.
struct Caller(DeviceId);

impl FromRequestParts<Office> for Caller {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, office: &Office) -> Result<Caller, Trouble> {
        let token = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let device = token.map(|token| office.device_of(token)).transpose()?.flatten();
        device.map(Caller).ok_or_else(|| {
            let detail = "get a new token by POST /v1/session; what is queued stays queued";
            Trouble::new(StatusCode::UNAUTHORIZED, "unauthorised", "No good token", detail)
        })
    }
}

/// Runs database work off the async threads.
async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(run).await.map_err(|_| {
        let detail = "nothing was stored; try again";
        Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, "office-failed", "The office failed", detail)
    })
}

fn parse<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body)
        .map_err(|why| Trouble::new(StatusCode::BAD_REQUEST, "bad-request", "Not understood", why.to_string()))
}

async fn enrol(State(office): State<Office>, body: Bytes) -> Result<Response, Trouble> {
    let request: EnrolRequest = parse(&body)?;
    let answer = blocking(move || office.enrol(&request)).await??;
    answer.map(|answer| Json(answer).into_response()).ok_or_else(|| {
        let detail = "ask the office for a new code: `tillroll office device add NAME`";
        Trouble::new(StatusCode::FORBIDDEN, "bad-code", "The code is used, old or wrong", detail)
    })
}

async fn session(State(office): State<Office>, body: Bytes) -> Result<Json<SessionAnswer>, Trouble> {
    let request: SessionRequest = parse(&body)?;
    let answer = blocking(move || office.session(&request)).await??;
    answer.map(Json).ok_or_else(|| {
        let detail = "the handheld is not enrolled here, or was revoked; what is queued stays queued";
        Trouble::new(StatusCode::FORBIDDEN, "not-enrolled", "Not enrolled", detail)
    })
}

async fn journal(State(office): State<Office>, caller: Caller, body: Bytes) -> Result<Json<PushAnswer>, Trouble> {
    let batch = Batch::decode(&body)
        .map_err(|why| Trouble::new(StatusCode::BAD_REQUEST, "bad-batch", "Not a batch", why.to_string()))?;
    Ok(Json(blocking(move || office.ingest(caller.0, &batch)).await??))
}

async fn blob(
    State(office): State<Office>,
    caller: Caller,
    Path(sha256): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Trouble> {
    if Hash::of(&body).to_string() != sha256 {
        let detail = "the bytes do not have that SHA-256; nothing was stored";
        return Err(Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-hash", "Wrong hash", detail));
    }
    blocking(move || {
        let now = office.now_ms();
        office.write(|tx| -> Result<(), OfficeError> {
            super::ingest::keep_blob(tx, &caller.0.to_string(), &sha256, &body, now)
        })
    })
    .await??;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct FeedQuery {
    /// The office's epoch that the cursor belongs to.
    epoch: Option<Uuid>,
    /// JSON of a [`Cursor`].
    cursor: Option<String>,
    /// How long to wait for news, milliseconds.
    #[serde(default)]
    wait_ms: u64,
}

async fn feed_page(
    State(office): State<Office>,
    caller: Caller,
    Query(query): Query<FeedQuery>,
) -> Result<Json<FeedPage>, Trouble> {
    let cursor: Cursor = query.cursor.as_deref().map_or(Ok(Cursor::new()), |text| parse(text.as_bytes()))?;
    let gone = || {
        let detail = "the cursor is not of this office: begin without one; the journal is not concerned";
        Trouble::new(StatusCode::GONE, "cursor-gone", "Unknown cursor", detail)
    };
    if query.epoch.is_some_and(|epoch| epoch != office.epoch) && !cursor.is_empty() {
        return Err(gone());
    }
    let until = tokio::time::Instant::now() + Duration::from_millis(query.wait_ms.min(FEED_MAX_WAIT_MS));
    loop {
        let news = office.news.clone();
        let waiting = news.notified();
        tokio::pin!(waiting);
        waiting.as_mut().enable();
        let (reader, known) = (office.clone(), cursor.clone());
        let page = blocking(move || reader.read(|db| feed::page(db, caller.0, &known))).await??;
        let (entries, next, more) = page.ok_or_else(gone)?;
        if !entries.is_empty() || next != cursor && !cursor.is_empty() || tokio::time::Instant::now() >= until {
            let time_ms = office.now_ms();
            return Ok(Json(FeedPage { office_epoch: office.epoch, entries, cursor: next, more, time_ms }));
        }
        let _ = tokio::time::timeout_at(until, waiting).await;
    }
}

async fn time(State(office): State<Office>) -> Response {
    Json(json!({ "time_ms": office.now_ms() })).into_response()
}

async fn healthz(State(office): State<Office>) -> Result<Response, Trouble> {
    blocking(move || office.read(|db| db.query_row("SELECT 1", [], |_| Ok(())))).await?.map_err(OfficeError::from)?;
    Ok(Json(json!({ "ok": true, "version": env!("CARGO_PKG_VERSION") })).into_response())
}
