//! What a make of printer can do, as data: `hardware/profiles/*.toml`, and files of the same form.
//!
//! Invariant: a profile that was read is in range everywhere, so that nobody behind it checks again.
//!
//! Start at [`Profile::named`].

use super::codepage::Page;
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::path::Path;

/// The profiles of the library, by name.
const LIBRARY: [(&str, &str); 4] = [
    ("generic-58", include_str!("../../profiles/generic-58.toml")),
    ("adafruit-58", include_str!("../../profiles/adafruit-58.toml")),
    ("epson-tm", include_str!("../../profiles/epson-tm.toml")),
    ("generic-80", include_str!("../../profiles/generic-80.toml")),
];

/// The largest profile that is read, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What a make of printer can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name it was found by.
    pub name: String,
    /// What is behind the name.
    pub data: ProfileData,
}

/// A profile's settings, as they stand in its file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct ProfileData {
    /// What it is, for a person.
    pub title: String,
    /// Characters of font A in a row, 16..=64.
    pub columns: u16,
    /// Dots in a row, 192..=832; 8 to the millimetre.
    pub dots: u16,
    /// Bits a second on a serial line, 1200..=1000000.
    pub baud: u32,
    /// How fast paper moves while it prints, mm/s, 10..=500.
    pub speed_mm_s: u16,
    /// Bytes that the printer can hold, 32..=65536.
    pub buffer_bytes: u32,
    /// Dot lines from one row of text to the next, 24..=64.
    pub line_dots: u16,
    /// The n of `ESC 3` that sets the pitch, if it has to be set.
    #[serde(default)]
    pub line_pitch: Option<u8>,
    /// How a receipt is parted from the roll.
    pub cut: Cut,
    /// From the last row to the cutter or the tear bar, mm, 0..=50.
    pub feed_mm: u16,
    /// The level of the busy line that says "do not send".
    #[serde(default)]
    pub busy: Level,
    /// What has to be sent so that the printer drives its busy line at all.
    #[serde(default)]
    pub busy_enable: Vec<u8>,
    /// Starts in a double-byte mode, which `FS .` ends.
    #[serde(default)]
    pub double_byte: bool,
    /// How it is asked for paper and cover.
    #[serde(default)]
    pub status: StatusCommand,
    /// What it answers once everything before has been worked off.
    #[serde(default)]
    pub fence: FenceCommand,
    /// Tells when a numbered job has been printed (Epson, `GS ( H`).
    #[serde(default)]
    pub process_id: bool,
    /// Empties its buffers on request, even while it is stopped (Epson, `DLE DC4` 8).
    #[serde(default)]
    pub real_time_clear: bool,
    /// Tells by itself when its state changes, once asked to (Epson, `GS a`).
    #[serde(default)]
    pub automatic_status: bool,
    /// What opens the drawer on its port.
    #[serde(default)]
    pub drawer: DrawerCommand,
    /// How hot, where that has to be said (`ESC 7`).
    #[serde(default)]
    pub heat: Option<Heat>,
    /// Who draws QR codes.
    #[serde(default)]
    pub qr: QrBy,
    /// Code pages that it has and the n of `ESC t` of each, the preferred one first. Numbers differ between makes.
    pub pages: Vec<Page>,
}

/// How a receipt is parted from the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// By a cutter.
    Cut,
    /// By hand at a bar.
    Tear,
}

/// A level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Near the supply.
    #[default]
    High,
    /// Near ground.
    Low,
}

/// How a printer is asked for paper and cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusCommand {
    /// Not at all.
    #[default]
    None,
    /// `DLE EOT n`, answered at once even while it is busy or stopped.
    DleEot,
    /// `ESC v`, answered in its turn.
    EscV,
}

/// What a printer answers once everything before has been worked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FenceCommand {
    /// Nothing.
    #[default]
    None,
    /// `GS r 1`.
    GsR,
    /// `ESC v`.
    EscV,
}

/// What opens the drawer on the printer's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrawerCommand {
    /// It has no port.
    None,
    /// `ESC p`, in its turn: not while the printer is stopped.
    #[default]
    Stream,
    /// `DLE DC4` 1, at once.
    RealTime,
}

/// Who draws QR codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QrBy {
    /// The printer, by `GS ( k`.
    #[default]
    Native,
    /// We do, and it is sent as dots.
    Raster,
}

/// How the head is heated (`ESC 7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heat {
    /// Dots at once, a multiple of 8, 8..=192.
    pub dots: u16,
    /// How long, microseconds, a multiple of 10, 30..=2550.
    pub time_us: u16,
    /// Pause, microseconds, a multiple of 10, 0..=2550.
    pub gap_us: u16,
}

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither in the library nor a file.
    #[error("there is no printer profile {0:?}: `tillroll printer profiles` lists them, or name a .toml file")]
    Unknown(String),
    /// The file cannot be read.
    #[error("the printer profile {0} cannot be read: {1}")]
    File(String, std::io::Error),
    /// Not TOML, or a setting is missing or unknown.
    #[error("the printer profile {0} is wrong: {1}")]
    Form(String, String),
    /// A setting out of range.
    #[error("the printer profile {name} is wrong: {setting} is {value}, but must be {wanted}")]
    Range {
        /// Which profile.
        name: String,
        /// Which setting.
        setting: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        wanted: String,
    },
}

impl ProfileError {
    /// Whether trying again is useless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, ProfileError::File(..))
    }
}

impl Profile {
    /// One of the library, or one from a file whose name ends in `.toml`.
    ///
    /// # Errors
    /// No such profile, no such file, or a wrong one; each names the setting.
    pub fn named(name: &str) -> Result<Profile, ProfileError> {
        if let Some((_, text)) = LIBRARY.iter().find(|(known, _)| *known == name) {
            return Profile::parse(name, text);
        }
        if !name.ends_with(".toml") {
            return Err(ProfileError::Unknown(name.to_owned()));
        }
        Profile::parse(name, &read(Path::new(name)).map_err(|why| ProfileError::File(name.to_owned(), why))?)
    }

