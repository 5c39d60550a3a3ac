//! Characters as dots, for rows that no code page has and for pictures of paper.
//!
//! Latin comes from a font of the size that printers have inside (Spleen 12x24); everything else of the basic plane from
//! Unifont, drawn half as large again. Arabic letters are joined and text from right to left is turned round. Marks above
//! and below letters are not drawn, so that Thai and the scripts of India come out incomplete.
//!
//! Start at [`draw`].

use super::bitmap::Bitmap;
use super::codepage::{cells, cells_of};
use spleen_font::{FONT_12X24, PSF2Font};
use std::collections::HashMap;
use std::sync::LazyLock;
use unicode_bidi::{BidiInfo, Level};
use unifont::get_glyph;

/// Dots that one column takes.
pub const CELL_DOTS: u16 = 12;

/// Dots that a character is high.
pub const GLYPH_DOTS: u16 = 24;

/// What the font of the printers' size has, of the blocks that stand on their code pages: Latin, Greek and Cyrillic,
/// punctuation and currencies, arrows to blocks.
static OWN_SIZE: LazyLock<HashMap<char, Bitmap>> = LazyLock::new(|| {
    let Ok(mut font) = PSF2Font::new(FONT_12X24) else { return HashMap::new() };
    let chars = (' '..='~').chain('\u{A0}'..='\u{52F}').chain('\u{2010}'..='\u{20BF}').chain('\u{2190}'..='\u{25FF}');
    chars.filter_map(|c| Some((c, own_size(&mut font, c)?))).collect()
});

/// Whether a character can be drawn.
pub fn has(c: char) -> bool {
    get_glyph(c).is_some()
}

/// One row of text, as wide as its columns.
pub fn draw(text: &str) -> Bitmap {
    let columns = cells(text);
    let text = spread(in_order(text), columns);
    let width = u32::try_from(columns).unwrap_or(u32::MAX).saturating_mul(CELL_DOTS.into());
    let mut row = Bitmap::new(width, GLYPH_DOTS.into());
    let mut x = 0;
    for c in text.chars() {
        let width = u32::try_from(cells_of(c)).unwrap_or(1) * u32::from(CELL_DOTS);
        match OWN_SIZE.get(&c) {
            Some(glyph) => row.draw(glyph, x, 0),
            None => row.draw(&unifont(c).scaled(width, GLYPH_DOTS.into()), x, 0),
        }
        x += width;
    }
    row
}

/// Joined and turned, for whoever draws from the left.
fn in_order(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let joined = ar_reshaper::reshape_line(text);
    let info = BidiInfo::new(&joined, Some(Level::ltr()));
    info.paragraphs.iter().map(|part| info.reorder_line(part, part.range.clone()).into_owned()).collect()
}

/// Letters that were joined into one leave a column, which goes where there is a gap: an amount stays at its edge.
fn spread(mut text: String, columns: usize) -> String {
    let missing = columns.saturating_sub(cells(&text));
    let gap = text.find("  ").unwrap_or(text.len());
    text.insert_str(gap, &" ".repeat(missing));
    text
}

fn own_size(font: &mut PSF2Font<'_>, c: char) -> Option<Bitmap> {
    let mut utf8 = [0; 4];
    let glyph = font.glyph_for_utf8(c.encode_utf8(&mut utf8).as_bytes())?;
    let mut drawn = Bitmap::new(CELL_DOTS.into(), GLYPH_DOTS.into());
    for (y, row) in (0..).zip(glyph) {
        for (x, _) in (0..).zip(row).filter(|(_, black)| *black) {
            drawn.set(x, y);
        }
    }
    Some(drawn)
}

fn unifont(c: char) -> Bitmap {
    let Some(glyph) = get_glyph(c) else { return Bitmap::new(8, 16) };
    let mut drawn = Bitmap::new(u32::try_from(glyph.get_width()).unwrap_or(16), 16);
    for y in 0..16_u8 {
        for x in (0..16_u8).filter(|&x| glyph.get_pixel(x.into(), y.into())) {
            drawn.set(x.into(), y.into());
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_wide_as_its_columns() {
        for (text, columns) in [("", 0), ("TOTAL", 5), ("日本", 4), ("Ж", 1), ("سلام", 4), ("☕", 2)] {
            let row = draw(text);
            assert_eq!((row.width(), row.height()), (columns * 12, 24), "{text}");
            assert_eq!(row.black().count() > 0, columns > 0, "{text}");
        }
    }

    #[test]
    fn text_from_right_to_left_is_turned_and_joined() {
        assert_eq!(in_order("שלום 5"), "5 םולש");
        assert_eq!(in_order("Tee שלום 5.00"), "Tee 5.00 םולש");
        assert_ne!(draw("سلام"), draw("مالس"), "joined letters are not their single forms");
        assert!(draw("م").black().count() > 0);
    }
}
