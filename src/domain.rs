//! Values and rules of the trade: money, ids, jobs, invoices, payments, the ledger and the journal's rows.
//!
//! Invariant: does no I/O, reads no clock, draws no random number; all of them are arguments.
//! Start at [`fold`]: what one journal row changes, the same on the handheld and in the office.

pub mod consent;
pub mod customer;
pub mod decision;
pub mod deposit;
pub mod document;
pub mod email;
pub mod event;
pub mod exception;
pub mod fold;
pub mod id;
pub mod invoice;
pub mod job;
pub mod journal;
pub mod ledger;
pub mod line;
pub mod mode;
pub mod money;
pub mod outcome;
pub mod payment;
pub mod pin;
pub mod policy;
pub mod price;
pub mod read;
pub mod receipt;
pub mod refund;
pub mod rules;
pub mod shift;
pub mod stock;
pub mod tax;
pub mod totals;
