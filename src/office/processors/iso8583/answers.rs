//! What an answer means. Each is a pure function of profile, request and message.
//!
//! Invariant: an approval is believed only when its amount and currency are those that were asked for; everything else
//! that is not a clear no is [`ProcessorError::InDoubt`]. Start at [`authorised`].

use super::message::Message;
use super::profile::{Approved, Codes, Profile};
use super::requests::{numeric, terminal_id};
use crate::office::processors::{Answer, Authorisation, FollowUp, Late, ProcessorError, Refunded};

/// Bytes of one amount in field 54: account, kind, currency, sign, amount (ISO 8583:1987 clause 4.3).
const ADDITIONAL: usize = 20;

fn doubt<T>(why: impl Into<String>) -> Result<T, ProcessorError> {
    Err(ProcessorError::InDoubt(why.into()))
}

/// What field 39 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Approved,
    Partly,
    Duplicate,
    Unsure,
    Busy,
    No,
}

impl Codes {
    fn said(&self, code: &str) -> Said {
        let among = |codes: &[String]| codes.iter().any(|known| known == code);
        match code {
            _ if among(&self.approved) => Said::Approved,
            _ if among(&self.partial) => Said::Partly,
            _ if code == self.duplicate => Said::Duplicate,
            _ if among(&self.unsure) || among(&self.wait) => Said::Unsure,
            _ if among(&self.busy) => Said::Busy,
            _ => Said::No,
        }
    }
}

/// Field 39: two letters or digits.
fn code(answer: &Message) -> Result<&str, ProcessorError> {
    let code = answer.text(39).filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphanumeric()));
    code.ok_or_else(|| ProcessorError::InDoubt("the answer has no response code".to_owned()))
}

/// The answer says that it takes longer.
pub fn waits(profile: &Profile, answer: &Message) -> bool {
    answer.text(39).is_some_and(|code| profile.codes.wait.iter().any(|known| known == code))
}

/// Amount, currency and terminal, where the answer tells them, are those of the request. `must`: it has to tell.
fn same(answer: &Message, currency: &str, terminal: &str, must: bool) -> Result<(), ProcessorError> {
    match answer.text(49) {
        Some(number) if number == numeric(currency)? => {}
        Some(number) => return doubt(format!("the answer is in currency {number}, and {currency} was asked for")),
        None if must => return doubt("the answer tells no currency"),
        None => {}
    }
    match answer.text(41) {
        Some(told) if told != terminal_id(terminal).trim_end() => doubt("the answer is for another terminal"),
        Some(_) | None => Ok(()),
    }
}

/// Field 4 is exactly what was asked for. `must`: it has to be there.
fn same_amount(answer: &Message, asked_minor: i64, must: bool) -> Result<(), ProcessorError> {
    match answer.number(4) {
        Some(told) if told == asked_minor => Ok(()),
        Some(told) => doubt(format!("the answer is about {told} minor units, and {asked_minor} were asked for")),
        None if must || answer.fields.contains_key(&4) => doubt("the answer tells no amount"),
        None => Ok(()),
    }
}

/// The part that was approved, minor units.
fn part(profile: &Profile, answer: &Message, currency: &str) -> Option<i64> {
    match &profile.partial.answer {
        Approved::Amount => answer.number(4),
        Approved::Additional(kind) => {
            let number = numeric(currency).ok()?;
            let wanted = |one: &&[u8]| {
                one.get(2..4) == Some(kind.as_bytes())
                    && one.get(4..7) == Some(number.as_bytes())
                    && one.get(7) == Some(&b'C')
            };
            let all = answer.fields.get(&54)?;
            let amount = all.chunks_exact(ADDITIONAL).find(wanted)?.get(8..)?;
            let digits = amount.iter().all(u8::is_ascii_digit);
            std::str::from_utf8(amount).ok().filter(|_| digits)?.parse().ok()
        }
    }
}

