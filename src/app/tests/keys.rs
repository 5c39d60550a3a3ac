//! Keys outside of payments, and any message in any order.
//!
//! Invariant: no message panics at any size; a stale answer changes nothing.

use super::paper::*;
use super::sample::*;
use super::shift::now;
use crate::app::effect::{DemoCommand, DeviceCommand, Effect};
use crate::app::model::Screen;
use crate::app::msg::{DevicesNews, Key, LinkView, Msg, OpId};
use crate::domain::event::ReceiptState;
use crate::domain::job::VisitState;
use crate::domain::payment::PaymentState;
use crate::flow::payment::Event;
use proptest::prelude::*;

fn check(till: &mut Till, keys: &str, screen: Screen) {
    till.keys(keys);
    assert_eq!(till.model.screen, screen, "after {keys:?}");
}

#[test]
fn screens_follow_the_keys() {
    let mut till = Till::new(40, 15);
    check(&mut till, "Y", Screen::Sync);
    check(&mut till, "?", Screen::Help);
    check(&mut till, "⎋⎋", Screen::Today);
    check(&mut till, "/kestrel⏎⏎", Screen::Job);
    assert_eq!(till.model.wanted, Some(day()[2].job));
    check(&mut till, "A", Screen::Job);
    till.send(Msg::Job(Box::new(job(false, Vec::new()))));
    check(&mut till, "⏎", Screen::AddLine);
    check(&mut till, "⎋⎋", Screen::Today);
    check(&mut till, "⎋", Screen::Today);
    assert!(till.model.today.find.is_empty());
}

#[test]
fn a_step_is_written_once_and_the_list_keeps_its_place() {
    let mut till = Till::new(40, 15);
    till.keys("↓↓↓");
    let effects = till.keys("s");
    let [Effect::Commit { op, event }] = effects.as_slice() else { panic!("{effects:?}") };
    let crate::domain::event::Event::VisitMoved(moved) = event else { panic!("{event:?}") };
    assert_eq!((moved.from, moved.to), (VisitState::Accepted, VisitState::EnRoute));
    assert!(till.keys("s").is_empty());
    let effects = till.send(Msg::Committed { op: *op, outcome: Ok(()) });
    assert!(effects.contains(&Effect::LoadToday));
    let mut rows = day();
    rows.remove(0);
    till.send(Msg::Today(rows));
    assert_eq!(till.model.selected_today().unwrap().customer_name, "Hartwell Dental");
}

#[test]
fn a_line_comes_from_the_price_book_and_stale_searches_are_dropped() {
    let mut till = Till::on_job(40, 15, job(false, Vec::new()));
    till.keys("A");
    let first = OpId(till.model.last_op);
    till.keys("l");
    till.send(Msg::Prices { op: first, query: String::new(), items: prices() });
    assert_eq!(till.model.add_line.items, None);
    let op = OpId(till.model.last_op);
    till.send(Msg::Prices { op, query: "l".into(), items: prices() });
    till.keys("⏎1.5");
    let effects = till.keys("⏎");
    assert_eq!(kinds(&effects), ["line.added"]);
    till.send(Msg::Committed { op: OpId(till.model.last_op), outcome: Ok(()) });
    assert_eq!(till.model.screen, Screen::Job);
    for (typed, added) in [("", 1), ("0", 0), ("1.2345", 0), ("abc", 1), ("99999999999", 0), (".", 0), ("0.5", 1)] {
        let mut till = Till::on_job(40, 15, job(false, Vec::new()));
        till.keys("A");
        till.send(Msg::Prices { op: OpId(till.model.last_op), query: String::new(), items: prices() });
        till.keys(&format!("⏎{typed}"));
        assert_eq!(till.keys("⏎").len(), added, "{typed:?}");
    }
}

#[test]
fn the_menu_finds_commands_and_the_demos_switches() {
    let mut till = Till::new(40, 15);
    assert_eq!(till.keys(":restore⏎"), [Effect::Demo(DemoCommand::ToggleLink)]);
    assert_eq!(till.keys(":mc-⏎"), [Effect::Demo(DemoCommand::PresentCard("mc-chip".into()))]);
    assert_eq!(till.keys(":quit⏎"), [Effect::Quit]);
    assert_eq!(till.keys(":nothing like it⏎"), []);
    assert_eq!(till.keys("YK"), [Effect::Demo(DemoCommand::ToggleLink)]);
    till.model.settings.demo = false;
    assert_eq!(till.keys("K"), []);
}

