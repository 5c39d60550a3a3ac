//! The connections: takes them, bounds them, and drops one without a byte when a route says so.
//!
//! It has its own accept loop because only the owner of a connection can close it without an answer: a response that
//! carries [`HangUp`] is turned into an error of the service, upon which hyper closes the socket having written
//! nothing. Start at [`serve`].

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Marks a response that must not be sent: the connection closes instead.
#[derive(Debug, Clone, Copy)]
pub(super) struct HangUp;

/// Connections at a time; more wait in the kernel's queue.
const CONNECTIONS: usize = 256;

/// How long a connection may take to send a request head, idle time between two requests included. Longer than the
/// 90 s for which common clients keep an idle connection, so that it is the client that closes it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// How long requests under way may go on after the shutdown signal.
const GRACE: Duration = Duration::from_secs(5);

/// The pause after a failed accept, such as with too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The service refused to answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped without an answer, as the card wants it")]
struct HungUp;

/// Serves `router` on `listener` until `shutdown`, then for [`GRACE`] at most.
pub(super) async fn serve(router: Router, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            stream = accept(&listener), if connections.len() < CONNECTIONS => {
                if let Some(stream) = stream {
                    connections.spawn(talk(stream, router.clone(), stopped.clone()));
                }
            }
        }
    }
    drop(listener);
    // A send without receivers is a shutdown without connections.
    let _ = stop.send(true);
    let quiet = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    if quiet.is_err() {
        tracing::warn!(connections = connections.len(), "dropped connections that were still busy at shutdown");
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _)) => Some(stream),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// One connection, to its end.
async fn talk(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch off delayed sending");
    }
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = routes.call(request);
        async move { answer_or_hang_up(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told_to_stop(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Ready once `serve` says stop, or is gone.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // An error is a dropped sender, which means the same.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn answer_or_hang_up(answered: Result<Response, Infallible>) -> Result<Response, HungUp> {
    match answered {
        Ok(response) if response.extensions().get::<HangUp>().is_some() => Err(HungUp),
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
