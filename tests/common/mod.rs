//! What several tests need: a handheld's store with a job, a customer and prices in it.

use serde_json::json;
use std::path::Path;
use tillroll::domain::document::Series;
use tillroll::domain::id::{DeviceId, Epoch, InvoiceId, ItemId, JobId, LineId, PaymentId, RowId, VisitId};
use tillroll::domain::journal::Stamp;
use tillroll::domain::line::{Line, LineKind, Quantity};
use tillroll::domain::mode::Mode;
use tillroll::domain::money::{Currency, Money};
use tillroll::domain::tax::default_rules;
use tillroll::store::{FeedApplied, Identity, Store};
use uuid::Uuid;

/// Ids of what [`store`] holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    pub job: JobId,
    pub visit: VisitId,
    pub invoice: InvoiceId,
    pub payment: PaymentId,
    pub item: ItemId,
}

pub fn ids() -> Ids {
    let id = Uuid::from_u128;
    Ids {
        job: JobId(id(1)),
        visit: VisitId(id(2)),
        invoice: InvoiceId(id(3)),
        payment: PaymentId(id(4)),
        item: ItemId(id(5)),
    }
}

/// A stamp with a new id.
pub fn stamp() -> Stamp {
    Stamp {
        id: RowId(Uuid::now_v7()),
        at_ms: 1_764_000_000_000,
        boot: Uuid::nil(),
        mono_ms: 1,
        offset_ms: None,
        actor: "test".into(),
    }
}

/// A handheld that is enrolled under this name at an office with this key (none: it hears of no office), with one job.
pub fn store_of(dir: &Path, device: DeviceId, name: &str, office_key: &str) -> Store {
    let mut store = Store::open(&dir.join("device.sqlite"), Currency::EUR).unwrap();
    let name: Series = name.parse().unwrap();
    let identity = Identity {
        device,
        name: name.clone(),
        epoch: Epoch(Uuid::from_u128(10)),
        series: name,
        technician: None,
        technician_name: "Ada Example".into(),
        office_url: "http://127.0.0.1:1".into(),
        office_key: office_key.to_owned(),
        mode: Mode::Live,
    };
    store.enrol(&identity, "test", &stamp()).unwrap();
    let entry = job_entry(ids().job, ids().visit);
    store.apply_feed(&[entry], &[("d".to_owned(), 1)].into(), Uuid::nil(), 1).unwrap();
    store
}

/// A job as the office hands it out.
pub fn job_entry(job: JobId, visit: VisitId) -> FeedApplied {
    let body = json!({
        "id": job, "visit": visit, "customer": Uuid::from_u128(6), "site": Uuid::from_u128(7),
        "title": "Oven no. 2 not heating", "description": "", "priority": 1,
        "window_start_ms": 1, "window_end_ms": 2, "technician": null, "review": "open",
    });
    FeedApplied { kind: "job".into(), id: job.to_string(), body: Some(body) }
}

/// A tracked part for 34.50, tax included.
pub fn part(id: u128) -> Line {
    Line {
        id: LineId(Uuid::from_u128(id)),
        kind: LineKind::Part,
        item: Some(ids().item),
        name: "Thermostat TX-2".into(),
        quantity: Quantity::ONE,
        unit: "pc".into(),
        unit_price: Money::new(3_450, Currency::EUR),
        tax: Some(default_rules()[0].clone()),
        stock_tracked: true,
    }
}
