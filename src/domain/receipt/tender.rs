//! One payment on a receipt, and the words and the shape for each state that it may be in.
//!
//! Invariant: APPROVED is said of money that the bank agreed to and of no other; of a card, four digits and no date.
//! The table of words is [`TenderLine::statement`], that of shapes [`mark`].

use crate::domain::id::InvoiceId;
use crate::domain::money::Money;
use crate::domain::payment::{CardEntry, Extras, PaymentState, Standing, Tender};
use crate::domain::read::PaymentView;
use serde::{Deserialize, Serialize};

/// One payment on a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderLine {
    /// How it is paid.
    pub tender: Tender,
    /// Where it stands.
    pub state: PaymentState,
    /// How much, extras and all.
    pub amount: Money,
    /// What of it is not for the invoice.
    #[serde(default = "no_extras", skip_serializing_if = "Extras::is_none")]
    pub extras: Extras,
    /// All of it was given back.
    #[serde(default)]
    pub refunded: bool,
    /// `VISA ....0010  contactless`, or empty.
    pub card: String,
    /// Application label and id, verification; a cheque's number, a transfer's text; empty for cash.
    pub details: Vec<String>,
    /// The bank's code.
    pub auth_code: Option<String>,
    /// The bank's answer, ISO 8583 field 39, e.g. `00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Why it failed or is not certain, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The holder signs: the merchant's copy has a line for it.
    #[serde(default)]
    pub signature: bool,
    /// Cash handed over and back, minor units.
    pub cash: Option<(i64, i64)>,
    /// The payment's reference, short.
    pub reference: String,
    /// Local date and time at which it began; empty when not known.
    #[serde(default)]
    pub at: String,
}

impl TenderLine {
    /// What a receipt says of a payment. Whoever has a clock adds `at`, whoever has the bank's answer `response`.
    pub fn of(view: &PaymentView) -> TenderLine {
        let payment = &view.payment;
        let (card, details) = match &payment.card {
            Some(c) => {
                let aid = if c.aid.is_empty() { String::new() } else { format!("AID {}", c.aid) };
                let card = format!("{} ....{}  {}", c.brand, last_four(&c.last4), entry(c.entry));
                (card, vec![c.label.clone(), aid, c.cvm.clone()])
            }
            None => {
                let reference = payment.reference.iter().filter(|text| !text.is_empty());
                (String::new(), reference.map(|text| format!("Reference {text}")).collect())
            }
        };
        let state = view.state();
        let amount = match state {
            PaymentState::Approved
            | PaymentState::Captured
            | PaymentState::Settled
            | PaymentState::Disputed
            | PaymentState::VoidFailed => Money::new(payment.approved_minor, payment.amount.currency),
            _ => payment.amount,
        };
        TenderLine {
            tender: payment.tender,
            state,
            amount,
            extras: payment.split(amount.minor).map_or(payment.extras, |split| split.extras),
            refunded: payment.approved_minor > 0 && payment.refunded_minor >= payment.approved_minor,
            card,
            details,
            // A code of an approval that does not count any more is none to rely on.
            auth_code: payment.auth_code.clone().filter(|_| says_approved(state)),
            response: None,
            reason: payment.reason.clone().filter(|why| !why.is_empty() && state.standing() != Standing::Paid),
            signature: payment.card.as_ref().is_some_and(|c| c.cvm.to_lowercase().contains("signature")),
            cash: (payment.tender == Tender::Cash).then_some((payment.tendered_minor, payment.change_minor)),
            reference: short_reference(&payment.id.to_string()),
            at: String::new(),
        }
    }

