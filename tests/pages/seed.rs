//! An office with a day's work in it, written as the fold of the handhelds' journals would write it.

mod money;
mod shifts;

use money::Fate;
use rusqlite::{Connection, params};
use tillroll::domain::document::DocumentNumber;
use tillroll::domain::event::{Event, VisitMoved};
use tillroll::domain::id::{JobId, VisitId};
use tillroll::domain::job::VisitState;
use tillroll::office::import::{ImportKind, import};
use tillroll::office::users::{Role, add_user};
use uuid::Uuid;

/// Monday 24 November 2025, 12:40 UTC: the seeded office's now.
pub const NOW_MS: i64 = 1_763_988_000_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Midnight before now.
const DAY_MS: i64 = NOW_MS - 12 * HOUR_MS - 40 * MINUTE_MS;

const WHAT: [(&str, &str); 12] = [
    ("Kestrel Bakery", "Oven no. 2 not heating"),
    ("Hartwell Dental", "Compressor service"),
    ("Moss & Daughter", "Leak under counter"),
    ("Ferry House", "Boiler service"),
    ("Quarry Lane School", "Radiators cold on floor 2"),
    ("Blue Heron Café", "Dishwasher drain blocked"),
    ("Alder & Finch Opticians", "Air conditioning filter"),
    ("Tollgate Garage", "Compressed air leak"),
    ("Wren Street Nursery", "Hot water tap"),
    ("Larkfield Farm Shop", "Cold store alarm"),
    ("Copper Kettle Inn", "Ice machine"),
    ("Northwick Library", "Pump noise"),
];
const PEOPLE: [&str; 5] = ["Ada Quill", "Ben Tarn", "Cy Vale", "Dora Finch", "Emil Rook"];

/// The office's database with its own counter for ids.
pub struct Seed {
    pub db: Connection,
    ids: u128,
    seqs: Vec<i64>,
}

impl Seed {
    /// An office without any data but one user of each role; the password of each is its name and `-secret`.
    pub fn empty() -> Seed {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("../../migrations/office/0001_base.sql")).unwrap();
        for role in Role::ALL {
            add_user(&db, role.name(), role, &format!("{}-secret", role.name())).unwrap();
        }
        Seed { db, ids: 1 << 64, seqs: vec![0; PEOPLE.len()] }
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn import(&mut self, kind: ImportKind, csv: &str) {
        let tx = self.db.transaction().unwrap();
        let ids = &mut self.ids;
        let mut new_id = || {
            *ids += 1;
            Uuid::from_u128(*ids)
        };
        import(&tx, kind, csv.as_bytes(), DAY_MS, &mut new_id, &mut |_| {}).unwrap();
        tx.commit().unwrap();
    }

