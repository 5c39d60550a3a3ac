//! What is sent: one function a message. Each is a pure function of profile and request.
//!
//! Invariant: STAN and RRN of whatever moves money come from the request; a repeat differs in the last digit of its type
//! only; no message has a card number in clear (fields 2, 14, 34, 35, 36, 45, 52 are never set). Start at
//! [`authorisation`].

use super::message::{Message, Mti};
use super::profile::{Profile, Reversal};
use crate::domain::money::Currency;
use crate::office::processors::{Authorisation, CardPresent, FollowUp, ProcessorError, Sent, Source, Totals};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Processing codes (ISO 8583:1987 field 3): goods and services, and a refund; no account named.
const PURCHASE: &str = "000000";
const REFUND: &str = "200000";
/// Field 70: sign-on and echo test.
pub const SIGN_ON: u16 = 1;
/// Field 70: echo test.
pub const ECHO: u16 = 301;
/// The largest amount of field 4, minor units.
const AMOUNT_MAX: i64 = 999_999_999_999;
/// The largest sum of fields 86 to 89 and 97, minor units.
const SUM_MAX: i64 = 9_999_999_999_999_999;
/// Characters of field 41.
const TERMINAL: usize = 8;
/// Characters of a key set's name.
const KEY_ID_MAX: usize = 64;

/// 0100: asks whether the card is good for it. The money is taken by [`completion`].
pub fn authorisation(profile: &Profile, request: &Authorisation) -> Result<Message, ProcessorError> {
    let card = match &request.source {
        Source::Card(card) => card,
        Source::OnFile(_) | Source::Agreed(_) => {
            return Err(ProcessorError::Unable("the ISO 8583 profile keeps no cards"));
        }
    };
    let mut message = money(profile, Mti::AUTHORISATION, PURCHASE, (request.amount_minor, &request.currency))?;
    times(&mut message, profile, request.at_ms)?;
    numbers(&mut message, request.stan, &request.rrn, &request.terminal);
    let chip = card.emv.contains_key("9F26");
    message.set(22, if chip { profile.entry.chip.clone() } else { profile.entry.stripe.clone() });
    opaque(&mut message, profile, card)?;
    let tags = emv(profile, card)?;
    if !tags.is_empty() {
        message.set(55, tags);
    }
    if request.deferred {
        message.append(profile.deferred.field, &profile.deferred.value);
    }
    if request.allow_partial {
        message.append(profile.partial.mark.field, &profile.partial.mark.value);
    }
    Ok(message)
}

/// 0220, repeated 0221: takes so much of what was authorised.
pub fn completion(profile: &Profile, call: &FollowUp) -> Result<Message, ProcessorError> {
    follow(profile, call, Mti::COMPLETION, PURCHASE, call.amount_minor)
}

/// 0400 or 0420, repeated 0401 or 0421: takes the whole authorisation back.
pub fn reversal(profile: &Profile, call: &FollowUp) -> Result<Message, ProcessorError> {
    let mti = match profile.reversal {
        Reversal::Request => Mti::REVERSAL,
        Reversal::Advice => Mti::REVERSAL_ADVICE,
    };
    follow(profile, call, mti, PURCHASE, call.of.amount_minor)
}

/// 0200 with a processing code of 20xxxx, repeated 0201: gives so much back.
pub fn refund(profile: &Profile, call: &FollowUp) -> Result<Message, ProcessorError> {
    follow(profile, call, Mti::FINANCIAL, REFUND, call.amount_minor)
}

/// 0500: our totals. Purchases are debits, refunds credits; nothing captured is ever reversed.
///
/// # Errors
/// Sums that the fields cannot hold.
pub fn reconciliation(profile: &Profile, totals: &Totals, stan: u32, now_ms: i64) -> Result<Message, ProcessorError> {
    let mut message = Message::new(Mti::RECONCILIATION);
    times(&mut message, profile, now_ms)?;
    message.set(11, format!("{stan:06}"));
    for field in [32, 42] {
        if let Some(value) = profile.constants.get(&field) {
            message.set(field, value.clone());
        }
    }
    let sum = |minor: i64| match minor {
        0..=SUM_MAX => Ok(format!("{minor:016}")),
        _ => Err(ProcessorError::Refused(format!("a sum of {minor} does not fit a reconciliation"))),
    };
    message.set(74, format!("{:010}", totals.refunds));
    message.set(75, "0".repeat(10));
    message.set(76, format!("{:010}", totals.captures));
    message.set(77, "0".repeat(10));
    message.set(86, sum(totals.refunded_minor)?);
    message.set(87, sum(0)?);
    message.set(88, sum(totals.captured_minor)?);
    message.set(89, sum(0)?);
    let net = i128::from(totals.captured_minor) - i128::from(totals.refunded_minor);
    let sign = if net < 0 { 'C' } else { 'D' };
    message.set(97, format!("{sign}{:016}", net.unsigned_abs()));
    Ok(message)
}

/// 0800: sign-on or echo. It moves no money, so that its number is the connection's own.
pub fn network(what: u16, stan: u32, now_ms: i64) -> Result<Message, ProcessorError> {
    let mut message = Message::new(Mti::NETWORK);
    message.set(7, told(now_ms, &TimeZone::UTC, "%m%d%H%M%S")?);
    message.set(11, format!("{stan:06}"));
    message.set(70, format!("{what:03}"));
    Ok(message)
}

