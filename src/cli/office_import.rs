//! `tillroll office import KIND FILE.csv`: master data from a CSV file, all or nothing.
//!
//! Start at [`run`]. Invariant: commits only when every row of the file was right and it is not a dry run.

use crate::office::import::{FeedNote, ImportErrors, ImportKind, ImportReport, import};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::io::Read;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The largest file that is read, bytes.
const FILE_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Arguments of `office import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the file holds: technicians, customers, sites, equipment, prices or jobs
    pub kind: ImportKind,
    /// The CSV file: UTF-8, with a header row
    pub file: PathBuf,
    /// Check the file and say what would change; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The office's database
    #[arg(long, value_name = "sqlite:FILE", default_value = "sqlite:office.sqlite")]
    pub db: String,
    /// Answer as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {why}", file = file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// More than is read at once.
    #[error("{}: larger than {} MiB; split it into smaller files", .0.display(), FILE_MAX_BYTES / (1024 * 1024))]
    TooLarge(PathBuf),
    /// Its content, or the database.
    #[error("{file}: {why}", file = file.display())]
    Import {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: ImportErrors,
    },
}

impl Error {
    /// A wrong file stays wrong; a busy database may be free later.
    pub fn is_permanent(&self) -> bool {
        match self {
            Error::File { .. } | Error::TooLarge(_) => true,
            Error::Import { why, .. } => why.is_permanent(),
        }
    }

    /// The stable code for `--json`.
    pub fn code(&self) -> &'static str {
        match self {
            Error::File { .. } => "file_unreadable",
            Error::TooLarge(_) => "file_too_large",
            Error::Import { why: ImportErrors::Rows(_), .. } => "bad_rows",
            Error::Import { why: ImportErrors::Database(_), .. } => "database",
        }
    }

    /// The next step.
    pub fn hint(&self) -> &'static str {
        match self {
            Error::File { .. } => "check the path and that you may read it",
            Error::TooLarge(_) => "import the parts one after the other; rows that are equal change nothing",
            Error::Import { why: ImportErrors::Rows(_), .. } => "correct these rows and import the file again",
            Error::Import { why: ImportErrors::Database(_), .. } => "try again when the office is less busy",
        }
    }
}

/// Imports the file into `db`. `note` writes one reference into the feed's tables, in the same transaction.
///
/// # Errors
/// Nothing was changed, and why.
pub fn run(
    args: &Args,
    db: &mut Connection,
    now_ms: i64,
    new_id: &mut dyn FnMut() -> Uuid,
    note: &mut dyn FnMut(&Transaction<'_>, &FeedNote) -> rusqlite::Result<()>,
) -> Result<ImportReport, Error> {
    let csv = read(&args.file)?;
    let wrong = |why| Error::Import { file: args.file.clone(), why };
    let failed = |why: rusqlite::Error| wrong(why.into());
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let mut notes = Vec::new();
    let report = import(&tx, args.kind, &csv, now_ms, new_id, &mut |n| notes.push(n)).map_err(wrong)?;
    if args.dry_run {
        tx.rollback().map_err(failed)?;
        return Ok(report);
    }
    for one in &notes {
        note(&tx, one).map_err(failed)?;
    }
    tx.commit().map_err(failed)?;
    Ok(report)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |why| Error::File { file: path.to_owned(), why };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err(Error::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}

/// A file, whole; for commands that import in their own way.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn read_file(path: &Path) -> Result<Vec<u8>, super::CliError> {
    read(path).map_err(|why| super::CliError {
        code: why.code(),
        message: why.to_string(),
        hint: why.hint().to_owned(),
        ..super::CliError::usage("", "")
    })
}

/// What was done, for a person or as JSON.
pub fn answer(args: &Args, report: ImportReport) -> String {
    if args.json {
        let mut value = serde_json::json!({ "kind": args.kind.name(), "dry_run": args.dry_run });
        if let Some(object) = value.as_object_mut() {
            object.insert("added".into(), report.added.into());
            object.insert("updated".into(), report.updated.into());
            object.insert("unchanged".into(), report.unchanged.into());
        }
        return value.to_string();
    }
    let verb = if args.dry_run { "would be imported (dry run, nothing was changed)" } else { "imported" };
    format!(
        "{kind} {verb}: {added} added, {updated} updated, {unchanged} unchanged",
        kind = args.kind,
        added = report.added,
        updated = report.updated,
        unchanged = report.unchanged,
    )
}

/// The error for `--json`: code, message, hint, and the rows that are wrong.
pub fn error_json(error: &Error) -> serde_json::Value {
    let mut inner = serde_json::json!({ "code": error.code(), "message": error.to_string(), "hint": error.hint() });
    if let (Error::Import { why: ImportErrors::Rows(rows), .. }, Some(object)) = (error, inner.as_object_mut()) {
        object.insert("rows".into(), serde_json::to_value(rows).unwrap_or_default());
    }
    serde_json::json!({ "error": inner })
}
