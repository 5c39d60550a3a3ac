//! Customer → site → equipment: master data, owned by the office, read on the handheld.

use super::id::{CustomerId, EquipmentId, SiteId};
use serde::{Deserialize, Serialize};

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// As printed on receipts.
    pub name: String,
    /// Empty when not known.
    pub phone: String,
    /// Empty when not known.
    pub email: String,
    /// Street, city and postcode in one line; empty when not known.
    pub address: String,
    /// VAT number or the like; empty when not known.
    pub tax_id: String,
    /// A remark by the office.
    pub note: String,
}

/// Where the work is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// Who pays for it.
    pub customer: CustomerId,
    /// A short name.
    pub name: String,
    /// Street.
    pub street: String,
    /// City and postcode.
    pub city: String,
    /// ISO 3166 code of the country, or of country and subdivision (`US-TX`); empty when not known.
    #[serde(default)]
    pub country: String,
    /// How to get in.
    pub access_note: String,
}

/// What the work is done on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equipment {
    /// Its id.
    pub id: EquipmentId,
    /// Where it stands.
    pub site: SiteId,
    /// A short name.
    pub name: String,
    /// Maker's model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// `YYYY-MM-DD`, empty when not known.
    pub warranty_until: String,
}
