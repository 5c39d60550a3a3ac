//! The books of a day compared: pure.

use crate::domain::money::{Currency, Money};
use crate::office::processors::Booked;
use serde::Serialize;
use std::collections::BTreeMap;

/// One card payment by every book, minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The payment.
    pub payment: String,
    /// The invoice's number.
    pub document: String,
    /// The handheld's name.
    pub handheld: String,
    /// Its currency.
    pub currency: Currency,
    /// Where it stands by the handheld's journal.
    pub state: String,
    /// What the handheld counts as certain.
    pub handheld_minor: i64,
    /// Captured by the office's word.
    pub office_minor: i64,
    /// Captured by the processor's books; `None` when it cannot tell.
    pub processor_minor: Option<i64>,
    /// Given back by the processor's books.
    pub given_back_minor: i64,
    /// How many captures the processor has for it.
    pub charges: u32,
    /// Settled; `None` as long as no line came.
    pub settled_minor: Option<i64>,
    /// Given back by the settlement.
    pub settled_back_minor: i64,
    /// When the bank agreed, or the payment began, Unix milliseconds.
    pub approved_at: i64,
    /// Nothing more will be done for it.
    #[serde(skip)]
    pub over: bool,
}

/// Sums of one currency, minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// By the handhelds.
    pub handheld_minor: i64,
    /// By the office.
    pub office_minor: i64,
    /// By the processor; `None` when it cannot tell.
    pub processor_minor: Option<i64>,
    /// Settled so far.
    pub settled_minor: i64,
}

/// The day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Whether nothing differs.
    pub agree: bool,
    /// By ISO 4217 code.
    pub totals: BTreeMap<String, Sums>,
    /// One a payment.
    pub payments: Vec<Row>,
    /// Every difference, in a sentence.
    pub differences: Vec<String>,
    /// What is only not finished, such as a settlement that is still to come.
    pub notes: Vec<String>,
}

/// Compares. `strangers`: what the processor has booked on that day and nobody here knows. Captured before
/// `unsettled_before_ms` and not settled is a difference; later it is a note.
pub fn compare(rows: Vec<Row>, strangers: &[Booked], unsettled_before_ms: i64) -> Books {
    let mut totals: BTreeMap<String, Sums> = BTreeMap::new();
    let (mut differences, mut notes) = (Vec::new(), Vec::new());
    for row in &rows {
        let sums = totals.entry(row.currency.code().to_owned()).or_default();
        sums.handheld_minor = sums.handheld_minor.saturating_add(row.handheld_minor);
        sums.office_minor = sums.office_minor.saturating_add(row.office_minor);
        if let Some(minor) = row.processor_minor {
            sums.processor_minor = Some(sums.processor_minor.unwrap_or(0).saturating_add(minor));
        }
        sums.settled_minor = sums.settled_minor.saturating_add(row.settled_minor.unwrap_or(0));
        captured(row, &mut differences);
        settled(row, unsettled_before_ms, &mut differences, &mut notes);
    }
    for one in strangers {
        let currency = one.currency.parse().unwrap_or(Currency::EUR);
        let money = Money::new(one.captured_minor, currency).plain();
        if one.captured_minor == one.refunded_minor {
            let text = format!(
                "The processor captured {} {money} as {}, unknown here, and gave all of it back.",
                one.currency, one.key
            );
            notes.push(text);
            continue;
        }
        let sums = totals.entry(one.currency.clone()).or_default();
        sums.processor_minor = Some(sums.processor_minor.unwrap_or(0).saturating_add(one.captured_minor));
        differences
            .push(format!("The processor captured {} {money} as {}, which nobody here knows.", one.currency, one.key));
    }
    Books { agree: differences.is_empty(), totals, payments: rows, differences, notes }
}

