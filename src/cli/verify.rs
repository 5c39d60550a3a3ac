//! `tillroll verify`: recomputes every hash of the journal and looks for what must not be.

use super::CliError;
use super::output::{line, object};
use super::state::StateArgs;
use serde_json::json;

/// Runs the command; whether all is well.
pub fn run(args: &StateArgs) -> Result<bool, CliError> {
    let store = args.store()?;
    let mut found = store.verify().map_err(anyhow::Error::from)?;
    if let Err(why) = store.health() {
        found.violations.push(format!("the database file is damaged: {why}"));
    }
    told(found.rows, &found.violations, args.json)?;
    Ok(found.violations.is_empty())
}

/// Writes what was found.
pub fn told(rows: u64, violations: &[String], json: bool) -> anyhow::Result<()> {
    if json {
        return object(&json!({ "rows": rows, "ok": violations.is_empty(), "violations": violations }));
    }
    for violation in violations {
        line(&format!("WRONG  {violation}"))?;
    }
    let verdict = if violations.is_empty() { "the books and the chain agree" } else { "something is wrong" };
    line(&format!("{rows} rows checked: {verdict}"))
}
