//! Our codec against `pyiso8583`, which has its own table of data elements, on random messages both ways.

use crate::rig;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::io::{Seek as _, Write as _};
use std::process::{Command, Stdio};
use tillroll::office::processors::iso8583::fields::{Content, Fault, Format, Size};
use tillroll::office::processors::iso8583::message::{Bitmap, CodecError, Message, Mti, Place};
use tillroll::office::processors::iso8583::profile::Profile;

/// Random messages for each profile.
const MESSAGES: usize = 1_500;

/// A seed that is told, so that what it found can be found again: TILLROLL_SEED.
fn seeded() -> ChaCha8Rng {
    let told = std::env::var("TILLROLL_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = told.unwrap_or_else(|| rand::rng().random());
    eprintln!("TILLROLL_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// One answer a question.
fn theirs(python: &std::path::Path, questions: &[Value]) -> Vec<Value> {
    let mut file = tempfile::tempfile().unwrap();
    for question in questions {
        writeln!(file, "{question}").unwrap();
    }
    file.rewind().unwrap();
    let mut command = Command::new(python);
    let out = command.arg(rig::peer("iso8583_codec.py")).stdin(Stdio::from(file)).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8(out.stdout).unwrap();
    let said: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(said.len(), questions.len());
    said
}

fn value(format: Format, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let length = match format.size {
        Size::Fixed(length) => length,
        Size::UpTo { max, .. } if rng.random_bool(0.1) => max,
        Size::UpTo { max, .. } => rng.random_range(0..=max.min(40)),
    };
    let byte = |n: usize, rng: &mut ChaCha8Rng| match format.content {
        Content::Signed if n == 0 => *b"CD".get(rng.random_range(0..2_usize)).unwrap(),
        Content::Digits | Content::Signed => rng.random_range(b'0'..=b'9'),
        Content::Text => rng.random_range(b' '..=b'~'),
        Content::Binary => rng.random(),
    };
    (0..length).map(|n| byte(n, rng)).collect()
}

fn random(profile: &Profile, rng: &mut ChaCha8Rng) -> Message {
    let mut message = Message::new(Mti(rng.random_range(0..10_000)));
    let some = rng.random_range(0.0..0.5);
    for (field, format) in &profile.formats {
        if rng.random_bool(some) && (*field <= 64 || message.mti.0.is_multiple_of(2)) {
            message.set(*field, value(*format, rng));
        }
    }
    message
}

/// As the other codec names it.
fn named(profile: &Profile, message: &Message) -> Value {
    let text = |(field, value): (&u8, &Vec<u8>)| {
        let binary = profile.formats[field].content == Content::Binary;
        let text = if binary { hex::encode_upper(value) } else { String::from_utf8(value.clone()).unwrap() };
        (field.to_string(), Value::from(text))
    };
    let fields: serde_json::Map<String, Value> = message.fields.iter().map(text).collect();
    json!({ "t": message.mti.to_string(), "fields": fields })
}

fn bitmap(profile: &Profile) -> &'static str {
    match profile.bitmap {
        Bitmap::Binary => "binary",
        Bitmap::Hex => "hex",
    }
}

#[test]
fn slow_another_codec_reads_what_we_write_and_we_read_what_it_writes() {
    let Some(python) = rig::python() else { return };
    let mut rng = seeded();
    for profile in ["ascii", "ascii-hex"].map(|name| Profile::load(name).unwrap()) {
        let messages: Vec<Message> = (0..MESSAGES).map(|_| random(&profile, &mut rng)).collect();
        let mut questions = Vec::new();
        for message in &messages {
            let bytes = profile.encode(message).unwrap();
            questions.push(json!({ "bitmap": bitmap(&profile), "decode": hex::encode(bytes) }));
            let mut write = named(&profile, message);
            write["bitmap"] = bitmap(&profile).into();
            questions.push(write);
        }
        let said = theirs(&python, &questions);
        for (message, said) in messages.iter().zip(said.chunks_exact(2)) {
            assert_eq!(said[0], named(&profile, message), "what it read");
            let bytes = hex::decode(said[1]["hex"].as_str().unwrap_or_default()).unwrap();
            assert_eq!(profile.decode(&bytes).as_ref(), Ok(message), "what it wrote: {}", said[1]);
        }
    }
}

/// Where we may be stricter: what a field may hold, how a length is written, and a third bitmap.
fn stricter(why: &CodecError) -> bool {
    match &why.fault {
        Fault::Content(_) | Fault::Length => true,
        Fault::Unknown => why.place == Place::Field(65),
        Fault::Short { .. } | Fault::Size { .. } | Fault::Trailing(_) => false,
    }
}

#[test]
fn two_codecs_agree_on_what_is_no_message() {
    let Some(python) = rig::python() else { return };
    let mut rng = seeded();
    for profile in ["ascii", "ascii-hex"].map(|name| Profile::load(name).unwrap()) {
        let mut spoilt = Vec::new();
        for _ in 0..MESSAGES {
            let mut bytes = profile.encode(&random(&profile, &mut rng)).unwrap();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..bytes.len());
                match rng.random_range(0..4) {
                    0 => bytes[at] = rng.random(),
                    1 => bytes.truncate(at.max(1)),
                    2 => bytes.insert(at, rng.random_range(b'0'..=b'9')),
                    _ => drop(bytes.remove(at)),
                }
                if bytes.is_empty() {
                    bytes.push(b'0');
                }
            }
            spoilt.push(bytes);
        }
        let ask = |bytes: &Vec<u8>| json!({ "bitmap": bitmap(&profile), "decode": hex::encode(bytes) });
        let said = theirs(&python, &spoilt.iter().map(ask).collect::<Vec<_>>());
        let mut refused = 0;
        for (bytes, said) in spoilt.iter().zip(said) {
            match (profile.decode(bytes), said.get("error")) {
                (Ok(message), None) => assert_eq!(said, named(&profile, &message)),
                (Err(_), Some(_)) => refused += 1,
                (Err(why), None) => assert!(stricter(&why), "{why}: {said}"),
                (Ok(message), Some(error)) => panic!("{message:?}: {error}"),
            }
        }
        assert!(refused > MESSAGES / 4, "{refused} refused by both");
    }
}
