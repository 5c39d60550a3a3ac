//! What an MMS reader says by itself: the notifications that a till understands (manual D998200597, "Notifications").

use super::message::Message;
use crate::tlv;

/// Transaction information update.
pub const UPDATE: u16 = 0x0101;
/// Transaction operation complete.
pub const COMPLETE: u16 = 0x0105;
/// Device information.
pub const DEVICE: u16 = 0x1001;
/// User interface: the host shows it, for a reader without a display.
pub const HOST_UI: u16 = 0x1803;

/// Longest text of a prompt that is shown, characters.
const MAX_PROMPT: usize = 120;

/// What a notification means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A card was seen, in whatever way.
    CardSeen,
    /// The encrypted cryptogram; the blob with its two bytes of length.
    Arqc(Vec<u8>),
    /// The transaction's closing data.
    Batch(Vec<u8>),
    /// How the operation came out.
    Complete(Outcome),
    /// Show this; empty to clear.
    Prompt(String),
    /// Several applications; their labels.
    Selection(Vec<String>),
    /// Battery low, percent.
    LowBattery(u8),
    /// It will restart in so many minutes: the self-test that PCI PTS asks for every 24 hours.
    RestartsSoon(u8),
    /// It has restarted.
    Restarted,
    /// Anything else, of no use here.
    Other,
}

/// Detail of "operation complete".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No card came.
    TimedOut,
    /// By the host or the user.
    Cancelled,
    /// Quick Chip: the card has answered, the decision is taken later.
    Deferred,
    /// Declined; by the card if no cryptogram came before.
    Declined,
    /// Approved by card or host: never asked for here.
    Approved,
    /// The chip cannot be read: the stripe may be used.
    Fallback,
    /// The read failed.
    Failed,
    /// The last word of an operation: nothing more comes.
    Final,
}

/// What a notification means; `None` for any other message.
pub fn notice(message: &Message) -> Option<Notice> {
    let Message::Notification { number, detail, payload } = message else { return None };
    let payload = payload.as_deref().unwrap_or_default();
    let blob = || tlv::find(payload, 0x84).unwrap_or_default().to_vec();
    Some(match (*number, *detail) {
        (UPDATE, [_, 0x08, 0x02, _]) => Notice::Arqc(blob()),
        (UPDATE, [_, 0x08, 0x03, _]) => Notice::Batch(blob()),
        (UPDATE, [_, 0x01, _, _]) => Notice::CardSeen,
        (COMPLETE, detail) => Notice::Complete(outcome(detail)),
        (HOST_UI, [0x02, 0x01, 0x00, _]) => Notice::Prompt(String::new()),
        (HOST_UI, [0x02, 0x01, _, _]) => Notice::Prompt(text(payload).join(" ")),
        (HOST_UI, [0x02, 0x02, _, _]) => Notice::Selection(text(payload)),
        (DEVICE, [0x00, 0x02, 0x00, percent]) => Notice::LowBattery(percent.min(100)),
        (DEVICE, [0x00, 0x00, 0x00, 0x00]) => Notice::Restarted,
        (DEVICE, [0x00, 0x01, ..]) => Notice::RestartsSoon(payload.last().copied().unwrap_or(0)),
        _ => Notice::Other,
    })
}

/// Processing type, reason, detail, extension (manual, "Operation Complete").
fn outcome(detail: [u8; 4]) -> Outcome {
    match detail {
        [0x00, 0x01, ..] => Outcome::TimedOut,
        [0x00, 0x03, ..] | [_, 0x02, 0x0A, _] => Outcome::Cancelled,
        [_, 0x02, 0x07, _] => Outcome::Deferred,
        [_, 0x02, 0x08 | 0x09, 0x03] | [_, 0x02, 0x00 | 0x0F, 0x02] => Outcome::Fallback,
        [_, 0x02, 0x80 | 0x03, _] => Outcome::Declined,
        [_, 0x02, 0x06 | 0x02, 0x00] => Outcome::Approved,
        [_, 0x00, 0x00, 0x00] => Outcome::Final,
        _ => Outcome::Failed,
    }
}

/// The rows of a user interface notification: tag 83, cut at NUL and LF, with nothing in them but printable text.
fn text(payload: &[u8]) -> Vec<String> {
    let raw = String::from_utf8_lossy(tlv::find(payload, 0x83).unwrap_or_default()).into_owned();
    raw.split(['\0', '\n'])
        .map(|row| row.chars().filter(|c| !c.is_control()).take(MAX_PROMPT).collect::<String>().trim().to_owned())
        .filter(|row| !row.is_empty())
        .take(16)
        .collect()
}

/// A notification to show `rows`.
pub fn show(rows: &str) -> Message {
    let mut payload = Vec::new();
    tlv::put(&mut payload, 0x81, &[0]);
    tlv::put(&mut payload, 0x82, &[1]);
    tlv::put(&mut payload, 0x83, rows.as_bytes());
    Message::Notification { number: HOST_UI, detail: [0x02, 0x01, 0x01, 0x00], payload: Some(payload) }
}

/// A notification to choose among `labels`.
pub fn choose(labels: &[&str]) -> Message {
    let mut payload = Vec::new();
    tlv::put(&mut payload, 0x81, &[30]);
    tlv::put(&mut payload, 0x82, &[1]);
    tlv::put(&mut payload, 0x83, labels.join("\0").as_bytes());
    Message::Notification { number: HOST_UI, detail: [0x02, 0x02, 0x00, 0x00], payload: Some(payload) }
}

/// A notification that carries card data: `detail` says which.
pub fn update(detail: [u8; 4], blob: &[u8]) -> Message {
    let mut payload = Vec::new();
    tlv::put_long(&mut payload, 0x84, blob);
    Message::Notification { number: UPDATE, detail, payload: Some(payload) }
}

/// A bare notification.
pub fn plain(number: u16, detail: [u8; 4]) -> Message {
    Message::Notification { number, detail, payload: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_of_the_manual_are_told_apart() {
        for (detail, expected) in [
            ([0x00, 0x01, 0x00, 0x00], Outcome::TimedOut),
            ([0x00, 0x03, 0x01, 0x00], Outcome::Cancelled),
            ([0x10, 0x02, 0x07, 0x00], Outcome::Deferred),
            ([0x10, 0x02, 0x80, 0x00], Outcome::Declined),
            ([0x10, 0x02, 0x03, 0x00], Outcome::Declined),
            ([0x20, 0x02, 0x06, 0x00], Outcome::Approved),
            ([0x10, 0x02, 0x08, 0x03], Outcome::Fallback),
            ([0x10, 0x02, 0x0F, 0x02], Outcome::Fallback),
            ([0x10, 0x02, 0x0D, 0x00], Outcome::Failed),
            ([0x08, 0x03, 0x05, 0x00], Outcome::Failed),
            ([0x20, 0x00, 0x00, 0x00], Outcome::Final),
        ] {
            assert_eq!(notice(&plain(COMPLETE, detail)), Some(Notice::Complete(expected)), "{detail:02X?}");
        }
    }

    #[test]
    fn prompts_lose_what_a_terminal_would_obey() {
        let said = notice(&show("TAP, INSERT\x1b[2J\0or SWIPE"));
        assert_eq!(said, Some(Notice::Prompt("TAP, INSERT[2J or SWIPE".to_owned())));
    }
}
