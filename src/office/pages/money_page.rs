//! Payments: sums by what became of them, filters, and the list. Late declines stand out.

use super::error::PageError;
use super::layout::{self, Page};
use super::query::devices;
use super::query::payments::{Class, Filter, PAYMENTS_MAX, Seen, payments};
use super::story;
use super::words::Sums;
use super::{View, words};
use crate::domain::money::Money;
use crate::domain::payment::{PaymentState, Tender};
use crate::office::decide::{REASON_MAX_CHARS, REASON_MIN_CHARS};
use maud::{Markup, html};

/// What the list can be narrowed to: the name in the address and in the choice.
const TENDERS: [(&str, Tender); 5] = [
    ("card", Tender::Card),
    ("cash", Tender::Cash),
    ("cheque", Tender::Cheque),
    ("transfer", Tender::Transfer),
    ("deposit", Tender::Deposit),
];

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    device: String,
    #[serde(default)]
    tender: String,
    #[serde(default)]
    payment: String,
}

impl Asked {
    fn tender(&self) -> Option<Tender> {
        TENDERS.into_iter().find(|(name, _)| *name == self.tender).map(|(_, tender)| tender)
    }

    fn class(&self) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.name() == self.state)
    }

    /// The page's address with another state.
    fn link(&self, state: &str) -> String {
        let plain = |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>();
        format!("/payments?state={state}&device={}&tender={}", plain(&self.device), plain(&self.tender))
    }
}

pub(super) fn page(view: &View<'_>, asked: &Asked) -> Result<Page, PageError> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter = Filter {
        payment: some(&asked.payment),
        device: some(&asked.device),
        tender: asked.tender(),
        ..Filter::default()
    };
    let all = payments(view.db, &filter)?;
    let class = asked.class();
    let shown: Vec<&Seen> = all.iter().filter(|one| class.is_none_or(|class| one.class() == class)).collect();
    let body = html! {
        section.titlebar {
            h1 { "Payments" }
            a href="/deposits" { "Deposits" }
            (filters(view, asked)?)
        }
        (tiles(asked, &all))
        @if shown.is_empty() { (layout::nothing("No payments that fit.")) }
        @else { (table(view, shown.iter().copied(), true)) }
        @if all.len() == PAYMENTS_MAX as usize { p.dim { "The newest " (PAYMENTS_MAX) " are counted and shown." } }
    };
    Ok(Page { title: "Payments".to_owned(), at: "/payments", body })
}

fn filters(view: &View<'_>, asked: &Asked) -> Result<Markup, PageError> {
    let devices = devices::devices(view.db)?;
    Ok(html! {
        form.filters method="get" action="/payments" {
            input type="hidden" name="state" value=(asked.state);
            label { "Handheld" select name="device" {
                option value="" { "all" }
                @for device in &devices {
                    option value=(device.id) selected[device.id == asked.device] { (device.name) }
                }
            } }
            label { "Tender" select name="tender" {
                option value="" { "all" }
                @for (name, _) in TENDERS { option value=(name) selected[name == asked.tender] { (name) } }
            } }
            button type="submit" { "Show" }
            @if !(asked.device.is_empty() && asked.tender.is_empty() && asked.state.is_empty() && asked.payment.is_empty()) {
                a href="/payments" { "all payments" }
            }
        }
    })
}

fn look(class: Class) -> (&'static str, &'static str, &'static str) {
    match class {
        Class::Captured => ("s-paid", "✓", "Captured"),
        Class::Approved => ("s-paid", "✓", "Approved"),
        Class::ByHand => ("s-paid", "✓", "Not by card"),
        Class::Pending => ("s-pending", "◐", "Pending"),
        Class::Unknown => ("s-unknown", "◇", "Not known"),
        Class::UnderWay => ("s-open", "○", "Under way"),
        Class::Failed => ("s-failed", "✕", "Failed"),
    }
}

/// What a deposit pays was counted when the deposit was taken.
fn counts(asked: &Asked, one: &Seen) -> bool {
    one.payment.tender != Tender::Deposit || asked.tender() == Some(Tender::Deposit)
}

