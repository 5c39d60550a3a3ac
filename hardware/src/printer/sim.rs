//! A simulated printer: takes real ESC/POS bytes, keeps them, and shows what would be on the paper.
//!
//! The driver half sends a job's bytes through a small pipe; the mechanism half interprets them and answers the fence
//! behind them, as a printer with a status line would. Paper out and a pulled plug can be played. Baud rates, buffers
//! and busy lines are not played yet.

mod paper;

pub use paper::{Paper, Rendered, render_text};

use super::escpos::{EncodeOptions, encode};
use super::{Confirmation, Interruption, JobEnd, JobId, PrinterCommand, PrinterEvent, PrinterLink, QUEUE};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::{mpsc, watch};

/// Bytes between driver and mechanism: less than a receipt, so that a stuck printer is felt.
const PIPE_BYTES: usize = 256;

/// A printer that answers nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes that are sent at once.
const CHUNK_BYTES: usize = 64;

/// What a simulated printer is made of.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Where each job is kept as `NNN.bin` and `NNN.txt`; nowhere if `None`.
    pub folder: Option<PathBuf>,
    /// Characters on a row.
    pub columns: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct World {
    paper: bool,
    plugged: bool,
}

#[derive(Debug, Default)]
struct Kept {
    jobs: Vec<String>,
    drawer_pulses: u32,
}

/// The hands around a simulated printer; cheap to clone.
#[derive(Debug, Clone)]
pub struct SimControl {
    world: watch::Sender<World>,
    kept: Arc<Mutex<Kept>>,
}

impl SimControl {
    /// Whether there is paper.
    pub fn paper(&self, there: bool) {
        self.world.send_modify(|world| world.paper = there);
    }

    /// Whether it has power.
    pub fn plugged(&self, there: bool) {
        self.world.send_modify(|world| world.plugged = there);
    }

    /// What was printed, job by job.
    pub fn jobs(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).jobs.clone()
    }

    /// How often the drawer was opened.
    pub fn drawer_pulses(&self) -> u32 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).drawer_pulses
    }
}

/// Starts a printer and its driver.
pub fn spawn(config: SimConfig) -> (PrinterLink, SimControl) {
    let (world, seen) = watch::channel(World { paper: true, plugged: true });
    let kept = Arc::new(Mutex::new(Kept::default()));
    let (commands, queue) = mpsc::channel(QUEUE);
    let (tell, events) = mpsc::channel(QUEUE);
    let columns = config.columns;
    tokio::spawn(drive(config, queue, tell, seen, kept.clone()));
    (PrinterLink { commands, events, columns }, SimControl { world, kept })
}

