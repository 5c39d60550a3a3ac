//! The driver against the simulated reader, through real messages.

use super::*;
use crate::bytes::unhex;
use crate::dukpt::{ANSI_TEST_BDK, decrypt_data};
use crate::reader::{ArmRequest, CardRead, Cvm, EndReason, Entry, Op, ReaderCommand, ReaderEvent};

const FIRST: [u8; 10] = [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 0];

fn config(ksn_file: Option<PathBuf>) -> SimConfig {
    SimConfig { serial: "B61378A".to_owned(), ksn_file, first_ksn: FIRST, present_after: Duration::ZERO }
}

async fn connected(config: SimConfig) -> (ReaderLink, SimControl) {
    let (mut link, control) = spawn(config);
    let Some(ReaderEvent::Connected(info)) = link.events.recv().await else { panic!("not connected") };
    assert_eq!((info.serial.as_str(), info.battery_percent), ("B61378A", Some(100)));
    (link, control)
}

async fn arm(link: &ReaderLink, op: u64) {
    let request =
        ArmRequest { op: Op(op), amount_minor: 12_345, currency_numeric: 978, currency_exponent: 2, timeout_s: 60 };
    link.commands.send(ReaderCommand::Arm(request)).await.unwrap();
}

/// The event that ends an operation, and the prompts before it.
async fn end(link: &mut ReaderLink) -> (ReaderEvent, Vec<String>) {
    let mut prompts = Vec::new();
    loop {
        match link.events.recv().await.unwrap() {
            ReaderEvent::Prompt { text, .. } => prompts.push(text),
            ReaderEvent::CardSeen { .. } => {}
            event => return (event, prompts),
        }
    }
}

async fn read(link: &mut ReaderLink) -> CardRead {
    match end(link).await.0 {
        ReaderEvent::CardRead { read, .. } => *read,
        event => panic!("{event:?}"),
    }
}

#[tokio::test]
async fn a_chip_card_is_read_and_only_its_key_holder_can_see_it() {
    let (mut link, control) = connected(config(None)).await;
    control.present(Some("mc-chip"));
    arm(&link, 1).await;
    let (event, prompts) = end(&mut link).await;
    let ReaderEvent::CardRead { read, op: Op(1) } = event else { panic!("{event:?}") };
    assert_eq!(prompts, ["TAP, INSERT or SWIPE CARD", "REMOVE CARD", ""]);
    assert_eq!((read.brand, read.last4.as_str()), ("MASTERCARD", "4444"));
    assert_eq!((read.aid.as_str(), read.label.as_str()), ("A0000000041010", "MASTERCARD"));
    assert_eq!((read.entry, read.cvm), (Entry::Chip, Cvm::Pin));
    assert_eq!(read.emv_tags.get("9F02").map(String::as_str), Some("000000012345"));
    let ksn: [u8; 10] = read.ksn.clone().try_into().unwrap();
    let clear = decrypt_data(&ANSI_TEST_BDK, &ksn, &read.ciphertext).unwrap();
    let inside = tlv::find(&clear, 0xFC).unwrap();
    assert_eq!(tlv::find(inside, 0x5A), Some(unhex("5555555555554444").as_slice()));
    assert_eq!(tlv::find(inside, 0x5F2A), Some([0x09, 0x78].as_slice()));
}

#[tokio::test]
async fn wallets_taps_and_refusals_are_told_apart() {
    let (mut link, control) = connected(config(None)).await;
    for (op, name, entry, cvm) in [
        (1, "visa-tap", Entry::Contactless, Cvm::None),
        (2, "wallet", Entry::Contactless, Cvm::Device),
        (3, "half", Entry::Chip, Cvm::Pin),
    ] {
        control.present(Some(name));
        arm(&link, op).await;
        let read = read(&mut link).await;
        assert_eq!((read.entry, read.cvm), (entry, cvm), "{name}");
    }
    control.present(Some("card-refuses"));
    arm(&link, 4).await;
    assert_eq!(end(&mut link).await.0, ReaderEvent::DeclinedByCard { op: Op(4) });
    control.present(Some("clear-track"));
    arm(&link, 5).await;
    assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(5), why: EndReason::ClearCardData });
    control.present(Some("visa-tap"));
    arm(&link, 6).await;
    assert_eq!(read(&mut link).await.last4, "1111");
    assert!(!control.present(Some("no-such-card")));
}

#[tokio::test]
async fn cancel_busy_loss_and_low_battery_end_it_once() {
    let (mut link, control) = connected(config(None)).await;
    arm(&link, 1).await;
    arm(&link, 2).await;
    assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(2), why: EndReason::Busy });
    link.commands.send(ReaderCommand::Cancel { op: Op(1) }).await.unwrap();
    assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(1), why: EndReason::Cancelled });
    arm(&link, 3).await;
    control.vanish();
    assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(3), why: EndReason::ReaderLost });
    assert_eq!(end(&mut link).await.0, ReaderEvent::Lost);
    arm(&link, 4).await;
    assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(4), why: EndReason::ReaderLost });
    control.set_battery(5);
    control.come_back();
    assert!(matches!(end(&mut link).await.0, ReaderEvent::Connected(_)));
    arm(&link, 5).await;
    assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(5), why: EndReason::LowBattery });
}

#[tokio::test(start_paused = true)]
async fn no_card_in_time_is_said() {
    let (mut link, _control) = connected(config(None)).await;
    arm(&link, 1).await;
    assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(1), why: EndReason::TimedOut });
}

#[tokio::test]
async fn a_key_is_never_used_twice_whatever_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reader.ksn");
    let mut seen = Vec::new();
    for op in 0..3 {
        let (mut link, control) = connected(config(Some(file.clone()))).await;
        control.present(Some("visa-tap"));
        for again in 0..2 {
            arm(&link, op * 2 + again).await;
            seen.push(read(&mut link).await.ksn);
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}
