//! What commands write to standard output.

use std::io::Write as _;

/// One line for people.
pub fn line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// One JSON object.
pub fn object(value: &serde_json::Value) -> anyhow::Result<()> {
    line(&value.to_string())
}
