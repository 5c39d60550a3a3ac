//! The store's thread: one connection, one job after the other. What was asked first is done first.

use crate::app::effect::ShiftCommand;
use crate::domain::event::Event;
use crate::domain::fold::FoldError;
use crate::domain::id::{InvoiceId, JobId, PaymentId, VisitId};
use crate::domain::invoice::Invoice;
use crate::domain::money::Money;
use crate::domain::payment::Payment;
use crate::runtime::clock::Clock;
use crate::store::{Committed, NewBlob, Store, StoreError};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{Notify, mpsc, oneshot};
use uuid::Uuid;

/// Jobs that may wait. Senders wait beyond that.
const QUEUE: usize = 64;

enum Job {
    Run(Box<dyn FnOnce(&mut Store) + Send>),
    Stop,
}

/// The store's thread is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store has stopped: start tillroll again; what was saved is safe")]
pub struct StoreGone;

/// What became of a payment's step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// On the disk; the payment after it.
    Written(Payment),
    /// Not written: the office's word was quicker. The payment as it is.
    Moved(Payment),
}

/// A way to the store; cheap to clone.
#[derive(Clone)]
pub struct StoreHandle {
    jobs: mpsc::Sender<Job>,
    clock: Clock,
    wrote: Arc<Notify>,
}

/// Starts the store's thread. It ends by [`StoreHandle::stop`] or when every handle is gone, after folding away the write-ahead log.
pub fn spawn(mut store: Store, clock: Clock) -> std::io::Result<(StoreHandle, JoinHandle<()>)> {
    let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
    let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
        while let Some(Job::Run(job)) = queue.blocking_recv() {
            job(&mut store);
        }
        if let Err(why) = store.checkpoint() {
            tracing::warn!(error = %why, "the write-ahead log was not folded away");
        }
    })?;
    Ok((StoreHandle { jobs, clock, wrote: Arc::new(Notify::new()) }, thread))
}

impl StoreHandle {
    /// Runs `job` on the store's thread.
    pub async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Result<T, StoreGone> {
        let (answer, waiting) = oneshot::channel();
        let job = Job::Run(Box::new(move |store: &mut Store| {
            let _ = answer.send(job(store));
        }));
        self.jobs.send(job).await.map_err(|_| StoreGone)?;
        waiting.await.map_err(|_| StoreGone)
    }

    /// Writes `event` and what follows from it; on the disk when this answers.
    pub async fn commit(&self, event: Event, blob: Option<NewBlob>) -> Result<Committed, String> {
        let clock = self.clock.clone();
        let committed = self
            .run(move |store| {
                let stamp = clock.stamp(store.meta("clock_offset_ms")?);
                store.commit(&event, &stamp, blob.as_ref())
            })
            .await;
        self.wrote.notify_one();
        committed
    }

    /// Writes a step of a payment. When the payment has moved on meanwhile, so that the step does not fit any more,
    /// nothing is written and the payment as it is now comes back as [`Step::Moved`].
    pub async fn step(&self, id: PaymentId, event: Event) -> Result<Step, String> {
        let clock = self.clock.clone();
        let done = self
            .run(move |store| {
                let stamp = clock.stamp(store.meta("clock_offset_ms")?);
                match store.commit(&event, &stamp, None) {
                    Ok(committed) => committed.payment.map(Step::Written).ok_or(StoreError::Missing("the payment")),
                    Err(StoreError::Fold(FoldError::Payment(_))) => store.payment(id).map(Step::Moved),
                    Err(why) => Err(why),
                }
            })
            .await;
        self.wrote.notify_one();
        done
    }

    /// Does something to the cash shift; on the disk when this answers.
    pub async fn shift(&self, command: ShiftCommand) -> Result<(), String> {
        let clock = self.clock.clone();
        let done = self
            .run(move |store| {
                let stamp = clock.stamp(store.meta("clock_offset_ms")?);
                match command {
                    ShiftCommand::Open { shift, float } => store.open_shift(shift, float, &stamp),
                    ShiftCommand::Move { shift, movement, kind, amount, reason } => {
                        store.move_cash(shift, movement, kind, amount, &reason, &stamp)
                    }
                    ShiftCommand::Close { shift, counted } => store.close_shift(shift, counted, &stamp).map(drop),
                }
            })
            .await;
        self.wrote.notify_one();
        done
    }

    /// Gives the visit's lines a document number; deposits that were taken for the job pay it.
    pub async fn issue_invoice(&self, job: JobId, visit: VisitId) -> Result<Invoice, String> {
        let clock = self.clock.clone();
        let issued = self
            .run(move |store| {
                let stamp = |store: &Store| Ok::<_, StoreError>(clock.stamp(store.meta("clock_offset_ms")?));
                let invoice = store.issue_invoice(job, visit, InvoiceId(Uuid::now_v7()), &stamp(store)?)?;
                // What was paid ahead for this job pays it. A program that stops here leaves it to the technician.
                while let Some(used) = store.deposit_for(&invoice, PaymentId(Uuid::now_v7()))? {
                    store.commit(&Event::DepositUsed(used), &stamp(store)?, None)?;
                }
                Ok(invoice)
            })
            .await;
        self.wrote.notify_one();
        issued
    }

    /// Makes a document for a deposit.
    pub async fn issue_deposit(&self, job: JobId, visit: VisitId, id: InvoiceId, amount: Money) -> Result<(), String> {
        let clock = self.clock.clone();
        let issued = self
            .run(move |store| {
                let stamp = clock.stamp(store.meta("clock_offset_ms")?);
                store.issue_deposit(job, visit, amount, id, &stamp).map(drop)
            })
            .await;
        self.wrote.notify_one();
        issued
    }

    /// Waits until something was written to the journal since the last wait. For one waiter.
    pub async fn wrote(&self) {
        self.wrote.notified().await;
    }

    /// Like [`StoreHandle::call`] for jobs that can fail; the error as a sentence.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, String> {
        match self.call(job).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(why)) => Err(why.to_string()),
            Err(gone) => Err(gone.to_string()),
        }
    }

    /// Lets what was asked before be done, then ends the thread; every later call is told that the store is gone.
    pub async fn stop(&self) {
        let _ = self.jobs.send(Job::Stop).await;
    }

    /// The clocks that rows are stamped by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
