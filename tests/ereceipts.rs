//! Receipts by e-mail from the handheld's row to the file that goes out, read back by Python's own mail parser.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking, and says what it left out")]

#[path = "common/mod.rs"]
mod common;
#[path = "common/reads.rs"]
mod reads;
#[path = "batches/rig.rs"]
#[expect(dead_code, reason = "batches use more of it")]
mod rig;

use common::ids;
use reads::card_read;
use rig::Rig;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tillroll::domain::event::{
    Event, PaymentAcceptedOffline, PaymentOutcomeSeen, PaymentStep, ReceiptEmailRequested, RefundRequested,
    TenderRecorded,
};
use tillroll::domain::id::{PaymentId, RefundId};
use tillroll::domain::money::Money;
use tillroll::domain::outcome::{Outcome, OutcomeState};
use tillroll::domain::payment::{Extras, Tender};
use tillroll::domain::receipt::ReceiptStanding;
use tillroll::domain::refund::RefundKind;
use tillroll::office::ereceipts::outbox::{Outbox, Way};
use tillroll::office::ereceipts::{of_invoice, step};
use tillroll::office::payments::refunds::{self, Decision};
use tillroll::sync::wire::batch::Batch;
use uuid::Uuid;

const READ: &str = r#"
import email, email.policy, json, sys
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
defects = [repr(d) for part in message.walk() for d in part.defects]
defects += [repr(d) for header in message.values() for d in getattr(header, "defects", [])]
print(json.dumps({
    "headers": [[name, str(value)] for name, value in message.items()],
    "to": [a.addr_spec for a in message["To"].addresses], "from": [a.display_name for a in message["From"].addresses],
    "date": message["Date"].datetime.timestamp(), "defects": defects,
    "text": message.get_body(("plain",)).get_content(), "html": message.get_body(("html",)).get_content(),
}))
"#;

/// A message as Python reads it; nothing where there is no Python.
fn read(file: &Path) -> Option<Value> {
    let python = std::env::var_os("TILLROLL_PYTHON").filter(|path| !path.is_empty());
    let out = Command::new(python.unwrap_or_else(|| "python3".into())).args(["-c", READ]).arg(file).output();
    assert!(out.is_ok() || std::env::var_os("CI").is_none(), "no Python to read mail with: use tests/run");
    let Ok(out) = out else {
        eprintln!("left out: no Python; use tests/run");
        return None;
    };
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(serde_json::from_slice(&out.stdout).unwrap())
}

fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let all = mail["headers"].as_array().unwrap();
    all.iter().find(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap())
}

fn encode(batch: &Batch) -> Vec<u8> {
    batch.encode().unwrap()
}

/// An office whose handheld took a card offline and was asked for the receipt by e-mail.
async fn asked(to: &str) -> Rig {
    let mut rig = Rig::new().await;
    rig.work();
    rig.card_payment();
    let (payment, job, visit) = (ids().payment, ids().job, ids().visit);
    rig.commit(&Event::PaymentCardRead(card_read(payment, job, visit, "aa")));
    rig.commit(&Event::PaymentAcceptedOffline(PaymentAcceptedOffline {
        payment,
        job,
        visit,
        amount: Money::new(6_900, "EUR".parse().unwrap()),
        blob: "aa".into(),
        deadline_ms: 1_764_086_400_000,
        policy: 1,
    }));
    rig.commit(&Event::ReceiptEmailRequested(ReceiptEmailRequested {
        invoice: ids().invoice,
        job,
        visit,
        to: to.parse().unwrap(),
        standing: ReceiptStanding::Pending,
        salt: "dd".into(),
    }));
    let (status, answer) = rig.push(&encode(&rig.batch())).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["results"].as_array().unwrap().iter().all(|row| row["result"] == "applied"), "{answer}");
    rig
}

