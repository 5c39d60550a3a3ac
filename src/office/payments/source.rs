//! What a payment charges: the card that met a reader, as it was sealed on the handheld, or one that the processor
//! keeps.

use super::facts::CardPayment;
use crate::office::kept;
use crate::office::processors::{Abilities, CardPresent, Kept, Source};
use crate::office::{Office, OfficeError};
use crate::sync::wire::seal::{self, CardData};
use rusqlite::{Connection, OptionalExtension as _};

/// Whether the processor can charge it.
pub(super) fn fits(payment: &CardPayment, can: Abilities) -> bool {
    if payment.kept_card.is_some() { can.on_file } else { can.card_present }
}

/// Whether the processor is asked to keep the card: its holder agreed, and it can.
pub(super) fn keeps(db: &Connection, payment: &CardPayment, can: Abilities) -> Result<bool, OfficeError> {
    Ok(can.on_file && kept::is_wanted(db, payment)?)
}

/// What is charged; `None` where the card's data is not here, or the holder has ended the consent.
pub(super) fn of(db: &Connection, office: &Office, payment: &CardPayment) -> Result<Option<Source>, OfficeError> {
    match &payment.kept_card {
        Some(card) => Ok(on_file(db, card)?.map(Source::Agreed)),
        None => Ok(card_data(db, office, payment)?.map(met_a_reader)),
    }
}

fn on_file(db: &Connection, card: &str) -> Result<Option<Kept>, OfficeError> {
    let sql = "SELECT token, network FROM kept_card WHERE id = ?1 AND ended_ms IS NULL";
    let found =
        db.prepare_cached(sql)?.query_row([card], |r| Ok(Kept { token: r.get(0)?, network: r.get(1)? })).optional()?;
    Ok(found)
}

fn met_a_reader(card: CardData) -> Source {
    Source::Card(CardPresent {
        ciphertext: card.ciphertext,
        ksn: card.ksn,
        key_id: "ansi-test".to_owned(),
        encryption_type: format!("{:02x}", card.encryption_type),
        emv: card.emv,
    })
}

fn card_data(db: &Connection, office: &Office, payment: &CardPayment) -> Result<Option<CardData>, OfficeError> {
    let blob: Option<Vec<u8>> =
        db.query_row("SELECT bytes FROM blob WHERE sha256 = ?1", [&payment.blob], |r| r.get(0)).optional()?;
    let Some(blob) = blob else { return Ok(None) };
    let opened = seal::key_of(&blob).and_then(|key| match office.keys.secret(&key) {
        Some(secret) => seal::open(&key, &secret, payment.id, payment.amount, &blob),
        None => Err(seal::SealError::OtherKey(key)),
    });
    Ok(opened.inspect_err(|why| tracing::error!(payment = %payment.id, error = %why, "card data")).ok())
}
