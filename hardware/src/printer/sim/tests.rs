//! The driver and the simulated printer against each other, in the printer's own time.

mod faults;

use super::machine::{Plan, Strip};
use super::*;
use crate::printer::driver::{DRAWER_PULSE_US, Print, Watch};
use crate::printer::flow::Policy;
use crate::printer::layout::{Block, Line, Row, layout};
use crate::printer::link::{ManualClock, NoPin};
use crate::printer::profile::Profile;
use crate::printer::{Confirmation, INTERRUPTIONS, Interruption, JobEnd};
use proptest::prelude::*;

type Bench = Driver<SimLine<ManualClock>, SimInput<ManualClock>, SimOutput<ManualClock>, ManualClock>;

struct Till {
    printer: ProfileData,
    control: SimControl<ManualClock>,
    driver: Bench,
}

fn profile(name: &str) -> ProfileData {
    Profile::named(name).unwrap().data
}

impl Till {
    fn new(printer: ProfileData, config: MachineConfig, wires: Wires) -> Till {
        let control = SimControl::new(Machine::new(printer.clone(), config), ManualClock::default(), None);
        let driver = wired(printer.clone(), &control, wires);
        Till { printer, control, driver }
    }

    fn of(policy: Policy, name: &str) -> Till {
        let printer = profile(name);
        let config = MachineConfig {
            cts: policy == Policy::Line,
            answers: policy != Policy::OpenLoop,
            ..MachineConfig::of(&printer)
        };
        Till::new(printer, config, Wires { busy: policy == Policy::Busy, ..Wires::default() })
    }

    fn print(&mut self, rows: &[Row]) -> JobEnd {
        self.driver.print(&Print { rows, unclean: false }, &mut ())
    }

    fn receipt(&self, lines: usize, copy: u32) -> Vec<Row> {
        receipt(lines, copy, &self.printer)
    }

    /// Whole receipts like this one so far.
    fn whole(&self, rows: &[Row]) -> usize {
        whole(&self.torn(), rows, &self.printer)
    }

    /// Waits until the mechanism stands still and tears off what hangs out.
    fn torn(&self) -> Vec<Strip> {
        for _ in 0..100_000 {
            if self.control.machine(|machine, now| machine.stopped().is_some() || machine.is_idle(now)) {
                break;
            }
            self.control.clock().sleep_us(1_000);
        }
        self.control.tear();
        self.control.strips()
    }
}

/// A receipt of so many lines; copies beyond the first say so.
fn receipt(lines: usize, copy: u32, printer: &ProfileData) -> Vec<Row> {
    let mut blocks = vec![Block::Line(Line::plain("Kestrel Service"))];
    if copy > 1 {
        blocks.push(Block::Line(Line::plain(format!("COPY {copy}"))));
    }
    blocks
        .extend((1..=lines).map(|n| Block::Line(Line { right: "9,90 €".into(), ..Line::plain(format!("{n} part")) })));
    blocks.push(Block::Qr("D07-000412".into()));
    blocks.push(Block::Line(Line::plain("Thank you")));
    layout(&blocks, printer.columns, &printer.pages)
}

fn texts(rows: &[Row], columns: u16) -> Vec<String> {
    rows.iter()
        .map(|row| match row {
            Row::Text(line) => line.padded(columns.into()),
            Row::Qr(_) | Row::Image(_) => String::new(),
        })
        .filter(|text| !text.is_empty())
        .collect()
}

/// How many of the strips hold the receipt whole.
fn whole(strips: &[Strip], rows: &[Row], printer: &ProfileData) -> usize {
    let wanted = texts(rows, printer.columns);
    let times = |paper: &Rendered| {
        let texts: Vec<String> = paper.texts().into_iter().filter(|text| !text.is_empty()).collect();
        texts.windows(wanted.len()).filter(|window| **window == wanted).count()
    };
    strips.iter().map(|strip| times(&strip.paper)).sum()
}

#[test]
fn a_receipt_is_confirmed_by_the_best_there_is() {
    for (policy, name, wanted) in [
        (Policy::Line, "epson-tm", JobEnd::Confirmed(Confirmation::ProcessId)),
        (Policy::Busy, "generic-58", JobEnd::Confirmed(Confirmation::Fence)),
        (Policy::Busy, "adafruit-58", JobEnd::Confirmed(Confirmation::Fence)),
        (Policy::Fence, "generic-58", JobEnd::Confirmed(Confirmation::Fence)),
        (Policy::OpenLoop, "generic-58", JobEnd::SentUnconfirmed),
    ] {
        let mut till = Till::of(policy, name);
        let rows = till.receipt(20, 1);
        assert_eq!(till.print(&rows), wanted, "{policy:?} {name}");
        assert_eq!(till.whole(&rows), 1, "{policy:?} {name}");
        let lost = till.control.machine(|machine, _| machine.lost());
        assert_eq!((till.control.drawer_pulses(), lost), (0, 0));
    }
}

