//! What people decide about exceptions, through the pages.

use crate::seed::Seed;
use crate::{Office, Session, has};
use axum::http::StatusCode;

#[tokio::test]
async fn every_open_exception_offers_its_ways_by_role() {
    let office = Office::of(Seed::day());
    let dispatcher = office.log_in("dispatcher").await;
    let all =
        ["Collect again", "Bill the customer", "Send a payment link", "Write off", "Release to the bank", "Void it"];
    has(&office.get(Some(&dispatcher), "/exceptions").await, &all);
    let accountant = office.log_in("accountant").await;
    let page = office.get(Some(&accountant), "/exceptions").await;
    has(&page, &["Write off", "I am sure"]);
    assert!(!page.body.contains("Collect again") && !page.body.contains("Release to the bank"));
    let reviewer = office.log_in("reviewer").await;
    assert!(!office.get(Some(&reviewer), "/exceptions").await.body.contains("/decide"));
}

/// The late decline's path, and the form of a decision about it.
fn late_decline(office: &Office, session: &Session, action: &str, more: &str) -> (String, String) {
    let id = office.text("SELECT id FROM exception WHERE type = 'late_decline'");
    let form = format!("csrf={}&action={action}&reason=card+was+empty+%3Cb%3E{more}", session.csrf);
    (format!("/exceptions/{id}/decide"), form)
}

