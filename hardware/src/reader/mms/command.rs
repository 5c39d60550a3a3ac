//! What the host asks of an MMS reader: the requests that a till needs, each with the manual's own number.

use super::message::Message;
use crate::reader::ArmRequest;
use crate::tlv;

/// Start Transaction.
pub const START: u16 = 0x1001;
/// Cancel Transaction.
pub const CANCEL: u16 = 0x1008;
/// Report Cardholder Selection.
pub const REPORT_SELECTION: u16 = 0x1802;
/// Sound Buzzer.
pub const BUZZER: u16 = 0x1805;
/// Subscribe to Notifications.
pub const SUBSCRIBE: u16 = 0x1F02;
/// Get Property.
pub const GET_PROPERTY: u16 = 0xD101;
/// Echo.
pub const ECHO: u16 = 0xDF01;

/// Transaction type 00: goods and services (ISO 8583 processing code).
const PURCHASE: u8 = 0x00;

/// Options of Start Transaction: Quick Chip, in the format that the manual demands.
const QUICK_CHIP: [u8; 2] = [0x00, 0x03];

/// Largest amount of tag 9F02: twelve digits.
pub const MAX_AMOUNT: u64 = 999_999_999_999;

/// A property of the reader: the request's parameters, word for word from the manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// OID 2.2.1.1.1.1: serial number, seven hex digits and a pad.
    Serial,
    /// OID 2.1.2.2.2.1: name of the model, text that ends with NUL.
    Model,
    /// OID 2.1.2.2.2.2: version of the firmware, text filled up with NUL.
    Firmware,
    /// OID 2.3.1.2.1.4: battery, percent.
    Battery,
}

/// Every property that is asked for.
const PROPERTIES: [Property; 4] = [Property::Serial, Property::Model, Property::Firmware, Property::Battery];

/// Ways that a card may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interfaces {
    /// Contact, contactless and stripe.
    All,
    /// The stripe alone: fallback for a chip that cannot be read.
    StripeOnly,
}

impl Property {
    /// Parameters of the request, without the command's number.
    pub fn params(self) -> &'static [u8] {
        match self {
            Property::Serial => &[
                0x81, 0x07, 0x2B, 0x06, 0x01, 0x04, 0x01, 0xF6, 0x09, 0x85, 0x01, 0x02, 0x87, 0x04, 0x02, 0x01, 0x01,
                0x01, 0x89, 0x02, 0xC1, 0x00,
            ],
            Property::Model => &[
                0x81, 0x07, 0x2B, 0x06, 0x01, 0x04, 0x01, 0xF6, 0x09, 0x85, 0x01, 0x02, 0x89, 0x0A, 0xE1, 0x08, 0xE2,
                0x06, 0xE2, 0x04, 0xE2, 0x02, 0xC1, 0x00,
            ],
            Property::Firmware => &[
                0x81, 0x07, 0x2B, 0x06, 0x01, 0x04, 0x01, 0xF6, 0x09, 0x85, 0x01, 0x02, 0x89, 0x0A, 0xE1, 0x08, 0xE2,
                0x06, 0xE2, 0x04, 0xE2, 0x02, 0xC2, 0x00,
            ],
            Property::Battery => &[0x85, 0x01, 0x02, 0x87, 0x04, 0x03, 0x01, 0x02, 0x01, 0x89, 0x02, 0xC4, 0x00],
        }
    }

    /// The templates within 89, from the outside, and the tag of the value.
    fn path(self) -> (&'static [tlv::Tag], tlv::Tag) {
        match self {
            Property::Serial => (&[], 0xC1),
            Property::Battery => (&[], 0xC4),
            Property::Model => (&[0xE1, 0xE2, 0xE2, 0xE2], 0xC1),
            Property::Firmware => (&[0xE1, 0xE2, 0xE2, 0xE2], 0xC2),
        }
    }

    /// The value in the payload of a response.
    pub fn value(self, payload: &[u8]) -> Option<&[u8]> {
        let (templates, tag) = self.path();
        let inside = templates.iter().try_fold(tlv::find(payload, 0x89)?, |level, tag| tlv::find(level, *tag))?;
        tlv::find(inside, tag)
    }

    /// The property that a request's parameters ask for.
    pub fn asked(params: &[u8]) -> Option<Property> {
        PROPERTIES.into_iter().find(|property| property.params() == params)
    }

    /// Payload of the response that holds `value`: the request's parameters with the value filled in.
    pub fn answer(self, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for element in tlv::elements(self.params()).map_while(Result::ok).filter(|element| element.tag != 0x89) {
            tlv::put(&mut out, element.tag, element.value);
        }
        let (templates, tag) = self.path();
        let mut filled = Vec::new();
        tlv::put(&mut filled, tag, value);
        for template in templates.iter().rev() {
            let inside = std::mem::take(&mut filled);
            tlv::put(&mut filled, *template, &inside);
        }
        tlv::put(&mut out, 0x89, &filled);
        out
    }
}

