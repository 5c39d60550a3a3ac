//! A shift's report in words: the same lines for the screen, the paper, the command line and the office.
//!
//! Invariant: a difference is named short or over, never hidden in a sum; what came late stands under LATE.

use super::{CashMove, Class, Closed, Late, MoveKind, Report, TenderTotal};
use crate::domain::money::Money;
use crate::domain::payment::Tender;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A figure.
    Plain,
    /// A sum.
    Strong,
    /// Somebody should look.
    Alert,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A label and its figure; either may be empty.
    Pair {
        /// At the left.
        label: String,
        /// At the right edge.
        value: String,
        /// How much it matters.
        weight: Weight,
    },
    /// A line across.
    Rule,
}

impl Line {
    fn of(label: impl Into<String>, value: impl Into<String>, weight: Weight) -> Line {
        Line::Pair { label: label.into(), value: value.into(), weight }
    }
}

impl MoveKind {
    /// On screens and reports.
    pub fn word(self) -> &'static str {
        match self {
            MoveKind::PaidIn => "paid in",
            MoveKind::PaidOut => "paid out",
            MoveKind::Drop => "drop",
        }
    }

    /// Over a question or a field.
    pub fn title(self) -> &'static str {
        match self {
            MoveKind::PaidIn => "Paid in",
            MoveKind::PaidOut => "Paid out",
            MoveKind::Drop => "Drop",
        }
    }

    /// Reasons that need not be typed.
    pub fn reasons(self) -> &'static [&'static str] {
        match self {
            MoveKind::PaidIn => &["change", "own money", "from the office"],
            MoveKind::PaidOut => &["parking", "fuel", "parts bought", "own money back"],
            MoveKind::Drop => &["to the office", "to the bank"],
        }
    }
}

/// `X REPORT`, or `Z REPORT D07-Z0001`.
pub fn title(report: &Report) -> String {
    match &report.closed {
        None => "X REPORT".to_owned(),
        Some(closed) => format!("Z REPORT {}", closed.number),
    }
}

/// `SHORT` and how much, `OVER` and how much, or that there is none.
pub fn difference(difference: Money) -> (&'static str, String) {
    let size = i64::try_from(difference.minor.unsigned_abs()).unwrap_or(i64::MAX);
    let size = Money::new(size, difference.currency).to_string();
    match difference.minor {
        0 => ("DIFFERENCE", "none".to_owned()),
        ..0 => ("SHORT", size),
        1.. => ("OVER", size),
    }
}

/// `1 row was not sent yet when this shift was closed`
pub fn unsent(closed: &Closed) -> Option<String> {
    match closed.unsent_rows {
        0 => None,
        1 => Some("1 row not sent at the close".to_owned()),
        rows => Some(format!("{rows} rows not sent at the close")),
    }
}

/// The report, from the top. `when` writes a time.
pub fn lines(report: &Report, when: &dyn Fn(i64) -> String) -> Vec<Line> {
    let money = |minor| Money::new(minor, report.currency);
    let mut out = Vec::new();
    match &report.closed {
        // What it came to stands first, where no screen is too small for it.
        Some(closed) => {
            out.push(Line::of("EXPECTED", money(closed.expected_minor).to_string(), Weight::Strong));
            out.push(Line::of("COUNTED", money(closed.counted_minor).to_string(), Weight::Strong));
            let (word, size) = difference(money(closed.difference_minor));
            let weight = if closed.difference_minor == 0 { Weight::Plain } else { Weight::Alert };
            out.push(Line::of(word, size, weight));
            out.extend(unsent(closed).map(|text| Line::of(text, "", Weight::Alert)));
            out.push(Line::Rule);
            out.push(Line::of("Opened", when(report.opened_ms), Weight::Plain));
            out.push(Line::of("Closed", when(closed.at_ms), Weight::Plain));
            drawer(report, &mut out);
        }
        None => {
            out.push(Line::of("Opened", when(report.opened_ms), Weight::Plain));
            drawer(report, &mut out);
            let expected = report.figures.drawer.expected_minor();
            let expected = expected.map_or_else(|why| why.to_string(), |minor| money(minor).to_string());
            out.push(Line::of("EXPECTED", expected, Weight::Strong));
        }
    }
    out.push(Line::Rule);
    let others = report.figures.tenders.iter().filter(|t| (t.tender, t.class) != (Tender::Cash, Class::Paid));
    out.extend(others.map(|total| {
        let weight = if total.class == Class::Unknown { Weight::Strong } else { Weight::Plain };
        Line::of(tender(total), money(total.minor).plain(), weight)
    }));
    if report.figures.tips_minor != 0 {
        out.push(Line::of("Tips", money(report.figures.tips_minor).plain(), Weight::Plain));
    }
    if out.last() == Some(&Line::Rule) {
        out.push(Line::of("No other payments", "", Weight::Plain));
    }
    if !report.late.is_empty() {
        out.push(Line::Rule);
        out.push(Line::of("LATE, after the close", "", Weight::Alert));
        out.extend(report.late.iter().flat_map(|one| late(one, money(one.minor), when)));
    }
    out
}

/// Two lines of late news: what it came to, then when.
pub fn late(one: &Late, amount: Money, when: &dyn Fn(i64) -> String) -> [Line; 2] {
    [
        Line::of(format!("{} {}", one.document, one.state.word()), amount.plain(), Weight::Alert),
        Line::of(format!("  for {}", one.number), when(one.at_ms), Weight::Plain),
    ]
}

fn drawer(report: &Report, out: &mut Vec<Line>) {
    let drawer = &report.figures.drawer;
    let plain = |minor: i64| Money::new(minor, report.currency).plain();
    let off = |minor: i64| plain(minor.saturating_neg());
    out.push(Line::of("Float", plain(drawer.float_minor), Weight::Plain));
    if drawer.carried_minor != 0 {
        out.push(Line::of("Outside a shift", plain(drawer.carried_minor), Weight::Plain));
    }
    let count = report.figures.tenders.iter().find(|t| (t.tender, t.class) == (Tender::Cash, Class::Paid));
    let count = count.map_or(0, |total| total.count);
    out.push(Line::of(format!("Cash taken ({count})"), plain(drawer.taken_minor), Weight::Plain));
    if drawer.refunded_minor != 0 {
        out.push(Line::of("Cash given back", off(drawer.refunded_minor), Weight::Plain));
    }
    for (kind, label, minor) in [
        (MoveKind::PaidIn, "Paid in", drawer.paid_in_minor),
        (MoveKind::PaidOut, "Paid out", drawer.paid_out_minor),
        (MoveKind::Drop, "Dropped", drawer.dropped_minor),
    ] {
        let moves: Vec<&CashMove> = report.moves.iter().filter(|one| one.kind == kind).collect();
        if moves.is_empty() {
            continue;
        }
        let sum = if kind.goes_out() { off(minor) } else { plain(minor) };
        out.push(Line::of(format!("{label} ({})", moves.len()), sum, Weight::Plain));
        out.extend(
            moves.iter().map(|one| Line::of(format!("  {}: {}", one.amount.plain(), one.reason), "", Weight::Plain)),
        );
    }
}

/// `Card pending (1)`
fn tender(total: &TenderTotal) -> String {
    let tender = total.tender.word();
    let class = match total.class {
        Class::Paid => "approved",
        Class::Pending => "pending",
        Class::Unknown => "not known",
        Class::Voided => "voided",
        Class::NotPaid => "not paid",
    };
    format!("{tender} {class} ({})", total.count)
}
