//! What rules hang on arrives from both readers: how the holder was verified, whether the card has expired, its label.

use super::*;

#[tokio::test]
async fn verification_expiry_and_label_arrive_as_the_card_has_them() {
    for (protocol, spawn) in PROTOCOLS {
        let (mut link, control) = connected(spawn, config(None)).await;
        for (op, name, results, verified, expires) in [
            (11, "mc-chip", "0000000000", "010302", (29, 12)),
            (12, "online-pin", "0000040000", "020300", (29, 12)),
            (13, "expired", "0040000000", "010302", (24, 1)),
        ] {
            let read = present(name, &mut link, &control, op).await;
            let tag = |tag| read.emv_tags.get(tag).map(String::as_str);
            assert_eq!((tag("95"), tag("9F34")), (Some(results), Some(verified)), "{protocol} {name}");
            assert_eq!(read.expires, Some(expires), "{protocol} {name}");
        }
        for (op, name, label, brand) in [
            (14, "no-brand", "HOUSE CARD", "CARD"),
            (15, "debit", "VISA DEBIT", "VISA"),
            (16, "prepaid", "PREPAID", "MASTERCARD"),
        ] {
            let read = present(name, &mut link, &control, op).await;
            assert_eq!((read.label.as_str(), read.brand), (label, brand), "{protocol} {name}");
        }
    }
}
