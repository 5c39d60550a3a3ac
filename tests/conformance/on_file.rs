//! What only an API in the manner of Stripe's has: kept cards, refunds that the host does not check, lists with pages.
//! The host is localstripe; what is asked of it goes through the recording proxy.

use super::localstripe::Localstripe;
use super::peers::{AMOUNT_MINOR, CURRENCY, Peer as _};
use super::proxy::{Proxy, Step};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tillroll::office::payments::follow_up::sent;
use tillroll::office::processors::{
    Answer, Authorisation, Booked, FollowUp, Found, Processor, ProcessorError, Sent, Source, open,
};
use tokio::sync::mpsc;

struct Desk {
    host: Localstripe,
    proxy: Proxy,
    processor: Arc<dyn Processor>,
    at_ms: i64,
}

impl Desk {
    async fn open() -> Option<Desk> {
        let host = Localstripe::start(false)?;
        let proxy = Proxy::start(host.host(), host.wire(), Vec::new()).await;
        proxy.begin(Step::Prepare);
        let (late, _) = mpsc::channel(1);
        let processor = host.open(proxy.address, 10_000, late);
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        Some(Desk { host, proxy, processor, at_ms: i64::try_from(at_ms).unwrap() })
    }

    fn order(&self, key: &str, token: &str, keep_card: bool) -> Authorisation {
        Authorisation {
            key: key.to_owned(),
            stan: 1,
            rrn: "c0de00000001".to_owned(),
            at_ms: self.at_ms,
            terminal: "office".to_owned(),
            amount_minor: AMOUNT_MINOR,
            currency: CURRENCY.to_owned(),
            deferred: false,
            allow_partial: false,
            keep_card,
            reference: None,
            source: Source::OnFile(token.to_owned()),
        }
    }

    async fn pay(&self, key: &str, token: &str, keep_card: bool) -> (Sent, Answer) {
        let mut order = self.order(key, token, keep_card);
        order.reference = self.processor.prepare(&order).await.unwrap();
        let answer = self.processor.authorise(&order).await.unwrap();
        (sent(&order), answer)
    }

    fn follow(&self, of: &Sent, tail: &str, amount_minor: i64) -> FollowUp {
        let key = format!("{}-{tail}", of.key);
        FollowUp { of: of.clone(), key, stan: 2, at_ms: self.at_ms, repeat: false, amount_minor }
    }

    /// Every write that was sent: its path and its idempotency key.
    fn writes(&self) -> Vec<(String, Option<String>)> {
        let all = self.proxy.seen().into_iter().map(|exchange| String::from_utf8(exchange.sent).unwrap());
        let posts = all.filter(|text| text.starts_with("POST "));
        let key = |text: &str| {
            let line = text.lines().find(|line| line.to_ascii_lowercase().starts_with("idempotency-key:"))?;
            Some(line.split_once(':').unwrap().1.trim().to_owned())
        };
        posts.map(|text| (text.split(' ').nth(1).unwrap().to_owned(), key(&text))).collect()
    }
}

#[tokio::test]
async fn every_write_carries_an_idempotency_key_of_its_own() {
    let Some(desk) = Desk::open().await else { return };
    let (sale, answer) = desk.pay("k-1", "pm_card_visa", true).await;
    assert!(answer.approved && answer.token.is_some());
    desk.processor.capture(&desk.follow(&sale, "capture", AMOUNT_MINOR)).await.unwrap();
    for (tail, minor) in [("refund-1", 300), ("refund-2", 300)] {
        assert!(desk.processor.refund(&desk.follow(&sale, tail, minor)).await.unwrap().done);
    }
    let (void, _) = desk.pay("k-2", "pm_card_visa", false).await;
    desk.processor.reverse(&desk.follow(&void, "reversal", AMOUNT_MINOR)).await.unwrap();
    let writes = desk.writes();
    let keys: BTreeSet<String> =
        writes.iter().map(|(path, key)| key.clone().unwrap_or_else(|| panic!("{path}"))).collect();
    assert_eq!(keys.len(), writes.len(), "{writes:?}");
    assert!(writes.len() >= 12 && keys.iter().all(|key| key.len() <= 255), "{writes:?}");
}

