//! `tillroll shift`: the open cash shift's X report, or the Z report of the one that was closed last. Reads only.

use super::CliError;
use super::output::line;
use super::state::StateArgs;
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use crate::domain::shift::words::{Line, late, lines, title};
use crate::domain::shift::{Report, ShiftNow};
use jiff::tz::TimeZone;
use serde_json::json;

/// Columns of the report.
const COLUMNS: usize = 42;

/// Runs the command; "no" when there is no shift to report on.
pub fn run(args: &StateArgs) -> Result<bool, CliError> {
    let store = args.store()?;
    let now = store.shift_now().map_err(anyhow::Error::from)?;
    let mode = store.identity().map_err(anyhow::Error::from)?.mode;
    let found = now.open.is_some() || now.last.is_some();
    if args.json {
        told_json(&now, mode)?;
        return Ok(found);
    }
    if let Some(word) = mode.word() {
        line(&format!("{word}: no real money."))?;
    }
    if now.open.is_none() {
        line("No shift is open. Open one on the screen: H on Today.")?;
        if !now.outside.is_zero() {
            line(&format!("{} was taken outside a shift: the next one counts it too.", now.outside))?;
        }
    }
    if let Some(report) = now.open.as_ref().or(now.last.as_ref()) {
        told(report)?;
    }
    let before = now.last.iter().filter(|_| now.open.is_some()).flat_map(|last| last.late.iter().rev());
    for one in before.chain(&now.late) {
        for part in late(one, Money::new(one.minor, now.outside.currency), &when) {
            row(&part)?;
        }
    }
    Ok(found)
}

fn told(report: &Report) -> anyhow::Result<()> {
    line(&title(report))?;
    lines(report, &when).iter().try_for_each(row)
}

fn row(part: &Line) -> anyhow::Result<()> {
    match part {
        Line::Rule => line(&"-".repeat(COLUMNS)),
        Line::Pair { label, value, .. } => {
            let gap = COLUMNS.saturating_sub(label.chars().count() + value.chars().count()).max(1);
            line(format!("{label}{}{value}", " ".repeat(gap)).trim_end())
        }
    }
}

fn told_json(now: &ShiftNow, mode: Mode) -> anyhow::Result<()> {
    let expected = now.open.as_ref().map(|open| open.figures.drawer.expected_minor()).transpose()?;
    super::output::object(&json!({
        "mode": mode.name(), "open": now.open, "expected_minor": expected, "last": now.last, "late": now.late,
        "outside_minor": now.outside.minor, "currency": now.outside.currency, "unsent_rows": now.unsent_rows,
    }))
}

/// `2026-11-24 09:58`, local.
fn when(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
