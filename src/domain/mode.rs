//! Whether what is done counts: real, against a provider's test side, or practice on this handheld alone.
//!
//! Invariant: an office and every handheld of it have one mode for their whole life, so that no total ever mixes two.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether what is done counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real money.
    #[default]
    Live,
    /// A real office and reader, a processor without money.
    Test,
    /// Practice: nothing leaves the handheld.
    Training,
}

impl Mode {
    /// The name in JSON and in the databases.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Live => "live",
            Mode::Test => "test",
            Mode::Training => "training",
        }
    }

    /// The mode of a name.
    pub fn from_name(name: &str) -> Option<Mode> {
        [Mode::Live, Mode::Test, Mode::Training].into_iter().find(|mode| mode.name() == name)
    }

    /// The word that stands on every screen; none where money is real.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Mode::Live => None,
            Mode::Test => Some("TEST"),
            Mode::Training => Some("TRAINING"),
        }
    }

    /// The line that stands on every receipt; none where money is real.
    pub fn banner(self) -> Option<&'static str> {
        match self {
            Mode::Live => None,
            Mode::Test => Some("TEST - NOT A RECEIPT"),
            Mode::Training => Some("TRAINING - NOT A RECEIPT"),
        }
    }

    /// For leaving it out where money is real.
    pub fn is_live(&self) -> bool {
        *self == Mode::Live
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
