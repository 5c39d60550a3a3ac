//! What is to be paid, and the ways to pay it.

pub mod surcharge;
pub mod update;
pub mod view;

use super::job;
use crate::app::model::Model;
use crate::domain::invoice::Invoice;
use crate::domain::money::Money;
use crate::domain::payment::{Extras, Tender};
use crate::domain::rules::Rules;

/// What another tender may take, if there is anything left.
pub fn open_amount(model: &Model) -> Option<Money> {
    job::invoice(model)?;
    model.job.as_ref()?.open().filter(|open| open.minor > 0)
}

/// Whether money is taken ahead.
pub fn is_deposit(model: &Model) -> bool {
    job::invoice(model).is_some_and(Invoice::is_deposit)
}

/// What the next tender pays of the invoice: all that is open, or the part that was chosen.
pub fn base(model: &Model) -> Option<Money> {
    let open = open_amount(model)?;
    let part = model.checkout.part_minor.unwrap_or(open.minor);
    Some(Money::new(part.min(open.minor), open.currency))
}

/// What comes on top or off for this way to pay.
pub fn extras(model: &Model, tender: Tender) -> Extras {
    let tip = Extras { tip_minor: model.checkout.tip_minor, ..Extras::NONE };
    match (tender, base(model), model.job.as_ref().map(|job| &job.rules)) {
        (Tender::Cash, Some(base), rules) => rules.unwrap_or(&Rules::NONE).cash(base, tip.tip_minor).unwrap_or(tip),
        (Tender::Card, Some(base), _) if model.checkout.credit => {
            Extras { surcharge_minor: surcharge::of(model, base), ..tip }
        }
        (Tender::Card | Tender::Cheque | Tender::Transfer, ..) | (Tender::Cash, None, _) => tip,
        (Tender::Deposit, ..) => Extras::NONE,
    }
}

/// What is to be paid this way, extras and all.
pub fn due(model: &Model, tender: Tender) -> Option<Money> {
    let base = base(model)?;
    let sum = extras(model, tender).sum_minor().ok()?;
    Some(Money::new(base.minor.checked_add(sum)?, base.currency)).filter(|due| due.minor > 0)
}
