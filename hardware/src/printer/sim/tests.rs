//! The simulated printer from the app's side of the link.

use super::*;
use crate::printer::escpos;
use crate::printer::{Confirmation, Interruption, JobEnd, JobId, PrintRow, PrinterCommand, PrinterEvent};
use std::path::Path;
use std::time::Instant;

const CONFIRMED: JobEnd = JobEnd::Confirmed(Confirmation::Fence);

struct Till {
    link: PrinterLink,
    control: SimControl,
}

impl Till {
    async fn new(folder: Option<&Path>) -> Till {
        let (link, control) = spawn(SimConfig { folder: folder.map(Path::to_owned), columns: 32 });
        let mut till = Till { link, control };
        assert_eq!(till.event().await, PrinterEvent::Ready);
        till
    }

    async fn event(&mut self) -> PrinterEvent {
        tokio::time::timeout(Duration::from_secs(10), self.link.events.recv()).await.unwrap().unwrap()
    }

    async fn send(&self, job: u64, rows: Vec<PrintRow>, drawer: bool) {
        self.link.commands.send(PrinterCommand::Print { job: JobId(job), rows, drawer }).await.unwrap();
    }

    /// How the job ended, and the progress seen before.
    async fn ended(&mut self, number: u64) -> (JobEnd, Vec<(u16, u16)>) {
        let mut progress = Vec::new();
        loop {
            match self.event().await {
                PrinterEvent::Progress { job, rows_sent, rows } => {
                    assert_eq!(job, JobId(number));
                    progress.push((rows_sent, rows));
                }
                PrinterEvent::Ended { job, how } => {
                    assert_eq!(job, JobId(number));
                    return (how, progress);
                }
                event @ (PrinterEvent::Ready | PrinterEvent::Gone) => panic!("{event:?} within a job"),
            }
        }
    }

    async fn print(&mut self, job: u64, rows: Vec<PrintRow>, drawer: bool) -> JobEnd {
        self.send(job, rows, drawer).await;
        self.ended(job).await.0
    }
}

fn receipt(rows: usize) -> Vec<PrintRow> {
    (1..=rows).map(|n| PrintRow::plain(format!("{n:>3}  a part of the heating   9,90 €"))).collect()
}

#[tokio::test]
async fn a_receipt_is_printed_confirmed_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipts");
    let mut till = Till::new(Some(&path)).await;
    let rows = vec![
        PrintRow { text: "Müller".into(), bold: true, centred: true },
        PrintRow::plain("Total                   15,40 €"),
    ];
    till.send(7, rows.clone(), false).await;
    assert_eq!(till.ended(7).await, (CONFIRMED, vec![(1, 2), (2, 2)]));
    let text = "             Müller\nTotal                   15,40 €\n";
    assert_eq!(till.control.jobs(), [text]);
    assert_eq!(std::fs::read_to_string(path.join("001.txt")).unwrap(), text);
    let bytes = escpos::encode(&rows, &escpos::EncodeOptions::epson(32));
    assert_eq!(std::fs::read(path.join("001.bin")).unwrap(), bytes);

    drop(till);
    let mut restarted = Till::new(Some(&path)).await;
    assert_eq!(restarted.print(1, receipt(1), false).await, CONFIRMED);
    assert_eq!(std::fs::read_to_string(path.join("001.txt")).unwrap(), text);
    assert!(path.join("002.txt").exists() && path.join("002.bin").exists());
}

