//! What a printer says: bytes of several protocols in one stream, told apart by their fixed bits.
//!
//! Sources: Epson's reference, "Identification of send status" and the pages of `DLE EOT`, `GS r`, `GS a`, `GS ( H` and
//! `DLE DC4` 8; the CSN-A2 manual for `ESC v`.
//!
//! Invariant: pure, takes any bytes, keeps at most a handful.
//!
//! Start at [`Demux::take`].

use super::profile::FenceCommand;

/// One thing that a printer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// `XON`: may be sent to again.
    Resume,
    /// `XOFF`: must not be sent to.
    Pause,
    /// The answer to a `DLE EOT`, pattern 0xx1xx10; which one is known by the order of asking.
    RealTime(u8),
    /// The answer to a fence: a byte 0xx0xxxx, or any single byte after `ESC v`.
    Fence {
        /// The paper is out, if the answer tells.
        paper_out: bool,
    },
    /// Four bytes that it sends by itself when something changes (automatic status back).
    Automatic([u8; 4]),
    /// A numbered job has been printed.
    Printed([u8; 4]),
    /// The buffers are empty.
    Cleared,
}

/// Takes a printer's bytes apart.
#[derive(Debug, Clone)]
pub struct Demux {
    fence: FenceCommand,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Idle,
    /// Within automatic status back; so many bytes are there.
    Automatic([u8; 4], usize),
    /// Within a block that began with 0x37.
    Block([u8; BLOCK_BYTES_MAX], usize),
}

/// The longest block that is understood: `37 22 d1 d2 d3 d4 00`.
const BLOCK_BYTES_MAX: usize = 7;
const BLOCK_BEGIN: u8 = 0x37;
const PROCESS_ID: u8 = 0x22;
const CLEARED: u8 = 0x25;

impl Demux {
    /// For a printer with this kind of fence.
    pub fn new(fence: FenceCommand) -> Demux {
        Demux { fence, state: State::Idle }
    }

    /// One byte; what was said once it is whole.
    pub fn take(&mut self, byte: u8) -> Option<Said> {
        // Flow control may stand anywhere.
        match byte {
            0x11 => return Some(Said::Resume),
            0x13 => return Some(Said::Pause),
            _ => {}
        }
        match self.state {
            State::Idle => self.first(byte),
            // The three bytes behind the first have both fixed bits clear; anything else begins anew.
            State::Automatic(bytes, got) if byte & 0b1001_0000 == 0 => self.automatic(bytes, got, byte),
            State::Automatic(..) => {
                self.state = State::Idle;
                self.first(byte)
            }
            State::Block(bytes, got) => self.block(bytes, got, byte),
        }
    }

    fn first(&mut self, byte: u8) -> Option<Said> {
        if byte == BLOCK_BEGIN {
            self.state = State::Block([byte, 0, 0, 0, 0, 0, 0], 1);
            return None;
        }
        match byte & 0b1001_0011 {
            0b0001_0010 => Some(Said::RealTime(byte)),
            0b0001_0000 => {
                self.state = State::Automatic([byte, 0, 0, 0], 1);
                None
            }
            _ if byte & 0b1001_0000 == 0 => Some(Said::Fence { paper_out: self.paper_out(byte) }),
            // No pattern of the reference; old clones answer so to their own commands.
            _ => None,
        }
    }

    fn paper_out(&self, byte: u8) -> bool {
        match self.fence {
            FenceCommand::None => false,
            // GS r 1: bits 2 and 3, paper end.
            FenceCommand::GsR => byte & 0b1100 != 0,
            FenceCommand::EscV => byte & 0b0100 != 0,
        }
    }

    fn automatic(&mut self, mut bytes: [u8; 4], got: usize, byte: u8) -> Option<Said> {
        if let Some(slot) = bytes.get_mut(got) {
            *slot = byte;
        }
        if got + 1 < bytes.len() {
            self.state = State::Automatic(bytes, got + 1);
            return None;
        }
        self.state = State::Idle;
        Some(Said::Automatic(bytes))
    }

