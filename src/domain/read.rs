//! What screens show: plain values, read from the store and handed to the screen program.

use super::decision::CollectAgain;
use super::deposit::{Deposit, usable};
use super::id::{CustomerId, InvoiceId, JobId, PaymentId, VisitId};
use super::invoice::{Invoice, PaidSums};
use super::job::{MoneyState, Review, VisitState};
use super::line::Line;
use super::money::{Currency, Money};
use super::payment::{Payment, PaymentState, Standing, Tender};
use super::receipt::ReceiptStanding;
use super::refund::Refund;
use super::rules::Rules;
use super::totals::Totals;

/// One visit of the day's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TodayRow {
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// Who pays.
    pub customer: CustomerId,
    /// As known to people.
    pub customer_name: String,
    /// What is to be done.
    pub title: String,
    /// Street and city.
    pub address: String,
    /// Start of the appointment, Unix milliseconds.
    pub window_start_ms: i64,
    /// End of the appointment, Unix milliseconds.
    pub window_end_ms: i64,
    /// 0 (low) to 3 (emergency).
    pub priority: u8,
    /// How far the technician is.
    pub state: VisitState,
    /// Where the money stands.
    pub money: MoneyState,
    /// The invoice's total, once there is one.
    pub total: Option<Money>,
    /// What is open of it.
    pub open: Option<Money>,
    /// What refunds have made of a visit that was paid.
    pub back: Option<ReceiptStanding>,
    /// Paid ahead for it and not used yet.
    pub deposit: Option<Money>,
    /// The office's word.
    pub review: Review,
}

/// All of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDetail {
    /// As in the list.
    pub row: TodayRow,
    /// As long as needed.
    pub description: String,
    /// Empty when not known.
    pub phone: String,
    /// How to get in.
    pub access_note: String,
    /// Country, or country and subdivision, of the site: what surcharges hang on.
    pub place: String,
    /// One line each.
    pub equipment: Vec<String>,
    /// The visit's lines.
    pub lines: Vec<Line>,
    /// Their totals; `None` without lines.
    pub totals: Option<Totals>,
    /// The invoice, once issued; or the deposit that [`JobDetail::show`] has put in its place.
    pub invoice: Option<Invoice>,
    /// Sums over its payments.
    pub sums: PaidSums,
    /// All documents of the job that were not taken back.
    pub bills: Vec<Bill>,
    /// What the customer has paid ahead, for this job and for others, oldest first.
    pub deposits: Vec<Deposit>,
    /// Its payments, oldest first.
    pub payments: Vec<PaymentView>,
    /// The customer's balance: what all their invoices still owe.
    pub customer_balance: Money,
    /// What may be done where money is taken.
    pub rules: Rules,
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// The office asks to collect a payment again, and nobody has yet.
    pub collect_again: Option<CollectAgain>,
    /// Where the customer reads e-mail; empty when not known.
    pub email: String,
    /// The customer holds a receipt that a late word has overtaken.
    pub receipt_due: Option<ReceiptDue>,
}

/// A document and the sums over its payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The document.
    pub invoice: Invoice,
    /// The sums.
    pub sums: PaidSums,
}

/// A receipt that does not say any more how things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptDue {
    /// When it was printed, Unix milliseconds by the device's clock.
    pub printed_ms: i64,
    /// What it says.
    pub was: ReceiptStanding,
    /// What a new one would say.
    pub is: ReceiptStanding,
}

impl JobDetail {
    /// What another tender may take.
    pub fn open(&self) -> Option<Money> {
        self.invoice.as_ref().and_then(|invoice| invoice.open(self.sums).ok())
    }

    /// Puts a document of the job in front, so that money is taken for it; `None` for the invoice, if there is one.
    pub fn show(&mut self, document: Option<InvoiceId>) {
        if document.is_none() && self.invoice.as_ref().is_none_or(|invoice| !invoice.is_deposit()) {
            return;
        }
        let wanted = |bill: &&Bill| match document {
            Some(id) => bill.invoice.id == id,
            None => !bill.invoice.is_deposit(),
        };
        let bill = self.bills.iter().find(wanted).cloned();
        self.sums = bill.as_ref().map_or(PaidSums::NONE, |bill| bill.sums);
        self.invoice = bill.map(|bill| bill.invoice);
    }

    /// The first deposit that can pay something of the invoice in front, those taken for this job before others.
    pub fn usable_deposit(&self) -> Option<(&Deposit, Money)> {
        let open = self.open().filter(|_| self.invoice.as_ref().is_some_and(|invoice| !invoice.is_deposit()))?;
        usable(&self.deposits, self.row.job, open)
    }

    /// The payment that the next one takes the place of, by the office's word.
    pub fn collects_again(&self) -> Option<PaymentId> {
        self.collect_again.as_ref().map(|again| again.payment)
    }

    /// A tender of this balance that is neither paid nor over.
    pub fn blocking_payment(&self) -> Option<PaymentId> {
        self.payments.iter().find(|p| p.payment.blocks_other_tender()).map(|p| p.payment.id)
    }
}

/// A payment with what the office did to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentView {
    /// The device's record.
    pub payment: Payment,
    /// How far the money came since the bank agreed: captured, settled or disputed.
    pub went_on: Option<PaymentState>,
    /// The office said that the request came too old to be sent.
    pub not_sent: bool,
}

impl PaymentView {
    /// The state to show: the device's, and what came of it where it went on from approved.
    pub fn state(&self) -> PaymentState {
        let approved = self.payment.state == PaymentState::Approved;
        self.went_on.filter(|_| approved).unwrap_or(self.payment.state)
    }

    /// What a person needs to tell apart. An announced transfer is a promise.
    pub fn standing(&self) -> Standing {
        let announced = self.payment.state == PaymentState::Tendered && self.payment.tender == Tender::Transfer;
        if announced { Standing::Pending } else { self.state().standing() }
    }

    /// The word for its state on screens.
    pub fn word(&self) -> &'static str {
        self.state().word_by(self.payment.tender)
    }
}

/// What is on the device and not yet certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// Stored and held card money, minor units.
    pub minor: i64,
    /// How many payments.
    pub count: u32,
    /// The first deadline, Unix milliseconds.
    pub first_deadline_ms: Option<i64>,
    /// The currency.
    pub currency: Currency,
}

/// How the exchange with the office stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncStatus {
    /// Last row of the journal.
    pub head_seq: u64,
    /// Last row that the office has.
    pub acked_seq: u64,
    /// Last row that is in a verified backup of the office.
    pub durable_seq: u64,
    /// When the oldest unsent row was written, Unix milliseconds.
    pub oldest_unsent_ms: Option<i64>,
    /// Last answer of the office, Unix milliseconds.
    pub last_contact_ms: Option<i64>,
    /// Stored card money.
    pub exposure: Exposure,
    /// Visits that the office sent back.
    pub sent_back: u32,
    /// Cash that should be in the drawer.
    pub drawer: Money,
    /// Whether a cash shift is open.
    pub shift_open: bool,
}

impl SyncStatus {
    /// Rows not yet at the office.
    pub fn unsent(&self) -> u64 {
        self.head_seq.saturating_sub(self.acked_seq)
    }
}
