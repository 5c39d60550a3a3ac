//! Drivers against simulated readers of both protocols, through real messages.

mod marks;

use super::sim::{Fault, Keys, SimConfig, SimControl};
use super::*;
use crate::bytes::unhex;
use crate::dukpt::{self, ANSI_TEST_BDK};
use crate::tlv;
use std::path::PathBuf;
use std::time::Duration;

type Spawn = fn(SimConfig) -> (ReaderLink, SimControl);

/// Both, by name.
const PROTOCOLS: [(&str, Spawn); 2] = [("mms", mms::sim::spawn), ("miura", miura::sim::spawn)];

fn config(ksn_file: Option<PathBuf>) -> SimConfig {
    SimConfig { serial: "B61378A".to_owned(), ksn_file, keys: Keys::Tdes, present_after: Duration::ZERO }
}

async fn connected(spawn: Spawn, config: SimConfig) -> (ReaderLink, SimControl) {
    let (mut link, control) = spawn(config);
    let Some(ReaderEvent::Connected(info)) = link.events.recv().await else { panic!("not connected") };
    assert_eq!((info.serial.as_str(), info.battery_percent), ("B61378A", Some(100)));
    assert!(!info.model.is_empty() && info.firmware.is_some(), "{info:?}");
    (link, control)
}

async fn arm(link: &ReaderLink, op: u64) {
    link.commands.send(ReaderCommand::Arm(ArmRequest::one_for_tests(op))).await.unwrap();
}

/// The event that ends an operation or is about the connection, and the prompts before it.
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

async fn present(name: &str, link: &mut ReaderLink, control: &SimControl, op: u64) -> CardRead {
    assert!(control.present(Some(name)));
    arm(link, op).await;
    read(link).await
}

#[tokio::test]
async fn only_the_key_holder_sees_the_number() {
    for (protocol, spawn) in PROTOCOLS {
        let (mut link, control) = connected(spawn, config(None)).await;
        let read = present("mc-chip", &mut link, &control, 1).await;
        assert_eq!((read.brand, read.last4.as_str()), ("MASTERCARD", "4444"), "{protocol}");
        assert_eq!((read.aid.as_str(), read.label.as_str()), ("A0000000041010", "MASTERCARD"));
        assert_eq!((read.entry, read.cvm), (Entry::Chip, Cvm::Pin));
        assert_eq!(read.emv_tags.get("9F02").map(String::as_str), Some("000000012345"));
        let ksn: [u8; 10] = read.ksn.clone().try_into().unwrap();
        let clear = dukpt::decrypt_data(&ANSI_TEST_BDK, &ksn, &read.ciphertext).unwrap();
        let inside = tlv::find(&clear, 0xFC).unwrap_or(&clear);
        assert!(hex_of(tlv::find(inside, 0x57)).starts_with("5555555555554444D2912"), "{protocol}");
        assert!(!hex_of(Some(&read.ciphertext)).contains("5555555555554444"));
    }
}

fn hex_of(bytes: Option<&[u8]>) -> String {
    bytes.map(crate::bytes::hex).unwrap_or_default()
}

#[tokio::test]
async fn an_aes_reader_says_so_and_its_key_opens_it() {
    let (mut link, control) = connected(mms::sim::spawn, SimConfig { keys: Keys::Aes128, ..config(None) }).await;
    let read = present("visa-tap", &mut link, &control, 1).await;
    assert_eq!((read.ksn.len(), read.encryption_type), (12, 0x9B));
    let ksn: [u8; 12] = read.ksn.clone().try_into().unwrap();
    let clear = dukpt::aes::decrypt_data(&dukpt::aes::X9_TEST_BDK, &ksn, &read.ciphertext).unwrap();
    assert_eq!(tlv::find(tlv::find(&clear, 0xFC).unwrap(), 0x5A), Some(unhex("4111111111111111").as_slice()));
}

