//! Tax rules: a code of the price book stands for a rate and for whether prices contain it.

use serde::{Deserialize, Serialize};

/// A tax rate in basis points (2 000 = 20 %).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaxRule {
    /// As in the price book, e.g. `standard`.
    pub code: String,
    /// As printed, e.g. `VAT 20 %`.
    pub label: String,
    /// Basis points, 0 to 10 000.
    pub rate_bp: u32,
    /// True when prices already contain it.
    pub inclusive: bool,
}

/// The rules of the built-in company: what the office hands out until it is told otherwise.
pub fn default_rules() -> Vec<TaxRule> {
    let rule = |code: &str, label: &str, rate_bp, inclusive| TaxRule {
        code: code.to_owned(),
        label: label.to_owned(),
        rate_bp,
        inclusive,
    };
    vec![
        rule("standard", "VAT 20 %", 2_000, true),
        rule("reduced", "VAT 5 %", 500, true),
        rule("zero", "VAT 0 %", 0, true),
        rule("trade", "VAT 20 %", 2_000, false),
    ]
}