    /// What a receipt says of an invoice's payments.
    pub fn all<'a>(payments: impl IntoIterator<Item = &'a PaymentView>, invoice: InvoiceId) -> Vec<TenderLine> {
        let of = payments.into_iter().filter(|view| view.payment.invoice == invoice);
        of.map(TenderLine::of).filter(TenderLine::is_shown).collect()
    }

    /// Whether it belongs on a receipt: something was asked, taken or refused. Of what was given up before that, and of
    /// what is only being put together, nobody needs a record.
    pub fn is_shown(&self) -> bool {
        match self.state {
            PaymentState::Draft | PaymentState::Presenting | PaymentState::Abandoned => false,
            // A transfer is announced; cash and cheques are still being put together.
            PaymentState::Tendered => self.tender == Tender::Transfer,
            PaymentState::Declined
            | PaymentState::CardRead
            | PaymentState::Requested
            | PaymentState::Stored
            | PaymentState::Refused
            | PaymentState::Approved
            | PaymentState::PartlyApproved
            | PaymentState::Unknown
            | PaymentState::VoidPending
            | PaymentState::Voided
            | PaymentState::VoidFailed
            | PaymentState::LateDeclined
            | PaymentState::Expired
            | PaymentState::Held
            | PaymentState::Captured
            | PaymentState::Settled
            | PaymentState::Disputed
            | PaymentState::Recorded
            | PaymentState::Corrected => true,
        }
    }

    /// The words for its state: what the customer may rely on.
    pub fn statement(&self) -> String {
        if let (true, Some(code)) = (says_approved(self.state), &self.auth_code) {
            return format!("APPROVED  AUTH {code}");
        }
        let words = match (self.state, self.tender) {
            (PaymentState::VoidFailed, _) if self.refunded => "VOID FAILED - CHARGED AND REFUNDED",
            (PaymentState::Recorded, Tender::Cheque) => "PAID BY CHEQUE",
            (PaymentState::Recorded, Tender::Transfer) => "PAID BY TRANSFER",
            (PaymentState::Recorded, Tender::Deposit) => "PAID FROM THE DEPOSIT",
            (PaymentState::Tendered, Tender::Transfer) => "TRANSFER ANNOUNCED - NOT ARRIVED YET",
            (state, _) => words(state),
        };
        words.to_owned()
    }

    /// What a person needs to tell apart. A request under way is as uncertain on paper as one without an answer.
    pub fn standing(&self) -> Standing {
        match (self.state, self.tender) {
            (PaymentState::Requested, _) => Standing::Unknown,
            // A promise, until the office has seen the money.
            (PaymentState::Tendered, Tender::Transfer) => Standing::Pending,
            (PaymentState::VoidFailed, _) if self.refunded => Standing::Paid,
            (state, _) => state.standing(),
        }
    }
}

fn no_extras() -> Extras {
    Extras::NONE
}

fn says_approved(state: PaymentState) -> bool {
    matches!(state, PaymentState::Approved | PaymentState::Captured | PaymentState::Settled)
}

fn words(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Approved | PaymentState::Captured | PaymentState::Settled => "APPROVED",
        PaymentState::Stored => "PAYMENT ACCEPTED - PENDING BANK AUTHORISATION",
        PaymentState::Held => "PAYMENT HELD - PENDING THE OFFICE'S DECISION",
        PaymentState::PartlyApproved => "BANK AGREED TO A PART - NOT TAKEN YET",
        PaymentState::Requested | PaymentState::Unknown => "RESULT UNKNOWN - DO NOT PAY AGAIN",
        PaymentState::VoidPending => "VOID REQUESTED - NOT CONFIRMED YET",
        PaymentState::VoidFailed => "VOID FAILED - CHARGED, A REFUND FOLLOWS",
        PaymentState::Disputed => "DISPUTED WITH THE BANK",
        PaymentState::Declined => "DECLINED - NOT CHARGED",
        PaymentState::LateDeclined => "DECLINED BY THE BANK LATER - NOT CHARGED",
        PaymentState::Expired => "EXPIRED - NOT CHARGED",
        PaymentState::Refused => "REFUSED - NOT CHARGED",
        PaymentState::Voided => "VOIDED - NOT CHARGED",
        PaymentState::Abandoned => "GIVEN UP - NOT CHARGED",
        PaymentState::Draft | PaymentState::Presenting | PaymentState::CardRead => "NOT FINISHED - NOT CHARGED",
        PaymentState::Tendered => "NOT FINISHED - NOT PAID",
        PaymentState::Recorded => "PAID CASH",
        PaymentState::Corrected => "CORRECTED - NOT COUNTED",
    }
}

/// The shape of a standing, three characters that every printer has: certain is square, uncertain round, failed has
/// points. The same as on screens of seven bits.
pub fn mark(standing: Standing) -> &'static str {
    match standing {
        Standing::Paid => "[x]",
        Standing::Pending => "(~)",
        Standing::Unknown => "(?)",
        Standing::Failed => "<!>",
        Standing::Open => "[ ]",
    }
}

fn entry(entry: CardEntry) -> &'static str {
    match entry {
        CardEntry::Contactless => "contactless",
        CardEntry::Chip => "chip",
        CardEntry::Magstripe => "magstripe",
        CardEntry::OnFile => "card on file",
    }
}

/// Whatever a reader calls the last four, no more than four digits of it.
fn last_four(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(4)..].iter().collect()
}

