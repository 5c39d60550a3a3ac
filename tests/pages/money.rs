//! The seeded office's invoices and payments.

use super::{HOUR_MS, MINUTE_MS, NOW_MS, Seed, document, start_of};
use rusqlite::params;
use tillroll::domain::event::{
    CashRecorded, Event, LineAdded, PaymentAcceptedOffline, PaymentCardRead, PaymentIntended, PaymentOutcomeSeen,
    PaymentRequested,
};
use tillroll::domain::id::{InvoiceId, ItemId, LineId, PaymentId};
use tillroll::domain::invoice::{Invoice, InvoiceState};
use tillroll::domain::line::{Line, LineKind, Quantity};
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::outcome::{Outcome, OutcomeState};
use tillroll::domain::payment::{CardEntry, CardSummary, Payment};
use tillroll::domain::tax::default_rules;
use tillroll::domain::totals::{Extras, totals};
use uuid::Uuid;

/// What became of a card payment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Captured,
    Approved,
    Stored,
    LateDeclined,
    Held,
    Declined,
    Asking,
}

impl Seed {
    /// Lines and invoice of a visit; its total.
    pub fn invoice(&mut self, number: usize, person: usize, part_minor: i64) -> Money {
        let (job, visit) = self.job(number);
        let at = start_of(number) + 50 * MINUTE_MS;
        let lines = vec![
            line(self.id(), LineKind::Labour, "Labour", 1_500, "h", 6_000),
            line(self.id(), LineKind::Part, "Thermostat TX-2", 1_000, "pc", part_minor),
            line(self.id(), LineKind::Fee, "Call-out <b>", 1_000, "", 1_950),
        ];
        for one in &lines {
            self.tell(person, &Event::LineAdded(LineAdded { job, visit, line: one.clone() }), at - 10 * MINUTE_MS);
        }
        let totals = totals(&lines, Currency::EUR, Extras::NONE).unwrap();
        let total = totals.total();
        let invoice = Invoice {
            id: InvoiceId(self.id()),
            document: document(number),
            job,
            visit,
            customer: self.text(&format!("SELECT customer FROM job WHERE external_id = 'J{number}'")).parse().unwrap(),
            lines,
            totals,
            issued_ms: at,
            state: InvoiceState::Issued,
            delivered: true,
            deposit: None,
        };
        let sql =
            "INSERT INTO invoice VALUES (?1, ?2, 'invoice', ?3, ?4, ?5, ?6, 'EUR', ?7, 0, 0, 0, 'issued', 1, ?8, ?9)";
        let row = params![
            invoice.id.to_string(),
            self.device(person),
            invoice.document.to_string(),
            job.to_string(),
            visit.to_string(),
            invoice.customer.to_string(),
            total.minor,
            at,
            serde_json::to_string(&invoice).unwrap()
        ];
        self.db.execute(sql, row).unwrap();
        total
    }

