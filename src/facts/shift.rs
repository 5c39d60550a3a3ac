//! The cash shift's tables: what a row changes in them, and the reports that are summed from them, the same for the
//! handheld and the office.
//!
//! Invariants: a closed shift is never updated. What belongs to a shift follows from the place of its row in the
//! journal, between the row that opened the shift and the one that closed it. Start at [`report`].

use super::{FactsError, Origin, named, parse, record};
use crate::domain::fold::Changes;
use crate::domain::id::ShiftId;
use crate::domain::ledger::{Account, Entry};
use crate::domain::money::Money;
use crate::domain::payment::{Payment, PaymentState};
use crate::domain::shift::{
    CashMove, Class, Closed, Drawer, Figures, Late, Report, Shift, ShiftChange, TenderTotal, ZNumber,
};
use rusqlite::{Connection, OptionalExtension as _, Row};

/// Late news in one list at the most; the newest are kept.
pub const LATE_MAX: usize = 50;

/// Moves in one report at the most; the sums count all.
pub const MOVES_MAX: usize = 500;

/// Each query counts what must not exist, on the handheld and in the office.
pub const NEVER: &[(&str, &str)] = &[
    (
        "cash in the ledger differs from cash payments, refunds, floats, moves and closes",
        "SELECT coalesce((SELECT sum(minor) FROM ledger_posting WHERE account = 'cash'), 0)
              <> coalesce((SELECT sum(approved_minor - refunded_minor) FROM payment WHERE tender = 'cash'), 0)
               - coalesce((SELECT sum(amount_minor) FROM refund
                           WHERE payment IS NULL AND tender = 'cash' AND state = 'refunded'), 0)
               + coalesce((SELECT sum(float_minor - coalesce(expected_minor, 0)) FROM shift), 0)
               + coalesce((SELECT sum(CASE kind WHEN 'paid_in' THEN amount_minor ELSE -amount_minor END)
                           FROM cash_move), 0)",
    ),
    (
        "cash over and short in the ledger differs from the differences of the closed shifts",
        "SELECT coalesce((SELECT sum(minor) FROM ledger_posting WHERE account = 'cash_over_short'), 0)
              <> -coalesce((SELECT sum(difference_minor) FROM shift), 0)",
    ),
    (
        "the safe in the ledger differs from counts, drops and floats",
        "SELECT coalesce((SELECT sum(minor) FROM ledger_posting WHERE account = 'safe'), 0)
              <> coalesce((SELECT sum(coalesce(counted_minor, 0) - float_minor) FROM shift), 0)
               + coalesce((SELECT sum(amount_minor) FROM cash_move WHERE kind = 'drop'), 0)",
    ),
    (
        "what a closed shift expected differs from its rows",
        "SELECT count(*) FROM shift s WHERE s.state = 'closed' AND s.expected_minor <> s.float_minor + s.carried_minor
             + (SELECT coalesce(sum(CASE kind WHEN 'paid_in' THEN amount_minor ELSE -amount_minor END), 0)
                FROM cash_move m WHERE m.shift = s.id)
             + (SELECT coalesce(sum(p.minor), 0) FROM shift_entry o
                JOIN ledger_posting p ON p.entry = o.entry AND p.account = 'cash' WHERE o.shift = s.id)",
    ),
    (
        "the number of a Z report is missing",
        "SELECT count(*) FROM (SELECT 1 FROM shift WHERE z IS NOT NULL GROUP BY device, epoch HAVING max(z) <> count(*))",
    ),
];

const SHIFT: &str = "SELECT id, currency, opened_ms, float_minor, carried_minor, number FROM shift";

fn shift(row: &Row<'_>) -> rusqlite::Result<[Option<String>; 6]> {
    let number = |n: usize| row.get::<_, i64>(n).map(|n| Some(n.to_string()));
    Ok([Some(row.get(0)?), Some(row.get(1)?), number(2)?, number(3)?, number(4)?, row.get(5)?])
}

fn read_shift(columns: [Option<String>; 6]) -> Result<Shift, FactsError> {
    let [id, currency, opened_ms, float, carried, number] = columns;
    Ok(Shift {
        id: text(id)?,
        currency: text(currency)?,
        opened_ms: text(opened_ms)?,
        float_minor: text(float)?,
        carried_minor: text(carried)?,
        closed: number.map(|number| text(Some(number))).transpose()?,
    })
}

