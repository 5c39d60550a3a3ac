//! What the played day is to reach: goals for each job, chosen by a seed. Pure.
//!
//! A seed fixes amounts, order and faults; ids and times are new each time. The goals say where to get, not which keys
//! to press: [`next`] looks at what the handheld holds and says what is missing, so that a day goes on after any stop.

use crate::domain::id::{InvoiceId, PaymentId};
use crate::domain::job::VisitState;
use crate::domain::line::LineKind;
use crate::domain::payment::{PaymentState, Tender};
use crate::domain::read::{JobDetail, PaymentView};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What one job is to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobGoal {
    /// Lines, in order: code in the price book and thousandths of the unit.
    pub lines: Vec<(&'static str, i64)>,
    /// Money off at the end, minor units; 0 for none.
    pub discount_minor: i64,
    /// How the customer pays; the next one is used when the one before did not cover it.
    pub tenders: Vec<TenderGoal>,
    /// On top of what is paid, minor units; 0 for none.
    pub tip_minor: i64,
    /// How much of the payment goes back at the end, per cent; 0 for nothing.
    pub refund_percent: i64,
    /// Paid ahead in cash, minor units; 0 for nothing.
    pub deposit_minor: i64,
    /// Whether a receipt is printed.
    pub receipt: bool,
}

/// One way of paying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenderGoal {
    /// By card.
    Card {
        /// The test card's name.
        card: &'static str,
        /// What happens with it.
        how: How,
    },
    /// In cash.
    Cash {
        /// Handed over beyond what is due, minor units.
        over_minor: i64,
    },
}

/// What happens with a card payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The link is up.
    Online,
    /// The link is down; the technician takes the risk.
    Offline,
    /// The link is down; the technician takes the risk, and then takes the payment back.
    OfflineThenVoid,
    /// The link goes while the bank is asked, and comes back.
    CutAndRestored,
    /// The link goes while the bank is asked; the technician takes the risk.
    CutAndAccepted,
    /// The bank agrees to a part, which is taken.
    TakePart,
    /// The bank agrees to a part, which is given back.
    LeavePart,
}

/// The goals of a day with `jobs` jobs, in their order.
pub fn day(seed: u64, jobs: usize) -> Vec<JobGoal> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pays = payments(&mut rng);
    pays.shuffle(&mut rng);
    let mut goals = Vec::new();
    // Drawn apart, and less than any invoice: every other trouble of the day stays in it.
    let mut ahead = ChaCha8Rng::seed_from_u64(!seed);
    let (who, minor) = (ahead.random_range(0..jobs.max(1)), ahead.random_range(1_i64..=3_000));
    for number in 0..jobs {
        let tenders = pays.get(number % pays.len()).cloned().unwrap_or_default();
        let mut lines = vec![("LAB-STD", rng.random_range(2_i64..=6) * 250), ("TX-2", 1_000)];
        if rng.random_bool(0.4) {
            lines.push(("FEE-CALL", 1_000));
        }
        let discount_minor = if rng.random_bool(0.3) { rng.random_range(1_i64..=900) } else { 0 };
        let receipt = number < 2 || rng.random_bool(0.5);
        let tip_minor = if rng.random_bool(0.4) { rng.random_range(1_i64..=500) } else { 0 };
        let refund_percent = if rng.random_bool(0.5) { rng.random_range(1_i64..=100) } else { 0 };
        let deposit_minor = if number == who { minor } else { 0 };
        goals.push(JobGoal { lines, discount_minor, tenders, tip_minor, refund_percent, deposit_minor, receipt });
    }
    goals
}

/// One way to pay for each job; every kind of trouble is among the first eight.
fn payments(rng: &mut ChaCha8Rng) -> Vec<Vec<TenderGoal>> {
    let card = |card, how| TenderGoal::Card { card, how };
    let cash = |rng: &mut ChaCha8Rng| TenderGoal::Cash { over_minor: rng.random_range(0_i64..40) * 50 };
    let first = if rng.random_bool(0.5) { How::Online } else { How::CutAndRestored };
    let stored = if rng.random_bool(0.5) { "mc-chip" } else { "poor" };
    let part = if rng.random_bool(0.5) { How::TakePart } else { How::LeavePart };
    let refused = if rng.random_bool(0.5) { "card-refuses" } else { "clear-track" };
    let lost = if rng.random_bool(0.5) { How::Online } else { How::CutAndAccepted };
    vec![
        vec![card("visa-tap", first)],
        vec![card(stored, How::Offline)],
        vec![card("decline", How::Offline)],
        vec![card("lost-answer", lost)],
        vec![card("slow", How::Online)],
        vec![card("half", part), cash(rng)],
        vec![card(refused, How::Online), cash(rng)],
        vec![card("wallet", How::OfflineThenVoid), card("decline", How::Online), cash(rng)],
    ]
}

/// What is missing for a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Move the visit on.
    Move(VisitState),
    /// Add the goal's line with this place.
    AddLine(usize),
    /// Add the discount.
    Discount,
    /// Make a document for a deposit of so much.
    Deposit(i64),
    /// Take this deposit in cash.
    TakeAhead(InvoiceId),
    /// Make the invoice.
    Invoice,
    /// Go on with this card payment.
    GoOn(PaymentId, How),
    /// Pay what is open, beside this tender if it is not over yet.
    Pay(TenderGoal, Option<PaymentId>),
    /// Give so much of this payment back.
    Refund(PaymentId, i64),
    /// Print the receipt.
    Print,
    /// Nothing.
    Nothing,
}

