//! When an agreement is due: pure arithmetic of dates.
//!
//! Invariant: each date is counted from the first one and not from the one before, so that what begins on the 31st
//! stays at the end of the month and never drifts. Start at [`Every::due`].

use jiff::Span;
use jiff::civil::Date;
use std::str::FromStr;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Days.
    Days,
    /// Weeks.
    Weeks,
    /// Months; the last day where a month is too short.
    Months,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Unit; 3] = [Unit::Days, Unit::Weeks, Unit::Months];

    /// The name in the database, in forms and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Days => "days",
            Unit::Weeks => "weeks",
            Unit::Months => "months",
        }
    }
}

impl FromStr for Unit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Unit, &'static str> {
        Unit::ALL.into_iter().find(|unit| unit.name() == text).ok_or("days, weeks or months")
    }
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// So many, 1 to 366.
    pub count: u16,
    /// Of these.
    pub unit: Unit,
}

impl Every {
    /// The most that is counted.
    pub const MAX: u16 = 366;

    /// So many of these; `None` where that is too many or none.
    pub fn new(count: u16, unit: Unit) -> Option<Every> {
        (1..=Every::MAX).contains(&count).then_some(Every { count, unit })
    }

    /// The due date number `n`, the first one being 0; `None` after the end of the calendar.
    pub fn due(self, first: Date, n: u32) -> Option<Date> {
        let count = i64::from(self.count).checked_mul(i64::from(n))?;
        let span = match self.unit {
            Unit::Days => Span::new().try_days(count),
            Unit::Weeks => Span::new().try_weeks(count),
            Unit::Months => Span::new().try_months(count),
        };
        first.checked_add(span.ok()?).ok()
    }
}

impl std::fmt::Display for Every {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.count {
            1 => write!(f, "every {}", self.unit.name().trim_end_matches('s')),
            count => write!(f, "every {count} {}", self.unit.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_the_first_and_do_not_drift() {
        let check = |first: &str, count, unit, expect: &[&str]| {
            let every = Every::new(count, unit).unwrap();
            for (n, expect) in (0..).zip(expect) {
                assert_eq!(every.due(first.parse().unwrap(), n).unwrap().to_string(), *expect, "{every} from {first}");
            }
        };
        check("2026-01-31", 1, Unit::Months, &["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
        check("2028-02-29", 12, Unit::Months, &["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]);
        check("2026-12-28", 2, Unit::Weeks, &["2026-12-28", "2027-01-11", "2027-01-25"]);
        check("2026-02-27", 10, Unit::Days, &["2026-02-27", "2026-03-09"]);
        assert_eq!(Every::new(1, Unit::Months).unwrap().due("9999-12-01".parse().unwrap(), 1), None);
        assert_eq!(Every::new(0, Unit::Days), None);
        assert_eq!(Every::new(3, Unit::Months).unwrap().to_string(), "every 3 months");
        assert_eq!(Every::new(1, Unit::Weeks).unwrap().to_string(), "every week");
    }
}
