//! Lines of a visit: labour, parts, fees and discounts.

use super::id::{ItemId, LineId};
use super::money::{Money, MoneyError, mul_div_round};
use super::price::PriceItem;
use super::tax::TaxRule;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Time.
    Labour,
    /// Material, from the van.
    Part,
    /// Call-out, disposal…
    Fee,
    /// Money off the whole document; its price is negative and it has no tax of its own.
    Discount,
}

/// A quantity in thousandths of its unit: 1.5 h = 1 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(pub i64);

impl Quantity {
    /// One unit.
    pub const ONE: Quantity = Quantity(1_000);
    /// The most that one line may hold: a million units.
    pub const MAX: Quantity = Quantity(1_000_000_000);

    /// Parses `1.5`; at most three digits after the point.
    pub fn parse(text: &str) -> Result<Quantity, MoneyError> {
        super::money::decimal(text, 3).map(Quantity)
    }
}

impl fmt::Display for Quantity {
    /// `1.5`, `2`, `0.125`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 1_000, self.0.unsigned_abs() % 1_000);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        write!(f, "{sign}{whole}.{}", format!("{rest:03}").trim_end_matches('0'))
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id.
    pub id: LineId,
    /// What it stands for.
    pub kind: LineKind,
    /// The price-book entry it came from; none for a free discount.
    pub item: Option<ItemId>,
    /// As printed.
    pub name: String,
    /// How many units.
    pub quantity: Quantity,
    /// The unit's name.
    pub unit: String,
    /// Price of one unit at the time of adding.
    pub unit_price: Money,
    /// Tax at the time of adding; none for a discount, which is spread over the other lines.
    pub tax: Option<TaxRule>,
    /// Whether van stock moves with it.
    pub stock_tracked: bool,
}

impl Line {
    /// A line of `quantity` of a price-book entry.
    pub fn from_item(id: LineId, item: &PriceItem, quantity: Quantity) -> Line {
        Line {
            id,
            kind: item.kind,
            item: Some(item.id),
            name: item.name.clone(),
            quantity,
            unit: item.unit.clone(),
            unit_price: item.unit_price,
            tax: Some(item.tax.clone()),
            stock_tracked: item.stock_tracked,
        }
    }

    /// `off` less on the whole document; `off` is positive.
    pub fn discount(id: LineId, name: &str, off: Money) -> Result<Line, MoneyError> {
        Ok(Line {
            id,
            kind: LineKind::Discount,
            item: None,
            name: name.to_owned(),
            quantity: Quantity::ONE,
            unit: String::new(),
            unit_price: off.checked_neg()?,
            tax: None,
            stock_tracked: false,
        })
    }

    /// Quantity times unit price, rounded half away from zero to the minor unit.
    pub fn amount(&self) -> Result<Money, MoneyError> {
        let minor = mul_div_round(self.unit_price.minor, self.quantity.0, 1_000)?;
        Ok(Money::new(minor, self.unit_price.currency))
    }
}
