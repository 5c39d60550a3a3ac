//! The table of transitions in the module's documentation is what the code does.

use super::*;
use crate::domain::event::{
    CashRecorded, DepositUsed, PaymentAcceptedOffline, PaymentCardRead, PaymentIntended, PaymentOutcomeSeen,
    PaymentRequested, PaymentStep, TenderRecorded,
};
use crate::domain::money::Currency;
use crate::domain::outcome::OutcomeState as O;
use std::collections::BTreeSet;
use uuid::Uuid;

const OUTCOMES: [O; 12] = [
    O::Approved,
    O::PartlyApproved,
    O::Declined,
    O::LateDeclined,
    O::Expired,
    O::Held,
    O::NotSent,
    O::Voided,
    O::VoidFailed,
    O::Captured,
    O::Settled,
    O::Disputed,
];

fn id<T: From<Uuid>>() -> T {
    Uuid::nil().into()
}

fn amount() -> Money {
    Money::new(10_000, Currency::EUR)
}

fn beginnings() -> Vec<Event> {
    let document: DocumentNumber = "D07-000001".parse().unwrap();
    let (payment, invoice, job, visit, extras, linked_to) = (id(), id(), id(), id(), Extras::NONE, None);
    let other = |tender| {
        let (document, reference) = (document.clone(), "x".to_owned());
        let amount = amount();
        Event::TenderRecorded(TenderRecorded {
            payment,
            tender,
            invoice,
            document,
            job,
            visit,
            amount,
            extras,
            reference,
            linked_to,
        })
    };
    vec![
        Event::PaymentIntended(PaymentIntended {
            payment,
            invoice,
            document: document.clone(),
            job,
            visit,
            amount: amount(),
            extras,
            linked_to,
            keep: None,
        }),
        Event::CashRecorded(CashRecorded {
            payment,
            invoice,
            document: document.clone(),
            job,
            visit,
            amount: amount(),
            extras,
            tendered_minor: 10_000,
            change_minor: 0,
            linked_to,
        }),
        other(Tender::Cheque),
        other(Tender::Transfer),
        Event::DepositUsed(DepositUsed {
            payment,
            deposit: id(),
            deposit_document: document.clone(),
            invoice,
            document,
            job,
            visit,
            amount: amount(),
            linked_to,
        }),
    ]
}

fn events() -> Vec<(String, Event)> {
    let step = PaymentStep { payment: id(), job: id(), visit: id(), why: "why".into() };
    let card = CardSummary {
        brand: "VISA".into(),
        last4: "0010".into(),
        aid: "A0".into(),
        label: "VISA".into(),
        cvm: "none".into(),
        entry: CardEntry::Chip,
        marks: Default::default(),
    };
    let (payment, job, visit) = (id(), id(), id());
    let text = String::new;
    let mut all = vec![
        Event::PaymentAbandoned(step.clone()),
        Event::PaymentCardDeclined(step.clone()),
        Event::PaymentRefused(step.clone()),
        Event::PaymentUnknown(step.clone()),
        Event::PaymentPartTaken(step.clone()),
        Event::PaymentVoidRequested(step.clone()),
        Event::PaymentCorrected(step),
        Event::PaymentCardRead(PaymentCardRead {
            payment,
            job,
            visit,
            card,
            blob: text(),
            sealing_key: text(),
            ksn: text(),
            ciphertext_sha256: text(),
            salt: text(),
        }),
        Event::PaymentRequested(PaymentRequested { payment, job, visit, amount: amount(), blob: text() }),
        Event::PaymentAcceptedOffline(PaymentAcceptedOffline {
            payment,
            job,
            visit,
            amount: amount(),
            blob: text(),
            deadline_ms: 1,
            policy: 1,
        }),
    ];
    all.extend(beginnings());
    let named = all.into_iter().map(|event| (event.kind().to_owned(), event));
    let words = OUTCOMES.map(|state| {
        let outcome = Outcome {
            payment,
            state,
            amount_minor: 10_000,
            auth_code: None,
            response_code: None,
            reason: None,
            at_ms: 0,
            n: 1,
        };
        let word = serde_json::to_value(state).unwrap();
        (
            format!("outcome {}", word.as_str().unwrap()),
            Event::PaymentOutcomeSeen(PaymentOutcomeSeen { payment, job, visit, outcome }),
        )
    });
    named.chain(words).collect()
}

/// From, event, to; the union over payments that were online and offline.
fn done() -> BTreeSet<(String, String, String)> {
    let mut found = BTreeSet::new();
    let begun: Vec<Payment> = beginnings().iter().map(|event| Payment::after(None, event, 0).unwrap()).collect();
    for (event, payment) in beginnings().iter().zip(&begun) {
        let tender = if event.kind() == "tender.recorded" {
            format!(" {}", payment.tender.word().to_lowercase())
        } else {
            String::new()
        };
        found.insert(("absent".into(), format!("{}{tender}", event.kind()), payment.state.name().into()));
    }
    for (state, name) in state::NAMES {
        for offline in [false, true] {
            let before = Payment { state, offline, ..begun[0].clone() };
            for (word, event) in events() {
                if let Ok(after) = Payment::after(Some(&before), &event, 0) {
                    found.insert((name.into(), word, after.state.name().into()));
                }
            }
        }
    }
    found
}

fn documented() -> BTreeSet<(String, String, String)> {
    let rows = include_str!("../payment.rs").lines().filter_map(|line| line.strip_prefix("//! |"));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    let rows = cells.filter(|cells| cells.len() == 4 && cells[0] != "from" && !cells[0].starts_with("---"));
    let each = |cell: &str| cell.split(" · ").map(str::to_owned).collect::<Vec<_>>();
    rows.flat_map(|cells| {
        let (from, event, to) = (each(&cells[0]), each(&cells[1]), cells[2].clone());
        from.into_iter().flat_map(move |from| {
            let to = to.clone();
            event.clone().into_iter().map(move |event| (from.clone(), event, to.clone()))
        })
    })
    .collect()
}

#[test]
fn the_documented_table_is_what_the_code_does() {
    let (done, documented) = (done(), documented());
    let missing: Vec<_> = done.difference(&documented).collect();
    let wrong: Vec<_> = documented.difference(&done).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "not in the table: {missing:#?}\nnot in the code: {wrong:#?}");
}