async fn drive(
    config: SimConfig,
    mut queue: mpsc::Receiver<PrinterCommand>,
    tell: mpsc::Sender<PrinterEvent>,
    mut world: watch::Receiver<World>,
    kept: Arc<Mutex<Kept>>,
) {
    let mut was = false;
    let mut played = true;
    loop {
        let now = *world.borrow_and_update();
        if now.plugged != was {
            was = now.plugged;
            let event = if was { PrinterEvent::Ready } else { PrinterEvent::Gone };
            if tell.try_send(event).is_err() && tell.is_closed() {
                return;
            }
        }
        tokio::select! {
            // Without anybody to play tricks, the printer goes on as it is.
            changed = world.changed(), if played => played = changed.is_ok(),
            command = queue.recv() => {
                let Some(PrinterCommand::Print { job, rows, drawer }) = command else { return };
                let options = EncodeOptions { columns: usize::from(config.columns), drawer };
                let bytes = encode(&rows, &options);
                let how = print(&config, job, &bytes, &tell, world.clone(), &kept).await;
                if tell.send(PrinterEvent::Ended { job, how }).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// One job: a pipe with the driver on one end and the mechanism on the other.
async fn print(
    config: &SimConfig,
    job: JobId,
    bytes: &[u8],
    tell: &mpsc::Sender<PrinterEvent>,
    world: watch::Receiver<World>,
    kept: &Arc<Mutex<Kept>>,
) -> JobEnd {
    let (mut host, mechanism) = tokio::io::duplex(PIPE_BYTES);
    let columns = usize::from(config.columns);
    let mechanism = tokio::spawn(work(mechanism, columns, world));
    let how = send(&mut host, job, bytes, tell).await;
    drop(host);
    let (taken, stopped) = mechanism.await.unwrap_or((Vec::new(), None));
    let rendered = render_text(&taken, columns);
    if let Some(folder) = &config.folder
        && let Err(why) = keep(folder, &taken, &rendered.text())
    {
        tracing::warn!(error = %why, "a printed job was not kept");
    }
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.drawer_pulses += rendered.drawer_pulses;
    kept.jobs.push(rendered.text());
    stopped.map_or(how, JobEnd::Interrupted)
}

/// The driver's half: sends in chunks, then waits for the fence's answer.
async fn send(host: &mut DuplexStream, job: JobId, bytes: &[u8], tell: &mpsc::Sender<PrinterEvent>) -> JobEnd {
    let unplugged = JobEnd::Interrupted(Interruption::Unplugged);
    let mut sent = 0;
    for chunk in bytes.chunks(CHUNK_BYTES) {
        match tokio::time::timeout(PATIENCE, host.write_all(chunk)).await {
            Ok(Ok(())) => sent += chunk.len(),
            Ok(Err(_)) | Err(_) => return unplugged,
        }
        // Progress is for show: a full queue loses it.
        let _ = tell.try_send(PrinterEvent::Progress { job, sent, total: bytes.len() });
    }
    let mut status = [0_u8; 1];
    match tokio::time::timeout(PATIENCE, host.read_exact(&mut status)).await {
        // Bits 2 and 3: paper end (ESC/POS, GS r 1).
        Ok(Ok(_)) if status[0] & 0b1100 != 0 => JobEnd::Interrupted(Interruption::PaperOut),
        Ok(Ok(_)) => JobEnd::Confirmed(Confirmation::Fence),
        Ok(Err(_)) | Err(_) => unplugged,
    }
}

/// The mechanism's half: what it took before it stopped, and why it stopped.
async fn work(
    mut pipe: DuplexStream,
    columns: usize,
    mut world: watch::Receiver<World>,
) -> (Vec<u8>, Option<Interruption>) {
    let mut paper = Paper::new(columns);
    let mut taken = Vec::new();
    let mut buffer = [0_u8; CHUNK_BYTES];
    let mut played = true;
    loop {
        let now = *world.borrow_and_update();
        if !now.plugged {
            return (taken, Some(Interruption::Unplugged));
        }
        if !now.paper {
            return (taken, Some(Interruption::PaperOut));
        }
        tokio::select! {
            changed = world.changed(), if played => played = changed.is_ok(),
            read = pipe.read(&mut buffer) => {
                let Ok(count @ 1..) = read else { return (taken, None) };
                let chunk = buffer.get(..count).unwrap_or_default();
                taken.extend_from_slice(chunk);
                for _ in 0..paper.take(chunk) {
                    if pipe.write_all(&[0]).await.is_err() {
                        return (taken, None);
                    }
                }
            }
        }
    }
}

/// Writes a job under the next free number; never over an old one.
fn keep(folder: &Path, bytes: &[u8], text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let number = |path: PathBuf| path.file_stem()?.to_str()?.parse::<u32>().ok();
    let last = std::fs::read_dir(folder)?.filter_map(|entry| number(entry.ok()?.path())).max().unwrap_or(0);
    let name = format!("{:03}", last + 1);
    std::fs::write(folder.join(format!("{name}.bin")), bytes)?;
    std::fs::write(folder.join(format!("{name}.txt")), text)
}

#[cfg(test)]
#[path = "sim/tests.rs"]
mod tests;
