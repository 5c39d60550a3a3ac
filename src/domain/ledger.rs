//! A small double-entry ledger. Entries are appended, never changed; balances are sums.

use super::id::{CustomerId, EntryId};
use super::money::{Currency, MoneyError};
use serde::{Deserialize, Serialize};

/// The chart of accounts. Parts are counted in pieces (`stock`): the price book knows no cost, so there is no
/// stock account in money yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What customers owe.
    Receivable,
    /// Notes and coins with the technician.
    Cash,
    /// Approved card money on its way from the processor.
    CardClearing,
    /// Stored card money that nobody has agreed to.
    CardPending,
    /// The other side of `CardPending`: it lowers no debt until it is certain.
    PendingOffset,
    /// Tax collected for the state.
    Tax,
    /// Sales without tax.
    Revenue,
    /// Cash rounding.
    Rounding,
    /// Tips, owed to the technician.
    Tips,
    /// Surcharges for credit cards, less discounts for cash.
    Surcharges,
    /// Given back to customers for what they need not pay; takes from revenue.
    Refunds,
    /// Cheques not yet at the bank.
    Cheques,
    /// Transfers that the office has seen.
    Transfers,
    /// What the office has given up; only the office posts here.
    WrittenOff,
    /// Cash that was counted out of a drawer or dropped from it; floats come out of it.
    Safe,
    /// What was paid into a drawer and out of it beside the customers' payments.
    PettyCash,
    /// Cash counted less than cash expected (debit) or more (credit); it is never evened out.
    CashOverShort,
    /// Paid ahead by customers: owed to them until it pays an invoice or goes back.
    Deposits,
}

impl Account {
    /// Every account.
    pub const ALL: [Account; 18] = [
        Account::Receivable,
        Account::Cash,
        Account::CardClearing,
        Account::CardPending,
        Account::PendingOffset,
        Account::Tax,
        Account::Revenue,
        Account::Rounding,
        Account::Tips,
        Account::Surcharges,
        Account::Refunds,
        Account::Cheques,
        Account::Transfers,
        Account::WrittenOff,
        Account::Safe,
        Account::PettyCash,
        Account::CashOverShort,
        Account::Deposits,
    ];

    /// The name in the databases.
    pub fn name(self) -> &'static str {
        match self {
            Account::Receivable => "receivable",
            Account::Cash => "cash",
            Account::CardClearing => "card_clearing",
            Account::CardPending => "card_pending",
            Account::PendingOffset => "pending_offset",
            Account::Tax => "tax",
            Account::Revenue => "revenue",
            Account::Rounding => "rounding",
            Account::Tips => "tips",
            Account::Surcharges => "surcharges",
            Account::Refunds => "refunds",
            Account::Cheques => "cheques",
            Account::Transfers => "transfers",
            Account::WrittenOff => "written_off",
            Account::Safe => "safe",
            Account::PettyCash => "petty_cash",
            Account::CashOverShort => "cash_over_short",
            Account::Deposits => "deposits",
        }
    }
}

/// One side of an entry: debit positive, credit negative, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// How much.
    pub minor: i64,
}

/// One balanced entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The id of the journal row that caused it: one entry a row at most.
    pub id: EntryId,
    /// When, Unix milliseconds by the device's clock.
    pub at_ms: i64,
    /// Whose account; nobody's for cash between drawer and safe.
    pub customer: Option<CustomerId>,
    /// Its one currency.
    pub currency: Currency,
    /// At least two, none of zero, summing to zero.
    pub postings: Vec<Posting>,
}

impl Entry {
    /// An entry of `sides`; zeros are dropped, `None` when nothing is left. An error if the sides do not balance.
    pub fn balanced(
        id: EntryId,
        at_ms: i64,
        customer: impl Into<Option<CustomerId>>,
        currency: Currency,
        sides: &[(Account, i64)],
    ) -> Result<Option<Entry>, LedgerError> {
        let postings: Vec<Posting> =
            sides.iter().filter(|(_, minor)| *minor != 0).map(|&(account, minor)| Posting { account, minor }).collect();
        let sum: i128 = postings.iter().map(|p| i128::from(p.minor)).sum();
        if sum != 0 {
            return Err(LedgerError::Unbalanced);
        }
        Ok((!postings.is_empty()).then_some(Entry { id, at_ms, customer: customer.into(), currency, postings }))
    }
}

/// Why there is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Debits and credits differ: a mistake in the program.
    #[error("a ledger entry does not balance")]
    Unbalanced,
    /// Arithmetic.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl LedgerError {
    /// The same entry never balances.
    pub fn is_permanent(&self) -> bool {
        true
    }
}
