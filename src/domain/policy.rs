//! What a handheld may accept while the bank cannot be asked. A signed, expiring document of the office.
//!
//! A manager's PIN lifts a soft limit, never a hard one:
//!
//! | limit | | why |
//! |---|---|---|
//! | one payment's amount | soft | the merchant's own risk; the sum below still bounds it |
//! | number of payments stored | soft | likewise |
//! | sum stored on the device | hard | the most that the merchant can lose |
//! | policy there, signed and not expired | hard | the office's word, not the handheld's |
//! | currency | hard | the limits are in one currency |
//! | chip or contactless: no stripe; nothing is ever keyed | hard | schemes: nothing proves that the card was there |
//! | brand known, not expired, no online PIN | hard | schemes and acquirers: such payments come back declined |
//! | last contact with the office | hard | what the handheld was allowed may have changed since |
//! | reader used online | hard | what the reader was allowed may have changed since |
//! | forwarding deadline | hard | only an acquirer allows more |
//!
//! Invariant: a time that is unknown, or lies in the future, counts as the oldest possible. Start at [`broken`].

use super::money::Money;
use super::payment::{CardEntry, CardMarks};
use serde::{Deserialize, Serialize};

/// One hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// How far a clock may be put right backwards without making times unknown, milliseconds.
pub const CLOCK_SLACK_MS: i64 = 120_000;

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
    /// What the read tells of the card.
    pub marks: CardMarks,
    /// Whether its brand is known here.
    pub known_brand: bool,
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
    /// Swiped.
    #[error("a swiped card needs the network: insert or tap it, or take cash")]
    Magstripe,
    /// No scheme that is known here.
    #[error("a card of this brand needs the network: take another card, or cash")]
    UnknownBrand,
    /// Its month is over.
    #[error("this card has expired and needs the network: take another card, or cash")]
    CardExpired,
    /// The bank must check the PIN.
    #[error("this card's PIN is checked by the bank and needs the network: tap it, take another card, or cash")]
    OnlinePin,
    /// Too much money stored.
    #[error("the handheld holds as much unsent card money as it may: connect first, or take cash")]
    StoredFull,
    /// Too long without contact.
    #[error("the last contact with the office is too long ago for offline card payments: connect first, or take cash")]
    TooLongOffline,
    /// The reader was not used online recently.
    #[error("this reader has not been used online in the last day: connect first, or take cash")]
    ReaderNotSeenOnline,
    /// Over the limit for one payment.
    #[error("a card payment over {0} needs the network: take less by card, or cash")]
    TooLarge(Money),
    /// Too many payments stored.
    #[error("the handheld holds {0} unsent card payments, as many as it may: connect first, or take cash")]
    TooMany(u32),
}

impl PolicyRefusal {
    /// A link helps against every one of them.
    pub fn is_permanent(&self) -> bool {
        false
    }

    /// Whether a manager's PIN lifts it; the table of this module says why.
    pub fn is_soft(&self) -> bool {
        match self {
            PolicyRefusal::TooLarge(_) | PolicyRefusal::TooMany(_) => true,
            PolicyRefusal::NoPolicy
            | PolicyRefusal::Expired
            | PolicyRefusal::ForeignCurrency
            | PolicyRefusal::Magstripe
            | PolicyRefusal::UnknownBrand
            | PolicyRefusal::CardExpired
            | PolicyRefusal::OnlinePin
            | PolicyRefusal::StoredFull
            | PolicyRefusal::TooLongOffline
            | PolicyRefusal::ReaderNotSeenOnline => false,
        }
    }
}

