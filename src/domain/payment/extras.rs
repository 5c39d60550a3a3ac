//! What a tender holds beside its part of the invoice: tip, surcharge or cash discount, cash rounding; and how an amount
//! that is only a part of the whole is shared among them.
//!
//! Invariant: `amount = base + tip + surcharge + rounding`, and the shares of the whole are the whole exactly.

use crate::domain::money::{MoneyError, mul_div_round};
use serde::{Deserialize, Serialize};

/// Beside what pays the invoice, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extras {
    /// Given on top, zero or more; owed to the technician, untaxed.
    pub tip_minor: i64,
    /// Added for paying by credit card; below zero it is a discount for paying in cash.
    pub surcharge_minor: i64,
    /// Added or taken so that coins can pay it.
    pub rounding_minor: i64,
}

impl Extras {
    /// None of them.
    pub const NONE: Extras = Extras { tip_minor: 0, surcharge_minor: 0, rounding_minor: 0 };

    /// Together.
    ///
    /// # Errors
    /// An overflow.
    pub fn sum_minor(self) -> Result<i64, MoneyError> {
        let sum = self.tip_minor.checked_add(self.surcharge_minor).and_then(|sum| sum.checked_add(self.rounding_minor));
        sum.ok_or(MoneyError::Overflow)
    }

    /// Whether there is nothing.
    pub fn is_none(&self) -> bool {
        *self == Extras::NONE
    }
}

/// An amount of a tender, taken apart. Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// What pays the invoice.
    pub base_minor: i64,
    /// The rest.
    pub extras: Extras,
}

impl Split {
    /// Nothing.
    pub const NONE: Split = Split { base_minor: 0, extras: Extras::NONE };
}

/// `minor` of a tender of `amount_minor` with `extras`, in proportion.
///
/// # Errors
/// An overflow.
pub fn share(amount_minor: i64, extras: Extras, minor: i64) -> Result<Split, MoneyError> {
    if minor == 0 || amount_minor == 0 {
        return Ok(Split::NONE);
    }
    let part = |whole: i64| mul_div_round(whole, minor, amount_minor);
    let extras = Extras {
        tip_minor: part(extras.tip_minor)?,
        surcharge_minor: part(extras.surcharge_minor)?,
        rounding_minor: part(extras.rounding_minor)?,
    };
    let base_minor = minor.checked_sub(extras.sum_minor()?).ok_or(MoneyError::Overflow)?;
    Ok(Split { base_minor, extras })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_refund_of_a_part_gives_back_surcharge_in_proportion() {
        // 100.00 and 3 % on it: half of 103.00 is 50.00 and 1.50.
        let extras = Extras { surcharge_minor: 300, ..Extras::NONE };
        let half = share(10_300, extras, 5_150).unwrap();
        assert_eq!((half.base_minor, half.extras.surcharge_minor), (5_000, 150));
    }

    proptest! {
        #[test]
        fn shares_add_up(
            base in 1_i64..1_000_000, tip in 0_i64..100_000, more in -900_i64..100_000, round in -5_i64..5, part in 0_i64..=1_000
        ) {
            let extras = Extras { tip_minor: tip, surcharge_minor: more.max(-base), rounding_minor: round };
            let amount = base + extras.sum_minor().unwrap();
            prop_assume!(amount > 0);
            let whole = share(amount, extras, amount).unwrap();
            prop_assert_eq!(whole, Split { base_minor: base, extras });
            let minor = amount * part / 1_000;
            let split = share(amount, extras, minor).unwrap();
            prop_assert_eq!(split.base_minor + split.extras.sum_minor().unwrap(), minor);
        }
    }
}
