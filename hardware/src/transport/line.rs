//! Reader messages over a stream of bytes: a serial line, a pseudo-terminal, RFCOMM, a TCP connection. MMS in its SLIP
//! framing, Miura in its own.
//!
//! Bytes that are no frame are dropped with a warning; a stream that ends closes the link.

use super::{Links, redial};
use crate::reader::link::{Link, pair};
use crate::reader::miura::frame;
use crate::reader::mms::slip::{self, Frame};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 512;

/// A protocol's framing on a line: bytes of a message, and messages of bytes.
pub trait Framing: Send + 'static {
    /// What goes over the connection.
    type Message: Send + 'static;

    /// The bytes of a message.
    fn frame(&self, message: &Self::Message) -> Vec<u8>;
    /// Takes one byte; a message at its end, or why bytes were dropped.
    fn take(&mut self, byte: u8) -> Option<Result<Self::Message, String>>;
    /// The same framing, as at the beginning of a line.
    fn fresh(&self) -> Self;
}

/// Which end of the line this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The program that drives the reader.
    Host,
    /// The reader.
    Reader,
}

/// MMS in SLIP.
#[derive(Debug)]
pub struct MmsLine {
    end: End,
    decoder: slip::Decoder,
}

impl MmsLine {
    /// This end of a line.
    pub fn new(end: End) -> MmsLine {
        MmsLine { end, decoder: slip::Decoder::default() }
    }
}

impl Framing for MmsLine {
    type Message = Vec<u8>;

    fn frame(&self, message: &Vec<u8>) -> Vec<u8> {
        match self.end {
            End::Host => Frame::ToReader(message.clone()).encode(),
            End::Reader => Frame::ToHost(message.clone()).encode(),
        }
    }

    fn take(&mut self, byte: u8) -> Option<Result<Vec<u8>, String>> {
        match (self.end, self.decoder.take(byte)?) {
            (End::Host, Ok(Frame::ToHost(message))) | (End::Reader, Ok(Frame::ToReader(message))) => Some(Ok(message)),
            (_, Ok(Frame::TooLong { limit })) => Some(Err(format!("the reader takes no message beyond {limit} bytes"))),
            (End::Host, Ok(Frame::ToReader(_))) | (End::Reader, Ok(Frame::ToHost(_))) => None,
            (_, Err(why)) => Some(Err(why.to_string())),
        }
    }

    fn fresh(&self) -> MmsLine {
        MmsLine::new(self.end)
    }
}

/// Miura's own frames.
#[derive(Debug, Default)]
pub struct MiuraLine(frame::Decoder);

impl Framing for MiuraLine {
    type Message = frame::Message;

    fn frame(&self, message: &frame::Message) -> Vec<u8> {
        frame::encode_message(message).concat()
    }

    fn take(&mut self, byte: u8) -> Option<Result<frame::Message, String>> {
        self.0.take(byte).map(|taken| taken.map_err(|why| why.to_string()))
    }

    fn fresh(&self) -> MiuraLine {
        MiuraLine::default()
    }
}

/// A link over `stream`, and a task that ends when the stream has.
pub fn link<S, F>(stream: S, framing: F) -> (Link<F::Message>, JoinHandle<()>)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
    F: Framing,
{
    let (near, far) = pair();
    let (read, write) = tokio::io::split(stream);
    let outgoing = framing.fresh();
    let closed = tokio::spawn(receive(read, framing, near.outgoing));
    tokio::spawn(send(write, outgoing, near.incoming));
    (far, closed)
}

/// Connections to a reader at a TCP address (`host:port`), one after the other.
pub fn tcp<F: Framing + Sync>(address: String, framing: F) -> Links<F::Message> {
    redial(move || {
        let (address, framing) = (address.clone(), framing.fresh());
        async move {
            let stream = TcpStream::connect(&address).await.map_err(|why| format!("no reader at {address}: {why}"))?;
            Ok(link(stream, framing))
        }
    })
}

async fn receive<S: AsyncRead, F: Framing>(mut from: ReadHalf<S>, mut framing: F, to: mpsc::Sender<F::Message>) {
    let mut chunk = [0_u8; CHUNK_BYTES];
    loop {
        let count = tokio::select! {
            read = from.read(&mut chunk) => match read {
                Ok(count @ 1..) => count,
                Ok(_) | Err(_) => return,
            },
            () = to.closed() => return,
        };
        for byte in chunk.get(..count).unwrap_or_default() {
            let message = match framing.take(*byte) {
                None => continue,
                Some(Err(why)) => {
                    tracing::warn!(error = %why, "bytes of a reader were dropped");
                    continue;
                }
                Some(Ok(message)) => message,
            };
            if to.send(message).await.is_err() {
                return;
            }
        }
    }
}

async fn send<S: AsyncWrite, F: Framing>(mut to: WriteHalf<S>, framing: F, mut from: mpsc::Receiver<F::Message>) {
    while let Some(message) = from.recv().await {
        if to.write_all(&framing.frame(&message)).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
    // The other side is told that nothing more comes.
    let _ = to.shutdown().await;
}

#[cfg(test)]
#[path = "line/tests.rs"]
mod tests;
