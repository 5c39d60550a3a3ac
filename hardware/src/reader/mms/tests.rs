//! Every complete message that the vendor's manual prints, except the one that holds a real-looking card number:
//! decoded, taken apart, and written again byte for byte.

use super::message::{Message, Status};
use super::notification::{Notice, Outcome, notice};
use crate::bytes::{hex, unhex};

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Request(u16),
    Response(u16, Status),
    Notification(u16),
}

const SHORT: bool = false;
const LONG: bool = true;

/// Text of the manual, what it is, and whether its payload has a longer length than it needs.
const EXAMPLES: &[(&str, Is, bool)] = &[
    ("AA0081040101DF018407DF018103010203", Is::Request(0xDF01), SHORT),
    ("AA0081048201DF018204000000008407DF018103010203", Is::Response(0xDF01, Status::DONE), SHORT),
    (
        "AA008104010010 01843D1001 82013C A309810101820101830101 84020003 8627 9C0100 9F0206000000000100
         9F0306000000000000 5F2A020840 5F360102 9F15020000 9F530100",
        Is::Request(0x1001),
        SHORT,
    ),
    (
        "AA008104010010018430100182010AA30981010082010083010184020003861A9C01009F02060000000001009F03060000000000005F2A020840",
        Is::Request(0x1001),
        SHORT,
    ),
    ("AA0081048201100182 0401000000", Is::Response(0x1001, Status::RUNNING), SHORT),
    ("AA008104820110018204 80020316", Is::Response(0x1001, Status::LOW_BATTERY), SHORT),
    (
        "AA00810401001004 8421 1004 810100 820178 8417 FF7414 DFDF2508 9926 90E116120710 FA06 7004 8A023030",
        Is::Request(0x1004),
        SHORT,
    ),
    ("AA0081048206100482040000000084021004", Is::Response(0x1004, Status::DONE), SHORT),
    ("AA0081040113100884021008", Is::Request(0x1008), SHORT),
    ("AA008104821310088204 00000000", Is::Response(0x1008, Status::DONE), SHORT),
    ("AA0081040100180284081802810100820100", Is::Request(0x1802), SHORT),
    ("AA008104820018028204 01000000", Is::Response(0x1802, Status::RUNNING), SHORT),
    ("AA0081040155180384081803810102820116", Is::Request(0x1803), SHORT),
    ("AA008104825518038204 01000000 84021803", Is::Response(0x1803, Status::RUNNING), SHORT),
    ("AA0081040103180584181805 8114 00C801F4 019001F4 025801F4 019001F4 00C801F4", Is::Request(0x1805), SHORT),
    ("AA00810401121F0184021F01", Is::Request(0x1F01), SHORT),
    ("AA00810482121F018204 00000000", Is::Response(0x1F01, Status::DONE), SHORT),
    ("AA00810401551F0284021F02", Is::Request(0x1F02), SHORT),
    ("AA00810482551F02820400000000 84021F02", Is::Response(0x1F02, Status::DONE), SHORT),
    ("AA00810401551F0484021F04", Is::Request(0x1F04), SHORT),
    ("AA00810401 55D111 8410 D111 850101 870401010101 8903C501FF", Is::Request(0xD111), SHORT),
    ("AA0081040121EF118406EF1181022007", Is::Request(0xEF11), SHORT),
    ("AA008104 01B5D101 8418 D101 81072B06010401F609 850102 870402010101 8902C100", Is::Request(0xD101), SHORT),
    (
        "AA008104 82B5D101 820400000000 8482001C D101 81072B06010401F609 850102 870402010101 8906 C104 B61378A0",
        Is::Response(0xD101, Status::DONE),
        LONG,
    ),
    ("AA008104 0155D101 840F D101 850102 870403010201 8902C400", Is::Request(0xD101), SHORT),
    ("AA008104 0108D101 841A D101 81072B06010401F609 850102 890A E108 E206 E204 E202 C200", Is::Request(0xD101), SHORT),
    ("AA00810483000105 8204 20000000", Is::Notification(0x0105), SHORT),
];

#[test]
fn every_example_goes_both_ways() {
    for (text, is, long) in EXAMPLES {
        let bytes = unhex(text);
        let message = Message::decode(&bytes).unwrap_or_else(|why| panic!("{text}: {why}"));
        let found = match &message {
            Message::Request { command, .. } => Is::Request(*command),
            Message::Response { command, status, .. } => Is::Response(*command, *status),
            Message::Notification { number, .. } => Is::Notification(*number),
        };
        assert_eq!(found, *is, "{text}");
        let again = if *long { message.encode_long() } else { message.encode() };
        assert_eq!(hex(&again), hex(&bytes), "{text}");
    }
}

/// The details that the manual lists, and what a till makes of them.
#[test]
fn every_listed_notification_is_understood() {
    let said = |text: &str| notice(&Message::decode(&unhex(text)).unwrap()).unwrap();
    let detail = |number: &str, detail: &str| format!("AA00 8104 8300{number} 8204 {detail}");
    for (code, expected) in [
        ("00010000", Outcome::TimedOut),
        ("00030100", Outcome::Cancelled),
        ("00030200", Outcome::Cancelled),
        ("10020600", Outcome::Approved),
        ("10020700", Outcome::Deferred),
        ("10028000", Outcome::Declined),
        ("10020200", Outcome::Approved),
        ("10020300", Outcome::Declined),
        ("08020803", Outcome::Fallback),
        ("08020903", Outcome::Fallback),
        ("10020002", Outcome::Fallback),
        ("10020F02", Outcome::Fallback),
        ("10020A00", Outcome::Cancelled),
        ("10020D00", Outcome::Failed),
        ("08030500", Outcome::Failed),
        ("10020701", Outcome::Deferred),
        ("20000000", Outcome::Final),
    ] {
        assert_eq!(said(&detail("0105", code)), Notice::Complete(expected), "{code}");
    }
    for card in ["08010100", "10010200", "10010300", "20010400", "20010500"] {
        assert_eq!(said(&detail("0101", card)), Notice::CardSeen, "{card}");
    }
    assert_eq!(said(&detail("1001", "00020007")), Notice::LowBattery(7));
    assert_eq!(said(&detail("1803", "02010000")), Notice::Prompt(String::new()));
    assert_eq!(said(&detail("1805", "05040100")), Notice::Other);
}
