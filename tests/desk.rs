//! The office's desk for payments: what becomes of the payments that a person must decide about.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "desk/rig.rs"]
mod rig;

use rig::{How, Rig, payment};

#[tokio::test]
async fn one_read_of_a_card_pays_once_and_the_second_payment_is_stopped() {
    for how in [How::Online, How::Offline] {
        let mut rig = Rig::new().await;
        let (first, second) = (payment(1), payment(2));
        rig.pay_with(first, "visa-tap", 3_450, How::Offline, 1);
        rig.pay_with(second, "visa-tap", 3_450, how, 1);
        assert!(rig.push().iter().all(|result| result == "applied"));
        rig.work();
        rig.until(first, "captured").await;
        rig.until(second, if how == How::Online { "declined" } else { "late_declined" }).await;
        assert_eq!(rig.ledger().await, (1, 3_450), "the processor saw one authorisation");
        assert!(rig.open().contains(&"card_data_reused".to_owned()), "{:?}", rig.open());
        assert!(rig.text("SELECT note FROM exception WHERE type = 'card_data_reused'").contains("of D07"));
        assert_eq!(rig.office.verify().unwrap(), Vec::<String>::new());
    }
}
