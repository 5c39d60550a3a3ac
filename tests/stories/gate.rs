//! A gate in the network: connections go through while it is open. Shut, it ends them all and lets no new one through.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Ends with its last connection once dropped.
pub struct Gate {
    pub address: SocketAddr,
    shut: watch::Sender<bool>,
    /// Milliseconds that every second connection holds back what goes out.
    uneven: Arc<AtomicU64>,
}

impl Gate {
    /// An open one.
    pub async fn before(far: SocketAddr) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shut, mut state) = watch::channel(false);
        let uneven: Arc<AtomicU64> = Arc::default();
        let held = uneven.clone();
        tokio::spawn(async move {
            let mut turn = 0;
            loop {
                tokio::select! {
                    near = listener.accept() => {
                        let (near, _) = near.unwrap();
                        turn ^= 1;
                        let hold = Duration::from_millis(held.load(Ordering::Relaxed) * turn);
                        if !*state.borrow() {
                            tokio::spawn(carry(near, far, state.clone(), hold));
                        }
                    }
                    changed = state.changed() => if changed.is_err() { return },
                }
            }
        });
        Gate { address, shut, uneven }
    }

    pub fn shut(&self) {
        self.shut.send_replace(true);
    }

    pub fn open(&self) {
        self.shut.send_replace(false);
    }

    /// From now on every second new connection is so much slower on the way out: what was sent later may come first.
    pub fn uneven(&self, ms: u64) {
        self.uneven.store(ms, Ordering::Relaxed);
    }
}

async fn carry(near: TcpStream, far: SocketAddr, mut state: watch::Receiver<bool>, hold: Duration) {
    let Ok(far) = TcpStream::connect(far).await else { return };
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
    let out = async {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = near_in.read(&mut bytes).await {
            tokio::time::sleep(hold).await;
            if far_out.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = out => {}
        _ = tokio::io::copy(&mut far_in, &mut near_out) => {}
        _ = state.wait_for(|shut| *shut) => {}
    }
}