#[test]
fn ids_are_asked_for_once_and_in_time() {
    let mut till = Till::on_job(40, 15, job(true, Vec::new()));
    till.model.ids.truncate(8);
    till.keys("CAQ");
    assert!(till.keys("⏎").contains(&Effect::NeedIds));
    till.model.saving = None;
    assert!(!till.keys("⏎").contains(&Effect::NeedIds));
}

#[test]
fn ctrl_c_asks_only_while_a_payment_is_under_way() {
    let mut till = Till::on_job(40, 15, job(true, Vec::new()));
    assert_eq!(till.send(Msg::Key(Key::Interrupt)), [Effect::Quit]);
    till.keys("CC");
    assert_eq!(till.send(Msg::Key(Key::Interrupt)), []);
    assert_eq!(till.send(Msg::Key(Key::Interrupt)), [Effect::Quit]);
}

#[test]
fn seconds_are_counted_only_where_they_are_shown() {
    let mut till = Till::on_job(40, 15, job(true, Vec::new()));
    assert_eq!(till.model.clock_step_ms(), 60_000);
    till.keys("CC");
    assert_eq!(till.model.clock_step_ms(), 1_000);
}

fn devices(effects: &[Effect]) -> Vec<DeviceCommand> {
    let found = effects.iter().filter_map(|effect| match effect {
        Effect::Devices(command) => Some(command.clone()),
        _ => None,
    });
    found.collect()
}

#[test]
fn a_reader_is_paired_with_the_passkey_that_was_typed_and_forgotten_only_when_asked() {
    let mut till = Till::new(40, 15);
    assert_eq!(devices(&till.keys("E")), [DeviceCommand::Scan(true)]);
    till.send(Msg::Devices(readers()));
    // Paired already: no passkey is asked for.
    let address = "00:11:22:33:44:66".to_owned();
    assert_eq!(devices(&till.keys("⏎")), [DeviceCommand::Pair { address, passkey: 0 }]);
    till.send(Msg::Devices(DevicesNews { pairing: true, ..readers() }));
    assert_eq!(devices(&till.keys("FS")), []);
    till.send(Msg::Devices(readers()));
    // A new one: the passkey, and too short a one goes nowhere.
    assert_eq!(devices(&till.keys("↓↓⏎12⏎")), []);
    let address = "00:11:22:33:44:68".to_owned();
    assert_eq!(devices(&till.keys("3456⏎")), [DeviceCommand::Pair { address: address.clone(), passkey: 123_456 }]);
    till.send(Msg::Devices(DevicesNews { compare: Some(1), pairing: true, ..readers() }));
    assert_eq!(devices(&till.keys("⏎")), []);
    assert_eq!(devices(&till.keys("Y")), [DeviceCommand::Answer(true)]);
    till.send(Msg::Devices(readers()));
    // Money is stored: the reader in use stays, another may go, after a question.
    assert_eq!(devices(&till.keys("↑↑FY")), []);
    assert_eq!(till.model.notice().map(|notice| notice.title.as_str()), Some("Not now"));
    let other = "00:11:22:33:44:67".to_owned();
    assert_eq!(devices(&till.keys("⏎↓FY")), [DeviceCommand::Forget { address: other }]);
    assert_eq!(devices(&till.keys("B")), [DeviceCommand::Beep]);
    assert_eq!(devices(&till.keys("⎋")), [DeviceCommand::Scan(false)]);
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<i64>().prop_map(|n| Event::Committed(Box::new(payment(1, n, PaymentState::Presenting)))),
        prop::sample::select(vec![
            PaymentState::CardRead,
            PaymentState::Requested,
            PaymentState::Unknown,
            PaymentState::Stored,
            PaymentState::Approved,
            PaymentState::PartlyApproved,
            PaymentState::VoidPending,
            PaymentState::Declined,
        ])
        .prop_map(|state| Event::Committed(Box::new(payment(1, 500, state)))),
        Just(Event::Settled(Box::new(payment(1, i64::MAX, PaymentState::Approved)))),
        ".{0,20}".prop_map(Event::CommitFailed),
        ".{0,20}".prop_map(Event::Prompt),
        ".{0,20}".prop_map(|label| Event::Applications(vec![label])),
        ".{0,20}".prop_map(Event::ReaderEnded),
        Just(Event::CardDeclined),
        any::<bool>().prop_map(|online| Event::Assessed { online, offline: allowed() }),
        Just(Event::OutcomeOverdue),
        Just(Event::LinkLost),
    ]
}

/// What a runtime or a person might do; events go to the payment in front.
#[derive(Debug, Clone)]
enum Act {
    Send(Msg),
    Pay(Event),
    Answer,
}

