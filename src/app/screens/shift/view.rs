//! How the cash shift looks: the report, or the one field that is filled in.
//!
//! Invariant: while the drawer is counted nothing on the screen says what is expected.

use super::{MAX_DIGITS, typed};
use crate::app::model::{Model, ShiftStage};
use crate::app::view::{Body, Place, field_hints};
use crate::domain::money::Money;
use crate::domain::shift::words::{Line, Weight, late, lines, title};
use crate::domain::shift::{MoveKind, ShiftNow};
use crate::ui::page::{Focus, HintText};
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// Rows that the report takes at most, for scrolling; sentences count as if they were not broken.
pub fn report_rows(model: &Model) -> usize {
    model.shift.now.as_ref().map_or(0, |now| report(model, now, usize::from(model.columns)).len())
}

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let cells = place.main();
    let reading = || vec![Row::blank(), Row::centred("Reading the shift", Role::Dim)];
    let (head, rows, hints) = match &model.shift.stage {
        ShiftStage::Report => {
            let rows = model.shift.now.as_ref().map_or_else(reading, |now| report(model, now, cells));
            (heading(model), rows, None)
        }
        ShiftStage::Float { digits } => float(model, digits, place),
        ShiftStage::Amount { kind, digits } => amount(model, *kind, digits, place),
        ShiftStage::Reason { kind, amount, typed, selected } => reason(*kind, *amount, typed, *selected, place),
        ShiftStage::Count { digits } => count(model, digits, place),
    };
    let focus = match &model.shift.stage {
        ShiftStage::Report => Focus::From(model.shift.scroll),
        ShiftStage::Reason { selected, .. } => Focus::Keep(selected + 3..selected + 4),
        ShiftStage::Float { .. } | ShiftStage::Amount { .. } | ShiftStage::Count { .. } => Focus::Keep(0..1),
    };
    let printing = model.shift.printing.map(|_| Row::of(" printing", Role::Strong));
    Body { title: head, panes: vec![rows], focus, notes: printing.into_iter().collect(), hints }
}

type Part = (Vec<String>, Vec<Row>, Option<Vec<HintText>>);

fn heading(model: &Model) -> Vec<String> {
    match super::report(model) {
        Some(report) => {
            let short = report.closed.as_ref().map_or_else(|| "X".to_owned(), |closed| closed.number.to_string());
            vec![format!("SHIFT {}", title(report)), title(report), short]
        }
        None => vec!["SHIFT".to_owned()],
    }
}

fn report(model: &Model, now: &ShiftNow, cells: usize) -> Vec<Row> {
    let when = |at_ms: i64| {
        let at = model.local(at_ms);
        model.now().map_or_else(|| at.clock(), |now| at.seen_from(now))
    };
    let before = now.last.iter().filter(|_| now.open.is_some()).flat_map(|last| last.late.iter().rev());
    let news: Vec<_> = before.chain(&now.late).collect();
    let shown = now.last.iter().filter(|_| now.open.is_none()).map(|last| last.late.len()).sum::<usize>() + news.len();
    let mut rows = Vec::new();
    if shown > 0 {
        rows.push(Row::of(format!(" LATE news of closed shifts: {shown}"), Role::Warn));
    }
    if now.open.is_none() {
        rows.push(Row::of(" No shift is open.", Role::Strong));
        if !now.outside.is_zero() {
            let text = format!("{} taken outside a shift: the next one counts it.", now.outside);
            rows.extend(said(&text, cells, Role::Warn));
        }
    }
    if let Some(report) = now.open.as_ref().or(now.last.as_ref()) {
        if now.open.is_none() {
            rows.push(Row::Rule);
        }
        rows.extend(lines(report, &when).iter().map(row));
    }
    if !news.is_empty() {
        rows.push(Row::Rule);
        rows.push(Row::of(" LATE, for closed shifts", Role::Warn));
        let money = |minor| Money::new(minor, now.outside.currency);
        rows.extend(news.iter().flat_map(|one| late(one, money(one.minor), &when)).map(|line| row(&line)));
    }
    rows
}

fn row(line: &Line) -> Row {
    match line {
        Line::Rule => Row::Rule,
        Line::Pair { label, value, weight } => {
            let role = match weight {
                Weight::Plain => Role::Plain,
                Weight::Strong => Role::Strong,
                Weight::Alert => Role::Warn,
            };
            Row::of(format!(" {label}"), role).right(value.clone(), role)
        }
    }
}

fn said(text: &str, cells: usize, role: Role) -> Vec<Row> {
    wrap(text, cells.saturating_sub(2)).into_iter().map(|text| Row::of(format!(" {text}"), role)).collect()
}

