//! QR codes as dots.

use super::bitmap::Bitmap;
use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

/// White modules around a code; four in the standard (ISO/IEC 18004, 6.3.8), two are enough for any phone.
pub const QUIET: u32 = 2;

/// The code of a text without its white frame, one dot a module; nothing if it is too long for a code.
pub fn code(text: &str) -> Option<Bitmap> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let side = u32::try_from(code.width()).ok()?;
    let mut dots = Bitmap::new(side, side);
    for ((y, x), color) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))).zip(code.into_colors()) {
        if color == Color::Dark {
            dots.set(x, y);
        }
    }
    Some(dots)
}
