//! The printer's task: lays out a receipt, journals it before the first byte, and journals what became of it.
//!
//! Invariant: printing never blocks or undoes a sale. A receipt that a crash left in the middle stays `queued`: it is
//! never printed again by itself, only when somebody asks for the next copy. The drawer is opened once for a payment.
//! Start at [`PrinterHandle::print`].

mod compose;
mod report;

use super::store::StoreHandle;
use crate::domain::event::{DrawerOpened, Event as Row, ReceiptEnded, ReceiptState};
use crate::domain::receipt::content::{Block, content};
use crate::domain::receipt::{Dots, PrintedReceipt, Receipt, ReceiptOf, ReceiptPreview, ReceiptRow};
use compose::{Composed, compose};
use ed25519_dalek::SigningKey;
use std::sync::Arc;
use tillroll_hardware::printer::bitmap::Bitmap;
use tillroll_hardware::printer::layout::{self, Line, Row as PaperRow, Size, layout};
use tillroll_hardware::printer::profile::ProfileData;
use tillroll_hardware::printer::{
    self, Confirmation, Interruption, JobEnd, PrinterCommand, PrinterEvent, PrinterLink, qr,
};
use tokio::sync::{mpsc, oneshot, watch};

/// Receipts that may wait.
const QUEUE: usize = 8;

/// The widest preview, characters.
const PREVIEW_COLUMNS_MAX: u16 = 48;

/// What waits for the printer.
enum Job {
    Print { rows: Vec<PaperRow>, unclean: bool, answer: oneshot::Sender<JobEnd> },
    Drawer { answer: oneshot::Sender<bool> },
    Check { answer: oneshot::Sender<Option<Interruption>> },
}

/// How far the receipt under way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Rows sent.
    pub sent: u16,
    /// Rows there are; 0 while nothing is printed.
    pub rows: u16,
    /// What the printer waits for, in a word; it goes away by itself.
    pub waits: Option<&'static str>,
}

/// A way to the printer; cheap to clone.
#[derive(Clone)]
pub struct PrinterHandle {
    jobs: mpsc::Sender<Job>,
    stop: mpsc::Sender<PrinterCommand>,
    progress: watch::Receiver<Progress>,
    store: StoreHandle,
    key: Arc<SigningKey>,
    printer: ProfileData,
    drawer: bool,
}

/// Starts the printer's task. Receipts carry what `key`, the device's, states of them.
pub fn spawn(link: PrinterLink, store: StoreHandle, key: SigningKey) -> PrinterHandle {
    let (jobs, queue) = mpsc::channel(QUEUE);
    let (told, progress) = watch::channel(Progress::default());
    let (printer, stop, drawer) = (link.printer.clone(), link.commands.clone(), link.drawer);
    tokio::spawn(run(link, queue, told));
    PrinterHandle { jobs, stop, progress, store, key: Arc::new(key), printer, drawer }
}

impl PrinterHandle {
    /// How far the receipt under way is.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// A receipt as it would be printed now, on a screen of so many columns.
    pub async fn preview(&self, of: ReceiptOf, columns: u16) -> Result<ReceiptPreview, String> {
        let Composed { mut receipt, row, at_ms } = self.compose(of).await?;
        let (unfinished, (seq, hash)) =
            self.store.run(move |store| Ok((store.unfinished_sheet(row.invoice)?, store.head()?))).await?;
        receipt.sign(&self.key, seq, hash, at_ms);
        let rows = on_screen(&receipt, columns, &self.printer);
        let signature = receipt.wants_signature();
        Ok(ReceiptPreview {
            rows,
            unfinished,
            number: dots(&receipt.reference()),
            replaces: receipt.replaces,
            signature,
        })
    }

    /// What would stop a receipt now, in a sentence.
    pub async fn trouble(&self) -> Option<&'static str> {
        let (answer, waiting) = oneshot::channel();
        self.jobs.send(Job::Check { answer }).await.ok()?;
        waiting.await.ok().flatten().map(Interruption::refusal)
    }

    /// Prints a receipt.
    pub async fn print(&self, of: ReceiptOf) -> Result<PrintedReceipt, String> {
        let Composed { mut receipt, row, at_ms } = self.compose(of).await?;
        let sheet = row.sheet;
        let unclean = !self.store.run(|store| store.unfinished_receipts()).await?.is_empty();
        let seq = self.store.commit(Row::ReceiptQueued(row.clone()), None).await?.seq;
        let hash = self.store.run(move |store| store.hash_of(seq)).await?;
        receipt.sign(&self.key, seq, hash, at_ms);
        let rows = layout(&blocks(&receipt), self.printer.columns, &self.printer.pages);
        let (answer, waiting) = oneshot::channel();
        let sent = self.jobs.send(Job::Print { rows, unclean, answer }).await;
        let end = match sent {
            Ok(()) => waiting.await.unwrap_or(JobEnd::Interrupted(Interruption::Unplugged)),
            Err(_) => JobEnd::Refused(Interruption::Unplugged),
        };
        let (state, by) = state(end);
        let sentence = end.sentence().to_owned();
        let why = (!end.is_sent()).then(|| sentence.clone());
        let by = by.map(str::to_owned);
        let ended = ReceiptEnded { invoice: row.invoice, job: of.job, visit: row.visit, sheet, state, by, why };
        self.store.commit(Row::ReceiptEnded(ended), None).await?;
        Ok(PrintedReceipt { sheet, state, sentence })
    }

    /// Asks the printer to stop what it prints.
    pub async fn stop(&self) {
        // A printer that is gone prints nothing.
        let _ = self.stop.send(PrinterCommand::Stop).await;
    }

    /// Opens the drawer for a payment, once; nothing where there is none.
    pub async fn open_drawer(&self, row: DrawerOpened) -> Result<(), String> {
        if !self.drawer {
            return Ok(());
        }
        self.store.commit(Row::DrawerOpened(row), None).await?;
        let (answer, waiting) = oneshot::channel();
        let asked = self.jobs.send(Job::Drawer { answer }).await.is_ok();
        match asked && waiting.await.unwrap_or(false) {
            true => Ok(()),
            false => Err("The drawer could not be opened by the printer. Open it with its key.".to_owned()),
        }
    }

    async fn compose(&self, of: ReceiptOf) -> Result<Composed, String> {
        let now = self.store.clock().now_ms();
        self.store.run(move |store| compose(store, of, now)).await
    }
}