/// A 0110 to a request that waits for it.
pub fn authorised(profile: &Profile, request: &Authorisation, answer: &Message) -> Result<Answer, ProcessorError> {
    let response_code = code(answer)?.to_owned();
    let asked = request.amount_minor;
    let approved = |amount_minor| {
        let auth_code = answer.text(38).filter(|code| !code.is_empty()).map(str::to_owned);
        let response_code = response_code.clone();
        Answer { approved: true, amount_minor, response_code, auth_code, token: None, network: None }
    };
    match profile.codes.said(&response_code) {
        Said::Approved => {
            same(answer, &request.currency, &request.terminal, true)?;
            same_amount(answer, asked, true)?;
            Ok(approved(asked))
        }
        Said::Partly => {
            same(answer, &request.currency, &request.terminal, true)?;
            let Some(amount) = part(profile, answer, &request.currency) else {
                return doubt("a part was approved, and the answer does not tell how much");
            };
            match amount {
                _ if !request.allow_partial => doubt("a part was approved, which was not allowed"),
                amount if amount < 1 || amount > asked => {
                    doubt(format!("{amount} minor units were approved of {asked}"))
                }
                amount => Ok(approved(amount)),
            }
        }
        Said::No | Said::Busy => {
            same(answer, &request.currency, &request.terminal, false)?;
            Ok(Answer { approved: false, amount_minor: 0, response_code, auth_code: None, token: None, network: None })
        }
        Said::Unsure | Said::Duplicate => doubt(format!("the answer {response_code} does not settle it")),
    }
}

/// A 0110 that nobody waits for any more; `None` if nobody can tell whose it is.
pub fn late(profile: &Profile, answer: &Message) -> Option<Late> {
    let rrn = answer.text(37).filter(|rrn| !rrn.is_empty())?.to_owned();
    let response_code = code(answer).ok()?.to_owned();
    let approved = match profile.codes.said(&response_code) {
        Said::Approved | Said::Partly | Said::Unsure | Said::Duplicate => !waits(profile, answer),
        Said::No | Said::Busy => false,
    };
    let amount_minor = answer.number(4).filter(|_| approved).unwrap_or(0);
    let auth_code = answer.text(38).filter(|code| !code.is_empty()).map(str::to_owned);
    Some(Late { rrn, answer: Answer { approved, amount_minor, response_code, auth_code, token: None, network: None } })
}

/// A reversal's, capture's or refund's answer: done, a clear no with its code, or in doubt.
fn followed<'a>(
    profile: &Profile,
    call: &FollowUp,
    amount_minor: i64,
    answer: &'a Message,
) -> Result<Result<(), &'a str>, ProcessorError> {
    let code = code(answer)?;
    same(answer, &call.of.currency, &call.of.terminal, false)?;
    same_amount(answer, amount_minor, false)?;
    match profile.codes.said(code) {
        Said::Approved => Ok(Ok(())),
        Said::Duplicate if call.repeat => Ok(Ok(())),
        Said::No => Ok(Err(code)),
        Said::Partly | Said::Unsure | Said::Busy | Said::Duplicate => {
            doubt(format!("the answer {code} does not settle it"))
        }
    }
}

/// A 0230: what is captured now, minor units.
pub fn captured(profile: &Profile, call: &FollowUp, answer: &Message) -> Result<i64, ProcessorError> {
    match followed(profile, call, call.amount_minor, answer)? {
        Ok(()) => Ok(call.amount_minor),
        Err(code) => Err(ProcessorError::Refused(format!("the capture was answered {code}"))),
    }
}

/// A 0410 or 0430: nothing is left of the original.
pub fn reversed(profile: &Profile, call: &FollowUp, answer: &Message) -> Result<(), ProcessorError> {
    let said = code(answer)?;
    if profile.codes.said(said) != Said::Approved && profile.codes.reversed.iter().any(|known| known == said) {
        return same(answer, &call.of.currency, &call.of.terminal, false);
    }
    match followed(profile, call, call.of.amount_minor, answer)? {
        Ok(()) => Ok(()),
        Err(code) => Err(ProcessorError::Refused(format!("the reversal was answered {code}"))),
    }
}

/// A 0210 to a refund.
pub fn refunded(profile: &Profile, call: &FollowUp, answer: &Message) -> Result<Refunded, ProcessorError> {
    let done = followed(profile, call, call.amount_minor, answer)?.is_ok();
    Ok(Refunded { done, response_code: code(answer)?.to_owned() })
}

/// A 0510: whether the totals agree. Field 66 says so (1 in balance, 2 out of balance); without it field 39 does (00, or
/// 95 reconcile error).
pub fn agreed(profile: &Profile, answer: &Message) -> Result<bool, ProcessorError> {
    let code = code(answer)?;
    match (profile.codes.said(code), answer.text(66)) {
        (Said::Approved, Some("1") | None) => Ok(true),
        (_, Some("2")) => Ok(false),
        (Said::No, None) if code == "95" => Ok(false),
        (_, settlement) => doubt(format!("the totals were answered {code}, settlement code {settlement:?}")),
    }
}

#[cfg(test)]
mod tests;