fn outbox(folder: &Path) -> Outbox {
    Outbox { from: "receipts@northwick.example".parse().unwrap(), way: Way::Folder(folder.to_owned()) }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn outcome(state: OutcomeState) -> Event {
    let outcome = Outcome {
        payment: ids().payment,
        state,
        amount_minor: 6_900,
        auth_code: (state == OutcomeState::Approved).then(|| "041926".into()),
        response_code: Some("00".into()),
        reason: (state != OutcomeState::Approved).then(|| "declined by the issuer".into()),
        at_ms: 1,
        n: 1,
    };
    Event::PaymentOutcomeSeen(PaymentOutcomeSeen {
        payment: ids().payment,
        job: ids().job,
        visit: ids().visit,
        outcome,
    })
}

#[tokio::test]
async fn a_pending_receipt_goes_out_and_a_new_one_follows_the_late_word() {
    for (state, wanted) in [
        (OutcomeState::Approved, &["APPROVED  AUTH 041926", "PAID"][..]),
        (
            OutcomeState::LateDeclined,
            &["DECLINED BY THE BANK LATER - NOT CHARGED", "Reason: declined by the issuer", "TO PAY"],
        ),
    ] {
        let mut rig = asked("ada@example.com").await;
        let folder = tempfile::tempdir().unwrap();
        let outbox = outbox(folder.path());
        assert_eq!(step(&rig.office, &outbox).unwrap(), 1);
        assert_eq!(step(&rig.office, &outbox).unwrap(), 0, "once");
        let first = files(folder.path());
        assert_eq!(first.len(), 1);
        let Some(mail) = read(&first[0]) else { return };
        assert_eq!(mail["defects"], serde_json::json!([]), "{mail}");
        assert_eq!((&mail["to"][0], &mail["date"]), (&"ada@example.com".into(), &1_764_000_000.0.into()));
        let id = header(&mail, "Message-ID").unwrap().to_owned();
        assert!(id.ends_with("@northwick.example>") && header(&mail, "Subject").unwrap().contains("pending"), "{mail}");
        for body in ["text", "html"] {
            let text = mail[body].as_str().unwrap();
            assert!(text.contains("PENDING BANK AUTHORISATION") && !text.contains("APPROVED"), "{text}");
        }
        // Nothing follows before there is news, and one thing after it.
        assert_eq!(step(&rig.office, &outbox).unwrap(), 0);
        rig.commit(&outcome(state));
        let (_, answer) = rig.push(&encode(&rig.batch())).await;
        assert!(answer["results"].as_array().unwrap().iter().all(|row| row["reason"].is_null()), "{answer}");
        assert_eq!(step(&rig.office, &outbox).unwrap(), 1);
        assert_eq!(step(&rig.office, &outbox).unwrap(), 0);
        let second = files(folder.path()).into_iter().find(|file| *file != first[0]).unwrap();
        let mail = read(&second).unwrap();
        assert_eq!(header(&mail, "In-Reply-To"), Some(id.as_str()));
        let text = mail["text"].as_str().unwrap();
        for words in wanted.iter().chain(&["REPLACES THE RECEIPT OF"]) {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        let entries = rig.office.read(|db| of_invoice(db, &ids().invoice.to_string())).unwrap();
        assert!(entries.len() == 2 && entries.iter().all(|entry| entry.state == "sent"), "{entries:?}");
    }
}

#[tokio::test]
async fn a_receipt_tells_of_a_refund_and_a_new_one_follows_the_offices_word_on_it() {
    for (release, wanted, word) in [
        (true, &["REFUNDED BY THE OFFICE", "REFUNDED", "TO PAY"][..], "partly refunded"),
        (false, &["REFUND REFUSED - NOTHING GOES BACK", "PAID"], "(paid)"),
    ] {
        let mut rig = Rig::new().await;
        rig.work();
        rig.card_payment();
        let (job, visit, invoice, tender) = (ids().job, ids().visit, ids().invoice, Tender::Cheque);
        let cheque = PaymentId(Uuid::from_u128(501));
        let refund = RefundId(Uuid::from_u128(502));
        let eur = |minor| Money::new(minor, "EUR".parse().unwrap());
        let why = "by cheque".to_owned();
        rig.commit(&Event::PaymentAbandoned(PaymentStep { payment: ids().payment, job, visit, why }));
        rig.commit(&Event::TenderRecorded(TenderRecorded {
            payment: cheque,
            tender,
            invoice,
            document: "D07-000001".parse().unwrap(),
            job,
            visit,
            amount: eur(6_900),
            extras: Extras::NONE,
            reference: "000123".into(),
            linked_to: None,
        }));
        rig.commit(&Event::RefundRequested(RefundRequested {
            refund,
            payment: Some(cheque),
            job,
            visit,
            tender,
            amount: eur(1_900),
            what: RefundKind::Reopen,
            reason: "leaks".into(),
            manager: false,
        }));
        rig.commit(&Event::ReceiptEmailRequested(ReceiptEmailRequested {
            invoice,
            job,
            visit,
            to: "ada@example.com".parse().unwrap(),
            standing: ReceiptStanding::RefundWaiting,
            salt: "dd".into(),
        }));
        let (_, answer) = rig.push(&encode(&rig.batch())).await;
        assert!(answer["results"].as_array().unwrap().iter().all(|row| row["result"] == "applied"), "{answer}");
        let folder = tempfile::tempdir().unwrap();
        let outbox = outbox(folder.path());
        assert_eq!(step(&rig.office, &outbox).unwrap(), 1);
        let first = files(folder.path());
        let Some(mail) = read(&first[0]) else { return };
        assert!(header(&mail, "Subject").unwrap().contains("not released yet"), "{mail}");
        let text = mail["text"].as_str().unwrap();
        for words in ["PAID BY CHEQUE", "Reference 000123", "REFUND REQUESTED - NOT RELEASED YET", "EUR 19.00"] {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        assert!(!text.contains("leaks"), "a note for the office: {text}");
        assert_eq!(step(&rig.office, &outbox).unwrap(), 0, "no news yet");
        // The handheld has not heard of it: the office's word alone counts.
        let decision = if release { Decision::Release } else { Decision::Refuse("no") };
        assert!(rig.office.write(|tx| refunds::decide(tx, refund, decision, "dina", 1_764_000_000_000)).unwrap());
        assert_eq!(step(&rig.office, &outbox).unwrap(), 1);
        let second = files(folder.path()).into_iter().find(|file| *file != first[0]).unwrap();
        let mail = read(&second).unwrap();
        assert!(header(&mail, "Subject").unwrap().contains(word), "{mail}");
        let text = mail["text"].as_str().unwrap();
        for words in wanted {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        assert_eq!(step(&rig.office, &outbox).unwrap(), 0);
    }
}

#[tokio::test]
async fn a_message_that_said_paid_is_followed_when_it_is_not_so_any_more() {
    let mut rig = asked("ada@example.com").await;
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    let sent = |rig: &Rig| step(&rig.office, &outbox).unwrap();
    async fn push(rig: &Rig) {
        let (_, answer) = rig.push(&encode(&rig.batch())).await;
        assert!(answer["results"].as_array().unwrap().iter().all(|row| row["reason"].is_null()), "{answer}");
    }
    let standings = "SELECT group_concat(standing) FROM (SELECT standing FROM ereceipt ORDER BY n)";
    let said = |rig: &Rig| rig.office.read(|db| db.query_row(standings, [], |r| r.get::<_, String>(0))).unwrap();
    rig.commit(&outcome(OutcomeState::Approved));
    push(&rig).await;
    assert_eq!(sent(&rig), 1);
    assert_eq!(said(&rig), "paid");
    // Part of it goes back: asked for, then given.
    let (job, visit, refund) = (ids().job, ids().visit, RefundId(Uuid::from_u128(503)));
    rig.commit(&Event::RefundRequested(RefundRequested {
        refund,
        payment: Some(ids().payment),
        job,
        visit,
        tender: Tender::Card,
        amount: Money::new(900, "EUR".parse().unwrap()),
        what: RefundKind::Credit,
        reason: "a dent".into(),
        manager: false,
    }));
    push(&rig).await;
    assert_eq!((sent(&rig), sent(&rig)), (1, 0));
    assert!(rig.office.write(|tx| refunds::decide(tx, refund, Decision::Refuse("no"), "dina", 1)).unwrap());
    assert_eq!((sent(&rig), sent(&rig)), (1, 0));
    assert_eq!(said(&rig), "paid,refund_waiting,paid");
    // The bank's approval is given back in the end.
    rig.commit(&outcome(OutcomeState::Voided));
    push(&rig).await;
    assert_eq!((sent(&rig), sent(&rig)), (1, 0));
    assert_eq!(said(&rig), "paid,refund_waiting,paid,due");
    // Who pays after that is there, and asks for a receipt.
    rig.commit(&Event::TenderRecorded(TenderRecorded {
        payment: PaymentId(Uuid::from_u128(504)),
        tender: Tender::Cheque,
        invoice: ids().invoice,
        document: "D07-000001".parse().unwrap(),
        job,
        visit,
        amount: Money::new(6_900, "EUR".parse().unwrap()),
        extras: Extras::NONE,
        reference: "000123".into(),
        linked_to: None,
    }));
    push(&rig).await;
    assert_eq!(sent(&rig), 0);
}

#[tokio::test]
async fn a_message_that_goes_out_twice_after_a_crash_has_the_same_id() {
    let rig = asked("ada@example.com").await;
    let folder = tempfile::tempdir().unwrap();
    let outbox = outbox(folder.path());
    assert_eq!(step(&rig.office, &outbox).unwrap(), 1);
    let before = std::fs::read(&files(folder.path())[0]).unwrap();
    let forgotten = "UPDATE ereceipt SET state = 'queued', standing = NULL, said = NULL, sent_ms = NULL";
    rig.office.write(|tx| tx.execute(forgotten, [])).unwrap();
    assert_eq!(step(&rig.office, &outbox).unwrap(), 1);
    assert_eq!(files(folder.path()).len(), 1);
    assert_eq!(std::fs::read(&files(folder.path())[0]).unwrap(), before);
}

#[tokio::test]
async fn an_outbox_that_is_away_is_tried_again_and_the_reason_kept() {
    let rig = asked("ada@example.com").await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(step(&rig.office, &outbox(Path::new("/no/such/folder"))).unwrap(), 0);
    let entry = rig.office.read(|db| of_invoice(db, &ids().invoice.to_string())).unwrap().remove(0);
    assert!(entry.state == "queued" && entry.error.unwrap().contains("--outbox"));
    assert_eq!(step(&rig.office, &outbox(folder.path())).unwrap(), 0, "not at once");
    rig.office.write(|tx| tx.execute("UPDATE ereceipt SET next_ms = 0", [])).unwrap();
    assert_eq!(step(&rig.office, &outbox(folder.path())).unwrap(), 1);
}

#[tokio::test]
async fn a_row_whose_address_would_add_a_header_is_quarantined() {
    let rig = asked("ada@example.com").await;
    let mut batch = rig.batch();
    let last = batch.rows.last_mut().unwrap();
    last.body = last.body.replace("ada@example.com", "ada@example.com\\r\\nBcc: eve@example.com");
    last.seq += 1;
    last.id = common::stamp().id;
    let row = last.clone();
    let mut batch = rig.batch();
    batch.rows.push(row);
    let (status, answer) = rig.push(&encode(&rig.signed(batch))).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["results"].as_array().unwrap().last().unwrap()["result"], "quarantined", "{answer}");
    assert_eq!(rig.count("SELECT count(*) FROM ereceipt"), 1);
}

#[tokio::test]
async fn every_key_that_a_handheld_ever_had_is_in_the_list() {
    let rig = Rig::new().await;
    let keys = rig.office.device_keys().unwrap();
    let public = hex::encode(ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes());
    assert_eq!(keys, [("D07".to_owned(), public)]);
}