#[tokio::test]
async fn the_drawer_opens_only_when_asked() {
    let mut till = Till::new(None).await;
    let injected = vec![PrintRow::plain("Tea\x1bp\0\x19\x19\x10\x14\x01\x00\x01 cup")];
    assert_eq!(till.print(1, injected.clone(), false).await, CONFIRMED);
    assert_eq!(till.control.drawer_pulses(), 0);
    assert_eq!(till.print(2, injected, true).await, CONFIRMED);
    assert_eq!(till.control.drawer_pulses(), 1);
    assert_eq!(till.print(3, receipt(3), false).await, CONFIRMED);
    assert_eq!((till.control.drawer_pulses(), till.control.jobs().len()), (1, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_row_interrupts_and_the_next_job_starts_clean() {
    let folder = tempfile::tempdir().unwrap();
    let faults = [Interruption::PaperOut, Interruption::CoverOpen, Interruption::Unplugged, Interruption::Cooling];
    let mut till = Till::new(Some(folder.path())).await;
    let mut whole = 0;
    for (number, fault) in (0..40_u64).zip(faults.into_iter().cycle()) {
        till.control.fail_after(u32::try_from(number).unwrap(), fault);
        assert_eq!(till.print(number, receipt(40), false).await, JobEnd::Interrupted(fault));
        assert_eq!(till.event().await, PrinterEvent::Gone);
        assert_eq!(till.control.jobs().len(), whole, "a torn receipt is not a receipt");
        till.control.fault(fault, false);
        assert_eq!(till.event().await, PrinterEvent::Ready);
        assert_eq!(till.print(100 + number, receipt(2), false).await, CONFIRMED);
        whole += 1;
        assert_eq!(till.control.jobs().last().unwrap().lines().count(), 2);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2 * whole);
}

#[tokio::test]
async fn a_job_without_paper_or_plug_is_refused_with_its_reason() {
    let mut till = Till::new(None).await;
    till.control.paper(false);
    assert_eq!(till.event().await, PrinterEvent::Gone);
    assert_eq!(till.print(1, receipt(3), true).await, JobEnd::Interrupted(Interruption::PaperOut));
    till.control.plugged(false);
    // The gravest fault is the one that is told; the driver learns of it in its own time.
    for number in 2.. {
        if till.print(number, receipt(3), true).await == JobEnd::Interrupted(Interruption::Unplugged) {
            break;
        }
    }
    till.control.paper(true);
    till.control.clone().plugged(true);
    assert_eq!(till.event().await, PrinterEvent::Ready);
    assert_eq!((till.control.drawer_pulses(), till.control.jobs().len()), (0, 0));
    assert_eq!(till.print(1, receipt(3), false).await, CONFIRMED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_before_the_job_counts_for_the_job() {
    for number in 0..50 {
        let mut till = Till::new(None).await;
        till.control.plugged(false);
        till.send(number, receipt(3), true).await;
        let how = JobEnd::Interrupted(Interruption::Unplugged);
        let mut left = vec![PrinterEvent::Gone, PrinterEvent::Ended { job: JobId(number), how }];
        while !left.is_empty() {
            let event = till.event().await;
            let progress = matches!(event, PrinterEvent::Progress { .. });
            assert!(progress || left.contains(&event), "{event:?}, not one of {left:?}");
            left.retain(|expected| *expected != event);
        }
        assert!(till.control.jobs().is_empty());
        assert_eq!(till.control.drawer_pulses(), 0);
    }
}

#[tokio::test]
async fn long_and_strange_receipts_neither_hang_nor_break() {
    let mut till = Till::new(None).await;
    assert_eq!(till.print(1, Vec::new(), false).await, CONFIRMED);
    let strange = ["\0", "\u{202E}gnip\u{202C}", "😀😀", "\x10\x04\x01", "\u{1b}@"];
    assert_eq!(till.print(2, strange.map(PrintRow::plain).to_vec(), false).await, CONFIRMED);
    assert_eq!(till.control.jobs()[1], "\ngnip\n??\n\n @\n");
    assert_eq!(till.print(3, vec![PrintRow::plain("x".repeat(100_000))], false).await, CONFIRMED);
    let begun = Instant::now();
    assert_eq!(till.print(4, receipt(400), false).await, CONFIRMED);
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!(till.control.jobs()[3].lines().count(), 400);
}

#[tokio::test]
async fn the_memory_of_texts_is_bounded() {
    let mut till = Till::new(None).await;
    for number in 0..300 {
        assert_eq!(till.print(number, vec![PrintRow::plain(number.to_string())], false).await, CONFIRMED);
    }
    let jobs = till.control.jobs();
    assert_eq!((jobs.len(), jobs[0].as_str(), jobs[255].as_str()), (256, "44\n", "299\n"));
}

#[tokio::test]
async fn an_unwritable_folder_does_not_stop_the_printing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut till = Till::new(Some(&file)).await;
    assert_eq!(till.print(1, receipt(3), false).await, CONFIRMED);
    assert_eq!(till.control.jobs().len(), 1);
}

#[tokio::test]
async fn dropping_the_link_ends_the_tasks() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    for unplugged in [false, true] {
        let till = Till::new(None).await;
        assert_eq!(metrics.num_alive_tasks(), before + 2);
        till.control.plugged(!unplugged);
        let control = till.control.clone();
        drop(till);
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(metrics.num_alive_tasks(), before);
        assert!(control.jobs().is_empty());
    }
}
