//! Whether the customer wants the card kept: the office's text, yes or no, before the card is read.

pub mod update;
pub mod view;

use crate::app::model::Model;
use crate::domain::consent::ConsentText;

/// The text to agree to; `None` where the office keeps no cards.
pub fn text(model: &Model) -> Option<&ConsentText> {
    model.job.as_ref()?.rules.card_consent.as_ref()
}
