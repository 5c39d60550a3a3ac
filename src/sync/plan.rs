//! What the device's exchange does next: a pure machine over link, backlog and time.
//!
//! Invariant: retries have a timer of their own and also fire on link-up; they never wait for a new local write.

use super::wire::BATCH_MAX_ROWS;

/// The first pause after a failure, milliseconds.
pub const RETRY_MIN_MS: u64 = 1_000;
/// The longest pause, milliseconds.
pub const RETRY_MAX_MS: u64 = 300_000;

/// How a push ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The office answered.
    Answered,
    /// No answer in time: the next batch is half as large.
    TimedOut,
    /// No link, or it broke.
    NoLink,
    /// 401 or 403: the queue pauses and is never cleared.
    Unauthorised,
    /// The office refused the batch for another reason.
    Refused,
}

/// How often it failed, and how large the next batch may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    failures: u32,
    max_rows: usize,
    retry_min_ms: u64,
}

impl Plan {
    /// Nothing failed yet. `retry_min_ms` is the first pause, [`RETRY_MIN_MS`] outside of tests.
    pub fn new(retry_min_ms: u64) -> Plan {
        Plan { failures: 0, max_rows: BATCH_MAX_ROWS, retry_min_ms: retry_min_ms.max(1) }
    }

    /// Rows that the next batch may hold.
    pub fn max_rows(&self) -> usize {
        self.max_rows
    }

    /// Takes the end of a push. The pause before the next try, milliseconds: `None` means at once while there is
    /// work. `jitter` is 0 to 65 535, evenly spread: full jitter, so that a fleet does not come back in one beat.
    pub fn ended(&mut self, how: Ended, jitter: u16) -> Option<u64> {
        match how {
            Ended::Answered => {
                self.failures = 0;
                self.max_rows = (self.max_rows * 2).min(BATCH_MAX_ROWS);
                return None;
            }
            Ended::TimedOut => self.max_rows = (self.max_rows / 2).max(1),
            Ended::NoLink | Ended::Unauthorised | Ended::Refused => {}
        }
        let most = self.retry_min_ms.saturating_mul(1_u64.checked_shl(self.failures.min(20)).unwrap_or(u64::MAX));
        let most = most.min(RETRY_MAX_MS);
        self.failures = self.failures.saturating_add(1);
        Some((most / 2) + (most / 2).saturating_mul(u64::from(jitter)) / u64::from(u16::MAX))
    }

    /// The link came up, or the technician asks: the next try is now.
    pub fn nudge(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn batches_halve_on_timeouts_and_grow_back() {
        let mut plan = Plan::new(RETRY_MIN_MS);
        for expect in [250, 125, 62, 31, 15, 7, 3, 1, 1] {
            plan.ended(Ended::TimedOut, 0);
            assert_eq!(plan.max_rows(), expect);
        }
        assert_eq!(plan.ended(Ended::Answered, 0), None);
        assert_eq!(plan.max_rows(), 2);
    }

    proptest! {
        #[test]
        fn pauses_grow_to_five_minutes_and_never_beyond(jitters in proptest::collection::vec(any::<u16>(), 1..60)) {
            let mut plan = Plan::new(RETRY_MIN_MS);
            for jitter in jitters {
                let pause = plan.ended(Ended::NoLink, jitter).unwrap();
                prop_assert!((RETRY_MIN_MS / 2..=RETRY_MAX_MS).contains(&pause));
            }
            plan.nudge();
            prop_assert!(plan.ended(Ended::NoLink, u16::MAX).unwrap() <= RETRY_MIN_MS);
        }
    }
}
