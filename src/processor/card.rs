//! The test cards, and how one is found in what a reader encrypted.
//!
//! Here, and nowhere else in the program, card data is decrypted, under the public ANSI test key (X9.24-1:2009 Annex
//! A.4), which protects nothing. Invariant: the clear data lives in memory that is wiped, and what leaves this module
//! is a name, a brand and four digits. Start at [`read`].

use tillroll_hardware::dukpt::{self, aes};
use tillroll_hardware::reader::cards::TEST_CARDS;
use tillroll_hardware::tlv;
use zeroize::Zeroizing;

use super::answer::{Behaviour, CardRead};

/// The most that tag 9F02 can hold: twelve digits.
pub const MOST_MINOR: i64 = 999_999_999_999;

/// Encryption types of the cipher texts that are read here (MagTek D998200383, tag DFDF57: bit 7 DUKPT, bits 5-4 cipher,
/// low nibble what the key is for): TDES, data both ways, and AES-128, encrypting data.
pub const TDES_DATA: u8 = 0x80;
/// The second; which of the nibbles B, C and D it has is inferred.
pub const AES128_DATA: u8 = 0x9B;

/// Tags of EMV Book 3, Annex A, and the template around decrypted data (MagTek D998200383, tag DFDF59).
mod tag {
    pub(super) const TRACK2_EQUIVALENT: u32 = 0x57;
    pub(super) const PAN: u32 = 0x5A;
    pub(super) const CURRENCY: u32 = 0x5F2A;
    pub(super) const AMOUNT: u32 = 0x9F02;
    pub(super) const TEMPLATE: u32 = 0xFC;
}

/// One line of the table of test cards.
#[derive(Debug, Clone, Copy)]
pub struct TestCard {
    /// Its name, as the simulated reader knows it.
    pub name: &'static str,
    /// How it is presented.
    pub entry: &'static str,
    /// What it does, in words.
    pub does: &'static str,
    /// What it does, for [`super::answer`].
    pub behaviour: Behaviour,
}

/// The test cards that the simulated reader can present, in the order in which they are shown.
pub const CARDS: [TestCard; 18] = [
    line("visa-tap", "contactless", "approved", Behaviour::Approves),
    line("mc-chip", "chip", "approved", Behaviour::Approves),
    line("wallet", "contactless", "approved; device account number, verified on the phone", Behaviour::Approves),
    line("decline", "chip", "declined for good, online and late", Behaviour::Declines),
    line("poor", "chip", "declined for lack of funds twice in a card session, then approved", Behaviour::PoorTwice),
    line("half", "chip", "approved for half the amount online, declined when deferred", Behaviour::Half),
    line("lost-answer", "chip", "charged, but the answer never arrives", Behaviour::LosesTheAnswer),
    line("slow", "chip", "charged, but the answer comes after the time-out", Behaviour::AnswersLate),
    line("card-refuses", "chip", "the card itself declines; nothing is sent", Behaviour::StaysAway),
    line("two-apps", "chip", "two applications, the holder chooses; approved", Behaviour::Approves),
    line("fallback", "chip", "the chip cannot be read, the stripe can; approved", Behaviour::Approves),
    line("swipe", "magstripe", "approved", Behaviour::Approves),
    line(
        "clear-track",
        "magstripe",
        "a misconfigured reader sends a clear track; refused, kept nowhere",
        Behaviour::StaysAway,
    ),
    line("debit", "contactless", "a debit card by its label: never a surcharge; approved", Behaviour::Approves),
    line("prepaid", "chip", "a prepaid card by its label: never a surcharge; approved", Behaviour::Approves),
    line("online-pin", "chip", "its PIN is checked by the bank: approved, never taken offline", Behaviour::Approves),
    line("expired", "chip", "its month is over: declined, never taken offline", Behaviour::Declines),
    line("no-brand", "chip", "of no scheme that is known: approved, never taken offline", Behaviour::Approves),
];

const fn line(name: &'static str, entry: &'static str, does: &'static str, behaviour: Behaviour) -> TestCard {
    TestCard { name, entry, does, behaviour }
}

/// Card data as it came, with the amount that came beside it in clear.
pub struct Ciphered {
    /// The reader's cipher text.
    pub ciphertext: Vec<u8>,
    /// Key serial number: 10 bytes for TDES, 12 for AES.
    pub ksn: Vec<u8>,
    /// The reader's tag DFDF57.
    pub encryption_type: u8,
    /// Tag 9F02 of the clear tags, in minor units, if it was among them.
    pub clear_amount_minor: Option<i64>,
}

/// What the ledger may know of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFacts {
    /// Whether it could be read, and what it is.
    pub read: CardRead,
    /// Name of the test card.
    pub name: Option<&'static str>,
    /// Brand, by the first digits.
    pub brand: Option<&'static str>,
    /// Last four digits.
    pub last4: Option<String>,
}

/// What decryption brought to light. Wiped when dropped; has no `Debug`.
#[derive(Default)]
struct Clear {
    pan: Option<Zeroizing<String>>,
    track2_pan: Option<Zeroizing<String>>,
    amount_minor: Option<i64>,
    currency: Option<u16>,
}

