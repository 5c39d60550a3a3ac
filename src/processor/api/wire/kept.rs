//! A kept card in a request: its token, who asks, and the network's id of the payment with which the holder agreed.
//!
//! Invariant: as in [`super`], a check names the field and what was expected, never what was sent.

use super::{Authorize, NAME_BYTES, name};
use crate::processor::api::problem::Problem;
use crate::processor::ledger::{Initiator, KeptOrder};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The card of a request that charges one on file.
#[derive(Deserialize)]
pub(super) struct KeptData {
    token: String,
    #[serde(default)]
    initiated_by: By,
    #[serde(default)]
    network_id: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum By {
    #[default]
    Customer,
    Merchant,
}

/// What the ledger takes, from a request whose common fields were checked.
pub(super) fn order(of: &Authorize, kept: &KeptData) -> Result<KeptOrder, Problem> {
    name("card.token", &kept.token, NAME_BYTES)?;
    if let Some(network_id) = &kept.network_id {
        name("card.network_id", network_id, NAME_BYTES)?;
    }
    if !of.emv.is_empty() || of.keep_card || of.deferred {
        return Err(Problem::bad("card.token: a kept card comes without emv, keep_card and deferred"));
    }
    let initiator = match kept.initiated_by {
        By::Customer => Initiator::Customer,
        By::Merchant => Initiator::Merchant,
    };
    let follows = kept.network_id.clone();
    let fields = [
        of.stan.as_str(),
        &of.rrn,
        &of.terminal,
        &of.amount_minor.to_string(),
        &of.currency,
        &kept.token,
        initiator.name(),
        follows.as_deref().unwrap_or(""),
    ];
    let mut hash = Sha256::new_with_prefix(b"tillroll processor kept request 1\0");
    for field in fields {
        hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(field);
    }
    Ok(KeptOrder {
        key: of.key.clone(),
        content_sha256: hash.finalize().into(),
        stan: of.stan.clone(),
        rrn: of.rrn.clone(),
        terminal: of.terminal.clone(),
        amount_minor: of.amount_minor,
        currency: of.currency.clone(),
        token: kept.token.clone(),
        initiator,
        follows,
    })
}
