//! The machine against a model of what is around it: a disk that keeps rows, a reader, a link, an office, a technician,
//! all chosen by chance, with crashes in between.

use super::*;
use crate::domain::event::PaymentCardRead;
use crate::domain::event::PaymentOutcomeSeen;
use crate::domain::money::{Currency, Money};
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::domain::payment::{CardEntry, CardSummary};
use proptest::prelude::*;
use uuid::Uuid;

fn intent() -> PaymentIntended {
    let id = Uuid::from_u128;
    PaymentIntended {
        extras: crate::domain::payment::Extras::NONE,
        payment: id(1).into(),
        invoice: id(2).into(),
        document: "D07-000001".parse().unwrap(),
        job: id(3).into(),
        visit: id(4).into(),
        amount: Money::new(10_000, Currency::EUR),
        linked_to: None,
        keep: None,
    }
}

fn facts() -> ReadFacts {
    let card = CardSummary {
        brand: "VISA".into(),
        last4: "0010".into(),
        aid: String::new(),
        label: String::new(),
        cvm: String::new(),
        entry: CardEntry::Chip,
        marks: Default::default(),
    };
    ReadFacts { card, ksn: "00".into(), ciphertext_sha256: "aa".into() }
}

/// Everything around the machine.
struct World {
    machine: Machine,
    disk: Option<Payment>,
    rows: Vec<&'static str>,
    waiting: Vec<Event>,
    armed: usize,
    read_held: bool,
    outcome_n: u32,
}

impl World {
    fn new() -> World {
        let (machine, effects) = Machine::begin(intent(), Timing::STANDARD);
        let mut world =
            World { machine, disk: None, rows: vec![], waiting: vec![], armed: 0, read_held: false, outcome_n: 0 };
        world.perform(effects);
        world
    }

    fn write(&mut self, row: &Row) -> bool {
        match Payment::after(self.disk.as_ref(), row, 1) {
            Ok(payment) => {
                self.rows.push(row.kind());
                self.disk = Some(payment);
                true
            }
            Err(_) => false,
        }
    }

    fn wrote(&mut self, row: &Row) {
        let fits = self.write(row);
        let now = self.disk.clone().unwrap();
        self.waiting.push(if fits { Event::Committed(Box::new(now)) } else { Event::Settled(Box::new(now)) });
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Commit(row) => self.wrote(&row),
                Effect::CommitRead(facts) => {
                    assert!(self.read_held, "a read is sealed that nobody holds");
                    self.read_held = false;
                    let i = intent();
                    let read = PaymentCardRead {
                        payment: i.payment,
                        job: i.job,
                        visit: i.visit,
                        card: facts.card,
                        blob: "blob".into(),
                        sealing_key: "k".into(),
                        ksn: facts.ksn,
                        ciphertext_sha256: facts.ciphertext_sha256,
                        salt: "s".into(),
                    };
                    self.wrote(&Row::PaymentCardRead(read));
                }
                Effect::Arm { .. } => {
                    self.armed += 1;
                    assert_eq!(self.disk.as_ref().map(|p| p.state), Some(PaymentState::Presenting), "armed too early");
                }
                Effect::DropRead => self.read_held = false,
                Effect::Push => assert!(self.disk.is_some(), "pushed before anything was written"),
                Effect::CancelReader | Effect::SelectApplication(_) | Effect::Assess | Effect::StartTimer { .. } => {}
            }
        }
    }

    fn give(&mut self, event: Event) {
        if let Ok(effects) = self.machine.handle(event) {
            self.perform(effects);
        }
    }

    /// The office says something: journalled first, then told.
    fn say(&mut self, state: OutcomeState) {
        self.outcome_n += 1;
        let i = intent();
        let outcome = Outcome {
            payment: i.payment,
            state,
            amount_minor: if state == OutcomeState::PartlyApproved { 4_000 } else { 10_000 },
            auth_code: None,
            response_code: None,
            reason: None,
            at_ms: 1,
            n: self.outcome_n,
        };
        let seen = PaymentOutcomeSeen { payment: i.payment, job: i.job, visit: i.visit, outcome };
        if self.disk.is_some() && self.write(&Row::PaymentOutcomeSeen(seen)) {
            let now = self.disk.clone().unwrap();
            self.waiting.push(Event::Settled(Box::new(now)));
        }
    }

    /// The program stops; what was on its way to the machine is lost, what is on the disk is not.
    fn crash(&mut self) {
        self.waiting.clear();
        self.read_held = false;
        if let Some(payment) = self.disk.clone() {
            let (machine, effects) = Machine::resume(payment, Timing::STANDARD);
            self.machine = machine;
            self.perform(effects);
        }
    }

    fn step(&mut self, choice: u8) {
        let allowed = Offline::Allowed { deadline_ms: 9, policy: 1 };
        let over = Offline::NeedsManager { deadline_ms: 9, policy: 1, why: "over a limit".into() };
        match choice % 22 {
            0..=4 => {
                // Two sides tell the machine: what was written first need not be heard first.
                if !self.waiting.is_empty() {
                    let event = self.waiting.remove(usize::from(choice / 22) % self.waiting.len());
                    self.give(event);
                }
            }
            5 if self.armed > 0 && matches!(self.machine.phase(), Phase::Presenting { .. }) => {
                self.read_held = true;
                self.give(Event::CardRead(Box::new(facts())));
            }
            6 => self.give(Event::Assessed { online: true, offline: allowed }),
            7 => self.give(Event::Assessed { online: false, offline: allowed }),
            8 => self.give(Event::Assessed { online: false, offline: Offline::Refused("no".into()) }),
            9 => self.give(Event::Cancel),
            10 => self.give(Event::AcceptOffline),
            11 => self.give(Event::TakePart),
            12 => self.give(Event::Void("changed their mind".into())),
            13 => self.give(Event::OutcomeOverdue),
            14 => self.give(Event::LinkLost),
            15 => self.say(OutcomeState::Approved),
            16 => self.say(OutcomeState::PartlyApproved),
            17 => self.say(OutcomeState::Declined),
            18 => self.say(OutcomeState::LateDeclined),
            19 => self.crash(),
            20 => self.give(Event::Assessed { online: false, offline: over }),
            21 => self.give(Event::ManagerAllows),
            _ => self.give(Event::ReaderEnded("the reader was lost".into())),
        }
    }
}

