//! What goes out, field by field.

use super::super::profile::NEVER_SENT;
use super::*;
use std::collections::BTreeMap;

fn profile(name: &str) -> Profile {
    Profile::load(name).unwrap()
}

pub(in super::super) fn request() -> Authorisation {
    let emv = [("9F26", "0102030405060708"), ("82", "5800"), ("5A", "4111111111111111"), ("57", "4111111111111111D29")];
    Authorisation {
        key: "k".to_owned(),
        stan: 42,
        rrn: "e5a100000042".to_owned(),
        // 2026-11-24 23:59:58 UTC.
        at_ms: 1_795_564_798_000,
        terminal: "D-07/north-west".to_owned(),
        amount_minor: 1_235,
        currency: "EUR".to_owned(),
        deferred: false,
        allow_partial: true,
        keep_card: false,
        reference: None,
        source: Source::Card(CardPresent {
            ciphertext: "q83vEg==".to_owned(),
            ksn: "FFFF9876543210E00001".to_owned(),
            key_id: "ansi-test".to_owned(),
            encryption_type: "02".to_owned(),
            emv: emv.map(|(tag, value)| (tag.to_owned(), value.to_owned())).into_iter().collect(),
        }),
    }
}

pub(in super::super) fn follow_up(amount_minor: i64) -> FollowUp {
    let of = request();
    FollowUp {
        of: Sent {
            key: of.key,
            stan: of.stan,
            rrn: of.rrn,
            at_ms: of.at_ms,
            terminal: of.terminal,
            amount_minor: of.amount_minor,
            currency: of.currency,
            deferred: of.deferred,
            auth_code: Some("A42".to_owned()),
            reference: None,
        },
        key: "k-capture".to_owned(),
        stan: 43,
        at_ms: 1_795_564_801_000,
        repeat: false,
        amount_minor,
    }
}

/// What a message says, as text.
fn shown(message: &Message) -> BTreeMap<u8, String> {
    message.fields.iter().map(|(field, value)| (*field, value.escape_ascii().to_string())).collect()
}

fn check(message: &Message, mti: u16, expect: &[(u8, &str)]) {
    let shown = shown(message);
    assert_eq!(message.mti, Mti(mti));
    for (field, value) in expect {
        assert_eq!(shown.get(field).map(String::as_str), Some(*value), "field {field} of {mti}");
    }
    for field in NEVER_SENT {
        assert!(!message.fields.contains_key(&field), "field {field} of {mti} is never sent");
    }
}

#[test]
fn an_authorisation_says_what_is_asked_and_by_whom() {
    let message = authorisation(&profile("ascii"), &request()).unwrap();
    let numbers = [(3, "000000"), (4, "000000001235"), (7, "1124235958"), (11, "000042"), (12, "235958"), (13, "1124")];
    check(&message, 100, &numbers);
    let names = [(22, "051"), (37, "e5a100000042"), (41, "D07north"), (42, "TILLROLL0000001"), (49, "978")];
    check(&message, 100, &names);
    check(&message, 100, &[(62, "q83vEg=="), (59, "FFFF9876543210E00001"), (58, "ansi-test"), (57, "02"), (61, "P")]);
    check(&message, 100, &[(55, r"\x82\x02X\x00\x9f&\x08\x01\x02\x03\x04\x05\x06\x07\x08")]);
    assert!(!message.fields.contains_key(&60));
    profile("ascii").encode(&message).unwrap();
}

#[test]
fn local_times_are_those_of_the_profiles_zone() {
    let profile = Profile { time_zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(), ..profile("ascii") };
    check(&authorisation(&profile, &request()).unwrap(), 100, &[(7, "1124235958"), (12, "005958"), (13, "1125")]);
}

#[test]
fn amounts_count_in_the_currencys_minor_units() {
    for (currency, number) in [("JPY", "392"), ("KWD", "414"), ("ALL", "008")] {
        let asked = Authorisation { currency: currency.to_owned(), ..request() };
        check(&authorisation(&profile("ascii"), &asked).unwrap(), 100, &[(4, "000000001235"), (49, number)]);
    }
}