    /// Every profile of the library.
    pub fn library() -> Vec<Profile> {
        LIBRARY.iter().filter_map(|(name, text)| Profile::parse(name, text).ok()).collect()
    }

    fn parse(name: &str, text: &str) -> Result<Profile, ProfileError> {
        let data: ProfileData = toml::from_str(text)
            .map_err(|why| ProfileError::Form(name.to_owned(), why.to_string().trim_end().replace('\n', " ")))?;
        let profile = Profile { name: name.to_owned(), data };
        profile.check()?;
        Ok(profile)
    }

    fn check(&self) -> Result<(), ProfileError> {
        let d = &self.data;
        self.range("columns", d.columns.into(), 16..=64)?;
        self.range("dots", d.dots.into(), 192..=832)?;
        self.range("baud", d.baud.into(), 1_200..=1_000_000)?;
        self.range("speed_mm_s", d.speed_mm_s.into(), 10..=500)?;
        self.range("buffer_bytes", d.buffer_bytes.into(), 32..=65_536)?;
        self.range("line_dots", d.line_dots.into(), 24..=64)?;
        self.range("feed_mm", d.feed_mm.into(), 0..=50)?;
        self.range("busy_enable", u64::try_from(d.busy_enable.len()).unwrap_or(u64::MAX), 0..=16)?;
        if !d.dots.is_multiple_of(8) || d.dots < d.columns * super::font::CELL_DOTS {
            let wanted = format!("a multiple of 8, and {} for each column", super::font::CELL_DOTS);
            return Err(self.wrong("dots", d.dots.to_string(), wanted));
        }
        if let Some(heat) = d.heat {
            self.range("heat.dots", heat.dots.into(), 8..=192)?;
            self.range("heat.time_us", heat.time_us.into(), 30..=2_550)?;
            self.range("heat.gap_us", heat.gap_us.into(), 0..=2_550)?;
        }
        if d.pages.is_empty() {
            return Err(self.wrong("pages", "empty".to_owned(), "one code page or more".to_owned()));
        }
        match d.pages.iter().find(|page| !page.is_known()) {
            Some(page) => {
                Err(self.wrong("pages", page.code.to_string(), "a DOS code page such as 437, 858 or 866".to_owned()))
            }
            None => Ok(()),
        }
    }

    fn range(&self, setting: &'static str, value: u64, wanted: RangeInclusive<u64>) -> Result<(), ProfileError> {
        if wanted.contains(&value) {
            return Ok(());
        }
        Err(self.wrong(setting, value.to_string(), format!("{} to {}", wanted.start(), wanted.end())))
    }

    fn wrong(&self, setting: &'static str, value: String, wanted: String) -> ProfileError {
        ProfileError::Range { name: self.name.clone(), setting, value, wanted }
    }
}

impl ProfileData {
    /// Dot lines from the last row to the cutter or the bar.
    pub fn feed_dots(&self) -> u32 {
        u32::from(self.feed_mm) * DOTS_PER_MM
    }

    /// How long the mechanism takes for so many dot lines, microseconds.
    pub fn dots_us(&self, dots: u32) -> u64 {
        u64::from(dots) * 1_000_000 / (u64::from(DOTS_PER_MM) * u64::from(self.speed_mm_s))
    }

    /// How long so many bytes take on a serial line of `baud`: a start bit, eight bits, a stop bit each.
    pub fn bytes_us(&self, bytes: usize, baud: u32) -> u64 {
        u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(BITS_PER_BYTE * 1_000_000) / u64::from(baud.max(1))
    }
}

/// Dots in a millimetre, both ways: 203 to the inch.
pub const DOTS_PER_MM: u32 = 8;

/// Bits of one byte on the line.
const BITS_PER_BYTE: u64 = 10;

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_in_order() {
        for (name, text) in LIBRARY {
            Profile::parse(name, text).unwrap();
        }
        assert_eq!(Profile::library().len(), LIBRARY.len());
    }

    #[track_caller]
    fn check(from: &str, to: &str, told: &str) {
        let (_, text) = LIBRARY[0];
        assert!(text.contains(from), "{from}");
        let why = Profile::parse("mine.toml", &text.replace(from, to)).unwrap_err().to_string();
        assert!(why.contains("mine.toml") && why.contains(told), "{why}");
    }

    #[test]
    fn a_wrong_setting_is_named() {
        check("baud = 9600", "baud = 7", "baud is 7, but must be 1200 to 1000000");
        check("dots = 384", "dots = 380", "dots is 380");
        check("columns = 32", "columns = 33", "dots is 384");
        check("[858, 19]", "[999, 19]", "pages is 999");
        check("pages = ", "seiten = ", "seiten");
        check("feed_mm = 12\n", "", "feed_mm");
        check("busy = \"high\"", "busy = \"maybe\"", "maybe");
        check("speed_mm_s = 50", "speed_mm_s = fast", "speed_mm_s");
    }

    #[test]
    fn a_profile_that_is_not_there_says_what_to_do() {
        assert!(Profile::named("mine").unwrap_err().to_string().contains("printer profiles"));
        assert!(matches!(Profile::named("/no/such.toml"), Err(ProfileError::File(..))));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, LIBRARY[1].1).unwrap();
        assert_eq!(Profile::named(path.to_str().unwrap()).unwrap().data.baud, 19_200);
        std::fs::write(&path, [0xFF, 0xFE]).unwrap();
        assert!(Profile::named(path.to_str().unwrap()).is_err());
    }
}
