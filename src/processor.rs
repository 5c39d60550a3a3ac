//! The simulated card processor: its own listener, its own ledger, every answer committed before it leaves.
//!
//! It stands in for an acquirer in the demo and in tests. It is the only place that holds a key to card data, and that
//! key is the public ANSI test key. Invariant: no card number, track or cipher text is stored, logged or sent out.
//! It never talks to the office of its own accord and shares no table with it, so that its total is a book of its own.
//!
//! Start reading at [`answer`]: which card gets which answer. Then [`ledger`] (what is remembered), `api` (the routes)
//! and `listen` (the connections, and how one is dropped without an answer).

pub mod answer;
mod api;
pub mod card;
pub mod ledger;
mod listen;

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;

use ledger::{Ledger, LedgerError};

/// The address that the processor listens on unless told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8742";

/// How long the answer for the card `slow` is held back unless told otherwise, in milliseconds. It is longer than the
/// 45 s after which a handheld calls an outcome unknown.
pub const DEFAULT_SLOW_MS: u64 = 60_000;

/// What a processor needs to know before it opens.
#[derive(Debug, Clone)]
pub struct ProcessorConfig {
    /// The ledger file; made if it is missing.
    pub ledger: PathBuf,
    /// How long the first answer for the card `slow` is held back, in milliseconds.
    pub slow_ms: u64,
}

/// The processor: a handle on one open ledger. Clones share it.
#[derive(Debug, Clone)]
pub struct Processor {
    ledger: Arc<Mutex<Ledger>>,
    slow_ms: u64,
}

impl Processor {
    /// Opens the ledger, or makes it. Blocks on the disk.
    ///
    /// # Errors
    /// The file is no ledger, is newer than this program, is damaged or cannot be written; it is left as it was.
    pub fn open(config: ProcessorConfig) -> Result<Self, LedgerError> {
        let ledger = Ledger::open(&config.ledger)?;
        Ok(Self { ledger: Arc::new(Mutex::new(ledger)), slow_ms: config.slow_ms })
    }

    /// The routes. Only [`Processor::serve`] can drop a connection without an answer; served by anything else, the
    /// card `lost-answer` gets a plain 500, which leaves the caller in the same doubt.
    pub fn router(&self) -> Router {
        api::router(self.clone())
    }

    /// Serves until `shutdown` is ready, then lets the requests under way finish, for a few seconds at most.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        listen::serve(self.router(), listener, shutdown).await;
    }

    /// Card money captured less what went back, in minor units of `currency` (ISO 4217, such as `EUR`), as the ledger
    /// file has it now. 0 for a currency it has never seen. Blocks on the disk.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn captured_net_minor(&self, currency: &str) -> Result<i64, LedgerError> {
        Ok(self.ledger().captured_net_minor()?.get(currency).copied().unwrap_or(0))
    }

    /// The ledger, one caller at a time. A caller that panicked has rolled back by dropping its transaction, so the
    /// ledger is whole and goes on.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