/// A receipt's content as the printer's layout takes it.
pub fn blocks(receipt: &Receipt) -> Vec<layout::Block> {
    let block = |block| match block {
        Block::Line { left, right, bold, large, centred } => {
            let large = if large { Size::Double } else { Size::Normal };
            layout::Block::Line(Line { left, right, bold, large, centred })
        }
        Block::Rule => layout::Block::Rule,
        Block::Qr(text) => layout::Block::Qr(text),
        Block::Logo(rows) => layout::Block::Image(Bitmap::from_rows(&rows)),
    };
    content(receipt).into_iter().map(block).collect()
}

/// The receipt's rows on a screen of so many columns, or as wide as the paper.
pub fn on_screen(receipt: &Receipt, columns: u16, printer: &ProfileData) -> Vec<ReceiptRow> {
    let columns = columns.min(printer.columns).min(PREVIEW_COLUMNS_MAX);
    layout(&blocks(receipt), columns, &printer.pages).iter().map(|row| shown(row, columns)).collect()
}

/// A row of the paper on the screen. What is larger on paper is bold here.
fn shown(row: &PaperRow, columns: u16) -> ReceiptRow {
    match row {
        PaperRow::Text(line) => {
            let bold = line.bold || line.large != Size::Normal;
            let line = Line { large: Size::Normal, ..line.clone() };
            ReceiptRow::Text { text: line.padded(columns.into()), bold }
        }
        PaperRow::Qr(text) => match dots(text) {
            Some(code) => ReceiptRow::Qr(code),
            None => ReceiptRow::Text { text: text.clone(), bold: false },
        },
        PaperRow::Image(_) => ReceiptRow::Logo,
    }
}

/// A text as a code.
fn dots(text: &str) -> Option<Dots> {
    let code = qr::code(text)?;
    let places = (0..code.height()).flat_map(|y| (0..code.width()).map(move |x| (x, y)));
    let black = places.map(|(x, y)| code.get(x, y)).collect();
    Some(Dots { side: usize::try_from(code.width()).unwrap_or(0), black })
}

fn state(end: JobEnd) -> (ReceiptState, Option<&'static str>) {
    match end {
        JobEnd::Confirmed(Confirmation::ProcessId) => (ReceiptState::Confirmed, Some("process_id")),
        JobEnd::Confirmed(Confirmation::Fence) => (ReceiptState::Confirmed, Some("fence")),
        JobEnd::Confirmed(Confirmation::Model) => (ReceiptState::Confirmed, Some("model")),
        JobEnd::SentUnconfirmed => (ReceiptState::SentUnconfirmed, None),
        JobEnd::Interrupted(_) => (ReceiptState::Interrupted, None),
        JobEnd::Refused(_) => (ReceiptState::Refused, None),
    }
}

async fn run(mut link: PrinterLink, mut queue: mpsc::Receiver<Job>, told: watch::Sender<Progress>) {
    let mut number = 0;
    while let Some(job) = queue.recv().await {
        match job {
            Job::Print { rows, unclean, answer } => {
                number += 1;
                let id = printer::JobId(number);
                let sent = link.commands.send(PrinterCommand::Print { job: id, rows, unclean }).await;
                let end = match sent {
                    Ok(()) => end_of(&mut link, id, &told).await,
                    Err(_) => JobEnd::Refused(Interruption::Unplugged),
                };
                told.send_replace(Progress::default());
                // Whoever asked may have gone.
                let _ = answer.send(end);
            }
            Job::Drawer { answer } => {
                let asked = link.commands.send(PrinterCommand::Drawer).await.is_ok();
                let _ = answer.send(asked && drawer(&mut link).await);
            }
            Job::Check { answer } => {
                let asked = link.commands.send(PrinterCommand::Check).await.is_ok();
                let _ = answer.send(if asked { health(&mut link).await } else { Some(Interruption::Unplugged) });
            }
        }
    }
}

async fn end_of(link: &mut PrinterLink, id: printer::JobId, told: &watch::Sender<Progress>) -> JobEnd {
    while let Some(event) = link.events.recv().await {
        match event {
            PrinterEvent::Ended { job, how } if job == id => return how,
            PrinterEvent::Progress { job, rows_sent, rows, waits } if job == id => {
                told.send_replace(Progress { sent: rows_sent, rows, waits: waits.map(Interruption::word) });
            }
            PrinterEvent::Ended { .. }
            | PrinterEvent::Progress { .. }
            | PrinterEvent::Drawer(_)
            | PrinterEvent::Health(_) => {}
        }
    }
    JobEnd::Interrupted(Interruption::Unplugged)
}

async fn drawer(link: &mut PrinterLink) -> bool {
    while let Some(event) = link.events.recv().await {
        if let PrinterEvent::Drawer(opened) = event {
            return opened;
        }
    }
    false
}

async fn health(link: &mut PrinterLink) -> Option<Interruption> {
    while let Some(event) = link.events.recv().await {
        if let PrinterEvent::Health(health) = event {
            return health.stopped;
        }
    }
    Some(Interruption::Unplugged)
}
