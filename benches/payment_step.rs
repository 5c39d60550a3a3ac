//! What making a payment step durable costs, against the bare disk: `cargo bench --bench payment_step`.
//!
//! Each round writes the same number of bytes both ways, in turns, on the same disk: a step through the store (journal
//! row, payment, invoice, ledger, all in one transaction), and a bare append with `fdatasync`. Only the ratio counts.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::float_arithmetic, reason = "a benchmark prints a ratio")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{ids, part, stamp, store_of};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::{Duration, Instant};
use tillroll::domain::event::LineAdded;
use tillroll::domain::event::{Event, PaymentIntended, PaymentStep};
use tillroll::domain::id::{DeviceId, InvoiceId, PaymentId, VisitId};
use uuid::Uuid;

/// Rounds, and payments in a round; each payment is two steps.
const ROUNDS: usize = 41;
const PAYMENTS: usize = 10;

/// Bytes that one step adds to the write-ahead log, by its size before and after.
fn log_bytes(dir: &std::path::Path) -> u64 {
    std::fs::metadata(dir.join("device.sqlite-wal")).map_or(0, |file| file.len())
}

fn main() {
    let dir = tempfile::tempdir_in(".").unwrap();
    let mut store = store_of(dir.path(), DeviceId(Uuid::from_u128(9)), "D07", "");
    let mut bare = OpenOptions::new().create(true).append(true).open(dir.path().join("bare")).unwrap();
    let mut ratios = Vec::new();
    let mut next = ids().payment.0.as_u128() + 1_000;
    for _ in 0..ROUNDS {
        // A visit and an invoice of its own for each round, as in a day: nothing grows from round to round.
        let (job, visit) = (ids().job, VisitId(Uuid::now_v7()));
        let line = Event::LineAdded(LineAdded { job, visit, line: part(Uuid::now_v7().as_u128()) });
        store.commit(&line, &stamp(), None).unwrap();
        let invoice = store
            .issue_invoice(job, visit, InvoiceId(Uuid::from_u128(ids().invoice.0.as_u128() + next)), &stamp())
            .unwrap();
        store.checkpoint().unwrap();
        let (mut stored, mut raw, mut bytes) = (Duration::ZERO, Duration::ZERO, 0_usize);
        for _ in 0..PAYMENTS {
            next += 1;
            let payment = PaymentId(Uuid::from_u128(next));
            let intended = PaymentIntended {
                extras: tillroll::domain::payment::Extras::NONE,
                payment,
                invoice: invoice.id,
                document: invoice.document.clone(),
                job,
                visit,
                amount: invoice.totals.total(),
                linked_to: None,
                keep: None,
            };
            let over = PaymentStep { payment, job, visit, why: "no card".to_owned() };
            for event in [Event::PaymentIntended(intended), Event::PaymentAbandoned(over)] {
                let before = log_bytes(dir.path());
                let began = Instant::now();
                store.commit(&event, &stamp(), None).unwrap();
                stored += began.elapsed();
                // A log that was begun anew does not grow: four pages are what such a step takes.
                bytes = usize::try_from(log_bytes(dir.path()).saturating_sub(before)).unwrap().max(4 * 4_120);
                let block = vec![0xA5_u8; bytes];
                let began = Instant::now();
                bare.write_all(&block).unwrap();
                bare.sync_data().unwrap();
                raw += began.elapsed();
            }
        }
        println!("stored {:>9.3?}  bare {:>9.3?}  last step {bytes} bytes", stored, raw);
        ratios.push(raw.as_secs_f64() / stored.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    println!("rate of steps against the bare disk: median {:.2} of {ROUNDS} pairs", ratios[ROUNDS / 2]);
}