/// Decrypts the card data and compares the amount and, if the card was told one, the currency with the request. What
/// cannot be read is [`CardRead::Unreadable`]: an answer, not an error.
pub fn read(card: &Ciphered, amount_minor: i64, currency: &str) -> CardFacts {
    let Some((clear, pan)) = decrypt(card).and_then(|clear| pan_of(&clear).map(|pan| (clear, pan))) else {
        return CardFacts { read: CardRead::Unreadable, name: None, brand: None, last4: None };
    };
    let test_card = TEST_CARDS
        .iter()
        .find(|known| known.pan == pan.as_str())
        .and_then(|known| CARDS.iter().find(|card| card.name == known.name));
    let currency_agrees = match clear.currency {
        None => true,
        Some(number) => iso_currency::Currency::from_code(currency).is_some_and(|known| known.numeric() == number),
    };
    // A reader that encrypts nothing but the track tells the amount beside it; the card's cryptogram covers both.
    let amount_agrees = clear.amount_minor.or(card.clear_amount_minor) == Some(amount_minor)
        && card.clear_amount_minor.is_none_or(|clear_minor| clear_minor == amount_minor)
        && currency_agrees;
    CardFacts {
        read: CardRead::Read { behaviour: test_card.map(|card| card.behaviour), amount_agrees },
        name: test_card.map(|card| card.name),
        brand: Some(brand(&pan)),
        last4: pan.get(pan.len().saturating_sub(4)..).map(str::to_owned),
    }
}

/// An amount in minor units from six bytes of BCD (tag 9F02); `None` for another length or a nibble above nine.
pub fn amount_of_bcd(bcd: &[u8]) -> Option<i64> {
    if bcd.len() != 6 {
        return None;
    }
    bcd_number(bcd)
}

fn bcd_number(bcd: &[u8]) -> Option<i64> {
    bcd.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).try_fold(0_i64, |number, digit| {
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(i64::from(digit))
    })
}

fn decrypt(card: &Ciphered) -> Option<Clear> {
    let plaintext = match card.encryption_type {
        TDES_DATA => {
            let ksn = <[u8; 10]>::try_from(card.ksn.as_slice()).ok()?;
            dukpt::decrypt_data(&dukpt::ANSI_TEST_BDK, &ksn, &card.ciphertext)
        }
        AES128_DATA => {
            let ksn = <[u8; 12]>::try_from(card.ksn.as_slice()).ok()?;
            aes::decrypt_data(&aes::X9_TEST_BDK, &ksn, &card.ciphertext)
        }
        _ => return None,
    };
    clear(&Zeroizing::new(plaintext.ok()?))
}

/// Gathers the four tags that matter from the plaintext: one template, or bare tags, with padding after it.
fn clear(plaintext: &[u8]) -> Option<Clear> {
    let mut clear = Clear::default();
    gather(plaintext, false, &mut clear)?;
    Some(clear)
}

/// Walks one level of TLV. A template at the top is all there is, and is whole to its last byte; what follows it, or
/// the last whole one of bare elements, is padding.
fn gather(mut input: &[u8], in_template: bool, clear: &mut Clear) -> Option<()> {
    while let Ok((tlv::Tlv { tag, value }, rest)) = tlv::first(input) {
        match tag {
            tag::PAN => clear.pan = Some(leading_digits(value)),
            tag::TRACK2_EQUIVALENT => clear.track2_pan = Some(leading_digits(value)),
            tag::AMOUNT => clear.amount_minor = Some(amount_of_bcd(value)?),
            tag::CURRENCY => clear.currency = Some(u16::try_from(bcd_number(value)?).ok()?),
            tag::TEMPLATE if !in_template => return gather(value, true, clear),
            _ => {}
        }
        input = rest;
    }
    (input.is_empty() || !in_template).then_some(())
}

/// A card number is 12 to 19 digits (ISO/IEC 7812-1), and tags 5A and 57 name the same one.
fn pan_of(clear: &Clear) -> Option<Zeroizing<String>> {
    let pan = match (&clear.pan, &clear.track2_pan) {
        (Some(pan), None) | (None, Some(pan)) => pan,
        (Some(pan), Some(track2_pan)) if pan == track2_pan => pan,
        (Some(_), Some(_)) | (None, None) => return None,
    };
    (12..=19).contains(&pan.len()).then(|| pan.clone())
}

/// The digits before the first nibble that is none: padding F in tag 5A, separator D in tag 57.
fn leading_digits(packed: &[u8]) -> Zeroizing<String> {
    let mut digits = Zeroizing::new(String::with_capacity(packed.len() * 2));
    let nibbles = packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    for nibble in nibbles.take_while(|nibble| *nibble <= 9) {
        digits.push(char::from(b'0' + nibble));
    }
    digits
}

/// The brand by its range of numbers (ISO/IEC 7812: 4; 51 to 55 and 2221 to 2720).
fn brand(pan: &str) -> &'static str {
    let prefix = |digits: usize| pan.get(..digits).and_then(|prefix| prefix.parse::<u16>().ok()).unwrap_or(0);
    match (prefix(1), prefix(2), prefix(4)) {
        (4, _, _) => "visa",
        (_, 51..=55, _) | (_, _, 2221..=2720) => "mastercard",
        (_, _, _) => "other",
    }
}

#[cfg(test)]
#[path = "card/tests.rs"]
mod tests;