fn text<T: std::str::FromStr>(text: Option<String>) -> Result<T, FactsError> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|_| FactsError::Record(format!("{text:?} in a shift")))
}

/// One shift as a row meets it.
pub fn one(db: &Connection, id: ShiftId) -> Result<Option<Shift>, FactsError> {
    let sql = format!("{SHIFT} WHERE id = ?1");
    db.prepare_cached(&sql)?.query_row([id.to_string()], shift).optional()?.map(read_shift).transpose()
}

/// The open shift of a journal.
pub fn open(db: &Connection, device: &str, epoch: &str) -> Result<Option<Shift>, FactsError> {
    let sql = format!("{SHIFT} WHERE device = ?1 AND epoch = ?2 AND state = 'open'");
    db.prepare_cached(&sql)?.query_row([device, epoch], shift).optional()?.map(read_shift).transpose()
}

/// Writes what happens to a shift.
pub fn write(db: &Connection, change: &ShiftChange, origin: Origin<'_>) -> Result<(), FactsError> {
    match change {
        ShiftChange::Opened(shift) => {
            db.prepare_cached(
                "INSERT INTO shift (id, device, epoch, currency, state, opened_ms, opened_seq, float_minor, carried_minor)
                 VALUES (?1, ?2, ?3, ?4, 'open', ?5, ?6, ?7, ?8)",
            )?
            .execute((
                shift.id.to_string(),
                origin.device,
                origin.epoch,
                shift.currency.code(),
                shift.opened_ms,
                origin.seq,
                shift.float_minor,
                shift.carried_minor,
            ))?;
        }
        ShiftChange::Moved { shift, cash } => {
            db.prepare_cached(
                "INSERT INTO cash_move (id, shift, kind, currency, amount_minor, reason, at_ms, seq)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                cash.id.to_string(),
                shift.to_string(),
                cash.kind.name(),
                cash.amount.currency.code(),
                cash.amount.minor,
                &cash.reason,
                cash.at_ms,
                origin.seq,
            ))?;
        }
        ShiftChange::Closed { shift, closed, figures } => {
            let sql = "UPDATE shift SET state = 'closed', z = ?2, number = ?3, closed_ms = ?4, closed_seq = ?5,
                           counted_minor = ?6, expected_minor = ?7, difference_minor = ?8, unsent_rows = ?9, figures = ?10
                       WHERE id = ?1 AND state = 'open'";
            let changed = db.prepare_cached(sql)?.execute((
                shift.to_string(),
                closed.number.number,
                closed.number.to_string(),
                closed.at_ms,
                origin.seq,
                closed.counted_minor,
                closed.expected_minor,
                closed.difference_minor,
                closed.unsent_rows,
                record(figures)?,
            ))?;
            if changed != 1 {
                return Err(FactsError::NotOpen);
            }
        }
    }
    Ok(())
}

/// The shift that the row of `origin` falls into: `?1` device, `?2` epoch, `?3` seq.
const SHIFT_OF_ROW: &str = "SELECT id FROM (SELECT id, closed_seq FROM shift
        WHERE device = ?1 AND epoch = ?2 AND opened_seq < ?3 ORDER BY opened_seq DESC LIMIT 1)
    WHERE closed_seq IS NULL OR closed_seq > ?3";

/// Counts what a row changed towards its shift, and beside the closed shift of an older payment as late.
pub fn attribute(db: &Connection, changes: &Changes, origin: Origin<'_>) -> Result<(), FactsError> {
    if changes.shift.is_some() || (changes.payment.is_none() && changes.entry.is_none()) {
        return Ok(());
    }
    if let Some(payment) = changes.payment.as_ref().filter(|payment| payment.rev > 1) {
        late_news(db, payment, origin)?;
    }
    let place = (origin.device, origin.epoch, origin.seq);
    let found: Option<String> = db.prepare_cached(SHIFT_OF_ROW)?.query_row(place, |r| r.get(0)).optional()?;
    let Some(shift) = found else { return Ok(()) };
    if let Some(Payment { id, .. }) = changes.payment.as_ref().filter(|payment| payment.rev <= 1) {
        db.prepare_cached("INSERT INTO shift_payment (payment, shift) VALUES (?1, ?2)")?
            .execute((id.to_string(), &shift))?;
    }
    if let Some(Entry { id, .. }) = &changes.entry {
        db.prepare_cached("INSERT INTO shift_entry (entry, shift) VALUES (?1, ?2)")?
            .execute((id.to_string(), &shift))?;
    }
    Ok(())
}

