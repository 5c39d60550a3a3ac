//! What a training handheld finds: an identity without an office, a price book, and a new day of jobs each day.

use crate::domain::id::{CustomerId, DeviceId, EquipmentId, ItemId, JobId, SiteId, VisitId};
use crate::domain::line::LineKind;
use crate::domain::mode::Mode;
use crate::domain::money::{Currency, Money};
use crate::domain::policy::{HOUR_MS, OfflinePolicy};
use crate::domain::price::PriceItem;
use crate::domain::receipt::Merchant;
use crate::domain::tax::default_rules;
use crate::domain::{customer::Customer, customer::Equipment, customer::Site, id::Epoch, job::Job, job::Review};
use crate::runtime::clock::Clock;
use crate::store::{FeedApplied, Identity, Store};
use crate::sync::wire::{SignedPolicy, policy_bytes, seal};
use anyhow::Context as _;
use ed25519_dalek::{Signer as _, SigningKey};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The handheld's name, which begins its document numbers.
pub const NAME: &str = "TRAINING";
/// Who works with it.
pub const TECHNICIAN: &str = "Trainee";

/// How long the offline policy is good for, milliseconds: nobody renews it.
const POLICY_GOOD_MS: i64 = 20 * 365 * 24 * HOUR_MS;
/// The small fact that says for which day jobs were made.
const DAY_NOTE: &str = "training_day";

/// Customer, address, what is to be done, how to get in, what stands there.
const VISITS: [(&str, &str, &str, &str, &str); 5] = [
    ("Sample Bakery", "1 Practice Lane", "Oven not heating", "Side door", "Deck oven"),
    ("Example Dental", "2 Rehearsal Street", "Compressor service", "Ring twice", "Compressor"),
    ("Model & Daughter", "3 Exercise Road", "Leak under counter", "Key at number 5", "Water heater"),
    ("Specimen House", "4 Drill Square", "Boiler service", "", "Combi boiler"),
    ("Trial Flats", "5 Dummy Terrace", "Pump is noisy", "Caretaker, ground floor", "Circulation pump"),
];

/// Code, kind, name, unit, minor units.
const PRICES: [(&str, LineKind, &str, &str, i64); 7] = [
    ("L-STD", LineKind::Labour, "Labour", "h", 6_000),
    ("L-OUT", LineKind::Labour, "Labour out of hours", "h", 9_000),
    ("P-TX2", LineKind::Part, "Thermostat TX-2", "pc", 3_450),
    ("P-VAL", LineKind::Part, "Valve 15 mm", "pc", 1_280),
    ("P-PMP", LineKind::Part, "Circulation pump", "pc", 18_900),
    ("F-CALL", LineKind::Fee, "Call-out", "pc", 2_500),
    ("F-DISP", LineKind::Fee, "Disposal", "pc", 900),
];

/// Makes what is missing: all of it in a new folder, the day's jobs on a new day.
pub fn fill(store: &mut Store, now_ms: i64) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    match store.identity() {
        Ok(identity) => anyhow::ensure!(
            identity.mode == Mode::Training,
            "this folder belongs to handheld {}, which is not for training: name another with --state",
            identity.name
        ),
        Err(_) => entries = enrol(store, now_ms)?,
    }
    let zone = TimeZone::system();
    let today = jiff::Timestamp::from_millisecond(now_ms)?.to_zoned_datetime(zone.clone()).date();
    if store.meta::<String>(DAY_NOTE)?.is_none_or(|day| day != today.to_string()) {
        let midnight_ms = today.to_zoned_datetime(zone)?.timestamp().as_millisecond();
        for (n, visit) in (0_i64..).zip(VISITS) {
            entries.extend(job(visit, midnight_ms + (16 + 3 * n) * HOUR_MS / 2)?);
        }
        store.set_meta(DAY_NOTE, &today.to_string())?;
    }
    store.apply_feed(&entries, &BTreeMap::new(), Uuid::nil(), now_ms)?;
    Ok(())
}

