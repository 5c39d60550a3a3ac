//! Dots: a picture of one bit a dot, black or nothing.
//!
//! Invariant: never larger than [`SIDE_MAX`] either way; what is asked for outside is white.
//!
//! Start at [`Bitmap`].

use std::io::{self, Write};

/// The widest and the highest picture, dots. A receipt of 400 rows is 12000 dot lines.
pub const SIDE_MAX: u32 = 65_535;

/// Dots in rows from the top, eight to a byte, the leftmost in the highest bit: as `GS v 0` wants them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    bits: Vec<u8>,
}

impl Bitmap {
    /// A white one; sides beyond [`SIDE_MAX`] are cut.
    pub fn new(width: u32, height: u32) -> Bitmap {
        let (width, height) = (width.min(SIDE_MAX), height.min(SIDE_MAX));
        let mut bitmap = Bitmap { width, height: 0, bits: Vec::new() };
        bitmap.grow(height);
        bitmap
    }

    /// From rows of `#` for black and anything else for white; as wide as the longest.
    pub fn from_rows<S: AsRef<str>>(rows: &[S]) -> Bitmap {
        let width = rows.iter().map(|row| row.as_ref().chars().count()).max().unwrap_or(0);
        let mut bitmap =
            Bitmap::new(u32::try_from(width).unwrap_or(SIDE_MAX), u32::try_from(rows.len()).unwrap_or(SIDE_MAX));
        for (y, row) in (0..).zip(rows) {
            for (x, c) in (0..).zip(row.as_ref().chars()) {
                if c == '#' {
                    bitmap.set(x, y);
                }
            }
        }
        bitmap
    }