/// Whether a payment may be stored now: every limit that it breaks, hard ones first. Empty is yes; only soft ones is yes
/// with a manager's PIN.
pub fn broken(policy: Option<&OfflinePolicy>, facts: &OfflineFacts) -> Vec<PolicyRefusal> {
    use PolicyRefusal as R;
    let Some(policy) = policy else { return vec![R::NoPolicy] };
    // A time in the future comes from a clock that was set back since: it is not known how long ago it was.
    let recent = |at: Option<i64>, span: i64| {
        at.is_some_and(|at| (-CLOCK_SLACK_MS..=span).contains(&facts.now_ms.saturating_sub(at)))
    };
    let stored = facts.stored_minor.checked_add(facts.amount.minor);
    let limits = [
        (facts.now_ms > policy.valid_until_ms, R::Expired),
        (facts.amount.currency != policy.max_payment.currency, R::ForeignCurrency),
        (facts.entry == CardEntry::Magstripe, R::Magstripe),
        (!facts.known_brand, R::UnknownBrand),
        (facts.marks.expired, R::CardExpired),
        (facts.marks.online_pin, R::OnlinePin),
        (stored.is_none_or(|stored| stored > policy.max_stored_minor), R::StoredFull),
        (!recent(facts.last_contact_ms, policy.accept_ms), R::TooLongOffline),
        (!recent(facts.reader_online_ms, policy.reader_online_ms), R::ReaderNotSeenOnline),
        (facts.amount.minor > policy.max_payment.minor, R::TooLarge(policy.max_payment)),
        (facts.stored_count >= policy.max_stored_count, R::TooMany(facts.stored_count)),
    ];
    limits.into_iter().filter(|(broken, _)| *broken).map(|(_, limit)| limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn facts() -> OfflineFacts {
        OfflineFacts {
            amount: Money::new(25_000, Currency::EUR),
            entry: CardEntry::Chip,
            marks: CardMarks::default(),
            known_brand: true,
            stored_minor: 225_000,
            stored_count: 74,
            last_contact_ms: Some(0),
            reader_online_ms: Some(0),
            now_ms: 24 * HOUR_MS,
        }
    }

    #[test]
    fn each_limit_holds_at_its_edge() {
        use PolicyRefusal as R;
        let policy = OfflinePolicy::standard(Currency::EUR, 24 * HOUR_MS);
        let check = |facts: OfflineFacts, expect: &[R]| assert_eq!(broken(Some(&policy), &facts), expect, "{facts:?}");
        let day = 24 * HOUR_MS;
        check(facts(), &[]);
        check(
            OfflineFacts { now_ms: day + 1, last_contact_ms: Some(day), reader_online_ms: Some(day), ..facts() },
            &[R::Expired],
        );
        let usd = Money::new(1, "USD".parse().unwrap());
        check(OfflineFacts { amount: usd, ..facts() }, &[R::ForeignCurrency]);
        check(OfflineFacts { entry: CardEntry::Magstripe, ..facts() }, &[R::Magstripe]);
        check(OfflineFacts { known_brand: false, ..facts() }, &[R::UnknownBrand]);
        check(OfflineFacts { marks: CardMarks { expired: true, online_pin: false }, ..facts() }, &[R::CardExpired]);
        check(OfflineFacts { marks: CardMarks { expired: false, online_pin: true }, ..facts() }, &[R::OnlinePin]);
        check(OfflineFacts { stored_minor: 225_001, ..facts() }, &[R::StoredFull]);
        check(OfflineFacts { stored_minor: i64::MAX, ..facts() }, &[R::StoredFull]);
        for unknown in [None, Some(-1), Some(day + CLOCK_SLACK_MS + 1)] {
            check(OfflineFacts { last_contact_ms: unknown, ..facts() }, &[R::TooLongOffline]);
            check(OfflineFacts { reader_online_ms: unknown, ..facts() }, &[R::ReaderNotSeenOnline]);
        }
        check(OfflineFacts { last_contact_ms: Some(day + CLOCK_SLACK_MS), ..facts() }, &[]);
        let more = Money::new(25_001, Currency::EUR);
        let too_large = R::TooLarge(policy.max_payment);
        check(OfflineFacts { amount: more, stored_minor: 0, ..facts() }, &[too_large]);
        check(OfflineFacts { stored_count: 75, ..facts() }, &[R::TooMany(75)]);
        assert_eq!(broken(None, &facts()), [R::NoPolicy]);
    }

    #[test]
    fn a_managers_pin_lifts_no_hard_limit() {
        let policy = OfflinePolicy::standard(Currency::EUR, 24 * HOUR_MS);
        let large = Money::new(25_001, Currency::EUR);
        let of = |facts| broken(Some(&policy), &facts);
        let soft = of(OfflineFacts { amount: large, stored_minor: 0, stored_count: 75, ..facts() });
        assert!(soft.len() == 2 && soft.iter().all(PolicyRefusal::is_soft), "{soft:?}");
        // The sum bounds a large payment, and what is hard comes first.
        let hard = of(OfflineFacts { amount: large, ..facts() });
        assert!(hard.len() == 2 && !hard[0].is_soft() && hard[1].is_soft(), "{hard:?}");
    }
}