fn any_act() -> impl Strategy<Value = Act> {
    let keys = prop_oneof![
        4 => prop::sample::select("abcdehknopqrstuvwyz:/?0125.⏎".chars().collect::<Vec<_>>()).prop_map(Key::Char),
        1 => any::<char>().prop_map(Key::Char),
        4 => prop::sample::select(vec![
            Key::Enter, Key::Enter, Key::Esc, Key::Backspace, Key::Up, Key::Down, Key::PageUp, Key::PageDown, Key::Interrupt,
        ]),
    ];
    let op = (0_u64..40).prop_map(OpId);
    let outcome = prop_oneof![Just(Ok(())), ".{0,30}".prop_map(Err)];
    prop_oneof![
        20 => keys.prop_map(|key| Act::Send(Msg::Key(key))),
        6 => any_event().prop_map(Act::Pay),
        6 => Just(Act::Answer),
        1 => ".{0,80}".prop_map(|text| Act::Send(Msg::Paste(text))),
        1 => (any::<i64>(), any::<i32>()).prop_map(|(now_ms, offset_minutes)| Act::Send(Msg::Clock { now_ms, offset_minutes })),
        2 => (0_u16..140, 0_u16..40).prop_map(|(columns, rows)| Act::Send(Msg::Resize { columns, rows })),
        1 => (0_usize..6).prop_map(|n| Act::Send(Msg::Today(day().split_off(n)))),
        3 => any::<bool>().prop_map(|invoiced| Act::Send(Msg::Job(Box::new(job(invoiced, Vec::new()))))),
        1 => (op, outcome).prop_map(|(op, outcome)| Act::Send(Msg::Committed { op, outcome })),
        1 => any::<Option<i64>>().prop_map(|next_try_ms| {
            Act::Send(Msg::Link(LinkView { online: next_try_ms.is_none(), next_try_ms, last_error: Some("x".into()) }))
        }),
        1 => Just(Act::Send(Msg::Resume(vec![payment(3, 5, PaymentState::CardRead)]))),
        1 => ".{0,200}".prop_map(|text| Act::Send(Msg::Trouble(text))),
        1 => Just(Act::Send(Msg::PaymentChanged { payment: Box::new(payment(4, 9, PaymentState::Expired)) })),
    ]
}

/// Answers the last effect that awaits one.
fn answer(till: &mut Till) {
    let detail = || Box::new(job(true, vec![payment(2, 400, PaymentState::Unknown)]));
    let msg = till.effects.pop().and_then(|effect| match effect {
        Effect::Commit { op, .. } => Some(Msg::Committed { op, outcome: Ok(()) }),
        Effect::IssueInvoice { op, .. } => Some(Msg::Invoiced { op, outcome: Ok(detail()) }),
        Effect::SearchPrices { op, query } => Some(Msg::Prices { op, query, items: prices() }),
        Effect::RenderReceipt { op, .. } => Some(Msg::Receipt { op, outcome: Ok(receipt(&detail(), 40)) }),
        Effect::Print { op, .. } => Some(Msg::Printed { op, outcome: Ok(printed(2, ReceiptState::Confirmed)) }),
        Effect::CheckChain { op } => Some(Msg::ChainChecked { op, ok: false, rows: 3 }),
        Effect::Shift { op, .. } => Some(Msg::Committed { op, outcome: Ok(()) }),
        Effect::LoadShift => Some(Msg::Shift(Box::new(now(till.model.last_op.is_multiple_of(2), true)))),
        Effect::PrintShift { op, .. } => Some(Msg::ShiftPrinted { op, outcome: Ok(false) }),
        Effect::LoadJob(_) => Some(Msg::Job(detail())),
        _ => None,
    });
    if let Some(msg) = msg {
        till.send(msg);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_panics(acts in proptest::collection::vec(any_act(), 1..60), columns in 1_u16..140, rows in 1_u16..40) {
        let mut till = Till::on_job(columns.max(30), rows.max(12), job(true, Vec::new()));
        for act in acts {
            match act {
                Act::Send(msg) => { till.send(msg); }
                Act::Pay(event) => {
                    let id = till.model.card.as_ref().map_or(payment(1, 1, PaymentState::Draft).id, |card| card.id);
                    till.send(Msg::Payment { id, event });
                }
                Act::Answer => answer(&mut till),
            }
            let frame = till.frame();
            prop_assert!(frame.lines().count() <= usize::from(till.model.rows));
        }
    }
}
