//! A job's bytes, as fast as the printer takes them, and the proof behind them.

use super::{Action, CHUNK, CHUNK_BUSY, Flow, POLL_US, Phase, Policy, STALL_US, Seen};
use crate::printer::{Confirmation, JobEnd};

impl Flow {
    pub(super) fn sending(&mut self, now: u64, seen: Seen) -> Action<'_> {
        if let Some(end) = self.stalled(now, seen) {
            return self.end(end);
        }
        if !self.asking.is_empty() {
            return Action::Wait(0);
        }
        let policy = self.policy();
        let Some(job) = &self.job else { return self.end(JobEnd::SentUnconfirmed) };
        if job.left().is_empty() {
            if seen.pending > 0 {
                return Action::Wait(POLL_US);
            }
            self.last_move = now;
            self.phase = Phase::Finishing;
            return Action::Wait(0);
        }
        let chunk = match policy {
            Policy::Line => CHUNK.saturating_sub(seen.pending),
            Policy::Busy if seen.busy == Some(true) || seen.pending > 0 => 0,
            Policy::Busy => CHUNK_BUSY,
            Policy::Fence | Policy::OpenLoop if seen.pending > 0 => 0,
            Policy::Fence => job.window(self.printer.buffer_bytes).min(CHUNK),
            Policy::OpenLoop => job.in_time(now, &self.printer).min(CHUNK),
        };
        match self.job.as_ref().map_or(&[][..], |job| job.chunk(chunk)) {
            [] => Action::Wait(POLL_US),
            bytes => Action::Write(bytes),
        }
    }

    pub(super) fn finishing(&mut self, now: u64, seen: Seen) -> Action<'_> {
        if let Some(end) = self.stalled(now, seen) {
            return self.end(end);
        }
        if !self.asking.is_empty() {
            return Action::Wait(0);
        }
        let Some(job) = &self.job else { return self.end(JobEnd::SentUnconfirmed) };
        let idle = seen.busy != Some(true);
        let done = now >= job.done_at();
        let proof = match job.proof() {
            Some(proof) if job.is_proven() => Some(proof),
            // Asked and not answered in good time, while nothing says that it is gone.
            Some(_) if done && idle && now.saturating_sub(job.done_at()) > STALL_US && self.owed.is_empty() => {
                return self.end(JobEnd::SentUnconfirmed);
            }
            Some(_) => None,
            // The busy line has fallen, which it would not if the printer were gone.
            None if done && seen.busy == Some(false) => Some(Confirmation::Model),
            None if done && idle => return self.end(JobEnd::SentUnconfirmed),
            None => None,
        };
        match proof {
            // Its word is worth nothing, but what the busy line says holds.
            Some(_) if self.babbles => self.end(JobEnd::SentUnconfirmed),
            Some(proof) => match self.stopped_by() {
                Some(why) => self.end(JobEnd::Interrupted(why)),
                None => self.end(JobEnd::Confirmed(proof)),
            },
            None => Action::Wait(POLL_US),
        }
    }

    pub(super) fn can_ask(&self) -> bool {
        self.answers == Some(true)
    }
}
