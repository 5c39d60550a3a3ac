//! Errors as the caller sees them: problem+json (RFC 9457). A `type`, once released, keeps its meaning.
//!
//! Invariant: never quotes card data or any other part of the request.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What went wrong with one request. Nothing was stored for it, but for `Unavailable`, where look-up tells.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// The request is not what the route takes.
    #[error("{detail}")]
    BadRequest {
        /// Which field, and what was expected.
        detail: String,
    },
    /// The body did not arrive in time.
    #[error("the body took too long to arrive; send the request again")]
    BodyTooSlow,
    /// The body is above the limit.
    #[error("the body is larger than 64 KiB")]
    BodyTooLarge,
    /// The key belongs to another request.
    #[error("this key belongs to a request with other content; a new request needs a new key")]
    KeyReused,
    /// A capture of what was never authorised.
    #[error("there is no authorisation under this key")]
    UnknownKey,
    /// A capture of what was declined.
    #[error("the authorisation was declined; there is nothing to capture")]
    Declined,
    /// A capture of what was reversed.
    #[error("the authorisation was reversed; there is nothing to capture")]
    Reversed,
    /// A capture above the authorised amount.
    #[error("only {approved_minor} minor units are authorised")]
    AboveAuthorisation {
        /// The authorised amount, in minor units.
        approved_minor: i64,
    },
    /// A second capture with another amount.
    #[error("{captured_minor} minor units are captured already; an authorisation is captured once")]
    CapturedOtherwise {
        /// The captured amount, in minor units.
        captured_minor: i64,
    },
    /// A refund above what is left.
    #[error("only {left_minor} minor units are left of what was captured")]
    AboveCapture {
        /// What may still go back, in minor units.
        left_minor: i64,
    },
    /// There is no such route.
    #[error("there is nothing at this address")]
    NoSuchRoute,
    /// The route is there, the method is not.
    #[error("this address takes another method")]
    WrongMethod,
    /// The ledger could not be used.
    #[error("the ledger cannot be used now; look the key up, or send the same request again")]
    Unavailable,
}

impl Problem {
    /// A request that is not what the route takes.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::BadRequest { detail: detail.into() }
    }

    /// Status, the last part of `type`, and title.
    const fn facts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest { .. } => (StatusCode::BAD_REQUEST, "bad-request", "Bad request"),
            Self::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "body-too-slow", "Body too slow"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large"),
            Self::KeyReused => (StatusCode::CONFLICT, "key-reused", "Key reused"),
            Self::UnknownKey => (StatusCode::NOT_FOUND, "unknown-key", "Unknown key"),
            Self::Declined => (StatusCode::CONFLICT, "declined", "Declined"),
            Self::Reversed => (StatusCode::CONFLICT, "reversed", "Reversed"),
            Self::AboveAuthorisation { .. } => {
                (StatusCode::CONFLICT, "above-authorisation", "Above what is authorised")
            }
            Self::CapturedOtherwise { .. } => (StatusCode::CONFLICT, "captured-otherwise", "Captured otherwise"),
            Self::AboveCapture { .. } => (StatusCode::CONFLICT, "above-capture", "Above what is captured"),
            Self::NoSuchRoute => (StatusCode::NOT_FOUND, "no-such-route", "No such route"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Wrong method"),
            Self::Unavailable => (StatusCode::INTERNAL_SERVER_ERROR, "unavailable", "Unavailable"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.facts();
        let body = json!({
            "type": format!("urn:tillroll:processor:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
