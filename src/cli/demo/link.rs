//! The demo's network: a relay between handheld and office that can be cut and restored, with real sockets.

use crate::cli::hands::LinkSwitch;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The switch of the relay; cheap to clone. The relay ends when every switch is gone.
#[derive(Debug, Clone)]
pub struct Switch(watch::Sender<bool>);

impl Switch {
    /// Ends every connection now, and lets no new one through.
    pub fn cut(&self) {
        self.0.send_replace(true);
    }

    /// Lets connections through again.
    pub fn restore(&self) {
        self.0.send_replace(false);
    }

    /// Whether it is cut.
    pub fn is_cut(&self) -> bool {
        *self.0.borrow()
    }
}

impl LinkSwitch for Switch {
    fn toggle(&self) {
        if self.is_cut() { self.restore() } else { self.cut() }
    }

    fn is_cut(&self) -> bool {
        Switch::is_cut(self)
    }
}

/// Starts a relay to `office`; where handhelds find it, and its switch.
pub async fn start(office: SocketAddr) -> std::io::Result<(SocketAddr, Switch)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (switch, cut) = watch::channel(false);
    tokio::spawn(relay(listener, office, cut));
    Ok((address, Switch(switch)))
}

async fn relay(listener: TcpListener, office: SocketAddr, mut cut: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((near, _)) = accepted else { continue };
                if !*cut.borrow() {
                    tokio::spawn(carry(near, office, cut.clone()));
                }
            }
            changed = cut.changed() => if changed.is_err() { return },
        }
    }
}

async fn carry(mut near: TcpStream, office: SocketAddr, mut cut: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(office).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = cut.wait_for(|cut| *cut) => {}
    }
}
