//! Money that goes back and is linked to no payment: asked for with a manager's PIN, released by the office.
//!
//! Invariant: nothing is handed over before the office has released it.

use super::typed;
use crate::app::effect::Effect;
use crate::app::model::{Model, PinThen, Purpose};
use crate::app::screens::entry::update::open;
use crate::app::update::pin;
use crate::domain::event::{Approved, ManagerApproved, RefundRequested};
use crate::domain::id::RefundId;
use crate::domain::money::Money;
use crate::domain::payment::Tender;
use crate::domain::refund::RefundKind;

/// The most that may be asked for, where the office's rules allow it and there is a manager's PIN.
pub fn most(model: &Model) -> Option<Money> {
    let job = model.job.as_ref()?;
    let minor = job.rules.unlinked_refund_max_minor;
    let allowed = job.rules.manager_pin.is_some() && minor > 0;
    allowed.then_some(Money::new(minor, job.customer_balance.currency))
}

/// Opens the entry.
pub fn begin(model: &mut Model) {
    if most(model).is_some() {
        open(model, Purpose::Unlinked, None);
    }
}

/// This is how the money is to go back: the manager's PIN is next.
pub fn ask(model: &mut Model, tender: Tender, out: &mut Vec<Effect>) {
    let Some(amount) = typed(model).filter(|amount| amount.minor > 0 && model.saving.is_none()) else { return };
    let Some(id) = super::update::new_id(model, out) else { return };
    let Some(job) = &model.job else { return };
    let (job, visit, refund) = (job.row.job, job.row.visit, RefundId(id));
    let reason = model.entry.text.trim().to_owned();
    let what = ManagerApproved {
        job,
        visit,
        payment: None,
        refund: Some(refund),
        what: Approved::UnlinkedRefund,
        amount,
        why: reason.clone(),
        pin: String::new(),
        wrong_tries: 0,
    };
    let row = RefundRequested {
        refund,
        payment: None,
        job,
        visit,
        tender,
        amount,
        what: RefundKind::Credit,
        reason,
        manager: true,
    };
    pin::ask(model, what, PinThen::Refund(row));
}
