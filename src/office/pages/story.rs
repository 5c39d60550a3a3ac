//! Journal rows in plain words.

use super::query::decisions::Decided;
use crate::domain::decision::Action;
use crate::domain::event::{Approved, Event, ReceiptQueued, ReceiptState};
use crate::domain::job::VisitState;
use crate::domain::line::{Line, LineKind};
use crate::domain::money::Money;
use crate::domain::outcome::{Outcome, OutcomeState};
use crate::domain::receipt::Party;

/// One row: a shape and a tone for the eye, what happened, and what more there is to say.
pub(super) struct Told {
    pub(super) tone: &'static str,
    pub(super) shape: &'static str,
    pub(super) what: String,
    pub(super) more: String,
}

fn told(tone: &'static str, shape: &'static str, what: impl Into<String>, more: impl Into<String>) -> Told {
    Told { tone, shape, what: what.into(), more: more.into() }
}

/// What an event says.
pub(super) fn story(event: &Event) -> Told {
    match event {
        Event::JournalOpened(e) => told("plain", "·", "Journal begun", format!("series {}", e.series)),
        Event::VisitMoved(e) => moved(e.to),
        Event::LineAdded(e) => told("plain", "+", format!("Added {}", line(&e.line)), amount(&e.line)),
        Event::LineRemoved(e) => told("plain", "−", format!("Took off {}", line(&e.line)), amount(&e.line)),
        Event::InvoiceIssued(e) => {
            let word = if e.invoice.is_deposit() { "Deposit" } else { "Invoice" };
            told("plain", "▤", format!("{word} {}", e.invoice.document), e.invoice.totals.total().to_string())
        }
        Event::InvoiceCancelled(e) => told("s-over", "–", "Invoice or deposit taken back", e.why.clone()),
        Event::CashRecorded(e) => told(
            "s-paid",
            "✓",
            format!("Took {} in cash", e.amount),
            format!(
                "received {}, change {}",
                Money::new(e.tendered_minor, e.amount.currency).plain(),
                Money::new(e.change_minor, e.amount.currency).plain()
            ),
        ),
        Event::TenderRecorded(e) => {
            let what = format!("{} of {} taken", e.tender.word(), e.amount);
            told("s-paid", "✓", what, e.reference.clone())
        }
        Event::DepositUsed(e) => {
            let what = format!("Deposit {} paid {}", e.deposit_document, e.amount);
            told("s-paid", "✓", what, String::new())
        }
        Event::RefundRequested(e) => {
            told("s-unknown", "◇", format!("Refund of {} asked for", e.amount), e.reason.clone())
        }
        Event::ManagerApproved(e) => {
            let what = match e.what {
                Approved::UnlinkedRefund => "a refund that is linked to no payment",
                Approved::OfflineLimit => "a card payment over a limit",
            };
            told("plain", "·", format!("A manager's PIN allowed {what}: {}", e.amount), e.why.clone())
        }
        Event::CashRefunded(e) => told("s-over", "–", format!("Gave {} back in cash", e.amount), e.reason.clone()),
        Event::RefundOutcomeSeen(e) => {
            let what = format!("Handheld saw: {} {}", e.state.word().to_lowercase(), e.amount);
            told("plain", "·", what, e.answer.clone().unwrap_or_default())
        }
        Event::PaymentCorrected(e) => told("s-over", "–", "Entry corrected", e.why.clone()),
        Event::ReceiptQueued(e) => told("plain", "▤", receipt(e), ""),
        Event::ReceiptEnded(e) => {
            let why = e.why.clone().unwrap_or_default();
            match e.state {
                ReceiptState::Confirmed => told("plain", "▤", "Receipt printed", ""),
                ReceiptState::SentUnconfirmed => told("plain", "▤", "Receipt sent; the printer did not answer", ""),
                ReceiptState::Interrupted => told("s-failed", "✕", "Receipt not complete", why),
                ReceiptState::Refused => told("s-failed", "✕", "Receipt not begun", why),
            }
        }
        Event::ReceiptEmailRequested(e) => told("plain", "▤", format!("Receipt wanted by e-mail at {}", e.to), ""),
        Event::DrawerOpened(_) => told("plain", "▭", "Drawer opened", ""),
        Event::ShiftOpened(e) => told("plain", "▭", "Shift opened", format!("float {}", e.float)),
        Event::CashMoved(e) => told("plain", "▭", format!("Cash {} {}", e.kind.word(), e.amount), e.reason.clone()),
        Event::ShiftClosed(e) => told("plain", "▭", format!("Shift closed as {}", e.number), ""),
        Event::PaymentIntended(_)
        | Event::PaymentAbandoned(_)
        | Event::PaymentCardDeclined(_)
        | Event::PaymentCardRead(_)
        | Event::PaymentRefused(_)
        | Event::PaymentRequested(_)
        | Event::PaymentAcceptedOffline(_)
        | Event::PaymentUnknown(_)
        | Event::PaymentPartTaken(_)
        | Event::PaymentVoidRequested(_)
        | Event::PaymentOutcomeSeen(_) => card(event),
    }
}

