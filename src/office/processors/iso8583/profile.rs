//! What differs from processor to processor, as data: layout, fields, codes, waiting times. `profiles/ascii.toml` is
//! the whole of it with words; every other profile is laid over that one.
//!
//! Invariant: a profile that loads can be used: each field that it names has a format, and none that would carry a card
//! number in clear. Start at [`Profile::load`].

use super::fields::{FIELD_MAX, Size};
use super::message::{Bitmap, CodecError, Formats, Message, decode, encode};
use crate::office::processors::ProcessorError;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

const BASE: &str = include_str!("profiles/ascii.toml");
const FIELDS: &str = include_str!("profiles/fields-1987.toml");
/// Profiles that are built in, and what they lay over the base.
const BUILT_IN: [(&str, &str); 2] = [("ascii", ""), ("ascii-hex", include_str!("profiles/ascii-hex.toml"))];

/// Fields that hold a card number, its tracks, its expiry or a PIN (ISO 8583:1987 table 2): never sent.
pub const NEVER_SENT: [u8; 7] = [2, 14, 34, 35, 36, 45, 52];
/// EMV tags that hold the same, or the holder's name (EMV Book 3, Annex A): never sent.
const NEVER_SENT_TAGS: [&str; 10] = ["56", "57", "5A", "99", "5F20", "5F24", "9F1F", "9F20", "9F6B", "5F25"];
/// The longest profile file, bytes.
const FILE_MAX: u64 = 64 * 1024;
/// The largest message that a header of two bytes tells, bytes.
const MESSAGE_MAX: usize = 65_535;

/// Waiting times, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// For a connection.
    pub connect_ms: u64,
    /// For the answer to a sign-on or an echo.
    pub sign_on_ms: u64,
    /// For an answer; one that says wait makes it the caller's whole time.
    pub answer_ms: u64,
    /// For the rest of a message that has begun.
    pub rest_ms: u64,
    /// Without a word before an echo; 0: never.
    pub idle_ms: u64,
}

/// Which reversal a processor wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reversal {
    /// 0400, repeated 0401, answered 0410.
    Request,
    /// 0420, repeated 0421, answered 0430.
    Advice,
}

/// Field 22 of an authorisation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The card gave a cryptogram.
    pub chip: String,
    /// It gave none.
    pub stripe: String,
}

/// Where the opaque card data goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardFields {
    /// The cipher text, base64; it runs on in the next when one is full.
    pub ciphertext: Vec<u8>,
    /// The key serial number, hex.
    pub ksn: u8,
    /// The reader's key set.
    pub key_id: u8,
    /// The reader's encryption type, hex.
    pub encryption: u8,
}

/// What field 55 may carry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emv {
    /// Tags, upper-case hex.
    pub tags: Vec<String>,
}

/// A field that says something by being there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Which.
    pub field: u8,
    /// What is in it.
    pub value: String,
}

/// Where an answer tells how much was approved in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approved {
    /// Field 4.
    Amount,
    /// The additional amount of this type in field 54.
    Additional(String),
}

/// How a part of the amount is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// Says that it may be.
    pub mark: Mark,
    /// Where the part stands.
    pub answer: Approved,
}

/// Meanings of field 39.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// Approved or done.
    pub approved: Vec<String>,
    /// Approved in part.
    pub partial: Vec<String>,
    /// The answer takes longer.
    pub wait: Vec<String>,
    /// Nobody can say that it had no effect.
    pub unsure: Vec<String>,
    /// Cannot be done now: a decline of an authorisation; what follows one is tried again.
    pub busy: Vec<String>,
    /// To a reversal: nothing is left of the original.
    pub reversed: Vec<String>,
    /// To a repeat: it was done before.
    pub duplicate: String,
}

