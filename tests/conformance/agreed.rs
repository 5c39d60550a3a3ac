//! The office's own worker against an API in the manner of Stripe's: an agreement charges a card that such a host
//! keeps. The host is localstripe, and its own records are the judge.

use super::localstripe::Localstripe;
use super::peers::Peer as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::receipt::Merchant;
use tillroll::office::agreements::list::{self, RunState};
use tillroll::office::agreements::schedule::{Every, Unit};
use tillroll::office::agreements::{self, NewAgreement, runs};
use tillroll::office::payments::{Timing, worker};
use tillroll::office::processors::{Authorisation, Source};
use tillroll::office::{Office, Settings};
use tokio::sync::{mpsc, oneshot};

const DAY_MS: i64 = 86_400_000;

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A card that the host keeps, made by the adapter with a first payment; its token.
async fn token(host: &Localstripe) -> String {
    let (late, _) = mpsc::channel(1);
    let processor = host.open(host.host(), 10_000, late);
    let mut first = Authorisation {
        key: "first".to_owned(),
        stan: 1,
        rrn: "c0de00000001".to_owned(),
        at_ms: now_ms(),
        terminal: "D07".to_owned(),
        amount_minor: 6_900,
        currency: "EUR".to_owned(),
        deferred: false,
        allow_partial: false,
        keep_card: true,
        reference: None,
        source: Source::OnFile("pm_card_visa".to_owned()),
    };
    first.reference = processor.prepare(&first).await.unwrap();
    processor.authorise(&first).await.unwrap().token.unwrap()
}

/// An office that knows the kept card of a payment taken on the doorstep.
fn office(folder: &std::path::Path, url: String, token: &str, ahead_ms: &Arc<AtomicI64>) -> Office {
    let merchant = Merchant {
        name: "M".into(),
        address: "A".into(),
        tax_id: "T".into(),
        merchant_id: String::new(),
        logo: Vec::new(),
    };
    let timing = Timing { answer_ms: 5_000, retry_ms: 20, ..Timing::STANDARD };
    let settings = Settings { processor_url: url, timing, currency: Currency::EUR, merchant };
    let ahead = ahead_ms.clone();
    let clock = move || now_ms() + ahead.load(Ordering::Acquire);
    let office = Office::open(&folder.join("office.sqlite"), settings, Arc::new(clock)).unwrap();
    let id = |n: u128| uuid::Uuid::from_u128(n).to_string();
    let known = format!(
        "INSERT INTO customer VALUES ('{0}', 'C1', 'Kestrel Bakery', '', '', '', '', '', '', '', '');
         INSERT INTO payment VALUES ('{1}', 'd', '{2}', 'D07-000001', '{3}', '{4}', 'card', 'EUR', 6900, 6900, 'approved',
                                     6900, 0, 6900, 0, 0, 0, NULL, NULL, 1, 1, '{{}}');
         INSERT INTO consent_text VALUES ('1', 'ab', 'I agree.', 1);
         INSERT INTO kept_card VALUES ('{5}', '{0}', '{1}', 'VISA', '4242', '{token}', NULL, '1', 'ab', 1, NULL, NULL, NULL);",
        id(1),
        id(2),
        id(3),
        id(4),
        id(5),
        id(6)
    );
    office.write(|tx| tx.execute_batch(&known)).unwrap();
    office
}

#[tokio::test]
async fn slow_an_agreement_charges_a_card_that_a_rest_api_keeps_once_a_date_whatever_crashes() {
    let Some(host) = Localstripe::start(false) else { return };
    let token = token(&host).await;
    let folder = tempfile::tempdir().unwrap();
    let ahead_ms = Arc::<AtomicI64>::default();
    let office = office(folder.path(), host.url(host.host()), &token, &ahead_ms);
    let new = NewAgreement {
        id: "a-1",
        card: &uuid::Uuid::from_u128(6).to_string(),
        what: "Maintenance",
        amount: Money::new(4_900, Currency::EUR),
        tax: "standard",
        every: Every::new(2, Unit::Days).unwrap(),
        first: runs::today(office.now_ms()),
        retry_days: 3,
        tries: 2,
        by: "dina",
    };
    let now_ms = office.now_ms();
    office.write(|tx| agreements::add(tx, &new, runs::today(now_ms), now_ms)).unwrap();
    for n in 1..=2 {
        // The office crashes a few times on the way, and goes on.
        for after_ms in [15, 40, 90, 20_000] {
            let (stop, stopped) = oneshot::channel::<()>();
            let working = tokio::spawn(worker::run(office.clone(), async move {
                let _ = stopped.await;
            }));
            let paid = || {
                let all = office.read(list::all).unwrap();
                all[0].runs.len() == n && all[0].runs.iter().all(|run| run.state == RunState::Paid)
            };
            for _ in 0..after_ms / 5 {
                if !paid() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            assert!(paid() || after_ms < 1_000, "{:?}", office.read(list::all));
            drop(stop);
            working.await.unwrap().unwrap();
            // The lease of whoever crashed runs out.
            ahead_ms.fetch_add(60_000, Ordering::AcqRel);
        }
        ahead_ms.fetch_add(2 * DAY_MS - 10 * 60_000, Ordering::AcqRel);
        while office.read(list::all).unwrap()[0].next_due > runs::today(office.now_ms()).to_string() {
            ahead_ms.fetch_add(60_000, Ordering::AcqRel);
        }
    }
    let (customer, card) = token.split_once(':').unwrap();
    let sql = "SELECT key FROM attempt ORDER BY key";
    let keys: Vec<String> = office.read(|db| {
        let mut statement = db.prepare(sql).unwrap();
        let keys = statement.query_map([], |r| r.get(0)).unwrap();
        keys.map(Result::unwrap).collect()
    });
    let mut charged = 0;
    for key in keys {
        for intent in host.intents(&key).await {
            let of = (intent["customer"].as_str(), intent["payment_method"].as_str(), intent["amount"].as_i64());
            assert_eq!(of, (Some(customer), Some(card), Some(4_900)), "{key}");
            charged += usize::from(intent["status"] == "succeeded");
            assert!(["succeeded", "canceled"].contains(&intent["status"].as_str().unwrap()), "{intent}");
        }
    }
    assert_eq!(charged, 2, "one a date");
    assert_eq!(
        office.verify().unwrap().len(),
        1,
        "the payment that was put in by hand has no ledger: {:?}",
        office.verify()
    );
}
