//! One statement, one text; a changed character is never authentic.

use super::*;
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn keys() -> Vec<DeviceKey> {
    let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
    let key = |name: &str, key| DeviceKey { name: name.to_owned(), key };
    vec![key("D06", other), key("D07", key_of_d07())]
}

fn key_of_d07() -> VerifyingKey {
    key().verifying_key()
}

fn statement() -> Statement {
    Statement {
        mode: Mode::Live,
        kind: ReceiptKind::Sale,
        standing: ReceiptStanding::Pending,
        document: "D07-000412".parse().unwrap(),
        total: Money::new(14_500, Currency::EUR),
        seq: 4_194,
        hash: Hash([0xAB; 32]),
        at_s: 1_795_514_280,
    }
}

#[test]
fn the_vector_of_the_documentation() {
    let text = statement().sign(&key()).unwrap();
    assert_eq!(text, include_str!("../statement.txt").trim());
    assert_eq!(
        hex::encode(key_of_d07().as_bytes()),
        "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
    );
    let keys = keys();
    let (read, by) = check(&text, &keys).unwrap();
    assert_eq!((read, by.name.as_str()), (statement(), "D07"));
    assert_eq!(check(&format!("\n {text}\n"), &keys).unwrap().0, statement(), "blanks around it are no change");
}

#[test]
fn every_kind_reads_back() {
    for kind in [ReceiptKind::Sale, ReceiptKind::Refund, ReceiptKind::Void, ReceiptKind::Deposit] {
        let text = Statement { kind, ..statement() }.sign(&key()).unwrap();
        assert_eq!(check(&text, &keys()).unwrap().0.kind, kind);
    }
}

#[test]
fn what_is_no_statement_of_a_known_device_is_told_apart() {
    let text = statement().sign(&key()).unwrap();
    let newer = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([9; 120]));
    let forged = Statement { total: Money::new(1, Currency::EUR), ..statement() }.sign(&key()).unwrap();
    let mut mixed = URL_SAFE_NO_PAD.decode(&forged[3..]).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(&text[3..]).unwrap();
    let at = mixed.len() - 64;
    mixed[at..].copy_from_slice(&signature[signature.len() - 64..]);
    let mixed = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(mixed));
    for (text, keys, expect) in [
        ("", keys(), StatementError::NotOne),
        ("D07-000412", keys(), StatementError::NotOne),
        ("TR:", keys(), StatementError::NotOne),
        ("TR:AQ", keys(), StatementError::NotOne),
        (&text.to_lowercase(), keys(), StatementError::NotOne),
        (&newer, keys(), StatementError::Newer(9)),
        (&text, keys()[..1].to_vec(), StatementError::UnknownKey(keys()[1].id())),
        (&text, Vec::new(), StatementError::UnknownKey(keys()[1].id())),
        (&mixed, keys(), StatementError::BadSignature),
    ] {
        assert_eq!(check(text, &keys).unwrap_err(), expect, "{text}");
    }
    assert_eq!(Statement { mode: Mode::Training, ..statement() }.sign(&key()), None, "practice states nothing");
}

#[test]
fn every_changed_character_is_found() {
    let text = statement().sign(&key()).unwrap();
    for (at, was) in text.char_indices() {
        for now in "ABab09-_ TR:".chars().filter(|now| *now != was) {
            let mut changed: Vec<char> = text.chars().collect();
            changed[at] = now;
            let changed: String = changed.into_iter().collect();
            assert!(check(&changed, &keys()).is_err(), "{at}: {was} to {now}");
        }
    }
}

proptest! {
    #[test]
    fn any_statement_reads_back_and_fits_its_code(
        series in "[A-Z0-9]{1,8}", number in 1_u32.., minor: i64, seq: u64, hash: [u8; 32], at_s: u32, test: bool,
        kind in prop::sample::select(vec![ReceiptKind::Sale, ReceiptKind::Refund, ReceiptKind::Void]),
        standing in prop::sample::select(vec![
            ReceiptStanding::Due, ReceiptStanding::PartPaid, ReceiptStanding::Pending, ReceiptStanding::Unknown,
            ReceiptStanding::Paid,
        ]),
    ) {
        let document = DocumentNumber { series: series.parse().unwrap(), number };
        let mode = if test { Mode::Test } else { Mode::Live };
        let total = Money::new(minor, Currency::EUR);
        let statement = Statement { mode, kind, standing, document, total, seq, hash: Hash(hash), at_s };
        let text = statement.sign(&key()).unwrap();
        prop_assert!(text.len() <= TEXT_BYTES_MAX);
        let keys = keys();
        prop_assert_eq!(check(&text, &keys).unwrap().0, statement);
    }

    #[test]
    fn any_text_is_refused_in_peace(text in "(TR:)?.{0,250}", bytes: Vec<u8>) {
        prop_assert!(check(&text, &keys()).is_err());
        let mut bytes = bytes;
        bytes.insert(0, VERSION);
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        prop_assert!(check(&text, &keys()).is_err());
    }
}
