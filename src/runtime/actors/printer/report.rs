//! A shift's report on paper.
//!
//! Invariant: printing changes nothing: the report is summed from the disk as often as it is asked for, and a print is
//! no row of the journal.

use super::compose::local_minute;
use super::{Interruption, Job, JobEnd, PrinterHandle};
use crate::domain::id::ShiftId;
use crate::domain::mode::Mode;
use crate::domain::shift::Report;
use crate::domain::shift::words::{Line as ReportLine, Weight, lines, title};
use tillroll_hardware::printer::layout::{Block, Line, Size, layout};
use tokio::sync::oneshot;

impl PrinterHandle {
    /// Prints a shift's report; whether somebody or something says that it is on paper.
    pub async fn print_shift(&self, id: ShiftId) -> Result<bool, String> {
        let (report, head, mode) = self
            .store
            .run(move |store| {
                let identity = store.identity()?;
                Ok((store.shift_report(id)?, [identity.name.to_string(), identity.technician_name], identity.mode))
            })
            .await?;
        let printed_at = local_minute(self.store.clock().now_ms());
        let rows = layout(&blocks(&report, &head, mode, &printed_at), self.printer.columns, &self.printer.pages);
        let unclean = !self.store.run(|store| store.unfinished_receipts()).await?.is_empty();
        let (answer, waiting) = oneshot::channel();
        let sent = self.jobs.send(Job::Print { rows, unclean, answer }).await;
        let end = match sent {
            Ok(()) => waiting.await.unwrap_or(JobEnd::Interrupted(Interruption::Unplugged)),
            Err(_) => JobEnd::Refused(Interruption::Unplugged),
        };
        match end {
            JobEnd::Confirmed(_) => Ok(true),
            JobEnd::SentUnconfirmed => Ok(false),
            JobEnd::Interrupted(_) | JobEnd::Refused(_) => Err(end.sentence().to_owned()),
        }
    }
}

/// The report as the printer's layout takes it. Where money is not real it says so at both ends, torn or not.
pub fn blocks(report: &Report, head: &[String; 2], mode: Mode, printed_at: &str) -> Vec<Block> {
    let line = |left: &str, right: &str, bold: bool, centred: bool| {
        Block::Line(Line { left: left.to_owned(), right: right.to_owned(), bold, large: Size::Normal, centred })
    };
    let [device, technician] = head;
    let banner = mode.word().map(|word| line(word, "", true, true));
    let mut out: Vec<Block> = banner.clone().into_iter().collect();
    out.extend([line(&title(report), "", true, true), Block::Rule]);
    out.extend([line(technician, device, false, false), line("Printed", printed_at, false, false)]);
    out.push(Block::Rule);
    out.extend(lines(report, &local_minute).iter().map(|one| match one {
        ReportLine::Rule => Block::Rule,
        ReportLine::Pair { label, value, weight } => {
            let bold = match weight {
                Weight::Plain => false,
                Weight::Strong | Weight::Alert => true,
            };
            line(label, value, bold, false)
        }
    }));
    out.extend(banner);
    out
}