/// One processor's way of ISO 8583.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name, or its file.
    pub name: String,
    /// How bitmaps lie on the wire.
    pub bitmap: Bitmap,
    /// The largest message either way, bytes.
    pub message_max: usize,
    /// Which reversal it wants.
    pub reversal: Reversal,
    /// Of fields 12 and 13.
    pub time_zone: TimeZone,
    /// How long what is waited for.
    pub times: Times,
    /// Fields in every message about money.
    pub constants: BTreeMap<u8, String>,
    /// Field 22.
    pub entry: Entry,
    /// Opaque card data.
    pub card: CardFields,
    /// Field 55.
    pub emv: Emv,
    /// Taken offline, sent later.
    pub deferred: Mark,
    /// Approved in part.
    pub partial: Partial,
    /// Field 39.
    pub codes: Codes,
    /// All fields.
    pub formats: Formats,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bitmap: Bitmap,
    message_max: usize,
    reversal: Reversal,
    time_zone: String,
    times: Times,
    constants: BTreeMap<String, String>,
    entry: Entry,
    card: CardFields,
    emv: Emv,
    deferred: Mark,
    partial: PartialFile,
    codes: Codes,
    fields: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartialFile {
    field: u8,
    value: String,
    answer: String,
}

impl Profile {
    /// A built-in profile by name, or one from a file whose name ends in `.toml`.
    ///
    /// # Errors
    /// [`ProcessorError::Setting`]: no such profile, or one that cannot be used, with the place.
    pub fn load(name: &str) -> Result<Profile, ProcessorError> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        let text = match built_in {
            Some((_, text)) => (*text).to_owned(),
            None if name.ends_with(".toml") => read(Path::new(name)).map_err(|why| setting(name, why))?,
            None => {
                let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
                let known = format!("there is {}, or a file NAME.toml", names.join(", "));
                return Err(setting(name, known));
            }
        };
        Profile::read(name, &text).map_err(|why| setting(name, why))
    }

    /// A profile from what its file lays over the base.
    fn read(name: &str, text: &str) -> Result<Profile, String> {
        let table = |text: &str| text.parse::<toml::Table>().map_err(|why| why.to_string());
        let mut whole = table(BASE)?;
        whole.insert("fields".to_owned(), toml::Value::Table(table(FIELDS)?));
        lay_over(&mut whole, table(text)?);
        let file: File = toml::Value::Table(whole).try_into().map_err(|why: toml::de::Error| why.to_string())?;
        let answer = match file.partial.answer.split_once(':') {
            None if file.partial.answer == "DE4" => Approved::Amount,
            Some(("DE54", kind)) if kind.len() == 2 => Approved::Additional(kind.to_owned()),
            _ => return Err(format!("partial.answer {:?} is neither DE4 nor DE54:NN", file.partial.answer)),
        };
        let zone = match file.time_zone.as_str() {
            "UTC" => TimeZone::UTC,
            "system" => TimeZone::system(),
            rule => TimeZone::posix(rule).map_err(|why| format!("time_zone: {why}"))?,
        };
        let profile = Profile {
            name: name.to_owned(),
            bitmap: file.bitmap,
            message_max: file.message_max,
            reversal: file.reversal,
            time_zone: zone,
            times: file.times,
            constants: numbered(&file.constants, |text| Ok(text.to_owned()))?,
            entry: file.entry,
            card: file.card,
            emv: file.emv,
            deferred: file.deferred,
            partial: Partial { mark: Mark { field: file.partial.field, value: file.partial.value }, answer },
            codes: file.codes,
            formats: numbered(&file.fields, |text| text.parse().map_err(|why| format!("{why}")))?,
        };
        profile.check()?;
        Ok(profile)
    }

    /// What would fail at the first message fails now.
    fn check(&self) -> Result<(), String> {
        let card = &self.card;
        let named = card.ciphertext.iter().chain([&card.ksn, &card.key_id, &card.encryption]);
        let named = named.chain([&self.deferred.field, &self.partial.mark.field]).chain(self.constants.keys());
        for field in named {
            if NEVER_SENT.contains(field) {
                return Err(format!("field {field} would carry card data in clear"));
            }
            if !self.formats.contains_key(field) {
                return Err(format!("field {field} has no format"));
            }
        }
        if let Some(tag) = self.emv.tags.iter().find(|tag| NEVER_SENT_TAGS.contains(&tag.as_str())) {
            return Err(format!("EMV tag {tag} would carry card data in clear"));
        }
        if !(64..=MESSAGE_MAX).contains(&self.message_max) {
            return Err(format!("message_max {} is not between 64 and {MESSAGE_MAX}", self.message_max));
        }
        let mut sample = Message::new(super::message::Mti::AUTHORISATION);
        sample.fields.extend(self.constants.iter().map(|(field, value)| (*field, value.clone().into_bytes())));
        sample.set(22, self.entry.chip.clone());
        self.encode(&sample).map_err(|why| format!("constants: {why}"))?;
        sample.set(22, self.entry.stripe.clone());
        self.encode(&sample).map(|_| ()).map_err(|why| format!("entry: {why}"))
    }

    /// A message by this profile's formats.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn decode(&self, bytes: &[u8]) -> Result<Message, CodecError> {
        decode(bytes, self.bitmap, &self.formats)
    }

    /// A message's bytes, without a header.
    ///
    /// # Errors
    /// A value that its format cannot hold.
    pub fn encode(&self, message: &Message) -> Result<Vec<u8>, CodecError> {
        encode(message, self.bitmap, &self.formats)
    }

    /// The most that a field holds, bytes.
    pub fn room(&self, field: u8) -> usize {
        self.formats.get(&field).map_or(0, |format| match format.size {
            Size::Fixed(length) => length,
            Size::UpTo { max, .. } => max,
        })
    }
}