    pub fn text(&self, sql: &str) -> String {
        self.db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// A whole morning: five technicians, twenty-odd visits, payments of every kind, two exceptions.
    pub fn day() -> Seed {
        let mut seed = Seed::empty();
        seed.master_data();
        seed.devices();
        use Fate::{Approved, Asking, Captured, Declined, Held, LateDeclined, Stored};
        let fates = [Captured, Approved, Stored, LateDeclined, Asking, Held, Declined, Captured, Asking];
        for job in 0..25_usize {
            let (person, slot) = (job % 5, job / 5);
            let state = match (slot, person) {
                (0, _) | (1, 0..=2) => VisitState::Done,
                (1, _) => VisitState::OnSite,
                (2, 0) => VisitState::EnRoute,
                (2, 1 | 2) => VisitState::Accepted,
                _ => VisitState::New,
            };
            seed.work(job, person, state);
            if state == VisitState::Done || job == 8 {
                let total = seed.invoice(job, person, 1_500 + 500 * i64::try_from(job).unwrap());
                if job == 4 {
                    seed.cash(job, person, total);
                } else {
                    seed.card(job, person, total, fates[job % fates.len()]);
                }
            }
        }
        seed.exception("card_expiring", "J6", 9_840, DAY_MS + 9 * HOUR_MS, Some(NOW_MS + 3 * HOUR_MS));
        seed.resolved_exception();
        seed
    }

    fn master_data(&mut self) {
        let rows = |f: &dyn Fn(usize) -> String, n: usize| (0..n).map(f).collect::<String>();
        let people = rows(&|n| format!("T{n},{},D0{n}\n", PEOPLE[n]), PEOPLE.len());
        self.import(ImportKind::Technicians, &format!("external_id,name,device\n{people}"));
        let customers =
            rows(&|n| format!("C{n},{},+1 555 01{n:02},,{} Mill Lane,Northwick,1010,AT,,\n", WHAT[n].0, n + 3), 12);
        let head = "external_id,name,phone,email,street,city,postcode,country,tax_id,note\n";
        self.import(ImportKind::Customers, &format!("{head}{customers}"));
        let sites =
            rows(&|n| format!("S{n},C{n},Main house,{} Mill Lane,Northwick,1010,AT,Key at the bar\n", n + 3), 12);
        let head = "external_id,customer,name,street,city,postcode,country,access_note\n";
        self.import(ImportKind::Sites, &format!("{head}{sites}"));
        let head = "external_id,site,name,model,serial,installed_on,warranty_until\n";
        self.import(ImportKind::Equipment, &format!("{head}E1,S0,Oven no. 2,OV-200,77123,2019-05-02,\n"));
        let jobs = rows(&|n| job_row(n), 28);
        let head = "external_id,customer,site,title,description,priority,window_start,window_end,technician\n";
        self.import(ImportKind::Jobs, &format!("{head}{jobs}"));
    }

    fn devices(&mut self) {
        for person in 0..PEOPLE.len() {
            let device = self.device(person);
            let heard = NOW_MS - [20_000, 4 * MINUTE_MS, 35_000, 95 * MINUTE_MS, 11 * MINUTE_MS][person];
            let sql = "UPDATE device SET public_key = 'ab', enrolled_ms = 1, last_heard_ms = ?2 WHERE id = ?1";
            self.db.execute(sql, params![device, heard]).unwrap();
            let stated = [60, 44, 51, 72, 38][person];
            let acked = if person == 3 { stated - 14 } else { stated };
            let sql = "INSERT INTO device_epoch (device, epoch, acked_seq, acked_hash, stated_seq, since_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let hash = format!("{:064x}", 0x5eed_0000_u64 + u64::try_from(person).unwrap());
            self.db
                .execute(sql, params![device, epoch(person), acked, hash, stated, DAY_MS - 90 * 24 * HOUR_MS])
                .unwrap();
        }
    }

    pub fn device(&self, person: usize) -> String {
        self.text(&format!("SELECT id FROM device WHERE name = 'D0{person}'"))
    }

    /// Job and visit of the job with this number.
    pub fn job(&self, number: usize) -> (JobId, VisitId) {
        let of = |column: &str| self.text(&format!("SELECT {column} FROM job WHERE external_id = 'J{number}'"));
        (of("id").parse().unwrap(), of("visit").parse().unwrap())
    }

    fn tell(&mut self, person: usize, event: &Event, at_ms: i64) {
        let (device, id) = (self.device(person), self.id().to_string());
        let actor = self.text(&format!("SELECT id FROM technician WHERE external_id = 'T{person}'"));
        self.seqs[person] += 1;
        let seq = self.seqs[person];
        let received = if person == 3 { at_ms + 47 * MINUTE_MS } else { at_ms + 900 };
        let subjects = event.subjects();
        let sql =
            "INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, 'b', 5, 0, ?8, ?9, ?10, ?11, 'applied', NULL)";
        let json = serde_json::to_string(&subjects).unwrap();
        let body = event.body().unwrap().into_bytes();
        self.db
            .execute(
                sql,
                params![device, epoch(person), seq, id, event.kind(), json, at_ms, actor, body, "h", received],
            )
            .unwrap();
        for subject in subjects {
            let sql = "INSERT INTO journal_subject VALUES (?1, ?2, ?3, ?4)";
            self.db.execute(sql, params![subject, device, epoch(person), seq]).unwrap();
        }
    }

    fn work(&mut self, number: usize, person: usize, state: VisitState) {
        let (job, visit) = self.job(number);
        let start = start_of(number);
        for (n, to) in VisitState::ALL.into_iter().enumerate().skip(1).filter(|(_, to)| *to <= state) {
            let from = VisitState::ALL[n - 1];
            let at = start + [0, -50, -25, 2, 55][n] * MINUTE_MS;
            self.tell(person, &Event::VisitMoved(VisitMoved { job, visit, from, to }), at);
        }
        let name = serde_json::to_value(state).unwrap();
        let sql = "INSERT INTO visit_work VALUES (?1, ?2, ?3, ?4, 'none', ?5)";
        let device = self.device(person);
        self.db
            .execute(sql, params![visit.to_string(), job.to_string(), device, name.as_str(), start + 55 * MINUTE_MS])
            .unwrap();
    }

    fn exception(&mut self, kind: &str, job: &str, minor: i64, opened_ms: i64, deadline_ms: Option<i64>) {
        let subject = format!("about {job}");
        self.exception_about(kind, job, &subject, minor, opened_ms, deadline_ms);
    }

    fn exception_about(
        &mut self,
        kind: &str,
        job: &str,
        subject: &str,
        minor: i64,
        opened_ms: i64,
        deadline_ms: Option<i64>,
    ) {
        let (id, job) = (self.id().to_string(), self.text(&format!("SELECT id FROM job WHERE external_id = '{job}'")));
        let sql =
            "INSERT INTO exception VALUES (?1, ?2, ?3, NULL, ?4, ?5, 'EUR', ?6, ?7, ?8, NULL, 'open', NULL, NULL)";
        let row = params![id, kind, subject, job, minor, "do not honour <i>05</i>", opened_ms, deadline_ms];
        self.db.execute(sql, row).unwrap();
    }

    fn resolved_exception(&mut self) {
        self.exception("cash_variance", "J9", 500, DAY_MS - 20 * HOUR_MS, None);
        let sql = "UPDATE exception SET state = 'resolved', resolved_ms = ?1, owner = 'dispatcher',
            resolution = 'Counted again, a note was stuck' WHERE type = 'cash_variance'";
        self.db.execute(sql, [DAY_MS - 18 * HOUR_MS]).unwrap();
    }
}

fn epoch(person: usize) -> String {
    Uuid::from_u128(0xe0_0000 + (u128::try_from(person).unwrap() << 100)).to_string()
}

fn document(number: usize) -> DocumentNumber {
    format!("D07-{:06}", 400 + number).parse().unwrap()
}

fn start_of(number: usize) -> i64 {
    let (person, slot) = (i64::try_from(number % 5).unwrap(), i64::try_from(number / 5).unwrap());
    DAY_MS + 7 * HOUR_MS + 30 * MINUTE_MS + slot * 135 * MINUTE_MS + person * 15 * MINUTE_MS
}

fn job_row(n: usize) -> String {
    let end = start_of(n) + [60, 90, 120, 75, 45][(n * 7 + n / 5) % 5] * MINUTE_MS;
    let time = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let person = if n < 25 { format!("T{}", n % 5) } else { String::new() };
    let priority = if n == 26 { 3 } else { n % 3 };
    let what = WHAT[n % 12];
    format!(
        "J{n},C{0},S{0},{1},Please call before you come,{priority},{2},{3},{person}\n",
        n % 12,
        what.1,
        time(start_of(n)),
        time(end)
    )
}
