//! How a job looks: who and where, the lines, the money; and the same beside other screens where there is room.
//!
//! Invariant: amounts stand at the right edge; a payment shows its state by mark and word.

use super::{asks_for_deposit, invoice, is_open, stops};
use crate::app::model::Model;
use crate::app::view::{Body, Place, mark, role};
use crate::domain::deposit::Deposit;
use crate::domain::job::Review;
use crate::domain::line::{Line, LineKind, Quantity};
use crate::domain::money::Money;
use crate::domain::payment::{CardEntry, CardSummary, Payment, PaymentState, Standing};
use crate::domain::read::{JobDetail, PaymentView, TodayRow};
use crate::domain::receipt::ReceiptStanding;
use crate::domain::refund::{Refund, RefundState};
use crate::domain::totals::{TaxPart, Totals};
use crate::ui::Look;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::{width, wrap};
use crate::ui::theme::Role;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let Some(job) = model.job.as_deref() else {
        return loading("JOB");
    };
    let cells = place.main();
    let mut rows = head(model, &job.row, cells);
    rows.extend(summary(model, place.look));
    rows.extend(collect_again(job, place.look));
    rows.extend(receipt_due(model, cells));
    rows.push(Row::Rule);
    let lines_at = rows.len();
    let open = is_open(model);
    let (lines, selected) = line_rows(&job.lines, open.then_some(model.line_selected), cells, place.look);
    rows.extend(lines);
    rows.extend(sums(model, job, place.look));
    rows.extend(deposit_rows(model, job, place.look));
    let sums_end = rows.len();
    let mut panes = Vec::new();
    match place.side() {
        Some(cells) => {
            panes.push(facts(job, cells));
            panes.extend(place.third().map(|cells| timeline(model, &job.row, cells, place.look)));
        }
        None => {
            rows.push(Row::Rule);
            rows.extend(facts(job, cells));
        }
    }
    let focus = match model.line_selected + 2 {
        stop if stop == stops(model) => Focus::Keep(sums_end - 1..sums_end),
        stop if stop > stops(model) => Focus::Keep(rows.len() - 1..rows.len()),
        _ if open && model.line_selected > 0 => Focus::Keep(lines_at + selected..lines_at + selected + 2),
        _ => Focus::Keep(0..1),
    };
    panes.insert(0, rows);
    let title = vec![format!("JOB {}", job.row.customer_name), "JOB".to_owned()];
    Body { title, panes, focus, notes: Vec::new(), hints: None }
}

/// The invoice's number and what is left of it: in view before anything is scrolled.
fn summary(model: &Model, look: Look) -> Option<Row> {
    let number = invoice(model)?.document.to_string();
    let row = left_row(model.job.as_deref()?, look)?;
    match row {
        Row::Line { left, right } => {
            let text: String = left.iter().map(|part| part.text.trim_start()).collect();
            let text = text.split(':').next().unwrap_or_default().to_owned();
            let amount = right.map(|part| format!(" {}", part.text)).unwrap_or_default();
            let role = left.first().map_or(Role::Strong, |part| part.role);
            Some(Row::text(format!(" {number}")).right(format!("{text}{amount}"), role))
        }
        Row::Centred(_) | Row::Rule => None,
    }
}

/// The office asks to take a payment again that came to nothing.
fn collect_again(job: &JobDetail, look: Look) -> Option<Row> {
    let deposit = asks_for_deposit(job);
    let asked = deposit || (job.collect_again.is_some() && job.open().is_some_and(|open| open.minor > 0));
    let what = if deposit { "COLLECT THE DEPOSIT AGAIN: T" } else { "COLLECT AGAIN (office)" };
    asked.then(|| Row::of(format!(" {} {what}", mark(look, Standing::Failed)), role(Standing::Failed)))
}

/// The customer holds a receipt that says what is not so any more.
fn receipt_due(model: &Model, cells: usize) -> Vec<Row> {
    let Some(due) = model.job.as_ref().and_then(|job| job.receipt_due) else { return Vec::new() };
    let at = model.local(due.printed_ms);
    let long = format!("NEW RECEIPT DUE (R): {} said {}", at.clock(), due.was.name());
    let text = if width(&long) < cells { long } else { "NEW RECEIPT DUE: R".to_owned() };
    vec![Row::of(format!(" {text}"), Role::Warn)]
}

/// A screen whose job has not come yet.
pub fn loading(title: &str) -> Body {
    Body {
        title: vec![title.to_owned()],
        panes: vec![vec![Row::blank(), Row::centred("Reading the job", Role::Dim)]],
        focus: Focus::Keep(0..1),
        notes: Vec::new(),
        hints: None,
    }
}

