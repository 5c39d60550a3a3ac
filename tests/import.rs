//! Importing master data from outside: what is taken, what is refused and how it is told, what handhelds hear.

#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use proptest::prelude::*;
use rusqlite::Connection;
use tillroll::office::import::{FeedNote, FeedOp, ImportErrors, ImportKind, ImportReport, RowError, import};
use uuid::Uuid;

const TECHNICIANS: &str = "external_id,name,device\nT1,Ada Quill,D01\nT2,Ben Tarn,D02\nT3,Cy Vale,\n";
const CUSTOMERS: &str = "external_id,name,phone,email,street,city,postcode,country,tax_id,note\n\
    C1,Kestrel Bakery,+1 555 0100,k@example.com,14 Mill Lane,Northwick,1010,AT,U1,\"Ring twice,\nthen wait\"\n\
    C2,Hartwell Dental,,,,,,,,\n";
const SITES: &str = "external_id,customer,name,street,city,postcode,country,access_note\n\
    S1,C1,Bakery,14 Mill Lane,Northwick,1010,AT,Back door\nS2,C2,Practice,,,,,\n";
const EQUIPMENT: &str = "external_id,site,name,model,serial,installed_on,warranty_until\n\
    E1,S1,Oven no. 2,OV-2,123,2020-02-29,\n";
const PRICES: &str = "external_id,kind,name,unit,unit_price,currency,tax_code,stock_tracked\n\
    P1,labour,Labour,h,60.00,EUR,standard,no\nP2,part,Thermostat TX-2,pc,34.5,EUR,standard,yes\n";
const JOBS: &str = "external_id,customer,site,title,description,priority,window_start,window_end,technician\n\
    J1,C1,S1,Oven not heating,,3,2025-11-24T10:00:00+01:00,2025-11-24T11:00:00+01:00,T1\n\
    J2,C2,S2,Service,Yearly,0,2025-11-24T11:30:00Z,2025-11-24T12:30:00Z,\n";

struct Office {
    db: Connection,
    ids: u128,
}

