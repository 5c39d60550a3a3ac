//! How a card payment looks, phase by phase, and what it came to.
//!
//! Invariant: stored money is never called approved; what the bank has not said is not shown as if it had.

use crate::app::model::{Active, Model};
use crate::app::screens::job::view::{beside, card_long};
use crate::app::view::{Body, Place, mark, role};
use crate::app::when::stopwatch;
use crate::domain::money::Money;
use crate::domain::payment::{Payment, PaymentState, Standing};
use crate::flow::payment::Phase;
use crate::ui::page::Focus;
use crate::ui::row::Row;
use crate::ui::text::wrap;
use crate::ui::theme::Role;

/// From this width on sentences beside keys are said in full, cells.
const FULL_CELLS: usize = 40;

/// Applications that there are keys for.
const MAX_CHOICES: usize = 4;

/// The page.
pub fn body(model: &Model, place: Place<'_>) -> Body {
    let mut title = vec!["CARD".to_owned()];
    let mut rows = Vec::new();
    if let Some(card) = &model.card {
        rows = phase_rows(model, card, place);
        let document = &card.machine.intent().document;
        let at_rest = card.machine.payment().filter(|_| *card.machine.phase() == Phase::Resting);
        let word = at_rest.map_or("CARD", |payment| payment.state.word());
        title = vec![format!("{word} {document}"), document.to_string(), word.to_owned()];
    } else {
        rows.push(Row::centred("No card payment here", Role::Dim));
    }
    let mut panes = vec![rows];
    panes.extend(beside(model, place, true));
    Body { title, panes, focus: Focus::Keep(0..1), notes: Vec::new(), hints: None }
}

fn phase_rows(model: &Model, card: &Active, place: Place<'_>) -> Vec<Row> {
    let amount = card.machine.intent().amount.to_string();
    let cells = place.main();
    let waiting = |title: &str, text: &str| {
        let mut rows = vec![Row::blank(), Row::centred(amount.clone(), Role::Strong), Row::blank()];
        rows.push(Row::centred(title, Role::Strong));
        rows.extend(wrap(text, cells.saturating_sub(2)).into_iter().map(|text| Row::centred(text, Role::Plain)));
        rows
    };
    match card.machine.phase() {
        Phase::Intending => waiting("ONE MOMENT", "writing the payment down"),
        Phase::Presenting { cancelling: true, .. } => {
            waiting("CANCELLING", "The reader was asked. It may still read a card until it answers.")
        }
        Phase::Presenting { cancelling: false, prompt, choices } if choices.is_empty() => {
            presenting(model, card, prompt, cells, waiting)
        }
        Phase::Presenting { choices, .. } => {
            let mut rows = waiting("WHICH APPLICATION?", "The customer chooses; the card stays in the reader.");
            rows.push(Row::blank());
            for (number, label) in (1..).zip(choices.iter().take(MAX_CHOICES)) {
                rows.push(Row::of(format!("  {number}"), Role::Key).and(format!("  {label}"), Role::Plain));
            }
            rows
        }
        Phase::Sealing => waiting("CARD READ", "keeping it safe: the card may be removed"),
        Phase::Assessing | Phase::Writing => waiting("ONE MOMENT", "the card may be removed"),
        Phase::NeedsManager { why, .. } => needs_manager(card, why, cells),
        Phase::ConfirmOffline { deadline_ms, .. } => confirm(model, card, *deadline_ms, cells),
        Phase::Waiting => {
            let mut rows = waiting("ASKING THE BANK", "The card may be removed.");
            rows.push(Row::blank());
            rows.extend(elapsed(model, card, model.settings.timing.unknown_ms));
            rows
        }
        Phase::PartOffered => part_offered(card, place),
        Phase::Unknown { .. } => waiting("RESULT NOT KNOWN", ""),
        Phase::Failed { why } => {
            let mut rows = waiting("NOT SAVED", why);
            rows.push(Row::blank());
            rows.extend(said("Nothing changed. R goes on from what is on the disk.", cells));
            rows
        }
        Phase::Resting => card.machine.payment().map_or_else(Vec::new, |payment| result(model, payment, place)),
    }
}