#[test]
fn a_silent_printer_with_a_busy_line_is_believed_by_its_model() {
    let printer = profile("generic-58");
    let config = MachineConfig { answers: false, ..MachineConfig::of(&printer) };
    let mut till = Till::new(printer, config, Wires { busy: true, ..Wires::default() });
    assert_eq!(till.print(&till.receipt(20, 1)), JobEnd::Confirmed(Confirmation::Model));
    // Told no earlier than the paper stands still.
    assert!(till.control.machine(|machine, now| machine.is_idle(now)));
    assert_eq!(till.whole(&till.receipt(20, 1)), 1);
}

#[test]
fn the_drawer_gets_one_pulse_of_a_safe_length() {
    let printer = profile("generic-58");
    let config = MachineConfig::of(&printer);
    let mut till = Till::new(printer.clone(), config, Wires { drawer: true, ..Wires::default() });
    let before = till.control.clock().now_us();
    assert!(till.driver.drawer() && till.driver.drawer());
    assert_eq!(till.control.drawer_pulses_us(), [DRAWER_PULSE_US; 2]);
    // No more than a fifth of the time.
    assert!(till.control.clock().now_us() - before >= 2 * DRAWER_PULSE_US * 3);
    let mut by_printer = Till::new(printer, config, Wires::default());
    assert!(by_printer.driver.drawer());
    by_printer.torn();
    assert_eq!(by_printer.control.drawer_pulses(), 1);
    let mut stopped = Till::of(Policy::Line, "epson-tm");
    stopped.control.fault(Interruption::PaperOut, true);
    assert!(stopped.driver.drawer());
    stopped.control.clock().sleep_us(10_000);
    assert_eq!(stopped.control.drawer_pulses(), 1, "in real time, although there is no paper");
}

#[test]
fn a_stopped_printer_is_not_begun_and_its_reason_told() {
    for why in INTERRUPTIONS.into_iter().filter(|why| *why != Interruption::Stopped && *why != Interruption::Cooling) {
        let mut till = Till::of(Policy::Busy, "epson-tm");
        till.control.fault(why, true);
        assert_eq!(till.print(&till.receipt(3, 1)), JobEnd::Refused(why), "{why:?}");
        assert_eq!(till.driver.check().stopped, Some(why));
        till.control.fault(why, false);
        assert_eq!(till.print(&till.receipt(3, 1)), JobEnd::Confirmed(Confirmation::ProcessId), "{why:?}");
        assert_eq!(till.whole(&till.receipt(3, 1)), 1, "{why:?}");
    }
}

#[test]
fn a_paper_sensor_on_the_header_is_enough() {
    let printer = profile("generic-58");
    let config = MachineConfig { answers: false, ..MachineConfig::of(&printer) };
    let mut till = Till::new(printer, config, Wires { busy: true, paper: true, drawer: false });
    till.control.fault(Interruption::PaperOut, true);
    assert_eq!(till.print(&till.receipt(3, 1)), JobEnd::Refused(Interruption::PaperOut));
    assert!(till.torn().is_empty());
    till.control.fault(Interruption::PaperOut, false);
    till.control.plan(Plan::AfterDots(400, Interruption::PaperOut));
    assert_eq!(till.print(&till.receipt(30, 1)), JobEnd::Interrupted(Interruption::PaperOut));
}

#[test]
fn a_hot_head_is_waited_for() {
    struct Cools(SimControl<ManualClock>, bool);
    impl Watch for Cools {
        fn progress(&mut self, _: u16, _: u16, waits: Option<Interruption>) {
            if waits == Some(Interruption::Cooling) {
                self.1 = true;
                self.0.fault(Interruption::Cooling, false);
            }
        }

        fn stops(&mut self) -> bool {
            false
        }
    }
    let mut till = Till::of(Policy::Busy, "epson-tm");
    till.control.plan(Plan::AfterDots(400, Interruption::Cooling));
    let mut cools = Cools(till.control.clone(), false);
    let rows = till.receipt(200, 1);
    let end = till.driver.print(&Print { rows: &rows, unclean: false }, &mut cools);
    assert_eq!((end, cools.1), (JobEnd::Confirmed(Confirmation::ProcessId), true));
    assert_eq!(till.whole(&rows), 1);
}

#[test]
fn a_job_can_be_stopped_and_the_next_comes_out_whole() {
    struct After(u16);
    impl Watch for After {
        fn progress(&mut self, sent: u16, _: u16, _: Option<Interruption>) {
            self.0 = sent;
        }

        fn stops(&mut self) -> bool {
            self.0 >= 5
        }
    }
    for policy in [Policy::Line, Policy::Busy, Policy::Fence, Policy::OpenLoop] {
        let mut till = Till::of(policy, "generic-58");
        let long = till.receipt(60, 1);
        let end = till.driver.print(&Print { rows: &long, unclean: false }, &mut After(0));
        assert_eq!(end, JobEnd::Interrupted(Interruption::Stopped), "{policy:?}");
        assert!(till.print(&till.receipt(4, 2)).is_sent(), "{policy:?}");
        let strips = till.torn();
        let found = |rows: &[Row]| whole(&strips, rows, &till.printer);
        assert_eq!((found(&long), found(&till.receipt(4, 2))), (0, 1), "{policy:?}");
    }
}