/// The panes beside a screen that works on the job in front; `money` for its lines and sums too.
pub fn beside(model: &Model, place: Place<'_>, money: bool) -> Vec<Vec<Row>> {
    let Some(job) = model.job.as_deref() else { return place.side().map(|_| Vec::new()).into_iter().collect() };
    let side = place.side().map(|cells| side(model, &job.row, cells, place.look, money));
    let third = place.third().map(|cells| timeline(model, &job.row, cells, place.look));
    side.into_iter().chain(third).collect()
}

/// The job of a row of the day's list, as far as it is loaded; `money` for its lines and sums too.
pub fn side(model: &Model, row: &TodayRow, cells: usize, look: Look, money: bool) -> Vec<Row> {
    let mut rows = head(model, row, cells);
    if let Some(job) = model.job.as_deref().filter(|job| job.row.job == row.job) {
        rows.push(Row::Rule);
        if money {
            rows.extend(line_rows(&job.lines, None, cells, look).0);
            rows.extend(sums(model, job, look));
            rows.extend(deposit_rows(model, job, look));
            rows.push(Row::Rule);
        }
        rows.extend(facts(job, cells));
    }
    rows
}

/// What happened with the money, in order of time.
pub fn timeline(model: &Model, row: &TodayRow, cells: usize, look: Look) -> Vec<Row> {
    let mut rows = vec![Row::of(" TIMELINE", Role::Strong), Row::blank()];
    let Some(job) = model.job.as_deref().filter(|job| job.row.job == row.job) else { return rows };
    let at = |ms| model.local(ms).clock5();
    rows.push(Row::pair(format!(" {} appointment", at(row.window_start_ms)), row.state.word()));
    let mut entries: Vec<(i64, Row, Option<String>)> = Vec::new();
    if let Some(invoice) = &job.invoice {
        let text = format!(" {} invoice {}", at(invoice.issued_ms), invoice.document);
        entries.push((invoice.issued_ms, Row::pair(text, invoice.totals.total().plain()), None));
    }
    for view in &job.payments {
        let standing = view.standing();
        let text = format!(" {} {} {}", at(view.payment.at_ms), mark(look, standing), view.word());
        let row = Row::of(text, role(standing)).right(amount_of(view).plain(), Role::Plain);
        entries.push((view.payment.at_ms, row, view.payment.reason.clone()));
    }
    for refund in &job.refunds {
        let (standing, minor) = back(refund);
        let text = format!(" {} {} {}", at(refund.at_ms), mark(look, standing), refund.state.word());
        let row = Row::of(text, role(standing)).right(Money::new(minor, refund.amount.currency).plain(), Role::Plain);
        entries.push((refund.at_ms, row, refund.answer.clone()));
    }
    entries.sort_by_key(|(ms, _, _)| *ms);
    for (_, row, reason) in entries {
        rows.push(row);
        let indent = " ".repeat(7);
        let reason = reason.map(|text| wrap(&text, cells.saturating_sub(9))).unwrap_or_default();
        rows.extend(reason.into_iter().map(|text| Row::of(format!("{indent}{text}"), Role::Dim)));
    }
    rows
}

/// Who, what, where, when.
fn head(model: &Model, row: &TodayRow, cells: usize) -> Vec<Row> {
    let word = match row.review {
        Review::SentBack => "SENT BACK",
        Review::Open | Review::Approved => row.state.word(),
    };
    let time = |ms| model.local(ms).clock();
    let window = format!("{}-{}", time(row.window_start_ms), time(row.window_end_ms));
    let mut rows = vec![Row::of(format!(" {}", row.customer_name), Role::Strong).right(word, Role::Strong)];
    rows.push(Row::text(format!(" {}", row.title)).right(window, Role::Plain));
    let address = wrap(&row.address, cells.saturating_sub(1)).into_iter().take(2);
    rows.extend(address.map(|text| Row::text(format!(" {text}"))));
    rows
}

/// How to get in, whom to call, what stands there.
fn facts(job: &JobDetail, cells: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut say = |label: &str, text: &str| {
        let indent = width(label) + 2;
        for (index, part) in wrap(text, cells.saturating_sub(indent)).into_iter().enumerate() {
            let label = if index == 0 { format!(" {label} ") } else { " ".repeat(indent) };
            rows.push(Row::of(label, Role::Dim).and(part, Role::Plain));
        }
    };
    say("Access", &job.access_note);
    say("Phone ", &job.phone);
    for equipment in &job.equipment {
        say("Unit  ", equipment);
    }
    if job.customer_balance.minor != 0 {
        say("Owes  ", &format!("{} in all", job.customer_balance));
    }
    say("Order ", &job.description);
    rows
}

