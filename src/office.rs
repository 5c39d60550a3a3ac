//! The office: what handhelds send is stored, folded and acted on here; what they need comes from here.
//!
//! Start at [`ingest`] for what happens to a batch, at [`payments`] for the conversation with the processor, at
//! [`api`] for the routes.

pub mod agreements;
pub mod api;
pub mod auth;
pub mod books;
pub mod decide;
pub mod deposits;
pub mod devices;
pub mod epoch;
pub mod ereceipts;
pub mod exceptions;
pub mod feed;
pub mod import;
pub mod ingest;
pub mod kept;
pub mod keys;
pub mod mode;
pub mod pages;
pub mod payments;
pub mod processors;
pub mod rules;
pub mod users;
pub mod verify;

use crate::domain::document::DocumentError;
use crate::domain::mode::Mode;
use crate::domain::money::{Currency, MoneyError};
use crate::domain::policy::{HOUR_MS, OfflinePolicy};
use crate::domain::receipt::Merchant;
use crate::facts::FactsError;
use crate::keyfile::KeyError;
use crate::sqlite::{self, Kind, Migration, OpenError};
use crate::sync::wire::seal::key_of;
use crate::sync::wire::{SignedPolicy, policy_bytes};
use keys::Keys;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use std::collections::HashSet;
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// The office's database.
pub const KIND: Kind = Kind {
    what: "an office's database",
    application_id: 0x746c_6402,
    migrations: &[Migration { name: "base", sql: include_str!("../migrations/office/0001_base.sql") }],
};

/// How long a policy is good for, milliseconds: a handheld that hears nothing for so long takes no card offline.
const POLICY_GOOD_MS: i64 = 7 * DAY_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How often policy and keys are looked after.
const FRESH_EVERY: Duration = Duration::from_secs(3_600);

/// The office's wall clock, Unix milliseconds. An argument, so that tests own it.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
/// The one connection; short transactions only, never held across a wait.
pub type Conn = Arc<Mutex<Connection>>;

/// Why the office cannot do something.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite said no.
    #[error("the office's database says: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A record cannot be read.
    #[error("a record in the office's database cannot be read: {0}")]
    Record(String),
    /// The tables of facts.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// Keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Arithmetic.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A device's name is the label of its documents.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Real money, or none, for its whole life.
    #[error("this office is a {0} office for its whole life: start it {how} --test, or name another file with --db", how = if *.0 == Mode::Test { "with" } else { "without" })]
    OtherMode(Mode),
    /// Not there.
    #[error("{0} is not known here")]
    Missing(String),
}

impl OfficeError {
    /// Whether trying the same again is useless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, OfficeError::Sqlite(_))
    }
}

/// What a person chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the processor is.
    pub processor_url: String,
    /// How the processor is waited for.
    pub timing: payments::Timing,
    /// The currency of figures before there is any document.
    pub currency: Currency,
    /// Who takes the money.
    pub merchant: Merchant,
}

/// The running office; cheap to clone.
#[derive(Clone)]
pub struct Office {
    conn: Conn,
    keys: Arc<Keys>,
    clock: Clock,
    settings: Arc<Settings>,
    epoch: Uuid,
    news: Arc<Notify>,
    work: Arc<Notify>,
    changes: Arc<AtomicU64>,
}

impl Office {
    /// Opens or creates `office.sqlite`, `office.key` and `sealing/` in `dir`'s place beside the database.
    pub fn open(database: &Path, settings: Settings, clock: Clock) -> Result<Office, OfficeError> {
        let dir = database.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut connection = sqlite::open(database, &KIND)?;
        let keys = Keys::open(dir)?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let epoch = match meta(&tx, "epoch")? {
            Some(text) => text.parse().map_err(|_| OfficeError::Record(format!("{text} is no epoch")))?,
            None => {
                let epoch = Uuid::new_v4();
                set_meta(&tx, "epoch", &epoch.to_string())?;
                epoch
            }
        };
        tx.commit()?;
        Ok(Office {
            conn: Arc::new(Mutex::new(connection)),
            keys: Arc::new(keys),
            clock,
            settings: Arc::new(settings),
            epoch,
            news: Arc::new(Notify::new()),
            work: Arc::new(Notify::new()),
            changes: Arc::new(AtomicU64::new(0)),
        })
    }

