//! The office's epoch: new whenever the office begins from a backup, so that everything that happened after the backup
//! and was lost with it is met with suspicion. Sending rows again is safe; asking the processor again is not.
//!
//! Start at [`Office::begin_epoch`].

use super::{Office, OfficeError, agreements, set_meta};
use uuid::Uuid;

/// Words that the office says of one payment in one epoch, at the most: the numbers of a later epoch are above all of
/// an earlier one, those that the backup does not know included, so that a handheld takes them as news.
pub const WORDS_AN_EPOCH: u32 = 1_000;

impl Office {
    /// Begins a new epoch, after the database was restored from a backup. Every payment that is not over is in
    /// question from now on. No other process may use the database.
    ///
    /// # Errors
    /// The database.
    pub fn begin_epoch(self) -> Result<Office, OfficeError> {
        let epoch = Uuid::new_v4();
        let (old, now) = (self.epoch, self.now_ms());
        self.write(|tx| -> Result<(), OfficeError> {
            tx.execute("INSERT INTO former_epoch (epoch, ended_ms) VALUES (?1, ?2)", (old.to_string(), now))?;
            set_meta(tx, "epoch", &epoch.to_string())?;
            tx.execute(
                "UPDATE card_payment SET outcome_n = outcome_n + ?1,
                     seen_n = CASE WHEN seen_n >= outcome_n THEN seen_n + ?1 ELSE seen_n END",
                [WORDS_AN_EPOCH],
            )?;
            tx.execute(
                "UPDATE card_payment SET in_question = 1, next_ms = ?1
                 WHERE over = 0 AND (requested_seq IS NOT NULL OR accepted_offline = 1)",
                [now],
            )?;
            tx.execute("UPDATE attempt SET lease_ms = 0, fence = fence + 1", [])?;
            agreements::restored(tx, now)
        })?;
        Ok(Office { epoch, ..self })
    }

    /// The present epoch.
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }
}