fn receipt(e: &ReceiptQueued) -> String {
    let whose = match e.sheet.party {
        Party::Customer => "Receipt",
        Party::Merchant => "Merchant's receipt",
    };
    match (e.sheet.edition, e.sheet.copy) {
        (1, 1) => format!("{whose} sent to the printer"),
        (_, 1) => format!("{whose} sent to the printer, replaces the one before"),
        (_, copy) => format!("{whose}, copy {copy}"),
    }
}

fn card(event: &Event) -> Told {
    match event {
        Event::PaymentIntended(e) => {
            let keep =
                e.keep.as_ref().map(|keep| format!("the customer agreed to consent {}: keep the card", keep.version));
            told("plain", "○", format!("Card payment of {} begun", e.amount), keep.unwrap_or_default())
        }
        Event::PaymentAbandoned(e) => told("s-over", "–", "Card payment given up, nothing was sent", e.why.clone()),
        Event::PaymentCardDeclined(e) => told("s-failed", "✕", "Declined by the card", e.why.clone()),
        Event::PaymentCardRead(e) => {
            told("plain", "○", "Card read and sealed", format!("{} ····{}", e.card.brand, e.card.last4))
        }
        Event::PaymentRefused(e) => told("s-failed", "✕", "Card payment refused, card data erased", e.why.clone()),
        Event::PaymentRequested(e) => told("plain", "○", format!("Asked the bank for {}", e.amount), ""),
        Event::PaymentAcceptedOffline(e) => {
            told("s-pending", "◐", format!("Took {} offline, pending", e.amount), "the bank has not agreed yet")
        }
        Event::PaymentUnknown(e) => told("s-unknown", "◇", "No answer came, result not known", e.why.clone()),
        Event::PaymentPartTaken(_) => told("s-paid", "✓", "Took the part that the bank agreed to", ""),
        Event::PaymentVoidRequested(e) => told("s-unknown", "◇", "Void asked for", e.why.clone()),
        Event::PaymentOutcomeSeen(e) => outcome(&e.outcome, "Handheld saw: "),
        other => told("plain", "·", other.kind(), ""),
    }
}

/// The office's word on a payment, with `who` in front.
pub(super) fn outcome(of: &Outcome, who: &str) -> Told {
    let (tone, shape, what) = match of.state {
        OutcomeState::Approved => ("s-paid", "✓", "the bank approved"),
        OutcomeState::PartlyApproved => ("s-pending", "◐", "the bank approved a part"),
        OutcomeState::Declined => ("s-failed", "✕", "the bank declined"),
        OutcomeState::LateDeclined => ("s-alert", "▲", "the bank declined, late"),
        OutcomeState::Expired => ("s-alert", "▲", "not forwarded in time, expired"),
        OutcomeState::Held => ("s-pending", "‖", "held for a dispatcher"),
        OutcomeState::NotSent => ("s-unknown", "◇", "came too old, not sent to the bank"),
        OutcomeState::Voided => ("s-over", "–", "voided"),
        OutcomeState::VoidFailed => ("s-alert", "▲", "void came too late, a refund is needed"),
        OutcomeState::Captured => ("s-paid", "✓", "captured"),
        OutcomeState::Settled => ("s-paid", "✓", "settled by the processor"),
        OutcomeState::Disputed => ("s-alert", "▲", "disputed by the cardholder"),
    };
    let parts = [
        of.reason.clone(),
        of.auth_code.as_ref().map(|code| format!("code {code}")),
        of.response_code.as_ref().map(|code| format!("answer {code}")),
    ];
    let more: Vec<String> = parts.into_iter().flatten().collect();
    told(tone, shape, capital(&format!("{who}{what}")), more.join(", "))
}

/// What a person decided.
pub(super) fn decision(of: &Decided) -> Told {
    let what = of.action.map_or("Decided", Action::done);
    let what = if of.undone_by.is_some() { format!("{what} (taken back)") } else { what.to_owned() };
    let undone = of.undone_by.as_ref().map(|by| format!("taken back by {by}"));
    let parts = [
        Some(of.amount.to_string()),
        Some(of.detail.clone()),
        Some(of.reason.clone()),
        Some(format!("by {}", of.by)),
        undone,
    ];
    let more: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    told("plain", "✎", what, more.join(", "))
}

fn moved(to: VisitState) -> Told {
    let (tone, shape) = super::words::visit_look(to);
    let what = match to {
        VisitState::New => "Put back to new",
        VisitState::Accepted => "Accepted",
        VisitState::EnRoute => "On the way",
        VisitState::OnSite => "On site, work begun",
        VisitState::Done => "Work done",
    };
    told(tone, shape, what, "")
}

fn line(line: &Line) -> String {
    match line.kind {
        LineKind::Discount => format!("discount {}", line.name),
        LineKind::Labour | LineKind::Part | LineKind::Fee => {
            format!("{} {} {}", line.quantity, line.unit, line.name).replace("  ", " ")
        }
    }
}

fn amount(line: &Line) -> String {
    line.amount().map_or_else(|_| String::new(), |amount| amount.to_string())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