/// The amount so far, and that no more digits fit when they do not.
fn field(model: &Model, label: &str, digits: &str, place: Place<'_>) -> Vec<Row> {
    let shown = typed(model, digits).map(Money::plain).unwrap_or_default();
    let mut rows =
        vec![Row::text(format!(" {label}")).right(format!("{shown}{}", place.look.glyphs.caret), Role::Strong)];
    if digits.len() >= MAX_DIGITS {
        rows.extend(said("No more digits fit.", place.main(), Role::Warn));
    }
    rows
}

fn float(model: &Model, digits: &str, place: Place<'_>) -> Part {
    let cells = place.main();
    let mut rows = said("What do you put into the drawer to give change from? 0 for nothing.", cells, Role::Plain);
    rows.push(Row::blank());
    rows.extend(field(model, "Float", digits, place));
    rows.push(Row::blank());
    rows.push(Row::of(" keys: 1 2 0 0 0 = 120.00", Role::Dim));
    if let Some(now) = model.shift.now.as_ref().filter(|now| !now.outside.is_zero()) {
        let text = format!("{} taken outside a shift comes on top.", now.outside);
        rows.extend(said(&text, cells, Role::Warn));
    }
    (vec!["OPEN A SHIFT".to_owned()], rows, field_hints(&[("Enter", "open it"), ("Esc", "back")]))
}

fn amount(model: &Model, kind: MoveKind, digits: &str, place: Place<'_>) -> Part {
    let text = match kind {
        MoveKind::PaidIn => "Cash that goes into the drawer and is no payment. How much?",
        MoveKind::PaidOut => "Cash that leaves the drawer for something bought. How much?",
        MoveKind::Drop => "Cash that goes to the office or the bank. How much?",
    };
    let mut rows = said(text, place.main(), Role::Plain);
    rows.push(Row::blank());
    rows.extend(field(model, kind.title(), digits, place));
    if let (true, Some(Ok(minor))) =
        (kind.goes_out(), super::open(model).map(|open| open.figures.drawer.expected_minor()))
    {
        let holds = Money::new(minor, model.settings.currency);
        rows.push(Row::of(" The drawer holds", Role::Dim).right(holds.plain(), Role::Dim));
        if typed(model, digits).is_some_and(|amount| amount.minor > minor) {
            rows.extend(said("That is more than the drawer holds.", place.main(), Role::Warn));
        }
    }
    rows.push(Row::blank());
    rows.push(Row::of(" keys: 1 2 0 0 0 = 120.00", Role::Dim));
    (vec![kind.title().to_uppercase()], rows, field_hints(&[("Enter", "why"), ("Esc", "back")]))
}

fn reason(kind: MoveKind, amount: Money, typed: &str, selected: usize, place: Place<'_>) -> Part {
    let glyphs = place.look.glyphs;
    let mut rows = vec![
        Row::pair(format!(" {}", kind.title()), amount.to_string()).all(Role::Strong),
        Row::of(" Why ", Role::Dim).and(typed.to_owned(), Role::Strong).and(glyphs.caret, Role::Dim),
        Row::Rule,
    ];
    rows.extend(kind.reasons().iter().enumerate().map(|(index, text)| {
        let here = index == selected && typed.trim().is_empty();
        let (cursor, role) = if here { (glyphs.cursor, Role::Selected) } else { (" ", Role::Plain) };
        Row::of(format!("{cursor} {text}"), role)
    }));
    rows.push(Row::of("  or type another reason", Role::Dim));
    let word = if kind.goes_out() { "go on" } else { "put it in" };
    (vec![kind.title().to_uppercase()], rows, field_hints(&[("Enter", word), ("Esc", "back")]))
}

fn count(model: &Model, digits: &str, place: Place<'_>) -> Part {
    let cells = place.main();
    let text = "Count every note and coin in the drawer, the float too, and type the sum. 0 for none.";
    let mut rows = said(text, cells, Role::Plain);
    rows.push(Row::blank());
    rows.extend(field(model, "Counted", digits, place));
    rows.push(Row::blank());
    rows.push(Row::of(" keys: 1 2 0 0 0 = 120.00", Role::Dim));
    let unsent = model.sync.as_ref().map_or(0, |sync| sync.unsent());
    if unsent > 0 {
        let text = format!("Not sent yet: {unsent} rows. The shift can be closed; the report says so.");
        rows.extend(said(&text, cells, Role::Warn));
    }
    (vec!["COUNT THE DRAWER".to_owned(), "COUNT".to_owned()], rows, field_hints(&[("Enter", "go on"), ("Esc", "back")]))
}
