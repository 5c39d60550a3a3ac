//! `config.toml` in the handheld's folder: what differs between devices and no office needs to know.

use super::CliError;
use serde::Deserialize;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use tillroll_hardware::printer::ports::PrinterConfig;

/// The largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The receipt printer; none without it.
    pub printer: Option<PrinterConfig>,
}

/// The file of a handheld; empty if there is none.
pub fn read(dir: &Path) -> Result<Config, CliError> {
    let path = dir.join("config.toml");
    let mut text = String::new();
    match std::fs::File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text)) {
        Ok(_) => {}
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Config::default()),
        Err(why) => {
            let message = format!("{} cannot be read: {why}", path.display());
            return Err(CliError::not_now("config", message, "make it readable for this user"));
        }
    }
    toml::from_str(&text).map_err(|why| {
        let why = why.to_string();
        CliError::usage(
            format!("{} is wrong: {}", path.display(), why.trim_end()),
            "README.md shows one, under Printers",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, told: &str) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), text).unwrap();
        match read(dir.path()) {
            Ok(config) => assert!(format!("{config:?}").contains(told), "{config:?}"),
            Err(why) => assert!(why.message.contains(told) && why.exit == 2, "{why:?}"),
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("[printer]\ndevice = \"/dev/ttyAMA0\"\nprofile = \"generic-58\"\nbusy = 16\n", "busy: Some(16)");
        check("[printer]\ndevice = \"COM1\"\nprofile = \"generic-58\"\n", "COM1");
        check("[printer]\nprofile = \"generic-58\"\n", "device");
        check("[printer]\ndevice = \"tcp:till\"\nprofile = \"x\"\nbusy_pin = 3\n", "busy_pin");
        check("[drucker]\n", "drucker");
        assert!(read(Path::new("/no/such/folder")).unwrap().printer.is_none());
    }
}
