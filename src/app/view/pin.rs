//! How the question for a manager's PIN looks.
//!
//! Invariant: one star a digit, and no digit.

use super::field_hints;
use crate::app::model::{PinThen, PinView};
use crate::ui::Look;
use crate::ui::page::{Focus, HintText, Popup};
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// The box.
pub fn popup(view: &PinView, cells: usize, look: Look) -> Popup {
    let amount = view.what.amount;
    let text = match &view.then {
        PinThen::Refund(_) => format!("Asks the office to give {amount} back ({}).", view.what.why),
        PinThen::Store => format!("Stores {amount} by card: {}.", view.what.why),
    };
    let mut rows: Vec<Row> = wrap(&text, cells).into_iter().map(Row::text).collect();
    rows.push(Row::blank());
    let stars = "*".repeat(view.pin.count());
    rows.push(if view.op.is_some() {
        Row::of("One moment: checking", Role::Dim)
    } else {
        Row::of("PIN ", Role::Key).and(format!("{stars}{}", look.glyphs.caret), Role::Strong)
    });
    if let Some(problem) = &view.problem {
        rows.extend(wrap(problem, cells).into_iter().map(|part| Row::of(part, Role::Warn)));
    }
    Popup { title: "Manager".to_owned(), focus: Focus::Keep(rows.len() - 1..rows.len()), rows }
}

/// Its keys.
pub fn hints(view: &PinView) -> Option<Vec<HintText>> {
    if view.op.is_some() { field_hints(&[]) } else { field_hints(&[("Enter", "check"), ("Esc", "no")]) }
}