/// Handheld, office and processor have the same.
fn captured(row: &Row, differences: &mut Vec<String>) {
    let plain = |minor| Money::new(minor, row.currency).to_string();
    let who = format!("{} of {} (payment {})", row.document, row.handheld, row.payment);
    let (handheld, office) = (row.handheld_minor, row.office_minor);
    if row.charges > 1 {
        differences.push(format!("{who} was captured {} times at the processor.", row.charges));
    }
    match row.processor_minor {
        Some(theirs) if theirs != office => {
            differences.push(format!(
                "{who}: the processor captured {}, the office recorded {}.",
                plain(theirs),
                plain(office)
            ));
        }
        Some(_) | None => {}
    }
    let theirs = row.processor_minor.unwrap_or(office);
    if handheld == theirs {
        return;
    }
    let who_has = if row.processor_minor.is_some() { "the processor captured" } else { "the office captured" };
    let why = match (row.state.as_str(), row.over) {
        (_, false) => " It is not finished yet.",
        ("stored" | "requested" | "unknown" | "held", true) => " The handheld has not heard of it yet.",
        _ => "",
    };
    differences.push(format!("{who}: the handheld counts {}, {who_has} {}.{why}", plain(handheld), plain(theirs)));
}

/// What was captured was settled, or is still to come.
fn settled(row: &Row, unsettled_before_ms: i64, differences: &mut Vec<String>, notes: &mut Vec<String>) {
    let plain = |minor| Money::new(minor, row.currency).to_string();
    let who = format!("{} of {} (payment {})", row.document, row.handheld, row.payment);
    let theirs = row.processor_minor.unwrap_or(row.office_minor);
    match row.settled_minor {
        Some(settled) if settled != theirs => {
            differences.push(format!("{who}: {} was captured, {} settled.", plain(theirs), plain(settled)));
        }
        Some(_) | None if row.settled_minor.is_some() || theirs == 0 => {}
        Some(_) | None if row.approved_at < unsettled_before_ms => {
            differences.push(format!("{who}: {} was captured and is overdue in the settlement.", plain(theirs)));
        }
        Some(_) | None => notes.push(format!("{who}: {} is not settled yet.", plain(theirs))),
    }
    if row.processor_minor.is_some() && row.settled_back_minor > row.given_back_minor {
        let (settled, booked) = (plain(row.settled_back_minor), plain(row.given_back_minor));
        differences.push(format!("{who}: {settled} was settled as given back, the processor's books say {booked}."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            payment: "p".into(),
            document: "D07-000001".into(),
            handheld: "D07".into(),
            currency: Currency::EUR,
            state: "approved".into(),
            handheld_minor: 100,
            office_minor: 100,
            processor_minor: Some(100),
            given_back_minor: 0,
            charges: 1,
            settled_minor: Some(100),
            settled_back_minor: 0,
            approved_at: 1_000,
            over: true,
        }
    }

    #[test]
    fn each_difference_has_a_sentence_and_agreement_has_none() {
        let cases: [(Row, &str); 10] = [
            (row(), ""),
            (Row { processor_minor: None, ..row() }, ""),
            (Row { settled_minor: None, approved_at: 5_000, ..row() }, ""),
            (Row { settled_minor: None, ..row() }, "overdue in the settlement"),
            (Row { settled_minor: Some(99), ..row() }, "EUR 1.00 was captured, EUR 0.99 settled"),
            (Row { handheld_minor: 0, state: "stored".into(), ..row() }, "has not heard of it yet"),
            (Row { office_minor: 0, ..row() }, "the processor captured EUR 1.00, the office recorded EUR 0.00"),
            (Row { processor_minor: None, handheld_minor: 0, ..row() }, "the office captured EUR 1.00"),
            (Row { charges: 2, ..row() }, "captured 2 times"),
            (Row { settled_back_minor: 5, ..row() }, "EUR 0.05 was settled as given back"),
        ];
        for (row, expect) in cases {
            let books = compare(vec![row.clone()], &[], 2_000);
            assert_eq!(books.agree, expect.is_empty(), "{row:?}: {:?}", books.differences);
            assert!(books.differences.join(" ").contains(expect), "{expect}: {:?}", books.differences);
        }
        let stranger =
            Booked { key: "k".into(), at_ms: 1, captured_minor: 7, refunded_minor: 0, currency: "EUR".into() };
        let books = compare(vec![row()], &[stranger], 2_000);
        assert_eq!(books.differences, ["The processor captured EUR 0.07 as k, which nobody here knows."]);
        assert_eq!(books.totals["EUR"].processor_minor, Some(107));
    }
}