fn late_news(db: &Connection, payment: &Payment, origin: Origin<'_>) -> Result<(), FactsError> {
    db.prepare_cached(
        "INSERT INTO shift_late (payment, n, shift, state, amount_minor, at_ms, seq)
         SELECT p.payment, ?2, p.shift, ?3, ?4, ?5, ?6 FROM shift_payment p JOIN shift s ON s.id = p.shift
         WHERE p.payment = ?1 AND s.closed_seq < ?6",
    )?
    .execute((
        payment.id.to_string(),
        payment.rev,
        payment.state.name(),
        Class::of(payment.state).counts(payment.approved_minor, payment.amount.minor),
        origin.at_ms,
        origin.seq,
    ))?;
    Ok(())
}

/// The figures of a shift as they are now.
pub fn figures(db: &Connection, shift: &Shift) -> Result<Figures, FactsError> {
    let (id, currency) = (shift.id.to_string(), shift.currency.code());
    let drawer = Drawer { float_minor: shift.float_minor, carried_minor: shift.carried_minor, ..Drawer::default() };
    let drawer = db
        .prepare_cached(
            "SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'paid_in'), 0),
                    coalesce(sum(amount_minor) FILTER (WHERE kind = 'paid_out'), 0),
                    coalesce(sum(amount_minor) FILTER (WHERE kind = 'drop'), 0)
             FROM cash_move WHERE shift = ?1",
        )?
        .query_row([&id], |r| {
            Ok(Drawer { paid_in_minor: r.get(0)?, paid_out_minor: r.get(1)?, dropped_minor: r.get(2)?, ..drawer })
        })?;
    let sql = "SELECT coalesce(sum(p.minor) FILTER (WHERE p.minor > 0), 0),
                      coalesce(-sum(p.minor) FILTER (WHERE p.minor < 0), 0), coalesce(sum(p.minor), 0)
               FROM shift_entry s JOIN ledger_posting p ON p.entry = s.entry AND p.account = ?3
               JOIN ledger_entry e ON e.id = s.entry WHERE s.shift = ?1 AND e.currency = ?2";
    let mut flows = db.prepare_cached(sql)?;
    let mut of = |account: Account| {
        flows.query_row((&id, currency, account.name()), |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, i64>(2)?)))
    };
    let (taken_minor, refunded_minor, _) = of(Account::Cash)?;
    let (_, _, tips) = of(Account::Tips)?;
    Ok(Figures {
        drawer: Drawer { taken_minor, refunded_minor, ..drawer },
        tenders: tenders(db, &id, currency)?,
        tips_minor: tips.saturating_neg(),
    })
}

fn tenders(db: &Connection, shift: &str, currency: &str) -> Result<Vec<TenderTotal>, FactsError> {
    let sql = "SELECT p.tender, p.state, count(*), sum(p.approved_minor), sum(p.amount_minor)
               FROM shift_payment s JOIN payment p ON p.id = s.payment
               WHERE s.shift = ?1 AND p.currency = ?2 GROUP BY p.tender, p.state ORDER BY p.tender, p.state";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map((shift, currency), |r| {
        Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, u32>(2)?, r.get(3)?, r.get(4)?))
    })?;
    let mut totals: Vec<TenderTotal> = Vec::new();
    for columns in found {
        let (tender, state, count, approved, amount) = columns?;
        let (tender, class) = (named(&tender)?, Class::of(state_of(&state)?));
        let minor = class.counts(approved, amount);
        match totals.iter_mut().find(|total| total.tender == tender && total.class == class) {
            Some(total) => {
                total.count = total.count.saturating_add(count);
                total.minor = total.minor.saturating_add(minor);
            }
            None => totals.push(TenderTotal { tender, class, count, minor }),
        }
    }
    // The tenders come in the order of their names; within one, certain money first.
    let first: Vec<_> = totals.iter().map(|total| total.tender).collect();
    totals.sort_by_key(|total| (first.iter().position(|tender| *tender == total.tender), total.class));
    Ok(totals)
}