/// What follows an authorisation: its own STAN and time, the RRN of what it follows, and in field 90 the original's type,
/// STAN, time, acquirer and forwarder.
fn follow(
    profile: &Profile,
    call: &FollowUp,
    mti: Mti,
    processing: &str,
    amount_minor: i64,
) -> Result<Message, ProcessorError> {
    let mti = if call.repeat { mti.repeated() } else { mti };
    let of = &call.of;
    let mut message = money(profile, mti, processing, (amount_minor, &of.currency))?;
    times(&mut message, profile, call.at_ms)?;
    numbers(&mut message, call.stan, &of.rrn, &of.terminal);
    if let Some(code) = &of.auth_code {
        message.set(38, format!("{code:<6}"));
    }
    message.set(90, original(profile, of)?);
    Ok(message)
}

fn original(profile: &Profile, of: &Sent) -> Result<String, ProcessorError> {
    let time = told(of.at_ms, &TimeZone::UTC, "%m%d%H%M%S")?;
    let who = |field: u8| profile.constants.get(&field).map_or("", String::as_str);
    Ok(format!("{}{:06}{time}{:0>11}{:0>11}", Mti::AUTHORISATION, of.stan, who(32), who(33)))
}

fn money(
    profile: &Profile,
    mti: Mti,
    processing: &str,
    (amount_minor, currency): (i64, &str),
) -> Result<Message, ProcessorError> {
    let mut message = Message::new(mti);
    for (field, value) in &profile.constants {
        message.set(*field, value.clone());
    }
    if !(1..=AMOUNT_MAX).contains(&amount_minor) {
        return Err(ProcessorError::Refused(format!("{amount_minor} minor units do not fit field 4")));
    }
    message.set(3, processing);
    message.set(4, format!("{amount_minor:012}"));
    message.set(49, numeric(currency)?);
    Ok(message)
}

/// Field 49: the number of a currency. Field 4 counts in its minor units, so that its exponent needs no field.
pub fn numeric(currency: &str) -> Result<String, ProcessorError> {
    let currency: Currency = currency.parse().map_err(|why| ProcessorError::Refused(format!("{why}")))?;
    Ok(format!("{:03}", currency.numeric()))
}

fn times(message: &mut Message, profile: &Profile, at_ms: i64) -> Result<(), ProcessorError> {
    message.set(7, told(at_ms, &TimeZone::UTC, "%m%d%H%M%S")?);
    message.set(12, told(at_ms, &profile.time_zone, "%H%M%S")?);
    message.set(13, told(at_ms, &profile.time_zone, "%m%d")?);
    Ok(())
}

fn told(at_ms: i64, zone: &TimeZone, format: &str) -> Result<String, ProcessorError> {
    let at = Timestamp::from_millisecond(at_ms).map_err(|why| ProcessorError::Refused(format!("a time: {why}")))?;
    Ok(at.to_zoned_datetime(zone.clone()).strftime(format).to_string())
}

fn numbers(message: &mut Message, stan: u32, rrn: &str, terminal: &str) {
    message.set(11, format!("{stan:06}"));
    message.set(37, rrn);
    message.set(41, terminal_id(terminal));
}

/// Field 41: letters and digits of the handheld's name, as many as fit.
pub fn terminal_id(name: &str) -> String {
    let known: String = name.chars().filter(char::is_ascii_alphanumeric).take(TERMINAL).collect();
    format!("{known:<TERMINAL$}")
}

/// The opaque card data, in the fields that the profile names.
fn opaque(message: &mut Message, profile: &Profile, card: &CardPresent) -> Result<(), ProcessorError> {
    let fields = &profile.card;
    let wrong = ProcessorError::Unable;
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if card.ciphertext.is_empty() || !card.ciphertext.as_bytes().iter().all(base64) {
        return Err(wrong("the reader's cipher text is malformed"));
    }
    if !hex(&card.ksn) || !hex(&card.encryption_type) {
        return Err(wrong("the reader's key serial number is malformed"));
    }
    if card.key_id.len() > KEY_ID_MAX || !card.key_id.bytes().all(name) {
        return Err(wrong("the reader's key set is malformed"));
    }
    let mut rest = card.ciphertext.as_bytes();
    for field in &fields.ciphertext {
        let (piece, more) = rest.split_at(rest.len().min(profile.room(*field)));
        if !piece.is_empty() {
            message.append(*field, piece);
        }
        rest = more;
    }
    if !rest.is_empty() {
        return Err(wrong("the card's cipher text is longer than the profile's fields"));
    }
    message.append(fields.ksn, &card.ksn);
    message.append(fields.key_id, &card.key_id);
    message.append(fields.encryption, &card.encryption_type);
    Ok(())
}

/// Field 55: BER-TLV (EMV Book 3, Annex B) of the tags that the profile allows, in its order.
fn emv(profile: &Profile, card: &CardPresent) -> Result<Vec<u8>, ProcessorError> {
    let wrong = || ProcessorError::Unable("an EMV tag of the reader is malformed");
    let mut out = Vec::new();
    for tag in &profile.emv.tags {
        let Some(value) = card.emv.get(tag) else { continue };
        let value = hex::decode(value).map_err(|_| wrong())?;
        out.extend(hex::decode(tag).map_err(|_| wrong())?);
        match u8::try_from(value.len()) {
            Ok(short) if short < 0x80 => out.push(short),
            Ok(long) => out.extend([0x81, long]),
            Err(_) => return Err(wrong()),
        }
        out.extend(value);
    }
    Ok(out)
}

#[cfg(test)]
pub(super) mod tests;
