//! What the program knows of the connection to the office.

/// The connection, as the last exchange found it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkState {
    /// The last exchange went through.
    pub online: bool,
    /// When the next try is due, Unix milliseconds by the device's clock; `None` while online.
    pub next_try_ms: Option<i64>,
    /// Why the last one failed, in a sentence.
    pub last_error: Option<String>,
}
