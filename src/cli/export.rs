//! `tillroll export`: the whole journal as JSON, one row a line, exactly as it was written.

use super::CliError;
use super::state::StateArgs;
use serde_json::json;
use std::io::Write as _;

/// Rows that are read at once.
const STEP: usize = 500;

/// Runs the command.
pub fn run(args: &StateArgs) -> Result<bool, CliError> {
    let store = args.store()?;
    let epoch = store.identity().map_err(anyhow::Error::from)?.epoch;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut next = 1;
    loop {
        let rows = store.rows(next, STEP).map_err(anyhow::Error::from)?;
        let Some(last) = rows.last() else { break };
        next = last.seq + 1;
        for row in rows {
            let value = json!({
                "epoch": epoch, "seq": row.seq, "id": row.id, "kind": row.kind, "v": row.v,
                "subjects": row.subjects, "at_ms": row.at_ms, "boot": row.boot, "mono_ms": row.mono_ms,
                "offset_ms": row.offset_ms, "actor": row.actor, "body": row.body,
            });
            writeln!(out, "{value}").map_err(anyhow::Error::from)?;
        }
    }
    out.flush().map_err(anyhow::Error::from)?;
    Ok(true)
}
