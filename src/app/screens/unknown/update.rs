//! What the keys of the result-not-known screen do; accepting and voiding ask first (see `app::update`).
//!
//! Invariant: waiting changes nothing.

use crate::app::effect::Effect;

/// Asks the office again, now.
pub fn wait(out: &mut Vec<Effect>) {
    out.push(Effect::SyncNow);
}
