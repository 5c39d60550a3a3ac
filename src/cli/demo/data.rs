//! A day's master data, inside the program, so that the demo needs no checkout.

use crate::office::import::{ImportKind, import};
use crate::office::{Office, OfficeError, feed};
use anyhow::anyhow;
use uuid::Uuid;

/// The day on which the files' first jobs stand.
const FIRST_DAY: &str = "2026-11-23";

const FILES: [(ImportKind, &str); 6] = [
    (ImportKind::Technicians, include_str!("../../../tests/data/technicians.csv")),
    (ImportKind::Customers, include_str!("../../../tests/data/customers.csv")),
    (ImportKind::Sites, include_str!("../../../tests/data/sites.csv")),
    (ImportKind::Equipment, include_str!("../../../tests/data/equipment.csv")),
    (ImportKind::Prices, include_str!("../../../tests/data/prices.csv")),
    (ImportKind::Jobs, include_str!("../../../tests/data/jobs.csv")),
];

/// Brings all of it into the office, the first day moved to `day`. Doing it again changes nothing.
pub fn load(office: &Office, day: jiff::civil::Date) -> anyhow::Result<()> {
    let first: jiff::civil::Date = FIRST_DAY.parse()?;
    for (kind, text) in FILES {
        let moved = if kind == ImportKind::Jobs { moved(text, first, day)? } else { text.to_owned() };
        let now = office.now_ms();
        office.write(|tx| -> Result<(), OfficeError> {
            let mut notes = Vec::new();
            let done = import(tx, kind, moved.as_bytes(), now, &mut Uuid::now_v7, &mut |note| notes.push(note));
            done.map_err(|why| OfficeError::Record(why.to_string()))?;
            for note in notes {
                feed::note(tx, &note.channel, note.kind, &note.entity, note.op.name())?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The jobs with every date moved by the days between `first` and `day`.
fn moved(text: &str, first: jiff::civil::Date, day: jiff::civil::Date) -> anyhow::Result<String> {
    let mut out = text.to_owned();
    // By way of a name that no date has, so that overlapping days are not moved twice.
    for later in 0..5_i64 {
        let from = first.checked_add(jiff::Span::new().days(later)).map_err(|why| anyhow!(why))?;
        out = out.replace(&from.to_string(), &format!("<day {later}>"));
    }
    for later in 0..5_i64 {
        let to = day.checked_add(jiff::Span::new().days(later)).map_err(|why| anyhow!(why))?;
        out = out.replace(&format!("<day {later}>"), &to.to_string());
    }
    Ok(out)
}
