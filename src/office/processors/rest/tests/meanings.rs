//! What is asked, and what the answers mean.

use super::{AMOUNT_MINOR, Server, captured, follow, http, intent, list, order, sent};
use crate::office::processors::rest::Rest;
use crate::office::processors::{
    Answer, Booked, CardPresent, Found, Processor as _, ProcessorError, Refunded, Source, open,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

fn approved(token: Option<&str>) -> Answer {
    Answer {
        approved: true,
        amount_minor: AMOUNT_MINOR,
        response_code: "00".to_owned(),
        auth_code: None,
        token: token.map(str::to_owned),
        network: None,
    }
}

fn declined(code: &str) -> Answer {
    Answer {
        approved: false,
        amount_minor: 0,
        response_code: code.to_owned(),
        auth_code: None,
        token: None,
        network: None,
    }
}

#[tokio::test]
async fn every_state_of_an_intent_has_one_meaning() {
    let with = |status: &str, field: &str, value: Value| {
        let mut intent = intent(status);
        intent[field] = value;
        intent
    };
    let failed = |failure: Value| with("requires_payment_method", "last_payment_error", failure);
    let answered = |answer| Ok(Found::Answered { answer, captured_minor: 0 });
    let mut kept = with("requires_capture", "customer", json!("cus_1"));
    kept["metadata"]["tillroll_keep"] = json!("yes");
    let cases = [
        (intent("requires_confirmation"), Ok(Found::Unfinished { reference: "pi_1".to_owned() })),
        (intent("requires_capture"), answered(approved(None))),
        (kept, answered(approved(Some("cus_1:pm_1")))),
        (captured(0), Ok(Found::Answered { answer: approved(None), captured_minor: AMOUNT_MINOR })),
        (intent("canceled"), Ok(Found::Reversed)),
        (failed(json!({ "code": "card_declined" })), answered(declined("05"))),
        (failed(json!({ "code": "card_declined", "decline_code": "insufficient_funds" })), answered(declined("51"))),
        (failed(json!({ "code": "expired_card" })), answered(declined("54"))),
        (failed(json!({ "code": "card_declined", "decline_code": "issuer_not_available" })), answered(declined("91"))),
        (failed(json!({ "code": "authentication_required" })), answered(declined("1A"))),
        (failed(json!({})), answered(declined("05"))),
        (intent("requires_payment_method"), Err(())),
        (intent("processing"), Err(())),
    ];
    for (body, expect) in cases {
        let server = Server::json(vec![(200, body.clone())]).await;
        let found = server.rest.look_up(&sent(Some("pi_1"))).await.map_err(|_| ());
        assert_eq!(found, expect, "{body}");
    }
}

#[tokio::test]
async fn a_payment_is_looked_for_before_it_is_created_and_every_write_carries_its_key() {
    let created = http(200, intent("requires_confirmation").to_string().as_bytes());
    let nothing = http(200, list(&[]).to_string().as_bytes());
    let server = Server::start(vec![nothing, created], false).await;
    assert_eq!(server.rest.prepare(&order(None)).await, Ok(Some("pi_1".to_owned())));
    assert_eq!(
        server.asked(),
        [
            "GET /v1/payment_intents?limit=100&created[gte]=1699996400",
            "POST /v1/payment_intents amount=1999&currency=eur&payment_method=pm_card_visa&payment_method_types[]=card\
             &capture_method=manual&metadata[tillroll_key]=k-1&metadata[tillroll_rrn]=c0de00000001\
             &metadata[tillroll_terminal]=D07",
        ]
    );
    let head = server.asked.lock().unwrap()[1].to_ascii_lowercase();
    assert!(head.contains("\r\nidempotency-key: k-1:create\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: bearer sk_test_raw\r\n"), "{head}");

    let there = Server::json(vec![(200, list(&[intent("requires_confirmation")]))]).await;
    assert_eq!(there.rest.prepare(&order(None)).await, Ok(Some("pi_1".to_owned())));
    assert_eq!(there.asked().len(), 1, "it was there");
}

#[tokio::test]
async fn a_refused_confirmation_is_settled_by_the_intents_own_state() {
    let refused = (402, json!({ "error": { "type": "card_error", "code": "card_declined" } }));
    let mut after = intent("requires_payment_method");
    after["last_payment_error"] = json!({ "code": "card_declined", "decline_code": "lost_card" });
    for (state, expect) in [
        (after, Ok(declined("41"))),
        (intent("requires_capture"), Ok(approved(None))),
        (intent("requires_confirmation"), Err(())),
        (intent("canceled"), Err(())),
        (captured(0), Err(())),
    ] {
        let server = Server::json(vec![refused.clone(), (200, state.clone())]).await;
        assert_eq!(server.rest.authorise(&order(Some("pi_1"))).await.map_err(|_| ()), expect, "{state}");
        let asked = [
            "POST /v1/payment_intents/pi_1/confirm off_session=true",
            "GET /v1/payment_intents/pi_1?expand[]=latest_charge",
        ];
        assert_eq!(server.asked(), asked);
    }
}

#[tokio::test]
async fn a_card_holder_who_must_be_asked_is_not_there() {
    let answers = vec![(200, intent("requires_action")), (200, intent("canceled"))];
    let server = Server::json(answers).await;
    assert_eq!(server.rest.authorise(&order(Some("pi_1"))).await, Ok(declined("1A")));
    assert_eq!(server.asked()[1], "POST /v1/payment_intents/pi_1/cancel");

    let server = Server::json(vec![(200, intent("requires_action"))]).await;
    let answer = server.rest.authorise(&order(Some("pi_1"))).await;
    assert!(matches!(answer, Err(ProcessorError::InDoubt(_))), "while it can still be paid: {answer:?}");
}

#[tokio::test]
async fn no_more_is_asked_back_than_is_left() {
    let refund = |key: &str, minor: i64, status: &str| json!({ "id": "re_1", "amount": minor, "status": status, "metadata": { "tillroll_key": key } });
    let done = Ok(Refunded { done: true, response_code: "00".to_owned() });
    let no = |code: &str| Ok(Refunded { done: false, response_code: code.to_owned() });
    let ours = "k-1-refund-1";
    // What is there, how much was given back, how much is asked; what comes of it, and whether a refund is sent.
    let cases = [
        (vec![], 0, 500, done.clone(), true),
        (vec![refund(ours, 500, "succeeded")], 500, 500, done.clone(), false),
        (vec![refund(ours, 500, "pending")], 500, 500, done.clone(), false),
        (vec![refund(ours, 500, "failed")], 0, 500, no("05"), false),
        (vec![refund(ours, 400, "succeeded")], 400, 500, Err(()), false),
        (vec![refund("k-1-refund-0", 1_500, "succeeded")], 1_500, 499, done.clone(), true),
        (vec![refund("k-1-refund-0", 1_500, "succeeded")], 1_500, 500, no("12"), false),
        (vec![], 0, AMOUNT_MINOR + 1, no("12"), false),
        (vec![], 0, 0, no("12"), false),
        (vec![], 0, -500, no("12"), false),
    ];
    for (there, given, asked, expect, sends) in cases {
        let mut answers = vec![(200, captured(given)), (200, list(&there))];
        if given > 0 && there.iter().all(|refund| refund["metadata"]["tillroll_key"] != ours) {
            answers.push((200, list(&there)));
        }
        answers.push((200, refund(ours, asked, "succeeded")));
        let server = Server::json(answers).await;
        let said = server.rest.refund(&follow("refund-1", asked)).await.map_err(|_| ());
        assert_eq!(said, expect, "{asked} beside {there:?}");
        let posts = server.asked().into_iter().filter(|line| line.starts_with("POST")).count();
        assert_eq!(posts == 1, sends, "{asked} beside {there:?}");
    }
}

#[tokio::test]
async fn a_refund_that_was_made_twice_is_noticed() {
    let refund = |key: &str, minor: i64, status: &str| json!({ "id": "re_1", "amount": minor, "status": status, "metadata": { "tillroll_key": key } });
    let ours = "k-1-refund-1";
    let twice = [refund(ours, 500, "succeeded"), refund(ours, 500, "pending")];
    for (there, beyond_minor) in [
        (vec![], 0),
        (vec![refund(ours, 500, "succeeded")], 0),
        (twice.to_vec(), 500),
        (vec![refund(ours, 500, "succeeded"), refund(ours, 500, "failed")], 0),
        (vec![refund(ours, 500, "succeeded"), refund("k-1-refund-0", 500, "succeeded")], 0),
    ] {
        let server = Server::json(vec![(200, captured(500)), (200, list(&there))]).await;
        assert_eq!(server.rest.refunded_beyond(&follow("refund-1", 500)).await, Ok(beyond_minor), "{there:?}");
        assert!(server.asked().iter().all(|line| line.starts_with("GET")), "it only looks");
    }
    // The first look may have come between the two, so what was doubled is done all the same.
    let server = Server::json(vec![(200, captured(1_000)), (200, list(&twice))]).await;
    assert!(server.rest.refund(&follow("refund-1", 500)).await.unwrap().done);
}

#[tokio::test]
async fn a_reversal_after_the_capture_gives_everything_back() {
    let back = json!({ "id": "re_1", "amount": AMOUNT_MINOR, "status": "succeeded", "metadata": { "tillroll_key": "k-1-reversal" } });
    let server = Server::json(vec![(200, captured(0)), (200, list(&[])), (200, back)]).await;
    assert_eq!(server.rest.reverse(&follow("reversal", AMOUNT_MINOR)).await, Ok(()));
    let last = server.asked().pop().unwrap();
    assert_eq!(last, "POST /v1/refunds payment_intent=pi_1&amount=1999&metadata[tillroll_key]=k-1-reversal");
}

#[tokio::test]
async fn what_is_booked_is_what_was_captured_and_given_back() {
    let part = |received: Value, refunded: i64| {
        let mut intent = captured(refunded);
        intent["amount_received"] = received;
        intent
    };
    let refund = |key: Option<&str>, minor: i64| {
        let metadata = key.map_or(json!({}), |key| json!({ "tillroll_key": key }));
        json!({ "id": "re_1", "amount": minor, "status": "succeeded", "metadata": metadata })
    };
    let cases = [
        (captured(0), vec![], (AMOUNT_MINOR, 0)),
        (captured(500), vec![refund(Some("r"), 500)], (AMOUNT_MINOR, 500)),
        // Given back by somebody at the provider's own desk.
        (captured(500), vec![refund(None, 500)], (AMOUNT_MINOR, 500)),
        // A part was captured, and the rest appears as a refund, or does not.
        (part(json!(1_500), 499), vec![refund(None, 499)], (1_500, 0)),
        (part(json!(1_500), 0), vec![], (1_500, 0)),
        (part(Value::Null, 799), vec![refund(None, 499), refund(Some("r"), 300)], (1_500, 300)),
    ];
    for (intent, refunds, (captured_minor, refunded_minor)) in cases {
        let server = Server::json(vec![(200, list(std::slice::from_ref(&intent))), (200, list(&refunds))]).await;
        let booked = server.rest.booked(1_700_000_000_000, 1_700_000_000_001).await.unwrap();
        let (key, currency) = ("k-1".to_owned(), "EUR".to_owned());
        let expect = Booked { key, at_ms: 1_700_000_000_000, captured_minor, refunded_minor, currency };
        assert_eq!(booked, [expect], "{intent}");
        let server = Server::json(vec![(200, list(&[intent]))]).await;
        assert_eq!(server.rest.booked(1_700_000_000_001, 1_700_000_001_000).await, Ok(vec![]), "after the end");
    }
}

#[tokio::test]
async fn a_link_is_made_once_and_can_be_paid_once() {
    let link = json!({ "id": "plink_1", "url": "https://pay.example/1", "active": true, "metadata": { "tillroll_key": "k-1-link" } });
    let server = Server::json(vec![(200, list(&[])), (200, link.clone())]).await;
    let made = server.rest.link("k-1-link", AMOUNT_MINOR, "EUR", "Boiler\nservice").await;
    assert_eq!(made, Ok("https://pay.example/1".to_owned()));
    let asked = server.asked().pop().unwrap();
    for part in
        ["[unit_amount]=1999", "[currency]=eur", "[name]=Boilerservice", "restrictions[completed_sessions][limit]=1"]
    {
        assert!(asked.contains(part), "{asked}");
    }
    let there = Server::json(vec![(200, list(&[link]))]).await;
    assert_eq!(there.rest.link("k-1-link", AMOUNT_MINOR, "EUR", "x").await, Ok("https://pay.example/1".to_owned()));
    assert_eq!(there.asked().len(), 1);
    assert!(there.rest.link("k", 0, "EUR", "x").await.is_err());
}

#[tokio::test]
async fn what_such_an_api_cannot_take_is_said_and_not_sent() {
    let server = Server::json(vec![(200, list(&[]))]).await;
    let mut request = order(None);
    request.currency = "ISK".to_owned();
    assert!(matches!(server.rest.prepare(&request).await, Err(ProcessorError::Unable(_))), "counts in other units");
    let text = String::new;
    let (emv, ciphertext) = (std::collections::BTreeMap::new(), text());
    request.source =
        Source::Card(CardPresent { ciphertext, ksn: text(), key_id: text(), encryption_type: text(), emv });
    assert!(matches!(server.rest.prepare(&request).await, Err(ProcessorError::Unable(_))));
    for token in ["", "4242424242424242", "cus_1:", "acct_1:pm_1", "pm_1&customer=cus_2", "cus_1:pm_1:pm_2"] {
        let request =
            crate::office::processors::Authorisation { source: Source::OnFile(token.to_owned()), ..order(None) };
        assert!(matches!(server.rest.prepare(&request).await, Err(ProcessorError::Unable(_))), "{token}");
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[test]
fn an_address_that_would_not_do_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let (good, empty) = (folder.path().join("key"), folder.path().join("empty"));
    std::fs::write(&good, "sk_test_1\n").unwrap();
    std::fs::write(&empty, "\n").unwrap();
    let good = good.display();
    let open = |address: &str| {
        let (late, _) = mpsc::channel(1);
        open(address, 1_000, late)
    };
    for (address, word) in [
        (format!("stripe+https://api.example?key_file={good}"), "no TLS"),
        (format!("stripe+http://192.0.2.1:80?key_file={good}"), "in clear"),
        (format!("stripe+http://localhost.example:80?key_file={good}"), "in clear"),
        (format!("stripe+http://127.0.0.1:1@192.0.2.1:80?key_file={good}"), "in clear"),
        (format!("stripe+http://127.0.0.1:80@192.0.2.1?key_file={good}"), "in clear"),
        (format!("stripe+http://127.0.0.1:80/@192.0.2.1?key_file={good}"), "in clear"),
        ("stripe+http://127.0.0.1:80".to_owned(), "key is missing"),
        (format!("stripe+http://127.0.0.1:80?key_file={}", empty.display()), "holds no key"),
        ("stripe+http://127.0.0.1:80?key_file=/nowhere/at/all".to_owned(), "cannot be read"),
        ("stripe+http://127.0.0.1:80?key_env=TILLROLL_TEST_NO_SUCH_NAME".to_owned(), "has no"),
        (format!("stripe+http://127.0.0.1:80?key_file={good}&fast"), "no setting"),
        ("stripe://127.0.0.1".to_owned(), "names no processor"),
    ] {
        let why = open(&address).err().unwrap_or_else(|| panic!("{address} was taken"));
        assert!(matches!(&why, ProcessorError::Setting(text) if text.contains(word)), "{address}: {why}");
    }
    for host in ["127.0.0.1:80", "localhost:80", "[::1]:80"] {
        let rest = Rest::open(&format!("stripe+http://{host}?key_file={good}"), 1_000).unwrap();
        assert!(!format!("{rest:?}").contains("sk_test"), "{rest:?}");
    }
}

#[tokio::test]
async fn a_card_is_forgotten_when_it_is_nobodys_and_only_then() {
    let method = |customer: Value| json!({ "id": "pm_1", "object": "payment_method", "customer": customer });
    let cases = [
        ((200, method(Value::Null)), "done"),
        ((200, method(json!("cus_1"))), "in doubt"),
        ((200, json!({ "id": "pm_2", "customer": null })), "in doubt"),
        ((404, json!({ "error": { "code": "resource_missing" } })), "done"),
        ((400, json!({ "error": { "type": "invalid_request_error", "message": "not attached" } })), "refused"),
        ((500, json!({})), "in doubt"),
    ];
    for (answer, expect) in cases {
        let server = Server::json(vec![answer.clone()]).await;
        let said = match server.rest.forget("cus_1:pm_1").await {
            Ok(()) => "done",
            Err(ProcessorError::Refused(_)) => "refused",
            Err(ProcessorError::InDoubt(_)) => "in doubt",
            Err(ProcessorError::Unable(_) | ProcessorError::Setting(_)) => "no",
        };
        assert_eq!(said, expect, "{answer:?}");
        assert_eq!(server.asked(), ["POST /v1/payment_methods/pm_1/detach"]);
    }
}
