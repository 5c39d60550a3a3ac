//! How a command says that something did not work: one sentence, its cause and the next step; or one JSON object.

use std::io::Write as _;
use std::process::ExitCode;
use tillroll_hardware::printer::ports::PortError;
use tillroll_hardware::transport::bluetooth::BluetoothError;

/// Why a command came to nothing.
#[derive(Debug)]
pub struct CliError {
    /// Stable, for programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The next step.
    pub hint: String,
    /// 1 the answer is no, 2 wrong usage, 3 cannot be done now.
    pub exit: u8,
    /// The whole JSON object, where there is more to say than the three above.
    pub object: Option<serde_json::Value>,
}

impl CliError {
    /// Wrong usage.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> CliError {
        CliError { code: "usage", message: message.into(), hint: hint.into(), exit: 2, object: None }
    }

    /// Cannot be done now.
    pub fn not_now(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> CliError {
        CliError { code, message: message.into(), hint: hint.into(), exit: 3, object: None }
    }

    /// Wrong usage, told by a JSON object of the command's own.
    pub fn whole(object: serde_json::Value) -> CliError {
        CliError { object: Some(object), ..CliError::usage("", "") }
    }

    /// Writes it to standard error; the exit status.
    pub fn tell(&self, json: bool) -> ExitCode {
        let mut err = std::io::stderr().lock();
        let told = if json {
            let inner = serde_json::json!({ "code": self.code, "message": self.message, "hint": self.hint });
            let whole = serde_json::json!({ "error": inner });
            writeln!(err, "{}", self.object.as_ref().unwrap_or(&whole))
        } else if self.hint.is_empty() {
            writeln!(err, "tillroll: {}", self.message)
        } else {
            writeln!(err, "tillroll: {}\n  {}", self.message, self.hint)
        };
        // Nobody is left to be told when standard error is gone.
        let _ = told;
        ExitCode::from(self.exit)
    }
}

/// Bluetooth says itself what to do.
pub fn bluetooth(why: &BluetoothError) -> CliError {
    let code = match why {
        BluetoothError::NoBus => "no_bus",
        BluetoothError::NoDaemon => "no_daemon",
        BluetoothError::NoAdapter | BluetoothError::OneAdapter(_) => "no_adapter",
        BluetoothError::Blocked => "blocked",
        BluetoothError::NoPermission => "no_permission",
        BluetoothError::NotBuilt => "not_built",
        BluetoothError::OutOfReach(_) => "out_of_reach",
        BluetoothError::OtherDevice(_) => "other_device",
        BluetoothError::NotPaired(_) => "not_paired",
        BluetoothError::Other(_) => "bluetooth",
    };
    CliError::not_now(code, why.to_string(), "")
}

/// Printers name the setting themselves.
pub fn printer(why: &PortError) -> CliError {
    if why.is_permanent() {
        CliError::usage(why.to_string(), "the setting is in config.toml, or on the command line without `printer.`")
    } else {
        CliError::not_now("no_printer", why.to_string(), "")
    }
}

impl From<anyhow::Error> for CliError {
    fn from(why: anyhow::Error) -> CliError {
        let causes: Vec<String> = why.chain().map(ToString::to_string).collect();
        CliError { code: "failed", message: causes.join(": "), hint: String::new(), exit: 3, object: None }
    }
}