/// Echo.
pub fn echo(reference: u8, data: &[u8]) -> Message {
    Message::Request { reference, command: ECHO, params: data.to_vec() }
}

/// Subscribe to every notification on this connection.
pub fn subscribe(reference: u8) -> Message {
    Message::Request { reference, command: SUBSCRIBE, params: Vec::new() }
}

/// Two short tones; each is hertz and milliseconds.
pub fn buzzer(reference: u8) -> Message {
    let tones = [800_u16, 150, 1_200, 150].map(u16::to_be_bytes);
    let mut params = Vec::new();
    tlv::put(&mut params, 0x81, tones.as_flattened());
    Message::Request { reference, command: BUZZER, params }
}

/// Get Property.
pub fn get_property(reference: u8, property: Property) -> Message {
    Message::Request { reference, command: GET_PROPERTY, params: property.params().to_vec() }
}

/// Start Transaction by Quick Chip. A swipe is armed too: its data is encrypted like any other.
pub fn start(reference: u8, request: &ArmRequest, ways: Interfaces) -> Message {
    let mut params = Vec::new();
    tlv::put(&mut params, 0x82, &[request.timeout_s]);
    let mut interfaces = Vec::new();
    for (tag, chip) in [(0x81, false), (0x82, true), (0x83, true)] {
        tlv::put(&mut interfaces, tag, &[u8::from(ways == Interfaces::All || !chip)]);
    }
    tlv::put(&mut params, 0xA3, &interfaces);
    tlv::put(&mut params, 0x84, &QUICK_CHIP);
    tlv::put(&mut params, 0x86, &transaction(request));
    Message::Request { reference, command: START, params }
}

/// The transaction's own tags (EMV Book 3, Annex A): type, amount, amount of cashback, currency and its exponent.
fn transaction(request: &ArmRequest) -> Vec<u8> {
    let mut out = Vec::new();
    tlv::put(&mut out, 0x9C, &[PURCHASE]);
    tlv::put(&mut out, 0x9F02, &bcd::<6>(request.amount_minor));
    tlv::put(&mut out, 0x9F03, &bcd::<6>(0));
    tlv::put(&mut out, 0x5F2A, &bcd::<2>(u64::from(request.currency_numeric)));
    tlv::put(&mut out, 0x5F36, &[request.currency_exponent]);
    out
}

/// Cancel Transaction.
pub fn cancel(reference: u8) -> Message {
    Message::Request { reference, command: CANCEL, params: Vec::new() }
}

/// Report Cardholder Selection: index from 0, or given up.
pub fn report_selection(reference: u8, index: Option<u8>) -> Message {
    let mut params = Vec::new();
    tlv::put(&mut params, 0x81, &[u8::from(index.is_none())]);
    tlv::put(&mut params, 0x82, &[index.unwrap_or(0)]);
    Message::Request { reference, command: REPORT_SELECTION, params }
}

/// Packed decimal digits, two a byte, right-aligned. Digits beyond the room are cut off: callers check the range.
pub fn bcd<const BYTES: usize>(mut number: u64) -> [u8; BYTES] {
    let mut out = [0; BYTES];
    for byte in out.iter_mut().rev() {
        let pair = number % 100;
        *byte = u8::try_from(pair / 10 * 16 + pair % 10).unwrap_or(0);
        number /= 100;
    }
    out
}

