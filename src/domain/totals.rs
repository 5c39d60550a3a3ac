//! Totals of a document: one pure function, run on the device and again in the office.
//!
//! Tax is computed per rate on the sum of its lines after discounts (not per line), so that the printed rate and
//! base give the printed tax. Discounts are shared over the rates in proportion to what they reduce.

use super::line::{Line, LineKind};
use super::money::{Currency, Money, MoneyError, allocate, mul_div_round};
use super::tax::TaxRule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tax of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPart {
    /// The rule.
    pub rule: TaxRule,
    /// Net amount that it applies to, minor units.
    pub net_minor: i64,
    /// The tax, minor units.
    pub tax_minor: i64,
}

/// The sums of a document, in minor units of `currency`. `total = net + tax + tip + rounding`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The one currency of the document.
    pub currency: Currency,
    /// Without tax, after discounts.
    pub net_minor: i64,
    /// All tax.
    pub tax_minor: i64,
    /// One part a rule.
    pub taxes: Vec<TaxPart>,
    /// What the discounts took off, zero or negative.
    pub discount_minor: i64,
    /// Given on top, untaxed.
    pub tip_minor: i64,
    /// Added or taken so that cash can be counted, e.g. to five cents.
    pub rounding_minor: i64,
    /// What is to be paid.
    pub total_minor: i64,
}

impl Totals {
    /// What is to be paid.
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, self.currency)
    }
}

/// What the lines do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extras {
    /// A tip, minor units, zero or more.
    pub tip_minor: i64,
    /// The smallest coin, minor units: 5 rounds to five cents, 1 does not round.
    pub cash_step_minor: i64,
}

impl Extras {
    /// No tip and no rounding.
    pub const NONE: Extras = Extras { tip_minor: 0, cash_step_minor: 1 };
}

/// Why lines have no total.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TotalsError {
    /// Arithmetic or currency.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// More off than there is.
    #[error("the discounts are larger than the lines: take off at most {0}")]
    DiscountTooLarge(Money),
    /// A discount with a tax, or another line without.
    #[error("line {0:?} has no tax rule; choose an entry of the price book")]
    NoTax(String),
    /// A tip or a coin below zero.
    #[error("a tip is zero or more and the smallest coin one minor unit or more")]
    BadExtras,
}