/// What must hold of the rows of one payment, whatever happened.
fn judge(world: &World) {
    let at = |kind: &str| world.rows.iter().position(|row| *row == kind);
    let count = |kind: &str| world.rows.iter().filter(|row| **row == kind).count();
    assert_eq!(at("payment.intended"), Some(0), "the intent comes first");
    assert!(world.armed <= 1, "the reader was armed {} times for one payment", world.armed);
    for once in
        ["payment.card_read", "payment.authorize_requested", "payment.accepted_offline", "payment.void_requested"]
    {
        assert!(count(once) <= 1, "{once} twice: {:?}", world.rows);
    }
    for asks in ["payment.authorize_requested", "payment.accepted_offline"] {
        if let Some(place) = at(asks) {
            assert!(
                at("payment.card_read").is_some_and(|read| read < place),
                "{asks} without a read: {:?}",
                world.rows
            );
        }
    }
    let disk = world.disk.as_ref().unwrap();
    assert!(disk.approved_minor + disk.pending_minor <= disk.amount.minor);
    if disk.pending_minor > 0 {
        assert!(disk.offline, "pending money that nobody took the risk for");
    }
    if let (Some(known), true) = (world.machine.payment(), world.waiting.is_empty()) {
        assert_eq!(known.state, disk.state, "the screen shows another state than the disk: {:?}", world.rows);
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_rows_are_those_of_one_honest_payment(choices in proptest::collection::vec(any::<u8>(), 0..120)) {
        let mut world = World::new();
        for choice in choices {
            world.step(choice);
            judge(&world);
        }
    }
}

#[test]
fn a_read_that_overtakes_the_cancel_is_thrown_away() {
    let mut world = World::new();
    world.step(0);
    world.give(Event::Cancel);
    world.read_held = true;
    world.give(Event::CardRead(Box::new(facts())));
    assert!(!world.read_held);
    assert_eq!(world.disk.as_ref().unwrap().state, PaymentState::Abandoned);
}

#[test]
fn an_outcome_that_overtakes_the_timer_wins() {
    let mut world = World::new();
    world.step(0);
    world.step(5);
    world.step(0);
    world.step(6);
    world.step(0);
    assert_eq!(*world.machine.phase(), Phase::Waiting);
    world.say(OutcomeState::PartlyApproved);
    world.give(Event::OutcomeOverdue);
    while !world.waiting.is_empty() {
        world.step(0);
    }
    assert_eq!(*world.machine.phase(), Phase::PartOffered);
    world.give(Event::TakePart);
    assert_eq!(world.disk.as_ref().unwrap().approved_minor, 4_000);
}

#[test]
fn over_a_soft_limit_nothing_is_stored_without_a_manager() {
    let over = || Offline::NeedsManager { deadline_ms: 9, policy: 1, why: "over a limit".into() };
    let mut world = World::new();
    for choice in [0, 5, 0] {
        world.step(choice);
    }
    world.give(Event::Assessed { online: false, offline: over() });
    world.give(Event::AcceptOffline);
    assert!(matches!(world.machine.phase(), Phase::NeedsManager { .. }), "{:?}", world.machine.phase());
    world.give(Event::ManagerAllows);
    world.give(Event::AcceptOffline);
    world.step(0);
    assert_eq!(world.disk.as_ref().unwrap().state, PaymentState::Stored);

    let mut world = World::new();
    for choice in [0, 5, 0, 6, 0, 13, 0] {
        world.step(choice);
    }
    world.give(Event::Assessed { online: false, offline: over() });
    world.give(Event::AcceptOffline);
    assert_eq!(world.disk.as_ref().unwrap().state, PaymentState::Unknown);
    world.give(Event::ManagerAllows);
    world.give(Event::AcceptOffline);
    world.step(0);
    assert_eq!(world.disk.as_ref().unwrap().state, PaymentState::Stored);
}