fn presenting(
    model: &Model,
    card: &Active,
    prompt: &str,
    cells: usize,
    waiting: impl Fn(&str, &str) -> Vec<Row>,
) -> Vec<Row> {
    let prompt = if prompt.is_empty() { "customer: follow the reader" } else { prompt };
    let mut rows = waiting("TAP OR INSERT THE CARD", prompt);
    let surcharge = card.machine.intent().extras.surcharge_minor;
    if surcharge > 0 {
        let with = Money::new(surcharge, card.machine.intent().amount.currency);
        rows.push(Row::centred(format!("with a surcharge of {with}"), Role::Dim));
    }
    rows.push(Row::blank());
    match &model.reader {
        Some(reader) if reader.connected => {
            let word = if cells < FULL_CELLS { "" } else { "battery " };
            let battery = reader.battery_percent.map(|percent| format!("  {word}{percent} %")).unwrap_or_default();
            rows.push(Row::centred(format!("{}{battery}", reader.name), Role::Dim));
        }
        Some(reader) => rows.push(Row::centred(format!("{} does not answer", reader.name), Role::Warn)),
        None => rows.push(Row::centred("no reader yet", Role::Warn)),
    }
    rows.extend(elapsed(model, card, model.settings.timing.present_ms));
    if !model.link.online {
        rows.push(Row::blank());
        rows.extend(said("No link: the bank cannot be asked. You decide after the card is read.", cells));
    }
    rows
}

fn elapsed(model: &Model, card: &Active, limit_ms: u64) -> Option<Row> {
    let gone = model.now_ms?.saturating_sub(card.since_ms?);
    let limit = i64::try_from(limit_ms).unwrap_or(i64::MAX);
    Some(Row::centred(format!("{} of {}", stopwatch(gone.min(limit)), stopwatch(limit)), Role::Dim))
}

fn confirm(model: &Model, card: &Active, deadline_ms: i64, cells: usize) -> Vec<Row> {
    let amount = card.machine.intent().amount.to_string();
    let mut rows = vec![Row::of("  NO LINK: TAKE THE RISK?", Role::Strong), Row::pair("  Amount", amount)];
    rows.extend(card_row(card.machine.payment()));
    rows.push(Row::blank());
    rows.extend(said("The bank has not agreed. If it declines later, this is not paid.", cells));
    let when = at(model, deadline_ms);
    rows.extend(said(&format!("It must reach the bank by {when}."), cells));
    rows.push(Row::blank());
    let (take, leave) = if cells < FULL_CELLS { ("", "") } else { (", keep it pending", ", erase the card") };
    rows.push(Row::of("  A", Role::Key).and(format!("   accept the risk{take}"), Role::Plain));
    rows.push(Row::of("  Esc", Role::Key).and(format!(" do not take it{leave}"), Role::Plain));
    rows
}

fn needs_manager(card: &Active, why: &str, cells: usize) -> Vec<Row> {
    let amount = card.machine.intent().amount.to_string();
    let mut rows = vec![Row::of("  NO LINK: OVER A LIMIT", Role::Strong), Row::pair("  Amount", amount)];
    rows.extend(card_row(card.machine.payment()));
    rows.push(Row::blank());
    rows.extend(said(&sentence(why), cells));
    rows.push(Row::blank());
    let (allow, leave) = if cells < FULL_CELLS { ("", "") } else { (" allows it", ", erase the card") };
    rows.push(Row::of("  M", Role::Key).and(format!("   a manager's PIN{allow}"), Role::Plain));
    rows.push(Row::of("  Esc", Role::Key).and(format!(" do not take it{leave}"), Role::Plain));
    rows
}

fn part_offered(card: &Active, place: Place<'_>) -> Vec<Row> {
    let Some(payment) = card.machine.payment() else { return Vec::new() };
    let offered = Money::new(payment.offered_minor, payment.amount.currency);
    let rest = payment.amount.checked_sub(offered).map(|rest| rest.to_string()).unwrap_or_default();
    let mark = mark(place.look, Standing::Pending);
    let mut rows = vec![Row::of(format!("  {mark} PARTLY APPROVED"), Role::Pending)];
    rows.push(Row::pair("  Asked", payment.amount.to_string()));
    rows.push(Row::pair("  The bank gives", offered.to_string()).all(Role::Strong));
    rows.push(Row::pair("  Stays open", rest));
    rows.extend(card_row(Some(payment)));
    rows.push(Row::blank());
    let narrow = place.main() < FULL_CELLS;
    let (take, leave) = if narrow { ("", "") } else { (", the rest another way", ": nothing is charged") };
    rows.push(Row::of("  T", Role::Key).and(format!(" take the part{take}"), Role::Plain));
    rows.push(Row::of("  V", Role::Key).and(format!(" give it back{leave}"), Role::Plain));
    rows
}

