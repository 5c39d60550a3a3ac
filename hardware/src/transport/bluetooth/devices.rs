//! Adapters and devices: what is near, what is known, pairing and forgetting.

use super::agent;
use super::failure::meaning;
use super::gatt::SERVICE;
use super::serial::SERIAL_PORT;
use super::{Address, BluetoothError, Found, Kind, Question};
use crate::reader::clear::printable;
use bluer::{Adapter, AdapterEvent, Device, DiscoveryFilter, DiscoveryTransport, ErrorKind, Session};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::sync::mpsc;

/// Longest name that is shown, characters.
const MAX_NAME: usize = 40;

/// How long a device is looked for before it counts as out of reach. BlueZ at times never reports one within a search,
/// so the search is begun anew in between.
const SEARCH: Duration = Duration::from_secs(10);
const SEARCHES: u32 = 3;

/// How long pairing may take; a person may have to look at the reader.
const PAIRING: Duration = Duration::from_secs(60);

/// Names of the Bluetooth adapters.
pub async fn adapters() -> Result<Vec<String>, BluetoothError> {
    let session = Session::new().await.map_err(meaning)?;
    let mut names = session.adapter_names().await.map_err(meaning)?;
    names.sort();
    if names.is_empty() { Err(BluetoothError::NoAdapter) } else { Ok(names) }
}

/// The adapter of that name, or the first, switched on.
pub(super) async fn open(name: Option<&str>) -> Result<(Session, Adapter), BluetoothError> {
    let session = Session::new().await.map_err(meaning)?;
    let mut names = session.adapter_names().await.map_err(meaning)?;
    names.sort();
    let wanted = match name {
        Some(name) => names.iter().find(|known| *known == name),
        None => names.first(),
    };
    let adapter = session.adapter(wanted.ok_or(BluetoothError::NoAdapter)?).map_err(meaning)?;
    if !adapter.is_powered().await.map_err(meaning)? {
        adapter.set_powered(true).await.map_err(meaning)?;
    }
    Ok((session, adapter))
}

/// Readers near by, each time one is heard, until the receiver is dropped.
pub async fn scan(adapter: Option<&str>) -> Result<mpsc::Receiver<Found>, BluetoothError> {
    let (session, adapter) = open(adapter).await?;
    let filter =
        DiscoveryFilter { transport: DiscoveryTransport::Auto, duplicate_data: true, ..DiscoveryFilter::default() };
    // A filter that another program's search forbids is not needed: what comes is sorted here.
    let _ = adapter.set_discovery_filter(filter).await;
    let mut events = Box::pin(adapter.discover_devices_with_changes().await.map_err(meaning)?);
    let (tell, found) = mpsc::channel(32);
    tokio::spawn(async move {
        // The search lasts as long as the session.
        let _session = session;
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = tell.closed() => return,
            };
            let Some(event) = event else { return };
            let AdapterEvent::DeviceAdded(address) = event else { continue };
            let Ok(device) = adapter.device(address) else { continue };
            if let Some(seen) = seen(&device).await
                && tell.send(seen).await.is_err()
            {
                return;
            }
        }
    });
    Ok(found)
}

/// Readers that are paired, in reach or not.
pub async fn known(adapter: Option<&str>) -> Result<Vec<Found>, BluetoothError> {
    let (_session, adapter) = open(adapter).await?;
    let mut known = Vec::new();
    for address in adapter.device_addresses().await.map_err(meaning)? {
        let device = adapter.device(address).map_err(meaning)?;
        known.extend(seen(&device).await.filter(|found| found.paired));
    }
    known.sort_by_key(|found| found.address);
    Ok(known)
}

/// What kind of reader a device is, and how it is; `None` for anything else.
async fn seen(device: &Device) -> Option<Found> {
    let services = device.uuids().await.ok().flatten().unwrap_or_default();
    let name = device.name().await.ok().flatten().unwrap_or_default();
    let kind = if services.contains(&SERVICE) {
        Kind::Mms
    } else if services.contains(&SERIAL_PORT) || name.to_lowercase().starts_with("miura") {
        Kind::Miura
    } else {
        return None;
    };
    Some(Found {
        address: device.address().into(),
        name: printable(name.as_bytes(), MAX_NAME),
        kind,
        rssi_dbm: device.rssi().await.ok().flatten(),
        paired: device.is_paired().await.unwrap_or(false),
        connected: device.is_connected().await.unwrap_or(false),
    })
}

/// The device of an address: known already, or looked for.
pub(super) async fn find(
    adapter: &Adapter,
    address: Address,
    transport: DiscoveryTransport,
) -> Result<Device, BluetoothError> {
    let wanted = bluer::Address::from(address);
    let known = adapter.device_addresses().await.map_err(meaning)?.contains(&wanted);
    for _ in 0..SEARCHES {
        if known {
            break;
        }
        let filter = DiscoveryFilter { transport, ..DiscoveryFilter::default() };
        let _ = adapter.set_discovery_filter(filter).await;
        let mut events = Box::pin(adapter.discover_devices().await.map_err(meaning)?);
        let heard = tokio::time::timeout(SEARCH, async {
            while let Some(event) = events.next().await {
                if matches!(event, AdapterEvent::DeviceAdded(address) if address == wanted) {
                    return true;
                }
            }
            false
        });
        if heard.await.unwrap_or(false) {
            return adapter.device(wanted).map_err(meaning);
        }
    }
    if known { adapter.device(wanted).map_err(meaning) } else { Err(BluetoothError::OutOfReach(address)) }
}

/// Pairs with a reader and trusts it from now on. `passkey` is typed where the reader wants one; where both sides show
/// a number, `questions` asks a person.
pub async fn pair(
    adapter: Option<&str>,
    address: Address,
    passkey: u32,
    questions: mpsc::Sender<Question>,
) -> Result<Found, BluetoothError> {
    let (session, adapter) = open(adapter).await?;
    let _agent = session.register_agent(agent::host(passkey, questions)).await.map_err(meaning)?;
    let device = find(&adapter, address, DiscoveryTransport::Auto).await?;
    if !device.is_paired().await.map_err(meaning)? {
        let pairing = tokio::time::timeout(PAIRING, device.pair()).await;
        match pairing.map_err(|_| BluetoothError::NotPaired(address))? {
            Ok(()) => {}
            Err(why) => {
                return Err(match why.kind {
                    ErrorKind::ConnectionAttemptFailed | ErrorKind::NotReady => BluetoothError::OutOfReach(address),
                    ErrorKind::AuthenticationCanceled
                    | ErrorKind::AuthenticationFailed
                    | ErrorKind::AuthenticationRejected
                    | ErrorKind::AuthenticationTimeout => BluetoothError::NotPaired(address),
                    _ => meaning(why),
                });
            }
        }
    }
    // The daemon's yes is not enough: what counts is that the device is paired now.
    if !device.is_paired().await.map_err(meaning)? {
        return Err(BluetoothError::NotPaired(address));
    }
    device.set_trusted(true).await.map_err(meaning)?;
    // A device says what it is when its services are known; before that, by what it advertises.
    seen(&device).await.ok_or(BluetoothError::OtherDevice(address))
}

/// Unpairs: the reader must be paired anew.
pub async fn forget(adapter: Option<&str>, address: Address) -> Result<(), BluetoothError> {
    let (_session, adapter) = open(adapter).await?;
    match adapter.remove_device(address.into()).await {
        Err(why) if !matches!(why.kind, ErrorKind::DoesNotExist | ErrorKind::NotFound) => Err(meaning(why)),
        _ => Ok(()),
    }
}
