//! One job: what is to be done, the lines, the money so far. Start with `invoice`.

pub mod update;
pub mod view;

use crate::app::model::Model;
use crate::domain::id::{InvoiceId, JobId};
use crate::domain::invoice::{Invoice, InvoiceState, PaidSums};
use crate::domain::line::Line;
use crate::domain::payment::{Payment, PaymentState, Standing};
use crate::domain::read::{Bill, JobDetail, PaymentView};

/// The invoice of the job in front, unless it was taken back.
pub fn invoice(model: &Model) -> Option<&Invoice> {
    let invoice = model.job.as_ref()?.invoice.as_ref()?;
    (invoice.state != InvoiceState::Cancelled).then_some(invoice)
}

/// Whether lines may still change.
pub fn is_open(model: &Model) -> bool {
    model.job.is_some() && invoice(model).is_none()
}

/// The selected line, while lines may change.
pub fn selected_line(model: &Model) -> Option<&Line> {
    model.job.as_ref()?.lines.get(model.line_selected).filter(|_| is_open(model))
}

/// How many places Up and Down go to: each line that may change (or the top), the sums, and the end.
pub fn stops(model: &Model) -> usize {
    let lines = model.job.as_ref().map_or(0, |job| job.lines.len());
    if is_open(model) { lines.max(1) + 2 } else { 3 }
}

/// Whether there is something to collect: lines with a total, or an invoice that is not covered.
pub fn may_collect(model: &Model) -> bool {
    let Some(job) = &model.job else { return false };
    match invoice(model) {
        Some(_) => job.open().is_some_and(|open| open.minor > 0),
        None => job.totals.as_ref().is_some_and(|totals| totals.total_minor >= 0) && !job.lines.is_empty(),
    }
}

/// Whether the invoice may be taken back: no money has moved, or may still have.
pub fn may_reopen(model: &Model) -> bool {
    let (Some(job), Some(invoice)) = (&model.job, invoice(model)) else { return false };
    let mut payments = job.payments.iter().filter(|view| view.payment.invoice == invoice.id);
    payments.all(|view| view.state().standing() == Standing::Failed)
}

/// The newest deposit of the job that somebody has paid, or promised to: it has a receipt.
pub fn paid_deposit(model: &Model) -> Option<InvoiceId> {
    let job = model.job.as_ref()?;
    let money = |payment: &Payment| payment.approved_minor > 0 || payment.pending_minor > 0;
    let paid = |bill: &&Bill| {
        let mut own = job.payments.iter().filter(|view| view.payment.invoice == bill.invoice.id);
        bill.sums != PaidSums::NONE || own.any(|view| money(&view.payment))
    };
    job.bills.iter().rev().filter(|bill| bill.invoice.is_deposit()).find(paid).map(|bill| bill.invoice.id)
}

/// Whether money can be taken ahead: the job has no invoice, which would be paid itself; or the office asks for a deposit
/// again that came to nothing.
pub fn may_deposit(model: &Model) -> bool {
    let Some(job) = &model.job else { return false };
    job.bills.iter().all(|bill| bill.invoice.is_deposit()) || asks_for_deposit(job)
}

/// The office asks to collect a deposit again, not the invoice.
pub fn asks_for_deposit(job: &JobDetail) -> bool {
    let asked = job.payments.iter().find(|view| Some(view.payment.id) == job.collects_again());
    let of_deposit = |view: &PaymentView| unpaid(job).any(|bill| bill.invoice.id == view.payment.invoice);
    asked.is_some_and(of_deposit)
}

fn unpaid(job: &JobDetail) -> impl Iterator<Item = &Bill> {
    let open = |bill: &&Bill| bill.invoice.open(bill.sums).is_ok_and(|open| open.minor > 0);
    job.bills.iter().filter(|bill| bill.invoice.is_deposit()).filter(open)
}

/// The deposit that something is still to be paid of.
pub fn unpaid_deposit(model: &Model) -> Option<InvoiceId> {
    unpaid(model.job.as_ref()?).next().map(|bill| bill.invoice.id)
}

/// The payment that is not certain, else the last that may be voided.
pub fn actionable_payment(model: &Model) -> Option<&Payment> {
    let job = model.job.as_ref()?;
    let mut waiting = job.payments.iter().filter(|view| view.payment.blocks_other_tender());
    let mut voidable = job.payments.iter().rev().filter(|view| {
        let held = matches!(view.payment.state, PaymentState::Stored | PaymentState::Held | PaymentState::Approved);
        held && view.went_on.is_none()
    });
    waiting.next().or_else(|| voidable.next()).map(|view| &view.payment)
}

/// The newest entry of cash, cheque or transfer that may be taken back as wrong.
pub fn correctable(model: &Model) -> Option<&Payment> {
    let payments = model.job.as_ref()?.payments.iter().rev().map(|view| &view.payment);
    let mut wrong = payments.filter(|payment| {
        let entry = matches!(payment.state, PaymentState::Recorded | PaymentState::Tendered);
        entry && payment.refunded_minor == 0 && payment.refund_open_minor == 0
    });
    wrong.next()
}

/// The customer of a job as known to people, as far as it is loaded.
pub fn customer_name(model: &Model, job: JobId) -> String {
    let in_list = model.today.rows.iter().flatten().find(|row| row.job == job);
    let in_front = model.job.as_ref().map(|detail| &detail.row).filter(|row| row.job == job);
    in_front.or(in_list).map_or_else(|| "A customer".to_owned(), |row| row.customer_name.clone())
}
