//! MMS over Bluetooth Low Energy, from the host's side (manual D998200597, "How to use Bluetooth LE connections").
//!
//! Values are written with a response and come back as notifications; messages are cut into pieces that fit the
//! connection. Every connection begins with fresh counters, so a connection that has gone wrong is closed, never mended.

use super::devices::{find, open};
use super::failure::meaning;
use super::{Address, BluetoothError};
use crate::reader::link::{Link, pair};
use crate::reader::mms::pdu::{Cutter, Joiner, MAX_VALUE};
use crate::transport::{Links, redial};
use bluer::gatt::WriteOp;
use bluer::gatt::remote::{Characteristic, CharacteristicWriteRequest};
use bluer::{Device, DeviceEvent, DeviceProperty, DiscoveryTransport};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The service that an MMS reader advertises.
pub(super) const SERVICE: Uuid = Uuid::from_u128(0x0CBA_14B7_FF24_47B0_BE09_2644_0538_530C);
/// Message from host: write with response.
pub(super) const FROM_HOST: Uuid = Uuid::from_u128(0x47F0_5FFA_5909_4969_BC57_250D_47E8_74E5);
/// Message to host: notify.
pub(super) const TO_HOST: Uuid = Uuid::from_u128(0xFED4_9118_C7E2_4A61_9ED5_E6DD_65C3_071B);

/// How long connecting and looking at the services may take.
const CONNECT: Duration = Duration::from_secs(30);

/// A write is answered within this, or the connection is lost.
const WRITE: Duration = Duration::from_secs(10);

/// Bytes of an attribute protocol header before a value.
const ATT_HEADER: usize = 3;

/// Connections to an MMS reader, one after the other, for as long as the receiver lives.
pub fn mms(adapter: Option<String>, address: Address) -> Links<Vec<u8>> {
    redial(move || {
        let adapter = adapter.clone();
        async move { dial(adapter.as_deref(), address).await.map_err(|why| why.to_string()) }
    })
}

async fn dial(adapter: Option<&str>, address: Address) -> Result<(Link<Vec<u8>>, JoinHandle<()>), BluetoothError> {
    let (session, adapter) = open(adapter).await?;
    let device = find(&adapter, address, DiscoveryTransport::Le).await?;
    let connecting = tokio::time::timeout(CONNECT, connect(&device));
    let (from_host, to_host) = match connecting.await {
        Ok(Ok(found)) => found,
        Ok(Err(why)) => {
            let _ = device.disconnect().await;
            return Err(why);
        }
        Err(_) => return Err(BluetoothError::OutOfReach(address)),
    };
    let room = from_host.mtu().await.map_or(MAX_VALUE, |mtu| mtu.saturating_sub(ATT_HEADER));
    let (near, far) = pair();
    let closed = tokio::spawn(async move {
        if let Err(why) = carry(&device, &from_host, &to_host, room, near).await {
            tracing::info!(error = %why, "the reader's connection ended");
        }
        // The next one begins at a known place; the session must outlive it.
        let _ = device.disconnect().await;
        drop(session);
    });
    Ok((far, closed))
}

/// Connects, waits until the services are known, and finds the two characteristics.
async fn connect(device: &Device) -> Result<(Characteristic, Characteristic), BluetoothError> {
    if !device.is_connected().await.map_err(meaning)? {
        device.connect().await.map_err(meaning)?;
    }
    let other = || BluetoothError::OtherDevice(device.address().into());
    for service in device.services().await.map_err(meaning)? {
        if service.uuid().await.map_err(meaning)? != SERVICE {
            continue;
        }
        let (mut from_host, mut to_host) = (None, None);
        for characteristic in service.characteristics().await.map_err(meaning)? {
            match characteristic.uuid().await.map_err(meaning)? {
                FROM_HOST => from_host = Some(characteristic),
                TO_HOST => to_host = Some(characteristic),
                _ => {}
            }
        }
        return from_host.zip(to_host).ok_or_else(other);
    }
    Err(other())
}

/// Carries messages until either side ends.
async fn carry(
    device: &Device,
    from_host: &Characteristic,
    to_host: &Characteristic,
    room: usize,
    mut link: Link<Vec<u8>>,
) -> Result<(), BluetoothError> {
    let mut events = Box::pin(device.events().await.map_err(meaning)?);
    let mut values = Box::pin(to_host.notify().await.map_err(meaning)?);
    let (mut cutter, mut joiner) = (Cutter::new(room), Joiner::default());
    let request = CharacteristicWriteRequest { op_type: WriteOp::Request, ..CharacteristicWriteRequest::default() };
    loop {
        tokio::select! {
            message = link.incoming.recv() => {
                let Some(message) = message else { return Ok(()) };
                for piece in cutter.cut(&message) {
                    let write = tokio::time::timeout(WRITE, from_host.write_ext(&piece, &request)).await;
                    write.map_err(|_| BluetoothError::OutOfReach(device.address().into()))?.map_err(meaning)?;
                }
            }
            value = values.next() => {
                let Some(value) = value else { return Ok(()) };
                let taken = joiner.take(&value);
                if let Some(lost) = taken.lost {
                    tracing::warn!(?lost, "pieces of the reader's messages were lost");
                }
                if let Some(message) = taken.message
                    && link.outgoing.send(message).await.is_err()
                {
                    return Ok(());
                }
            }
            event = events.next() => match event {
                Some(DeviceEvent::PropertyChanged(DeviceProperty::Connected(false))) | None => return Ok(()),
                Some(_) => {}
            },
            // Nobody drives the reader any more.
            () = link.outgoing.closed() => return Ok(()),
        }
    }
}
