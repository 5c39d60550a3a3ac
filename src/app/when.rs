//! Times as people read them: `9:41`, `Tue 24 Nov`, `2 h 10 m`.
//!
//! Invariant: reads no clock and no time zone; both are arguments.

const DAY_MS: i64 = 86_400_000;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in local time, ready to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    days: i64,
    minute_of_day: i64,
}

/// `at_ms` (Unix milliseconds) where local time is UTC plus `offset_minutes`.
pub fn local(at_ms: i64, offset_minutes: i32) -> Local {
    let shifted = at_ms.saturating_add(i64::from(offset_minutes).saturating_mul(60_000));
    Local { days: shifted.div_euclid(DAY_MS), minute_of_day: shifted.rem_euclid(DAY_MS) / 60_000 }
}

impl Local {
    /// `9:41`
    pub fn clock(self) -> String {
        format!("{}:{:02}", self.minute_of_day / 60, self.minute_of_day % 60)
    }

    /// `09:41`, for columns.
    pub fn clock5(self) -> String {
        format!("{:02}:{:02}", self.minute_of_day / 60, self.minute_of_day % 60)
    }

    /// `Tue`
    pub fn weekday(self) -> &'static str {
        pick(&WEEKDAYS, self.days.rem_euclid(7))
    }

    /// `Tue 24 Nov`
    pub fn date(self) -> String {
        let (day, month) = day_and_month(self.days);
        format!("{} {day} {}", self.weekday(), pick(&MONTHS, month - 1))
    }

    /// `9:41` on the day of `now`, `Wed 9:41` within a week of it, else `Tue 24 Nov 9:41`.
    pub fn seen_from(self, now: Local) -> String {
        match self.days.saturating_sub(now.days).unsigned_abs() {
            0 => self.clock(),
            1..=6 => format!("{} {}", self.weekday(), self.clock()),
            _ => format!("{} {}", self.date(), self.clock()),
        }
    }

    /// Whether both are on one day.
    pub fn same_day(self, other: Local) -> bool {
        self.days == other.days
    }
}

fn pick(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|i| names.get(i)).copied().unwrap_or("?")
}

/// Day of the month and month (both from 1) of a day counted from 1 January 1970, proleptic Gregorian.
/// After Howard Hinnant, `chrono`-compatible low-level date algorithms, `civil_from_days`.
fn day_and_month(days: i64) -> (i64, i64) {
    let day_of_era = days.saturating_add(719_468).rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    (day, if month < 10 { month + 3 } else { month - 9 })
}

/// A span in the two largest units that matter: `2 h 10 m`, `21 h`, `12 m`, `3 d`; negative counts as nothing.
pub fn span(ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match minutes {
        0..60 => format!("{minutes} m"),
        60..600 => format!("{} h {} m", minutes / 60, minutes % 60),
        600..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1_440),
    }
}

/// A span to the second: `0:07`; negative counts as nothing.
pub fn stopwatch(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (ms, offset, date, clock) in [
            (0, 0, "Thu 1 Jan", "0:00"),
            (1_795_513_260_000, 0, "Tue 24 Nov", "9:41"),
            (1_795_513_260_000, 60, "Tue 24 Nov", "10:41"),
            (951_782_400_000, 0, "Tue 29 Feb", "0:00"),
            (-60_000, 0, "Wed 31 Dec", "23:59"),
        ] {
            let at = local(ms, offset);
            assert_eq!((at.date().as_str(), at.clock().as_str()), (date, clock));
        }
        let now = local(1_795_513_260_000, 0);
        assert_eq!(local(1_795_513_260_000 + DAY_MS, 0).seen_from(now), "Wed 9:41");
        for ms in [i64::MIN, i64::MAX] {
            let _ = (local(ms, i32::MAX).date(), local(ms, i32::MIN).clock(), span(ms), stopwatch(ms));
        }
    }

    #[test]
    fn spans_name_what_matters() {
        for (minutes, text) in [(-5, "0 m"), (12, "12 m"), (130, "2 h 10 m"), (21 * 60 + 5, "21 h"), (4_320, "3 d")] {
            assert_eq!(span(minutes * 60_000), text);
        }
        assert_eq!(stopwatch(7_900), "0:07");
    }
}