/// The last eight characters of an id: enough to find it, short enough to say.
pub fn short_reference(id: &str) -> String {
    let start = id.len().saturating_sub(8);
    id.get(start..).unwrap_or(id).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receipt::example::{Paid, example};
    use std::collections::HashMap;

    #[rustfmt::skip]
    const TABLE: [(&str, &str, &str, bool); 23] = [
        // state, shape, words, on the receipt
        ("draft",           "[ ]", "NOT FINISHED - NOT CHARGED", false),
        ("presenting",      "[ ]", "NOT FINISHED - NOT CHARGED", false),
        ("abandoned",       "<!>", "GIVEN UP - NOT CHARGED", false),
        ("declined",        "<!>", "DECLINED - NOT CHARGED", true),
        ("card_read",       "[ ]", "NOT FINISHED - NOT CHARGED", true),
        ("requested",       "(?)", "RESULT UNKNOWN - DO NOT PAY AGAIN", true),
        ("stored",          "(~)", "PAYMENT ACCEPTED - PENDING BANK AUTHORISATION", true),
        ("refused",         "<!>", "REFUSED - NOT CHARGED", true),
        ("approved",        "[x]", "APPROVED  AUTH 041926", true),
        ("partly_approved", "(~)", "BANK AGREED TO A PART - NOT TAKEN YET", true),
        ("unknown",         "(?)", "RESULT UNKNOWN - DO NOT PAY AGAIN", true),
        ("void_pending",    "(?)", "VOID REQUESTED - NOT CONFIRMED YET", true),
        ("voided",          "<!>", "VOIDED - NOT CHARGED", true),
        ("void_failed",     "(?)", "VOID FAILED - CHARGED, A REFUND FOLLOWS", true),
        ("late_declined",   "<!>", "DECLINED BY THE BANK LATER - NOT CHARGED", true),
        ("expired",         "<!>", "EXPIRED - NOT CHARGED", true),
        ("held",            "(~)", "PAYMENT HELD - PENDING THE OFFICE'S DECISION", true),
        ("captured",        "[x]", "APPROVED  AUTH 041926", true),
        ("settled",         "[x]", "APPROVED  AUTH 041926", true),
        ("disputed",        "(?)", "DISPUTED WITH THE BANK", true),
        ("tendered",        "[ ]", "NOT FINISHED - NOT PAID", false),
        ("recorded",        "[x]", "PAID CASH", true),
        ("corrected",       "<!>", "CORRECTED - NOT COUNTED", true),
    ];

    #[test]
    fn every_state_has_its_words_and_its_shape() {
        let line = example(Paid::Card).unwrap().tenders.remove(0);
        let mut shape_of: HashMap<String, &str> = HashMap::new();
        for (name, shape, words, shown) in TABLE {
            let line = TenderLine { state: PaymentState::from_name(name).unwrap(), ..line.clone() };
            assert_eq!(
                (mark(line.standing()), line.statement().as_str(), line.is_shown()),
                (shape, words, shown),
                "{name}"
            );
            // APPROVED is said of certain money only, and no words stand under two shapes.
            assert_eq!(line.statement().contains("APPROVED"), matches!(name, "approved" | "captured" | "settled"));
            assert_eq!(*shape_of.entry(line.statement()).or_insert(shape), shape, "{name}");
            let charged = matches!(line.standing(), Standing::Failed) && name != "corrected";
            assert_eq!(words.ends_with("NOT CHARGED"), charged || (shape == "[ ]" && name != "tendered"), "{name}");
        }
        let names: std::collections::HashSet<&str> = TABLE.iter().map(|row| row.0).collect();
        assert_eq!(names.len(), TABLE.len(), "every state once");
    }

    #[test]
    fn other_tenders_and_a_failed_void_that_was_refunded_have_their_own_words() {
        use PaymentState::{Corrected, Recorded, Tendered, VoidFailed};
        let line = example(Paid::Cash).unwrap().tenders.remove(0);
        for (tender, state, refunded, shape, words) in [
            (Tender::Cheque, Recorded, false, "[x]", "PAID BY CHEQUE"),
            (Tender::Transfer, Tendered, false, "(~)", "TRANSFER ANNOUNCED - NOT ARRIVED YET"),
            (Tender::Transfer, Recorded, false, "[x]", "PAID BY TRANSFER"),
            (Tender::Deposit, Recorded, false, "[x]", "PAID FROM THE DEPOSIT"),
            (Tender::Transfer, Corrected, false, "<!>", "CORRECTED - NOT COUNTED"),
            (Tender::Card, VoidFailed, false, "(?)", "VOID FAILED - CHARGED, A REFUND FOLLOWS"),
            (Tender::Card, VoidFailed, true, "[x]", "VOID FAILED - CHARGED AND REFUNDED"),
        ] {
            let line = TenderLine { tender, state, refunded, ..line.clone() };
            assert_eq!((mark(line.standing()), line.statement().as_str()), (shape, words), "{tender:?} {state:?}");
            assert!(line.is_shown(), "{tender:?} {state:?}");
        }
    }

    #[test]
    fn no_more_than_four_digits_of_a_card_whatever_a_reader_says() {
        for (said, kept) in
            [("0010", "0010"), ("4111111111110010", "0010"), ("411111******0010", "0010"), ("1", "1"), ("", "")]
        {
            assert_eq!(last_four(said), kept);
        }
    }
}
