//! Cash is counted: what was received, what goes back.

pub mod update;
pub mod view;

use super::checkout;
use crate::app::model::Model;
use crate::domain::money::Money;
use crate::domain::payment::Tender;

/// The most digits that are taken: ten thousand millions of euros in cents.
pub const MAX_DIGITS: usize = 12;

/// What was received so far.
pub fn received(model: &Model) -> Money {
    let currency = checkout::open_amount(model).map_or(model.settings.currency, |open| open.currency);
    Money::new(model.cash_digits.parse().unwrap_or(0), currency)
}

/// Four round amounts at or above what is open, rising: steps of 5, 10, 20 and 50 units.
pub fn quick_amounts(model: &Model) -> [Option<Money>; 4] {
    let Some(open) = checkout::due(model, Tender::Cash) else { return [None; 4] };
    let unit = 10_i64.pow(open.currency.exponent().clamp(2, 6));
    let mut least = open.minor;
    [5, 10, 20, 50].map(|units: i64| {
        let step = units.checked_mul(unit)?;
        let amount = least.checked_add(step - 1)?.checked_div(step)?.checked_mul(step)?;
        least = amount.checked_add(1)?;
        Some(Money::new(amount, open.currency))
    })
}
