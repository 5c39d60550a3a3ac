//! Messages in pieces that fit a Bluetooth characteristic (manual D998200597, "How to use Bluetooth LE connections").
//!
//! The link layer guarantees that a piece that arrives is right, but whole pieces may be lost: counters tell. Both ends
//! are pure; memory is bounded by the longest message that is believed.

use super::message::MAX_MESSAGE;

/// Longest value that a characteristic takes, bytes.
pub const MAX_VALUE: usize = 244;

/// Message counter, piece counter 0, piece control byte, length of the message.
const FIRST_HEADER: usize = 7;
/// Message counter, piece counter.
const LATER_HEADER: usize = 2;

/// Cuts messages. One for each new connection: its counter begins at 0.
#[derive(Debug, Clone)]
pub struct Cutter {
    counter: u8,
    value: usize,
}

impl Cutter {
    /// For values of at most `value` bytes: the connection's MTU less three, never more than [`MAX_VALUE`].
    pub fn new(value: usize) -> Cutter {
        Cutter { counter: 0, value: value.clamp(FIRST_HEADER + 1, MAX_VALUE) }
    }

    /// The pieces of a message, in order. Empty for one that is longer than any reader takes.
    pub fn cut(&mut self, message: &[u8]) -> Vec<Vec<u8>> {
        let Some(length) = u32::try_from(message.len()).ok().filter(|_| message.len() <= MAX_MESSAGE) else {
            return Vec::new();
        };
        let counter = self.counter;
        self.counter = counter.wrapping_add(1);
        let (first, rest) = message.split_at(message.len().min(self.value - FIRST_HEADER));
        let mut piece = vec![counter, 0, 0];
        piece.extend(length.to_be_bytes());
        piece.extend_from_slice(first);
        let mut pieces = vec![piece];
        let mut number = 0;
        for chunk in rest.chunks(self.value - LATER_HEADER) {
            number = after(number);
            let mut piece = vec![counter, number];
            piece.extend_from_slice(chunk);
            pieces.push(piece);
        }
        pieces
    }
}

/// 0 is for the first piece alone: 255 is followed by 1.
fn after(number: u8) -> u8 {
    number.checked_add(1).unwrap_or(1)
}

/// What was lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// The rest of a message: another began before it was whole.
    Rest,
    /// Pieces of a message: it was dropped.
    Pieces,
    /// The beginning of a message: this piece was dropped.
    Beginning,
    /// Whole messages before this one.
    Messages,
    /// Nothing: the message had come already.
    Nothing,
    /// Not a piece, or one of a message that is too long.
    Rubbish,
}

/// What a piece brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// A whole message.
    pub message: Option<Vec<u8>>,
    /// What is missing, if anything.
    pub lost: Option<Loss>,
}

#[derive(Debug, Clone)]
struct Open {
    counter: u8,
    number: u8,
    length: usize,
    bytes: Vec<u8>,
}

/// Puts pieces together again. One for each new connection.
#[derive(Debug, Clone, Default)]
pub struct Joiner {
    open: Option<Open>,
    last: Option<u8>,
}

impl Joiner {
    /// Takes one piece.
    pub fn take(&mut self, piece: &[u8]) -> Taken {
        match piece {
            [counter, 0, 0, a, b, c, d, data @ ..] => self.begin(*counter, [*a, *b, *c, *d], data),
            [_, 0, ..] | [] | [_] => Taken { message: None, lost: Some(Loss::Rubbish) },
            [counter, number, data @ ..] => self.go_on(*counter, *number, data),
        }
    }

    fn begin(&mut self, counter: u8, length: [u8; 4], data: &[u8]) -> Taken {
        // Behind the last one by less than half a round: it had come already.
        let ahead = self.last.map_or(1, |last| counter.wrapping_sub(last));
        if ahead > 128 || (ahead == 0 && self.open.is_none()) {
            return Taken { message: None, lost: Some(Loss::Nothing) };
        }
        let dropped = self.open.take().map(|_| Loss::Rest);
        let skipped = self.last.is_some_and(|last| counter != last.wrapping_add(1)).then_some(Loss::Messages);
        self.last = Some(counter);
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE || data.len() > length {
            return Taken { message: None, lost: Some(Loss::Rubbish) };
        }
        self.open = Some(Open { counter, number: 0, length, bytes: data.to_vec() });
        Taken { message: self.whole(), lost: dropped.or(skipped) }
    }

    fn go_on(&mut self, counter: u8, number: u8, data: &[u8]) -> Taken {
        let lost = |loss| Taken { message: None, lost: Some(loss) };
        let Some(open) = &mut self.open else { return lost(Loss::Beginning) };
        if open.counter == counter && open.number == number && open.number > 0 {
            return lost(Loss::Nothing);
        }
        if open.counter != counter || number != after(open.number) || open.bytes.len() + data.len() > open.length {
            self.open = None;
            return lost(Loss::Pieces);
        }
        open.number = number;
        open.bytes.extend_from_slice(data);
        Taken { message: self.whole(), lost: None }
    }

