//! A played office and a processor, with a line between them that loses things: nobody is charged twice.

use super::*;
use proptest::prelude::*;

/// What the processor really holds of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Absent,
    /// On its way: it may still arrive, and be approved.
    Flying,
    Approved,
    Declined,
    Reversed,
    Captured,
}

/// An office and a processor with a line between them that may lose requests and answers.
struct Played {
    known: Known,
    truth: Vec<Truth>,
    backup: Option<Known>,
}

impl Played {
    /// One step of the plan, with the luck of `dice`.
    fn step(&mut self, dice: u8) {
        let (arrives, answered, agrees) = (dice & 1 == 0, dice & 2 == 0, dice & 4 == 0);
        if dice & 8 != 0 {
            self.land();
        }
        match plan(&self.known) {
            Step::Wait(_) | Step::Over => {}
            Step::Say { state, .. } => self.known.said = Some(state),
            Step::Forward { n, deferred } => {
                let alive = |t: &&Truth| matches!(t, Truth::Approved | Truth::Captured);
                assert_eq!(self.truth.iter().filter(alive).count(), 0, "a second live attempt");
                let truth = match (arrives, agrees) {
                    (false, true) => Truth::Flying,
                    (false, false) => Truth::Absent,
                    (true, true) => Truth::Approved,
                    (true, false) => Truth::Declined,
                };
                self.truth.push(truth);
                let state = if arrives && answered { answer(truth) } else { AttemptState::InDoubt };
                self.known.last = Some(Attempt { n, deferred, ..attempt(state) });
            }
            Step::Send(_) => {
                assert_eq!(self.truth.last(), Some(&Truth::Absent), "what has an effect is not sent again");
                if arrives {
                    self.turn_absent(if agrees { Truth::Approved } else { Truth::Declined });
                }
                let state = self.truth.last().map_or(AttemptState::Dead, |t| answer(*t));
                self.set(if arrives && answered { state } else { AttemptState::InDoubt });
            }
            // The announcement arrived, and nothing after it.
            Step::LookUp(_) if answered && agrees && self.truth.last() == Some(&Truth::Absent) => {
                self.set(AttemptState::Announced);
            }
            Step::LookUp(_) if answered => {
                let state = self.truth.last().map_or(AttemptState::Reversing, |t| answer(*t));
                self.set(state);
            }
            Step::LookUp(_) => {}
            Step::Reverse(_) => {
                self.set(AttemptState::Reversing);
                if arrives {
                    self.turn(Truth::Reversed);
                    // The processor remembers the reversal of what it has not seen.
                    if let Some(last) = self.truth.last_mut().filter(|t| **t == Truth::Flying) {
                        *last = Truth::Reversed;
                    }
                }
                if arrives && answered {
                    self.set(AttemptState::Dead);
                }
            }
            Step::LookAround if !answered => {}
            Step::LookAround => match self.newest_live() {
                Some((n, truth)) => self.adopt(n, truth),
                None => self.known.question = Question::Person,
            },
            // An honest person, who looks at the processor's own pages; an approval is left to run out.
            Step::AskPerson => match self.newest_live() {
                Some((n, Truth::Captured)) => self.adopt(n, Truth::Captured),
                Some(_) if agrees => self.turn(Truth::Reversed),
                Some(_) => {}
                // Whatever was on its way has long arrived when a person looks.
                None if self.truth.contains(&Truth::Flying) => {}
                None => {
                    self.known.question = Question::None;
                    if let Some(last) = &mut self.known.last {
                        last.state = AttemptState::Dead;
                    }
                }
            },
            Step::Capture(_) => {
                assert!(self.known.outcome_seen || self.known.accepted_offline);
                if arrives {
                    self.turn(Truth::Captured);
                }
                if arrives && answered {
                    self.set(AttemptState::Captured);
                }
            }
        }
        self.known.now_ms += 100;
    }

    fn newest_live(&self) -> Option<(u32, Truth)> {
        let live = |t: &Truth| matches!(t, Truth::Approved | Truth::Captured);
        let at = self.truth.iter().rposition(live)?;
        Some((u32::try_from(at).unwrap() + 1, self.truth[at]))
    }

    fn adopt(&mut self, n: u32, truth: Truth) {
        self.known.question = Question::None;
        self.known.last = Some(Attempt { n, ..attempt(answer(truth)) });
        self.set(answer(truth));
    }

    /// The office's machine is lost, and another begins from the backup; the handheld sends its rows again.
    fn restore(&mut self) {
        let Some(backup) = self.backup.clone() else { return };
        self.known = Known {
            now_ms: self.known.now_ms,
            accepted_offline: self.known.accepted_offline,
            deadline_ms: self.known.deadline_ms,
            outcome_seen: self.known.outcome_seen,
            void_requested: self.known.void_requested,
            question: Question::LookUp,
            ..backup
        };
    }

    fn turn_absent(&mut self, to: Truth) {
        if let Some(last) = self.truth.last_mut() {
            *last = to;
        }
    }

    /// What is on its way arrives.
    fn land(&mut self) {
        self.truth.iter_mut().filter(|t| **t == Truth::Flying).for_each(|t| *t = Truth::Approved);
    }

    /// The one that is approved is taken back or captured.
    fn turn(&mut self, to: Truth) {
        if let Some(live) = self.truth.iter_mut().find(|t| **t == Truth::Approved) {
            *live = to;
        }
    }

    fn set(&mut self, state: AttemptState) {
        if let Some(last) = &mut self.known.last {
            last.state = state;
            last.approved_minor =
                if matches!(state, AttemptState::Approved | AttemptState::Captured) { AMOUNT } else { 0 };
            if state == AttemptState::Approved {
                self.known.approved_at_ms.get_or_insert(self.known.now_ms);
            }
        }
    }

    /// The handheld does something.
    fn handheld(&mut self, dice: u8) {
        match dice % 8 {
            0 => self.known.outcome_seen |= self.known.said == Some(OutcomeState::Approved),
            1 => {
                self.known.accepted_offline = true;
                self.known.deadline_ms = Some(2_000_000);
            }
            2 => self.known.void_requested = true,
            3 => self.known.caught_up = !self.known.caught_up,
            4 if dice > 127 => self.backup = Some(self.known.clone()),
            4 => self.restore(),
            _ => {}
        }
    }
}

fn answer(truth: Truth) -> AttemptState {
    match truth {
        Truth::Absent | Truth::Flying => AttemptState::Reversing,
        Truth::Reversed => AttemptState::Dead,
        Truth::Approved => AttemptState::Approved,
        Truth::Declined => AttemptState::Declined,
        Truth::Captured => AttemptState::Captured,
    }
}

proptest! {
    #[test]
    fn nobody_is_charged_twice_whatever_is_lost(
        dice in proptest::collection::vec(any::<(u8, u8)>(), 0..80), can_look_up in any::<bool>(),
    ) {
        let mut played = Played { known: Known { can_look_up, ..known() }, truth: Vec::new(), backup: None };
        for (line, hand) in dice {
            played.step(line);
            played.handheld(hand);
            let live = played.truth.iter().filter(|t| matches!(t, Truth::Approved | Truth::Captured)).count();
            prop_assert!(live <= 1, "{:?}", played.truth);
        }
    }
}
