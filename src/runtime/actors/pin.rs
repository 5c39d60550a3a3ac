//! Checks a manager's PIN against the office's record of it, beside the screen, and writes down what was allowed.
//!
//! Invariants: a try is on the disk before it is checked; "yes" is said only after `manager.approved` is on the disk;
//! the PIN is neither logged nor kept. Start at [`approve`].

use super::store::StoreHandle;
use crate::domain::event::{Event, ManagerApproved};
use crate::domain::journal::Hash;
use crate::domain::pin::{Pin, PinRefusal, PinTries};
use crate::domain::rules::Rules;
use argon2::Argon2;
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;

/// Where the tries stand in the store.
const TRIES: &str = "pin_tries";

/// Whether `pin` is the manager's; if so, `what` is on the disk when this answers.
///
/// # Errors
/// Why not, in a sentence.
pub async fn approve(store: &StoreHandle, pin: Pin, what: ManagerApproved) -> Result<(), String> {
    let now = store.clock().now_ms();
    let (record, before) = store
        .run(move |store| {
            let rules: Rules = store.document("rules")?.unwrap_or(Rules::NONE);
            let Some(record) = rules.manager_pin else { return Ok(Err(PinRefusal::NotSet)) };
            let tries: PinTries = store.meta(TRIES)?.unwrap_or_default();
            let tries = tries.at(&name_of(&record)).by_clock(now);
            let counted = tries.counted(now);
            store.set_meta(TRIES, counted.as_ref().unwrap_or(&tries))?;
            Ok(counted.map(|counted| (record, counted)))
        })
        .await?
        .map_err(|why| why.to_string())?;
    let checked = tokio::task::spawn_blocking(move || -> Result<bool, PinRefusal> {
        let parsed = PasswordHash::new(&record).map_err(|_| PinRefusal::Unusable)?;
        Ok(Argon2::default().verify_password(pin.bytes(), &parsed).is_ok())
    });
    match checked.await {
        Ok(Ok(true)) => {
            let wrong_tries = before.wrong.saturating_sub(1);
            let row = ManagerApproved { pin: before.pin.clone(), wrong_tries, ..what };
            store.commit(Event::ManagerApproved(row), None).await?;
            let none = PinTries { pin: before.pin, ..PinTries::default() };
            store.run(move |store| store.set_meta(TRIES, &none)).await
        }
        Ok(Ok(false)) => Err(before.refusal().to_string()),
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => Err(PinRefusal::Unusable.to_string()),
    }
}

/// Names a PIN without telling anything of it: two records of one PIN differ by their salt.
fn name_of(record: &str) -> String {
    Hash::of(record.as_bytes()).to_string().chars().take(8).collect()
}
