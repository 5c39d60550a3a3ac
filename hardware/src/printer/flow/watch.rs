//! The look at a printer while a job is on its way: does it go on, and if not, why.

use super::job::Job;
use super::{ANSWER_US, ASK_AFTER_US, COOLING_MAX_US, Flow, Phase, STALL_US, Seen};
use crate::printer::{Interruption, JobEnd};

/// How long the paper sensor must say the same.
pub(super) const PAPER_STEADY_US: u64 = 20_000;

impl Flow {
    pub(super) fn watch_paper(&mut self, now: u64, seen: Seen) {
        match (seen.paper_out, self.paper_out_since) {
            (Some(true), None) => self.paper_out_since = Some(now),
            (Some(false) | None, _) => self.paper_out_since = None,
            (Some(true), Some(_)) => {}
        }
    }

    /// What stops a job; cooling is waited for.
    pub(super) fn stopped_by(&self) -> Option<Interruption> {
        let (asked, told) = (self.causes, self.automatic);
        let paper = asked.paper_out || told.paper_out || self.paper_out_since.is_some();
        [
            (asked.cover_open || told.cover_open, Interruption::CoverOpen),
            (paper, Interruption::PaperOut),
            (asked.broken || told.broken, Interruption::Broken),
        ]
        .into_iter()
        .find_map(|(is, why)| is.then_some(why))
        .or_else(|| (self.phase == Phase::Idle && self.is_hot()).then_some(Interruption::Cooling))
    }

    pub(super) fn is_hot(&self) -> bool {
        self.causes.cooling || self.automatic.cooling
    }

    /// Whether the job can go on. A printer that answers is asked when nothing moves.
    pub(super) fn stalled(&mut self, now: u64, seen: Seen) -> Option<JobEnd> {
        if self.paper_out_since.is_some_and(|since| now.saturating_sub(since) >= PAPER_STEADY_US) {
            return Some(self.torn(Interruption::PaperOut));
        }
        if let Some(why) = self.stopped_by() {
            return Some(self.torn(why));
        }
        let mechanism = self.job.as_ref().map_or(0, |job| job.done_at().saturating_sub(self.last_move));
        let quiet = now.saturating_sub(self.last_move);
        // What is on a stopped line would be let through with the question, and within a command it would be taken for a
        // part of it.
        let may_ask = seen.pending == 0 && self.job.as_ref().is_none_or(Job::is_between);
        if self.can_ask() && quiet > ASK_AFTER_US && may_ask {
            let waited = now.saturating_sub(self.owed_since);
            if !self.owed.is_empty() && waited > 2 * ANSWER_US {
                return Some(self.torn(Interruption::Unplugged));
            }
            if self.owed.is_empty() && waited > ASK_AFTER_US {
                self.ask(now);
            }
        }
        match (self.is_hot(), self.cooling_since) {
            (true, None) => self.cooling_since = Some(now),
            (false, Some(_)) => {
                self.cooling_since = None;
                self.last_move = now;
            }
            (true, Some(_)) | (false, None) => {}
        }
        if let Some(since) = self.cooling_since {
            return (now.saturating_sub(since) > COOLING_MAX_US).then(|| self.torn(Interruption::Cooling));
        }
        let endless = now.saturating_sub(self.began) > self.ceiling();
        (endless || quiet > 2 * mechanism + STALL_US).then(|| self.torn(Interruption::Unplugged))
    }

    /// How long a job may take at the very most, whatever the printer says meanwhile.
    pub(super) fn ceiling(&self) -> u64 {
        let (bytes, dots) = self.job.as_ref().map_or((0, 0), Job::size);
        4 * (self.printer.bytes_us(bytes, self.printer.baud) + self.printer.dots_us(dots)) + COOLING_MAX_US
    }

    pub(super) fn torn(&self, why: Interruption) -> JobEnd {
        if self.has_begun() { JobEnd::Interrupted(why) } else { JobEnd::Refused(why) }
    }
}