#[tokio::test]
async fn every_card_of_the_table_meets_the_reader_in_its_own_way() {
    for (protocol, spawn) in PROTOCOLS {
        let (mut link, control) = connected(spawn, config(None)).await;
        for (op, name, entry, cvm) in [
            (1, "visa-tap", Entry::Contactless, Cvm::None),
            (2, "wallet", Entry::Contactless, Cvm::Device),
            (3, "half", Entry::Chip, Cvm::Pin),
            (4, "swipe", Entry::Magstripe, Cvm::None),
            (5, "fallback", Entry::Magstripe, Cvm::None),
        ] {
            let read = present(name, &mut link, &control, op).await;
            assert_eq!(read.entry, entry, "{protocol} {name}");
            assert!(read.cvm == cvm || read.entry == Entry::Magstripe, "{protocol} {name}");
        }
        control.present(Some("card-refuses"));
        arm(&link, 6).await;
        assert_eq!(end(&mut link).await.0, ReaderEvent::DeclinedByCard { op: Op(6) }, "{protocol}");
        control.present(Some("clear-track"));
        arm(&link, 7).await;
        assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(7), why: EndReason::ClearCardData });
        assert_eq!(present("visa-tap", &mut link, &control, 8).await.last4, "1111", "{protocol}");
        assert!(!control.present(Some("no-such-card")));
    }
}

#[tokio::test]
async fn the_holder_chooses_among_applications() {
    let (mut link, control) = connected(mms::sim::spawn, config(None)).await;
    control.present(Some("two-apps"));
    for (op, index) in [(1, Some(0)), (2, None)] {
        arm(&link, op).await;
        let event = end(&mut link).await.0;
        let ReaderEvent::ChooseApplication { labels, .. } = &event else { panic!("{event:?}") };
        assert_eq!(labels, &["VISA CREDIT", "DEBIT"]);
        link.commands.send(ReaderCommand::SelectApplication { op: Op(op), index }).await.unwrap();
        match (index, end(&mut link).await.0) {
            (Some(_), ReaderEvent::CardRead { .. }) => {}
            (None, event) => assert_eq!(event, ReaderEvent::Ended { op: Op(op), why: EndReason::Cancelled }),
            (_, event) => panic!("{event:?}"),
        }
    }
    // A Miura reader lets the holder choose on its own display.
    let (mut link, control) = connected(miura::sim::spawn, config(None)).await;
    control.present(Some("two-apps"));
    arm(&link, 1).await;
    let (event, prompts) = end(&mut link).await;
    assert!(matches!(event, ReaderEvent::CardRead { .. }) && prompts.contains(&"SELECT APPLICATION".to_owned()));
}

#[tokio::test]
async fn cancel_busy_loss_and_low_battery_end_it_once() {
    for (protocol, spawn) in PROTOCOLS {
        let (mut link, control) = connected(spawn, config(None)).await;
        arm(&link, 1).await;
        arm(&link, 2).await;
        assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(2), why: EndReason::Busy }, "{protocol}");
        link.commands.send(ReaderCommand::Cancel { op: Op(1) }).await.unwrap();
        assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(1), why: EndReason::Cancelled }, "{protocol}");
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
        assert_eq!(end(&mut link).await.0, ReaderEvent::Ended { op: Op(5), why: EndReason::LowBattery }, "{protocol}");
        link.commands.send(ReaderCommand::Identify).await.unwrap();
        assert_eq!(end(&mut link).await.0, ReaderEvent::Identified(true));
    }
}

#[tokio::test]
async fn the_daily_restart_is_announced() {
    let (mut link, control) = connected(mms::sim::spawn, config(None)).await;
    control.restart_in(5);
    assert_eq!(end(&mut link).await.0, ReaderEvent::RestartsSoon { minutes: 5 });
}

#[tokio::test(start_paused = true)]
async fn no_card_in_time_is_said() {
    for (protocol, spawn) in PROTOCOLS {
        let (mut link, _control) = connected(spawn, config(None)).await;
        arm(&link, 1).await;
        let (event, _) = end(&mut link).await;
        assert_eq!(event, ReaderEvent::Ended { op: Op(1), why: EndReason::TimedOut }, "{protocol}");
    }
}

