//! The demo's world: office, processor, network, reader, printer and one handheld, all in this process, on loopback.
//! Everything that has to survive is in one folder.

use super::data;
use super::link::{self, Switch};
use crate::cli::hardware::{self, ReaderName};
use crate::cli::listen::listener;
use crate::cli::office::rules::hashed;
use crate::cli::rig::Rig;
use crate::domain::id::Epoch;
use crate::domain::money::Currency;
use crate::domain::receipt::{Merchant, example};
use crate::domain::rules::{Rules, TipRule};
use crate::keyfile::signing_key;
use crate::office::ereceipts::outbox::{Outbox, Way};
use crate::office::pages::{self, PagesState};
use crate::office::payments::{self, worker};
use crate::office::users::{Role, add_user, stored_hash};
use crate::office::{Office, Settings, api, ereceipts};
use crate::processor::{Processor, ProcessorConfig};
use crate::runtime::actors::sync::Pace;
use crate::runtime::clock::Clock;
use crate::store::{Identity, Store};
use crate::sync::client::enrol;
use anyhow::Context as _;
use jiff::tz::TimeZone;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tillroll_hardware::printer::sim::Pace as Paper;
use tillroll_hardware::reader::mms;
use tillroll_hardware::reader::sim::SimControl;
use tillroll_hardware::transport::bluetooth::Kind;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The demo's money.
pub const CURRENCY: Currency = Currency::EUR;

/// The demo's handheld and its technician.
const DEVICE: &str = "D01";
const TECHNICIAN: &str = "T01";

/// Who may look at the pages; loopback only, and said on the screen.
pub const LOGIN: (&str, &str) = ("dispatcher", "demo");

/// The manager's PIN on the demo's handheld.
pub const MANAGER_PIN: &str = "246810";

/// How long calls between the parts may take, milliseconds.
const CALL_MS: u64 = 10_000;

/// What differs between a played day and one that a person walks through.
#[derive(Debug, Clone, Copy)]
pub struct Tempo {
    /// How the office waits for the processor.
    pub office: payments::Timing,
    /// How long the card `slow` takes, milliseconds.
    pub slow_ms: u64,
    /// The exchange's own pace.
    pub pace: Pace,
    /// How long after arming the customer's card comes.
    pub present_after: Duration,
    /// How time passes for the printer.
    pub paper: Paper,
}

/// Where the parts listen.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// The office.
    pub office: SocketAddr,
    /// The processor.
    pub processor: SocketAddr,
}

/// Which card reader the demo uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DemoReader {
    /// A simulated one inside, over real Bluetooth between two adapters of this machine.
    OverBluetooth(Kind),
    /// One that is somewhere else.
    Elsewhere(ReaderName),
}

impl std::str::FromStr for DemoReader {
    type Err = String;

    fn from_str(text: &str) -> Result<DemoReader, String> {
        match text {
            "ble" => Ok(DemoReader::OverBluetooth(Kind::Mms)),
            "rfcomm" => Ok(DemoReader::OverBluetooth(Kind::Miura)),
            name => name.parse().map(DemoReader::Elsewhere),
        }
    }
}

