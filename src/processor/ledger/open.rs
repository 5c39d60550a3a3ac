//! Opens a ledger, or makes one, by the rules that all databases of this program share.

use super::{Ledger, LedgerError};
use crate::sqlite::{self, Kind, Migration, OpenError};
use std::path::Path;

/// A ledger: application id "trpl" in ASCII.
const LEDGER: Kind = Kind {
    what: "a processor's ledger",
    application_id: 0x7472_706C,
    migrations: &[Migration { name: "ledger", sql: include_str!("../../../migrations/processor/0001_ledger.sql") }],
};

impl Ledger {
    /// Opens the ledger at `path`, or makes it. A file that is not ours, is newer or is damaged is left as it was.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = sqlite::open(path, &LEDGER)?;
        sqlite::health(&connection).map_err(|why| OpenError::Damaged { path: path.to_owned(), why })?;
        Ok(Self { connection })
    }
}
