//! A customer's consent that a card is kept: the text that is shown, its version, and what is written down of it.
//!
//! Invariant: what is written down names the text by its version and by its SHA-256, so that nobody can say later that
//! another text was shown. Start at [`ConsentText`].

use super::journal::Hash;
use serde::{Deserialize, Serialize};

/// The longest version, characters.
pub const VERSION_MAX_CHARS: usize = 16;
/// The longest text, characters: it is read on a small screen.
pub const TEXT_MAX_CHARS: usize = 600;

/// The text that a customer agrees to, as the office's rules bring it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentText {
    /// Its version, such as `2026-1`; another text is another version.
    pub version: String,
    /// What the customer reads.
    pub text: String,
}

/// That a customer agreed: with the journal row's time and actor it says who asked, when, and with which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The text's version.
    pub version: String,
    /// SHA-256 of the text, hex.
    pub text_sha256: String,
}

impl ConsentText {
    /// What is written down when the customer agrees to it.
    pub fn consent(&self) -> Consent {
        Consent { version: self.version.clone(), text_sha256: Hash::of(self.text.as_bytes()).to_string() }
    }

    /// Whether it can be shown and told apart from others; a sentence if not.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), &'static str> {
        let plain = |text: &str| !text.chars().any(char::is_control);
        let version = self.version.chars().count();
        if !(1..=VERSION_MAX_CHARS).contains(&version) || self.version.contains(' ') || !plain(&self.version) {
            return Err("card_consent.version: 1 to 16 characters without spaces, such as 2026-1");
        }
        let text = self.text.chars().count();
        if self.text.trim().is_empty() || text > TEXT_MAX_CHARS || !plain(&self.text) {
            return Err("card_consent.text: a text of at most 600 characters on one line");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_version_and_hash_and_what_cannot_be_shown_is_refused() {
        let text = |version: &str, text: &str| ConsentText { version: version.into(), text: text.into() };
        let (one, other) = (text("1", "Keep my card.").consent(), text("1", "Keep my card!").consent());
        assert_eq!(one.version, other.version);
        assert_ne!(one.text_sha256, other.text_sha256);
        // sha256sum of the bytes, computed elsewhere.
        assert_eq!(
            text("1", "abc").consent().text_sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        for (version, words, good) in [
            ("2026-1", "Keep my card.", true),
            ("", "Keep my card.", false),
            ("a version that is long", "x", false),
            ("1", " ", false),
            ("1", "two\nlines", false),
        ] {
            assert_eq!(text(version, words).check().is_ok(), good, "{version:?} {words:?}");
        }
        assert!(text("1", &"x".repeat(TEXT_MAX_CHARS + 1)).check().is_err());
    }
}
