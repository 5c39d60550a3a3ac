//! Malformed, truncated, oversized and lying answers: an error each time, never a panic, never an approval.

use super::{AMOUNT_MINOR, Server, captured, follow, http, intent, list, order, sent};
use crate::office::processors::{Found, Processor as _, ProcessorError};
use serde_json::json;

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let lie = |field: &str, value: serde_json::Value| {
        let mut intent = intent("requires_capture");
        intent[field] = value;
        http(200, intent.to_string().as_bytes())
    };
    let whole = http(200, intent("requires_capture").to_string().as_bytes());
    vec![
        ("nothing", Vec::new()),
        ("no HTTP", b"\x16\x03\x01\x02\x00".to_vec()),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        ("a head of one endless line", [b"HTTP/1.1 200 ".as_slice(), &[b'a'; 1 << 20]].concat()),
        ("an empty body", http(200, b"")),
        ("no JSON", http(200, b"<html>approved</html>")),
        ("no UTF-8", http(200, b"{\"status\":\"\xff\xfe\"}")),
        ("an answer without its end", whole[..whole.len() - 1].to_vec()),
        ("a body of 5 MiB", http(200, &vec![b' '; 5 << 20])),
        ("a length that is a lie", b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n{}".to_vec()),
        ("two lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 4\r\n\r\n{}{}".to_vec()),
        ("a chunk without its end", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n{}".to_vec()),
        ("a redirect", b"HTTP/1.1 307 x\r\nlocation: /v1/approved\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
        ("deep brackets", http(200, &vec![b'['; 100_000])),
        ("null", http(200, b"null")),
        ("a bare word", http(200, b"\"requires_capture\"")),
        ("another object", http(200, json!({ "object": "customer", "id": "cus_1" }).to_string().as_bytes())),
        ("another amount", lie("amount", json!(AMOUNT_MINOR - 1))),
        ("an amount that is no number", lie("amount", json!("1999"))),
        ("an amount with decimals", lie("amount", json!(1999.5))),
        ("an amount that overflows", lie("amount", json!(u64::MAX))),
        ("another currency", lie("currency", json!("usd"))),
        ("another payment", lie("metadata", json!({ "tillroll_key": "k-2" }))),
        ("nobody's payment", lie("metadata", json!({}))),
        ("an unknown state", lie("status", json!("approved"))),
        ("an id that leads elsewhere", lie("id", json!("../../v1/refunds"))),
        ("an id without end", lie("id", json!("p".repeat(4_096)))),
        ("success under an error's status", http(500, intent("requires_capture").to_string().as_bytes())),
        ("an error of somebody between", http(402, b"{\"error\":\"payment required\"}")),
        ("too many requests", http(429, b"{\"error\":{\"type\":\"api_error\"}}")),
        ("a key that is not accepted", http(401, b"{\"error\":{\"type\":\"invalid_request_error\"}}")),
    ]
}

#[tokio::test]
async fn slow_what_is_not_understood_is_in_doubt_and_never_an_approval() {
    for (what, answer) in hostile() {
        let server = Server::start(vec![answer], false).await;
        let rest = &server.rest;
        let in_doubt = |name: &str, why: Option<ProcessorError>| {
            let why = why.unwrap_or_else(|| panic!("{what}: {name} was believed"));
            assert!(matches!(why, ProcessorError::InDoubt(_)), "{what}: {name}: {why}");
            assert!(why.to_string().len() < 400, "{what}: {name}: {why}");
        };
        in_doubt("prepare", rest.prepare(&order(None)).await.err());
        in_doubt("authorise", rest.authorise(&order(Some("pi_1"))).await.err());
        in_doubt("look up", rest.look_up(&sent(Some("pi_1"))).await.err());
        in_doubt("look up by key", rest.look_up(&sent(None)).await.err());
        in_doubt("reverse", rest.reverse(&follow("reversal", AMOUNT_MINOR)).await.err());
        in_doubt("capture", rest.capture(&follow("capture", AMOUNT_MINOR)).await.err());
        in_doubt("refund", rest.refund(&follow("refund-1", 500)).await.err());
        in_doubt("beyond", rest.refunded_beyond(&follow("refund-1", 500)).await.err());
        in_doubt("booked", rest.booked(0, i64::MAX).await.err());
        in_doubt("link", rest.link("k-1-link", AMOUNT_MINOR, "EUR", "boiler").await.err());
        assert!(rest.hello().await.is_err(), "{what}: hello");
    }
}

#[tokio::test]
async fn a_list_that_goes_on_for_ever_is_in_doubt() {
    let turning = json!({ "data": [intent("canceled")], "has_more": true });
    let nobodys = json!({ "data": [{ "id": "pi_2" }], "has_more": true });
    let empty = json!({ "data": [], "has_more": true });
    for page in [turning, nobodys, empty] {
        let server = Server::json(vec![(200, page)]).await;
        let found = server.rest.look_up(&sent(None)).await;
        assert!(matches!(found, Err(ProcessorError::InDoubt(_))), "{found:?}");
        assert!(server.asked().len() < 5);
    }
}

#[tokio::test]
async fn what_others_have_on_the_same_account_is_passed_over() {
    let others = [json!({ "id": "pi_9", "amount": "odd" }), json!({ "id": "pi_8", "metadata": null })];
    let server = Server::json(vec![(200, list(&others))]).await;
    assert_eq!(server.rest.look_up(&sent(None)).await, Ok(Found::Nothing));
}

#[tokio::test]
async fn what_is_ours_and_cannot_be_read_is_not_overlooked() {
    let odd = json!({ "id": "pi_9", "amount": "odd", "metadata": { "tillroll_key": "k-1" } });
    let server = Server::json(vec![(200, list(&[odd]))]).await;
    let found = server.rest.look_up(&sent(None)).await;
    assert!(matches!(found, Err(ProcessorError::InDoubt(_))), "{found:?}");

    for odd in [json!({ "id": "re_1" }), json!("re_1"), json!({ "id": "re_1", "amount": 1.5, "status": "succeeded" })] {
        let server = Server::json(vec![(200, captured(0)), (200, list(&[odd]))]).await;
        let said = server.rest.refund(&follow("refund-1", 500)).await;
        assert!(matches!(said, Err(ProcessorError::InDoubt(_))), "{said:?}");
        assert_eq!(server.asked().len(), 2, "nothing was sent");
    }
}

#[tokio::test]
async fn nothing_is_charged_whose_id_was_not_kept() {
    let server = Server::json(vec![(200, intent("requires_capture"))]).await;
    let answer = server.rest.authorise(&order(None)).await;
    assert!(matches!(answer, Err(ProcessorError::Refused(_))), "{answer:?}");
    for bad in ["", "../refunds", "pi_1/confirm?x=", "pi 1"] {
        assert!(server.rest.authorise(&order(Some(bad))).await.is_err(), "{bad}");
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}