/// What is missing, from what the handheld holds. `printed` says whether a receipt was begun.
pub fn next(goal: &JobGoal, detail: &JobDetail, printed: bool) -> Next {
    if detail.row.state < VisitState::OnSite {
        return Next::Move(VisitState::OnSite);
    }
    if detail.invoice.is_none() {
        if let Some(found) = ahead(goal, detail) {
            return found;
        }
        let discounts = detail.lines.iter().filter(|line| line.kind == LineKind::Discount).count();
        let lines = detail.lines.len() - discounts;
        if lines < goal.lines.len() {
            return Next::AddLine(lines);
        }
        return if goal.discount_minor > 0 && discounts == 0 { Next::Discount } else { Next::Invoice };
    }
    if let Some(found) = unfinished(goal, detail) {
        return found;
    }
    let open = detail.open().is_some_and(|open| open.minor > 0);
    let tried = tenders(detail).filter(|view| counts(view.payment.state)).count();
    if open && let Some(tender) = goal.tenders.get(tried) {
        return Next::Pay(*tender, detail.blocking_payment());
    }
    if let Some(found) = refund(goal, detail) {
        return found;
    }
    if goal.receipt && !printed {
        return Next::Print;
    }
    if detail.row.state < VisitState::Done { Next::Move(VisitState::Done) } else { Next::Nothing }
}

/// What is missing of the deposit.
fn ahead(goal: &JobGoal, detail: &JobDetail) -> Option<Next> {
    if goal.deposit_minor == 0 {
        return None;
    }
    let Some(bill) = detail.bills.iter().find(|bill| bill.invoice.is_deposit()) else {
        return Some(Next::Deposit(goal.deposit_minor));
    };
    let open = bill.invoice.open(bill.sums).is_ok_and(|open| open.minor > 0);
    open.then_some(Next::TakeAhead(bill.invoice.id))
}

/// The payments that the customer makes for the invoice itself.
fn tenders(detail: &JobDetail) -> impl DoubleEndedIterator<Item = &PaymentView> {
    let invoice = detail.invoice.as_ref().map(|invoice| invoice.id);
    let own = move |view: &&PaymentView| Some(view.payment.invoice) == invoice && view.payment.deposit.is_none();
    detail.payments.iter().filter(own)
}

/// A part of the last payment that goes back, once.
fn refund(goal: &JobGoal, detail: &JobDetail) -> Option<Next> {
    if goal.refund_percent == 0 || !detail.refunds.is_empty() {
        return None;
    }
    let payment = &tenders(detail).rev().find(|view| view.payment.refundable_minor() > 0)?.payment;
    let minor = (payment.approved_minor * goal.refund_percent / 100).max(1);
    Some(Next::Refund(payment.id, minor))
}

/// A card payment that still wants something of the technician.
fn unfinished(goal: &JobGoal, detail: &JobDetail) -> Option<Next> {
    let counted = tenders(detail).filter(|view| counts(view.payment.state));
    for (place, view) in counted.enumerate() {
        let Some(TenderGoal::Card { how, .. }) = goal.tenders.get(place) else { continue };
        let wants = match view.payment.state {
            PaymentState::Presenting
            | PaymentState::CardRead
            | PaymentState::Requested
            | PaymentState::Unknown
            | PaymentState::PartlyApproved => true,
            // Void pending is not waited for: it ends when the link is back.
            PaymentState::Stored => *how == How::OfflineThenVoid,
            _ => false,
        };
        if wants && view.payment.tender == Tender::Card {
            return Some(Next::GoOn(view.payment.id, *how));
        }
    }
    None
}

/// Whether a payment used up its tender. Abandoned, refused and expired ones are taken again, unless refused is what
/// the goal's card always gets.
fn counts(state: PaymentState) -> bool {
    !matches!(state, PaymentState::Abandoned | PaymentState::Expired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_day_and_every_trouble_is_in_it() {
        assert_eq!(day(7, 8), day(7, 8));
        assert_ne!(day(7, 8), day(8, 8));
        for seed in 0..50 {
            let all: Vec<TenderGoal> = day(seed, 8).into_iter().flat_map(|goal| goal.tenders).collect();
            let has = |wanted: &dyn Fn(&TenderGoal) -> bool| all.iter().any(wanted);
            for name in ["decline", "lost-answer", "slow", "half", "wallet"] {
                assert!(has(&|t| matches!(t, TenderGoal::Card { card, .. } if *card == name)), "{seed} {name}");
            }
            assert!(has(&|t| matches!(t, TenderGoal::Cash { .. })), "{seed}");
            assert_eq!(day(seed, 8).iter().filter(|goal| goal.deposit_minor > 0).count(), 1, "{seed}");
            assert!(has(&|t| matches!(t, TenderGoal::Card { how: How::OfflineThenVoid, .. })), "{seed}");
        }
    }
}
