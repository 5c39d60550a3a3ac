//! What a played day came to: the contract's JSON, and the three-way comparison of the books.

use super::world::{CURRENCY, LOGIN, World, receipts};
use crate::domain::exception::Exception;
use crate::domain::job::VisitState;
use crate::domain::payment::{PaymentState, Tender};
use crate::domain::read::{PaymentView, TodayRow};
use crate::office::payments::refunds::{self, Decision};
use crate::office::{OfficeError, exceptions};
use anyhow::{anyhow, ensure};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the books may take to become quiet.
const QUIET_MAX: Duration = Duration::from_secs(90);

/// Planned and done.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Jobs {
    /// How many visits the day has.
    pub planned: usize,
    /// How many are finished.
    pub done: usize,
}

/// One payment.
#[derive(Debug, Clone, Serialize)]
pub struct PaymentLine {
    id: String,
    document: String,
    tender: Tender,
    card: Option<String>,
    amount_minor: i64,
    currency: &'static str,
    state: PaymentState,
    offline: bool,
}

/// The day.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// As asked for.
    pub seed: u64,
    /// The visits.
    pub jobs: Jobs,
    /// Every payment of the handheld, oldest first.
    pub payments: Vec<PaymentLine>,
    /// Card money captured net of reversals and refunds, by the handheld's book.
    pub card_device_minor: i64,
    /// The same by the office's book.
    pub card_office_minor: i64,
    /// The same by the processor's book.
    pub card_processor_minor: i64,
    /// Cash taken, by the handheld's book.
    pub cash_device_minor: i64,
    /// The same by the office's book.
    pub cash_office_minor: i64,
    /// Whether both sides recomputed every hash.
    pub chain_ok: bool,
    /// What must not be, in sentences.
    pub violations: Vec<String>,
    /// The printed receipts.
    pub receipts: Vec<String>,
    /// The dispatcher's list.
    pub exceptions: Vec<Exception>,
}

impl Report {
    /// Whether the books agree and nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.chain_ok && self.violations.is_empty()
    }
}

/// Waits until nothing is under way any more: all rows sent, all outcomes seen, all approvals captured.
pub async fn quiet(world: &World) -> anyhow::Result<()> {
    let until = Instant::now() + QUIET_MAX;
    loop {
        release(world)?;
        let (unsent, unseen, payments) = world
            .rig
            .till
            .store
            .run(|store| {
                Ok((
                    store.sync_status()?.unsent(),
                    store.unseen_outcomes()?.len() + store.unseen_refunds()?.len(),
                    store.payments()?,
                ))
            })
            .await
            .map_err(|why| anyhow!(why))?;
        let moving: Vec<&PaymentView> = payments.iter().filter(|view| is_moving(view)).collect();
        if unsent == 0 && unseen == 0 && moving.is_empty() {
            return Ok(());
        }
        ensure!(
            Instant::now() < until,
            "the books do not become quiet: {unsent} rows unsent, {unseen} outcomes unseen, {}",
            moving.iter().map(|v| format!("{} {}", v.payment.id, v.state().name())).collect::<Vec<_>>().join(", ")
        );
        sleep(Duration::from_millis(25)).await;
    }
}

/// The dispatcher of a played day gives back what was asked for.
fn release(world: &World) -> anyhow::Result<()> {
    let now = world.office.now_ms();
    world.office.write(|tx| {
        for work in refunds::all(tx, REFUNDS_MAX)?.into_iter().filter(|work| work.state == "waits") {
            refunds::decide(tx, work.refund.id, Decision::Release, LOGIN.0, now)?;
        }
        Ok::<(), OfficeError>(())
    })?;
    Ok(())
}

/// The most refunds of a played day.
const REFUNDS_MAX: usize = 1_000;

fn is_moving(view: &PaymentView) -> bool {
    let under_way = matches!(
        view.state(),
        PaymentState::Presenting
            | PaymentState::CardRead
            | PaymentState::Requested
            | PaymentState::Stored
            | PaymentState::Approved
            | PaymentState::PartlyApproved
            | PaymentState::Unknown
            | PaymentState::VoidPending
    );
    under_way || view.payment.refund_open_minor > 0
}

/// Reads every book and compares them.
pub async fn report(world: &World, dir: &Path, seed: u64, day: &[TodayRow]) -> anyhow::Result<Report> {
    let ids: Vec<_> = day.iter().map(|row| row.job).collect();
    let planned = ids.len();
    let (payments, verified, done) = world
        .rig
        .till
        .store
        .run(move |store| {
            let mut done = 0;
            for id in ids {
                done += usize::from(store.job_detail(id)?.row.state == VisitState::Done);
            }
            Ok((store.payments()?, store.verify()?, done))
        })
        .await
        .map_err(|why| anyhow!(why))?;
    // A void that came too late is money at the processor until it is refunded.
    let captured = |view: &&PaymentView| {
        matches!(view.state(), PaymentState::Captured | PaymentState::Settled | PaymentState::VoidFailed)
    };
    let net = |view: &PaymentView| view.payment.approved_minor - view.payment.refunded_minor;
    let of = |tender| payments.iter().filter(move |view| view.payment.tender == tender);
    let sums = world.office.sums(CURRENCY)?;
    let mut report = Report {
        seed,
        jobs: Jobs { planned, done },
        card_device_minor: of(Tender::Card).filter(captured).map(net).sum(),
        card_office_minor: sums.card_minor,
        card_processor_minor: world.processor.captured_net_minor(CURRENCY.code())?,
        cash_device_minor: of(Tender::Cash).map(net).sum(),
        cash_office_minor: sums.cash_minor,
        chain_ok: true,
        violations: verified.violations,
        payments: payments.iter().map(line).collect(),
        receipts: printed(dir)?,
        exceptions: world.office.read(exceptions::all)?,
    };
    report.violations.extend(world.office.verify()?);
    report.chain_ok = !report.violations.iter().any(|violation| violation.contains("chain"));
    compare(&mut report);
    Ok(report)
}

fn compare(report: &mut Report) {
    let card = [report.card_device_minor, report.card_office_minor, report.card_processor_minor];
    if card.iter().any(|minor| *minor != card[0]) {
        report.violations.push(format!(
            "card money differs: handheld {}, office {}, processor {} (minor units)",
            card[0], card[1], card[2]
        ));
    }
    if report.cash_device_minor != report.cash_office_minor {
        report.violations.push(format!(
            "cash differs: handheld {}, office {} (minor units)",
            report.cash_device_minor, report.cash_office_minor
        ));
    }
}

fn line(view: &PaymentView) -> PaymentLine {
    let payment = &view.payment;
    PaymentLine {
        id: payment.id.to_string(),
        document: payment.document.to_string(),
        tender: payment.tender,
        card: payment.card.as_ref().map(|card| format!("{} ....{}", card.brand, card.last4)),
        amount_minor: payment.amount.minor,
        currency: payment.amount.currency.code(),
        state: view.state(),
        offline: payment.offline,
    }
}

fn printed(dir: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths: Vec<_> = std::fs::read_dir(receipts(dir))?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    Ok(paths.into_iter().map(|path| path.display().to_string()).collect())
}
