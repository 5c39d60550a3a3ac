//! The routes: JSON in, a committed answer out, problem+json (RFC 9457) for everything else.
//!
//! Invariant: nothing leaves before the ledger has committed it, and nothing of a refused request is stored. Start at
//! [`router`]; `wire` has the shapes, `problem` the stable error types.

mod problem;
mod wire;

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::problem::Problem;
use super::Processor;
use super::answer::Delivery;
use super::card;
use super::ledger::{Authorised, Captured, GivenBack, Ledger, LedgerError};
use super::listen::HangUp;

/// The largest request body, in bytes.
const BODY_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The routes of the processor.
pub(super) fn router(processor: Processor) -> Router {
    Router::new()
        .route("/v1/authorize", post(authorize))
        .route("/v1/lookup", post(lookup))
        .route("/v1/reverse", post(reverse))
        .route("/v1/capture", post(capture))
        .route("/v1/refund", post(refund))
        .route("/v1/forget", post(forget))
        .route("/v1/ledger", get(book))
        .route("/healthz", get(healthz))
        .fallback(async || Problem::NoSuchRoute.into_response())
        .method_not_allowed_fallback(async || Problem::WrongMethod.into_response())
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(processor)
}

async fn authorize(State(processor): State<Processor>, request: Request) -> Result<Response, Problem> {
    let asked = wire::Authorize::check(read(request).await?)?;
    let slow = Duration::from_millis(processor.slow_ms);
    let authorised = on_ledger(processor, move |ledger| match asked {
        wire::Asked::Read(order, ciphered) => {
            let facts = card::read(&ciphered, order.amount_minor, &order.currency);
            ledger.authorise(&order, &facts)
        }
        wire::Asked::Kept(order) => ledger.charge_kept(&order),
    })
    .await?;
    match authorised {
        Authorised::OtherContent => Err(Problem::KeyReused),
        Authorised::Replayed(entry) | Authorised::Fresh(entry, Delivery::AtOnce) => {
            Ok(Json(wire::answer(&entry)).into_response())
        }
        Authorised::Fresh(entry, Delivery::Late) => {
            tokio::time::sleep(slow).await;
            Ok(Json(wire::answer(&entry)).into_response())
        }
        Authorised::Fresh(_, Delivery::Never) => {
            let mut response = Problem::Unavailable.into_response();
            response.extensions_mut().insert(HangUp);
            Ok(response)
        }
    }
}

async fn lookup(State(processor): State<Processor>, request: Request) -> Result<Json<Value>, Problem> {
    let key = wire::Key::check(read(request).await?)?;
    let (entry, reversed) = on_ledger(processor, move |ledger| ledger.lookup(&key)).await?;
    Ok(Json(wire::standing(entry.as_ref(), reversed)))
}

async fn reverse(State(processor): State<Processor>, request: Request) -> Result<Json<Value>, Problem> {
    let key = wire::Key::check(read(request).await?)?;
    let reversal = on_ledger(processor, move |ledger| ledger.reverse(&key)).await?;
    Ok(Json(match reversal.refunded_minor {
        None => json!({ "found": reversal.found, "reversed": true }),
        Some(minor) => {
            json!({ "found": reversal.found, "reversed": true, "refunded_minor": minor })
        }
    }))
}

async fn capture(State(processor): State<Processor>, request: Request) -> Result<Json<Value>, Problem> {
    let (key, amount_minor) = wire::Capture::check(read(request).await?)?;
    match on_ledger(processor, move |ledger| ledger.capture(&key, amount_minor)).await? {
        Captured::Done => Ok(Json(json!({ "captured_minor": amount_minor }))),
        Captured::UnknownKey => Err(Problem::UnknownKey),
        Captured::Declined => Err(Problem::Declined),
        Captured::Reversed => Err(Problem::Reversed),
        Captured::TooMuch { approved_minor } => Err(Problem::AboveAuthorisation { approved_minor }),
        Captured::Otherwise { captured_minor } => Err(Problem::CapturedOtherwise { captured_minor }),
    }
}

async fn refund(State(processor): State<Processor>, request: Request) -> Result<Json<Value>, Problem> {
    let (key, of, amount_minor) = wire::Refund::check(read(request).await?)?;
    match on_ledger(processor, move |ledger| ledger.refund(&key, &of, amount_minor)).await? {
        GivenBack::Done => Ok(Json(json!({ "refunded_minor": amount_minor }))),
        GivenBack::UnknownKey => Err(Problem::UnknownKey),
        GivenBack::OtherContent => Err(Problem::KeyReused),
        GivenBack::TooMuch { left_minor } => Err(Problem::AboveCapture { left_minor }),
    }
}

/// The key is the kept card's token.
async fn forget(State(processor): State<Processor>, request: Request) -> Result<Json<Value>, Problem> {
    let token = wire::Key::check(read(request).await?)?;
    let forgotten = on_ledger(processor, move |ledger| ledger.forget(&token)).await?;
    Ok(Json(json!({ "forgotten": forgotten })))
}

async fn book(State(processor): State<Processor>) -> Result<Json<Value>, Problem> {
    let book = on_ledger(processor, Ledger::book).await?;
    Ok(Json(json!({
        "authorisations": book.entries.iter().map(wire::row).collect::<Vec<_>>(),
        "truncated": book.truncated,
        "captured_net_minor": book.captured_net_minor,
        "captures": book.counts.captures,
        "captured_minor": book.counts.captured_minor,
        "refunds": book.counts.refunds,
        "refunded_minor": book.counts.refunded_minor,
    })))
}

async fn healthz(State(processor): State<Processor>) -> Result<Json<Value>, Problem> {
    on_ledger(processor, |ledger| ledger.captured_net_minor()).await?;
    Ok(Json(json!({ "status": "ok" })))
}

/// Reads a body of at most [`BODY_BYTES`] and parses it. What the parser says is not handed on, since it quotes the
/// input.
async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    let bytes = match tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, &())).await {
        Err(_) => return Err(Problem::BodyTooSlow),
        Ok(Err(refused)) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err(Problem::BodyTooLarge);
        }
        Ok(Err(_)) => return Err(Problem::bad("the body broke off")),
        Ok(Ok(bytes)) => bytes,
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::bad(format!(
            "the body is not the JSON object that this route takes (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

/// Runs `work` on the ledger where blocking is allowed. It runs to its end even if the caller has gone.
async fn on_ledger<T: Send + 'static>(
    processor: Processor,
    work: impl FnOnce(&mut Ledger) -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(move || work(&mut processor.ledger())).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            tracing::error!(%error, permanent = error.is_permanent(), "the ledger refused a call");
            Err(Problem::Unavailable)
        }
        Err(error) => {
            tracing::error!(%error, "a call of the ledger ended early");
            Err(Problem::Unavailable)
        }
    }
}
