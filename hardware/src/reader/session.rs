//! The task around a driver: connections come and go, one after the other, and every operation ends once.

use super::link::Link;
use super::{EndReason, Op, QUEUE, ReaderCommand, ReaderEvent, ReaderLink};
use crate::transport::Links;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A reader that said nothing for this long after its own time-out is given up.
const GRACE: Duration = Duration::from_secs(15);

/// A request that is not answered within this is lost, and with it the connection: a new one begins at a known place.
const ANSWER: Duration = Duration::from_secs(10);

/// What a driver wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out<M> {
    /// Send this message.
    Send(M),
    /// Tell the program.
    Tell(ReaderEvent),
}

/// The pure part of a driver: commands and messages in, messages and events out.
pub trait Driver: Sized + Send + 'static {
    /// What goes over the connection.
    type Message: Send + 'static;

    /// A driver for a new connection, and its first requests.
    fn connected() -> (Self, Vec<Out<Self::Message>>);
    /// Takes a command.
    fn command(&mut self, command: &ReaderCommand) -> Vec<Out<Self::Message>>;
    /// Takes a message of the reader.
    fn message(&mut self, message: Self::Message) -> Vec<Out<Self::Message>>;
    /// The connection broke.
    fn lost(&mut self) -> Vec<Out<Self::Message>>;
    /// The reader has said nothing for too long.
    fn overdue(&mut self) -> Vec<Out<Self::Message>>;
    /// The operation under way.
    fn running(&self) -> Option<Op>;
    /// Whether a request is out that a reader answers at once.
    fn awaits_answer(&self) -> bool;
}

/// Starts a driver's task. `links` brings a connection whenever the reader is there; the task ends when `links` or the
/// returned link is dropped.
pub fn spawn<D: Driver>(links: impl Into<Links<D::Message>>) -> ReaderLink {
    let mut links = links.into();
    let (commands, mut from_program) = mpsc::channel(QUEUE);
    let (to_program, events) = mpsc::channel(QUEUE);
    let task = tokio::spawn(async move {
        serve::<D>(&mut links, &mut from_program, &to_program).await;
        links.close().await;
    });
    ReaderLink { commands, events, task: Some(task) }
}

/// Until the program has gone, or no connection will come any more.
async fn serve<D: Driver>(
    links: &mut Links<D::Message>,
    from_program: &mut mpsc::Receiver<ReaderCommand>,
    to_program: &mpsc::Sender<ReaderEvent>,
) {
    loop {
        let link = tokio::select! {
            link = links.next() => link,
            command = from_program.recv() => {
                let answer = match command {
                    None => return,
                    Some(ReaderCommand::Arm(request)) => {
                        ReaderEvent::Ended { op: request.op, why: EndReason::ReaderLost }
                    }
                    Some(ReaderCommand::Identify) => ReaderEvent::Identified(false),
                    Some(ReaderCommand::Cancel { .. } | ReaderCommand::SelectApplication { .. }) => continue,
                };
                if to_program.send(answer).await.is_err() {
                    return;
                }
                continue;
            }
        };
        let Some(link) = link else { return };
        if session::<D>(link, from_program, to_program).await.is_none() {
            return;
        }
    }
}

/// One connection; `None` when the program has gone.
async fn session<D: Driver>(
    mut link: Link<D::Message>,
    commands: &mut mpsc::Receiver<ReaderCommand>,
    events: &mpsc::Sender<ReaderEvent>,
) -> Option<()> {
    let (mut driver, mut out) = D::connected();
    let mut deadline = Instant::now();
    let mut answer_by = Instant::now() + ANSWER;
    loop {
        for item in out {
            match item {
                Out::Tell(event) => events.send(event).await.ok()?,
                // A closed connection shows on the other direction too.
                Out::Send(message) => {
                    answer_by = Instant::now() + ANSWER;
                    drop(link.outgoing.send(message).await);
                }
            }
        }
        let silent = driver.awaits_answer();
        let message = tokio::select! {
            message = link.incoming.recv() => message,
            command = commands.recv() => {
                let command = command?;
                if let (ReaderCommand::Arm(request), None) = (&command, driver.running()) {
                    deadline = Instant::now() + Duration::from_secs(u64::from(request.timeout_s)) + GRACE;
                }
                out = driver.command(&command);
                continue;
            }
            () = tokio::time::sleep_until(deadline), if driver.running().is_some() => {
                out = driver.overdue();
                continue;
            }
            () = tokio::time::sleep_until(answer_by), if silent => {
                tracing::warn!("the reader did not answer: the connection is given up");
                None
            }
        };
        match message {
            Some(message) => out = driver.message(message),
            None => {
                for item in driver.lost() {
                    if let Out::Tell(event) = item {
                        events.send(event).await.ok()?;
                    }
                }
                return Some(());
            }
        }
    }
}
