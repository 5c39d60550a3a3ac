//! What a card gets for an answer: a pure function of the question and of what went before.
//!
//! Invariant: does no I/O, reads no clock, knows no card number. Start at [`answer`].

/// How a test card behaves. The table that gives each card its behaviour is [`super::card::CARDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Approved for the whole amount.
    Approves,
    /// Declined for good, online and late.
    Declines,
    /// Declined for lack of funds the first [`SOFT_DECLINES`] times in a card session, then approved.
    PoorTwice,
    /// Approved for half the amount online, declined when deferred.
    Half,
    /// Approved and booked, but the connection closes without an answer.
    LosesTheAnswer,
    /// Approved and booked, but the answer comes after the caller's time-out.
    AnswersLate,
    /// Should never get here: the reader or the card stops before. Declined if it does.
    StaysAway,
}

/// How many times [`Behaviour::PoorTwice`] is declined before it is approved.
pub const SOFT_DECLINES: u32 = 2;

/// What was found when the card data was decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardRead {
    /// The cipher text is of an unknown kind, does not decrypt, or holds no card.
    Unreadable,
    /// A card came out.
    Read {
        /// `None` for a card that this processor has not issued.
        behaviour: Option<Behaviour>,
        /// Whether the amount and currency that the card signed are those of the request.
        amount_agrees: bool,
    },
}

/// One authorisation request, as far as the answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// What decryption gave.
    pub read: CardRead,
    /// The amount asked for, in minor units, above zero.
    pub amount_minor: i64,
    /// The card was read earlier, with no link, and is long gone.
    pub deferred: bool,
    /// The caller can take less than it asked for. Ignored when `deferred`.
    pub allow_partial: bool,
}

/// What the ledger remembers that bears on the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// A reversal of this key came before the request itself.
    pub reversed_before: bool,
    /// The KSN has been seen with another cipher text.
    pub other_ciphertext: bool,
    /// How often this card session was declined for lack of funds.
    pub soft_declines: u32,
}

/// ISO 8583 response codes (field 39) that this processor gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseCode {
    /// `00` approved.
    Approved,
    /// `10` approved for a part of the amount.
    ApprovedInPart,
    /// `05` do not honour: a hard decline.
    DoNotHonour,
    /// `12` invalid transaction: the request comes after its own reversal.
    InvalidTransaction,
    /// `13` invalid amount: not the amount that the card signed.
    InvalidAmount,
    /// `14` no such card number.
    NoSuchCard,
    /// `30` format error: the card data cannot be read. Not `96` (system malfunction), which invites another try: the
    /// same bytes will never decrypt.
    FormatError,
    /// `51` not sufficient funds: a soft decline, may be tried again.
    NotSufficientFunds,
    /// `57` transaction not permitted to this card.
    NotPermitted,
    /// `63` security violation: one KSN with two cipher texts.
    SecurityViolation,
}

impl ResponseCode {
    /// All codes, for looking one up by its digits.
    const ALL: [Self; 10] = [
        Self::Approved,
        Self::ApprovedInPart,
        Self::DoNotHonour,
        Self::InvalidTransaction,
        Self::InvalidAmount,
        Self::NoSuchCard,
        Self::FormatError,
        Self::NotSufficientFunds,
        Self::NotPermitted,
        Self::SecurityViolation,
    ];

    /// The two digits that go over the wire.
    pub const fn digits(self) -> &'static str {
        match self {
            Self::Approved => "00",
            Self::ApprovedInPart => "10",
            Self::DoNotHonour => "05",
            Self::InvalidTransaction => "12",
            Self::InvalidAmount => "13",
            Self::NoSuchCard => "14",
            Self::FormatError => "30",
            Self::NotSufficientFunds => "51",
            Self::NotPermitted => "57",
            Self::SecurityViolation => "63",
        }
    }

    /// The code with these digits, if this processor gives it.
    pub fn from_digits(digits: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.digits() == digits)
    }

    /// The result in the words of the interface: `approved`, `partly_approved` or `declined`.
    pub const fn result(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::ApprovedInPart => "partly_approved",
            Self::DoNotHonour
            | Self::InvalidTransaction
            | Self::InvalidAmount
            | Self::NoSuchCard
            | Self::FormatError
            | Self::NotSufficientFunds
            | Self::NotPermitted
            | Self::SecurityViolation => "declined",
        }
    }
}

/// How the first answer to a key travels. A repeat of the key is always answered at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As soon as it is committed.
    AtOnce,
    /// After the caller has stopped waiting.
    Late,
    /// Not at all: the connection closes without a byte.
    Never,
}

/// The answer to one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The ISO 8583 response code.
    pub code: ResponseCode,
    /// The amount that is authorised, in minor units; 0 for a decline.
    pub approved_minor: i64,
    /// How it travels.
    pub delivery: Delivery,
}

/// Answers an authorisation request. What speaks against the request itself (reversed before it came, one KSN with two
/// cipher texts, unreadable, another amount) is looked at before the card has its say.
pub fn answer(question: &Question, history: &History) -> Answer {
    if history.reversed_before {
        return declined(ResponseCode::InvalidTransaction);
    }
    if history.other_ciphertext {
        return declined(ResponseCode::SecurityViolation);
    }
    match question.read {
        CardRead::Unreadable => declined(ResponseCode::FormatError),
        CardRead::Read { behaviour: _, amount_agrees: false } => declined(ResponseCode::InvalidAmount),
        CardRead::Read { behaviour: None, amount_agrees: true } => declined(ResponseCode::NoSuchCard),
        CardRead::Read { behaviour: Some(behaviour), amount_agrees: true } => by_card(behaviour, question, history),
    }
}

fn by_card(behaviour: Behaviour, question: &Question, history: &History) -> Answer {
    match behaviour {
        Behaviour::Approves => approved(question, Delivery::AtOnce),
        Behaviour::Declines => declined(ResponseCode::DoNotHonour),
        Behaviour::PoorTwice if history.soft_declines < SOFT_DECLINES => declined(ResponseCode::NotSufficientFunds),
        Behaviour::PoorTwice => approved(question, Delivery::AtOnce),
        Behaviour::Half => half(question),
        Behaviour::LosesTheAnswer => approved(question, Delivery::Never),
        Behaviour::AnswersLate => approved(question, Delivery::Late),
        Behaviour::StaysAway => declined(ResponseCode::NotPermitted),
    }
}

fn approved(question: &Question, delivery: Delivery) -> Answer {
    Answer { code: ResponseCode::Approved, approved_minor: question.amount_minor, delivery }
}

fn declined(code: ResponseCode) -> Answer {
    Answer { code, approved_minor: 0, delivery: Delivery::AtOnce }
}

/// Half the amount, rounded down to the minor unit. Half of one minor unit is nothing, and nothing is not approved.
fn half(question: &Question) -> Answer {
    let half_minor = question.amount_minor / 2;
    match (question.deferred, question.allow_partial) {
        (true, true | false) => declined(ResponseCode::DoNotHonour),
        (false, true) if half_minor > 0 => {
            Answer { code: ResponseCode::ApprovedInPart, approved_minor: half_minor, delivery: Delivery::AtOnce }
        }
        (false, true | false) => declined(ResponseCode::NotSufficientFunds),
    }
}

#[cfg(test)]
#[path = "answer/tests.rs"]
mod tests;
