//! The seeded office's cash shifts.

use super::{MINUTE_MS, NOW_MS, Seed};
use rusqlite::params;
use tillroll::domain::shift::{Drawer, Figures};

impl Seed {
    /// One shift closed 50 cents short with late news, one open, and cash outside of one.
    pub fn shifts(&mut self) {
        let (closed, open) = (self.id().to_string(), self.id().to_string());
        let drawer = Drawer { float_minor: 10_000, taken_minor: 1_450, paid_out_minor: 300, ..Drawer::default() };
        let figures = Figures { drawer, ..Figures::default() };
        let sql =
            "INSERT INTO shift VALUES (?1, ?2, 'e', 'EUR', 'closed', ?3, 1, 10000, 0, 1, 'D00-Z0001', ?4, 9, 11100,
                                             11150, -50, 12, ?5)";
        let (opened, ended) = (NOW_MS - 300 * MINUTE_MS, NOW_MS - 60 * MINUTE_MS);
        let row = params![closed, self.device(0), opened, ended, serde_json::to_string(&figures).unwrap()];
        self.db.execute(sql, row).unwrap();
        let sql = "INSERT INTO cash_move VALUES (?1, ?2, 'paid_out', 'EUR', 300, 'fuel <i>', ?3, 5)";
        let id = self.id().to_string();
        self.db.execute(sql, params![id, closed, opened]).unwrap();
        let sql = "INSERT INTO shift_late SELECT id, 7, ?1, 'late_declined', 4000, ?2, 12 FROM payment
                   WHERE device = ?3 AND tender = 'card' LIMIT 1";
        assert_eq!(self.db.execute(sql, params![closed, ended + MINUTE_MS, self.device(0)]).unwrap(), 1);
        let sql =
            "INSERT INTO shift (id, device, epoch, currency, state, opened_ms, opened_seq, float_minor, carried_minor)
                   VALUES (?1, ?2, 'e', 'EUR', 'open', ?3, 1, 5000, 0)";
        self.db.execute(sql, params![open, self.device(1), ended]).unwrap();
        let entry = self.id().to_string();
        let sql = "INSERT INTO ledger_entry VALUES (?1, ?2, 1, NULL, 'EUR')";
        self.db.execute(sql, params![entry, self.device(2)]).unwrap();
        let sql = "INSERT INTO ledger_posting VALUES (?1, 'cash', 700), (?1, 'receivable', -700)";
        self.db.execute(sql, [entry]).unwrap();
    }
}
