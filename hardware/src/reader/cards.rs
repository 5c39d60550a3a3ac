//! The cards that the simulated reader presents: public test numbers, Luhn-valid, of no one. The simulated processor
//! knows them by the same numbers.

/// How a card meets the reader, and what it does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// Inserted; a cryptogram.
    Chip,
    /// Tapped; a cryptogram.
    Contactless,
    /// A phone, tapped; its holder was verified on it.
    Wallet,
    /// Inserted; refuses at the first GENERATE AC.
    ChipRefuses,
    /// Swiped through a reader whose configuration lets the track out in clear.
    ClearTrack,
}

/// One card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestCard {
    /// Its name, as in `tillroll processor cards`.
    pub name: &'static str,
    /// Its number.
    pub pan: &'static str,
    /// What it does at the reader.
    pub presented: Presented,
    /// Application id (ISO/IEC 7816-4), hex.
    pub aid: &'static str,
    /// Application label.
    pub label: &'static str,
}

const VISA: &str = "A0000000031010";
const MASTERCARD: &str = "A0000000041010";

/// Every card there is.
pub const TEST_CARDS: [TestCard; 10] = [
    card("visa-tap", "4111111111111111", Presented::Contactless),
    card("mc-chip", "5555555555554444", Presented::Chip),
    card("wallet", "4012888888881881", Presented::Wallet),
    card("decline", "4000000000000002", Presented::Chip),
    card("poor", "4000000000009995", Presented::Chip),
    card("half", "5105105105105100", Presented::Chip),
    card("lost-answer", "4242424242424242", Presented::Chip),
    card("slow", "4005519200000004", Presented::Chip),
    card("card-refuses", "5200828282828210", Presented::ChipRefuses),
    card("clear-track", "4917610000000000", Presented::ClearTrack),
];

const fn card(name: &'static str, pan: &'static str, presented: Presented) -> TestCard {
    let visa = pan.as_bytes()[0] == b'4';
    let aid = if visa { VISA } else { MASTERCARD };
    let label = if visa { "VISA CREDIT" } else { "MASTERCARD" };
    TestCard { name, pan, presented, aid, label }
}

/// The card of a name.
pub fn by_name(name: &str) -> Option<&'static TestCard> {
    TEST_CARDS.iter().find(|card| card.name == name)
}

/// The check digit of ISO/IEC 7812-1, Annex B.
pub fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            let doubled = if place % 2 == 1 { digit * 2 } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_check_digit() {
        for card in TEST_CARDS {
            assert!(luhn(card.pan), "{}", card.name);
        }
        assert!(!luhn("4111111111111112"));
        assert!(!luhn("4111x"));
    }
}