#[test]
fn what_follows_names_the_original_and_keeps_its_rrn() {
    let profile = profile("ascii");
    let original = "010000004211242359580000000000100000000000";
    let common = [(11, "000043"), (7, "1125000001"), (37, "e5a100000042"), (38, "A42   "), (49, "978"), (90, original)];
    let calls = [
        (completion(&profile, &follow_up(1_000)), 220, "000000", "000000001000"),
        (reversal(&profile, &follow_up(1_000)), 420, "000000", "000000001235"),
        (refund(&profile, &follow_up(1_000)), 200, "200000", "000000001000"),
    ];
    for (message, mti, code, amount) in calls {
        let message = message.unwrap();
        check(&message, mti, &common);
        check(&message, mti, &[(3, code), (4, amount)]);
        profile.encode(&message).unwrap();
    }
}

#[test]
fn a_repeat_differs_in_the_last_digit_of_its_type_only() {
    let once = follow_up(1_000);
    let again = FollowUp { repeat: true, ..once.clone() };
    type Build = fn(&Profile, &FollowUp) -> Result<Message, ProcessorError>;
    let cases: [(&str, Build, u16); 4] =
        [("ascii", completion, 221), ("ascii", reversal, 421), ("ascii-hex", reversal, 401), ("ascii", refund, 201)];
    for (name, build, mti) in cases {
        let (first, second) = (build(&profile(name), &once).unwrap(), build(&profile(name), &again).unwrap());
        assert_eq!((second.mti, first.mti), (Mti(mti), Mti(mti - 1)));
        assert_eq!(first.fields, second.fields);
    }
}

#[test]
fn totals_are_debits_and_credits_with_a_signed_net() {
    for (captured_minor, refunded_minor, net) in
        [(1_500, 500, "D0000000000001000"), (500, 1_500, "C0000000000001000"), (0, 0, "D0000000000000000")]
    {
        let totals = Totals { captures: 3, captured_minor, refunds: 1, refunded_minor };
        let message = reconciliation(&profile("ascii"), &totals, 7, 0).unwrap();
        check(&message, 500, &[(74, "0000000001"), (76, "0000000003"), (97, net), (11, "000007")]);
        check(&message, 500, &[(86, &format!("{refunded_minor:016}")), (88, &format!("{captured_minor:016}"))]);
        profile("ascii").encode(&message).unwrap();
    }
    let below = Totals { captures: 0, captured_minor: -1, refunds: 0, refunded_minor: 0 };
    assert!(reconciliation(&profile("ascii"), &below, 7, 0).is_err());
}

#[test]
fn a_cipher_text_runs_on_in_the_next_field_and_never_gets_lost() {
    let long = |length: usize| {
        let mut asked = request();
        if let Source::Card(card) = &mut asked.source {
            card.ciphertext = "A".repeat(length);
        }
        authorisation(&profile("ascii"), &asked)
    };
    let two = long(1_200).unwrap();
    assert_eq!((two.fields[&62].len(), two.fields[&63].len()), (999, 201));
    assert!(matches!(long(1_999), Err(ProcessorError::Unable(why)) if why.contains("longer")));
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is() {
    let card = |change: fn(&mut CardPresent)| {
        let mut asked = request();
        if let Source::Card(card) = &mut asked.source {
            change(card);
        }
        asked
    };
    let cases = [
        Authorisation { amount_minor: 0, ..request() },
        Authorisation { amount_minor: -1, ..request() },
        Authorisation { amount_minor: 1_000_000_000_000, ..request() },
        Authorisation { currency: "???".to_owned(), ..request() },
        card(|card| card.ciphertext = String::new()),
        card(|card| card.ciphertext = "no base 64".to_owned()),
        card(|card| card.ksn = "xyz".to_owned()),
        card(|card| card.key_id = "a;b".to_owned()),
        card(|card| drop(card.emv.insert("82".to_owned(), "5".to_owned()))),
        card(|card| drop(card.emv.insert("82".to_owned(), "00".repeat(256)))),
    ];
    for asked in cases {
        let got = authorisation(&profile("ascii"), &asked);
        let unsent = got.map_err(|why| why.unsent("it does not fit"));
        assert!(matches!(unsent, Err(ProcessorError::Unable(_))), "{asked:?}: {unsent:?}");
    }
    let kept = Authorisation { source: Source::OnFile("t".to_owned()), ..request() };
    assert!(matches!(authorisation(&profile("ascii"), &kept), Err(ProcessorError::Unable(_))));
}
