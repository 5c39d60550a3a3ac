//! MMS over Bluetooth Low Energy, from the reader's side: for simulated readers.

use super::agent;
use super::devices::open;
use super::failure::meaning;
use super::gatt::{FROM_HOST, SERVICE, TO_HOST};
use super::{Address, BluetoothError};
use crate::reader::link::{Link, pair};
use crate::reader::mms::pdu::{Cutter, Joiner, MAX_VALUE};
use bluer::adv::Advertisement;
use bluer::gatt::local::{
    Application, Characteristic, CharacteristicNotifier, CharacteristicNotify, CharacteristicNotifyMethod,
    CharacteristicWrite, CharacteristicWriteMethod, Service,
};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};

/// Values that may wait.
const VALUES: usize = 64;

/// Advertises a reader and serves its characteristics; each connection that a host makes comes out. `encrypted` asks
/// for pairing before a value is taken, as a real reader does.
pub async fn serve_mms(
    adapter: Option<&str>,
    name: &str,
    encrypted: bool,
) -> Result<(Address, mpsc::Receiver<Link<Vec<u8>>>), BluetoothError> {
    let (session, adapter) = open(adapter).await?;
    adapter.set_pairable(true).await.map_err(meaning)?;
    // One agent serves the whole daemon; where a host in the same process has one, that one answers.
    let agent = session.register_agent(agent::reader()).await.ok();
    let (connect, links) = mpsc::channel(1);
    let (written, values) = mpsc::channel::<Vec<u8>>(VALUES);
    // The values of the connection before are of no use to the next.
    let values = Arc::new(Mutex::new(values));
    let write = CharacteristicWriteMethod::Fun(Box::new(move |value, _| {
        let written = written.clone();
        Box::pin(async move {
            // A reader that is being switched off takes nothing.
            let _ = written.send(value).await;
            Ok(())
        })
    }));
    let notify = CharacteristicNotifyMethod::Fun(Box::new(move |notifier| {
        let (connect, values) = (connect.clone(), Arc::clone(&values));
        Box::pin(async move {
            let (near, far) = pair();
            if connect.send(far).await.is_ok() {
                tokio::spawn(carry(notifier, values, near));
            }
        })
    }));
    let application = Application {
        services: vec![Service {
            uuid: SERVICE,
            primary: true,
            characteristics: vec![
                Characteristic {
                    uuid: FROM_HOST,
                    write: Some(CharacteristicWrite {
                        write: true,
                        encrypt_write: encrypted,
                        method: write,
                        ..CharacteristicWrite::default()
                    }),
                    ..Characteristic::default()
                },
                Characteristic {
                    uuid: TO_HOST,
                    notify: Some(CharacteristicNotify {
                        notify: true,
                        method: notify,
                        ..CharacteristicNotify::default()
                    }),
                    ..Characteristic::default()
                },
            ],
            ..Service::default()
        }],
        ..Application::default()
    };
    let served = adapter.serve_gatt_application(application).await.map_err(meaning)?;
    let advertisement = Advertisement {
        service_uuids: [SERVICE].into_iter().collect(),
        discoverable: Some(true),
        local_name: Some(name.to_owned()),
        ..Advertisement::default()
    };
    let advertised = adapter.advertise(advertisement).await.map_err(meaning)?;
    let address = adapter.address().await.map_err(meaning)?.into();
    let (kept, links_out) = mpsc::channel(1);
    tokio::spawn(async move {
        // All of it lasts for as long as somebody takes connections.
        let _alive = (session, agent, served, advertised);
        forward(links, kept).await;
    });
    Ok((address, links_out))
}

async fn forward(mut links: mpsc::Receiver<Link<Vec<u8>>>, to: mpsc::Sender<Link<Vec<u8>>>) {
    loop {
        tokio::select! {
            link = links.recv() => {
                let Some(link) = link else { return };
                if to.send(link).await.is_err() {
                    return;
                }
            }
            () = to.closed() => return,
        }
    }
}

/// One connection, from the host's subscription to its end.
async fn carry(
    mut notifier: CharacteristicNotifier,
    values: Arc<Mutex<mpsc::Receiver<Vec<u8>>>>,
    mut link: Link<Vec<u8>>,
) {
    let mut values = values.lock().await;
    while values.try_recv().is_ok() {}
    let (mut cutter, mut joiner) = (Cutter::new(MAX_VALUE), Joiner::default());
    let stopped = notifier.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            value = values.recv() => {
                let Some(value) = value else { return };
                if let Some(message) = joiner.take(&value).message
                    && link.outgoing.send(message).await.is_err()
                {
                    return;
                }
            }
            message = link.incoming.recv() => {
                let Some(message) = message else { return };
                for piece in cutter.cut(&message) {
                    if notifier.notify(piece).await.is_err() {
                        return;
                    }
                }
            }
            () = &mut stopped => return,
        }
    }
}
