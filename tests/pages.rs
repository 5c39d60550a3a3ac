//! The dispatcher's pages over their router, with a seeded office.

#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "pages/agreements.rs"]
mod agreements;
#[path = "pages/decisions.rs"]
mod decisions;
#[path = "pages/deposits.rs"]
mod deposits;
#[path = "pages/seed.rs"]
mod seed;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use seed::{NOW_MS, Seed};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tillroll::domain::money::{Currency, Money};
use tillroll::office::Conn;
use tillroll::office::pages::{PagesState, router};
use tillroll::office::processors::ProcessorError;
use tower::ServiceExt;

struct Office {
    router: Router,
    db: Conn,
    changes: Arc<AtomicU64>,
    wakes: Arc<AtomicU64>,
    notes: Arc<Mutex<Vec<String>>>,
    now_ms: Arc<AtomicI64>,
}

struct Answer {
    status: StatusCode,
    location: String,
    cookie: String,
    policy: String,
    body: String,
}

/// A cookie and the token for forms.
struct Session {
    cookie: String,
    csrf: String,
}

impl Office {
    fn of(seed: Seed) -> Office {
        let db: Conn = Arc::new(Mutex::new(seed.db));
        let (changes, wakes, notes) =
            (Arc::new(AtomicU64::new(1)), Arc::<AtomicU64>::default(), Arc::<Mutex<Vec<String>>>::default());
        let now_ms = Arc::new(AtomicI64::new(NOW_MS));
        let (counter, woken, noted, clock) = (changes.clone(), wakes.clone(), notes.clone(), now_ms.clone());
        let state = PagesState {
            db: db.clone(),
            changes: changes.clone(),
            on_change: Arc::new(move || {
                counter.fetch_add(1, Ordering::AcqRel);
            }),
            wake_payments: Arc::new(move || {
                woken.fetch_add(1, Ordering::AcqRel);
            }),
            note: Arc::new(move |_, note| {
                noted.lock().unwrap().push(format!("{} {} {}", note.op.name(), note.kind, note.channel));
                Ok(())
            }),
            clock: Arc::new(move || clock.load(Ordering::Acquire)),
            zone: jiff::tz::TimeZone::UTC,
            login_hint: Some("Demo: dispatcher / demo".to_owned()),
            make_link: Arc::new(|wanted| {
                let answer = match wanted.key.as_str() {
                    key if wanted.amount.minor < 10_000 => Ok(format!("https://pay.example/{key}")),
                    _ => Err(ProcessorError::Unable("no links here")),
                };
                Box::pin(std::future::ready(answer))
            }),
            attempts: Default::default(),
        };
        Office { router: router(state), db, changes, wakes, notes, now_ms }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let header = |name: &str| response.headers().get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
        let (location, cookie, policy) = (header("location"), header("set-cookie"), header("content-security-policy"));
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 22).await.unwrap();
        Answer { status, location, cookie, policy, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn get(&self, session: Option<&Session>, path: &str) -> Answer {
        let mut request = Request::get(path);
        if let Some(session) = session {
            request = request.header("cookie", &session.cookie);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, session: Option<&Session>, path: &str, form: &str) -> Answer {
        let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        if let Some(session) = session {
            request = request.header("cookie", &session.cookie);
        }
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    async fn log_in(&self, name: &str) -> Session {
        let answer = self.post(None, "/login", &format!("name={name}&password={name}-secret")).await;
        assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/"), "{}", answer.body);
        assert!(answer.cookie.contains("HttpOnly") && answer.cookie.contains("SameSite=Strict"), "{}", answer.cookie);
        let cookie = answer.cookie.split(';').next().unwrap().to_owned();
        let csrf = self.text(&format!("SELECT csrf FROM session WHERE user = '{name}'"));
        Session { cookie, csrf }
    }

    fn text(&self, sql: &str) -> String {
        self.db.lock().unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

const PAGES: [&str; 9] =
    ["/", "/review", "/payments", "/deposits", "/refunds", "/exceptions", "/shifts", "/devices", "/jobs/x"];

#[track_caller]
fn has(answer: &Answer, parts: &[&str]) {
    assert_eq!(answer.status, StatusCode::OK);
    for part in parts {
        assert!(answer.body.contains(part), "{part:?} is not in {}", answer.body);
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_session() {
    let office = Office::of(Seed::day());
    for page in PAGES {
        let answer = office.get(None, page).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{page}");
        assert!(answer.location.starts_with("/login"), "{page}");
        assert!(answer.policy.contains("default-src 'none'") && !answer.policy.contains("unsafe"));
    }
    assert_eq!(office.get(None, "/review").await.location, "/login?next=/review");
    assert_eq!(office.get(None, "/changes?since=1").await.status, StatusCode::UNAUTHORIZED);
    for path in [
        "/jobs/x/approve",
        "/exceptions/x/resolve",
        "/exceptions/x/decide",
        "/decisions/x/undo",
        "/payments/x/release",
        "/logout",
    ] {
        assert_eq!(office.post(None, path, "").await.location, "/login", "{path}");
    }
    let forged = Session { cookie: format!("tillroll_session={}", "0".repeat(64)), csrf: String::new() };
    assert_eq!(office.get(Some(&forged), "/").await.status, StatusCode::SEE_OTHER);
    for asset in ["/assets/app.css", "/assets/app.js"] {
        assert_eq!(office.get(None, asset).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_login_takes_the_right_password_and_goes_only_to_own_pages() {
    let office = Office::of(Seed::empty());
    has(&office.get(None, "/login").await, &["Log in", "Demo: dispatcher / demo"]);
    let wrong = office.post(None, "/login", "name=dispatcher&password=x").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.body.contains("Name or password is wrong") && wrong.cookie.is_empty());
    for (next, to) in [("/review", "/review"), ("//evil.example", "/"), ("https://evil.example", "/")] {
        let form = format!("name=reviewer&password=reviewer-secret&next={next}");
        assert_eq!(office.post(None, "/login", &form).await.location, to, "{next}");
    }
    let foreign = Request::post("/login")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("name=reviewer&password=reviewer-secret"))
        .unwrap();
    assert_eq!(office.send(foreign).await.status, StatusCode::FORBIDDEN);
    for _ in 0..4 {
        office.post(None, "/login", "name=dispatcher&password=x").await;
    }
    let form = "name=dispatcher&password=dispatcher-secret";
    assert_eq!(office.post(None, "/login", form).await.status, StatusCode::TOO_MANY_REQUESTS);
    office.now_ms.fetch_add(60_000, Ordering::AcqRel);
    assert_eq!(office.post(None, "/login", form).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_ends_with_the_logout_and_with_time() {
    let office = Office::of(Seed::empty());
    let session = office.log_in("dispatcher").await;
    assert_eq!(office.post(Some(&session), "/logout", "csrf=x").await.status, StatusCode::FORBIDDEN);
    let out = office.post(Some(&session), "/logout", &format!("csrf={}", session.csrf)).await;
    assert!(out.cookie.contains("Max-Age=0"));
    assert_eq!(office.get(Some(&session), "/").await.status, StatusCode::SEE_OTHER);
    let session = office.log_in("dispatcher").await;
    office.now_ms.fetch_add(12 * 60 * 60 * 1_000, Ordering::AcqRel);
    assert_eq!(office.get(Some(&session), "/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_empty_office_has_every_page() {
    let office = Office::of(Seed::empty());
    let session = office.log_in("dispatcher").await;
    has(&office.get(Some(&session), "/").await, &["No technicians yet", "Collected", "0.00"]);
    has(&office.get(Some(&session), "/review").await, &["Nothing to review"]);
    has(&office.get(Some(&session), "/payments").await, &["No payments"]);
    has(&office.get(Some(&session), "/exceptions").await, &["Nothing needs a decision"]);
    has(&office.get(Some(&session), "/devices").await, &["No handhelds yet"]);
    has(&office.get(Some(&session), "/shifts").await, &["No cash shifts yet"]);
    assert_eq!(office.get(Some(&session), "/jobs/x").await.status, StatusCode::NOT_FOUND);
    assert_eq!(office.get(Some(&session), "/?day=yesterday").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_board_shows_the_day() {
    let office = Office::of(Seed::day());
    let session = office.log_in("accountant").await;
    let board = office.get(Some(&session), "/").await;
    has(&board, &["Monday 24 November 2025", "Ada Quill", ">4 min<", "Not assigned", "EN ROUTE", "PAID", "PENDING"]);
    has(&board, &["Moss &amp; Daughter", "Exceptions <b class=\"count loud\">", "data-changes=\"1\"", "14 unsent"]);
    assert!(!board.body.contains("style=") && !board.body.contains("onclick"));
    has(&office.get(Some(&session), "/?day=2025-11-23").await, &["Sunday 23 November 2025", "0 visits"]);
    office.now_ms.fetch_add(40 * 24 * 60 * 60 * 1_000, Ordering::AcqRel);
    let later = office.log_in("dispatcher").await;
    has(&office.get(Some(&later), "/").await, &["Monday 24 November 2025", "Today"]);
}

#[tokio::test]
async fn a_job_shows_lines_money_and_both_times() {
    let office = Office::of(Seed::day());
    let session = office.log_in("reviewer").await;
    let job = office.text("SELECT id FROM job WHERE external_id = 'J3'");
    let page = office.get(Some(&session), &format!("/jobs/{job}")).await;
    has(&page, &["Boiler service", "Ferry House", "D07-000403", "LATE DECLINED", "Still open", "Approve visit"]);
    has(&page, &["Took EUR", "offline, pending", "47 min later", "Dora Finch", "····0013", "on 1", "VAT 20 %"]);
    has(&page, &["Call-out &lt;b&gt;", "LATE DECLINE", "ask the customer for another way to pay"]);
    assert!(!page.body.contains("<b>\" ") && !page.body.contains("Call-out <b>"));
}

#[tokio::test]
async fn payments_are_summed_and_filtered() {
    let office = Office::of(Seed::day());
    let session = office.log_in("dispatcher").await;
    let all = office.get(Some(&session), "/payments").await;
    has(&all, &["LATE DECLINED", "class=\"wants\"", "CAPTURED", "PAID CASH", "Release to the bank", "do not honour"]);
    let failed = office.get(Some(&session), "/payments?state=failed").await;
    has(&failed, &["LATE DECLINED"]);
    assert!(!failed.body.contains("PAID CASH"));
    let cash = office.get(Some(&session), "/payments?tender=cash").await;
    has(&cash, &["PAID CASH"]);
    assert!(!cash.body.contains("VISA"));
    let device = office.text("SELECT id FROM device WHERE name = 'D03'");
    has(&office.get(Some(&session), &format!("/payments?device={device}")).await, &["LATE DECLINED"]);
    has(&office.get(Some(&session), "/payments?device=%22%3E%3Cscript%3E").await, &["No payments that fit"]);
}

#[tokio::test]
async fn what_went_back_is_named_and_not_counted_as_money() {
    let seed = Seed::day();
    seed.give_back("cash", 1_000);
    let office = Office::of(seed);
    let session = office.log_in("dispatcher").await;
    let taken: i64 =
        office.text("SELECT CAST(sum(approved_minor) AS TEXT) FROM payment WHERE tender = 'cash'").parse().unwrap();
    let back: i64 =
        office.text("SELECT CAST(sum(refunded_minor) AS TEXT) FROM payment WHERE tender = 'cash'").parse().unwrap();
    assert!(back > 0 && back < taken, "{back} of {taken}");
    let net = Money::new(taken - back, Currency::EUR);
    let page = office.get(Some(&session), "/payments?tender=cash").await;
    has(&page, &["refunded 10.00", "Not by card", &format!("</small> {}</span></strong>", net.plain())]);
}

#[tokio::test]
async fn exceptions_say_what_to_do_and_devices_how_they_are() {
    let office = Office::of(Seed::day());
    let session = office.log_in("dispatcher").await;
    let page = office.get(Some(&session), "/exceptions?sort=age").await;
    has(
        &page,
        &["LATE DECLINE", "HELD EXCESS", "deadline in", "&lt;i&gt;05&lt;/i&gt;", "Counted again, a note was stuck"],
    );
    assert!(!page.body.contains("<i>05"));
    let devices = office.get(Some(&session), "/devices").await;
    has(&devices, &["D03", "1 h 35 m ago", "1–58", "<b>14</b>", "WHOLE"]);
    let fork = "INSERT INTO journal_fork SELECT id, 'e', 1, 'x', 'h', x'', 1 FROM device WHERE name = 'D00'";
    office.db.lock().unwrap().execute(fork, []).unwrap();
    has(&office.get(Some(&session), "/devices").await, &["FORKED"]);
}

#[tokio::test]
async fn shifts_show_what_was_counted_and_what_came_late() {
    let mut seed = Seed::day();
    seed.shifts();
    let office = Office::of(seed);
    let session = office.log_in("accountant").await;
    let page = office.get(Some(&session), "/shifts").await;
    has(
        &page,
        &["D00-Z0001", "SHORT EUR 0.50", "111.50", "111.00", "12 rows not sent at the close", "class=\"wants\""],
    );
    has(&page, &["fuel &lt;i&gt;", "LATE", "DECLINED", "OUTSIDE A SHIFT", "not counted yet", "OPEN"]);
    assert!(!page.body.contains("<i>") && !page.body.contains("style="));
}

#[tokio::test]
async fn a_visit_is_approved_once_and_its_handheld_hears_of_it() {
    let office = Office::of(Seed::day());
    let session = office.log_in("reviewer").await;
    let job = office.text("SELECT id FROM job WHERE external_id = 'J0'");
    let path = format!("/jobs/{job}/approve");
    assert_eq!(office.post(Some(&session), &path, "csrf=").await.status, StatusCode::FORBIDDEN);
    assert_eq!(office.post(Some(&session), &path, "").await.status, StatusCode::FORBIDDEN);
    let accountant = office.log_in("accountant").await;
    let refused = office.post(Some(&accountant), &path, &format!("csrf={}", accountant.csrf)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(office.text("SELECT review FROM job WHERE external_id = 'J0'"), "open");
    let form = format!("csrf={}&back=review", session.csrf);
    has(&office.get(Some(&session), "/review").await, &[&format!("/jobs/{job}/approve")]);
    for _ in 0..2 {
        assert_eq!(office.post(Some(&session), &path, &form).await.location, "/review");
    }
    let device = office.text("SELECT id FROM device WHERE name = 'D00'");
    assert_eq!(*office.notes.lock().unwrap(), [format!("put job device:{device}")]);
    assert_eq!(office.text("SELECT reviewed_by FROM job WHERE external_id = 'J0'"), "reviewer");
    assert!(!office.get(Some(&session), "/review").await.body.contains(&format!("/jobs/{job}/approve")));
    has(&office.get(Some(&session), "/changes?since=1").await, &["\"changed\":true"]);
    assert!(office.changes.load(Ordering::Acquire) > 1);
    let early = office.text("SELECT id FROM job WHERE external_id = 'J24'");
    let answer = office.post(Some(&session), &format!("/jobs/{early}/approve"), &form).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_exception_is_resolved_with_a_reason() {
    let office = Office::of(Seed::day());
    let session = office.log_in("dispatcher").await;
    let id = office.text("SELECT id FROM exception WHERE type = 'late_decline'");
    let path = format!("/exceptions/{id}/resolve");
    let csrf = &session.csrf;
    let empty = office.post(Some(&session), &path, &format!("csrf={csrf}&reason=+")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(office.post(Some(&session), &path, "reason=paid+cash").await.status, StatusCode::FORBIDDEN);
    let form = format!("csrf={csrf}&reason=Paid+cash+%3Cb%3E+today");
    assert_eq!(office.post(Some(&session), &path, &form).await.location, "/exceptions");
    assert_eq!(office.post(Some(&session), &path, &form).await.status, StatusCode::CONFLICT);
    has(&office.get(Some(&session), "/exceptions").await, &["Paid cash &lt;b&gt; today"]);
    let reviewer = office.log_in("reviewer").await;
    let other = office.text("SELECT id FROM exception WHERE state = 'open' LIMIT 1");
    let form = format!("csrf={}&reason=paid", reviewer.csrf);
    let refused = office.post(Some(&reviewer), &format!("/exceptions/{other}/resolve"), &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_held_payment_is_released_once() {
    let office = Office::of(Seed::day());
    let session = office.log_in("dispatcher").await;
    let held = "json_extract(outcome_record, '$.state') = 'held'";
    let id = office.text(&format!("SELECT payment FROM card_payment WHERE {held}"));
    let path = format!("/payments/{id}/release");
    assert_eq!(office.post(Some(&session), &path, "csrf=no").await.status, StatusCode::FORBIDDEN);
    let form = format!("csrf={}", session.csrf);
    let unexplained = office.post(Some(&session), &path, &form).await;
    assert_eq!(unexplained.status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is needed");
    let form = format!("csrf={}&reason=the+customer+agreed", session.csrf);
    assert_eq!(office.post(Some(&session), &path, &form).await.location, format!("/payments?payment={id}"));
    assert_eq!(office.text(&format!("SELECT released_by FROM card_payment WHERE {held}")), "dispatcher");
    assert_eq!(
        office.text(&format!("SELECT cast(next_ms AS TEXT) FROM card_payment WHERE {held}")),
        NOW_MS.to_string()
    );
    assert_eq!(office.wakes.load(Ordering::Acquire), 1);
    assert_eq!(office.post(Some(&session), &path, &form).await.status, StatusCode::CONFLICT);
    has(&office.get(Some(&session), &format!("/payments?payment={id}")).await, &["released by dispatcher"]);
}
