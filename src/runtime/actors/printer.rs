//! The printer's task: lays out a receipt, journals it before the first byte, and journals what became of it.
//!
//! Invariant: printing never blocks or undoes a sale. A receipt that a crash left in the middle stays `queued`: it is
//! never printed again by itself, only when somebody asks for the next copy. Start at [`PrinterHandle::print`].

use super::store::StoreHandle;
use crate::domain::event::{Event as Row, ReceiptEnded, ReceiptQueued};
use crate::domain::id::JobId;
use crate::domain::receipt::{Merchant, Receipt, ReceiptRow, TenderLine, rows};
use jiff::tz::TimeZone;
use tillroll_hardware::printer::{self, JobEnd, PrintRow, PrinterCommand, PrinterEvent, PrinterLink};
use tokio::sync::{mpsc, oneshot};

/// Receipts that may wait.
const QUEUE: usize = 8;

/// How far a preview is wide, characters: a 58 mm roll.
const PREVIEW_COLUMNS: usize = 32;

struct Job {
    rows: Vec<ReceiptRow>,
    drawer: bool,
    answer: oneshot::Sender<Result<(), String>>,
}

/// A way to the printer; cheap to clone.
#[derive(Clone)]
pub struct PrinterHandle {
    jobs: mpsc::Sender<Job>,
    store: StoreHandle,
    columns: usize,
}

/// Starts the printer's task.
pub fn spawn(link: PrinterLink, store: StoreHandle) -> PrinterHandle {
    let (jobs, queue) = mpsc::channel(QUEUE);
    let columns = usize::from(link.columns);
    tokio::spawn(run(link, queue));
    PrinterHandle { jobs, store, columns }
}

impl PrinterHandle {
    /// The receipt of a job's invoice as it would be printed now.
    pub async fn preview(&self, job: JobId) -> Result<Vec<ReceiptRow>, String> {
        Ok(rows(&self.receipt(job).await?.0, PREVIEW_COLUMNS))
    }

    /// Prints the receipt of a job's invoice; which copy it was. `drawer` opens the drawer with it, on the first copy
    /// only.
    pub async fn print(&self, job: JobId, drawer: bool) -> Result<u32, String> {
        let (receipt, row) = self.receipt(job).await?;
        let copy = receipt.copy;
        self.store.commit(Row::ReceiptQueued(row.clone()), None).await?;
        let (answer, waiting) = oneshot::channel();
        let drawer = drawer && copy == 1;
        let sent = self.jobs.send(Job { rows: rows(&receipt, self.columns), drawer, answer }).await;
        let ended = match sent {
            Ok(()) => waiting.await.unwrap_or_else(|_| Err("the printer's task has stopped".to_owned())),
            Err(_) => Err("the printer's task has stopped".to_owned()),
        };
        let (invoice, why) = (row.invoice, ended.as_ref().err().cloned());
        let end = ReceiptEnded { invoice, job, visit: row.visit, copy, printed: ended.is_ok(), why };
        self.store.commit(Row::ReceiptEnded(end), None).await?;
        ended.map(|()| copy)
    }

    async fn receipt(&self, job: JobId) -> Result<(Receipt, ReceiptQueued), String> {
        let now = self.store.clock().now_ms();
        let printed_at = local_minute(now);
        self.store
            .run(move |store| {
                let detail = store.job_detail(job)?;
                let device = store.identity()?.name.to_string();
                let merchant = store.document::<Merchant>("merchant")?;
                let invoice = detail.invoice.clone().ok_or(crate::store::StoreError::Missing("the invoice"))?;
                let copy = store.next_copy(invoice.id)?;
                let queued = ReceiptQueued { invoice: invoice.id, job, visit: invoice.visit, copy };
                let open = invoice.open(detail.sums)?;
                let receipt = Receipt {
                    merchant: merchant.ok_or(crate::store::StoreError::Missing("the merchant's name"))?,
                    document: invoice.document.clone(),
                    printed_at,
                    customer: detail.row.customer_name.clone(),
                    device,
                    copy,
                    tenders: detail.payments.iter().map(TenderLine::of).collect(),
                    invoice,
                    open,
                };
                Ok((receipt, queued))
            })
            .await
    }
}

/// `2026-11-24 09:58`, local.
fn local_minute(now_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

async fn run(mut link: PrinterLink, mut queue: mpsc::Receiver<Job>) {
    let mut number = 0;
    loop {
        let job = tokio::select! {
            job = queue.recv() => match job {
                Some(job) => job,
                None => return,
            },
            // Between jobs: nothing depends on it yet, and a full queue would hold the printer up.
            Some(_) = link.events.recv() => continue,
        };
        number += 1;
        let id = printer::JobId(number);
        let rows = job.rows.into_iter();
        let rows = rows.map(|row| PrintRow { text: row.text, bold: row.bold, centred: row.centred }).collect();
        let command = PrinterCommand::Print { job: id, rows, drawer: job.drawer };
        let ended = match link.commands.send(command).await {
            Ok(()) => end_of(&mut link, id).await,
            Err(_) => Err("the printer is gone: check its cable and switch it on".to_owned()),
        };
        let _ = job.answer.send(ended);
    }
}

async fn end_of(link: &mut PrinterLink, id: printer::JobId) -> Result<(), String> {
    while let Some(event) = link.events.recv().await {
        match event {
            PrinterEvent::Ended { job, how } if job == id => {
                return match how {
                    JobEnd::Confirmed(_) | JobEnd::SentUnconfirmed => Ok(()),
                    JobEnd::Interrupted(why) => Err(why.sentence().to_owned()),
                };
            }
            PrinterEvent::Ended { .. } | PrinterEvent::Ready | PrinterEvent::Gone | PrinterEvent::Progress { .. } => {}
        }
    }
    Err("the printer is gone: check its cable and switch it on".to_owned())
}