#[tokio::test]
async fn a_refund_above_what_is_left_is_refused_though_the_host_would_do_it() {
    let Some(desk) = Desk::open().await else { return };
    let (sale, _) = desk.pay("k-1", "pm_card_visa", false).await;
    desk.processor.capture(&desk.follow(&sale, "capture", AMOUNT_MINOR)).await.unwrap();
    let cases = [
        ("a", 500, true),
        ("b", AMOUNT_MINOR - 499, false),
        ("b", AMOUNT_MINOR - 499, false),
        ("c", AMOUNT_MINOR - 500, true),
        ("d", 1, false),
    ];
    for (tail, minor, done) in cases {
        let said = desk.processor.refund(&desk.follow(&sale, tail, minor)).await.unwrap();
        assert_eq!(said.done, done, "{tail}");
    }
    let sent = desk.writes().into_iter().filter(|(path, _)| path == "/v1/refunds").count();
    assert_eq!(sent, 2, "what is too much is not even sent");
    assert_eq!(desk.host.intents("k-1").await[0]["latest_charge"]["amount_refunded"], AMOUNT_MINOR);
}

#[tokio::test]
async fn a_card_is_kept_with_its_consent_and_charged_again_without_the_card() {
    let Some(desk) = Desk::open().await else { return };
    let (_, first) = desk.pay("k-1", "pm_card_visa", true).await;
    let token = first.token.unwrap();
    let (again, second) = desk.pay("k-2", &token, false).await;
    assert!(second.approved && second.token.is_none());
    assert_eq!(desk.processor.capture(&desk.follow(&again, "capture", AMOUNT_MINOR)).await, Ok(AMOUNT_MINOR));
    let intent = &desk.host.intents("k-2").await[0];
    let (customer, card) = token.split_once(':').unwrap();
    assert_eq!((intent["customer"].as_str(), intent["payment_method"].as_str()), (Some(customer), Some(card)));

    let (_, third) = desk.pay("k-3", "pm_card_visa", false).await;
    assert_eq!(third.token, None, "nobody agreed");
    // A bank that lets a card be charged and not be kept.
    let (_, fourth) = desk.pay("k-4", "pm_card_visa_chargeDeclined", true).await;
    assert!(fourth.approved && fourth.token.is_none());
    let (_, fifth) = desk.pay("k-5", "pm_card_chargeCustomerFail", true).await;
    assert_eq!((fifth.approved, fifth.token, fifth.response_code.as_str()), (false, None, "05"));
}

#[tokio::test]
async fn a_kept_card_is_taken_from_its_customer_when_the_consent_ends() {
    let Some(desk) = Desk::open().await else { return };
    let (_, first) = desk.pay("k-1", "pm_card_visa", true).await;
    let token = first.token.unwrap();
    let (customer, card) = token.split_once(':').unwrap();
    assert_eq!(desk.host.get(&format!("/v1/payment_methods/{card}")).await["customer"], customer);
    desk.processor.forget(&token).await.unwrap();
    assert_eq!(desk.host.get(&format!("/v1/payment_methods/{card}")).await["customer"], Value::Null);
    // Asked once more after a crash: nothing is left to be forgotten.
    let again = desk.processor.forget(&token).await;
    assert!(matches!(again, Ok(()) | Err(ProcessorError::Refused(_))), "{again:?}");
}