impl TotalsError {
    /// The same lines never get a total.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// The totals of `lines`, all in `currency`.
pub fn totals(lines: &[Line], currency: Currency, extras: Extras) -> Result<Totals, TotalsError> {
    if extras.tip_minor < 0 || extras.cash_step_minor < 1 {
        return Err(TotalsError::BadExtras);
    }
    let (mut by_rule, discount) = sum_lines(lines, currency)?;
    spread_discount(&mut by_rule, discount)?;
    let taxes = by_rule.into_iter().map(|(rule, amount)| tax_part(rule, amount)).collect::<Result<Vec<_>, _>>()?;
    let net_minor = sum(taxes.iter().map(|t| t.net_minor))?;
    let tax_minor = sum(taxes.iter().map(|t| t.tax_minor))?;
    let exact = sum([net_minor, tax_minor, extras.tip_minor])?;
    let coins = mul_div_round(exact, 1, extras.cash_step_minor)?;
    let total_minor = coins.checked_mul(extras.cash_step_minor).ok_or(MoneyError::Overflow)?;
    let rounding_minor = total_minor.checked_sub(exact).ok_or(MoneyError::Overflow)?;
    Ok(Totals {
        currency,
        net_minor,
        tax_minor,
        taxes,
        discount_minor: discount.minor,
        tip_minor: extras.tip_minor,
        rounding_minor,
        total_minor,
    })
}

fn sum(values: impl IntoIterator<Item = i64>) -> Result<i64, MoneyError> {
    values.into_iter().try_fold(0_i64, i64::checked_add).ok_or(MoneyError::Overflow)
}

fn sum_lines(lines: &[Line], currency: Currency) -> Result<(BTreeMap<TaxRule, i64>, Money), TotalsError> {
    let mut by_rule: BTreeMap<TaxRule, i64> = BTreeMap::new();
    let mut discount = Money::zero(currency);
    for line in lines {
        let amount = line.amount()?;
        Money::zero(currency).checked_add(amount)?;
        match (line.kind, &line.tax) {
            (LineKind::Discount, None) => discount = discount.checked_add(amount)?,
            (LineKind::Labour | LineKind::Part | LineKind::Fee, Some(rule)) => {
                let so_far = by_rule.entry(rule.clone()).or_insert(0);
                *so_far = so_far.checked_add(amount.minor).ok_or(MoneyError::Overflow)?;
            }
            (LineKind::Discount, Some(_)) | (LineKind::Labour | LineKind::Part | LineKind::Fee, None) => {
                return Err(TotalsError::NoTax(line.name.clone()));
            }
        }
    }
    Ok((by_rule, discount))
}

/// Takes a discount off the amounts as priced (with tax where prices contain it), in proportion.
fn spread_discount(by_rule: &mut BTreeMap<TaxRule, i64>, discount: Money) -> Result<(), TotalsError> {
    if discount.is_zero() {
        return Ok(());
    }
    let all = sum(by_rule.values().copied())?;
    if discount.minor > 0 || discount.minor.checked_neg().is_none_or(|off| off > all) {
        return Err(TotalsError::DiscountTooLarge(Money::new(all.max(0), discount.currency)));
    }
    let weights: Vec<i64> = by_rule.values().copied().collect();
    for (amount, part) in by_rule.values_mut().zip(allocate(discount.minor, &weights)?) {
        *amount = amount.checked_add(part).ok_or(MoneyError::Overflow)?;
    }
    Ok(())
}

fn tax_part(rule: TaxRule, amount: i64) -> Result<TaxPart, MoneyError> {
    let rate = i64::from(rule.rate_bp);
    let (net_minor, tax_minor) = if rule.inclusive {
        let tax = mul_div_round(amount, rate, 10_000 + rate)?;
        (amount.checked_sub(tax).ok_or(MoneyError::Overflow)?, tax)
    } else {
        (amount, mul_div_round(amount, rate, 10_000)?)
    };
    Ok(TaxPart { rule, net_minor, tax_minor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::LineId;
    use crate::domain::line::Quantity;
    use crate::domain::tax::default_rules;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn line(kind: LineKind, minor: i64, milli: i64, rule: Option<usize>) -> Line {
        Line {
            id: LineId(Uuid::nil()),
            kind,
            item: None,
            name: "x".into(),
            quantity: Quantity(milli),
            unit: "pc".into(),
            unit_price: Money::new(minor, Currency::EUR),
            tax: rule.map(|i| default_rules()[i].clone()),
            stock_tracked: false,
        }
    }

    #[test]
    fn the_example_of_the_collect_screen() {
        let lines = [
            line(LineKind::Labour, 6_000, 1_500, Some(0)),
            line(LineKind::Part, 3_450, 1_000, Some(0)),
            line(LineKind::Discount, -450, 1_000, None),
        ];
        let t = totals(&lines, Currency::EUR, Extras::NONE).unwrap();
        assert_eq!((t.total_minor, t.tax_minor, t.net_minor, t.discount_minor), (12_000, 2_000, 10_000, -450));
    }

    #[test]
    fn exclusive_tax_is_added_and_cash_is_rounded() {
        let t = totals(
            &[line(LineKind::Part, 333, 1_000, Some(3))],
            Currency::EUR,
            Extras { tip_minor: 10, cash_step_minor: 5 },
        )
        .unwrap();
        assert_eq!((t.net_minor, t.tax_minor, t.tip_minor, t.rounding_minor, t.total_minor), (333, 67, 10, 0, 410));
        let t = totals(
            &[line(LineKind::Part, 333, 1_000, Some(2))],
            Currency::EUR,
            Extras { tip_minor: 0, cash_step_minor: 5 },
        )
        .unwrap();
        assert_eq!((t.rounding_minor, t.total_minor), (2, 335));
    }

    #[test]
    fn too_much_off_and_too_large_are_errors() {
        let lines = [line(LineKind::Fee, 100, 1_000, Some(0)), line(LineKind::Discount, -101, 1_000, None)];
        assert!(matches!(totals(&lines, Currency::EUR, Extras::NONE), Err(TotalsError::DiscountTooLarge(_))));
        let huge = [line(LineKind::Fee, i64::MAX, 1_000, Some(3)), line(LineKind::Fee, i64::MAX, 1_000, Some(3))];
        assert_eq!(totals(&huge, Currency::EUR, Extras::NONE), Err(MoneyError::Overflow.into()));
        let usd = "USD".parse().unwrap();
        assert!(totals(&lines[..1], usd, Extras::NONE).is_err());
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_whole(
            prices in proptest::collection::vec((1_i64..1_000_000, 1_i64..50_000, 0_usize..4), 1..12),
            off_percent in 0_i64..=100, tip in 0_i64..10_000, step in prop::sample::select(vec![1_i64, 5, 10, 100]),
        ) {
            let mut lines: Vec<Line> =
                prices.iter().map(|(p, q, r)| line(LineKind::Part, *p, *q, Some(*r))).collect();
            let priced: i64 = lines.iter().map(|l| l.amount().unwrap().minor).sum();
            let off = priced * off_percent / 100;
            if off > 0 {
                lines.push(Line::discount(LineId(Uuid::nil()), "off", Money::new(off, Currency::EUR)).unwrap());
            }
            let t = totals(&lines, Currency::EUR, Extras { tip_minor: tip, cash_step_minor: step }).unwrap();
            prop_assert_eq!(t.net_minor + t.tax_minor + t.tip_minor + t.rounding_minor, t.total_minor);
            prop_assert_eq!(t.taxes.iter().map(|p| p.net_minor).sum::<i64>(), t.net_minor);
            prop_assert_eq!(t.taxes.iter().map(|p| p.tax_minor).sum::<i64>(), t.tax_minor);
            let gross: i64 = t.taxes.iter()
                .map(|p| if p.rule.inclusive { p.net_minor + p.tax_minor } else { p.net_minor }).sum();
            prop_assert_eq!(gross, priced - off);
            prop_assert!(t.rounding_minor.abs() * 2 <= step && t.total_minor % step == 0);
        }

        #[test]
        fn no_overflow_without_an_error(prices in proptest::collection::vec((any::<i64>(), any::<i64>(), 0_usize..4), 0..6)) {
            let lines: Vec<Line> = prices.iter().map(|(p, q, r)| line(LineKind::Fee, *p, *q, Some(*r))).collect();
            let _ = totals(&lines, Currency::EUR, Extras::NONE);
        }
    }
}
