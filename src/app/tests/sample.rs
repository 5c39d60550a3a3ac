//! A plausible day, and a till that is driven by messages.
//!
//! Invariant: every id and time is fixed, so that frames are the same in every run.

use crate::app::effect::Effect;
use crate::app::model::{GlyphChoice, Model, Settings, ThemeChoice};
use crate::app::msg::{DeviceRow, DevicesNews, Key, LinkView, Msg, ReaderView};
use crate::app::update::{start, update};
use crate::app::view::view;
use crate::domain::event::Event as Row;
use crate::domain::invoice::{Invoice, InvoiceState, PaidSums};
use crate::domain::job::{MoneyState, Review, VisitState};
use crate::domain::line::{Line, LineKind, Quantity};
use crate::domain::mode::Mode;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{CardEntry, CardSummary, Payment, PaymentState, Tender};
use crate::domain::price::PriceItem;
use crate::domain::read::{Bill, Exposure, JobDetail, PaymentView, SyncStatus, TodayRow};
use crate::domain::tax::default_rules;
use crate::domain::totals::{Extras, totals};
use crate::flow::payment::{Effect as Step, Event, Offline, ReadFacts, Timing};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

/// Tuesday, 24 November 2026, 9:41 UTC.
pub const NOW_MS: i64 = 1_795_513_260_000;
pub const HOUR_MS: i64 = 3_600_000;

pub fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

