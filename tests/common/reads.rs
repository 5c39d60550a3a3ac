//! The row of a card that was read, for tests that have no reader.

use tillroll::domain::event::PaymentCardRead;
use tillroll::domain::id::{JobId, PaymentId, VisitId};
use tillroll::domain::payment::{CardEntry, CardSummary};

/// A contactless VISA whose encrypted data is this blob. What it was sealed with and from is made up.
pub fn card_read(payment: PaymentId, job: JobId, visit: VisitId, blob: &str) -> PaymentCardRead {
    let card = CardSummary {
        brand: "VISA".into(),
        last4: "0010".into(),
        aid: "A0000000031010".into(),
        label: "VISA".into(),
        cvm: "No verification".into(),
        entry: CardEntry::Contactless,
        marks: Default::default(),
    };
    PaymentCardRead {
        payment,
        job,
        visit,
        card,
        blob: blob.into(),
        sealing_key: "k".into(),
        ksn: "00".into(),
        ciphertext_sha256: "bb".into(),
        salt: "cc".into(),
    }
}
