//! Money: whole minor units of one ISO 4217 currency, checked arithmetic, no floats.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What arithmetic or parsing of money refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit 64 bits of minor units.
    #[error("the amount is too large to be counted")]
    Overflow,
    /// Two currencies met in one sum.
    #[error("{0} and {1} cannot be added: one document has one currency")]
    CurrencyMismatch(Currency, Currency),
    /// The code is not in ISO 4217.
    #[error("{0:?} is not an ISO 4217 currency code such as EUR")]
    UnknownCurrency(String),
    /// The text is not a decimal with at most the currency's digits.
    #[error("{text:?} is not an amount of {currency}: write digits, at most {exponent} after a point")]
    BadAmount {
        /// What was read.
        text: String,
        /// The currency expected.
        currency: Currency,
        /// Digits after the point.
        exponent: u32,
    },
    /// Nothing to share an amount by.
    #[error("an amount cannot be shared by weights that are negative or sum to zero")]
    BadWeights,
}

impl MoneyError {
    /// Trying again with the same values never helps.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The euro, the currency of the built-in demo.
    pub const EUR: Currency = Currency(iso_currency::Currency::EUR);

    /// Three letters, e.g. `EUR`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the point: 2 for EUR, 0 for JPY, 3 for KWD. Funds codes without minor units count as 0.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// The number that card readers use, e.g. 978.
    pub fn numeric(self) -> u16 {
        self.0.numeric()
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(text)
            .map(Currency)
            .ok_or_else(|| MoneyError::UnknownCurrency(text.to_owned()))
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in minor units (cents for EUR). May be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// The currency they are in.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// True for exactly nothing.
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum; an error on another currency or an overflow.
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.same(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    /// The difference; an error on another currency or an overflow.
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    /// The same amount the other way round.
    pub fn checked_neg(self) -> Result<Money, MoneyError> {
        let minor = self.minor.checked_neg().ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    fn same(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch(self.currency, other.currency))
        }
    }

    /// Parses `120`, `120.5`, `-0.05`: a decimal with a point and at most the currency's digits.
    pub fn parse(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let exponent = currency.exponent();
        let bad = || MoneyError::BadAmount { text: text.to_owned(), currency, exponent };
        decimal(text, exponent)
            .map_err(|why| match why {
                MoneyError::Overflow => MoneyError::Overflow,
                MoneyError::CurrencyMismatch(..)
                | MoneyError::UnknownCurrency(_)
                | MoneyError::BadAmount { .. }
                | MoneyError::BadWeights => bad(),
            })
            .map(|minor| Money { minor, currency })
    }

    /// Without the currency: `-4.50`, `1 204` for JPY is `1204`.
    pub fn plain(self) -> String {
        let exponent = self.currency.exponent();
        let unit = 10_u64.pow(exponent);
        let sign = if self.minor < 0 { "-" } else { "" };
        let size = self.minor.unsigned_abs();
        if exponent == 0 {
            return format!("{sign}{size}");
        }
        let width = usize::try_from(exponent).unwrap_or(2);
        format!("{sign}{}.{:0width$}", size / unit, size % unit)
    }
}

impl fmt::Display for Money {
    /// `EUR 120.00`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.plain())
    }
}

/// A decimal text as a whole number of 10^-`digits`. Used for amounts and for quantities.
pub fn decimal(text: &str, digits: u32) -> Result<i64, MoneyError> {
    let bad = || MoneyError::BadAmount { text: text.to_owned(), currency: Currency::EUR, exponent: digits };
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let max = usize::try_from(digits).unwrap_or(0);
    let point_without_digits = rest.contains('.') && fraction.is_empty();
    if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > max || point_without_digits {
        return Err(bad());
    }
    let mut value: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).map(|b| i64::from(b - b'0')) {
        value = value.checked_mul(10).and_then(|v| v.checked_add(digit)).ok_or(MoneyError::Overflow)?;
    }
    for _ in fraction.len()..max {
        value = value.checked_mul(10).ok_or(MoneyError::Overflow)?;
    }
    Ok(if negative { -value } else { value })
}

