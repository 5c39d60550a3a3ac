//! The cards that the simulated reader presents: public test numbers, Luhn-valid, of no one. The simulated processor
//! knows them by the same numbers.

use crate::bytes::unhex;

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
    /// Inserted; two applications, of which the holder chooses one.
    TwoApplications,
    /// Inserted in vain, then swiped: technical fallback.
    ChipUnreadable,
    /// Swiped.
    Swipe,
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
    /// Good to the end of this month, YYMM.
    pub expires: &'static str,
    /// How its holder is verified; `None` for what its kind does.
    pub verified: Option<[u8; 3]>,
}

const VISA: &str = "A0000000031010";
/// An application that is registered for nobody: proprietary (ISO/IEC 7816-5, category F).
const NO_SCHEME: &str = "F054494C4C01";
/// CVM results: PIN enciphered and checked by the bank, which has not answered (EMV Book 4, Annex A4).
const ONLINE_PIN: [u8; 3] = [0x02, 0x03, 0x00];
const MASTERCARD: &str = "A0000000041010";

/// Every card there is.
pub const TEST_CARDS: [TestCard; 18] = [
    card("visa-tap", "4111111111111111", Presented::Contactless),
    card("mc-chip", "5555555555554444", Presented::Chip),
    card("wallet", "4012888888881881", Presented::Wallet),
    card("decline", "4000000000000002", Presented::Chip),
    card("poor", "4000000000009995", Presented::Chip),
    card("half", "5105105105105100", Presented::Chip),
    card("lost-answer", "4242424242424242", Presented::Chip),
    card("slow", "4005519200000004", Presented::Chip),
    card("card-refuses", "5200828282828210", Presented::ChipRefuses),
    card("two-apps", "4917300800000000", Presented::TwoApplications),
    card("fallback", "5454545454545454", Presented::ChipUnreadable),
    card("swipe", "4012000033330026", Presented::Swipe),
    card("clear-track", "4917610000000000", Presented::ClearTrack),
    TestCard { label: "VISA DEBIT", ..card("debit", "4000056655665556", Presented::Contactless) },
    TestCard { label: "PREPAID", ..card("prepaid", "2223003122003222", Presented::Chip) },
    TestCard { verified: Some(ONLINE_PIN), ..card("online-pin", "5200000000001005", Presented::Chip) },
    TestCard { expires: "2401", ..card("expired", "4000000000000069", Presented::Chip) },
    TestCard { aid: NO_SCHEME, label: "HOUSE CARD", ..card("no-brand", "9999990000000006", Presented::Chip) },
];

const fn card(name: &'static str, pan: &'static str, presented: Presented) -> TestCard {
    let visa = pan.as_bytes()[0] == b'4';
    let aid = if visa { VISA } else { MASTERCARD };
    let label = if visa { "VISA CREDIT" } else { "MASTERCARD" };
    TestCard { name, pan, presented, aid, label, expires: "2912", verified: None }
}

/// Service code: chip, no restriction (ISO/IEC 7813).
const SERVICE: &str = "201";

impl TestCard {
    /// Tag 5A: digits packed two a byte; an odd one is followed by F (EMV Book 3, format cn).
    pub fn packed_number(&self) -> Vec<u8> {
        packed(self.pan)
    }

    /// Tag 57, in clear.
    pub fn track2_equivalent(&self) -> Vec<u8> {
        packed(&format!("{}D{}{SERVICE}", self.pan, self.expires))
    }

    /// Track 2 as it stands on the stripe, in clear.
    pub fn track2(&self) -> String {
        format!(";{}={}{SERVICE}0000000000?", self.pan, self.expires)
    }

    /// Track 2 with all but six and four digits masked.
    pub fn masked_track(&self) -> String {
        let (first6, rest) = self.pan.split_at(6);
        let (middle, last4) = rest.split_at(rest.len() - 4);
        format!(";{first6}{}{last4}={}*********?", "*".repeat(middle.len()), self.expires)
    }

    /// The same packed two digits a byte, F for what is masked.
    pub fn masked_packed(&self) -> Vec<u8> {
        let (first6, rest) = self.pan.split_at(6);
        let (middle, last4) = rest.split_at(rest.len() - 4);
        let digits = format!("{first6}{}{last4}D{}{SERVICE}", "F".repeat(middle.len()), self.expires);
        packed(&digits)
    }

    /// What a reader encrypts that keeps nothing else secret: tag 57.
    pub fn track2_tlv(&self) -> Vec<u8> {
        let mut out = Vec::new();
        crate::tlv::put(&mut out, 0x57, &self.track2_equivalent());
        out
    }

    /// Terminal verification results (tag 95; EMV Book 3, Annex C5): byte 2 bit 7 expired, byte 3 bit 3 PIN for the bank.
    pub fn results(&self) -> [u8; 5] {
        let expired = if self.expires < "2501" { 0x40 } else { 0 };
        let online_pin = if self.verified == Some(ONLINE_PIN) { 0x04 } else { 0 };
        [0, expired, online_pin, 0, 0]
    }

    /// CVM results (EMV Book 4, Annex A4): plain PIN checked by the chip and good, or none needed.
    pub fn verification(&self) -> [u8; 3] {
        if let Some(results) = self.verified {
            return results;
        }
        match self.presented {
            Presented::Chip | Presented::ChipRefuses | Presented::TwoApplications => [0x01, 0x03, 0x02],
            Presented::Contactless
            | Presented::Wallet
            | Presented::ChipUnreadable
            | Presented::Swipe
            | Presented::ClearTrack => [0x1F, 0x03, 0x02],
        }
    }
}

fn packed(digits: &str) -> Vec<u8> {
    if digits.len().is_multiple_of(2) { unhex(digits) } else { unhex(&format!("{digits}F")) }
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