/// The lines, and which row the selected one begins at.
pub fn line_rows(lines: &[Line], selected: Option<usize>, cells: usize, look: Look) -> (Vec<Row>, usize) {
    let mut rows = Vec::new();
    let mut at = 0;
    if lines.is_empty() {
        rows.push(Row::of("  No lines yet: add labour or a part.", Role::Dim));
    }
    for (index, line) in lines.iter().enumerate() {
        let (cursor, role) =
            if selected == Some(index) { (look.glyphs.cursor, Role::Selected) } else { (" ", Role::Plain) };
        if selected == Some(index) {
            at = rows.len();
        }
        let amount = line.amount().map_or_else(|_| "?".to_owned(), Money::plain);
        let name = format!("{cursor} {}", line.name);
        let how = how_many(line);
        if width(&name) + width(&how) + width(&amount) + 3 <= cells {
            let gap = if how.is_empty() { "" } else { "  " };
            rows.push(Row::of(format!("{name}{gap}{how}"), role).right(amount, role));
        } else if how.is_empty() {
            rows.push(Row::of(name, role).right(amount, role));
        } else {
            rows.push(Row::of(name, role));
            rows.push(Row::text(format!("    {how}")).right(amount, role));
        }
    }
    (rows, at)
}

fn how_many(line: &Line) -> String {
    if line.kind == LineKind::Discount || (line.quantity == Quantity::ONE && line.kind != LineKind::Labour) {
        String::new()
    } else {
        format!("{} {} x {}", line.quantity, line.unit, line.unit_price.plain())
    }
}

/// Tax, total, payments, and what is left.
pub fn sums(model: &Model, job: &JobDetail, look: Look) -> Vec<Row> {
    let invoiced = job.invoice.as_ref().map(|invoice| &invoice.totals);
    let Some(totals) = invoiced.or(job.totals.as_ref()) else { return Vec::new() };
    let mut rows = tax_rows(totals);
    rows.push(Row::pair("  TOTAL", totals.total().to_string()).all(Role::Strong));
    rows.extend(payment_rows(model, job, look));
    rows.extend(left_row(job, look));
    rows
}

/// One row a tax rate, tip and rounding.
pub fn tax_rows(totals: &Totals) -> Vec<Row> {
    let plain = |minor| Money::new(minor, totals.currency).plain();
    let tax = |part: &TaxPart| {
        let how = if part.rule.inclusive { "incl." } else { "plus" };
        Row::pair(format!("  {how} {}", part.rule.label), plain(part.tax_minor)).all(Role::Dim)
    };
    let extras = [("  Tip", totals.tip_minor), ("  Rounding", totals.rounding_minor)];
    let extras = extras.into_iter().filter(|(_, minor)| *minor != 0);
    let extras = extras.map(|(label, minor)| Row::pair(label, plain(minor)).all(Role::Dim));
    totals.taxes.iter().map(tax).chain(extras).collect()
}

/// The payments that came to something or still may.
pub fn payment_rows(model: &Model, job: &JobDetail, look: Look) -> Vec<Row> {
    let Some(document) = job.invoice.as_ref().map(|invoice| invoice.id) else { return Vec::new() };
    let of_it = |payment: &Payment| payment.invoice == document;
    let shown = |view: &&PaymentView| {
        let nothing = matches!(view.state(), PaymentState::Abandoned | PaymentState::Refused);
        of_it(&view.payment) && !nothing
    };
    let row = |view: &PaymentView| {
        let standing = view.standing();
        let taken = job.deposits.iter().find(|deposit| Some(deposit.id) == view.payment.deposit);
        if let (Some(deposit), Standing::Paid) = (taken, standing) {
            let text = format!("  {} Deposit {}", mark(look, standing), model.local(deposit.at_ms).date());
            let less = Money::new(view.payment.amount.minor.saturating_neg(), view.payment.amount.currency);
            return Row::of(text, role(standing)).right(less.plain(), role(standing));
        }
        let card = view.payment.card.as_ref().map(|card| format!(" {}", card_short(card))).unwrap_or_default();
        let text = format!("  {} {}{card}", mark(look, standing), view.word());
        Row::of(text, role(standing)).right(amount_of(view).plain(), role(standing))
    };
    let given = |refund: &Refund| {
        let (standing, minor) = back(refund);
        let text = format!("  {} {} {}", mark(look, standing), refund.state.word(), refund.tender.word());
        Row::of(text, role(standing)).right(Money::new(minor, refund.amount.currency).plain(), role(standing))
    };
    let elsewhere = |refund: &&Refund| {
        let payment = job.payments.iter().find(|view| Some(view.payment.id) == refund.payment);
        payment.is_none_or(|view| of_it(&view.payment))
    };
    job.payments.iter().filter(shown).map(row).chain(job.refunds.iter().filter(elsewhere).map(given)).collect()
}

