//! What a handheld may accept while the bank cannot be asked. A signed, expiring document of the office.

use super::money::Money;
use super::payment::CardEntry;
use serde::{Deserialize, Serialize};

/// One hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// The limits. Amounts are in the policy's currency; another currency is never taken offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflinePolicy {
    /// 1, 2, 3…
    pub version: u32,
    /// Past this (Unix milliseconds, device clock) nothing is accepted offline.
    pub valid_until_ms: i64,
    /// The most for one payment; its currency is the policy's.
    pub max_payment: Money,
    /// The most that may be stored on one device, minor units.
    pub max_stored_minor: i64,
    /// The most payments that may be stored on one device.
    pub max_stored_count: u32,
    /// How long after the last contact payments are still accepted.
    pub accept_ms: i64,
    /// How long after acceptance a payment may be forwarded.
    pub forward_ms: i64,
    /// The reader must have been used online this recently.
    pub reader_online_ms: i64,
    /// How long an authorisation holds before it is given back uncaptured.
    pub authorisation_ms: i64,
}

impl OfflinePolicy {
    /// The built-in limits: 250.00 a payment, 2,500.00 and 75 payments stored, 24 hours each way.
    pub fn standard(currency: super::money::Currency, valid_until_ms: i64) -> OfflinePolicy {
        OfflinePolicy {
            version: 1,
            valid_until_ms,
            max_payment: Money::new(25_000, currency),
            max_stored_minor: 250_000,
            max_stored_count: 75,
            accept_ms: 24 * HOUR_MS,
            forward_ms: 24 * HOUR_MS,
            reader_online_ms: 24 * HOUR_MS,
            authorisation_ms: 24 * HOUR_MS,
        }
    }
}

/// What is known at the moment of asking. An unknown time counts as the oldest possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfflineFacts {
    /// The payment.
    pub amount: Money,
    /// How the card met the reader.
    pub entry: CardEntry,
    /// Stored already on this device, minor units.
    pub stored_minor: i64,
    /// Stored already on this device.
    pub stored_count: u32,
    /// Last contact with the office, Unix milliseconds.
    pub last_contact_ms: Option<i64>,
    /// When this reader was last used online, Unix milliseconds.
    pub reader_online_ms: Option<i64>,
    /// Device clock, Unix milliseconds.
    pub now_ms: i64,
}

/// Why a payment is not accepted offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// No policy from the office yet.
    #[error("this handheld has no offline policy yet: connect once, or take cash")]
    NoPolicy,
    /// The document has expired.
    #[error("the offline policy has expired: connect once, or take cash")]
    Expired,
    /// Not the policy's currency.
    #[error("a card payment in another currency needs the network: wait for a link, or take cash")]
    ForeignCurrency,
    /// Over the limit for one payment.
    #[error("a card payment over {0} needs the network: take less by card, or cash")]
    TooLarge(Money),
    /// Too much stored.
    #[error("the handheld holds as much unsent card money as it may: connect first, or take cash")]
    StoredFull,
    /// Swiped.
    #[error("a swiped card needs the network: insert or tap it, or take cash")]
    Magstripe,
    /// Too long without contact.
    #[error("the last contact with the office is too long ago for offline card payments: connect first, or take cash")]
    TooLongOffline,
    /// The reader was not used online recently.
    #[error("this reader has not been used online in the last day: connect first, or take cash")]
    ReaderNotSeenOnline,
}

impl PolicyRefusal {
    /// A link helps against every one of them.
    pub fn is_permanent(&self) -> bool {
        false
    }
}

/// Whether a payment may be stored now.
pub fn allows(policy: Option<&OfflinePolicy>, facts: &OfflineFacts) -> Result<(), PolicyRefusal> {
    let policy = policy.ok_or(PolicyRefusal::NoPolicy)?;
    let recent = |at: Option<i64>, span: i64| at.is_some_and(|at| facts.now_ms.saturating_sub(at) <= span);
    let stored = facts.stored_minor.checked_add(facts.amount.minor);
    if facts.now_ms > policy.valid_until_ms {
        Err(PolicyRefusal::Expired)
    } else if facts.amount.currency != policy.max_payment.currency {
        Err(PolicyRefusal::ForeignCurrency)
    } else if facts.amount.minor > policy.max_payment.minor {
        Err(PolicyRefusal::TooLarge(policy.max_payment))
    } else if facts.stored_count >= policy.max_stored_count || stored.is_none_or(|s| s > policy.max_stored_minor) {
        Err(PolicyRefusal::StoredFull)
    } else if facts.entry == CardEntry::Magstripe {
        Err(PolicyRefusal::Magstripe)
    } else if !recent(facts.last_contact_ms, policy.accept_ms) {
        Err(PolicyRefusal::TooLongOffline)
    } else if !recent(facts.reader_online_ms, policy.reader_online_ms) {
        Err(PolicyRefusal::ReaderNotSeenOnline)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn facts() -> OfflineFacts {
        OfflineFacts {
            amount: Money::new(25_000, Currency::EUR),
            entry: CardEntry::Chip,
            stored_minor: 225_000,
            stored_count: 74,
            last_contact_ms: Some(0),
            reader_online_ms: Some(0),
            now_ms: 24 * HOUR_MS,
        }
    }

    #[test]
    fn each_limit_holds_at_its_edge() {
        let policy = OfflinePolicy::standard(Currency::EUR, 24 * HOUR_MS);
        let check = |facts: OfflineFacts, expect| assert_eq!(allows(Some(&policy), &facts), expect);
        check(facts(), Ok(()));
        check(OfflineFacts { now_ms: 24 * HOUR_MS + 1, ..facts() }, Err(PolicyRefusal::Expired));
        let more = Money::new(25_001, Currency::EUR);
        check(OfflineFacts { amount: more, ..facts() }, Err(PolicyRefusal::TooLarge(policy.max_payment)));
        let usd = Money::new(1, "USD".parse().unwrap());
        check(OfflineFacts { amount: usd, ..facts() }, Err(PolicyRefusal::ForeignCurrency));
        check(OfflineFacts { stored_minor: 225_001, ..facts() }, Err(PolicyRefusal::StoredFull));
        check(OfflineFacts { stored_minor: i64::MAX, ..facts() }, Err(PolicyRefusal::StoredFull));
        check(OfflineFacts { stored_count: 75, ..facts() }, Err(PolicyRefusal::StoredFull));
        check(OfflineFacts { entry: CardEntry::Magstripe, ..facts() }, Err(PolicyRefusal::Magstripe));
        check(OfflineFacts { last_contact_ms: None, ..facts() }, Err(PolicyRefusal::TooLongOffline));
        check(OfflineFacts { last_contact_ms: Some(-1), ..facts() }, Err(PolicyRefusal::TooLongOffline));
        check(OfflineFacts { reader_online_ms: None, ..facts() }, Err(PolicyRefusal::ReaderNotSeenOnline));
        assert_eq!(allows(None, &facts()), Err(PolicyRefusal::NoPolicy));
    }
}
