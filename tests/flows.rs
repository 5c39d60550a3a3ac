//! Every step of every flow of a payment is repeated, and every step is failed, with crashes on either side; then the world
//! is let come to rest and the invariants are checked against the processor's own ledger.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test fails by panicking")]

mod common;
#[path = "processor/rig.rs"]
#[expect(dead_code, reason = "shared with the processor's own tests")]
mod processor;
#[path = "stories/rig.rs"]
#[expect(dead_code, reason = "shared with the stories")]
mod rig;

use futures_util::StreamExt as _;
use rig::{Device, World};
use std::time::Duration;
use tillroll::domain::event::{DepositUsed, Event, RefundRequested};
use tillroll::domain::id::{PaymentId, RefundId};
use tillroll::domain::invoice::Invoice;
use tillroll::domain::money::Money;
use tillroll::domain::payment::{PaymentState, Tender};
use tillroll::domain::policy::HOUR_MS;
use tillroll::domain::refund::RefundKind;
use tillroll::office::payments::refunds::{self, Decision};
use tillroll::office::payments::worker;

/// One thing that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Request,
    Accept,
    Unknown,
    Void,
    TakePart,
    AskRefund,
    Release,
    /// What the card paid ahead pays 20.00 of the invoice.
    UseDeposit,
    Push,
    Work,
    Pull,
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Done as it should be.
    Once,
    /// Done, and the same again.
    Twice,
    /// It does not happen, or what comes back is lost, or whoever does it is killed in the middle.
    Fails,
    /// The handheld is killed after it and begins again from its disk.
    CrashAfter,
}

/// A flow: the card, what is done, and what must be charged when all is quiet, minor units.
const FLOWS: &[(&str, &str, &[Step], i64)] = {
    use Step::*;
    &[
        ("online", "visa-tap", &[Request, Push, Work, Pull, Push, Work, Pull], 3_450),
        ("lost answer", "lost-answer", &[Request, Push, Work, Pull, Push, Work, Pull], 3_450),
        ("slow answer", "slow", &[Request, Push, Work, Pull, Push, Work, Pull], 3_450),
        ("declined", "decline", &[Request, Push, Work, Pull, Push, Work], 0),
        ("stored", "mc-chip", &[Accept, Push, Work, Pull, Push, Work, Pull], 3_450),
        ("stored, poor", "poor", &[Accept, Push, Work, Pull, Push, Work, Pull], 3_450),
        ("late decline", "decline", &[Accept, Push, Work, Pull, Push], 0),
        ("unknown, accepted", "lost-answer", &[Request, Push, Unknown, Accept, Push, Work, Pull, Push, Work], 3_450),
        ("unknown, voided", "slow", &[Request, Push, Work, Unknown, Void, Push, Work, Pull], 0),
        ("stored, voided", "visa-tap", &[Accept, Void, Push, Work, Pull], 0),
        ("a part taken", "half", &[Request, Push, Work, Pull, TakePart, Push, Work, Pull], 1_725),
        ("a part left", "half", &[Request, Push, Work, Pull, Void, Push, Work, Pull], 0),
        (
            "refunded",
            "visa-tap",
            &[Request, Push, Work, Pull, Push, Work, Pull, AskRefund, Push, Release, Work, Pull, Push],
            2_000,
        ),
        (
            "a deposit, used and given back in part",
            "visa-tap",
            &[Request, Push, Work, Pull, Push, UseDeposit, Work, Pull, AskRefund, Push, Release, Work, Pull, Push],
            2_000,
        ),
        (
            "a deposit that came too late",
            "poor",
            &[Accept, Push, UseDeposit, Work, Pull, UseDeposit, Push, Work, Pull],
            3_450,
        ),
    ]
};

struct Played {
    world: World,
    till: Device,
    payment: PaymentId,
    refund: RefundId,
    /// What the card pays ahead, and what that pays.
    ahead: Option<(Invoice, Invoice)>,
    used: PaymentId,
}

impl Played {
    async fn new(card: &str, steps: &[Step]) -> Played {
        let world = World::new().await;
        let mut till = world.device("D01");
        let deposit = steps.contains(&Step::UseDeposit).then(|| till.deposit(3_450));
        let invoice = till.work();
        let payment = till.read(deposit.as_ref().unwrap_or(&invoice), card);
        let (refund, used) = (RefundId(till.fresh()), PaymentId(till.fresh()));
        Played { world, till, payment, refund, ahead: deposit.map(|deposit| (deposit, invoice)), used }
    }

