//! How states, money and times are said: a word and a shape, never a colour alone.

use super::View;
use crate::domain::job::{MoneyState, VisitState};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{PaymentState, Standing, Tender};
use jiff::Timestamp;
use maud::{Markup, html};
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A shape and a word in one element; `tone` is the sheet's class.
pub(super) fn state(tone: &str, shape: &str, word: &str) -> Markup {
    html! { span.state.(tone) { i aria-hidden="true" { (shape) } " " (word) } }
}

/// How far a visit is.
pub(super) fn visit(state_of: VisitState) -> Markup {
    let (tone, shape) = visit_look(state_of);
    state(tone, shape, state_of.word())
}

/// The class and the shape of a visit's state.
pub(super) fn visit_look(state: VisitState) -> (&'static str, &'static str) {
    match state {
        VisitState::New => ("v-new", "○"),
        VisitState::Accepted => ("v-accepted", "◔"),
        VisitState::EnRoute => ("v-route", "▷"),
        VisitState::OnSite => ("v-site", "◆"),
        VisitState::Done => ("v-done", "●"),
    }
}

/// Where a visit's money stands; nothing before there is an invoice.
pub(super) fn money_state(of: MoneyState) -> Markup {
    match money_look(of) {
        Some((tone, shape)) => state(tone, shape, of.word()),
        None => html! {},
    }
}

/// The class and the shape of a visit's money.
pub(super) fn money_look(state: MoneyState) -> Option<(&'static str, &'static str)> {
    match state {
        MoneyState::None => None,
        MoneyState::Due => Some(("s-open", "□")),
        MoneyState::Pending => Some(("s-pending", "◐")),
        MoneyState::Paid => Some(("s-paid", "✓")),
    }
}

/// What became of a payment by this tender.
pub(super) fn payment(of: PaymentState, tender: Tender) -> Markup {
    let (tone, shape) = match of {
        PaymentState::LateDeclined | PaymentState::Expired => ("s-alert", "▲"),
        PaymentState::Held => ("s-pending", "‖"),
        PaymentState::Voided | PaymentState::Abandoned | PaymentState::Corrected => ("s-over", "–"),
        other => match other.standing() {
            Standing::Open => ("s-open", "○"),
            Standing::Paid => ("s-paid", "✓"),
            Standing::Pending => ("s-pending", "◐"),
            Standing::Unknown => ("s-unknown", "◇"),
            Standing::Failed => ("s-failed", "✕"),
        },
    };
    state(tone, shape, of.word_by(tender))
}

/// `EUR 1 204.50` with the thousands apart; the currency stays small.
pub(super) fn money(amount: Money) -> Markup {
    html! { span.money { small { (amount.currency.code()) } " " (grouped(amount)) } }
}

/// The figures without the currency.
pub(super) fn grouped(amount: Money) -> String {
    let plain = amount.plain();
    let (whole, rest) = plain.split_once('.').map_or((plain.as_str(), None), |(w, r)| (w, Some(r)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("−", digits));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if let Some(rest) = rest {
        text.push('.');
        text.push_str(rest);
    }
    text
}

/// Sums by currency.
#[derive(Default, Clone)]
pub(super) struct Sums(BTreeMap<&'static str, (Currency, i64)>);

impl Sums {
    /// Adds; a sum that no longer fits stays at the largest that does.
    pub(super) fn add(&mut self, currency: Currency, minor: i64) {
        let sum = self.0.entry(currency.code()).or_insert((currency, 0));
        sum.1 = sum.1.saturating_add(minor);
    }

    /// One amount a currency; zero euros when there is none.
    pub(super) fn amounts(&self) -> Vec<Money> {
        let amounts: Vec<Money> = self.0.values().map(|(currency, minor)| Money::new(*minor, *currency)).collect();
        if amounts.is_empty() { vec![Money::zero(Currency::EUR)] } else { amounts }
    }

    /// As markup, one line a currency.
    pub(super) fn markup(&self) -> Markup {
        html! { @for amount in self.amounts() { (money(amount)) } }
    }
}

/// `now`, `4 min`, `3 h`, `2 d`: how long ago or how long still.
pub(super) fn span(ms: i64) -> String {
    let ms = ms.saturating_abs();
    if ms < MINUTE_MS {
        format!("{} s", ms / 1_000)
    } else if ms < HOUR_MS {
        format!("{} min", ms / MINUTE_MS)
    } else if ms < 2 * DAY_MS {
        let minutes = ms % HOUR_MS / MINUTE_MS;
        if ms < 10 * HOUR_MS && minutes > 0 {
            format!("{} h {minutes} m", ms / HOUR_MS)
        } else {
            format!("{} h", ms / HOUR_MS)
        }
    } else {
        format!("{} d", ms / DAY_MS)
    }
}

/// The same in one unit, where there is no room for two.
pub(super) fn short_span(ms: i64) -> String {
    let ms = ms.max(0);
    if (HOUR_MS..2 * DAY_MS).contains(&ms) { format!("{} h", ms / HOUR_MS) } else { span(ms) }
}

impl View<'_> {
    fn strftime(&self, ms: i64, format: &str) -> String {
        Timestamp::from_millisecond(ms)
            .map_or_else(|_| "?".to_owned(), |time| self.zone.to_datetime(time).strftime(format).to_string())
    }

    /// `09:58`
    pub(super) fn clock(&self, ms: i64) -> String {
        self.strftime(ms, "%H:%M")
    }

    /// `09:58:07`
    pub(super) fn clock_s(&self, ms: i64) -> String {
        self.strftime(ms, "%H:%M:%S")
    }

    /// `Mon 24 Nov`
    pub(super) fn day(&self, ms: i64) -> String {
        self.strftime(ms, "%a %-d %b")
    }

    /// `09:58` today, `24 Nov 09:58` on other days.
    pub(super) fn when(&self, ms: i64) -> String {
        if self.day(ms) == self.day(self.now_ms) { self.clock(ms) } else { self.strftime(ms, "%-d %b %H:%M") }
    }

    /// Date and time in full, for titles.
    pub(super) fn exact(&self, ms: i64) -> String {
        self.strftime(ms, "%Y-%m-%d %H:%M:%S")
    }

    /// How long ago.
    pub(super) fn ago(&self, ms: i64) -> String {
        let age = self.now_ms.saturating_sub(ms);
        if age < 5_000 { "now".to_owned() } else { format!("{} ago", span(age)) }
    }

    /// How long still, or how long over.
    pub(super) fn until(&self, ms: i64) -> String {
        let left = ms.saturating_sub(self.now_ms);
        if left < 0 { format!("over since {}", span(left)) } else { format!("in {}", span(left)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_spans_are_short() {
        let eur = |minor| grouped(Money::new(minor, Currency::EUR));
        assert_eq!(eur(0), "0.00");
        assert_eq!(eur(99_999), "999.99");
        assert_eq!(eur(123_456_789), "1\u{202f}234\u{202f}567.89");
        assert_eq!(eur(-100_000), "−1\u{202f}000.00");
        assert_eq!(grouped(Money::new(1_204, "JPY".parse().unwrap())), "1\u{202f}204");
        for (ms, text) in
            [(0, "0 s"), (59_999, "59 s"), (240_000, "4 min"), (7_800_000, "2 h 10 m"), (176_400_000, "2 d")]
        {
            assert_eq!(span(ms), text);
            assert_eq!(span(-ms), text);
        }
        assert_eq!(span(i64::MIN), format!("{} d", i64::MAX / DAY_MS));
    }
}
