//! One connection to a reader, as its protocol sees it: whole messages each way.

use tokio::sync::mpsc;

/// Messages that may wait in one direction.
const MESSAGES: usize = 32;

/// One connection. Closed means lost; there is a new one after a reconnection.
#[derive(Debug)]
pub struct Link<M> {
    /// To the other side.
    pub outgoing: mpsc::Sender<M>,
    /// From the other side.
    pub incoming: mpsc::Receiver<M>,
}

/// Two ends of one connection within the program.
pub fn pair<M>() -> (Link<M>, Link<M>) {
    let (to_reader, from_host) = mpsc::channel(MESSAGES);
    let (to_host, from_reader) = mpsc::channel(MESSAGES);
    (Link { outgoing: to_reader, incoming: from_reader }, Link { outgoing: to_host, incoming: from_host })
}