/// What the payment came to.
fn result(model: &Model, payment: &Payment, place: Place<'_>) -> Vec<Row> {
    let cells = place.main();
    let standing = payment.state.standing();
    let agreed = matches!(payment.state, PaymentState::Approved | PaymentState::Captured | PaymentState::Settled);
    let counts = if agreed { Money::new(payment.approved_minor, payment.amount.currency) } else { payment.amount };
    let head = format!("  {} {}", mark(place.look, standing), payment.state.word());
    let mut rows = vec![Row::of(head, role(standing)).right(counts.to_string(), Role::Strong)];
    rows.extend(card_row(Some(payment)));
    rows.push(Row::blank());
    rows.extend(said(meaning(payment.state), cells));
    if counts.minor < payment.amount.minor && standing == Standing::Paid {
        let rest = Money::new(payment.amount.minor.saturating_sub(counts.minor), counts.currency);
        rows.extend(said(&format!("A part only: {rest} stays open."), cells));
    }
    if let Some(deadline) = payment.deadline_ms.filter(|_| standing == Standing::Pending) {
        let text = format!("Goes to the bank when there is a link, at the latest {}.", at(model, deadline));
        rows.extend(said(&text, cells));
    }
    if let Some(code) = &payment.auth_code {
        rows.push(Row::text(format!("  Authorisation {code}")));
    }
    if let Some(reason) = payment.reason.as_ref().filter(|_| standing == Standing::Failed) {
        rows.extend(said(&sentence(reason), cells));
    }
    if payment.keep.is_some() {
        rows.extend(said(kept(standing), cells));
    }
    if standing == Standing::Pending {
        rows.push(Row::blank());
        rows.extend(said("Receipt says: accepted, pending bank authorisation.", cells));
    }
    rows
}

/// What becomes of the card that the customer agreed to have kept.
fn kept(standing: Standing) -> &'static str {
    match standing {
        Standing::Paid => "The customer agreed: the office keeps the card.",
        Standing::Open | Standing::Pending | Standing::Unknown => {
            "Asked to keep the card; kept when the bank approved."
        }
        Standing::Failed => "The card is not kept.",
    }
}

fn meaning(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Approved | PaymentState::Captured | PaymentState::Settled => "The bank agreed. It is paid.",
        PaymentState::Stored => "Stored on this device. It is not paid yet.",
        PaymentState::Held => "The office decides about it. It is not paid yet.",
        PaymentState::Declined | PaymentState::LateDeclined => "Not paid, nothing charged. Take another card or cash.",
        PaymentState::Refused => "Not taken, nothing charged. The card data is erased.",
        PaymentState::Abandoned => "Nothing was sent, nothing charged.",
        PaymentState::Expired => "Not sent in time, nothing charged. It is not paid.",
        PaymentState::VoidPending => "The void is on its way. Wait before you take the money another way.",
        PaymentState::Voided => "Taken back, nothing charged.",
        PaymentState::VoidFailed => "The void came too late: the card was charged. The office refunds it.",
        PaymentState::Disputed => "The cardholder disputes it. The office deals with it.",
        PaymentState::Recorded => "Taken in cash.",
        PaymentState::Corrected => "Corrected by a counter-entry.",
        PaymentState::Unknown | PaymentState::PartlyApproved => "The office is being asked.",
        PaymentState::Draft
        | PaymentState::Presenting
        | PaymentState::CardRead
        | PaymentState::Requested
        | PaymentState::Tendered => "Under way.",
    }
}

fn card_row(payment: Option<&Payment>) -> Option<Row> {
    let card = payment.and_then(|payment| payment.card.as_ref())?;
    Some(Row::text(format!("  {}", card_long(card))))
}

fn at(model: &Model, ms: i64) -> String {
    let local = model.local(ms);
    model.now().map_or_else(|| local.clock(), |now| local.seen_from(now))
}

/// A text with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

fn said(text: &str, cells: usize) -> Vec<Row> {
    wrap(text, cells.saturating_sub(3)).into_iter().map(|text| Row::text(format!("  {text}"))).collect()
}