/// `a * b / c` rounded half away from zero, in 128 bits. `c` must be positive.
pub fn mul_div_round(a: i64, b: i64, c: i64) -> Result<i64, MoneyError> {
    let product = i128::from(a) * i128::from(b);
    let divisor = i128::from(c);
    if divisor <= 0 {
        return Err(MoneyError::Overflow);
    }
    let half = divisor / 2;
    let rounded = if product >= 0 { (product + half) / divisor } else { (product - half) / divisor };
    i64::try_from(rounded).map_err(|_| MoneyError::Overflow)
}

/// Shares `minor` by `weights` so that the parts sum to the whole: each gets its floor, and what is left
/// goes one unit at a time to the largest remainders, first come first.
pub fn allocate(minor: i64, weights: &[i64]) -> Result<Vec<i64>, MoneyError> {
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if sum <= 0 || weights.iter().any(|w| *w < 0) {
        return Err(MoneyError::BadWeights);
    }
    let whole = i128::from(minor);
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut given: i128 = 0;
    for (index, weight) in weights.iter().enumerate() {
        let product = whole * i128::from(*weight);
        let part = product.div_euclid(sum);
        given += part;
        parts.push(i64::try_from(part).map_err(|_| MoneyError::Overflow)?);
        remainders.push((product.rem_euclid(sum), index));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let left = usize::try_from(whole - given).map_err(|_| MoneyError::Overflow)?;
    for (_, index) in remainders.iter().take(left) {
        if let Some(part) = parts.get_mut(*index) {
            *part += 1;
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_and_written_by_the_currency() {
        let jpy: Currency = "JPY".parse().unwrap();
        let kwd: Currency = "KWD".parse().unwrap();
        for (text, currency, minor) in
            [("120", Currency::EUR, 12_000), ("-0.05", Currency::EUR, -5), ("7", jpy, 7), ("1.234", kwd, 1_234)]
        {
            let money = Money::parse(text, currency).unwrap();
            assert_eq!(money.minor, minor, "{text}");
            assert_eq!(Money::parse(&money.plain(), currency).unwrap(), money);
        }
        for text in ["", "1,20", "1.234", ".5", "5.", "1e3", "--1", "٣", "99999999999999999999"] {
            assert!(Money::parse(text, Currency::EUR).is_err(), "{text}");
        }
        assert_eq!(Money::new(-450, Currency::EUR).to_string(), "EUR -4.50");
    }

    #[test]
    fn currencies_do_not_mix_and_sums_do_not_wrap() {
        let usd: Currency = "USD".parse().unwrap();
        let one = Money::new(1, Currency::EUR);
        assert!(matches!(one.checked_add(Money::new(1, usd)), Err(MoneyError::CurrencyMismatch(..))));
        assert_eq!(Money::new(i64::MAX, Currency::EUR).checked_add(one), Err(MoneyError::Overflow));
        assert_eq!(Money::new(i64::MIN, Currency::EUR).checked_neg(), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(minor in any::<i64>(), weights in proptest::collection::vec(0_i64..1_000_000, 1..20)) {
            match allocate(minor, &weights) {
                Ok(parts) => {
                    let sum: i128 = parts.iter().map(|p| i128::from(*p)).sum();
                    prop_assert_eq!(sum, i128::from(minor));
                }
                Err(why) => prop_assert!(why == MoneyError::BadWeights && weights.iter().all(|w| *w == 0)),
            }
        }

        #[test]
        fn rounding_is_within_half_a_unit(a in any::<i64>(), b in -1_000_000_i64..1_000_000, c in 1_i64..1_000_000) {
            if let Ok(r) = mul_div_round(a, b, c) {
                let miss = (i128::from(a) * i128::from(b) - i128::from(r) * i128::from(c)).abs();
                prop_assert!(miss * 2 <= i128::from(c));
            }
        }

        #[test]
        fn any_text_is_an_amount_or_an_error(text in ".{0,24}") {
            let _ = Money::parse(&text, Currency::EUR);
        }
    }
}
