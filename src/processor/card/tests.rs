//! Reading card data: what agrees, what does not, and rubbish. Encrypts with the same public test key; the ciphers
//! themselves are checked against published vectors in `tillroll_hardware::dukpt`.

use super::*;

const KSN: [u8; 10] = [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01];

/// One element with a length below 256.
fn element(tag: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_vec();
    if value.len() > 0x7F {
        bytes.push(0x81);
    }
    bytes.push(u8::try_from(value.len()).unwrap());
    bytes.extend_from_slice(value);
    bytes
}

fn packed(digits: &str) -> Vec<u8> {
    let even = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("{digits}F") };
    hex::decode(even).unwrap()
}

fn encrypted(mut plaintext: Vec<u8>) -> Ciphered {
    plaintext.resize(plaintext.len().next_multiple_of(8), 0);
    let ciphertext = dukpt::encrypt_data(&dukpt::ANSI_TEST_BDK, &KSN, &plaintext).unwrap();
    Ciphered { ciphertext, ksn: KSN.to_vec(), encryption_type: TDES_DATA, clear_amount_minor: None }
}

fn template(elements: &[Vec<u8>]) -> Ciphered {
    encrypted(element(&[0xFC], &elements.concat()))
}

fn pan(digits: &str) -> Vec<u8> {
    element(&[0x5A], &packed(digits))
}

fn track2(digits: &str) -> Vec<u8> {
    element(&[0x57], &packed(&format!("{digits}D30122010000000000")))
}

fn amount(minor: i64) -> Vec<u8> {
    element(&[0x9F, 0x02], &packed(&format!("{minor:012}")))
}

fn visa() -> &'static str {
    TEST_CARDS.iter().find(|card| card.name == "visa-tap").unwrap().pan
}

#[track_caller]
fn agrees(card: &Ciphered) -> bool {
    let facts = read(card, 1_235, "EUR");
    match facts.read {
        CardRead::Read { behaviour: Some(Behaviour::Approves), amount_agrees } => {
            assert_eq!((facts.name, facts.brand), (Some("visa-tap"), Some("visa")));
            assert_eq!(facts.last4.as_deref(), visa().get(visa().len() - 4..));
            amount_agrees
        }
        other => panic!("expected the card visa-tap, got {other:?}"),
    }
}

#[test]
fn the_reader_and_the_processor_know_the_same_cards() {
    for card in CARDS {
        assert!(TEST_CARDS.iter().any(|known| known.name == card.name), "{}", card.name);
    }
    assert_eq!(TEST_CARDS.len(), CARDS.len());
}

#[test]
fn a_card_is_found_by_either_tag() {
    assert!(agrees(&template(&[pan(visa()), amount(1_235)])));
    assert!(agrees(&template(&[track2(visa()), amount(1_235)])));
    assert!(agrees(&template(&[track2(visa()), amount(1_235), pan(visa())])));
    assert!(agrees(&encrypted([track2(visa()), amount(1_235)].concat())));
}

#[test]
fn an_aes_readers_card_is_found() {
    let mut plaintext = element(&[0xFC], &[pan(visa()), amount(1_235)].concat());
    plaintext.resize(plaintext.len().next_multiple_of(16), 0);
    let ksn = [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0, 0, 0, 1];
    let ciphertext = aes::encrypt_data(&aes::X9_TEST_BDK, &ksn, &plaintext).unwrap();
    let card = |encryption_type| Ciphered {
        ciphertext: ciphertext.clone(),
        ksn: ksn.to_vec(),
        encryption_type,
        clear_amount_minor: None,
    };
    assert!(agrees(&card(AES128_DATA)));
    assert_eq!(read(&card(TDES_DATA), 1_235, "EUR").read, CardRead::Unreadable);
}

#[test]
fn the_signed_amount_decides() {
    assert!(!agrees(&template(&[pan(visa()), amount(1_234)])));
    assert!(!agrees(&template(&[pan(visa())])));
    // Where the reader encrypts nothing but the track, the clear amount stands for it.
    let beside = |minor| Ciphered { clear_amount_minor: Some(minor), ..encrypted(track2(visa())) };
    assert!(agrees(&beside(1_235)));
    assert!(!agrees(&beside(1_234)));
    let clear = |minor| Ciphered { clear_amount_minor: Some(minor), ..template(&[pan(visa()), amount(1_235)]) };
    assert!(agrees(&clear(1_235)));
    assert!(!agrees(&clear(1_234)));
}

#[test]
fn the_signed_currency_decides_if_there_is_one() {
    let currency = |number: &str| element(&[0x5F, 0x2A], &packed(number));
    assert!(agrees(&template(&[pan(visa()), amount(1_235), currency("0978")])));
    assert!(!agrees(&template(&[pan(visa()), amount(1_235), currency("0840")])));
}

#[test]
fn rubbish_is_unreadable_and_says_nothing() {
    let good = || template(&[pan(visa()), amount(1_235)]);
    let mut wrong_key = good();
    wrong_key.ksn[9] ^= 0x04;
    let mut cut = good();
    cut.ciphertext.pop();
    let mut cut_short = [pan(visa()), amount(1_235)].concat();
    cut_short.pop();
    let cases = [
        ("another cipher", Ciphered { encryption_type: 0x90, ..good() }),
        ("an AES serial number", Ciphered { ksn: vec![0; 12], ..good() }),
        ("no whole block", cut),
        ("another key", wrong_key),
        ("two card numbers", template(&[pan(visa()), track2("5555555555554444"), amount(1_235)])),
        ("no card number", template(&[amount(1_235)])),
        ("too short a number", template(&[pan("41111111111"), amount(1_235)])),
        ("an amount in hex", template(&[pan(visa()), element(&[0x9F, 0x02], &[0, 0, 0, 0, 0, 0xAB])])),
        ("a template cut short", encrypted(element(&[0xFC], &cut_short))),
        ("zeros", encrypted(vec![0; 64])),
    ];
    for (what, card) in cases {
        let expect = CardFacts { read: CardRead::Unreadable, name: None, brand: None, last4: None };
        assert_eq!(read(&card, 1_235, "EUR"), expect, "{what}");
    }
}

#[test]
fn a_stranger_is_read_but_has_no_behaviour() {
    let facts = read(&template(&[pan("4999999999999996"), amount(1_235)]), 1_235, "EUR");
    assert_eq!(facts.read, CardRead::Read { behaviour: None, amount_agrees: true });
    assert_eq!((facts.name, facts.brand, facts.last4.as_deref()), (None, Some("visa"), Some("9996")));
}

#[test]
fn amounts_are_twelve_digits() {
    assert_eq!(amount_of_bcd(&[0x99; 6]), Some(MOST_MINOR));
    assert_eq!(amount_of_bcd(&[0, 0, 0, 0, 0x12, 0x35]), Some(1_235));
    assert_eq!(amount_of_bcd(&[0, 0, 0, 0, 0x12, 0x3A]), None);
    assert_eq!(amount_of_bcd(&[0; 5]), None);
}
