//! What BlueZ's errors mean to a person.

use super::{Address, BluetoothError};
use bluer::{Error, ErrorKind};

impl From<bluer::Address> for Address {
    fn from(address: bluer::Address) -> Address {
        Address(address.0)
    }
}

impl From<Address> for bluer::Address {
    fn from(address: Address) -> bluer::Address {
        bluer::Address(address.0)
    }
}

/// The sentence for an error of the bus or the daemon.
pub(super) fn meaning(why: Error) -> BluetoothError {
    let name = match &why.kind {
        ErrorKind::Internal(bluer::InternalErrorKind::DBus(name)) => name.clone(),
        _ => String::new(),
    };
    // Names of the D-Bus specification; `Blocked` is BlueZ's own since 5.65, its text older.
    let last = name.rsplit('.').next().unwrap_or_default();
    match last {
        "FileNotFound" | "NoServer" | "Disconnected" => BluetoothError::NoBus,
        "ServiceUnknown" | "NameHasNoOwner" | "SpawnChildExited" => BluetoothError::NoDaemon,
        "AccessDenied" | "AuthFailed" => BluetoothError::NoPermission,
        "Blocked" => BluetoothError::Blocked,
        _ if why.message.to_lowercase().contains("rfkill") => BluetoothError::Blocked,
        _ => BluetoothError::Other(why.to_string()),
    }
}
