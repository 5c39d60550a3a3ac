//! Opening SQLite databases: version floor, pragmas, migrations. Used by the handheld, the office and the processor.
//!
//! Invariant: a database that is damaged, foreign or newer than this program is reported in a sentence and its file
//! is left as it was.

mod kill;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// 3.51.3: older ones can lose committed WAL writes when two connections are open.
pub const OLDEST_SQLITE: i32 = 3_051_003;

/// A numbered migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The file's name, without its number.
    pub name: &'static str,
    /// Its SQL.
    pub sql: &'static str,
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// For people: `the handheld's database`.
    pub what: &'static str,
    /// SQLite's application id; tells ours apart from others.
    pub application_id: i32,
    /// In order; the n-th brings the database to version n.
    pub migrations: &'static [Migration],
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The library is too old.
    #[error("SQLite {0} can lose committed data: build tillroll with 3.51.3 or newer")]
    OldSqlite(&'static str),
    /// From a newer program.
    #[error(
        "{path} was written by a newer tillroll (schema {found}, known here: {known}): update this program; the file was not touched"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: usize,
    },
    /// Another program's file.
    #[error("{path} is not {what}: name another file; it was not touched")]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
    },
    /// Damaged.
    #[error(
        "{path} is damaged ({why}): keep the file, and run `tillroll doctor` or restore a backup; it was not touched"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// Anything else.
    #[error("{path} cannot be opened ({why}): check that its folder exists and can be written")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: rusqlite::Error,
    },
}

impl OpenError {
    /// Whether the same call keeps failing until a person does something.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, OpenError::Sqlite { .. })
    }
}

/// Opens or creates a database and brings it up to date.
pub fn open(path: &Path, kind: &Kind) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        look_first(path, kind)?;
    }
    let sorted = |why| sort_error(path, why);
    let mut connection = Connection::open(path).map_err(sorted)?;
    pragmas(&connection).map_err(sorted)?;
    migrate(&mut connection, kind).map_err(sorted)?;
    kill::arm(&mut connection);
    Ok(connection)
}

/// Reads version and owner without writing a byte.
fn look_first(path: &Path, kind: &Kind) -> Result<(), OpenError> {
    let sorted = |why| sort_error(path, why);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sorted)?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(sorted)?;
    let owner: i64 = connection.query_row("PRAGMA application_id", [], |r| r.get(0)).map_err(sorted)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0)).map_err(sorted)?;
    if tables > 0 && owner != i64::from(kind.application_id) {
        return Err(OpenError::NotOurs { path: path.to_owned(), what: kind.what });
    }
    let known = kind.migrations.len();
    if usize::try_from(found).map_or(true, |found| found > known) {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    Ok(())
}

fn sort_error(path: &Path, why: rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match why.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => OpenError::Damaged { path: path.to_owned(), why: why.to_string() },
        _ => OpenError::Sqlite { path: path.to_owned(), why },
    }
}

/// WAL and FULL: what COMMIT returned from is on the disk.
fn pragmas(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    // One step runs about twenty statements; parsing them again would be half of its work.
    connection.set_prepared_statement_cache_capacity(64);
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA secure_delete = ON;
         PRAGMA journal_size_limit = 4194304;",
    )
}

fn migrate(connection: &mut Connection, kind: &Kind) -> rusqlite::Result<()> {
    let done: usize = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    for (index, migration) in kind.migrations.iter().enumerate().skip(done) {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(migration.sql)?;
        tx.pragma_update(None, "application_id", kind.application_id)?;
        tx.pragma_update(None, "user_version", index + 1)?;
        tx.commit()?;
    }
    Ok(())
}

/// SQLite's own health check; an error holds its first complaint.
pub fn health(connection: &Connection) -> Result<(), String> {
    let said: String =
        connection.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).map_err(|why| why.to_string())?;
    if said == "ok" { Ok(()) } else { Err(said) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        what: "a test's database",
        application_id: 0x7469_6c74,
        migrations: &[Migration { name: "one", sql: "CREATE TABLE a (b INTEGER) STRICT;" }],
    };

    #[test]
    fn newer_foreign_and_damaged_files_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let check = |name: &str, prepare: &dyn Fn(&Path), expect: fn(&OpenError) -> bool| {
            let path = dir.path().join(name);
            prepare(&path);
            let before = std::fs::read(&path).unwrap();
            let error = open(&path, &KIND).unwrap_err();
            assert!(expect(&error), "{name}: {error}");
            assert_eq!(std::fs::read(&path).unwrap(), before, "{name}");
        };
        check(
            "newer",
            &|p| {
                let c = open(p, &KIND).unwrap();
                c.pragma_update(None, "user_version", 9).unwrap();
            },
            |e| matches!(e, OpenError::Newer { found: 9, .. }),
        );
        check("foreign", &|p| Connection::open(p).unwrap().execute_batch("CREATE TABLE x (y)").unwrap(), |e| {
            matches!(e, OpenError::NotOurs { .. })
        });
        check("rubbish", &|p| std::fs::write(p, vec![7_u8; 5_000]).unwrap(), |e| {
            matches!(e, OpenError::Damaged { .. })
        });
        let again = dir.path().join("fine");
        drop(open(&again, &KIND).unwrap());
        assert_eq!(health(&open(&again, &KIND).unwrap()), Ok(()));
    }
}
