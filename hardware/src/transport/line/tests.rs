//! Driver and simulated reader with nothing but bytes between them.

use super::*;
use crate::reader::session::{self, Driver};
use crate::reader::sim::{Keys, SimConfig, Simulated, serve_links};
use crate::reader::{ArmRequest, ReaderCommand, ReaderEvent, ReaderLink, miura, mms};
use std::time::Duration;
use tokio::io::DuplexStream;

fn config() -> SimConfig {
    SimConfig { serial: "B61378A".to_owned(), ksn_file: None, keys: Keys::Tdes, present_after: Duration::ZERO }
}

/// A bus on which each connection is a pair of streams: the test holds the middle.
struct Bench<F: Framing> {
    connect: mpsc::Sender<Link<F::Message>>,
    to_reader: mpsc::Sender<Link<F::Message>>,
    link: ReaderLink,
    host: F,
    reader: F,
}

impl<F: Framing> Bench<F> {
    fn new<R, D>(host: F, reader: F, card: &str) -> Bench<F>
    where
        R: Simulated<Message = F::Message>,
        D: Driver<Message = F::Message>,
    {
        let (connect, links) = mpsc::channel(1);
        let (to_reader, reader_links) = mpsc::channel(1);
        let control = serve_links::<R>(config(), reader_links);
        assert!(control.present(Some(card)));
        // The world stays as it is for as long as the reader lives.
        std::mem::forget(control);
        Bench { connect, to_reader, link: session::spawn::<D>(links), host, reader }
    }

    async fn plug(&self, host: DuplexStream, reader: DuplexStream) {
        self.to_reader.send(link(reader, self.reader.fresh()).0).await.unwrap();
        self.connect.send(link(host, self.host.fresh()).0).await.unwrap();
    }

    async fn connected(&mut self) {
        while !matches!(self.link.events.recv().await, Some(ReaderEvent::Connected(_))) {}
    }

    async fn arm(&self, op: u64) {
        self.link.commands.send(ReaderCommand::Arm(ArmRequest::one_for_tests(op))).await.unwrap();
    }

    /// How an operation ended.
    async fn end(&mut self) -> ReaderEvent {
        loop {
            match self.link.events.recv().await.unwrap() {
                ReaderEvent::Prompt { .. } | ReaderEvent::CardSeen { .. } => {}
                event => return event,
            }
        }
    }
}

fn mms_bench(card: &str) -> Bench<MmsLine> {
    Bench::new::<mms::sim::Reader, mms::driver::MmsDriver>(MmsLine::new(End::Host), MmsLine::new(End::Reader), card)
}

fn miura_bench(card: &str) -> Bench<MiuraLine> {
    Bench::new::<miura::sim::Reader, miura::driver::MiuraDriver>(MiuraLine::default(), MiuraLine::default(), card)
}

/// Lots of every size, and before them what a line holds when a plug goes in: bytes of no frame.
async fn torn_and_noisy<F: Framing>(mut bench: Bench<F>, noise: &[u8]) {
    for (op, size) in (1..).zip([1, 2, 7, 64, 4_096]) {
        let (mut host, reader) = tokio::io::duplex(size);
        let noise = noise.to_vec();
        let (mut middle_host, middle_reader) = tokio::io::duplex(64);
        let pump = tokio::spawn(async move {
            host.write_all(&noise).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut middle_host, &mut host).await;
        });
        bench.plug(middle_reader, reader).await;
        bench.connected().await;
        bench.arm(op).await;
        let event = bench.end().await;
        assert!(matches!(&event, ReaderEvent::CardRead { read, .. } if read.last4 == "4444"), "{size}: {event:?}");
        pump.abort();
        assert_eq!(bench.end().await, ReaderEvent::Lost);
    }
}

#[tokio::test]
async fn a_card_is_read_over_a_line_that_is_torn_and_noisy() {
    torn_and_noisy(mms_bench("mc-chip"), &[0x55, 0x00, 0xAA, 0xC0]).await;
    torn_and_noisy(miura_bench("mc-chip"), &[0x55, 0x00, 0xAA]).await;
}

/// Copies between the ends until `bytes` have come from the reader, then pulls the plug.
async fn cut_after(mut host: DuplexStream, mut reader: DuplexStream, bytes: usize) -> bool {
    let (mut from_host, mut from_reader, mut left) = ([0_u8; 256], [0_u8; 1], bytes);
    loop {
        tokio::select! {
            read = host.read(&mut from_host) => match read {
                Ok(count @ 1..) if reader.write_all(from_host.get(..count).unwrap()).await.is_ok() => {}
                _ => return false,
            },
            read = reader.read(&mut from_reader) => {
                if left == 0 {
                    return true;
                }
                match read {
                    Ok(1..) if host.write_all(&from_reader).await.is_ok() => left -= 1,
                    _ => return false,
                }
            }
        }
    }
}

/// The connection is lost after each byte of the reader in turn. The operation is abandoned or was read, once, and the
/// next connection needs no one's help.
async fn lost_at_any_byte<F: Framing>(mut bench: Bench<F>) {
    let mut op = 0;
    let (mut lost, mut read) = (0, 0);
    for bytes in 0.. {
        let (host, near) = tokio::io::duplex(4_096);
        let (far, reader) = tokio::io::duplex(4_096);
        bench.plug(host, reader).await;
        let cut = tokio::spawn(cut_after(near, far, bytes));
        let mut event = bench.end().await;
        if matches!(event, ReaderEvent::Connected(_)) {
            op += 1;
            bench.arm(op).await;
            event = bench.end().await;
            match &event {
                ReaderEvent::CardRead { .. } => {
                    read += 1;
                    cut.abort();
                    assert_eq!(bench.end().await, ReaderEvent::Lost, "{bytes}");
                    if read > 3 {
                        break;
                    }
                    continue;
                }
                ReaderEvent::Ended { why, .. } => {
                    assert_eq!(*why, crate::reader::EndReason::ReaderLost, "{bytes}");
                    lost += 1;
                }
                other => panic!("{bytes}: {other:?}"),
            }
            event = bench.end().await;
        }
        assert_eq!(event, ReaderEvent::Lost, "{bytes}");
        assert!(cut.await.unwrap(), "{bytes}");
    }
    assert!(lost > 100, "{lost}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_lost_at_any_byte_of_mms_ends_in_the_right_state() {
    lost_at_any_byte(mms_bench("visa-tap")).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_lost_at_any_byte_of_miura_ends_in_the_right_state() {
    lost_at_any_byte(miura_bench("mc-chip")).await;
}