    /// What the handheld writes, if it fits what is on its disk: a screen offers nothing else.
    fn write(&mut self, step: Step) -> bool {
        let of = self.till.payment(self.payment);
        let plain = self.till.step(self.payment, "as played");
        let event = match step {
            Step::Request | Step::Accept => {
                let fits = match step {
                    Step::Request => of.state == PaymentState::CardRead,
                    _ => matches!(of.state, PaymentState::CardRead | PaymentState::Unknown),
                };
                if fits && step == Step::Request {
                    self.till.request(self.payment);
                } else if fits {
                    self.till.accept(self.payment);
                }
                return fits;
            }
            Step::Unknown => Event::PaymentUnknown(plain),
            Step::Void => Event::PaymentVoidRequested(plain),
            Step::TakePart => Event::PaymentPartTaken(plain),
            Step::AskRefund => Event::RefundRequested(RefundRequested {
                refund: self.refund,
                payment: Some(self.payment),
                job: of.job,
                visit: of.visit,
                tender: Tender::Card,
                amount: Money::new(1_450, of.amount.currency),
                what: RefundKind::Credit,
                reason: "faulty".into(),
                manager: false,
            }),
            Step::UseDeposit => {
                let Some((deposit, invoice)) = &self.ahead else { return false };
                let amount = Money::new(2_000, of.amount.currency);
                Event::DepositUsed(DepositUsed {
                    payment: self.used,
                    deposit: deposit.id,
                    deposit_document: deposit.document.clone(),
                    invoice: invoice.id,
                    document: invoice.document.clone(),
                    job: invoice.job,
                    visit: invoice.visit,
                    amount,
                    linked_to: None,
                })
            }
            Step::Release | Step::Push | Step::Work | Step::Pull => return false,
        };
        self.till.may_commit(&event)
    }

    async fn play(&mut self, step: Step, fate: Fate) {
        match (step, fate) {
            (Step::Push, Fate::Fails) => {
                // It arrives, and the answer is lost.
                let batch = self.till.batch(500);
                self.till.hand(&self.world, &batch);
            }
            (Step::Push, Fate::Twice) => {
                let batch = self.till.batch(500);
                let first = self.till.hand(&self.world, &batch);
                let second = self.till.hand(&self.world, &batch);
                assert_eq!(first.acked_through, second.acked_through);
                self.till.heard(&second);
            }
            (Step::Push, Fate::Once | Fate::CrashAfter) => drop(self.till.push(&self.world)),
            (Step::Work, Fate::Fails) => self.kill_a_worker().await,
            (Step::Work, Fate::Twice) => self.world.work_with(2).await,
            (Step::Work, Fate::Once | Fate::CrashAfter) => self.world.work().await,
            // Nothing was heard.
            (Step::Pull, Fate::Fails) => {}
            (Step::Pull, Fate::Once | Fate::Twice | Fate::CrashAfter) => {
                self.till.pull(&self.world);
                if fate == Fate::Twice {
                    self.till.pull(&self.world);
                }
            }
            (Step::Release, fate) => {
                let now = self.world.now();
                let refund = self.refund;
                for _ in 0..if fate == Fate::Twice { 2 } else { usize::from(fate != Fate::Fails) } {
                    let decide = |tx: &mut rusqlite::Transaction<'_>| {
                        refunds::decide(tx, refund, Decision::Release, "dina", now)
                    };
                    // There is nothing to release where nothing was asked for.
                    let _ = self.world.office.write(decide);
                }
            }
            // A write that failed changed nothing.
            (_, Fate::Fails) => {}
            (step, Fate::Once | Fate::Twice | Fate::CrashAfter) => {
                let written = self.write(step);
                if fate == Fate::Twice && written {
                    let rows = self.till.store.sync_status().unwrap().head_seq;
                    assert!(!self.write(step), "{step:?} fits twice");
                    assert_eq!(self.till.store.sync_status().unwrap().head_seq, rows, "{step:?} was written twice");
                }
            }
        }
        if fate == Fate::CrashAfter {
            self.till.crash(&self.world);
        }
    }

    /// A worker that is killed while it talks to the processor.
    async fn kill_a_worker(&mut self) {
        for ms in [1, 4, 12, 40] {
            let task = tokio::spawn(worker::run(self.world.office.clone(), std::future::pending::<()>()));
            tokio::time::sleep(Duration::from_millis(ms)).await;
            task.abort();
            let _ = task.await;
        }
    }

    /// The link is there, nobody fails any more: whatever was begun comes to its end.
    async fn rest(&mut self, steps: &[Step]) {
        let mut before = (0, 0);
        for round in 0..20 {
            self.till.exchange(&self.world).await;
            let head = self.till.store.sync_status().unwrap().head_seq;
            let words =
                self.world.count("SELECT coalesce(sum(outcome_n), 0) + count(*) FROM card_payment WHERE over = 1");
            let left = self.world.count("SELECT count(*) FROM card_payment WHERE over = 0");
            // Nothing was said since the last time, and a pause has passed in between.
            let of = self.till.payment(self.payment);
            let refunded = !steps.contains(&Step::AskRefund) || of.refunded_minor > 0;
            if before == (head, words) && refunded && (left == 0 || self.is_waiting()) {
                break;
            }
            before = (head, words);
            // Leases and pauses end, the long ones too.
            self.world.pass(if round < 3 { 2_000 } else { 70_000 });
            for step in steps.iter().filter(|step| !matches!(step, Step::Push | Step::Work | Step::Pull)) {
                match step {
                    Step::Release => self.play(Step::Release, Fate::Once).await,
                    step => drop(self.write_if_missing(*step)),
                }
            }
        }
        self.till.exchange(&self.world).await;
    }

    /// Whatever the office still has open waits for nobody here.
    fn is_waiting(&self) -> bool {
        matches!(self.till.state(self.payment), PaymentState::Declined | PaymentState::LateDeclined)
    }

    /// What failed is asked for again by whoever wanted it, where it still fits.
    fn write_if_missing(&mut self, step: Step) -> bool {
        let state = self.till.state(self.payment);
        let wanted = match step {
            Step::Request => state == PaymentState::CardRead,
            Step::Accept => matches!(state, PaymentState::CardRead | PaymentState::Unknown),
            Step::Void => matches!(
                state,
                PaymentState::Unknown | PaymentState::Stored | PaymentState::PartlyApproved | PaymentState::Approved
            ),
            Step::TakePart => state == PaymentState::PartlyApproved,
            Step::AskRefund => {
                state == PaymentState::Approved && self.till.store.refund(self.refund).unwrap().is_none()
            }
            Step::UseDeposit => true,
            Step::Unknown | Step::Release | Step::Push | Step::Work | Step::Pull => false,
        };
        wanted && self.write(step)
    }

    async fn check(&self, told: &str, expect: i64) {
        let (captures, net) = self.world.charged().await;
        let of = self.till.payment(self.payment);
        let device = of.approved_minor - of.refunded_minor;
        // A void that comes after the capture is told, and the money is there until it is refunded.
        let late_void = of.state == PaymentState::VoidFailed;
        assert!(captures <= 1, "{told}: charged {captures} times");
        assert!(net == expect || late_void, "{told}: {net} for {expect}, {:?}", of.state);
        assert_eq!(net, device, "{told}: handheld and processor, {:?}", of.state);
        assert_eq!(self.world.count("SELECT count(*) FROM blob"), 0, "{told}: card data is left");
        if self.ahead.is_some() {
            let used = self.world.count("SELECT sum(used_minor) FROM invoice");
            assert_eq!(used, 2_000, "{told}: used once");
            assert_eq!(self.till.payment(self.used).approved_minor, used, "{told}");
        }
        self.world.sound(&[&self.till]).await;
    }
}

