//! A manager's PIN on the handheld: what is typed, and how often it may be tried.
//!
//! | wrong tries | before the next one |
//! |---|---|
//! | 1, 2 | no pause |
//! | 3 | 30 s |
//! | 4 to 9 | twice the pause before, so 32 min at last |
//! | 10 | none any more, until the office sets another PIN |
//!
//! Invariants: a try is counted on the disk before it is checked, so that pulling the plug wins none; what is typed is
//! never shown, logged or written, and is wiped from memory. Checking is the runtime's work; start at [`PinTries`].

use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroize;

/// The most digits of a PIN.
pub const PIN_DIGITS_MAX: usize = 12;
/// The fewest digits of a PIN.
pub const PIN_DIGITS_MIN: usize = 6;
/// Wrong tries after which only the office helps.
pub const TRIES_MAX: u32 = 10;
/// Wrong tries without a pause.
const FREE_TRIES: u32 = 2;
/// The first pause, milliseconds.
const PAUSE_MS: i64 = 30_000;

/// Digits as typed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Pin(String);

impl Pin {
    /// Nothing typed.
    pub const EMPTY: Pin = Pin(String::new());

    /// One digit more, as long as there is room for it.
    pub fn push(&mut self, digit: char) {
        if digit.is_ascii_digit() && self.0.len() < PIN_DIGITS_MAX {
            // A string that grows in place leaves no copy behind.
            self.0.reserve_exact(PIN_DIGITS_MAX - self.0.len());
            self.0.push(digit);
        }
    }

    /// One digit less.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// How many digits.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// For the check, and for nothing else.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(***)")
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Why a PIN was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinRefusal {
    /// Nobody is a manager here.
    #[error("the office has set no manager's PIN: ask the office, then connect once")]
    NotSet,
    /// The office's record of it cannot be used.
    #[error("the manager's PIN on this handheld cannot be checked: ask the office to set it again")]
    Unusable,
    /// Too early.
    #[error("too many wrong tries: wait {} and try again", span(*wait_ms))]
    Wait {
        /// Milliseconds.
        wait_ms: i64,
    },
    /// Too often.
    #[error("this PIN was wrong {TRIES_MAX} times: the office sets another one")]
    Locked,
    /// Another one.
    #[error("that is not the manager's PIN: {left} tries are left")]
    Wrong {
        /// Tries left.
        left: u32,
    },
}

impl PinRefusal {
    /// Whether only the office can help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, PinRefusal::NotSet | PinRefusal::Unusable | PinRefusal::Locked)
    }
}

fn span(ms: i64) -> String {
    let seconds = ms.saturating_add(999) / 1_000;
    if seconds <= 90 { format!("{seconds} s") } else { format!("{} min", (seconds + 59) / 60) }
}

/// Wrong tries so far, as they stand on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PinTries {
    /// Which PIN they were made at: another one begins anew.
    pub pin: String,
    /// How many in a row.
    pub wrong: u32,
    /// When the last one was, Unix milliseconds by the device's clock.
    pub last_ms: i64,
}

impl PinTries {
    /// The tries at `pin`, whatever was counted before.
    #[must_use]
    pub fn at(self, pin: &str) -> PinTries {
        if self.pin == pin { self } else { PinTries { pin: pin.to_owned(), ..PinTries::default() } }
    }

    /// Counts one try more, to be written before it is made.
    ///
    /// # Errors
    /// It must not be made, or not yet.
    pub fn counted(&self, now_ms: i64) -> Result<PinTries, PinRefusal> {
        if self.wrong >= TRIES_MAX {
            return Err(PinRefusal::Locked);
        }
        let wait_ms = self.pause_ms(now_ms);
        if wait_ms > 0 {
            return Err(PinRefusal::Wait { wait_ms });
        }
        Ok(PinTries { pin: self.pin.clone(), wrong: self.wrong.saturating_add(1), last_ms: now_ms })
    }

    /// How long the next try must still wait, milliseconds. A clock that was set back wins nothing.
    pub fn pause_ms(&self, now_ms: i64) -> i64 {
        let doubled = self.wrong.checked_sub(FREE_TRIES + 1);
        let pause = doubled.map_or(0, |n| PAUSE_MS.saturating_mul(1 << n.min(TRIES_MAX)));
        let passed = now_ms.saturating_sub(self.last_ms);
        if passed < 0 { pause } else { pause.saturating_sub(passed).max(0) }
    }

    /// A clock that was behind the last try's: the pause begins again by it, so that it ends some day.
    #[must_use]
    pub fn by_clock(self, now_ms: i64) -> PinTries {
        PinTries { last_ms: self.last_ms.min(now_ms), ..self }
    }

    /// What a try that was counted and failed is told.
    pub fn refusal(&self) -> PinRefusal {
        match TRIES_MAX.saturating_sub(self.wrong) {
            0 => PinRefusal::Locked,
            left => PinRefusal::Wrong { left },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_never_in_debug_and_has_a_limit() {
        let mut pin = Pin::EMPTY;
        for digit in "12345x67890123".chars() {
            pin.push(digit);
        }
        assert_eq!((format!("{pin:?}").as_str(), pin.count()), ("Pin(***)", PIN_DIGITS_MAX));
        pin.pop();
        assert_eq!(pin.bytes(), b"12345678901");
    }

    #[test]
    fn pauses_grow_and_tries_end() {
        let mut tries = PinTries::default().at("a");
        let mut now = 0;
        let mut pauses = Vec::new();
        while let Ok(counted) = tries.counted(now) {
            tries = counted;
            pauses.push(tries.pause_ms(now) / 1_000);
            if tries.pause_ms(now) > 0 {
                let early = tries.counted(now + tries.pause_ms(now) - 1);
                assert!(matches!(early, Err(PinRefusal::Wait { wait_ms: 1 }) | Err(PinRefusal::Locked)));
            }
            now += tries.pause_ms(now);
        }
        assert_eq!(pauses, [0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_840]);
        assert_eq!(tries.counted(i64::MAX), Err(PinRefusal::Locked));
        assert_eq!(tries.refusal(), PinRefusal::Locked);
        assert_eq!(tries.at("b").counted(0).map(|tries| tries.wrong), Ok(1));
    }

    #[test]
    fn a_clock_set_back_waits_the_whole_pause_and_not_for_ever() {
        let tries = PinTries { pin: "a".into(), wrong: 3, last_ms: 1_000_000 };
        assert_eq!(tries.counted(900_000), Err(PinRefusal::Wait { wait_ms: 30_000 }));
        let tries = tries.by_clock(900_000);
        assert_eq!(tries.counted(929_999), Err(PinRefusal::Wait { wait_ms: 1 }));
        assert!(tries.counted(930_000).is_ok());
    }

    #[test]
    fn refusals_are_sentences_with_a_next_step() {
        for (refusal, expect) in [
            (PinRefusal::Wait { wait_ms: 29_001 }, "too many wrong tries: wait 30 s and try again"),
            (PinRefusal::Wait { wait_ms: 90_001 }, "too many wrong tries: wait 2 min and try again"),
            (PinRefusal::Locked, "this PIN was wrong 10 times: the office sets another one"),
            (PinRefusal::Wrong { left: 3 }, "that is not the manager's PIN: 3 tries are left"),
        ] {
            assert_eq!(refusal.to_string(), expect);
        }
    }
}