    fn whole(&mut self) -> Option<Vec<u8>> {
        self.open.take_if(|open| open.bytes.len() == open.length).map(|open| open.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{hex, unhex};
    use proptest::prelude::*;

    /// Made by the vendor's own client; the 512 bytes are also the manual's example.
    #[test]
    fn pieces_are_the_vendors() {
        let mut cutter = Cutter::new(MAX_VALUE);
        assert_eq!(hex(&cutter.cut(&unhex("010203040506070809"))[0]), "00000000000009010203040506070809");
        let long = cutter.cut(&[0xAB; 512]);
        assert_eq!(long.iter().map(Vec::len).collect::<Vec<_>>(), [244, 244, 35]);
        assert_eq!(hex(&long[0][..7]), "01000000000200");
        assert_eq!((hex(&long[1][..2]), hex(&long[2][..2])), ("0101".to_owned(), "0102".to_owned()));
        let echo = cutter.cut(&unhex("AA0081040101DF018407DF018103010203"));
        assert_eq!(hex(&echo[0]), "02000000000011AA0081040101DF018407DF018103010203");
        let mut cancel = Cutter::new(MAX_VALUE);
        cancel.cut(&[]);
        assert_eq!(hex(&cancel.cut(&unhex("AA0081040113100884021008"))[0]), "0100000000000CAA0081040113100884021008");
    }

    #[test]
    fn the_vendors_start_comes_out_whole() {
        let piece = unhex(
            "0000000000003A AA00810401001001 8430100182010AA30981010082010083010184020003861A9C01009F0206000000000100
             9F03060000000000005F2A020840",
        );
        let taken = Joiner::default().take(&piece);
        assert_eq!(taken.message.map(|m| m.len()), Some(0x3A));
        assert_eq!(taken.lost, None);
    }

    #[test]
    fn what_is_lost_is_told_and_only_that_is_dropped() {
        let mut cutter = Cutter::new(20);
        let messages: Vec<Vec<u8>> = (0..4).map(|n| vec![n; 40]).collect();
        let pieces: Vec<Vec<Vec<u8>>> = messages.iter().map(|message| cutter.cut(message)).collect();
        let mut joiner = Joiner::default();
        let take = |joiner: &mut Joiner, pieces: &[&Vec<u8>]| -> Vec<Taken> {
            pieces.iter().map(|piece| joiner.take(piece)).collect()
        };
        let [first, second, third] = [0, 1, 2].map(|n| &pieces[0][n]);
        assert_eq!(take(&mut joiner, &[first, second, third])[2].message.as_ref(), Some(&messages[0]));
        // A piece in the middle is lost: the message is dropped, the next one is not.
        let got = take(&mut joiner, &[&pieces[1][0], &pieces[1][2], &pieces[2][0], &pieces[2][1], &pieces[2][2]]);
        assert_eq!(got[1].lost, Some(Loss::Pieces));
        assert_eq!(got[4], Taken { message: Some(messages[2].clone()), lost: None });
        // A beginning in the middle, then a rest without a beginning.
        let mut joiner = Joiner::default();
        let got = take(&mut joiner, &[&pieces[0][0], &pieces[2][0], &pieces[0][1], &pieces[0][2]]);
        assert_eq!(
            got.iter().map(|t| t.lost).collect::<Vec<_>>(),
            [None, Some(Loss::Rest), Some(Loss::Pieces), Some(Loss::Beginning)]
        );
        // A whole message is missing.
        let mut joiner = Joiner::default();
        take(&mut joiner, &[first, second, third]);
        assert_eq!(joiner.take(&pieces[2][0]).lost, Some(Loss::Messages));
    }

    #[test]
    fn a_message_that_comes_twice_counts_once() {
        let mut cutter = Cutter::new(20);
        let (first, second) = (cutter.cut(&[1; 40]), cutter.cut(&[2; 5]));
        let (a, b) = ([&first[..], &first[..], &second[..], &second[..]].concat(), {
            // Each piece doubled.
            first.iter().chain(&second).flat_map(|piece| [piece.clone(), piece.clone()]).collect::<Vec<_>>()
        });
        // Out of order, as a stack that tells every value twice may do.
        let c = [&first[..], &second[..], &first[..], &second[..]].concat();
        for pieces in [a, b, c] {
            let mut joiner = Joiner::default();
            let whole: Vec<Vec<u8>> = pieces.iter().filter_map(|piece| joiner.take(piece).message).collect();
            assert_eq!(whole, [vec![1; 40], vec![2; 5]]);
        }
    }

    #[test]
    fn counters_wrap_as_the_manual_says() {
        let mut cutter = Cutter::new(8);
        let long = vec![7; 1 + 6 * 300];
        let pieces = cutter.cut(&long);
        assert_eq!((pieces[255][1], pieces[256][1], pieces[257][1]), (0xFF, 0x01, 0x02));
        for _ in 1..256 {
            cutter.cut(&[1]);
        }
        assert_eq!(cutter.cut(&[1])[0][0], 0);
        let mut joiner = Joiner::default();
        let last = pieces.iter().map(|piece| joiner.take(piece)).last().unwrap();
        assert_eq!(last, Taken { message: Some(long), lost: None });
    }

    proptest! {
        #[test]
        fn every_message_survives_every_size(message in proptest::collection::vec(any::<u8>(), 0..2_000), value in 8_usize..300) {
            let (mut cutter, mut joiner) = (Cutter::new(value), Joiner::default());
            let pieces = cutter.cut(&message);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= MAX_VALUE));
            let mut whole = Vec::new();
            for piece in pieces {
                let taken = joiner.take(&piece);
                prop_assert_eq!(taken.lost, None);
                whole.extend(taken.message);
            }
            prop_assert_eq!(whole, vec![message]);
        }

        #[test]
        fn no_pieces_make_it_fall_or_fill_the_memory(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..60)) {
            let mut joiner = Joiner::default();
            for piece in pieces {
                if let Some(message) = joiner.take(&piece).message {
                    prop_assert!(message.len() <= MAX_MESSAGE);
                }
            }
        }
    }
}