async fn play(name: &'static str, card: &'static str, steps: &'static [Step], expect: i64, at: usize, fate: Fate) {
    let told = format!("{name}, step {at} {:?} {fate:?}", steps[at]);
    let mut played = Played::new(card, steps).await;
    for (place, step) in steps.iter().enumerate() {
        played.play(*step, if place == at { fate } else { Fate::Once }).await;
    }
    played.rest(steps).await;
    played.check(&told, expect).await;
}

/// Worlds that are played side by side: most of their time they wait.
const AT_ONCE: usize = 8;

async fn every_step(fate: Fate) {
    let plays = FLOWS.iter().flat_map(|(name, card, steps, expect)| {
        (0..steps.len()).map(move |at| play(name, card, steps, *expect, at, fate))
    });
    futures_util::stream::iter(plays).buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[tokio::test]
async fn slow_every_step_of_every_flow_may_be_repeated() {
    every_step(Fate::Twice).await;
}

#[tokio::test]
async fn slow_every_step_of_every_flow_may_fail() {
    every_step(Fate::Fails).await;
}

#[tokio::test]
async fn slow_the_handheld_may_be_killed_after_every_step() {
    every_step(Fate::CrashAfter).await;
}

#[tokio::test]
async fn a_stored_payment_past_its_deadline_expires_and_charges_nothing() {
    let mut played = Played::new("visa-tap", &[]).await;
    played.play(Step::Accept, Fate::Once).await;
    played.world.pass(25 * HOUR_MS);
    played.till.exchange(&played.world).await;
    assert_eq!(played.till.state(played.payment), PaymentState::Expired);
    played.check("late", 0).await;
}
