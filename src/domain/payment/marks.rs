//! What a read tells of a card beside its number, as far as rules hang on it.
//!
//! Invariant: pure, and it holds no date: that a card has expired is kept, not when. Start at [`CardMarks`].

use super::{CardEntry, CardSummary};
use crate::domain::rules::Funding;
use serde::{Deserialize, Serialize};

/// Registered application providers (ISO/IEC 7816-5), the first five bytes of an AID, as EMVCo's list and the schemes'
/// terminal manuals give them: Visa, Mastercard and Maestro, American Express, CB, JCB, Discover, UnionPay.
const SCHEMES: [&str; 7] =
    ["A000000003", "A000000004", "A000000025", "A000000042", "A000000065", "A000000152", "A000000333"];

/// Applications that are debit by themselves: Visa Electron and V PAY, Maestro, and the common debit applications of
/// the United States (Visa, Mastercard, Discover).
const DEBIT_APPLICATIONS: [&str; 6] =
    ["A0000000032010", "A0000000032020", "A0000000043060", "A0000000980840", "A0000000042203", "A0000001524010"];

/// What a read tells of a card beside its number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CardMarks {
    /// The holder's PIN goes to the bank: only the bank can check it.
    pub online_pin: bool,
    /// Its month is over.
    pub expired: bool,
}

impl CardMarks {
    /// Nothing to note.
    pub fn is_none(&self) -> bool {
        *self == CardMarks::default()
    }

    /// By the terminal verification results (tag 95: byte 2 bit 7 expired application, byte 3 bit 3 online PIN entered;
    /// EMV Book 3, Annex C5) and the CVM results (tag 9F34, method 2 enciphered PIN verified online; EMV Book 3, Annex
    /// C3), both in hex as a reader gives them; a tag that is missing or malformed tells nothing. `past`: the month on
    /// the masked track is over.
    pub fn of(results: Option<&str>, verification: Option<&str>, past: bool) -> CardMarks {
        let byte = |text: Option<&str>, n: usize| {
            text.and_then(|text| text.get(2 * n..2 * n + 2))
                .and_then(|two| u8::from_str_radix(two, 16).ok())
                .unwrap_or(0)
        };
        CardMarks {
            online_pin: byte(results, 2) & 0x04 != 0 || byte(verification, 0) & 0x3F == 0x02,
            expired: byte(results, 1) & 0x40 != 0 || past,
        }
    }
}

impl CardSummary {
    /// Whether its brand is one of those known here: by the application's provider, for a stripe by the number's range.
    pub fn is_known_brand(&self) -> bool {
        let aid = self.aid.to_ascii_uppercase();
        if aid.is_empty() { self.brand != "CARD" } else { SCHEMES.iter().any(|scheme| aid.starts_with(scheme)) }
    }

    /// How it is funded, as its chip says; `None` when it does not. EMV has no tag for it in the clear. Its sources are
    /// the application itself (`DEBIT_APPLICATIONS`) and the words of the application label (tag 9F12, else 50),
    /// which the issuer writes: `VISA CREDIT`, `US DEBIT`. A label without one of these words, and a stripe, tell
    /// nothing; of two words the one that forbids a surcharge counts.
    pub fn funding(&self) -> Option<Funding> {
        let aid = self.aid.to_ascii_uppercase();
        let says = |word: &str| self.label.split(' ').any(|part| part.eq_ignore_ascii_case(word));
        if self.entry == CardEntry::Magstripe || aid.is_empty() {
            None
        } else if says("PREPAID") {
            Some(Funding::Prepaid)
        } else if says("DEBIT") || DEBIT_APPLICATIONS.iter().any(|debit| aid.starts_with(debit)) {
            Some(Funding::Debit)
        } else if says("COMMERCIAL") || says("BUSINESS") || says("CORPORATE") {
            Some(Funding::Commercial)
        } else if says("CREDIT") {
            Some(Funding::Credit)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(aid: &str, label: &str, entry: CardEntry) -> CardSummary {
        CardSummary {
            brand: "CARD".into(),
            last4: "0010".into(),
            aid: aid.into(),
            label: label.into(),
            cvm: String::new(),
            entry,
            marks: CardMarks::default(),
        }
    }

    #[test]
    fn bits_of_the_books_are_read_and_rubbish_tells_nothing() {
        for (results, verification, past, expect) in [
            (None, None, false, (false, false)),
            (Some("0000040000"), None, false, (true, false)),
            (Some("0000000000"), Some("020300"), false, (true, false)),
            (Some("0000000000"), Some("420302"), false, (true, false)),
            (Some("0000000000"), Some("010302"), false, (false, false)),
            (Some("0040000000"), Some("1F0302"), false, (false, true)),
            (Some("FFBFFBFFFF"), Some("1F0302"), false, (false, false)),
            (None, None, true, (false, true)),
            (Some("00"), Some("x"), false, (false, false)),
            (Some("00é0"), Some("é2"), false, (false, false)),
        ] {
            let marks = CardMarks::of(results, verification, past);
            assert_eq!((marks.online_pin, marks.expired), expect, "{results:?} {verification:?}");
        }
    }

    #[test]
    fn funding_is_what_the_chip_says_and_nothing_is_guessed() {
        for (aid, label, expect) in [
            ("A0000000031010", "VISA CREDIT", Some(Funding::Credit)),
            ("A0000000031010", "Visa Debit", Some(Funding::Debit)),
            ("A0000000980840", "US CREDIT", Some(Funding::Debit)),
            ("A0000000032010", "VISA ELECTRON", Some(Funding::Debit)),
            ("A0000000041010", "MASTERCARD", None),
            ("A0000000041010", "CREDITO", None),
            ("A0000000041010", "CREDIT PREPAID", Some(Funding::Prepaid)),
            ("A0000000031010", "VISA BUSINESS CREDIT", Some(Funding::Commercial)),
            ("", "VISA CREDIT", None),
        ] {
            assert_eq!(card(aid, label, CardEntry::Chip).funding(), expect, "{aid} {label}");
        }
        assert_eq!(card("A0000000031010", "VISA CREDIT", CardEntry::Magstripe).funding(), None);
    }

    #[test]
    fn a_brand_is_known_by_its_application() {
        for (aid, brand, expect) in [
            ("A0000000031010", "VISA", true),
            ("a0000003330101", "CARD", true),
            ("F054494C4C01", "CARD", false),
            ("F054494C4C01", "VISA", false),
            ("", "MASTERCARD", true),
            ("", "CARD", false),
        ] {
            let card = CardSummary { brand: brand.into(), ..card(aid, "", CardEntry::Chip) };
            assert_eq!(card.is_known_brand(), expect, "{aid} {brand}");
        }
    }
}
