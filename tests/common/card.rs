//! What a reader hands over of a card, for tests that have no reader.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tillroll::sync::wire::seal::CardData;
use tillroll_hardware::dukpt;
use tillroll_hardware::reader::cards::TEST_CARDS;

/// The card data of one read, as a reader sends it: FC{57, 9F02}, padded and encrypted under `counter` of its KSN.
pub fn card_data(name: &str, counter: u8, amount_minor: i64) -> CardData {
    let pan = TEST_CARDS.iter().find(|card| card.name == name).unwrap().pan;
    let mut track2 = format!("{pan}D30122010000000000");
    if !track2.len().is_multiple_of(2) {
        track2.push('F');
    }
    let inner = format!("57{:02X}{track2}9F0206{amount_minor:012}", track2.len() / 2);
    let mut plaintext = hex::decode(format!("FC{:02X}{inner}", inner.len() / 2)).unwrap();
    plaintext.resize(plaintext.len().next_multiple_of(8), 0);
    let ksn = [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, counter];
    let ciphertext = dukpt::encrypt_data(&dukpt::ANSI_TEST_BDK, &ksn, &plaintext).unwrap();
    CardData {
        ciphertext: BASE64.encode(ciphertext),
        ksn: hex::encode_upper(ksn),
        encryption_type: 0x80,
        reader: "test".into(),
        emv: [("9F02".to_owned(), format!("{amount_minor:012}"))].into(),
    }
}
