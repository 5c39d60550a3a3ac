//! What carries a reader's messages: [`mod@line`] for streams of bytes. Until the Bluetooth drivers come: whether this
//! machine could.

pub mod line;

/// Names of the Bluetooth adapters that BlueZ knows, or why there is none, in a sentence.
#[cfg(feature = "bluetooth")]
pub async fn adapters() -> Result<Vec<String>, String> {
    let session = bluer::Session::new().await.map_err(|why| format!("no connection to bluetoothd: {why}"))?;
    session.adapter_names().await.map_err(|why| format!("bluetoothd does not name its adapters: {why}"))
}

/// Built without the stack.
#[cfg(not(feature = "bluetooth"))]
pub async fn adapters() -> Result<Vec<String>, String> {
    Err("this program was built without Bluetooth".to_owned())
}
