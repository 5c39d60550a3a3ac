//! Agreements through the pages: made once, stopped with a reason, and only by those who may.

use crate::seed::Seed;
use crate::{Office, Session, has};
use axum::http::StatusCode;

const CARD: &str = "00000000-0000-0000-0000-00000000ca2d";
const ID: &str = "00000000-0000-0000-0000-0000000000a1";

/// An office whose first customer let it keep a card.
fn office() -> Office {
    let office = Office::of(Seed::day());
    let db = office.db.lock().unwrap();
    db.execute_batch("INSERT INTO consent_text VALUES ('2026-1', 'ab', 'I agree.', 1)").unwrap();
    let sql = "INSERT INTO kept_card (id, customer, payment, brand, last4, token, consent, consent_sha256, kept_ms)
               SELECT ?1, j.customer, p.id, 'VISA', '0010', 'kept_secret', '2026-1', 'ab', 1
               FROM payment p JOIN job j ON j.id = p.job LIMIT 1";
    assert_eq!(db.execute(sql, [CARD]).unwrap(), 1);
    drop(db);
    office
}

fn form(session: &Session, amount: &str, first: &str) -> String {
    format!(
        "csrf={}&id={ID}&card={CARD}&what=Maintenance+%3Cb%3E&amount={amount}&currency=eur&tax=standard&count=1\
         &unit=months&first={first}&retry_days=3&tries=4",
        session.csrf
    )
}

#[tokio::test]
async fn an_agreement_is_made_once_by_whoever_may_decide_and_shown_without_the_token() {
    let office = office();
    let session = office.log_in("dispatcher").await;
    has(&office.get(Some(&session), "/agreements").await, &["No agreements yet", "VISA", "0010", "consent 2026-1"]);
    let good = form(&session, "49.00", "2099-01-31");
    for (bad, status) in [
        (good.replace(&session.csrf, "x"), StatusCode::FORBIDDEN),
        (form(&session, "49.001", "2099-01-31"), StatusCode::UNPROCESSABLE_ENTITY),
        (form(&session, "-1.00", "2099-01-31"), StatusCode::UNPROCESSABLE_ENTITY),
        (form(&session, "0", "2099-01-31"), StatusCode::UNPROCESSABLE_ENTITY),
        (form(&session, "49.00", "tomorrow"), StatusCode::UNPROCESSABLE_ENTITY),
        (form(&session, "49.00", "2001-01-01"), StatusCode::UNPROCESSABLE_ENTITY),
        (good.replace("count=1", "count=0"), StatusCode::UNPROCESSABLE_ENTITY),
        (good.replace("tax=standard", "tax=trade"), StatusCode::UNPROCESSABLE_ENTITY),
        (good.replace("tries=4", "tries=11"), StatusCode::UNPROCESSABLE_ENTITY),
        (good.replace(CARD, "nobody"), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(office.post(Some(&session), "/agreements", &bad).await.status, status, "{bad}");
    }
    assert_eq!(office.text("SELECT cast(count(*) AS TEXT) FROM agreement"), "0");
    assert_eq!(office.post(Some(&session), "/agreements", &good).await.location, "/agreements");
    assert_eq!(office.post(Some(&session), "/agreements", &good).await.status, StatusCode::CONFLICT);
    let page = office.get(Some(&session), "/agreements").await;
    has(&page, &["IN FORCE", "Maintenance &lt;b&gt;", "2099-01-31", "every month", "49.00", "The customer stops it"]);
    assert!(!page.body.contains("kept_secret"));
    let reader = office.log_in("reviewer").await;
    let page = office.get(Some(&reader), "/agreements").await;
    has(&page, &["IN FORCE"]);
    assert!(!page.body.contains("/stop") && !page.body.contains("Make the agreement"));
    let theirs = form(&reader, "49.00", "2099-01-31").replace(ID, "00000000-0000-0000-0000-0000000000a2");
    assert_eq!(office.post(Some(&reader), "/agreements", &theirs).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_stop_needs_a_reason_and_holds_and_a_consent_taken_back_stops_all() {
    let office = office();
    let session = office.log_in("dispatcher").await;
    office.post(Some(&session), "/agreements", &form(&session, "49.00", "2099-01-31")).await;
    let other = form(&session, "9.00", "2099-01-31").replace(ID, "00000000-0000-0000-0000-0000000000a2");
    office.post(Some(&session), "/agreements", &other).await;
    let stop = format!("/agreements/{ID}/stop");
    let why = format!("csrf={}&reason=called+us", session.csrf);
    let none = format!("csrf={}&reason=+", session.csrf);
    assert_eq!(office.post(Some(&session), &stop, &none).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(office.post(Some(&session), &stop, &why).await.location, "/agreements");
    assert_eq!(office.post(Some(&session), &stop, &why).await.status, StatusCode::CONFLICT);
    let resume = format!("/agreements/{ID}/resume");
    assert_eq!(office.post(Some(&session), &resume, &why).await.status, StatusCode::CONFLICT, "for good");
    let again = format!("/agreements/{ID}/try/2099-01-31");
    assert_eq!(office.post(Some(&session), &again, &why).await.status, StatusCode::CONFLICT);
    has(&office.get(Some(&session), "/agreements").await, &["STOPPED", "called us (dispatcher)", "IN FORCE"]);
    let end = format!("/cards/{CARD}/end");
    assert_eq!(office.post(Some(&session), &end, &why).await.location, "/agreements");
    assert_eq!(office.text("SELECT group_concat(state, ' ') FROM agreement"), "stopped stopped");
    assert_eq!(office.text("SELECT token FROM kept_card"), "");
    assert_eq!(office.post(Some(&session), &end, &why).await.status, StatusCode::CONFLICT);
    assert_eq!(office.post(Some(&session), "/cards/nobody/end", &why).await.status, StatusCode::NOT_FOUND);
    let page = office.get(Some(&session), "/agreements").await;
    assert!(!page.body.contains("Make the agreement"), "nothing is made on a card that is not kept");
}