pub fn settings(columns: u16, rows: u16) -> Settings {
    Settings {
        currency: Currency::EUR,
        device_name: "D07".into(),
        technician_name: "R. Vale".into(),
        glyphs: GlyphChoice::Ascii,
        theme: ThemeChoice::Mono,
        timing: Timing::STANDARD,
        mode: Mode::Live,
        demo: true,
        enrolled: true,
        columns,
        rows,
    }
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

#[rustfmt::skip]
pub fn day() -> Vec<TodayRow> {
    let midnight = NOW_MS - 9 * HOUR_MS - 41 * 60_000;
    let visit = |n: u128, half_hours: i64, customer: &str, title: &str, address: &str, state, money, total: i64, open: i64| TodayRow {
        job: id(n).into(),
        visit: id(100 + n).into(),
        customer: id(200 + n).into(),
        customer_name: customer.into(),
        title: title.into(),
        address: address.into(),
        window_start_ms: midnight + half_hours * HOUR_MS / 2,
        window_end_ms: midnight + (half_hours + 3) * HOUR_MS / 2,
        priority: 1,
        state,
        money,
        total: (total > 0).then(|| eur(total)),
        open: (total > 0).then(|| eur(open)),
        back: None,
        deposit: None,
        review: Review::Open,
    };
    vec![
        visit(1, 16, "Ferry House", "Boiler service", "The Quay, Arnside", VisitState::Done, MoneyState::Paid, 12_000, 0),
        visit(2, 18, "Old Mill Antiques & Restorations", "Thermostat replaced", "2 Race Lane, Milnthorpe", VisitState::Done, MoneyState::Pending, 25_000, 0),
        visit(3, 20, "Kestrel Bakery", "Oven no. 2 not heating", "14 Mill Lane, Kendal LA9 4AB, behind the market hall", VisitState::OnSite, MoneyState::Due, 12_000, 12_000),
        visit(4, 23, "Hartwell Dental", "Compressor service", "Suite 3, 9 Castle Street", VisitState::Accepted, MoneyState::None, 0, 0),
        TodayRow { priority: 3, ..visit(5, 28, "Moss & Daughter", "Leak under counter", "31 Stricklandgate", VisitState::New, MoneyState::None, 0, 0) },
        TodayRow { review: Review::SentBack, ..visit(6, 33, "Chapel Row Flats", "Pump noise", "Chapel Row 5", VisitState::Done, MoneyState::Due, 8_400, 8_400) },
    ]
}

pub fn lines() -> Vec<Line> {
    let line = |n: u128, kind, name: &str, milli, unit: &str, price| Line {
        id: id(300 + n).into(),
        kind,
        item: None,
        name: name.into(),
        quantity: Quantity(milli),
        unit: unit.into(),
        unit_price: eur(price),
        tax: (kind != LineKind::Discount).then(|| default_rules()[0].clone()),
        stock_tracked: false,
    };
    vec![
        line(1, LineKind::Labour, "Labour", 1_500, "h", 6_000),
        line(2, LineKind::Part, "Thermostat TX-2", 1_000, "pc", 3_450),
        line(3, LineKind::Discount, "Discount", 1_000, "", -450),
    ]
}

/// The third visit of the day, with or without its invoice.
pub fn job(invoiced: bool, payments: Vec<Payment>) -> JobDetail {
    let row = day()[2].clone();
    let lines = lines();
    let sums = totals(&lines, Currency::EUR, Extras::NONE).unwrap();
    let invoice = invoiced.then(|| Invoice {
        id: id(400).into(),
        document: "D07-000412".parse().unwrap(),
        job: row.job,
        visit: row.visit,
        customer: row.customer,
        lines: lines.clone(),
        totals: sums.clone(),
        issued_ms: NOW_MS - 10 * 60_000,
        state: InvoiceState::Issued,
        delivered: true,
        deposit: None,
    });
    let paid = PaidSums {
        approved_minor: payments.iter().map(|p| p.approved_minor).sum(),
        pending_minor: payments.iter().map(|p| p.pending_minor).sum(),
    };
    JobDetail {
        rules: crate::domain::rules::Rules::NONE,
        refunds: Vec::new(),
        row,
        description: "The lower oven stays cold. Check the thermostat and the element.".into(),
        place: "US-TX".into(),
        phone: "01539 555 014".into(),
        access_note: "Ring at the side door, the shop is closed on Tuesdays.".into(),
        equipment: vec!["Deck oven Marl 2, serial 88-1204".into()],
        lines,
        totals: Some(sums),
        bills: invoice.iter().map(|invoice| Bill { invoice: invoice.clone(), sums: paid }).collect(),
        deposits: Vec::new(),
        invoice,
        sums: paid,
        payments: payments.into_iter().map(|payment| PaymentView { payment, went_on: None, not_sent: false }).collect(),
        customer_balance: eur(12_000),
        collect_again: None,
        email: "office@kestrel.example".into(),
        receipt_due: None,
    }
}

pub fn card() -> CardSummary {
    CardSummary {
        brand: "VISA".into(),
        last4: "0010".into(),
        aid: "A0000000031010".into(),
        label: "VISA DEBIT".into(),
        cvm: "no verification".into(),
        entry: CardEntry::Contactless,
        marks: Default::default(),
    }
}

/// A card payment of the sample invoice in some state.
pub fn payment(n: u128, minor: i64, state: PaymentState) -> Payment {
    let row = day()[2].clone();
    let paid = matches!(state, PaymentState::Approved);
    let stored = matches!(state, PaymentState::Stored | PaymentState::Held);
    Payment {
        extras: crate::domain::payment::Extras::NONE,
        reference: None,
        deposit: None,
        refund_open_minor: 0,
        refunded_minor: 0,
        returned_minor: 0,
        id: id(500 + n).into(),
        invoice: id(400).into(),
        document: "D07-000412".parse().unwrap(),
        job: row.job,
        visit: row.visit,
        tender: Tender::Card,
        amount: eur(minor),
        state,
        approved_minor: if paid { minor } else { 0 },
        pending_minor: if stored { minor } else { 0 },
        offered_minor: 0,
        offline: stored,
        card: Some(card()),
        blob: Some("ab".repeat(32)),
        deadline_ms: stored.then_some(NOW_MS + 24 * HOUR_MS),
        auth_code: paid.then(|| "402117".into()),
        reason: None,
        linked_to: None,
        keep: None,
        tendered_minor: 0,
        change_minor: 0,
        at_ms: NOW_MS - 5 * 60_000,
        rev: REV.fetch_add(1, Ordering::Relaxed),
    }
}

/// Each picture of a payment is newer than the one before it, and than any that the rows of a test make.
static REV: AtomicU32 = AtomicU32::new(1_000);

pub fn prices() -> Vec<PriceItem> {
    let item = |n: u128, code: &str, kind, name: &str, unit: &str, price| PriceItem {
        id: id(600 + n).into(),
        code: code.into(),
        kind,
        name: name.into(),
        unit: unit.into(),
        unit_price: eur(price),
        tax: default_rules()[0].clone(),
        stock_tracked: kind == LineKind::Part,
    };
    vec![
        item(1, "L-STD", LineKind::Labour, "Labour", "h", 6_000),
        item(2, "L-OUT", LineKind::Labour, "Labour out of hours, Sunday and bank holiday rate", "h", 9_500),
        item(3, "TX-2", LineKind::Part, "Thermostat TX-2", "pc", 3_450),
        item(4, "F-CALL", LineKind::Fee, "Call-out", "pc", 2_500),
    ]
}

pub fn sync() -> SyncStatus {
    SyncStatus {
        head_seq: 4_194,
        acked_seq: 4_182,
        durable_seq: 4_100,
        oldest_unsent_ms: Some(NOW_MS - 130 * 60_000),
        last_contact_ms: Some(NOW_MS - 113 * 60_000),
        exposure: Exposure {
            minor: 25_000,
            count: 1,
            first_deadline_ms: Some(NOW_MS + 21 * HOUR_MS + 300_000),
            currency: Currency::EUR,
        },
        sent_back: 1,
        drawer: eur(21_450),
        shift_open: true,
    }
}

/// Readers near by: one in use, one of the other family, one that was not heard.
pub fn readers() -> DevicesNews {
    let row = |address: &str, name: &str, kind, rssi_dbm, paired, used| DeviceRow {
        address: address.into(),
        name: name.into(),
        kind,
        rssi_dbm,
        paired,
        used,
    };
    DevicesNews {
        rows: vec![
            row("00:11:22:33:44:66", "DF II Go-B603226", "ble", Some(-52), true, true),
            row("00:11:22:33:44:67", "Miura 010-000203", "rfcomm", None, true, false),
            row("00:11:22:33:44:68", "DF II Go-B603999", "ble", Some(-71), false, false),
        ],
        scanning: true,
        last_seen_ms: Some(NOW_MS - 3 * HOUR_MS),
        ..DevicesNews::default()
    }
}

/// A till in a test: messages in, effects kept, frames out.
pub struct Till {
    pub model: Model,
    pub effects: Vec<Effect>,
}

impl Till {
    /// Just started, offline, with the day on the screen.
    pub fn new(columns: u16, rows: u16) -> Till {
        let mut model = Model::new(settings(columns, rows));
        let effects = start(&mut model);
        let mut till = Till { model, effects };
        till.send(Msg::Clock { now_ms: NOW_MS, offset_minutes: 0 });
        till.send(Msg::Ids((1..=32).map(|n| id(0x9000 + n)).collect()));
        till.send(Msg::Battery(Some(87)));
        till.send(Msg::Today(day()));
        till.send(Msg::Sync(sync()));
        till.send(Msg::Reader(ReaderView {
            name: "DynaFlex II Go B603226".into(),
            battery_percent: Some(64),
            connected: true,
            firmware: Some("1000007183-A1".into()),
            restart_in: None,
        }));
        till.link(false);
        let cards = ["visa-tap", "mc-chip", "decline"].map(String::from).to_vec();
        till.send(Msg::DemoState { link_cut: true, card: "visa-tap".into(), cards });
        till
    }

    /// On the third job, loaded.
    pub fn on_job(columns: u16, rows: u16, detail: JobDetail) -> Till {
        let mut till = Till::new(columns, rows);
        till.keys("↓↓⏎");
        till.send(Msg::Job(Box::new(detail)));
        till
    }

    pub fn link(&mut self, online: bool) {
        let next_try_ms = (!online).then_some(NOW_MS + 38_000);
        let last_error = (!online).then(|| "the office does not answer".to_owned());
        self.send(Msg::Link(LinkView { online, next_try_ms, last_error }));
    }

    /// Sends one message; the effects of this one.
    pub fn send(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.model, msg);
        self.effects.extend(effects.clone());
        effects
    }

    /// Presses keys: `⏎` Enter, `⎋` Esc, `⌫` Backspace, `↑`, `↓`, else the character. The effects of the last one.
    pub fn keys(&mut self, keys: &str) -> Vec<Effect> {
        let mut last = Vec::new();
        for c in keys.chars() {
            let key = match c {
                '⏎' => Key::Enter,
                '⎋' => Key::Esc,
                '⌫' => Key::Backspace,
                '↑' => Key::Up,
                '↓' => Key::Down,
                c => Key::Char(c),
            };
            last = self.send(Msg::Key(key));
        }
        last
    }

    /// Hands an event to the payment in front.
    pub fn pay(&mut self, event: Event) -> Vec<Effect> {
        let id = self.model.card.as_ref().unwrap().id;
        self.send(Msg::Payment { id, event })
    }

    /// Commits the row that was asked for last, as the disk would.
    pub fn commit(&mut self) -> Vec<Effect> {
        let row = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::StoreIntent { effect: Step::Commit(row), .. }
            | Effect::Payment { effect: Step::Commit(row), .. } => Some(row.clone()),
            _ => None,
        });
        let before = self.model.card.as_ref().unwrap().machine.payment().cloned();
        let after = Payment::after(before.as_ref(), &row.unwrap(), NOW_MS).unwrap();
        self.pay(Event::Committed(Box::new(after)))
    }

    /// A card payment whose card was read and sealed.
    pub fn card_read(mut self) -> Till {
        self.keys("C");
        self.commit();
        let facts = ReadFacts { card: card(), ksn: "FFFF9876543210E00001".into(), ciphertext_sha256: "cd".repeat(32) };
        self.pay(Event::CardRead(Box::new(facts)));
        let id = self.model.card.as_ref().unwrap().id;
        let mut read = payment(0, 12_000, PaymentState::CardRead);
        read.id = id;
        self.pay(Event::Committed(Box::new(read)));
        self
    }

    pub fn assessed(mut self, online: bool) -> Till {
        self.pay(Event::Assessed { online, offline: allowed() });
        self
    }

    /// The frame as text, one row a line.
    pub fn frame(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.model.columns, self.model.rows)).unwrap();
        terminal.draw(|frame| view(&self.model, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let columns = usize::from(self.model.columns);
        let rows = buffer.content().chunks(columns.max(1));
        rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>() + "\n").collect()
    }
}

pub fn allowed() -> Offline {
    Offline::Allowed { deadline_ms: NOW_MS + 24 * HOUR_MS, policy: 1 }
}

/// The kinds of the rows that effects ask to write.
pub fn kinds(effects: &[Effect]) -> Vec<&'static str> {
    let row = |effect: &Effect| -> Option<Row> {
        match effect {
            Effect::Commit { event, .. } => Some(event.clone()),
            Effect::StoreIntent { effect: Step::Commit(row), .. }
            | Effect::Payment { effect: Step::Commit(row), .. } => Some(row.clone()),
            _ => None,
        }
    };
    effects.iter().filter_map(row).map(|row| row.kind()).collect()
}
