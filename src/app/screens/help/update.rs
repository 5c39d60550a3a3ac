//! What the keys of the help do.
//!
//! Invariant: it scrolls, nothing else.

use crate::app::command::COMMANDS;
use crate::app::model::Model;
use crate::app::msg::Key;
use crate::app::update::step;

/// Rows of marks and titles beside the commands.
const OTHER_ROWS: usize = 9;
/// Cells that keys and edges take.
const KEY_CELLS: usize = 10;

/// Scrolls, about as far as there are rows: the view wraps the sentences and stops at the last one.
pub fn moved(model: &mut Model, key: Key) {
    let cells = usize::from(model.columns).saturating_sub(KEY_CELLS).clamp(8, 68);
    let listed = COMMANDS.iter().filter(|c| c.key.is_some() && !c.help.is_empty());
    let rows: usize = listed.map(|c| c.help.len().div_ceil(cells)).sum();
    let shown = usize::from(model.rows).saturating_sub(5);
    model.help_scroll = step(model.help_scroll, key, (rows + OTHER_ROWS).saturating_sub(shown) + 1);
}
