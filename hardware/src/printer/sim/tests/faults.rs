//! A fault at each byte of a receipt.

use super::*;

/// What whoever prints does after a fault: what was begun is printed again as a copy, what was not begun as it was.
/// Returns what became of it.
fn with_a_fault(policy: Policy, name: &str, plan: Plan, why: Interruption) -> (Vec<Strip>, u32, bool) {
    let mut till = Till::of(policy, name);
    let mut copy = 1;
    till.driver.check();
    till.control.plan(plan);
    for _ in 0..4 {
        match till.print(&till.receipt(6, copy)) {
            JobEnd::Confirmed(_) | JobEnd::SentUnconfirmed => return (till.torn(), copy, true),
            JobEnd::Refused(_) => {}
            JobEnd::Interrupted(_) => copy += 1,
        }
        till.control.fault(why, false);
    }
    (till.torn(), copy, false)
}

fn a_fault_at_each_byte(policy: Policy, name: &str, faults: &[Interruption], step: usize) {
    let printer = profile(name);
    let bytes = crate::printer::escpos::encode(&receipt(6, 1, &printer), &printer, 64).bytes.len() + 80;
    for why in faults {
        for at in (0..bytes).step_by(step) {
            let plan = Plan::AfterBytes(u64::try_from(at).unwrap(), *why);
            let (strips, copies, sent) = with_a_fault(policy, name, plan, *why);
            let found = |copy| whole(&strips, &receipt(6, copy, &printer), &printer);
            let told = format!("{policy:?} {name} {why:?} at byte {at}");
            assert!(sent, "{told}: never sent");
            assert!(found(1) <= 1, "{told}: two unmarked");
            for copy in 2..=copies {
                assert!(found(copy) <= 1, "{told}: copy {copy} twice");
            }
            // The one that was called sent came out whole, unless nothing tells (then that is said).
            if policy != Policy::OpenLoop {
                assert_eq!(found(copies), 1, "{told}: {:?}", papers(&strips));
            }
        }
    }
}

fn papers(strips: &[Strip]) -> Vec<Vec<String>> {
    strips.iter().map(|strip| strip.paper.texts()).collect()
}

const FAULTS: [Interruption; 4] =
    [Interruption::PaperOut, Interruption::CoverOpen, Interruption::Unplugged, Interruption::Broken];

#[test]
fn slow_a_fault_at_any_byte_brings_no_second_unmarked_receipt_with_a_busy_line() {
    a_fault_at_each_byte(Policy::Busy, "generic-58", &FAULTS, 1);
}

#[test]
fn slow_a_fault_at_any_byte_brings_no_second_unmarked_receipt_with_fences() {
    a_fault_at_each_byte(Policy::Fence, "generic-58", &FAULTS, 1);
}

#[test]
fn slow_a_fault_at_any_byte_brings_no_second_unmarked_receipt_with_job_numbers() {
    a_fault_at_each_byte(Policy::Line, "epson-tm", &FAULTS, 1);
}

#[test]
fn slow_a_fault_at_any_byte_brings_no_second_unmarked_receipt_with_nothing() {
    a_fault_at_each_byte(Policy::OpenLoop, "generic-58", &FAULTS, 3);
}
