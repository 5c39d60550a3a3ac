//! Whether an office's money is real. Settled once, when it first serves, for its whole life.
//!
//! Invariant: the table takes one row and nothing changes it, so that no total of an office ever mixes two modes.

use super::{Office, OfficeError};
use crate::domain::mode::Mode;
use rusqlite::{Connection, OptionalExtension as _};

/// The mode; live while nobody has settled it.
pub fn of(db: &Connection) -> Result<Mode, OfficeError> {
    Ok(settled(db)?.unwrap_or_default())
}

fn settled(db: &Connection) -> Result<Option<Mode>, OfficeError> {
    let name: Option<String> =
        db.prepare_cached("SELECT mode FROM office_mode WHERE one = 1")?.query_row([], |r| r.get(0)).optional()?;
    let mode = name.map(|name| Mode::from_name(&name).ok_or_else(|| OfficeError::Record(format!("{name} is no mode"))));
    mode.transpose()
}

impl Office {
    /// Settles the mode of a new office; an error when it was settled otherwise. Live unless `test`.
    pub fn settle_mode(&self, test: bool) -> Result<Mode, OfficeError> {
        let asked = if test { Mode::Test } else { Mode::Live };
        self.write(|tx| match settled(tx)? {
            Some(mode) if mode == asked => Ok(mode),
            Some(mode) => Err(OfficeError::OtherMode(mode)),
            None => {
                tx.execute("INSERT INTO office_mode (one, mode) VALUES (1, ?1)", [asked.name()])?;
                Ok(asked)
            }
        })
    }
}