    fn block(&mut self, mut bytes: [u8; BLOCK_BYTES_MAX], got: usize, byte: u8) -> Option<Said> {
        self.state = State::Idle;
        if byte == 0 {
            return match (bytes, got) {
                ([_, PROCESS_ID, a, b, c, d, _], 6) => Some(Said::Printed([a, b, c, d])),
                ([_, CLEARED, ..], 2) => Some(Said::Cleared),
                _ => None,
            };
        }
        // Longer than any that is understood: it was none.
        let slot = bytes.get_mut(got)?;
        *slot = byte;
        self.state = State::Block(bytes, got + 1);
        None
    }
}

/// What keeps a printer from printing, by an answer to `DLE EOT n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Causes {
    /// Offline cause, n = 2: the cover is open.
    pub cover_open: bool,
    /// Offline cause bit 5, paper status bits 5 and 6: no paper.
    pub paper_out: bool,
    /// Error cause, n = 3, bit 6: goes away by itself, the head's temperature most of all.
    pub cooling: bool,
    /// Error cause bits 2, 3 and 5: a jam, the cutter, or worse.
    pub broken: bool,
}

impl Causes {
    /// What the answer to `DLE EOT n` tells.
    pub fn of(n: u8, byte: u8) -> Causes {
        let bit = |at: u8| byte & (1 << at) != 0;
        match n {
            2 => Causes { cover_open: bit(2), paper_out: bit(5), ..Causes::default() },
            3 => Causes { cooling: bit(6), broken: bit(2) || bit(3) || bit(5), ..Causes::default() },
            4 => Causes { paper_out: bit(5) || bit(6), ..Causes::default() },
            _ => Causes::default(),
        }
    }

    /// What the four bytes of automatic status back tell.
    pub fn automatic(bytes: [u8; 4]) -> Causes {
        let [first, second, third, _] = bytes;
        Causes {
            cover_open: first & (1 << 5) != 0,
            paper_out: third & 0b1100 != 0,
            cooling: second & (1 << 6) != 0,
            broken: second & 0b0010_1000 != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(bytes: &[u8]) -> Vec<Said> {
        let mut demux = Demux::new(FenceCommand::GsR);
        bytes.iter().filter_map(|&byte| demux.take(byte)).collect()
    }

    #[test]
    fn every_kind_is_told_apart() {
        assert_eq!(said(&[0x12, 0x72]), [Said::RealTime(0x12), Said::RealTime(0x72)]);
        assert_eq!(said(&[0x00, 0x0C]), [Said::Fence { paper_out: false }, Said::Fence { paper_out: true }]);
        assert_eq!(said(&[0x10, 0x00, 0x13, 0x0C, 0x0F]), [Said::Pause, Said::Automatic([0x10, 0, 0x0C, 0x0F])]);
        assert_eq!(said(b"\x37\x22ABCD\0\x37\x25\0\x11"), [Said::Printed(*b"ABCD"), Said::Cleared, Said::Resume]);
    }

    #[test]
    fn a_broken_block_does_not_swallow_the_next() {
        assert_eq!(said(&[0x10, 0x00, 0x12]), [Said::RealTime(0x12)]);
        assert_eq!(said(b"\x37\x22ABCDEFGH\x12").last(), Some(&Said::RealTime(0x12)));
        assert_eq!(said(b"\x37\0\x12"), [Said::RealTime(0x12)]);
    }

    #[test]
    fn the_examples_of_the_reference_are_read() {
        assert_eq!(Causes::of(4, 0x12), Causes::default());
        assert_eq!(Causes::of(4, 0x1E), Causes::default(), "near its end is not out");
        assert!(Causes::of(4, 0x72).paper_out && Causes::of(4, 0x7E).paper_out);
        assert!(Causes::of(2, 0x16).cover_open && Causes::of(2, 0x32).paper_out && Causes::of(3, 0x52).cooling);
        assert!(Causes::automatic([0x30, 0, 0, 0]).cover_open && Causes::automatic([0x10, 0, 0x0C, 0]).paper_out);
    }

    proptest! {
        #[test]
        fn any_flood_is_borne(bytes in any::<Vec<u8>>()) {
            let mut demux = Demux::new(FenceCommand::EscV);
            for byte in bytes {
                demux.take(byte);
            }
            // Seven bytes at most are owed before it listens again.
            for _ in 0..BLOCK_BYTES_MAX {
                demux.take(0x00);
            }
            prop_assert_eq!(demux.take(0x12), Some(Said::RealTime(0x12)));
        }
    }
}