    fn store(&mut self, person: usize, payment: &Payment) {
        let sql = "INSERT INTO payment VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'EUR', ?8, ?8, ?9, ?10, ?11, ?10, ?11, 0, 0, NULL, NULL, 0, ?12,
                   ?13)";
        let tender = serde_json::to_value(payment.tender).unwrap();
        let row = params![
            payment.id.to_string(),
            self.device(person),
            payment.invoice.to_string(),
            payment.document.to_string(),
            payment.job.to_string(),
            payment.visit.to_string(),
            tender.as_str(),
            payment.amount.minor,
            payment.state.name(),
            payment.approved_minor,
            payment.pending_minor,
            payment.at_ms,
            serde_json::to_string(payment).unwrap()
        ];
        self.db.execute(sql, row).unwrap();
    }

    /// The whole invoice in cash.
    pub fn cash(&mut self, number: usize, person: usize, total: Money) {
        let (job, visit) = self.job(number);
        let event = Event::CashRecorded(CashRecorded {
            extras: tillroll::domain::payment::Extras::NONE,
            payment: PaymentId(self.id()),
            invoice: self.invoice_id(number),
            document: document(number),
            job,
            visit,
            amount: total,
            tendered_minor: 20_000,
            change_minor: 20_000 - total.minor,
            linked_to: None,
        });
        let at = start_of(number) + 52 * MINUTE_MS;
        self.tell(person, &event, at);
        let payment = Payment::after(None, &event, at).unwrap();
        self.store(person, &payment);
    }

    /// Gives so much back of every payment of this tender.
    pub fn give_back(&self, tender: &str, minor: i64) {
        let sql = "UPDATE payment SET refunded_minor = ?2, record = json_set(record, '$.refunded_minor', ?2)
                   WHERE tender = ?1";
        self.db.execute(sql, (tender, minor)).unwrap();
    }

    fn invoice_id(&self, number: usize) -> InvoiceId {
        self.text(&format!("SELECT id FROM invoice WHERE document = '{}'", document(number))).parse().unwrap()
    }

    /// A card payment with this fate; its id.
    pub fn card(&mut self, number: usize, person: usize, amount: Money, fate: Fate) -> PaymentId {
        let (job, visit) = self.job(number);
        let (id, at) = (PaymentId(self.id()), start_of(number) + 52 * MINUTE_MS);
        let blob = format!("{:064x}", id.0.as_u128());
        let (invoice, document) = (self.invoice_id(number), document(number));
        let extras = tillroll::domain::payment::Extras::NONE;
        let begin =
            PaymentIntended { payment: id, invoice, document, job, visit, amount, extras, linked_to: None, keep: None };
        let card = CardSummary {
            brand: ["VISA", "MASTERCARD"][number % 2].to_owned(),
            last4: format!("{:04}", 10 + number),
            aid: "A0000000031010".to_owned(),
            label: "DEBIT".to_owned(),
            cvm: "no verification".to_owned(),
            entry: CardEntry::Contactless,
            marks: Default::default(),
        };
        let read = PaymentCardRead {
            payment: id,
            job,
            visit,
            card,
            blob: blob.clone(),
            sealing_key: "k".to_owned(),
            ksn: format!("{number:020X}"),
            ciphertext_sha256: blob.clone(),
            salt: "s".to_owned(),
        };
        let offline = matches!(fate, Fate::Stored | Fate::LateDeclined | Fate::Held);
        let deadline_ms = at + 24 * HOUR_MS;
        let third = if offline {
            Event::PaymentAcceptedOffline(PaymentAcceptedOffline {
                payment: id,
                job,
                visit,
                amount,
                blob,
                deadline_ms,
                policy: 1,
            })
        } else {
            Event::PaymentRequested(PaymentRequested { payment: id, job, visit, amount, blob })
        };
        let mut events = vec![Event::PaymentIntended(begin), Event::PaymentCardRead(read), third];
        let outcome = outcome(fate, id, amount.minor, at + if offline { 71 * MINUTE_MS } else { 9_000 });
        let seen = matches!(fate, Fate::Captured | Fate::Declined);
        if let Some(outcome) = outcome.clone().filter(|_| seen) {
            let outcome =
                if fate == Fate::Captured { Outcome { state: OutcomeState::Approved, ..outcome } } else { outcome };
            events.push(Event::PaymentOutcomeSeen(PaymentOutcomeSeen { payment: id, job, visit, outcome }));
        }
        let mut payment = None;
        for (n, event) in events.iter().enumerate() {
            let at = at + 4_000 * i64::try_from(n).unwrap();
            self.tell(person, event, at);
            payment = Some(Payment::after(payment.as_ref(), event, at).unwrap());
        }
        self.store(person, &payment.unwrap());
        self.office_side(number, person, id, amount, fate, outcome, seen, deadline_ms);
        id
    }

    #[expect(clippy::too_many_arguments, reason = "a row of a table, once")]
    fn office_side(
        &mut self,
        number: usize,
        person: usize,
        id: PaymentId,
        amount: Money,
        fate: Fate,
        outcome: Option<Outcome>,
        seen: bool,
        deadline_ms: i64,
    ) {
        let sql = "INSERT INTO card_payment (payment, device, epoch, currency, amount_minor, blob, ksn, ciphertext_sha256,
                accepted_offline, deadline_ms, outcome_seen, outcome, outcome_n, outcome_record, captured_minor, next_ms)
            VALUES (?1, ?2, 'e', 'EUR', ?3, 'b', ?1, 'c', ?4, ?5, ?6, 'x', 1, ?7, ?8, ?9)";
        let captured = if fate == Fate::Captured { amount.minor } else { 0 };
        let offline = matches!(fate, Fate::Stored | Fate::LateDeclined | Fate::Held);
        let record = outcome.map(|outcome| serde_json::to_string(&outcome).unwrap());
        let row = params![
            id.to_string(),
            self.device(person),
            amount.minor,
            offline,
            offline.then_some(deadline_ms),
            seen,
            record,
            captured,
            NOW_MS + HOUR_MS
        ];
        self.db.execute(sql, row).unwrap();
        let kind = match fate {
            Fate::LateDeclined => "late_decline",
            Fate::Held => "held_excess",
            Fate::Captured | Fate::Approved | Fate::Stored | Fate::Declined | Fate::Asking => return,
        };
        let deadline = (fate == Fate::Held).then_some(deadline_ms);
        let job = format!("J{number}");
        self.exception_about(kind, &job, &id.to_string(), amount.minor, start_of(number) + HOUR_MS, deadline);
    }
}

fn outcome(fate: Fate, payment: PaymentId, amount_minor: i64, at_ms: i64) -> Option<Outcome> {
    let (state, auth_code, response_code, reason) = match fate {
        Fate::Captured => (OutcomeState::Captured, Some("A1B2C3"), Some("00"), None),
        Fate::Approved => (OutcomeState::Approved, Some("Z9Y8X7"), Some("00"), None),
        Fate::LateDeclined => (OutcomeState::LateDeclined, None, Some("05"), Some("do not honour")),
        Fate::Held => (OutcomeState::Held, None, None, Some("larger than what the invoice still owes")),
        Fate::Declined => (OutcomeState::Declined, None, Some("51"), Some("insufficient funds")),
        Fate::Stored | Fate::Asking => return None,
    };
    let own = |text: Option<&str>| text.map(str::to_owned);
    let (auth_code, response_code, reason) = (own(auth_code), own(response_code), own(reason));
    Some(Outcome { payment, state, amount_minor, auth_code, response_code, reason, at_ms, n: 1 })
}

fn line(id: Uuid, kind: LineKind, name: &str, quantity: i64, unit: &str, minor: i64) -> Line {
    Line {
        id: LineId(id),
        kind,
        item: Some(ItemId(id)),
        name: name.to_owned(),
        quantity: Quantity(quantity),
        unit: unit.to_owned(),
        unit_price: Money::new(minor, Currency::EUR),
        tax: default_rules().into_iter().next(),
        stock_tracked: kind == LineKind::Part,
    }
}