impl Office {
    fn empty() -> Office {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("../migrations/office/0001_base.sql")).unwrap();
        db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        Office { db, ids: 0 }
    }

    fn with_all() -> Office {
        let mut office = Office::empty();
        for (kind, csv) in all() {
            office.take(kind, csv).unwrap();
        }
        office
    }

    fn take(&mut self, kind: ImportKind, csv: &str) -> Result<(ImportReport, Vec<FeedNote>), ImportErrors> {
        self.take_bytes(kind, csv.as_bytes())
    }

    fn take_bytes(&mut self, kind: ImportKind, csv: &[u8]) -> Result<(ImportReport, Vec<FeedNote>), ImportErrors> {
        let tx = self.db.transaction().unwrap();
        let mut notes = Vec::new();
        let ids = &mut self.ids;
        let mut new_id = || {
            *ids += 1;
            Uuid::from_u128(*ids)
        };
        let report = import(&tx, kind, csv, 1_000, &mut new_id, &mut |note| notes.push(note))?;
        tx.commit().unwrap();
        Ok((report, notes))
    }

    fn faults(&mut self, kind: ImportKind, csv: &str) -> Vec<RowError> {
        match self.take(kind, csv) {
            Err(ImportErrors::Rows(rows)) => {
                assert_eq!(rows.total, rows.listed.len(), "{rows}");
                rows.listed
            }
            other => panic!("{csv:?} gave {other:?}"),
        }
    }

    fn text(&self, sql: &str) -> String {
        self.db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn count(&self, table: &str) -> i64 {
        self.db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    /// `put job J1 on D01`, with names in place of ids.
    fn told(&self, notes: &[FeedNote]) -> Vec<String> {
        let name =
            |table: &str, column: &str, id: &str| self.text(&format!("SELECT {column} FROM {table} WHERE id = '{id}'"));
        let one = |note: &FeedNote| {
            let channel = match note.channel.strip_prefix("device:") {
                Some(id) => name("device", "name", id),
                None => note.channel.clone(),
            };
            let table = if note.kind == "price" { "price_item" } else { note.kind };
            format!("{} {} {} on {channel}", note.op.name(), note.kind, name(table, "external_id", &note.entity))
        };
        notes.iter().map(one).collect()
    }
}

fn all() -> [(ImportKind, &'static str); 6] {
    [
        (ImportKind::Technicians, TECHNICIANS),
        (ImportKind::Customers, CUSTOMERS),
        (ImportKind::Sites, SITES),
        (ImportKind::Equipment, EQUIPMENT),
        (ImportKind::Prices, PRICES),
        (ImportKind::Jobs, JOBS),
    ]
}

fn check_fault(kind: ImportKind, csv: &str, row: usize, column: &str, expected: &str) {
    let mut office = Office::with_all();
    let jobs = office.count("job");
    let faults = office.faults(kind, csv);
    let one = faults.iter().find(|f| f.row == row && f.column == column && f.expected.contains(expected));
    assert!(one.is_some(), "{csv:?}: no fault in row {row}, column {column:?}, with {expected:?}: {faults:?}");
    assert_eq!(office.count("job"), jobs);
}

#[test]
fn everything_is_taken_and_again_nothing_changes() {
    let mut office = Office::empty();
    for (kind, csv) in all() {
        let (report, _) = office.take(kind, csv).unwrap();
        assert_eq!((report.added, report.updated, report.unchanged), (report.rows(), 0, 0), "{kind}");
    }
    assert_eq!(office.count("device"), 2);
    assert_eq!(office.text("SELECT note FROM customer WHERE external_id = 'C1'"), "Ring twice,\nthen wait");
    let price: i64 =
        office.db.query_row("SELECT price_minor FROM price_item WHERE external_id = 'P2'", [], |r| r.get(0)).unwrap();
    assert_eq!(price, 3_450);
    let visit = office.text("SELECT visit FROM job WHERE external_id = 'J1'");
    for (kind, csv) in all() {
        let (report, notes) = office.take(kind, csv).unwrap();
        assert_eq!((report.added, report.updated, report.unchanged), (0, 0, report.rows()), "{kind}");
        assert_eq!(notes, [], "{kind}");
    }
    assert_eq!(office.text("SELECT visit FROM job WHERE external_id = 'J1'"), visit);
}

#[test]
fn a_file_may_have_a_mark_other_line_ends_and_another_order_of_columns() {
    let mut office = Office::empty();
    let csv = "\u{feff}name,device,external_id\r\n Ada Quill ,D01,T1\r\n";
    assert_eq!(office.take(ImportKind::Technicians, csv).unwrap().0.added, 1);
    assert_eq!(office.text("SELECT name FROM technician"), "Ada Quill");
}

#[test]
fn handhelds_hear_what_concerns_their_technician() {
    let mut office = Office::empty();
    let mut last = Vec::new();
    for (kind, csv) in all() {
        last = office.take(kind, csv).unwrap().1;
        if kind == ImportKind::Prices {
            assert_eq!(office.told(&last), ["put price P1 on shared:prices", "put price P2 on shared:prices"]);
        }
    }
    let j1 = ["put customer C1 on D01", "put site S1 on D01", "put equipment E1 on D01", "put job J1 on D01"];
    assert_eq!(office.told(&last), j1);

    let (report, notes) = office.take(ImportKind::Customers, &CUSTOMERS.replace("+1 555 0100", "+1 555 0199")).unwrap();
    assert_eq!((report.updated, report.unchanged), (1, 1));
    assert_eq!(office.told(&notes), ["put customer C1 on D01"]);
    let (_, notes) = office.take(ImportKind::Customers, &CUSTOMERS.replace("Hartwell", "Hartwood")).unwrap();
    assert_eq!(office.told(&notes), ["put customer C1 on D01"], "C2 has no technician; C1 is as it was");

    let (_, notes) = office.take(ImportKind::Jobs, &JOBS.replace("Oven not heating", "Oven cold")).unwrap();
    assert_eq!(office.told(&notes), ["put job J1 on D01"]);
    let (_, notes) = office.take(ImportKind::Jobs, &JOBS.replace(",T1\n", ",T2\n")).unwrap();
    let moved = office.told(&notes);
    assert_eq!(moved.first().map(String::as_str), Some("remove job J1 on D01"));
    assert!(moved.contains(&"put job J1 on D02".to_owned()) && moved.contains(&"put site S1 on D02".to_owned()));
}

#[test]
fn a_handheld_that_changes_hands_loses_and_gets_jobs() {
    let mut office = Office::with_all();
    let (report, notes) = office.take(ImportKind::Technicians, "external_id,name,device\nT2,Ben Tarn,D01\n").unwrap();
    assert_eq!((report.updated, report.unchanged), (1, 0));
    assert_eq!(office.told(&notes), ["remove job J1 on D01"]);
    let (_, notes) = office.take(ImportKind::Technicians, "external_id,name,device\nT1,Ada Quill,D02\n").unwrap();
    assert!(office.told(&notes).contains(&"put job J1 on D02".to_owned()));
    assert!(notes.iter().all(|note| note.op == FeedOp::Put));
    assert_eq!(office.count("device"), 2);
}

#[test]
fn a_header_that_is_not_the_kinds_is_told_by_name() {
    check_fault(ImportKind::Technicians, "", 1, "", "external_id,name,device");
    check_fault(ImportKind::Technicians, "external_id,name\nT9,X\n", 1, "device", "external_id,name,device");
    check_fault(ImportKind::Technicians, "external_id,name,device,age\n", 1, "age", "only the columns");
    check_fault(ImportKind::Technicians, "external_id,name,name,device\n", 1, "name", "each column once");
    check_fault(ImportKind::Prices, &PRICES.replace("unit_price", "price"), 1, "unit_price", "unit_price");
}

#[test]
fn wrong_cells_are_told_by_row_and_column() {
    let price = |cell: &str| PRICES.replace("34.5", cell);
    for cell in ["\"34,50\"", "-1", "1.234", "", "99999999999999999999", "1e3"] {
        check_fault(ImportKind::Prices, &price(cell), 3, "unit_price", "an amount of EUR");
    }
    check_fault(ImportKind::Prices, &PRICES.replace("60.00,EUR", "60,EURO"), 2, "currency", "ISO 4217");
    check_fault(ImportKind::Prices, &PRICES.replace("part", "parts"), 3, "kind", "labour, part, fee");
    check_fault(ImportKind::Prices, &PRICES.replace(",yes", ",ja"), 3, "stock_tracked", "yes, no");
    check_fault(ImportKind::Prices, &PRICES.replace("standard,no", "vat,no"), 2, "tax_code", "standard");
    check_fault(ImportKind::Prices, &PRICES.replace("\nP2", "\nP1"), 3, "external_id", "row 2");
    check_fault(ImportKind::Technicians, "external_id,name,device\n,X,\n", 2, "external_id", "not be empty");
    check_fault(ImportKind::Technicians, "external_id,name,device\nT8,X\n", 2, "", "3 cells");
    check_fault(ImportKind::Technicians, "external_id,name,device\n\nT8,A\u{7},\n", 3, "name", "control");
    check_fault(ImportKind::Technicians, "external_id,name,device\nT8,A,D9\nT9,B,D9\n", 3, "device", "row 2");
    check_fault(ImportKind::Sites, &SITES.replace(",C2,", ",C9,"), 3, "customer", "imported before");
    check_fault(ImportKind::Equipment, &EQUIPMENT.replace("2020-02-29", "2021-02-29"), 2, "installed_on", "a date");
    check_fault(ImportKind::Jobs, &JOBS.replace(",3,", ",4,"), 2, "priority", "0, 1, 2, 3");
    check_fault(
        ImportKind::Jobs,
        &JOBS.replace("2025-11-24T10:00:00+01:00", "24.11.2025"),
        2,
        "window_start",
        "RFC 3339",
    );
    check_fault(ImportKind::Jobs, &JOBS.replace("T12:30", "T11:30"), 3, "window_end", "after window_start");
    check_fault(ImportKind::Jobs, &JOBS.replace(",T1\n", ",T9\n"), 2, "technician", "imported before");
    check_fault(ImportKind::Jobs, &JOBS.replace("C2,S2", "C2,S1"), 3, "site", "the job's customer");
}

#[test]
fn text_that_is_not_utf_8_is_told() {
    let mut office = Office::empty();
    let failed = office.take_bytes(ImportKind::Technicians, b"external_id,name,device\nT1,Jos\xe9,\n");
    let Err(ImportErrors::Rows(rows)) = failed else { panic!("{failed:?}") };
    assert_eq!((rows.listed[0].row, rows.listed[0].column.as_str()), (2, "name"));
    assert!(rows.to_string().contains("UTF-8"), "{rows}");
}

#[test]
fn fifty_faults_are_listed_and_the_rest_counted() {
    let mut csv = "external_id,name,device\nT9,Good,\n".to_owned();
    for n in 0..70 {
        csv.push_str(&format!("X{n},,\n"));
    }
    let mut office = Office::empty();
    let failed = office.take(ImportKind::Technicians, &csv);
    let Err(ImportErrors::Rows(rows)) = failed else { panic!("{failed:?}") };
    assert_eq!((rows.listed.len(), rows.total), (50, 70));
    assert!(rows.to_string().ends_with("and 20 more"));
    assert_eq!(office.count("technician"), 0, "not even the good row");
}

#[test]
fn the_command_takes_the_file_only_when_it_is_not_a_dry_run() {
    use tillroll::cli::office_import::{Args, Error, answer, error_json, run};
    let mut office = Office::empty();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("technicians.csv");
    std::fs::write(&file, TECHNICIANS).unwrap();
    let kind = ImportKind::Technicians;
    let mut args = Args { kind, file, dry_run: true, db: "sqlite:office.sqlite".into(), json: true };
    let mut n = 0;
    let mut new_id = || {
        n += 1;
        Uuid::from_u128(n)
    };
    for (dry_run, left) in [(true, 0), (false, 3)] {
        args.dry_run = dry_run;
        let report = run(&args, &mut office.db, 5, &mut new_id, &mut |_, _| Ok(())).unwrap();
        let said: serde_json::Value = serde_json::from_str(&answer(&args, report)).unwrap();
        assert_eq!((said["added"].as_u64(), said["dry_run"].as_bool()), (Some(3), Some(dry_run)));
        assert_eq!(office.count("technician"), left);
    }
    std::fs::write(&args.file, "external_id,name,device\nT1,,\n").unwrap();
    let error = run(&args, &mut office.db, 5, &mut new_id, &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(error_json(&error)["error"]["rows"]["listed"][0]["row"], 2);
    assert!(error.is_permanent());
    args.file = dir.path().join("absent.csv");
    let error = run(&args, &mut office.db, 5, &mut new_id, &mut |_, _| Ok(())).unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0_usize..6) {
        let mut office = Office::empty();
        let _ = office.take_bytes(ImportKind::ALL[kind], &bytes);
    }

    #[test]
    fn any_cells_under_a_good_header_are_taken_twice_or_refused(text in "[\"',\r\nTC1S a-z0-9é\u{0}.:+-]{0,200}", kind in 0_usize..6) {
        let mut office = Office::with_all();
        let kind = ImportKind::ALL[kind];
        let csv = format!("{}\n{text}", kind.columns().join(","));
        if let Ok((first, _)) = office.take(kind, &csv) {
            let (again, notes) = office.take(kind, &csv).unwrap();
            prop_assert_eq!(again.unchanged, first.rows());
            prop_assert!(notes.is_empty());
        }
    }

    #[test]
    fn any_technicians_are_taken_twice(names in proptest::collection::hash_map("[A-Z]{1,3}", "[ -~]{0,5}[a-z\"]", 0..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["external_id", "name", "device"]).unwrap();
        for (key, name) in &names {
            writer.write_record([key, name, &format!("D{key}")]).unwrap();
        }
        let csv = writer.into_inner().unwrap();
        let mut office = Office::empty();
        let (first, _) = office.take_bytes(ImportKind::Technicians, &csv).unwrap();
        prop_assert_eq!(first.added, names.len() as u64);
        let (again, _) = office.take_bytes(ImportKind::Technicians, &csv).unwrap();
        prop_assert_eq!(again.unchanged, names.len() as u64);
    }
}
