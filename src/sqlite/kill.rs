//! Death at a chosen commit, for the tests that stop the whole program in the middle of a day.
//!
//! Does nothing unless `TILLROLL_KILL_AFTER_COMMITS` holds a number: then the process gets SIGKILL right after that
//! many commits of all its databases together, as if the battery had fallen out.

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const VARIABLE: &str = "TILLROLL_KILL_AFTER_COMMITS";

static COMMITS: AtomicU64 = AtomicU64::new(0);
static LIMIT: OnceLock<Option<u64>> = OnceLock::new();

fn limit() -> Option<u64> {
    *LIMIT.get_or_init(|| std::env::var(VARIABLE).ok()?.parse().ok())
}

/// Counts the commits of this connection.
pub(super) fn arm(connection: &mut Connection) {
    if limit().is_some()
        && let Err(why) = connection.wal_hook(Some(count))
    {
        tracing::error!(error = %why, "the commits cannot be counted");
    }
}

fn count(_: &mut Wal, _: std::ffi::c_int) -> rusqlite::Result<()> {
    if limit() == Some(COMMITS.fetch_add(1, Ordering::SeqCst) + 1) {
        let _ = Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
        // The signal is on its way: nothing more may happen here.
        std::thread::sleep(Duration::from_secs(60));
    }
    Ok(())
}
