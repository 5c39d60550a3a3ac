//! Reader messages over a stream of bytes: a serial line, a pseudo-terminal, a TCP connection. MMS in its SLIP framing.
//!
//! Bytes that are no frame are dropped with a warning; a stream that ends closes the link.

use crate::reader::mms::MessageLink;
use crate::reader::mms::slip::{Decoder, Frame};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Messages that may wait in one direction.
const MESSAGES: usize = 32;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 512;

/// The first and the longest pause before a new connection is tried.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Which end of the line this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The program that drives the reader.
    Host,
    /// The reader.
    Reader,
}

impl End {
    fn frame(self, message: Vec<u8>) -> Frame {
        match self {
            End::Host => Frame::ToReader(message),
            End::Reader => Frame::ToHost(message),
        }
    }

    /// The message of a frame that is for this end.
    fn message(self, frame: Frame) -> Option<Vec<u8>> {
        match (self, frame) {
            (End::Host, Frame::ToHost(message)) | (End::Reader, Frame::ToReader(message)) => Some(message),
            (End::Host, Frame::ToReader(_)) | (End::Reader, Frame::ToHost(_)) => None,
            (_, Frame::TooLong { limit }) => {
                tracing::warn!(limit, "the reader takes no message that long");
                None
            }
        }
    }
}

/// A link over `stream`, and a task that ends when the stream has.
pub fn mms<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S, end: End) -> (MessageLink, JoinHandle<()>) {
    let (outgoing, to_send) = mpsc::channel(MESSAGES);
    let (received, incoming) = mpsc::channel(MESSAGES);
    let (read, write) = tokio::io::split(stream);
    let closed = tokio::spawn(receive(read, end, received));
    tokio::spawn(send(write, end, to_send));
    (MessageLink { outgoing, incoming }, closed)
}

/// Connections to a reader at a TCP address (`host:port`), one after the other: a new one, with a pause that grows to
/// five seconds, whenever the last has ended.
pub fn tcp(address: String) -> mpsc::Receiver<MessageLink> {
    let (connect, links) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut pause = PAUSE_MIN;
        while !connect.is_closed() {
            match TcpStream::connect(&address).await {
                Ok(stream) => {
                    pause = PAUSE_MIN;
                    let (link, closed) = mms(stream, End::Host);
                    if connect.send(link).await.is_err() {
                        return;
                    }
                    // Ends with the stream; a task that failed is a stream that ended.
                    let _ = closed.await;
                }
                Err(why) => tracing::info!(error = %why, address, "no reader there"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    });
    links
}

async fn receive<S: AsyncRead>(mut from: ReadHalf<S>, end: End, to: mpsc::Sender<Vec<u8>>) {
    let mut decoder = Decoder::default();
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
            match decoder.take(*byte) {
                None => {}
                Some(Err(why)) => tracing::warn!(error = %why, "bytes of a reader were dropped"),
                Some(Ok(frame)) => {
                    if let Some(message) = end.message(frame)
                        && to.send(message).await.is_err()
                    {
                        return;
                    }
                }
            }
        }
    }
}

async fn send<S: AsyncWrite>(mut to: WriteHalf<S>, end: End, mut from: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = from.recv().await {
        if to.write_all(&end.frame(message).encode()).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
    // The other side is told that nothing more comes.
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::mms::{driver, sim};
    use crate::reader::{ArmRequest, Op, ReaderCommand, ReaderEvent};

    fn config() -> sim::SimConfig {
        sim::SimConfig {
            serial: "B61378A".to_owned(),
            ksn_file: None,
            first_ksn: [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 0],
            present_after: Duration::ZERO,
        }
    }

    /// Driver and simulated reader with nothing but bytes between them, in lots of every size, and noise before them.
    #[tokio::test]
    async fn a_card_is_read_over_a_line_that_is_torn_and_noisy() {
        for size in [1, 2, 7, 64, 4_096] {
            let (host, reader) = tokio::io::duplex(size);
            let (connect, links) = mpsc::channel(1);
            let (to_reader, reader_links) = mpsc::channel(1);
            let control = sim::serve_links(config(), reader_links);
            control.present(Some("mc-chip"));
            to_reader.send(mms(reader, End::Reader).0).await.unwrap();
            let mut host_end = host;
            // What a line holds when a plug goes in: bytes of no frame, then the end of one.
            host_end.write_all(&[0x55, 0x00, 0xAA, 0xC0]).await.unwrap();
            connect.send(mms(host_end, End::Host).0).await.unwrap();
            let mut link = driver::spawn(links);
            assert!(matches!(link.events.recv().await, Some(ReaderEvent::Connected(_))), "{size}");
            let request =
                ArmRequest { op: Op(1), amount_minor: 100, currency_numeric: 978, currency_exponent: 2, timeout_s: 5 };
            link.commands.send(ReaderCommand::Arm(request)).await.unwrap();
            let read = loop {
                match link.events.recv().await.unwrap() {
                    ReaderEvent::CardRead { read, .. } => break read,
                    ReaderEvent::Prompt { .. } | ReaderEvent::CardSeen { .. } => {}
                    event => panic!("{event:?}"),
                }
            };
            assert_eq!(read.last4, "4444");
            drop(to_reader);
        }
    }

    #[tokio::test]
    async fn a_line_that_ends_in_the_middle_of_a_message_is_a_lost_reader() {
        let message = Frame::ToHost(vec![0xAA; 40]).encode();
        for cut in 0..message.len() {
            let (host, mut reader) = tokio::io::duplex(256);
            let (mut link, _) = mms(host, End::Host);
            reader.write_all(&message[..cut]).await.unwrap();
            drop(reader);
            assert_eq!(link.incoming.recv().await, None, "{cut}");
        }
    }
}
