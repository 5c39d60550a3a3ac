//! What carries a reader's messages: [`mod@line`] for streams of bytes, [`tty`] and [`bluetooth`] for
//! what they run over.
//!
//! A transport hands out connections, one after the other, and never ends by itself: a reader that is gone may come
//! back without anyone's help.

pub mod bluetooth;
pub mod line;
pub mod tty;

use crate::reader::link::Link;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The first and the longest pause before a new connection is tried.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Connections, one after the other: a new one, with a pause that grows, whenever the last has ended. `dial` makes one
/// and a task that ends with it, or says why there is none.
pub fn redial<M, D, F>(dial: D) -> Links<M>
where
    M: Send + 'static,
    D: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result<(Link<M>, JoinHandle<()>), String>> + Send,
{
    let (connect, links) = mpsc::channel(1);
    let task = tokio::spawn(async move {
        let mut pause = PAUSE_MIN;
        while !connect.is_closed() {
            let dialled = tokio::select! {
                dialled = dial() => dialled,
                () = connect.closed() => return,
            };
            match dialled {
                Ok((link, closed)) => {
                    pause = PAUSE_MIN;
                    if connect.send(link).await.is_err() {
                        return;
                    }
                    // Ends with the connection; a task that failed is a connection that ended.
                    let _ = closed.await;
                }
                Err(why) => tracing::info!(why, "no reader"),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = connect.closed() => return,
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    });
    Links { links, task: Some(task) }
}

/// A source of connections.
#[derive(Debug)]
pub struct Links<M> {
    links: mpsc::Receiver<Link<M>>,
    task: Option<JoinHandle<()>>,
}

impl<M> Links<M> {
    /// The next connection; `None` if there will be none.
    pub async fn next(&mut self) -> Option<Link<M>> {
        self.links.recv().await
    }

    /// Wants no more, and waits until the last one is closed politely.
    pub async fn close(self) {
        drop(self.links);
        if let Some(task) = self.task {
            // A transport that has failed has nothing to close.
            let _ = task.await;
        }
    }
}

impl<M> From<mpsc::Receiver<Link<M>>> for Links<M> {
    fn from(links: mpsc::Receiver<Link<M>>) -> Links<M> {
        Links { links, task: None }
    }
}
