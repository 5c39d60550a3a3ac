//! How the terminal at hand is drawn on.

use crate::app::model::{GlyphChoice, Settings, ThemeChoice};
use crate::domain::mode::Mode;
use crate::domain::money::Currency;
use crate::flow::payment::Timing;

/// Settings of a handheld that is not enrolled and has no demo.
pub fn settings(device_name: &str, technician_name: &str) -> Settings {
    Settings {
        currency: Currency::EUR,
        device_name: device_name.to_owned(),
        technician_name: technician_name.to_owned(),
        glyphs: glyphs(),
        theme: theme(),
        timing: Timing::STANDARD,
        mode: Mode::Live,
        demo: false,
        enrolled: false,
        columns: 80,
        rows: 24,
    }
}

/// Box drawing where the locale speaks UTF-8; the console of a board has a font of its own.
fn glyphs() -> GlyphChoice {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default().to_uppercase();
    let utf8 = locale.contains("UTF-8") || locale.contains("UTF8");
    match (utf8, std::env::var("TERM").as_deref()) {
        (true, Ok("linux")) => GlyphChoice::Cp437,
        (true, _) => GlyphChoice::Unicode,
        (false, _) => GlyphChoice::Ascii,
    }
}

/// Colours unless NO_COLOR is set (no-color.org).
fn theme() -> ThemeChoice {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain { ThemeChoice::Mono } else { ThemeChoice::Colour }
}