fn setting(name: &str, why: impl std::fmt::Display) -> ProcessorError {
    ProcessorError::Setting(format!("ISO 8583 profile {name}: {why}"))
}

fn read(file: &Path) -> Result<String, String> {
    let size = std::fs::metadata(file).map_err(|why| why.to_string())?.len();
    if size > FILE_MAX {
        return Err(format!("{size} bytes, at most {FILE_MAX} expected"));
    }
    std::fs::read_to_string(file).map_err(|why| why.to_string())
}

fn lay_over(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => lay_over(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn numbered<T>(
    texts: &BTreeMap<String, String>,
    each: impl Fn(&str) -> Result<T, String>,
) -> Result<BTreeMap<u8, T>, String> {
    let one = |(field, text): (&String, &String)| {
        let number = field.parse().ok().filter(|n| (2..=FIELD_MAX).contains(n));
        let number = number.ok_or_else(|| format!("{field:?} is no field from 2 to {FIELD_MAX}"))?;
        each(text).map(|value| (number, value)).map_err(|why| format!("field {number}: {why}"))
    };
    texts.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<(), &str>) {
        match (Profile::read("a.toml", text), expect) {
            (Ok(_), Ok(())) => {}
            (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
            (got, expect) => panic!("{text}: {:?}, {expect:?}", got.map(|_| ())),
        }
    }

    #[test]
    fn a_profile_that_cannot_be_used_is_refused_when_it_is_loaded() {
        check("", Ok(()));
        check("[fields]\n48 = \"b...100\"\n[constants]\n43 = \"Acme Heating            Springfield   US\"", Ok(()));
        check("bitmap = \"round\"", Err("unknown variant"));
        check("colour = 1", Err("unknown field"));
        check("[constants]\n2 = \"4111111111111111\"", Err("card data in clear"));
        check("[card]\nksn = 35", Err("card data in clear"));
        check("[emv]\ntags = [\"5A\"]", Err("card data in clear"));
        check("[card]\nciphertext = [65]", Err("field 65 has no format"));
        check("[constants]\n25 = \"000\"", Err("data element 25"));
        check("[entry]\nstripe = \"9\"", Err("data element 22"));
        check("[fields]\n200 = \"n6\"", Err("no field from 2 to 128"));
        check("[fields]\n4 = \"m12\"", Err("is no format"));
        check("[partial]\nanswer = \"DE5\"", Err("neither DE4 nor DE54"));
        check("time_zone = \"Middle/Earth\"", Err("time_zone"));
        check("message_max = 70000", Err("message_max"));
    }

    #[test]
    fn built_in_profiles_load_and_others_are_named() {
        for (name, _) in BUILT_IN {
            assert_eq!(Profile::load(name).unwrap().name, name);
        }
        let why = Profile::load("acme").unwrap_err().to_string();
        assert!(why.contains("ascii, ascii-hex, or a file"), "{why}");
        assert!(Profile::load("nowhere.toml").is_err());
    }
}
