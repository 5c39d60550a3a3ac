//! `tillroll status`: how this handheld stands with its office.

use super::CliError;
use super::output::{line, object};
use super::state::StateArgs;
use crate::domain::money::Money;
use serde_json::json;

/// Runs the command.
pub fn run(args: &StateArgs) -> Result<bool, CliError> {
    let store = args.store()?;
    let identity = store.identity().map_err(anyhow::Error::from)?;
    let status = store.sync_status().map_err(anyhow::Error::from)?;
    let stored = Money::new(status.exposure.minor, status.exposure.currency);
    if args.json {
        object(&json!({
            "device": identity.device, "name": identity.name, "mode": identity.mode, "technician": identity.technician_name,
            "office": identity.office_url, "head_seq": status.head_seq, "acked_seq": status.acked_seq,
            "durable_seq": status.durable_seq, "unsent": status.unsent(), "last_contact_ms": status.last_contact_ms,
            "stored_minor": stored.minor, "stored_count": status.exposure.count, "currency": stored.currency.code(),
            "first_deadline_ms": status.exposure.first_deadline_ms, "drawer_minor": status.drawer.minor,
        }))?;
        return Ok(true);
    }
    line(&format!("handheld     {} of {}", identity.name, identity.technician_name))?;
    if let Some(word) = identity.mode.word() {
        line(&format!("mode         {word}: nothing here is real money"))?;
    }
    line(&format!("office       {}", identity.office_url))?;
    line(&format!("not sent     {} of {} rows", status.unsent(), status.head_seq))?;
    line(&format!("card money   {stored} stored in {}", status.exposure.count))?;
    line(&format!("drawer       {} expected", status.drawer))?;
    let contact = status.last_contact_ms.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    line(&format!("last contact {}", contact.map_or_else(|| "never".to_owned(), |at| at.to_string())))?;
    Ok(true)
}