#[tokio::test]
async fn a_write_off_needs_a_second_word_a_role_and_a_reason_and_posts_once() {
    let office = Office::of(Seed::day());
    let session = office.log_in("accountant").await;
    let (path, form) = late_decline(&office, &session, "write_off", "");
    let own = format!("csrf={}", session.csrf);
    for (bad, status) in [
        (form.clone(), StatusCode::UNPROCESSABLE_ENTITY),
        ("csrf=x&action=write_off&sure=yes&reason=lost".to_owned(), StatusCode::FORBIDDEN),
        (form.replace("write_off", "recollect"), StatusCode::FORBIDDEN),
        (form.replace("write_off", "sing"), StatusCode::UNPROCESSABLE_ENTITY),
        (format!("{own}&action=write_off&sure=yes&reason=+"), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(office.post(Some(&session), &path, &bad).await.status, status, "{bad}");
    }
    let none = "SELECT cast(count(*) AS TEXT) FROM decision";
    assert_eq!(office.text(none), "0");
    let sure = format!("{form}&sure=yes");
    assert_eq!(office.post(Some(&session), &path, &sure).await.location, "/exceptions");
    assert_eq!(office.post(Some(&session), &path, &sure).await.status, StatusCode::CONFLICT);
    let posted = office.text("SELECT group_concat(account || ' ' || minor, ', ') FROM (SELECT account, minor FROM ledger_posting ORDER BY account)");
    let amount = office.text("SELECT cast(amount_minor AS TEXT) FROM exception WHERE type = 'late_decline'");
    assert_eq!(posted, format!("receivable -{amount}, written_off {amount}"));
    assert_eq!(office.text("SELECT decided_by || ': ' || reason FROM decision"), "accountant: card was empty <b>");
    let job = office.text("SELECT job FROM decision");
    let page = office.get(Some(&session), &format!("/jobs/{job}")).await;
    has(&page, &["Written off", "by accountant", "card was empty &lt;b&gt;"]);
    assert!(!page.body.contains("Still open"), "nothing is left to collect");
}

#[tokio::test]
async fn a_payment_is_collected_again_until_that_is_taken_back() {
    let office = Office::of(Seed::day());
    let session = office.log_in("dispatcher").await;
    let (path, form) = late_decline(&office, &session, "recollect", "");
    assert_eq!(office.post(Some(&session), &path, &form).await.location, "/exceptions");
    let entry = "SELECT op || ' ' || channel FROM feed_entry WHERE kind = 'collect_again'";
    let device = office.text("SELECT id FROM device WHERE name = 'D03'");
    assert_eq!(office.text(entry), format!("put device:{device}"));
    let (decision, job) = (office.text("SELECT id FROM decision"), office.text("SELECT job FROM decision"));
    let undo = format!("/decisions/{decision}/undo");
    has(&office.get(Some(&session), &format!("/jobs/{job}")).await, &["Collect again, asked of the technician", &undo]);
    has(&office.get(Some(&session), "/exceptions").await, &[&undo]);
    assert_eq!(office.post(Some(&session), &undo, "csrf=x").await.status, StatusCode::FORBIDDEN);
    let csrf = format!("csrf={}&back={job}", session.csrf);
    assert_eq!(office.post(Some(&session), &undo, &csrf).await.location, format!("/jobs/{job}"));
    assert_eq!(office.text(entry), format!("remove device:{device}"));
    assert_eq!(office.post(Some(&session), &undo, &csrf).await.status, StatusCode::CONFLICT);
    has(&office.get(Some(&session), &format!("/jobs/{job}")).await, &["taken back by dispatcher", "LATE DECLINE"]);
    assert_eq!(office.post(Some(&session), &path, &form.replace("recollect", "invoice")).await.location, "/exceptions");
}

#[tokio::test]
async fn a_link_is_made_or_the_processors_sentence_is_shown() {
    for (minor, status) in [(9_000, StatusCode::SEE_OTHER), (10_000, StatusCode::CONFLICT)] {
        let office = Office::of(Seed::day());
        let session = office.log_in("dispatcher").await;
        let sql = "UPDATE exception SET amount_minor = ?1 WHERE type = 'late_decline'";
        office.db.lock().unwrap().execute(sql, [minor]).unwrap();
        let (path, form) = late_decline(&office, &session, "payment_link", "");
        let answer = office.post(Some(&session), &path, &form).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        if status == StatusCode::CONFLICT {
            assert!(answer.body.contains("this processor cannot do that: no links here"), "{}", answer.body);
            assert_eq!(office.text("SELECT state FROM exception WHERE type = 'late_decline'"), "open");
        } else {
            assert!(office.text("SELECT detail FROM decision").starts_with("https://pay.example/link-"));
            has(&office.get(Some(&session), "/exceptions").await, &["https://pay.example/link-"]);
        }
    }
}

#[tokio::test]
async fn nobody_is_sent_a_link_for_a_deposit() {
    let office = Office::of(Seed::day());
    let session = office.log_in("dispatcher").await;
    // A link that this processor cannot make: it must not even be asked.
    let sql = "UPDATE exception SET amount_minor = 10000 WHERE type = 'late_decline'";
    office.db.lock().unwrap().execute(sql, []).unwrap();
    let ahead = "UPDATE invoice SET kind = 'deposit' WHERE id = (SELECT p.invoice FROM payment p
                 JOIN exception e ON e.subject = p.id WHERE e.type = 'late_decline')";
    assert_eq!(office.db.lock().unwrap().execute(ahead, []).unwrap(), 1);
    for action in ["payment_link", "invoice"] {
        let (path, form) = late_decline(&office, &session, action, "");
        let answer = office.post(Some(&session), &path, &form).await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert!(answer.body.contains("This is a deposit, which nobody owes"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_held_payment_is_voided_with_a_second_word() {
    let office = Office::of(Seed::day());
    let session = office.log_in("dispatcher").await;
    let id = office.text("SELECT id FROM exception WHERE type = 'held_excess'");
    let path = format!("/exceptions/{id}/decide");
    let form = format!("csrf={}&action=void&reason=paid+twice", session.csrf);
    assert_eq!(office.post(Some(&session), &path, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(office.post(Some(&session), &path, &format!("{form}&sure=yes")).await.location, "/exceptions");
    let voided = "SELECT voided_by FROM card_payment WHERE void_requested = 1";
    assert_eq!(office.text(voided), "dispatcher");
    let note = format!("/exceptions/{id}/resolve");
    assert_eq!(office.post(Some(&session), &note, &form).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn captured_money_is_refunded_by_a_button_a_second_word_and_a_reason() {
    let office = Office::of(Seed::day());
    let session = office.log_in("dispatcher").await;
    let sql = "INSERT INTO exception
               SELECT 'void-failed', 'void_failed', c.payment, c.device, p.job, c.captured_minor, 'EUR', '', 1, NULL, NULL,
                      'open', NULL, NULL
               FROM card_payment c JOIN payment p ON p.id = c.payment WHERE c.captured_minor > 0 LIMIT 1";
    office.db.lock().unwrap().execute(sql, []).unwrap();
    has(&office.get(Some(&session), "/exceptions").await, &["VOID FAILED", "Refund it", "needed for: Refund it"]);
    let (path, own) = ("/exceptions/void-failed/decide", format!("csrf={}&action=refund", session.csrf));
    for role in ["accountant", "reviewer"] {
        let other = office.log_in(role).await;
        assert!(!office.get(Some(&other), "/exceptions").await.body.contains("Refund it"), "{role}");
        let form = format!("csrf={}&action=refund&sure=yes&reason=late", other.csrf);
        assert_eq!(office.post(Some(&other), path, &form).await.status, StatusCode::FORBIDDEN, "{role}");
    }
    for bad in [format!("{own}&reason=void+was+late"), format!("{own}&sure=yes&reason=+")] {
        assert_eq!(office.post(Some(&session), path, &bad).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    assert_eq!(office.text("SELECT cast(count(*) AS TEXT) FROM refund_work"), "0");
    let form = format!("{own}&sure=yes&reason=void+was+late");
    assert_eq!(office.post(Some(&session), path, &form).await.location, "/exceptions");
    assert_eq!(office.post(Some(&session), path, &form).await.status, StatusCode::CONFLICT);
    let work = "SELECT state || ' ' || decided_by || ' ' || (w.amount_minor = c.captured_minor)
                FROM refund_work w JOIN card_payment c ON c.payment = w.payment";
    assert_eq!(office.text(work), "released dispatcher 1");
    let page = office.get(Some(&session), "/exceptions").await;
    has(&page, &["VOID FAILED", "The money is on its way back", "with dispatcher"]);
    assert!(!page.body.contains("Refund it"));
    has(&office.get(Some(&session), "/refunds").await, &["RELEASED", "begun by the office", "void was late"]);
    let job = office.text("SELECT job FROM decision");
    has(&office.get(Some(&session), &format!("/jobs/{job}")).await, &["Refund begun by the office", "by dispatcher"]);
}

#[tokio::test]
async fn what_the_settlement_made_of_a_payment_is_on_the_pages() {
    for (state, word, told) in
        [("settled", "SETTLED", "Settled by the processor"), ("disputed", "DISPUTED", "Disputed by the cardholder")]
    {
        let office = Office::of(Seed::day());
        let session = office.log_in("dispatcher").await;
        let sql = "UPDATE card_payment SET outcome = ?1, outcome_record = json_set(outcome_record, '$.state', ?1)
                   WHERE captured_minor > 0";
        office.db.lock().unwrap().execute(sql, [state]).unwrap();
        let of = "SELECT job FROM payment JOIN card_payment c ON c.payment = id WHERE captured_minor > 0 LIMIT 1";
        has(&office.get(Some(&session), "/payments").await, &[word]);
        has(&office.get(Some(&session), &format!("/jobs/{}", office.text(of))).await, &[word, told]);
    }
}
