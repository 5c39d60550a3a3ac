//! What technicians may do where money is taken: kept here, handed to the handhelds by the feed.
//!
//! Start at [`Office::set_rules`].

use super::{Office, OfficeError, feed, from_json, kept, meta, set_meta, to_json};
use crate::domain::rules::{RuleRefusal, Rules};

/// The name of the document.
pub const RULES: &str = "rules";

/// Why rules are not taken.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// They cannot be followed.
    #[error(transparent)]
    Refused(#[from] RuleRefusal),
    /// The database.
    #[error(transparent)]
    Office(#[from] OfficeError),
}

impl RulesError {
    /// Whether trying the same again is useless.
    pub fn is_permanent(&self) -> bool {
        match self {
            RulesError::Refused(_) => true,
            RulesError::Office(why) => why.is_permanent(),
        }
    }
}

impl From<rusqlite::Error> for RulesError {
    fn from(why: rusqlite::Error) -> RulesError {
        RulesError::Office(why.into())
    }
}

impl Office {
    /// Puts new rules in force and hands them to every handheld.
    ///
    /// # Errors
    /// Rules that cannot be followed, or the database.
    pub fn set_rules(&self, rules: &Rules) -> Result<(), RulesError> {
        rules.check()?;
        let now_ms = self.now_ms();
        self.write(|tx| {
            rules.card_consent.as_ref().map_or(Ok(()), |consent| kept::know_text(tx, consent, now_ms))?;
            set_meta(tx, RULES, &to_json(rules)?)?;
            feed::note(tx, feed::POLICY, RULES, RULES, "put")?;
            Ok(())
        })
    }

    /// The rules in force.
    ///
    /// # Errors
    /// The database.
    pub fn rules(&self) -> Result<Rules, OfficeError> {
        self.read(|db| meta(db, RULES))?.map_or(Ok(Rules::NONE), |text| from_json(&text))
    }
}