#[tokio::test]
async fn a_part_that_is_captured_is_booked_as_that_part() {
    let Some(desk) = Desk::open().await else { return };
    let (sale, _) = desk.pay("k-1", "pm_card_visa", false).await;
    let capture = desk.follow(&sale, "capture", 1_200);
    for _ in 0..2 {
        assert_eq!(desk.processor.capture(&capture).await, Ok(1_200));
    }
    for (tail, minor, done) in [("a", 300, true), ("b", 901, false)] {
        assert_eq!(desk.processor.refund(&desk.follow(&sale, tail, minor)).await.unwrap().done, done, "{tail}");
    }
    let other = desk.processor.capture(&desk.follow(&sale, "capture-2", AMOUNT_MINOR)).await;
    assert!(matches!(other, Err(ProcessorError::Refused(_))), "{other:?}");
    let (uncaptured, _) = desk.pay("k-2", "pm_card_visa", false).await;
    let booked = desk.processor.booked(desk.at_ms - 60_000, desk.at_ms + 60_000).await.unwrap();
    let expect = Booked {
        key: sale.key.clone(),
        at_ms: booked[0].at_ms,
        captured_minor: 1_200,
        refunded_minor: 300,
        currency: CURRENCY.to_owned(),
    };
    assert_eq!(booked, [expect], "{} is not booked", uncaptured.key);
    assert_eq!(desk.processor.booked(0, desk.at_ms - 60_000).await, Ok(Vec::new()));
    let found = desk.processor.look_up(&sale).await;
    assert!(matches!(found, Ok(Found::Answered { captured_minor: 1_200, .. })), "{found:?}");
}

#[tokio::test]
async fn a_card_that_asks_its_holder_is_declined_and_cannot_be_paid_later() {
    let Some(desk) = Desk::open().await else { return };
    let form = "type=card&card[number]=4000002500003155&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123";
    let method = desk.host.post("/v1/payment_methods", form).await;
    let (sale, answer) = desk.pay("k-1", method["id"].as_str().unwrap(), false).await;
    assert_eq!((answer.approved, answer.response_code.as_str()), (false, "1A"));
    assert_eq!(desk.host.intents("k-1").await[0]["status"], "canceled");
    assert_eq!(desk.processor.look_up(&sale).await, Ok(Found::Reversed));
}

#[tokio::test]
async fn slow_a_payment_on_the_second_page_is_found() {
    let Some(desk) = Desk::open().await else { return };
    for n in 0..104 {
        let form = format!(
            "amount={AMOUNT_MINOR}&currency=eur&payment_method=pm_card_visa&capture_method=manual&metadata[tillroll_key]=k-{n}"
        );
        desk.host.post("/v1/payment_intents", &form).await;
    }
    for (key, expect) in [("k-103", true), ("k-0", true), ("k-104", false)] {
        let order = desk.order(key, "pm_card_visa", false);
        let found = desk.processor.look_up(&sent(&order)).await.unwrap();
        assert_eq!(matches!(found, Found::Unfinished { .. }), expect, "{key}: {found:?}");
        assert_eq!(found == Found::Nothing, !expect, "{key}");
    }
}

#[tokio::test]
async fn a_wrong_key_and_a_host_that_is_none_are_told_apart() {
    let Some(desk) = Desk::open().await else { return };
    assert!(desk.processor.hello().await.unwrap().contains("test mode"));
    let wrong = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(wrong.path(), "no_such_key").unwrap();
    let (late, _) = mpsc::channel(1);
    let address = format!("stripe+http://{}?key_file={}", desk.host.host(), wrong.path().display());
    let refused = open(&address, 5_000, late.clone()).unwrap().hello().await;
    assert!(matches!(&refused, Err(ProcessorError::Setting(why)) if why.contains("key")), "{refused:?}");
    let address = format!("stripe+http://127.0.0.1:9?key_file={}", wrong.path().display());
    let nobody = open(&address, 5_000, late).unwrap().hello().await;
    assert!(matches!(nobody, Err(ProcessorError::InDoubt(_))), "{nobody:?}");
}

/// The proxy's record is JSON where the host answers; nothing of it holds the account's key.
#[tokio::test]
async fn the_key_travels_in_its_header_only() {
    let Some(desk) = Desk::open().await else { return };
    let (sale, _) = desk.pay("k-1", "pm_card_visa", false).await;
    desk.processor.look_up(&sale).await.unwrap();
    for exchange in desk.proxy.seen() {
        let text = String::from_utf8(exchange.sent).unwrap();
        let with = text.lines().filter(|line| line.contains("sk_test")).collect::<Vec<_>>();
        assert!(with.len() == 1 && with[0].to_ascii_lowercase().starts_with("authorization: bearer "), "{with:?}");
        let answer = String::from_utf8(exchange.answered).unwrap();
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert!(!body.to_string().contains("sk_test"));
    }
}
