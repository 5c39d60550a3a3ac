//! The 40-pin header. Until the printer drivers come: which board this is.

/// The board's model, or why it is none, in a sentence.
#[cfg(feature = "gpio")]
pub fn board() -> Result<String, String> {
    let info = rppal::system::DeviceInfo::new();
    info.map(|info| info.model().to_string()).map_err(|why| format!("this machine is no Raspberry Pi: {why}"))
}

/// Built without the header.
#[cfg(not(feature = "gpio"))]
pub fn board() -> Result<String, String> {
    Err("this program was built without the header".to_owned())
}
