//! An office at a fixed time that has no processor.

use std::path::Path;
use std::sync::Arc;
use tillroll::domain::money::Currency;
use tillroll::domain::receipt::Merchant;
use tillroll::office::payments::Timing;
use tillroll::office::{Office, Settings};

/// Opens it in `dir`, new or as it was left.
pub fn office(dir: &Path) -> Office {
    let merchant = Merchant { name: "M".into(), address: "A".into(), tax_id: "T".into(), ..Merchant::default() };
    let settings = Settings {
        processor_url: "http://127.0.0.1:1".into(),
        timing: Timing::STANDARD,
        currency: Currency::EUR,
        merchant,
    };
    Office::open(&dir.join("office.sqlite"), settings, Arc::new(|| 1_764_000_000_000)).unwrap()
}