fn state_of(name: &str) -> Result<PaymentState, FactsError> {
    PaymentState::from_name(name).ok_or_else(|| FactsError::Record(format!("{name} is no state of a payment")))
}

/// A shift's report: X while it is open, Z afterwards.
pub fn report(db: &Connection, shift: &Shift) -> Result<Report, FactsError> {
    let id = shift.id.to_string();
    let sql = "SELECT z, closed_ms, counted_minor, expected_minor, difference_minor, unsent_rows, figures
               FROM shift WHERE id = ?1 AND state = 'closed'";
    let closed = match &shift.closed {
        None => None,
        Some(number) => Some(db.prepare_cached(sql)?.query_row([&id], |r| {
            let closed = Closed {
                number: number.clone(),
                at_ms: r.get(1)?,
                counted_minor: r.get(2)?,
                expected_minor: r.get(3)?,
                difference_minor: r.get(4)?,
                unsent_rows: r.get(5)?,
            };
            Ok((closed, r.get::<_, String>(6)?))
        })?),
    };
    let (closed, figures) = match closed {
        None => (None, figures(db, shift)?),
        Some((closed, kept)) => (Some(closed), parse(&kept)?),
    };
    let late = late(db, "s.id = ?1", &id)?;
    Ok(Report {
        shift: shift.id,
        currency: shift.currency,
        opened_ms: shift.opened_ms,
        figures,
        moves: moves(db, shift)?,
        closed,
        late,
    })
}

fn moves(db: &Connection, shift: &Shift) -> Result<Vec<CashMove>, FactsError> {
    let sql = "SELECT id, kind, amount_minor, reason, at_ms FROM cash_move WHERE shift = ?1 ORDER BY seq LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map((shift.id.to_string(), MOVES_MAX), |r| {
        Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
    })?;
    found
        .map(|columns| {
            let (id, kind, minor, reason, at_ms) = columns?;
            let amount = Money::new(minor, shift.currency);
            Ok(CashMove { id: text(Some(id))?, kind: named(&kind)?, amount, reason, at_ms })
        })
        .collect()
}

/// Late news of the shifts that fit `which`, oldest first.
fn late(db: &Connection, which: &str, value: &str) -> Result<Vec<Late>, FactsError> {
    let sql = format!(
        "SELECT s.number, l.payment, p.document, l.state, l.amount_minor, l.at_ms
         FROM shift_late l JOIN shift s ON s.id = l.shift JOIN payment p ON p.id = l.payment
         WHERE {which} ORDER BY l.at_ms DESC, l.seq DESC LIMIT {LATE_MAX}"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map([value], |r| {
        let names: [String; 4] = [r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?];
        Ok((names, r.get(4)?, r.get(5)?))
    })?;
    let mut news = Vec::new();
    for columns in found {
        let ([number, payment, document, state], minor, at_ms) = columns?;
        news.push(Late {
            number: text::<ZNumber>(Some(number))?,
            payment: text(Some(payment))?,
            document: text(Some(document))?,
            state: state_of(&state)?,
            minor,
            at_ms,
        });
    }
    news.reverse();
    Ok(news)
}

/// Late news of every shift but one, the newest first.
pub fn late_but(db: &Connection, shift: Option<ShiftId>) -> Result<Vec<Late>, FactsError> {
    let mut news = late(db, "s.id <> ?1", &shift.map(|id| id.to_string()).unwrap_or_default())?;
    news.reverse();
    Ok(news)
}

/// The shift that was closed last, by the place of its close.
pub fn last_closed(db: &Connection, device: &str, epoch: &str) -> Result<Option<Shift>, FactsError> {
    let sql = format!("{SHIFT} WHERE device = ?1 AND epoch = ?2 AND state = 'closed' ORDER BY z DESC LIMIT 1");
    db.prepare_cached(&sql)?.query_row([device, epoch], shift).optional()?.map(read_shift).transpose()
}
