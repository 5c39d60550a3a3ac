//! What the keys of the sync screen do.
//!
//! Invariant: one check of the journal at a time.

use crate::app::effect::Effect;
use crate::app::model::{ChainView, Model};

/// Talks to the office now.
pub fn try_now(out: &mut Vec<Effect>) {
    out.extend([Effect::SyncNow, Effect::LoadSync]);
}

/// Checks the journal.
pub fn prove(model: &mut Model, out: &mut Vec<Effect>) {
    if !matches!(model.chain, ChainView::Checking(_)) {
        let op = model.next_op();
        model.chain = ChainView::Checking(op);
        out.push(Effect::CheckChain { op });
    }
}
