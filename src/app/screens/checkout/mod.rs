//! What is to be paid, and the ways to pay it.

pub mod update;
pub mod view;

use super::job;
use crate::app::model::Model;
use crate::domain::money::Money;

/// What another tender may take, if there is anything left.
pub fn open_amount(model: &Model) -> Option<Money> {
    job::invoice(model)?;
    model.job.as_ref()?.open().filter(|open| open.minor > 0)
}
