//! Stock moves: append-only; what a van holds is the sum of its moves. Negative is allowed and shown.

use super::id::{ItemId, RowId, VisitId};
use super::line::Quantity;
use serde::{Deserialize, Serialize};

/// Where a piece can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the technician's van.
    Van,
    /// Taken out for a visit, not paid for yet.
    Visit,
    /// With the customer, paid or accepted.
    Customer,
}

impl Place {
    /// The name in the databases.
    pub fn name(self) -> &'static str {
        match self {
            Place::Van => "van",
            Place::Visit => "visit",
            Place::Customer => "customer",
        }
    }
}

/// One move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockMove {
    /// The journal row that caused it.
    pub row: RowId,
    /// What.
    pub item: ItemId,
    /// How much, positive.
    pub quantity: Quantity,
    /// From where.
    pub from: Place,
    /// To where.
    pub to: Place,
    /// For which visit.
    pub visit: VisitId,
}
