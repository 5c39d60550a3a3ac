//! Sums and lists: exposure, the exchange's state, payments, balances.

use super::journal::{head, rows};
use super::today::payment_view;
use super::{Store, StoreError};
use crate::domain::id::{PaymentId, RefundId};
use crate::domain::journal::Row;
use crate::domain::ledger::Account;
use crate::domain::money::Money;
use crate::domain::payment::{CardSummary, Payment};
use crate::domain::policy::{OfflineFacts, OfflinePolicy, PolicyRefusal, broken};
use crate::domain::read::{Exposure, PaymentView, SyncStatus};
use crate::domain::refund::Refund;
use crate::facts::{parse, payment};

impl Store {
    /// One payment.
    pub fn payment(&self, id: PaymentId) -> Result<Payment, StoreError> {
        payment(self.read(), id)?.ok_or(StoreError::Missing("the payment"))
    }

    /// One refund.
    pub fn refund(&self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        Ok(crate::facts::refund(self.read(), id)?)
    }

    /// Refunds that are asked for and not answered, oldest first.
    pub fn refunds_waiting(&self) -> Result<Vec<Refund>, StoreError> {
        let sql = "SELECT record FROM refund WHERE state = 'requested' ORDER BY at_ms, id";
        let mut statement = self.read().prepare_cached(sql)?;
        let texts = statement.query_map([], |r| r.get::<_, String>(0))?;
        texts.map(|text| Ok(parse(&text?)?)).collect()
    }

    /// Every payment, oldest first.
    pub fn payments(&self) -> Result<Vec<PaymentView>, StoreError> {
        let sql = "SELECT p.record, o.state FROM payment p LEFT JOIN feed_outcome o ON o.payment = p.id ORDER BY p.seq";
        let mut statement = self.read().prepare_cached(sql)?;
        let found = statement.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get(1)?)))?;
        found
            .map(|columns| {
                let (record, state): (String, Option<String>) = columns?;
                payment_view(parse(&record)?, state)
            })
            .collect()
    }

    /// Payments that a stopped program left in the middle: waiting for a card, read, or asked for.
    pub fn interrupted_payments(&self) -> Result<Vec<Payment>, StoreError> {
        let sql = "SELECT record FROM payment WHERE state IN ('presenting', 'card_read', 'requested') ORDER BY seq";
        let mut statement = self.read().prepare_cached(sql)?;
        let texts = statement.query_map([], |r| r.get::<_, String>(0))?;
        texts.map(|text| Ok(parse(&text?)?)).collect()
    }

    /// Card money that is stored or held.
    pub fn exposure(&self) -> Result<Exposure, StoreError> {
        let sql = "SELECT coalesce(sum(pending_minor), 0), count(*), min(deadline_ms) FROM payment
             WHERE pending_minor > 0 AND tender = 'card'";
        let currency = self.currency;
        Ok(self.read().prepare_cached(sql)?.query_row([], |r| {
            Ok(Exposure { minor: r.get(0)?, count: r.get(1)?, first_deadline_ms: r.get(2)?, currency })
        })?)
    }

    /// Every limit that storing `amount` by this card now would break, hard ones first.
    pub fn offline_limits(
        &self,
        policy: Option<&OfflinePolicy>,
        amount: Money,
        card: &CardSummary,
        now_ms: i64,
    ) -> Result<Vec<PolicyRefusal>, StoreError> {
        let exposure = self.exposure()?;
        let facts = OfflineFacts {
            amount,
            entry: card.entry,
            marks: card.marks,
            known_brand: card.is_known_brand(),
            stored_minor: exposure.minor,
            stored_count: exposure.count,
            last_contact_ms: self.meta("last_contact_ms")?,
            reader_online_ms: self.meta("reader_online_ms")?,
            now_ms,
        };
        Ok(broken(policy, &facts))
    }

    /// Cash that should be with the technician.
    pub fn drawer(&self) -> Result<Money, StoreError> {
        Ok(Money::new(self.balance(Account::Cash)?, self.currency))
    }

    /// An account's balance in the store's currency, minor units.
    pub fn balance(&self, account: Account) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(sum(p.minor), 0) FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry
                   WHERE p.account = ?1 AND e.currency = ?2";
        Ok(self.read().prepare_cached(sql)?.query_row((account.name(), self.currency.code()), |r| r.get(0))?)
    }

    /// How the exchange with the office stands.
    pub fn sync_status(&self) -> Result<SyncStatus, StoreError> {
        let acked_seq = self.acked()?;
        let (head_seq, _) = head(self.read())?;
        let oldest_unsent_ms = rows(self.read(), acked_seq + 1, 1)?.first().map(|row| row.at_ms);
        let sent_back = self.read().query_row(
            "SELECT count(*) FROM feed_job WHERE hidden = 0 AND json_extract(record, '$.review') = 'sent_back'",
            [],
            |r| r.get(0),
        )?;
        Ok(SyncStatus {
            head_seq,
            acked_seq,
            durable_seq: self.meta("durable_seq")?.unwrap_or(0),
            oldest_unsent_ms,
            last_contact_ms: self.meta("last_contact_ms")?,
            exposure: self.exposure()?,
            sent_back,
            drawer: self.drawer()?,
            shift_open: self.has_open_shift()?,
        })
    }

    /// Rows of the journal from `first` on, at most `limit`.
    pub fn rows(&self, first: u64, limit: usize) -> Result<Vec<Row>, StoreError> {
        rows(self.read(), first, limit)
    }
}
