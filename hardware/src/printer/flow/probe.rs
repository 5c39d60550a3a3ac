//! The look at a printer before a job: is it there, does it answer, what keeps it from printing.

use super::watch::PAPER_STEADY_US;
use super::{ANSWER_US, Action, Flow, POLL_US, Phase, STALL_US, Seen};
use crate::printer::escpos;
use crate::printer::status::Causes;
use crate::printer::{Interruption, JobEnd};

/// Which of `DLE EOT n` are asked: offline cause, error cause, paper.
const QUESTIONS: [u8; 3] = [2, 3, 4];

impl Flow {
    pub(super) fn fresh(&mut self, now: u64) {
        self.asking.clear();
        self.owed.clear();
        self.causes = Causes::default();
        self.babbles = false;
        self.cooling_since = None;
        self.last_move = now;
        self.began = now;
        self.job = None;
    }

    pub(super) fn probe(&mut self, now: u64) {
        match self.answers {
            Some(false) => self.phase = Phase::Probing { tries: 0 },
            Some(true) | None => {
                self.ask(now);
                self.phase = Phase::Probing { tries: 2 };
            }
        }
    }

    pub(super) fn ask(&mut self, now: u64) {
        self.owed = QUESTIONS.to_vec();
        self.owed_since = now;
        self.asked_at = now;
        self.asking = QUESTIONS.iter().flat_map(|n| [escpos::STATUS_NOW[0], escpos::STATUS_NOW[1], *n]).collect();
    }

    pub(super) fn learn(&mut self, causes: Causes, n: u8) {
        match n {
            2 => self.causes.cover_open = causes.cover_open,
            3 => (self.causes.cooling, self.causes.broken) = (causes.cooling, causes.broken),
            _ => {}
        }
        // Two of the three tell of the paper; the first of them begins anew.
        self.causes.paper_out = causes.paper_out || (n != 2 && self.causes.paper_out);
    }

    pub(super) fn probing(&mut self, now: u64, tries: u8) -> Action<'_> {
        if tries > 0 && !self.owed.is_empty() {
            if now.saturating_sub(self.owed_since) < ANSWER_US {
                return Action::Wait(POLL_US);
            }
            if tries > 1 {
                self.ask(now);
                self.phase = Phase::Probing { tries: tries - 1 };
                return Action::Wait(0);
            }
            // It has answered before: it is gone. A new one may be of the silent kind.
            if self.answers == Some(true) {
                return self.end(JobEnd::Refused(Interruption::Unplugged));
            }
            self.answers = Some(false);
        }
        if self.paper_out_since.is_some_and(|since| now.saturating_sub(since) < PAPER_STEADY_US) {
            return Action::Wait(POLL_US);
        }
        if let Some(why) = self.stopped_by() {
            return self.end(JobEnd::Refused(why));
        }
        // Asked once; a clone that does not know the question prints a letter at worst.
        if self.fences.is_none() {
            self.asking = escpos::fence(&self.printer).to_vec();
            self.asked_at = now;
            self.phase = Phase::ProbingFence { since: now };
            return Action::Wait(0);
        }
        self.start(now)
    }

    pub(super) fn probing_fence(&mut self, now: u64, since: u64) -> Action<'_> {
        match self.fences {
            None if now.saturating_sub(since) < ANSWER_US => return Action::Wait(POLL_US),
            None => self.fences = Some(false),
            Some(_) => {}
        }
        if let Some(why) = self.stopped_by() {
            return self.end(JobEnd::Refused(why));
        }
        self.start(now)
    }

    /// A question goes out once nothing else is on the line.
    pub(super) fn asking(&mut self, now: u64, seen: Seen) -> Action<'_> {
        if now.saturating_sub(self.asked_at) > STALL_US {
            self.asking.clear();
            let end = self.torn(Interruption::Unplugged);
            return self.end(end);
        }
        match (seen.pending, self.phase) {
            (0, Phase::ProbingFence { .. }) => Action::Write(&self.asking),
            (0, _) => Action::Ask(&self.asking),
            _ => Action::Wait(POLL_US),
        }
    }
}
