//! The device's clocks: wall time, and time since the machine's boot, which no one can set.

use crate::domain::id::RowId;
use crate::domain::journal::Stamp;
use jiff::tz::TimeZone;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Reads the clocks and makes stamps; cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock {
    boot: Uuid,
    began: Instant,
    actor: String,
}

impl Clock {
    /// Clocks of this boot, for rows by `actor`.
    pub fn new(actor: &str) -> Clock {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let boot = boot.and_then(|text| text.trim().parse().ok()).unwrap_or_else(Uuid::new_v4);
        Clock { boot, began: Instant::now(), actor: actor.to_owned() }
    }

    /// Wall clock, Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// This boot.
    pub fn boot(&self) -> Uuid {
        self.boot
    }

    /// Milliseconds since boot; since the program's start where the machine does not say.
    pub fn mono_ms(&self) -> u64 {
        let uptime = std::fs::read_to_string("/proc/uptime").ok();
        let seconds = uptime.as_deref().and_then(|text| text.split_whitespace().next());
        let parsed = seconds.and_then(|text| {
            let (whole, part) = text.split_once('.')?;
            let hundredths: u64 = part.get(..2)?.parse().ok()?;
            whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(hundredths * 10)
        });
        parsed.unwrap_or_else(|| u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// A stamp for a new row.
    pub fn stamp(&self, offset_ms: Option<i64>) -> Stamp {
        Stamp {
            id: RowId(Uuid::now_v7()),
            at_ms: self.now_ms(),
            boot: self.boot,
            mono_ms: self.mono_ms(),
            offset_ms,
            actor: self.actor.clone(),
        }
    }
}

/// The local day that `at_ms` falls on: from midnight to midnight, Unix milliseconds. Not always 24 hours.
pub fn local_day(at_ms: i64, zone: &TimeZone) -> (i64, i64) {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let day = zone.to_datetime(at).date();
    // Where midnight is left out, the day begins with what comes after the gap.
    let begin = |day: jiff::civil::Date| zone.to_timestamp(day.at(0, 0, 0, 0)).map(jiff::Timestamp::as_millisecond);
    let until = day.tomorrow().and_then(begin);
    (begin(day).unwrap_or(at_ms), until.unwrap_or(i64::MAX))
}