#[test]
fn the_budget_holds_and_no_byte_is_lost_where_anything_holds_back() {
    // Thousandths of the mechanism's own time.
    for (policy, budget) in
        [(Policy::Line, 1_050), (Policy::Busy, 1_050), (Policy::Fence, 1_100), (Policy::OpenLoop, 1_150)]
    {
        for sample in sweep::sweep(policy) {
            let small = sample.buffer < 256;
            assert_eq!(sample.lost, 0, "{sample:?}");
            assert!(sample.end.is_sent(), "{sample:?}");
            // A buffer that does not hold two rows leaves the mechanism waiting for the next one.
            assert!(small || sample.ratio_milli() <= budget, "{} {sample:?}", sample.ratio_milli());
        }
    }
}

/// A printer that says anything at all, and takes everything.
struct Rubbish {
    says: Vec<u8>,
    at: usize,
    takes: usize,
}

impl ByteLink for Rubbish {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len().min(self.takes))
    }

    fn pending(&mut self) -> io::Result<usize> {
        Ok(0)
    }

    fn try_read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        for slot in into.iter_mut() {
            *slot = self.says.get(self.at % self.says.len().max(1)).copied().unwrap_or(0);
            self.at += 1;
        }
        Ok(if self.says.is_empty() { 0 } else { into.len() })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_printer_that_says_anything_neither_hangs_nor_breaks(
        says in proptest::collection::vec(any::<u8>(), 0..40),
        takes in 0..20_usize,
        which in 0..4_usize,
    ) {
        let printer = Profile::library()[which].data.clone();
        let open = Box::new(move || Ok(Rubbish { says: says.clone(), at: 0, takes }));
        let pins: Pins<NoPin, NoPin> = Pins::default();
        let clock = ManualClock::default();
        let rows = receipt(10, 1, &printer);
        let mut driver = Driver::new(printer, false, open, pins, clock.clone());
        let end = driver.print(&Print { rows: &rows, unclean: false }, &mut ());
        prop_assert!(takes > 0 || !matches!(end, JobEnd::Confirmed(_)), "{:?}", end);
        prop_assert!(clock.now_us() < 300_000_000, "{} s", clock.now_us() / 1_000_000);
    }
}

#[test]
fn a_flood_of_answers_confirms_nothing() {
    let printer = profile("generic-58");
    let open = Box::new(|| Ok(Rubbish { says: vec![0x12, 0x00], at: 0, takes: 64 }));
    let pins: Pins<NoPin, NoPin> = Pins::default();
    let rows = receipt(10, 1, &printer);
    let mut driver = Driver::new(printer, true, open, pins, ManualClock::default());
    let end = driver.print(&Print { rows: &rows, unclean: false }, &mut ());
    assert_eq!(end, JobEnd::SentUnconfirmed);
}

#[test]
fn four_hundred_lines_and_none_at_all_are_receipts() {
    let mut till = Till::of(Policy::Busy, "generic-80");
    assert_eq!(till.print(&[]), JobEnd::Confirmed(Confirmation::Fence));
    let rows = till.receipt(400, 1);
    assert_eq!(till.print(&rows), JobEnd::Confirmed(Confirmation::Fence));
    assert_eq!(till.whole(&rows), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_kept_before_it_is_called_printed() {
    use crate::printer::{JobId, PrinterCommand, PrinterEvent};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipts");
    let config = SimConfig { printer: profile("generic-80"), folder: Some(path.clone()) };
    let rows = receipt(5, 1, &config.printer);
    let (mut link, control) = spawn(config, ManualClock::default());
    for number in 1..=3 {
        let command = PrinterCommand::Print { job: JobId(number), rows: rows.clone(), unclean: false };
        link.commands.send(command).await.unwrap();
        let mut last = 0;
        loop {
            match link.events.recv().await.unwrap() {
                PrinterEvent::Progress { rows_sent, rows, .. } => {
                    assert!(rows_sent >= last && rows == 8, "{rows_sent} of {rows}");
                    last = rows_sent;
                }
                PrinterEvent::Ended { job, how } => {
                    assert_eq!((job, how), (JobId(number), JobEnd::Confirmed(Confirmation::Fence)));
                    break;
                }
                other @ (PrinterEvent::Drawer(_) | PrinterEvent::Health(_)) => panic!("{other:?}"),
            }
        }
        let text = std::fs::read_to_string(path.join(format!("{number:03}.txt"))).unwrap();
        assert!(text.starts_with("Kestrel Service\n") && text.ends_with("Thank you\n"), "{text}");
        assert!(path.join(format!("{number:03}.png")).exists());
    }
    assert_eq!(control.strips().len(), 3);
    link.commands.send(PrinterCommand::Drawer).await.unwrap();
    assert_eq!(link.events.recv().await, Some(PrinterEvent::Drawer(true)));
}