fn tiles(asked: &Asked, all: &[Seen]) -> Markup {
    html! {
        nav.tiles aria-label="Payments by state" {
            @for class in Class::ALL {
                @let of: Vec<&Seen> = all.iter().filter(|one| one.class() == class && counts(asked, one)).collect();
                @let sums = of.iter().fold(Sums::default(), |mut sums, one| {
                    sums.add(one.payment.amount.currency, one.counted_minor());
                    sums
                });
                @let (tone, shape, word) = look(class);
                @let chosen = asked.class() == Some(class);
                a class={ "tile " (tone) @if of.is_empty() { " empty" } } href=(asked.link(if chosen { "" } else { class.name() }))
                    aria-current=[chosen.then_some("true")] {
                    span { i aria-hidden="true" { (shape) } " " (word) " " span.dim { (of.len()) } }
                    strong { (sums.markup()) }
                }
            }
        }
    }
}

/// A list of payments; `with_job` names the job of each.
pub(super) fn table<'a>(view: &View<'_>, list: impl IntoIterator<Item = &'a Seen>, with_job: bool) -> Markup {
    html! {
        table.list.pay {
            thead { tr {
                th { "Taken" } th { "State" } th.n { "Amount" } th { "Tender" }
                @if with_job { th { "For" } th { "Handheld" } }
                th { "Office" }
            } }
            tbody { @for one in list { (row(view, one, with_job)) } }
        }
    }
}

fn row(view: &View<'_>, one: &Seen, with_job: bool) -> Markup {
    let payment = &one.payment;
    let alarming = matches!(payment.state, PaymentState::LateDeclined | PaymentState::Expired);
    html! {
        tr .wants[alarming] id={ "p-" (payment.id) } {
            td title={ "received " (view.exact(one.received_ms)) } { (view.when(payment.at_ms)) }
            td { (words::payment(payment.state, payment.tender)) @if payment.offline { " " span.tag { "offline" } }
                @if one.ahead { " " span.tag { "paid ahead" } } }
            td.n {
                (words::money(payment.amount))
                @let approved = if payment.approved_minor == payment.amount.minor { 0 } else { payment.approved_minor };
                @for (word, minor) in [("approved", approved), ("refunded", payment.refunded_minor),
                    ("refund asked for", payment.refund_open_minor)] {
                    @if minor != 0 { br; span.dim { (word) " " (Money::new(minor, payment.amount.currency).plain()) } }
                }
            }
            td { (tender(one)) }
            @if with_job {
                td { a href={ "/jobs/" (payment.job) } { (payment.document) } br; span.dim { (one.customer) } }
                td { (one.device_name) }
            }
            td.office { (office(view, one)) }
        }
    }
}

fn tender(one: &Seen) -> Markup {
    html! {
        @match (one.payment.tender, &one.payment.card) {
            (Tender::Cash, _) => "cash",
            (Tender::Cheque, _) => "cheque",
            (Tender::Transfer, _) => "transfer",
            (Tender::Deposit, _) => { "deposit " span.dim { (one.payment.reference.as_deref().unwrap_or_default()) } },
            (Tender::Card, None) => "card",
            (Tender::Card, Some(card)) => { (card.brand) " ····" (card.last4) },
        }
        @if let Some(code) = &one.payment.auth_code { br; span.dim { "code " (code) } }
    }
}

/// What the office did with it, and what it waits for.
fn office(view: &View<'_>, one: &Seen) -> Markup {
    let Some(office) = &one.office else {
        let text = one.payment.reason.as_deref().unwrap_or("–");
        return html! { span.dim { (text) } };
    };
    let said = office.outcome.as_ref().map(|outcome| (story::outcome(outcome, ""), outcome.at_ms));
    html! {
        @match said {
            None => span.dim { "not answered yet" },
            Some((said, at_ms)) => {
                (said.what) @if !said.more.is_empty() { ": " (said.more) }
                br; span.dim { (view.when(at_ms)) " · "
                    @if office.seen { "seen by the handheld" } @else { "not seen by the handheld yet" } }
            }
        }
        @if office.frozen { p.alert { "▲ frozen: rows about it could not be applied" } }
        @if let Some(by) = &office.released_by { br; span.dim { "released by " (by) } }
        @if let Some(by) = &office.voided_by { br; span.dim { "voided by " (by) } }
        @if one.payment.pending_minor > 0 {
            @if let Some(deadline) = office.deadline_ms.or(one.payment.deadline_ms) {
                br; span.dim { "deadline " (view.until(deadline)) }
            }
        }
        @if one.waits_for_release() && view.visitor.role.may_decide() {
            form method="post" action={ "/payments/" (one.payment.id) "/release" } {
                (layout::token(view))
                input type="text" name="reason" required minlength=(REASON_MIN_CHARS) maxlength=(REASON_MAX_CHARS)
                    placeholder="Why?" aria-label="Why?" autocomplete="off";
                button type="submit" { "Release to the bank" }
            }
        }
    }
}