/// Gives the handheld an identity without an office; the documents that an office would have sent.
fn enrol(store: &mut Store, now_ms: i64) -> anyhow::Result<Vec<FeedApplied>> {
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).context("the machine gives no random numbers")?;
    // Signs the one policy there ever is, and is forgotten.
    let office = SigningKey::from_bytes(&secret);
    let identity = Identity {
        device: DeviceId(Uuid::new_v4()),
        name: NAME.parse()?,
        epoch: Epoch(Uuid::new_v4()),
        series: NAME.parse()?,
        technician: None,
        technician_name: TECHNICIAN.to_owned(),
        office_url: String::new(),
        office_key: hex::encode(office.verifying_key().to_bytes()),
        mode: Mode::Training,
    };
    store.enrol(&identity, env!("CARGO_PKG_VERSION"), &Clock::new(TECHNICIAN).stamp(None))?;
    let text = serde_json::to_string(&OfflinePolicy::standard(Currency::EUR, now_ms.saturating_add(POLICY_GOOD_MS)))?;
    let signature = hex::encode(office.sign(&policy_bytes(&text)).to_bytes());
    // Nobody keeps the other half: what is sealed to it is as good as erased.
    let (sealing_key, _) = seal::generate("training");
    let merchant = Merchant {
        name: "Training Services".to_owned(),
        address: "Nowhere in particular".to_owned(),
        tax_id: "000000000".to_owned(),
        merchant_id: String::new(),
        logo: Vec::new(),
    };
    let mut entries = vec![
        entry("policy", "policy", &SignedPolicy { text, signature })?,
        entry("sealing_key", "sealing_key", &sealing_key)?,
        entry("merchant", "merchant", &merchant)?,
    ];
    let tax = default_rules().into_iter().next().context("a tax rule")?;
    for (code, kind, name, unit, minor) in PRICES {
        let item = PriceItem {
            id: ItemId(Uuid::now_v7()),
            code: code.to_owned(),
            kind,
            name: name.to_owned(),
            unit: unit.to_owned(),
            unit_price: Money::new(minor, Currency::EUR),
            tax: tax.clone(),
            stock_tracked: kind == LineKind::Part,
        };
        entries.push(entry("price", &item.id.to_string(), &item)?);
    }
    Ok(entries)
}

fn job(of: (&str, &str, &str, &str, &str), start_ms: i64) -> anyhow::Result<Vec<FeedApplied>> {
    let (name, street, title, access, unit) = of;
    let customer = Customer {
        id: CustomerId(Uuid::now_v7()),
        name: name.to_owned(),
        phone: "000 000".to_owned(),
        email: "trainee@example.com".to_owned(),
        address: street.to_owned(),
        tax_id: String::new(),
        note: String::new(),
    };
    let site = Site {
        country: String::new(),
        id: SiteId(Uuid::now_v7()),
        customer: customer.id,
        name: name.to_owned(),
        street: street.to_owned(),
        city: "00000 Sampleton".to_owned(),
        access_note: access.to_owned(),
    };
    let equipment = Equipment {
        id: EquipmentId(Uuid::now_v7()),
        site: site.id,
        name: unit.to_owned(),
        model: "Model 1".to_owned(),
        serial: "000".to_owned(),
        warranty_until: String::new(),
    };
    let job = Job {
        id: JobId(Uuid::now_v7()),
        visit: VisitId(Uuid::now_v7()),
        customer: customer.id,
        site: site.id,
        title: title.to_owned(),
        description: "A job to practise on. Nobody ordered it.".to_owned(),
        priority: 1,
        window_start_ms: start_ms,
        window_end_ms: start_ms + HOUR_MS,
        technician: None,
        review: Review::Open,
    };
    Ok(vec![
        entry("customer", &customer.id.to_string(), &customer)?,
        entry("site", &site.id.to_string(), &site)?,
        entry("equipment", &equipment.id.to_string(), &equipment)?,
        entry("job", &job.id.to_string(), &job)?,
    ])
}

fn entry<T: serde::Serialize>(kind: &str, id: &str, body: &T) -> anyhow::Result<FeedApplied> {
    Ok(FeedApplied { kind: kind.to_owned(), id: id.to_owned(), body: Some(serde_json::to_value(body)?) })
}