/// Everything, running.
pub struct World {
    /// The office.
    pub office: Office,
    /// The processor.
    pub processor: Processor,
    /// The handheld.
    pub rig: Rig,
    /// The network between them.
    pub link: Switch,
    /// The customer's hand at the reader.
    pub customer: SimControl,
    /// Where the pages are.
    pub pages: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Where the receipts are.
pub fn receipts(dir: &Path) -> PathBuf {
    dir.join("receipts")
}

impl World {
    /// Starts or goes on with the world in `dir`, whose first working day is `day`.
    ///
    /// `reader` says which card reader is used; without it the simulated one inside, with nothing in between.
    pub async fn start(
        dir: &Path,
        day: jiff::civil::Date,
        listen: Listen,
        tempo: Tempo,
        reader: Option<&DemoReader>,
    ) -> anyhow::Result<World> {
        for part in ["office", "device", "receipts", "outbox"] {
            let path = dir.join(part);
            std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        }
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();

        let processor_at = listener(listen.processor).await?;
        let processor_url = format!("http://{}", processor_at.local_addr()?);
        let config = ProcessorConfig { ledger: dir.join("processor.sqlite"), slow_ms: tempo.slow_ms };
        let processor = Processor::open(config)?;
        tasks.push(tokio::spawn(processor.clone().serve(processor_at, until(stopped.clone()))));

        let office = open_office(dir, processor_url, tempo.office)?;
        data::load(&office, day)?;
        let office_at = listener(listen.office).await?;
        let pages = office_at.local_addr()?;
        let hint = format!("demo login: {} / {}", LOGIN.0, LOGIN.1);
        let state = PagesState::of(&office, TimeZone::system(), Some(hint));
        let router = api::router(office.clone()).merge(pages::router(state));
        let served = axum::serve(office_at, router).with_graceful_shutdown(until(stopped.clone()));
        tasks.push(tokio::spawn(async move { drop(served.await) }));
        let from = "receipts@northwick.example".parse()?;
        let outbox = Outbox { from, way: Way::Folder(dir.join("outbox")) };
        let mailing = ereceipts::run(office.clone(), outbox, until(stopped.clone()));
        tasks.push(tokio::spawn(mailing));
        let working = worker::run(office.clone(), until(stopped));
        tasks.push(tokio::spawn(async move { drop(working.await) }));

        let (near, link) = link::start(pages).await?;
        let office_url = format!("http://{near}");
        let device = dir.join("device");
        let store = enrolled(&office, &device, &office_url).await?;
        let simulated = hardware::simulated(Some(dir.join("reader.ksn")), tempo.present_after);
        let (reader, customer) = match reader {
            Some(DemoReader::OverBluetooth(kind)) => hardware::over_bluetooth(*kind, simulated).await?,
            Some(DemoReader::Elsewhere(name)) => (hardware::reader_at(name, None).await?, mms::sim::spawn(simulated).1),
            None => mms::sim::spawn(simulated),
        };
        let printer = hardware::simulated_printer(receipts(dir), tempo.paper)?;
        let rig = Rig::start(&device, store, Some(&office_url), tempo.pace, reader, printer)?;
        Ok(World { office, processor, rig, link, customer, pages, stop, tasks })
    }

    /// Stops everything, the handheld first.
    pub async fn stop(self) -> anyhow::Result<()> {
        let World { rig, stop, tasks, .. } = self;
        rig.stop().await?;
        stop.send_replace(true);
        for task in tasks {
            // A connection that does not end by itself is left to the end of the process.
            let _ = tokio::time::timeout(Duration::from_millis(300), task).await;
        }
        Ok(())
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn open_office(dir: &Path, processor_url: String, timing: payments::Timing) -> anyhow::Result<Office> {
    let merchant = Merchant {
        name: "Northwick Heating & Cold".to_owned(),
        address: "3 Quarry Lane, Northwick".to_owned(),
        tax_id: "IE0000001A".to_owned(),
        merchant_id: "4711 0815".to_owned(),
        logo: example::flame(),
    };
    let settings = Settings { processor_url, timing, currency: CURRENCY, merchant };
    let wall = Clock::new("office");
    let office = Office::open(&dir.join("office/office.sqlite"), settings, Arc::new(move || wall.now_ms()))?;
    office.publish()?;
    let tips = TipRule { presets_percent: vec![5, 10, 15], max_percent: 30 };
    // A day that is taken up again keeps its PIN: another record of it would be another PIN to the handheld.
    let manager_pin = match office.rules()?.manager_pin {
        Some(kept) => Some(kept),
        None => Some(hashed(MANAGER_PIN)?),
    };
    let rules =
        Rules { cash_step_minor: 5, tips: Some(tips), unlinked_refund_max_minor: 10_000, manager_pin, ..Rules::NONE };
    office.set_rules(&rules)?;
    office.write(|tx| -> anyhow::Result<()> {
        if stored_hash(tx, LOGIN.0)?.is_none() {
            add_user(tx, LOGIN.0, Role::Dispatcher, LOGIN.1)?;
        }
        Ok(())
    })?;
    Ok(office)
}

/// The handheld's store; enrolled through the network if it is new.
async fn enrolled(office: &Office, device: &Path, office_url: &str) -> anyhow::Result<Store> {
    let mut store = Store::open(&device.join("device.sqlite"), CURRENCY)?;
    if store.identity().is_ok() {
        return Ok(store);
    }
    let code = office.add_device(DEVICE, Some(TECHNICIAN))?;
    let key = signing_key(&device.join("device.key"))?;
    let answer = enrol(office_url, &code, &key, CALL_MS).await?;
    let clock = Clock::new(&answer.technician_name);
    let identity = Identity {
        device: answer.device,
        name: answer.name.clone(),
        epoch: Epoch(Uuid::new_v4()),
        series: answer.name,
        technician: answer.technician,
        technician_name: answer.technician_name,
        office_url: office_url.to_owned(),
        office_key: answer.office_key,
        mode: answer.mode,
    };
    store.enrol(&identity, env!("CARGO_PKG_VERSION"), &clock.stamp(None))?;
    Ok(store)
}
