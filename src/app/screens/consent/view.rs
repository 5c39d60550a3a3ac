//! How the consent looks: the question, the office's text whole, its version, the two answers.
//!
//! Invariant: says that nothing is kept before the bank has approved.

use super::text;
use crate::app::model::Model;
use crate::app::screens::job::view::beside;
use crate::app::view::{Body, Place};
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let cells = place.main();
    let said = |text: &str| -> Vec<Row> {
        wrap(text, cells.saturating_sub(3)).into_iter().map(|text| Row::text(format!("  {text}"))).collect()
    };
    let mut rows = vec![Row::of("  CUSTOMER: KEEP THE CARD?", Role::Strong)];
    if let Some(consent) = text(model) {
        rows.extend(said(&consent.text));
        rows.push(Row::of(format!("  version {}", consent.version), Role::Dim));
    }
    rows.push(Row::blank());
    rows.extend(said("Kept only once the bank has approved this payment."));
    let mut panes = vec![rows];
    panes.extend(beside(model, place, true));
    let title = vec!["KEEP THE CARD?".to_owned(), "KEEP?".to_owned()];
    Body { title, panes, focus: Focus::From(model.consent_scroll), notes: Vec::new(), hints: None }
}