/// What the customer has paid ahead and is not used up, and what is promised or still to be paid of it.
pub fn deposit_rows(model: &Model, job: &JobDetail, look: Look) -> Vec<Row> {
    let one = |deposit: &Deposit| {
        let unpaid = job.bills.iter().find(|bill| bill.invoice.id == deposit.id);
        let unpaid = unpaid.and_then(|bill| bill.invoice.open(bill.sums).ok()).filter(|open| open.minor > 0);
        let of = |minor| Money::new(minor, deposit.total.currency);
        let (standing, word, amount) = if deposit.pending_minor > 0 {
            (Standing::Pending, " PENDING", of(deposit.pending_minor))
        } else if deposit.left_minor > 0 {
            (Standing::Paid, "", of(deposit.left_minor))
        } else {
            (Standing::Open, " not paid", unpaid?)
        };
        // Before the invoice it is this job's deposit; what an invoice leaves, here or elsewhere, is a credit.
        let billed = job.bills.iter().any(|bill| !bill.invoice.is_deposit());
        let name = if deposit.job == job.row.job && !billed { "Deposit" } else { "Credit" };
        let text = format!("  {} {name} {}{word}", mark(look, standing), model.local(deposit.at_ms).date());
        Some(Row::of(text, role(standing)).right(amount.plain(), role(standing)))
    };
    job.deposits.iter().filter_map(one).collect()
}

/// What a person needs to tell apart of a refund, and its amount as it counts, minor units.
fn back(refund: &Refund) -> (Standing, i64) {
    match refund.state {
        RefundState::Requested => (Standing::Unknown, refund.amount.minor),
        RefundState::Refunded => (Standing::Paid, refund.amount.minor.saturating_neg()),
        RefundState::Refused => (Standing::Failed, refund.amount.minor),
    }
}

/// What is left to pay, or that nothing is.
pub fn left_row(job: &JobDetail, look: Look) -> Option<Row> {
    job.invoice.as_ref()?;
    let open = job.open()?;
    let strong = Role::Strong;
    if open.minor > 0 {
        return Some(Row::pair(format!("  {} TO PAY", look.glyphs.due), open.to_string()).all(strong));
    }
    let (standing, word) = match ReceiptStanding::of_job(job) {
        Some(ReceiptStanding::RefundWaiting) => (Standing::Unknown, "REFUND WAITS for the office"),
        Some(ReceiptStanding::PartRefunded) => (Standing::Paid, "PART REFUNDED"),
        Some(ReceiptStanding::Refunded) => (Standing::Paid, "REFUNDED"),
        _ if job.sums.pending_minor > 0 => (Standing::Pending, "PENDING: the bank has not agreed yet"),
        _ if job.payments.iter().any(|view| view.state() == PaymentState::Disputed) => {
            (Standing::Unknown, "DISPUTED: the office deals with it")
        }
        Some(_) | None => (Standing::Paid, "PAID"),
    };
    Some(Row::of(format!("  {} {word}", mark(look, standing)), role(standing)))
}

/// What counts of a payment: the money that was agreed to, else what was asked for.
pub fn amount_of(view: &PaymentView) -> Money {
    let payment = &view.payment;
    let agreed = matches!(
        view.state(),
        PaymentState::Approved | PaymentState::Captured | PaymentState::Settled | PaymentState::Disputed
    );
    if agreed { Money::new(payment.approved_minor, payment.amount.currency) } else { payment.amount }
}

/// `VISA ....0010`
pub fn card_short(card: &CardSummary) -> String {
    format!("{} ....{}", card.brand, card.last4)
}

/// `VISA ....0010  contactless`
pub fn card_long(card: &CardSummary) -> String {
    let entry = match card.entry {
        CardEntry::Contactless => "contactless",
        CardEntry::Chip => "chip",
        CardEntry::Magstripe => "magstripe",
        CardEntry::OnFile => "card on file",
    };
    format!("{}  {entry}", card_short(card))
}
