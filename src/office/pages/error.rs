//! What a page answers when it cannot do what was asked.

use super::layout;
use crate::office::OfficeError;
use crate::office::decide::Refused;
use crate::office::users::UserError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// Nothing by that id.
    #[error("There is no such {0}. It may have been typed wrongly; look it up on the board.")]
    NotFound(&'static str),
    /// Not for this role.
    #[error("Your role does not allow this. Ask a dispatcher or an administrator.")]
    Forbidden,
    /// The form did not come from this session's page.
    #[error("The form was too old or did not come from this page. Go back, reload the page and try again.")]
    Csrf,
    /// It does not fit how things stand.
    #[error("{0}")]
    Conflict(&'static str),
    /// The form lacks something.
    #[error("{0}")]
    Form(&'static str),
    /// The processor made no link; its sentence.
    #[error("{0}. Nothing was changed: choose another way to deal with it.")]
    NoLink(String),
    /// A stored record does not read back.
    #[error("a stored record cannot be read: {0}")]
    Record(#[from] serde_json::Error),
    /// The database.
    #[error("the office's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The office.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// Users and sessions.
    #[error(transparent)]
    User(#[from] UserError),
    /// A blocking thread ended early.
    #[error("the page's work was cut short")]
    Worker,
}

impl From<Refused> for PageError {
    fn from(why: Refused) -> PageError {
        match why {
            Refused::Missing(what) => PageError::NotFound(what),
            Refused::Form(text) => PageError::Form(text),
            Refused::Conflict(text) => PageError::Conflict(text),
            Refused::Office(why) => PageError::Office(why),
        }
    }
}

impl PageError {
    /// Whether the same request can never be answered.
    pub(super) fn is_permanent(&self) -> bool {
        match self {
            PageError::NotFound(_)
            | PageError::Forbidden
            | PageError::Csrf
            | PageError::Conflict(_)
            | PageError::Form(_)
            | PageError::NoLink(_)
            | PageError::Record(_) => true,
            PageError::User(why) => why.is_permanent(),
            PageError::Office(why) => why.is_permanent(),
            PageError::Database(_) | PageError::Worker => false,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            PageError::NotFound(_) => StatusCode::NOT_FOUND,
            PageError::Forbidden | PageError::Csrf => StatusCode::FORBIDDEN,
            PageError::Conflict(_) | PageError::NoLink(_) => StatusCode::CONFLICT,
            PageError::Form(_) => StatusCode::UNPROCESSABLE_ENTITY,
            PageError::Record(_)
            | PageError::Database(_)
            | PageError::Office(_)
            | PageError::User(_)
            | PageError::Worker => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.status();
        let text = if status.is_server_error() {
            tracing::error!(error = %self, permanent = self.is_permanent(), "a page could not be made");
            "Something went wrong here; the office's log says what. Nothing was changed.".to_owned()
        } else {
            self.to_string()
        };
        layout::html(status, layout::message(status, &text))
    }
}
