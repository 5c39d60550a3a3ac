//! Money that goes back. A card refund is a request that the office releases and carries out; cash goes back at once, on the
//! device that took it.
//!
//! | from | event | to |
//! |---|---|---|
//! | absent | `refund.requested` | requested |
//! | absent | `cash.refunded` | refunded |
//! | absent | `refund.outcome_seen` (the office began it) | refunded |
//! | requested | `refund.outcome_seen` | refunded · refused |
//!
//! Invariant: what was refunded and what is asked for is never more than the payment took; the tables hold it too.

use super::event::Event;
use super::id::{JobId, PaymentId, RefundId, VisitId};
use super::money::Money;
use super::payment::{IllegalTransition, Tender};
use serde::{Deserialize, Serialize};

/// Where a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Asked for; the office releases it.
    Requested,
    /// The money goes back.
    Refunded,
    /// The office or the processor said no.
    Refused,
}

impl RefundState {
    /// The word on screens and receipts.
    pub fn word(self) -> &'static str {
        match self {
            RefundState::Requested => "REFUND REQUESTED",
            RefundState::Refunded => "REFUNDED",
            RefundState::Refused => "REFUND REFUSED",
        }
    }

    /// The name in JSON and in the databases.
    pub fn name(self) -> &'static str {
        match self {
            RefundState::Requested => "requested",
            RefundState::Refunded => "refunded",
            RefundState::Refused => "refused",
        }
    }
}

/// What becomes of the debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundKind {
    /// The customer owes less: something was given back or was not right.
    Credit,
    /// The customer owes it again: it is paid another way.
    Reopen,
}

/// One refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The payment that it gives back; none for one that is linked to none.
    pub payment: Option<PaymentId>,
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// How the money goes back.
    pub tender: Tender,
    /// How much.
    pub amount: Money,
    /// What becomes of the debt.
    pub kind: RefundKind,
    /// Why, in the technician's words.
    pub reason: String,
    /// A manager's PIN was given.
    pub manager: bool,
    /// Where it is.
    pub state: RefundState,
    /// The office's word, in a sentence.
    pub answer: Option<String>,
    /// When it began, Unix milliseconds by the device's clock.
    pub at_ms: i64,
}

/// The office's word on a refund, as the feed brings it. A later one (larger `n`) replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundWord {
    /// What it is about, with everything that the device needs to know of it.
    pub refund: Refund,
    /// 1, 2, 3… per refund.
    pub n: u32,
}

impl Refund {
    /// The refund after `event`.
    ///
    /// # Errors
    /// The event does not fit.
    pub fn after(before: Option<&Refund>, event: &Event, at_ms: i64) -> Result<Refund, IllegalTransition> {
        let illegal = |state| Err(IllegalTransition { event: event.kind(), state });
        match (before, event) {
            (None, Event::RefundRequested(e)) => Ok(Refund {
                id: e.refund,
                payment: e.payment,
                job: e.job,
                visit: e.visit,
                tender: e.tender,
                amount: e.amount,
                kind: e.what,
                reason: e.reason.clone(),
                manager: e.manager,
                state: RefundState::Requested,
                answer: None,
                at_ms,
            }),
            (None, Event::CashRefunded(e)) => Ok(Refund {
                id: e.refund,
                payment: Some(e.payment),
                job: e.job,
                visit: e.visit,
                tender: Tender::Cash,
                amount: e.amount,
                kind: e.what,
                reason: e.reason.clone(),
                manager: e.manager,
                state: RefundState::Refunded,
                answer: None,
                at_ms,
            }),
            (None, Event::RefundOutcomeSeen(e)) if e.state == RefundState::Refunded => Ok(Refund {
                id: e.refund,
                payment: e.payment,
                job: e.job,
                visit: e.visit,
                tender: Tender::Card,
                amount: e.amount,
                kind: e.what,
                reason: "by the office".to_owned(),
                manager: false,
                state: RefundState::Refunded,
                answer: e.answer.clone(),
                at_ms,
            }),
            (Some(refund), Event::RefundOutcomeSeen(e))
                if refund.state == RefundState::Requested
                    && e.state != RefundState::Requested
                    && e.amount == refund.amount =>
            {
                Ok(Refund { state: e.state, answer: e.answer.clone(), ..refund.clone() })
            }
            (before, _) => illegal(before.map_or("absent", |refund| refund.state.name())),
        }
    }
}