#[tokio::test]
async fn a_key_is_never_used_twice_whatever_restarts() {
    for (_, spawn) in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reader.ksn");
        let mut seen = Vec::new();
        for op in 0..3 {
            let (mut link, control) = connected(spawn, config(Some(file.clone()))).await;
            for again in 0..2 {
                seen.push(present("visa-tap", &mut link, &control, op * 2 + again).await.ksn);
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }
}

/// Every message of the reader is lost, doubled, late and preceded by a break, one at a time, for every way of a card.
/// Each operation ends exactly once, whatever comes; after it the next one is read without anyone's help.
#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_at_any_message_an_operation_ends_once() {
    for (protocol, spawn) in PROTOCOLS {
        for card in ["visa-tap", "mc-chip", "fallback", "card-refuses"] {
            for number in 0..18 {
                for fault in [
                    Fault::Lost(number),
                    Fault::Doubled(number),
                    Fault::Late(number, Duration::from_secs(2)),
                    Fault::Cut(number),
                ] {
                    let what = format!("{protocol} {card} {fault:?}");
                    let (mut link, control) = spawn(config(None));
                    control.fail(Some(fault));
                    control.present(Some(card));
                    let ends = one_operation(&mut link, &control, &what).await;
                    assert_eq!(ends, 1, "{what}");
                }
            }
        }
    }
}

/// Arms once the reader is there, counts the ends of that operation, then reads another card.
async fn one_operation(link: &mut ReaderLink, control: &SimControl, what: &str) -> usize {
    let mut ends = 0;
    let mut armed = false;
    let mut second = false;
    loop {
        let event = tokio::time::timeout(Duration::from_secs(200), link.events.recv()).await;
        let event = event.unwrap_or_else(|_| panic!("{what}: nothing more came")).unwrap();
        let over = match event {
            ReaderEvent::Connected(_) if !armed => {
                arm(link, 1).await;
                armed = true;
                false
            }
            ReaderEvent::CardRead { op: Op(2), read } => {
                assert_eq!(read.last4, "1111", "{what}");
                return ends;
            }
            // The connection may break once more under the second operation.
            ReaderEvent::Ended { op: Op(2), why } => {
                assert_ne!(why, EndReason::ClearCardData, "{what}");
                tokio::time::sleep(Duration::from_secs(30)).await;
                arm(link, 2).await;
                false
            }
            ReaderEvent::CardRead { op: Op(1), .. }
            | ReaderEvent::DeclinedByCard { op: Op(1) }
            | ReaderEvent::Ended { op: Op(1), .. } => true,
            _ => false,
        };
        if over {
            ends += 1;
            if !second {
                control.present(Some("visa-tap"));
                tokio::time::sleep(Duration::from_secs(60)).await;
                arm(link, 2).await;
                second = true;
            }
        }
    }
}

/// What goes wrong with one piece of a message over Bluetooth LE.
#[derive(Debug, Clone, Copy)]
enum PieceFault {
    Lost,
    Doubled,
    /// The first piece of the message comes once more before this one.
    BeginsAgain,
    /// A bit of a counter or a length is another.
    Garbled,
}

