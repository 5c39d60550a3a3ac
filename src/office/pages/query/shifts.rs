//! Cash shifts, and cash that was taken outside of one.

use crate::domain::money::{Currency, Money};
use crate::domain::shift::Report;
use crate::facts::shift;
use crate::office::{OfficeError, id_from};
use rusqlite::Connection;

/// Shifts on the page at the most.
pub(in crate::office::pages) const SHIFTS_MAX: u32 = 100;

/// One shift with who had it.
pub(in crate::office::pages) struct Seen {
    pub(in crate::office::pages) device_name: String,
    pub(in crate::office::pages) technician: Option<String>,
    pub(in crate::office::pages) report: Report,
}

/// Cash of a handheld without an open shift.
pub(in crate::office::pages) struct Outside {
    pub(in crate::office::pages) device_name: String,
    pub(in crate::office::pages) amount: Money,
}

/// The newest shifts first.
pub(in crate::office::pages) fn shifts(db: &Connection) -> Result<Vec<Seen>, OfficeError> {
    let sql = "SELECT s.id, d.name, t.name FROM shift s JOIN device d ON d.id = s.device
               LEFT JOIN technician t ON t.id = d.technician ORDER BY s.opened_ms DESC, s.id LIMIT ?1";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map([SHIFTS_MAX], |r| Ok((r.get::<_, String>(0)?, r.get(1)?, r.get(2)?)))?;
    let mut seen = Vec::new();
    for columns in found {
        let (id, device_name, technician) = columns?;
        if let Some(kept) = shift::one(db, id_from(&id)?)? {
            seen.push(Seen { device_name, technician, report: shift::report(db, &kept)? });
        }
    }
    Ok(seen)
}

/// By handheld; none without such cash.
pub(in crate::office::pages) fn outside(db: &Connection) -> Result<Vec<Outside>, OfficeError> {
    let sql = "SELECT d.name, e.currency, sum(p.minor) FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry
               JOIN device d ON d.id = e.device
               WHERE p.account = 'cash'
                 AND NOT EXISTS (SELECT 1 FROM shift s WHERE s.device = e.device AND s.state = 'open')
               GROUP BY d.name, e.currency HAVING sum(p.minor) <> 0 ORDER BY d.name";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map([], |r| Ok((r.get(0)?, r.get::<_, String>(1)?, r.get(2)?)))?;
    let mut all = Vec::new();
    for columns in found {
        let (device_name, currency, minor) = columns?;
        all.push(Outside { device_name, amount: Money::new(minor, currency.parse::<Currency>()?) });
    }
    Ok(all)
}
