//! Listening on a port, or saying why not.

use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Listens, or says which port is taken and how to choose another.
pub async fn listener(at: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(at).await.map_err(|why| match why.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} on {} is in use by another program; choose another with --listen {}, or 0 for any free port",
            at.port(),
            at.ip(),
            SocketAddr::new(at.ip(), at.port().checked_add(2).unwrap_or(0)),
        ),
        _ => anyhow::anyhow!("cannot listen on {at}: {why}; choose another address with --listen ADDR:PORT"),
    })
}
