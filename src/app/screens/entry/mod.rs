//! An amount is typed, then perhaps a text, then perhaps a choice: tip, part of the balance, cheque, transfer, refund,
//! correction. One screen for all; [`Purpose`] says which.

pub mod unlinked;
pub mod update;
pub mod view;

use super::checkout;
use crate::app::model::{EntryStep, Model, Purpose};
use crate::domain::deposit::Deposit;
use crate::domain::money::Money;
use crate::domain::read::PaymentView;

/// The largest deposit, minor units: more is a slip of the finger.
pub const DEPOSIT_MAX_MINOR: i64 = 10_000_000;
/// The most digits of an amount.
pub const MAX_DIGITS: usize = 12;

/// The payments that money can go back from, newest first.
pub fn refundable(model: &Model) -> Vec<&PaymentView> {
    let payments = model.job.iter().flat_map(|job| job.payments.iter().rev());
    payments.filter(|view| view.payment.refundable_minor() > 0).collect()
}

/// The payment of a refund or correction that is typed.
pub fn chosen(model: &Model) -> Option<&PaymentView> {
    let (Purpose::Refund { payment } | Purpose::Correct { payment }) = model.entry.purpose else { return None };
    model.job.as_ref()?.payments.iter().find(|view| view.payment.id == payment)
}

/// The deposit that the payment in front paid.
fn deposit_of(model: &Model) -> Option<&Deposit> {
    let paid = chosen(model)?.payment.invoice;
    model.job.as_ref()?.deposits.iter().find(|deposit| deposit.id == paid)
}

/// Whether what goes back was paid ahead.
pub fn of_deposit(model: &Model) -> bool {
    deposit_of(model).is_some()
}

/// What was typed so far.
pub fn typed(model: &Model) -> Option<Money> {
    let most = most(model)?;
    Some(Money::new(model.entry.digits.parse().unwrap_or(0), most.currency))
}

/// The most that may be typed; `None` when there is nothing to type it for.
pub fn most(model: &Model) -> Option<Money> {
    let open = checkout::open_amount(model);
    match model.entry.purpose {
        Purpose::Tip | Purpose::Part | Purpose::Cheque | Purpose::Transfer => open,
        Purpose::Unlinked => unlinked::most(model),
        Purpose::Deposit => model.job.as_ref().map(|job| Money::new(DEPOSIT_MAX_MINOR, job.customer_balance.currency)),
        Purpose::Refund { .. } | Purpose::Correct { .. } => {
            let payment = &chosen(model)?.payment;
            // Of a deposit no more goes back than is left of it, with its share of surcharge and rounding.
            let most = match deposit_of(model) {
                Some(deposit) => payment.refundable_of(deposit.left_minor),
                None => payment.refundable_minor(),
            };
            Some(Money::new(most, payment.amount.currency))
        }
    }
}

/// The amounts behind Q, W and E, with their words.
pub fn presets(model: &Model) -> Vec<(String, Money)> {
    let Some(most) = most(model) else { return Vec::new() };
    match model.entry.purpose {
        Purpose::Tip => {
            let rules = model.job.iter().flat_map(|job| {
                let base = checkout::base(model).unwrap_or(most);
                job.rules.tip_presets(base)
            });
            rules.map(|(percent, tip)| (format!("{percent} %"), tip)).collect()
        }
        Purpose::Part => {
            let half = Money::new(most.minor / 2 + most.minor % 2, most.currency);
            vec![("half".to_owned(), half)]
        }
        Purpose::Unlinked => Vec::new(),
        Purpose::Deposit => {
            let total = model.job.as_ref().and_then(|job| job.totals.as_ref()).map(|totals| totals.total());
            let total = total.filter(|total| total.minor > 0);
            let half = total.map(|total| Money::new(total.minor / 2 + total.minor % 2, total.currency));
            half.map(|half| ("half".to_owned(), half))
                .into_iter()
                .chain(total.map(|all| ("all".to_owned(), all)))
                .collect()
        }
        Purpose::Cheque | Purpose::Transfer | Purpose::Refund { .. } | Purpose::Correct { .. } => {
            vec![("all".to_owned(), most)]
        }
    }
}

/// Whether keys go into the text.
pub fn is_text(model: &Model) -> bool {
    model.entry.step == EntryStep::Text
}
