//! A printer on the network: the receipt's bytes over TCP, and TCP holds back.

use crate::printer::link::ByteLink;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// A connection.
pub(super) struct Connection(TcpStream);

/// Connects.
pub(super) fn open(address: &str) -> Result<Connection, String> {
    let wrong = |why: io::Error| format!("no printer at {address}: {why}");
    let mut last = None;
    for at in address.to_socket_addrs().map_err(wrong)? {
        match TcpStream::connect_timeout(&at, CONNECT) {
            Ok(stream) => {
                stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).map_err(wrong)?;
                return Ok(Connection(stream));
            }
            Err(why) => last = Some(why),
        }
    }
    Err(wrong(last.unwrap_or_else(|| io::Error::from(ErrorKind::NotFound))))
}

impl ByteLink for Connection {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_blocked(self.0.write(bytes))
    }

    /// The network does not tell.
    fn pending(&mut self) -> io::Result<usize> {
        Ok(0)
    }

    fn try_read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            other => unless_blocked(other),
        }
    }
}

fn unless_blocked(outcome: io::Result<usize>) -> io::Result<usize> {
    match outcome {
        Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
        other => other,
    }
}
