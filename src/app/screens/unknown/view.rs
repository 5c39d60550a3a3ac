//! How a payment looks whose result is not known.
//!
//! Invariant: says first not to take it again, then what can be done.

use crate::app::model::Model;
use crate::app::screens::job::view::{beside, card_long};
use crate::app::view::{Body, Place, mark};
use crate::app::when::stopwatch;
use crate::domain::payment::Standing;
use crate::flow::payment::{Offline, Phase};
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// From this width on words are said in full, cells.
const FULL_CELLS: usize = 40;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let mut title = vec!["NOT KNOWN".to_owned()];
    let mut rows = Vec::new();
    let cells = place.main();
    let said = |text: &str| -> Vec<Row> {
        wrap(text, cells.saturating_sub(3)).into_iter().map(|text| Row::text(format!("  {text}"))).collect()
    };
    if let Some(card) = &model.card {
        let intent = card.machine.intent();
        title = vec![format!("NOT KNOWN {}", intent.document), intent.document.to_string(), "NOT KNOWN".to_owned()];
        let narrow = cells < FULL_CELLS;
        let word = if narrow { "NOT KNOWN" } else { "RESULT NOT KNOWN" };
        let head = format!("  {} {word}", mark(place.look, Standing::Unknown));
        rows.push(Row::of(head, Role::Unknown).right(intent.amount.to_string(), Role::Strong));
        if let Some(summary) = card.machine.payment().and_then(|payment| payment.card.as_ref()) {
            rows.push(Row::text(format!("  {}", card_long(summary))));
        }
        rows.push(Row::blank());
        rows.extend(said("The request went out; no answer came. Do not take this payment again yet."));
        rows.push(Row::blank());
        rows.push(Row::text(format!("  {}", asking(model))));
        rows.push(Row::blank());
        match card.machine.phase() {
            Phase::Unknown { offline: Some(Offline::NeedsManager { why, .. }) } => {
                rows.extend(said(&format!("Not as pending without a manager: {why}.")));
                rows.push(
                    Row::of("  M", Role::Key)
                        .and(" manager's PIN  ", Role::Plain)
                        .and("V", Role::Key)
                        .and(" void", Role::Plain),
                );
            }
            Phase::Unknown { offline: Some(Offline::Refused(why)) } => {
                rows.extend(said(&format!("Not as pending: {why}.")));
            }
            phase => {
                let mut keys = Row::of("  W", Role::Key).and(" wait  ", Role::Plain);
                if matches!(phase, Phase::Unknown { offline: Some(Offline::Allowed { .. }) }) {
                    let word = if narrow { " accept  " } else { " accept as pending  " };
                    keys = keys.and("A", Role::Key).and(word, Role::Plain);
                }
                rows.push(keys.and("V", Role::Key).and(" void", Role::Plain));
                rows.extend(said("Another tender asks first and links both."));
            }
        }
    }
    let mut panes = vec![rows];
    panes.extend(beside(model, place, true));
    Body { title, panes, focus: Focus::Keep(0..1), notes: Vec::new(), hints: None }
}

fn asking(model: &Model) -> String {
    let next = model.link.next_try_ms.zip(model.now_ms).map(|(next, now)| stopwatch(next.saturating_sub(now)));
    match (model.link.online, next) {
        (true, _) => "Asking the office".to_owned(),
        (false, Some(next)) => format!("No link: next try in {next}"),
        (false, None) => "No link".to_owned(),
    }
}
