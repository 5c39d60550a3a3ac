//! Failure 15: sales on the wrong day.

use crate::rig::World;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use tillroll::domain::id::ShiftId;
use tillroll::domain::money::{Currency, Money};
use tillroll::runtime::clock::local_day;

/// The documents that `tillroll office reconcile` of a machine in this zone counts to a day.
async fn reconcile(world: &World, zone: &str, day: &str) -> Vec<String> {
    let database = format!("sqlite:{}", world.folder.path().join("office.sqlite").display());
    let processor = format!("http://{}", world.processor.address);
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tillroll"));
    command.args(["office", "reconcile", "--date", day, "--processor", &processor, "--db", &database, "--json"]);
    let output = command.env("TZ", zone).output().await.unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let payments = answer["books"]["payments"].as_array().unwrap();
    payments.iter().map(|one| one["document"].as_str().unwrap().to_owned()).collect()
}

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// Elsewhere, sales of the evening fell on the next day because a day was a day in Greenwich; a closing whose end was before
/// its begin matched no invoice at all; and on the two days a year that have 23 or 25 hours an hour was lost or counted
/// twice. Here a day is from local midnight to local midnight, and a shift is what lies between its rows, not its clocks.
#[tokio::test]
async fn failure_15_evening_sales_fall_on_the_next_day() {
    // Central Europe by its rules, so that no table of zones is needed; the clocks go back on 2026-10-25 at 03:00.
    let zone = "CET-1CEST,M3.5.0,M10.5.0/3";
    let world = World::new().await;
    let mut till = world.device("D01");
    let sales = [
        ("2026-10-24T21:59:59Z", "2026-10-24"), // 23:59:59 in summer time
        ("2026-10-24T22:00:00Z", "2026-10-25"), // midnight
        ("2026-10-25T00:30:00Z", "2026-10-25"), // 02:30 the first time
        ("2026-10-25T01:30:00Z", "2026-10-25"), // 02:30 the second time
        ("2026-10-25T22:59:59Z", "2026-10-25"), // 23:59:59 in winter time: the day has 25 hours
        ("2026-10-25T23:00:00Z", "2026-10-26"), // midnight
    ];
    for (n, (at, _)) in sales.iter().enumerate() {
        world.pass(ms(at) - world.now());
        let invoice = till.work_at(n as u128);
        let payment = till.read(&invoice, "visa-tap");
        till.accept(payment);
        till.exchange(&world).await;
    }
    let mut seen = 0;
    for day in ["2026-10-23", "2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"] {
        let of_day = (1..).zip(sales).filter(|(_, (_, on))| *on == day).map(|(n, _)| format!("D01-{n:06}"));
        let found = reconcile(&world, zone, day).await;
        assert_eq!(found, of_day.collect::<Vec<_>>(), "{day}");
        seen += found.len();
    }
    assert_eq!(seen, sales.len(), "each on one day");

    // The handheld's own day, by the same rules as a calendar.
    for (name, zone) in [("Europe", zone), ("the west", "PST8PDT,M3.2.0,M11.1.0"), ("the far east", "<+1245>-12:45")] {
        let zone = TimeZone::posix(zone).unwrap();
        let mut day: Date = "2026-01-01".parse().unwrap();
        for _ in 0..365 {
            let next = day.tomorrow().unwrap();
            let begin = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap().as_millisecond();
            let span = (begin(day), begin(next));
            for at in [span.0, span.0 + 7_200_000, span.1 - 7_200_000, span.1 - 1] {
                assert_eq!(local_day(at, &zone), span, "{name} {day}");
            }
            day = next;
        }
    }

    // Somebody sets the handheld's clock a day back in the middle of a shift: it ends before it began.
    let world = World::new().await;
    let mut till = world.device("D01");
    world.pass(3 * 86_400_000);
    let shift = ShiftId(till.fresh());
    let stamp = till.stamp();
    till.store.open_shift(shift, Money::zero(Currency::EUR), &stamp).unwrap();
    for n in 0..2 {
        let sold = till.work_at(n);
        till.cash(&sold);
        world.pass(-86_400_000);
    }
    let stamp = till.stamp();
    till.store.close_shift(shift, Money::new(6_900, Currency::EUR), &stamp).unwrap();
    let report = till.store.shift_report(shift).unwrap();
    let closed = report.closed.unwrap();
    assert!(closed.at_ms < report.opened_ms);
    assert_eq!((report.figures.drawer.taken_minor, closed.difference_minor), (6_900, 0));
    till.push(&world);
    assert_eq!(world.exceptions(), Vec::<String>::new());
    world.sound(&[&till]).await;
}
