//! Who answers BlueZ's questions while two devices pair.

use super::Question;
use bluer::agent::{Agent, ReqError};
use std::pin::Pin;
use tokio::sync::{mpsc, oneshot};

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, ReqError>> + Send>>;

/// The host's side: types the reader's passkey, and asks a person when two numbers are to be compared.
pub(super) fn host(passkey: u32, questions: mpsc::Sender<Question>) -> Agent {
    Agent {
        request_default: true,
        request_passkey: Some(Box::new(move |_| -> Answer<u32> { Box::pin(async move { Ok(passkey) }) })),
        request_pin_code: Some(Box::new(move |_| -> Answer<String> {
            Box::pin(async move { Ok(format!("{passkey:06}")) })
        })),
        request_confirmation: Some(Box::new(move |request| {
            let questions = questions.clone();
            Box::pin(async move { ask(&questions, request.passkey).await })
        })),
        request_authorization: Some(Box::new(|_| -> Answer<()> { Box::pin(async { Ok(()) }) })),
        authorize_service: Some(Box::new(|_| -> Answer<()> { Box::pin(async { Ok(()) }) })),
        ..Agent::default()
    }
}

/// A simulated reader's side: agrees to everything, as one does that was put into pairing by hand; a passkey that the
/// host must type is logged.
pub(super) fn reader() -> Agent {
    Agent {
        request_default: true,
        display_passkey: Some(Box::new(|request| -> Answer<()> {
            tracing::warn!(passkey = format!("{:06}", request.passkey), "to be typed at the host");
            Box::pin(async { Ok(()) })
        })),
        request_confirmation: Some(Box::new(|_| -> Answer<()> { Box::pin(async { Ok(()) }) })),
        request_authorization: Some(Box::new(|_| -> Answer<()> { Box::pin(async { Ok(()) }) })),
        authorize_service: Some(Box::new(|_| -> Answer<()> { Box::pin(async { Ok(()) }) })),
        ..Agent::default()
    }
}

/// A simulated reader without keys or display: agrees without being asked.
pub(super) fn mute_reader() -> Agent {
    Agent { request_default: true, ..Agent::default() }
}

async fn ask(questions: &mpsc::Sender<Question>, number: u32) -> Result<(), ReqError> {
    let (answer, waiting) = oneshot::channel();
    if questions.send(Question { number, answer }).await.is_err() {
        return Err(ReqError::Rejected);
    }
    if waiting.await.unwrap_or(false) { Ok(()) } else { Err(ReqError::Rejected) }
}