/// The number of packed decimal digits; `None` for a nibble above nine or more than 18 digits.
pub fn unbcd(bytes: &[u8]) -> Option<u64> {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    nibbles.into_iter().try_fold(0_u64, |number, digit| {
        (digit <= 9 && number < 100_000_000_000_000_000).then(|| number * 10 + u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};
    use crate::reader::mms::message::Status;

    /// The manual's requests and responses for the two properties.
    #[test]
    fn properties_read_as_in_the_manual() {
        let ask = get_property(0xB5, Property::Serial);
        assert_eq!(hex(&ask.encode()), "AA00810401B5D1018418D10181072B06010401F6098501028704020101018902C100");
        let ask = get_property(0x55, Property::Battery);
        assert_eq!(hex(&ask.encode()), "AA0081040155D101840FD1018501028704030102018902C400");
        let text = "AA00810482B5D10182040000000084 82001C D10181072B06010401F60985010287040201010189 06C104B61378A0";
        let answer = Message::Response {
            reference: 0xB5,
            command: GET_PROPERTY,
            status: Status::DONE,
            payload: Some(Property::Serial.answer(&unhex("B61378A0"))),
        };
        assert_eq!(hex(&answer.encode_long()), hex(&unhex(text)));
        let Ok(Message::Response { payload: Some(payload), .. }) = Message::decode(&unhex(text)) else {
            panic!("no response");
        };
        assert_eq!(Property::Serial.value(&payload), Some(unhex("B61378A0").as_slice()));
    }

    #[test]
    fn names_read_as_in_the_manual() {
        let ask = get_property(0x08, Property::Firmware);
        assert_eq!(hex(&ask.encode()), "AA0081040108D101841AD10181072B06010401F609850102890AE108E206E204E202C200");
        let payload =
            unhex("81072B06010401F609 850102 891D E11B E219 E217 E215 C213 313030303030373138332D41312D5043490000");
        assert_eq!(Property::Firmware.value(&payload), Some(b"1000007183-A1-PCI\0\0".as_slice()));
        assert_eq!(Property::Firmware.answer(b"1000007183-A1-PCI\0\0"), payload);
        let ask = get_property(0x06, Property::Model);
        assert!(hex(&ask.encode()).ends_with("E108E206E204E202C100"));
        assert_eq!(
            Property::Model.value(&Property::Model.answer(b"DynaFlex Pro\0")),
            Some(b"DynaFlex Pro\0".as_slice())
        );
    }

    #[test]
    fn echo_buzzer_and_subscription_are_the_manuals_bytes() {
        assert_eq!(hex(&echo(1, &unhex("8103010203")).encode()), "AA0081040101DF018407DF018103010203");
        assert_eq!(hex(&subscribe(0x55).encode()), "AA00810401551F0284021F02");
        let tones = unhex("00C801F4019001F4025801F4019001F400C801F4");
        let manual = unhex("AA0081040103180584181805 8114 00C801F4 019001F4 025801F4 019001F4 00C801F4");
        let Message::Request { command, params, .. } = Message::decode(&manual).unwrap() else { panic!("no request") };
        let Message::Request { command: ours, params: tones_of_ours, .. } = buzzer(3) else { panic!("no request") };
        assert_eq!((command, tlv::find(&params, 0x81)), (ours, Some(tones.as_slice())));
        assert_eq!(tlv::find(&tones_of_ours, 0x81).map(|tones| tones.len() % 4), Some(0));
    }

    #[test]
    fn cancel_and_selection_are_the_manuals_bytes() {
        assert_eq!(hex(&cancel(0x13).encode()), "AA0081040113100884021008");
        let chosen = Message::Request { reference: 0, command: REPORT_SELECTION, params: unhex("810100820100") };
        assert_eq!(report_selection(0, Some(0)), chosen);
        assert_eq!(hex(&chosen.encode()), "AA0081040100180284081802810100820100");
    }

    /// The manual's start holds more tags than a till needs; the ones that both hold agree.
    #[test]
    fn a_start_holds_amount_and_currency_like_the_manuals() {
        let op =
            ArmRequest { amount_minor: 100, timeout_s: 0x3C, currency_numeric: 840, ..ArmRequest::one_for_tests(1) };
        let manual = unhex(
            "82013C A309810101820101830101 84020003 8627 9C0100 9F0206000000000100 9F0306000000000000 5F2A020840
             5F360102 9F15020000 9F530100",
        );
        let Message::Request { params, .. } = start(1, &op, Interfaces::All) else { panic!("no request") };
        for tag in [0x82, 0xA3, 0x84] {
            assert_eq!(tlv::find(&params, tag), tlv::find(&manual, tag), "{tag:X}");
        }
        let (ours, theirs) = (tlv::find(&params, 0x86).unwrap(), tlv::find(&manual, 0x86).unwrap());
        assert!(theirs.starts_with(ours));
    }

    #[test]
    fn digits_pack_and_unpack() {
        assert_eq!(bcd::<6>(MAX_AMOUNT), [0x99; 6]);
        assert_eq!(unbcd(&bcd::<6>(12_345)), Some(12_345));
        assert_eq!(unbcd(&[0x1A]), None);
        assert_eq!(unbcd(&[0x99; 30]), None);
    }
}
