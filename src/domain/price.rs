//! The price book: what a line may be made from. Owned by the office.

use super::id::ItemId;
use super::line::LineKind;
use super::money::Money;
use super::tax::TaxRule;
use serde::{Deserialize, Serialize};

/// One entry of the price book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceItem {
    /// Its id.
    pub id: ItemId,
    /// The number that people know it by.
    pub code: String,
    /// Labour, part or fee.
    pub kind: LineKind,
    /// As printed.
    pub name: String,
    /// `h`, `pc`, `m`…
    pub unit: String,
    /// Price of one unit.
    pub unit_price: Money,
    /// The tax that goes with it.
    pub tax: TaxRule,
    /// Whether using it moves van stock.
    pub stock_tracked: bool,
}
