//! Reports on a printer that keeps the rows and ends as it is told.

use crate::till::Till;
use tillroll::domain::id::ShiftId;
use tillroll::runtime::actors::printer::{self, PrinterHandle};
use tillroll::runtime::actors::store::{self, StoreHandle};
use tillroll::runtime::clock::Clock;
use tillroll_hardware::printer::layout::Row;
use tillroll_hardware::printer::profile::Profile;
use tillroll_hardware::printer::{JobEnd, PrinterCommand, PrinterEvent, PrinterLink};
use tokio::sync::mpsc;

/// A handheld's printer and store; every job ends like this and its rows come out of the channel.
pub fn printer(till: Till, end: JobEnd) -> (PrinterHandle, StoreHandle, mpsc::Receiver<Vec<String>>) {
    let (database, folder) = till.into_parts();
    let (store, _) = store::spawn(database, Clock::new("test")).unwrap();
    let (commands, mut asked) = mpsc::channel(4);
    let (tell, events) = mpsc::channel(4);
    let (out, papers) = mpsc::channel(4);
    tokio::spawn(async move {
        let _folder = folder;
        while let Some(command) = asked.recv().await {
            let PrinterCommand::Print { job, rows, .. } = command else { continue };
            let text = |row: &Row| match row {
                Row::Text(line) => line.padded(32),
                Row::Qr(_) | Row::Image(_) => String::new(),
            };
            out.send(rows.iter().map(text).collect()).await.unwrap();
            tell.send(PrinterEvent::Ended { job, how: end }).await.unwrap();
        }
    });
    let data = Profile::named("generic-58").unwrap().data;
    let link = PrinterLink { commands, events, printer: data, drawer: false };
    (printer::spawn(link, store.clone(), ed25519_dalek::SigningKey::from_bytes(&[7; 32])), store, papers)
}

/// The id of the shift that was opened last, and what the journal's head is.
pub fn last(till: &Till) -> (ShiftId, u64) {
    let now = till.now();
    (now.open.or(now.last).unwrap().shift, till.head())
}