/// Carries whole messages in pieces of 20 bytes from `from` to `to`, with one fault at the piece number `at`.
async fn in_pieces(
    mut from: tokio::sync::mpsc::Receiver<Vec<u8>>,
    to: tokio::sync::mpsc::Sender<Vec<u8>>,
    fault: Option<(PieceFault, usize)>,
) {
    let (mut cutter, mut joiner) = (mms::pdu::Cutter::new(20), mms::pdu::Joiner::default());
    let mut number = 0;
    while let Some(message) = from.recv().await {
        let pieces = cutter.cut(&message);
        let first = pieces[0].clone();
        for mut piece in pieces {
            let mut arriving = Vec::new();
            match fault.filter(|(_, at)| *at == number).map(|(fault, _)| fault) {
                None => arriving.push(piece),
                Some(PieceFault::Lost) => {}
                Some(PieceFault::Doubled) => arriving.extend([piece.clone(), piece]),
                Some(PieceFault::BeginsAgain) => arriving.extend([first.clone(), piece]),
                Some(PieceFault::Garbled) => {
                    piece[1] ^= 0x10;
                    arriving.push(piece);
                }
            }
            number += 1;
            for piece in arriving {
                if let Some(message) = joiner.take(&piece).message
                    && to.send(message).await.is_err()
                {
                    return;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_to_a_piece_an_operation_ends_once() {
    for fault in [PieceFault::Lost, PieceFault::Doubled, PieceFault::BeginsAgain, PieceFault::Garbled] {
        for at in 0..60 {
            let (connect, links) = tokio::sync::mpsc::channel(1);
            let (to_reader, reader_links) = tokio::sync::mpsc::channel(1);
            let control = sim::serve_links::<mms::sim::Reader>(config(None), reader_links);
            control.present(Some("mc-chip"));
            tokio::spawn(async move {
                let mut fault = Some((fault, at));
                loop {
                    let (host, middle) = link::pair::<Vec<u8>>();
                    let (near, reader) = link::pair::<Vec<u8>>();
                    tokio::spawn(in_pieces(near.incoming, middle.outgoing, fault.take()));
                    let host_left = tokio::spawn(in_pieces(middle.incoming, near.outgoing, None));
                    if to_reader.send(reader).await.is_err() || connect.send(host).await.is_err() {
                        return;
                    }
                    let _ = host_left.await;
                }
            });
            let mut link = session::spawn::<mms::driver::MmsDriver>(links);
            let what = format!("{fault:?} {at}");
            assert_eq!(one_operation(&mut link, &control, &what).await, 1, "{what}");
        }
    }
}

proptest::proptest! {
    /// Any bytes at any time: no panic, at most one end an operation, and never a read that was not there.
    #[test]
    fn no_messages_make_a_driver_fall(
        messages in proptest::collection::vec(
            (0_u8..6, proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)),
            0..60,
        )
    ) {
        fn ends<M>(out: &[session::Out<M>]) -> usize {
            let end = |item: &&session::Out<M>| matches!(
                item,
                session::Out::Tell(ReaderEvent::Ended { op: Op(1), .. } | ReaderEvent::DeclinedByCard { op: Op(1) })
            );
            out.iter().filter(end).count()
        }
        use session::Driver as _;
        let (mut mms, _) = mms::driver::MmsDriver::connected();
        let (mut miura, _) = miura::driver::MiuraDriver::connected();
        let (mut mms_ends, mut miura_ends) = (0, 0);
        for (kind, bytes) in messages {
            let command = match kind {
                0 => Some(ReaderCommand::Arm(ArmRequest::one_for_tests(1))),
                1 => Some(ReaderCommand::Cancel { op: Op(1) }),
                _ => None,
            };
            if let Some(command) = command {
                // A second arm with the same number would be another operation.
                if kind == 0 && (mms_ends + miura_ends > 0 || mms.running().is_some() || miura.running().is_some()) {
                    continue;
                }
                mms_ends += ends(&mms.command(&command));
                miura_ends += ends(&miura.command(&command));
                continue;
            }
            // Rubbish, and rubbish within a good envelope.
            let number = u16::from_be_bytes([bytes.first().copied().unwrap_or(1), bytes.get(1).copied().unwrap_or(1)]);
            let mut envelope = vec![0xAA, 0x00, 0x81, 0x04, if kind == 2 { 0x82 } else { 0x83 }, 0];
            envelope.extend(number.to_be_bytes());
            envelope.extend([0x82, 0x04, 0x10, 0x08, 0x02, 0x02]);
            tlv::put(&mut envelope, 0x84, &[&number.to_be_bytes()[..], &bytes].concat());
            mms_ends += ends(&mms.message(if kind == 3 { bytes.clone() } else { envelope }));
            let data = [&bytes[..], &[0x90, 0x00]].concat();
            let message = miura::frame::Message { nad: miura::frame::Nad::Mpi, unsolicited: kind == 4, data };
            miura_ends += ends(&miura.message(message));
        }
        proptest::prop_assert!(mms_ends <= 1 && miura_ends <= 1, "{mms_ends} {miura_ends}");
    }
}
