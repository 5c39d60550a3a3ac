//! Miura over the serial port profile (Bluetooth Classic, RFCOMM), from both sides.
//!
//! BlueZ takes the profile's registration once a daemon, whoever asks; so one [`SerialPort`] serves everything in the
//! program, and hands each new connection to whoever it is for.

use super::agent;
use super::devices::{find, open};
use super::failure::meaning;
use super::{Address, BluetoothError};
use crate::reader::link::Link;
use crate::reader::miura::frame::Message;
use crate::transport::line::{MiuraLine, link};
use crate::transport::{Links, redial};
use bluer::rfcomm::{Profile, ProfileHandle, Stream};
use bluer::{DiscoveryTransport, Session};
use futures_util::StreamExt as _;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Serial port (Bluetooth assigned numbers, service class 0x1101).
pub(super) const SERIAL_PORT: Uuid = Uuid::from_u128(0x0000_1101_0000_1000_8000_0080_5F9B_34FB);

/// RFCOMM channel of a simulated reader.
const CHANNEL: u16 = 5;

/// How long connecting may take: looking up the channel, then the channel itself.
const CONNECT: Duration = Duration::from_secs(40);

/// Who waits for a connection.
#[derive(Default)]
struct Waiting {
    /// Those who dial, by the address of the other side.
    dialled: HashMap<bluer::Address, oneshot::Sender<Stream>>,
    /// Who takes calls.
    server: Option<mpsc::Sender<Stream>>,
}

/// The profile, once for this program; cheap to clone.
#[derive(Clone)]
pub struct SerialPort {
    waiting: Arc<Mutex<Waiting>>,
    task: Arc<JoinHandle<()>>,
}

impl std::fmt::Debug for SerialPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SerialPort")
    }
}

impl SerialPort {
    /// Registers the profile.
    pub async fn open() -> Result<SerialPort, BluetoothError> {
        let session = Session::new().await.map_err(meaning)?;
        let profile = Profile {
            uuid: SERIAL_PORT,
            name: Some("tillroll".to_owned()),
            channel: Some(CHANNEL),
            require_authentication: Some(false),
            require_authorization: Some(false),
            ..Profile::default()
        };
        let handle = session.register_profile(profile).await.map_err(meaning)?;
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let task = Arc::new(tokio::spawn(hand_out(session, handle, Arc::clone(&waiting))));
        Ok(SerialPort { waiting, task })
    }

    /// Connections to a Miura reader, one after the other, for as long as the receiver lives.
    pub fn miura(&self, adapter: Option<String>, address: Address) -> Links<Message> {
        let port = self.clone();
        redial(move || {
            let (port, adapter) = (port.clone(), adapter.clone());
            async move {
                let stream = port.dial(adapter.as_deref(), address).await.map_err(|why| why.to_string())?;
                Ok(link(stream, MiuraLine::default()))
            }
        })
    }

    async fn dial(&self, adapter: Option<&str>, address: Address) -> Result<Stream, BluetoothError> {
        if self.task.is_finished() {
            return Err(BluetoothError::NoDaemon);
        }
        let (_session, adapter) = open(adapter).await?;
        let device = find(&adapter, address, DiscoveryTransport::BrEdr).await?;
        let (tell, stream) = oneshot::channel();
        self.waiting.lock().await.dialled.insert(address.into(), tell);
        let both = async {
            device.connect_profile(&SERIAL_PORT).await.map_err(meaning)?;
            stream.await.map_err(|_| BluetoothError::OutOfReach(address))
        };
        let outcome = tokio::time::timeout(CONNECT, both).await.unwrap_or(Err(BluetoothError::OutOfReach(address)));
        self.waiting.lock().await.dialled.remove(&address.into());
        outcome
    }

    /// Is found as a reader of that name, and takes calls of hosts.
    pub async fn serve_miura(
        &self,
        adapter: Option<&str>,
        name: &str,
    ) -> Result<(Address, mpsc::Receiver<Link<Message>>), BluetoothError> {
        let (session, adapter) = open(adapter).await?;
        adapter.set_alias(name.to_owned()).await.map_err(meaning)?;
        adapter.set_pairable(true).await.map_err(meaning)?;
        adapter.set_discoverable(true).await.map_err(meaning)?;
        let agent = session.register_agent(agent::mute_reader()).await.ok();
        let address = adapter.address().await.map_err(meaning)?.into();
        let (take, mut streams) = mpsc::channel(1);
        self.waiting.lock().await.server = Some(take);
        let (connect, links) = mpsc::channel(1);
        let port = self.clone();
        tokio::spawn(async move {
            let _alive = (session, agent, port);
            loop {
                tokio::select! {
                    stream = streams.recv() => {
                        let Some(stream) = stream else { return };
                        if connect.send(link(stream, MiuraLine::default()).0).await.is_err() {
                            return;
                        }
                    }
                    () = connect.closed() => return,
                }
            }
        });
        Ok((address, links))
    }
}

/// Gives each connection to whoever dialled it, else to who takes calls, else refuses it.
async fn hand_out(_session: Session, mut handle: ProfileHandle, waiting: Arc<Mutex<Waiting>>) {
    while let Some(request) = handle.next().await {
        let mut waiting = waiting.lock().await;
        let dialled = waiting.dialled.remove(&request.device());
        match (dialled, &waiting.server) {
            (None, None) => request.reject(bluer::rfcomm::ReqError::Rejected),
            (Some(dialled), _) => {
                if let Ok(stream) = request.accept() {
                    drop(dialled.send(stream));
                }
            }
            (None, Some(server)) => {
                if let Ok(stream) = request.accept() {
                    let _ = server.send(stream).await;
                }
            }
        }
    }
}