    /// Offers policy, sealing key and merchant to handhelds as the settings say. For an office that serves.
    pub fn publish(&self) -> Result<(), OfficeError> {
        let now = self.now_ms();
        let needed = self.write(|tx| {
            publish_documents(tx, &self.keys, &self.settings, now)?;
            sealed_to(tx)
        })?;
        self.keys.destroy_old(&needed)?;
        Ok(())
    }

    /// Publishes now and each hour, so that policy and keys stay fresh however long the office runs.
    pub async fn keep_fresh(&self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let office = self.clone();
            let done = tokio::task::spawn_blocking(move || office.publish()).await;
            if let Ok(Err(why)) = done {
                tracing::error!(error = %why, "policy and keys were not renewed; they are tried again in an hour");
            }
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(FRESH_EVERY) => {}
            }
        }
    }

    /// One transaction; committed when `run` succeeds. Whoever waits for news is woken after the commit.
    pub fn write<T, E: From<rusqlite::Error>>(
        &self,
        run: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut conn = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = run(&mut tx)?;
        tx.commit()?;
        drop(conn);
        self.changed();
        Ok(done)
    }

    /// Reads without changing anything.
    pub fn read<T>(&self, run: impl FnOnce(&Connection) -> T) -> T {
        run(&self.conn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Wakes pages, feed and worker.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.news.notify_waiters();
        self.work.notify_one();
    }

    /// Office time, Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// What pages need to share.
    pub fn parts(&self) -> (Conn, Clock, Arc<AtomicU64>) {
        (self.conn.clone(), self.clock.clone(), self.changes.clone())
    }

    /// What a person chose.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Policy, sealing key and merchant, into the shared channel, when they changed or grow old.
fn publish_documents(tx: &Transaction<'_>, keys: &Keys, settings: &Settings, now_ms: i64) -> Result<(), OfficeError> {
    // To the full day, so that a new policy goes out once a day and not each hour.
    let valid_until_ms = now_ms / DAY_MS * DAY_MS + DAY_MS + POLICY_GOOD_MS;
    let text = to_json(&OfflinePolicy::standard(settings.currency, valid_until_ms))?;
    let signature = keys.sign(&policy_bytes(&text));
    let documents = [
        ("policy", to_json(&SignedPolicy { text, signature })?),
        ("sealing_key", to_json(&keys.sealing_key()?)?),
        ("merchant", to_json(&settings.merchant)?),
    ];
    for (name, document) in documents {
        if meta(tx, name)?.as_ref() != Some(&document) {
            set_meta(tx, name, &document)?;
            feed::note(tx, feed::POLICY, name, name, "put")?;
        }
    }
    Ok(())
}

/// The sealing keys that blobs still need.
fn sealed_to(db: &Connection) -> Result<HashSet<String>, OfficeError> {
    let mut statement = db.prepare("SELECT bytes FROM blob")?;
    let blobs = statement.query_map([], |r| r.get::<_, Vec<u8>>(0))?;
    let keys = blobs.map(|blob| Ok(key_of(&blob?).ok()));
    Ok(keys.collect::<Result<Vec<_>, rusqlite::Error>>()?.into_iter().flatten().collect())
}

pub(crate) fn meta(db: &Connection, name: &str) -> Result<Option<String>, rusqlite::Error> {
    db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |r| r.get(0)).optional()
}

pub(crate) fn set_meta(db: &Connection, name: &str, value: &str) -> Result<(), rusqlite::Error> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.prepare_cached(sql)?.execute((name, value)).map(|_| ())
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, OfficeError> {
    serde_json::to_string(value).map_err(|why| OfficeError::Record(why.to_string()))
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, OfficeError> {
    serde_json::from_str(text).map_err(|why| OfficeError::Record(why.to_string()))
}

/// An id as a column holds it.
pub(crate) fn id_from<T: std::str::FromStr>(text: &str) -> Result<T, OfficeError> {
    text.parse().map_err(|_| OfficeError::Record(format!("{text} is no id")))
}

/// SHA-256 of a secret text, hex: how codes and tokens are kept.
pub(crate) fn digest(text: &str) -> String {
    crate::domain::journal::Hash::of(text.as_bytes()).to_string()
}

/// `bytes` random bytes as hex.
pub(crate) fn random_hex(bytes: usize) -> String {
    let mut random = vec![0_u8; bytes];
    while random.len() < bytes || getrandom::fill(&mut random).is_err() {
        // A machine that is still gathering entropy: try again rather than hand out a guessable secret.
        std::thread::yield_now();
    }
    hex::encode(random)
}