    /// Dots across.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Dots down.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes of one dot row.
    pub fn stride(&self) -> usize {
        usize::try_from(self.width.div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// The bytes of one dot row; empty below the picture.
    pub fn row(&self, y: u32) -> &[u8] {
        let stride = self.stride();
        let from = usize::try_from(y).unwrap_or(usize::MAX).saturating_mul(stride);
        self.bits.get(from..from.saturating_add(stride)).unwrap_or_default()
    }

    /// Whether a dot is black.
    pub fn get(&self, x: u32, y: u32) -> bool {
        x < self.width
            && usize::try_from(x / 8).ok().and_then(|at| self.row(y).get(at)).is_some_and(|byte| byte & mask(x) != 0)
    }

    /// Blackens a dot, if it is inside.
    pub fn set(&mut self, x: u32, y: u32) {
        if x >= self.width || y >= self.height {
            return;
        }
        let at = usize::try_from(y).unwrap_or(usize::MAX).saturating_mul(self.stride());
        if let Some(byte) = usize::try_from(x / 8).ok().and_then(|x| self.bits.get_mut(at.saturating_add(x))) {
            *byte |= mask(x);
        }
    }

    /// White rows below, until it is so high.
    pub fn grow(&mut self, height: u32) {
        let height = height.min(SIDE_MAX);
        if height > self.height {
            self.height = height;
            self.bits.resize(usize::try_from(height).unwrap_or(usize::MAX).saturating_mul(self.stride()), 0);
        }
    }

    /// Draws another one with its upper left corner at `x`, `y`.
    pub fn draw(&mut self, other: &Bitmap, x: u32, y: u32) {
        for down in 0..other.height.min(self.height.saturating_sub(y)) {
            for (across, byte) in (0..).step_by(8).zip(other.row(down)).filter(|(_, byte)| **byte != 0) {
                self.blacken(x.saturating_add(across), y.saturating_add(down), *byte);
            }
        }
    }

    /// Eight dots from `x` on, the leftmost in the highest bit; those outside are left out. `y` is inside.
    fn blacken(&mut self, x: u32, y: u32, dots: u8) {
        let inside = self.width.saturating_sub(x);
        let dots = if inside < 8 { dots & !(0xFF >> inside) } else { dots };
        let [left, right] = (u16::from(dots) << 8 >> (x % 8)).to_be_bytes();
        let at = usize::try_from(y).unwrap_or(usize::MAX).saturating_mul(self.stride());
        let at = at.saturating_add(usize::try_from(x / 8).unwrap_or(usize::MAX));
        for (at, dots) in [(at, left), (at.saturating_add(1), right)] {
            if let Some(byte) = self.bits.get_mut(at).filter(|_| dots != 0) {
                *byte |= dots;
            }
        }
    }

    /// The same, each dot `times` as wide and high.
    pub fn enlarged(&self, times: u32) -> Bitmap {
        self.scaled(self.width.saturating_mul(times), self.height.saturating_mul(times))
    }

    /// The same at another size: a dot is black if any that it stems from is.
    pub fn scaled(&self, width: u32, height: u32) -> Bitmap {
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let mut scaled = Bitmap::new(width, height);
        let (width, height) = (scaled.width, scaled.height);
        for y in 0..height {
            for x in 0..width {
                let xs = span(x, width, self.width);
                if span(y, height, self.height).any(|y| xs.clone().any(|x| self.get(x, y))) {
                    scaled.set(x, y);
                }
            }
        }
        scaled
    }

    /// The black dots, row by row.
    pub fn black(&self) -> impl Iterator<Item = (u32, u32)> {
        let in_row = move |y| (0_u32..).step_by(8).zip(self.row(y)).filter(|(_, byte)| **byte != 0);
        let dots = |(x, byte): (u32, &u8)| {
            let byte = *byte;
            (x..x.saturating_add(8)).filter(move |&x| byte & mask(x) != 0)
        };
        (0..self.height).flat_map(move |y| in_row(y).flat_map(dots).map(move |x| (x, y)))
    }

    /// Writes it as a PNG, black on white.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_png(&self, to: impl Write) -> io::Result<()> {
        let mut encoder = png::Encoder::new(to, self.width.max(1), self.height.max(1));
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let white = |at: usize| self.bits.get(at).map_or(0xFF, |byte| !byte);
        let count = self.bits.len().max(1);
        let bits: Vec<u8> = (0..count).map(white).collect();
        encoder.write_header()?.write_image_data(&bits)?;
        Ok(())
    }
}

fn mask(x: u32) -> u8 {
    0x80 >> (x % 8)
}

/// The dots of `from` that dot `at` of `to` stems from.
fn span(at: u32, to: u32, from: u32) -> std::ops::Range<u32> {
    let edge = |at: u64| u32::try_from(at).unwrap_or(u32::MAX);
    let (at, to, from) = (u64::from(at), u64::from(to), u64::from(from));
    edge(at * from / to)..edge(((at + 1) * from).div_ceil(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_where_they_were_put() {
        let mut bitmap = Bitmap::from_rows(&["#.......#", ".#"]);
        assert_eq!((bitmap.width(), bitmap.height(), bitmap.stride()), (9, 2, 2));
        assert_eq!((bitmap.row(0), bitmap.row(1), bitmap.row(2)), (&[0x80, 0x80][..], &[0x40, 0][..], &[][..]));
        bitmap.set(9, 0);
        bitmap.set(0, 2);
        assert_eq!(bitmap.black().collect::<Vec<_>>(), [(0, 0), (8, 0), (1, 1)]);
        assert!(!bitmap.get(900, 0) && !bitmap.get(0, 900));
    }

    #[test]
    fn a_picture_lands_where_it_is_drawn_and_what_sticks_out_is_cut() {
        let dots = Bitmap::from_rows(&["#.#######.#", ".#", "##"]);
        for (x, y) in [(0, 0), (1, 0), (7, 1), (9, 2), (19, 0), (25, 0), (u32::MAX, 1), (0, u32::MAX)] {
            let mut drawn = Bitmap::new(21, 4);
            drawn.draw(&dots, x, y);
            let mut one_by_one = Bitmap::new(21, 4);
            for (across, down) in dots.black() {
                one_by_one.set(x.saturating_add(across), y.saturating_add(down));
            }
            assert_eq!(drawn, one_by_one, "{x} {y}");
        }
    }

    #[test]
    fn a_stroke_keeps_its_breadth_wherever_it_stands() {
        for at in 0..8 {
            let mut glyph = Bitmap::new(8, 1);
            glyph.set(at, 0);
            assert_eq!(glyph.scaled(12, 1).black().count(), 2, "{at}");
        }
        assert_eq!(Bitmap::from_rows(&["#."]).enlarged(2), Bitmap::from_rows(&["##..", "##.."]));
    }

    #[test]
    fn a_png_is_read_back_by_its_own_library() {
        let mut png = Vec::new();
        Bitmap::from_rows(&["#.#......"]).write_png(&mut png).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bits = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bits).unwrap();
        assert_eq!((reader.info().width, bits[0]), (9, 0b0101_1111));
        Bitmap::default().write_png(&mut Vec::new()).unwrap();
    }
}
