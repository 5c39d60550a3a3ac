//! Built without the stack: everything says so.

use super::{Address, BluetoothError, Found, Question};
use crate::reader::link::Link;
use crate::reader::miura::frame::Message;
use crate::transport::Links;
use tokio::sync::mpsc;

/// Names of the adapters.
pub async fn adapters() -> Result<Vec<String>, BluetoothError> {
    Err(BluetoothError::NotBuilt)
}

/// Readers near by.
pub async fn scan(_: Option<&str>) -> Result<mpsc::Receiver<Found>, BluetoothError> {
    Err(BluetoothError::NotBuilt)
}

/// Paired readers.
pub async fn known(_: Option<&str>) -> Result<Vec<Found>, BluetoothError> {
    Err(BluetoothError::NotBuilt)
}

/// Pairs.
pub async fn pair(_: Option<&str>, _: Address, _: u32, _: mpsc::Sender<Question>) -> Result<Found, BluetoothError> {
    Err(BluetoothError::NotBuilt)
}

/// Forgets.
pub async fn forget(_: Option<&str>, _: Address) -> Result<(), BluetoothError> {
    Err(BluetoothError::NotBuilt)
}

/// Connections to an MMS reader: none.
pub fn mms(_: Option<String>, _: Address) -> Links<Vec<u8>> {
    never()
}

/// Hosts that connect: none.
pub async fn serve_mms(
    _: Option<&str>,
    _: &str,
    _: bool,
) -> Result<(Address, mpsc::Receiver<Link<Vec<u8>>>), BluetoothError> {
    Err(BluetoothError::NotBuilt)
}

/// The serial port profile.
#[derive(Debug, Clone)]
pub struct SerialPort;

impl SerialPort {
    /// Not here.
    pub async fn open() -> Result<SerialPort, BluetoothError> {
        Err(BluetoothError::NotBuilt)
    }

    /// Connections to a Miura reader: none.
    pub fn miura(&self, _: Option<String>, _: Address) -> Links<Message> {
        never()
    }

    /// Hosts that connect: none.
    pub async fn serve_miura(
        &self,
        _: Option<&str>,
        _: &str,
    ) -> Result<(Address, mpsc::Receiver<Link<Message>>), BluetoothError> {
        Err(BluetoothError::NotBuilt)
    }
}

/// A channel on which nothing ever comes, open for as long as somebody listens.
fn never<M: Send + 'static>() -> Links<M> {
    let (keep, never) = mpsc::channel(1);
    tokio::spawn(async move { keep.closed().await });
    never.into()
}
