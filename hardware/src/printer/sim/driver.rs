//! The simulated printer's driver: jobs in, bytes down the cable, events out.
//!
//! Invariant: one job at a time, each ended exactly once; a broken cable is never retried and an old answer never
//! confirms a new job. Nothing is sent for a job that arrives while the printer cannot print.
//!
//! Start at [`Driver::run`].

use super::mechanism::Cable;
use crate::printer::escpos::{EncodeOptions, encode_job};
use crate::printer::{Confirmation, Interruption, JobEnd, JobId, PrintRow, PrinterCommand, PrinterEvent};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Status bytes read at once.
const ANSWERS_MAX: usize = 16;

/// The bits that tell an answer to `GS r` from other status bytes, 0xx0xxxx (Epson, identification of send status).
const STATUS_MASK: u8 = 0b1001_0000;

/// The app dropped its link, or the mechanism has ended: so does the driver.
#[derive(Debug)]
pub(super) struct Over;

/// The pipe broke.
struct Broken;

/// The task's state.
pub(super) struct Driver {
    /// How jobs are encoded; each job says itself whether the drawer is kicked.
    pub(super) options: EncodeOptions,
    /// How long a fence is waited for.
    pub(super) fence_wait: Duration,
    pub(super) commands: mpsc::Receiver<PrinterCommand>,
    pub(super) events: mpsc::Sender<PrinterEvent>,
    pub(super) cable: mpsc::Receiver<Cable>,
}

/// An open cable.
struct Session {
    pipe: DuplexStream,
    /// Fences sent and not answered yet; answers come in the order of the fences.
    owed: u32,
}

impl Driver {
    /// Runs until the app's link is dropped, and never ends otherwise.
    pub(super) async fn run(mut self) -> Over {
        let mut gone = false;
        let mut cable = self.next_cable().await;
        loop {
            cable = match cable {
                Ok(Cable::In(pipe)) => {
                    gone = false;
                    self.printing(Session { pipe, owed: 0 }).await
                }
                Ok(Cable::Out(why)) => {
                    let news = !std::mem::replace(&mut gone, true);
                    self.refusing(why, news).await
                }
                Err(over) => return over,
            };
        }
    }

    /// Prints what comes until the cable changes.
    async fn printing(&mut self, mut session: Session) -> Result<Cable, Over> {
        self.tell(PrinterEvent::Ready).await?;
        loop {
            let mut stray = [0; ANSWERS_MAX];
            let command = tokio::select! {
                biased;
                () = self.events.closed() => return Err(Over),
                read = session.pipe.read(&mut stray) => match read {
                    Ok(0) | Err(_) => return self.next_cable().await,
                    Ok(count) => {
                        session.settle(stray.get(..count).unwrap_or_default());
                        continue;
                    }
                },
                command = self.commands.recv() => command,
            };
            let Some(PrinterCommand::Print { job, rows, drawer }) = command else { return Err(Over) };
            match self.print(&mut session, job, &rows, drawer).await {
                Ok(how) => self.tell(PrinterEvent::Ended { job, how }).await?,
                Err(Broken) => {
                    let cable = self.next_cable().await?;
                    let why = match &cable {
                        Cable::Out(why) => *why,
                        Cable::In(_) => Interruption::Unplugged,
                    };
                    self.tell(PrinterEvent::Ended { job, how: JobEnd::Interrupted(why) }).await?;
                    return Ok(cable);
                }
            }
        }
    }

    /// Sends one job and waits for the fence behind it.
    async fn print(
        &self,
        session: &mut Session,
        job: JobId,
        rows: &[PrintRow],
        drawer: bool,
    ) -> Result<JobEnd, Broken> {
        let encoded = encode_job(rows, &EncodeOptions { drawer, ..self.options });
        let rows = u16::try_from(rows.len()).unwrap_or(u16::MAX);
        let mut sent_bytes = 0;
        for (row, &end) in (1_usize..).zip(&encoded.row_ends) {
            session.send(encoded.bytes.get(sent_bytes..end).unwrap_or_default()).await?;
            sent_bytes = end;
            let rows_sent = u16::try_from(row).unwrap_or(u16::MAX);
            // A full channel loses progress only: the app has more to read than it can show anyway.
            if let Err(error) = self.events.try_send(PrinterEvent::Progress { job, rows_sent, rows }) {
                tracing::trace!(job = job.0, %error, "progress not told");
            }
        }
        session.send(encoded.bytes.get(sent_bytes..).unwrap_or_default()).await?;
        session.owed = session.owed.saturating_add(1);
        match timeout(self.fence_wait, session.answered()).await {
            Ok(Ok(())) => Ok(JobEnd::Confirmed(Confirmation::Fence)),
            Ok(Err(broken)) => Err(broken),
            Err(_late) => Ok(JobEnd::SentUnconfirmed),
        }
    }

    /// Answers what comes with the reason why nothing goes, until the cable changes.
    async fn refusing(&mut self, why: Interruption, news: bool) -> Result<Cable, Over> {
        if news {
            self.tell(PrinterEvent::Gone).await?;
        }
        loop {
            let command = tokio::select! {
                biased;
                () = self.events.closed() => return Err(Over),
                cable = self.cable.recv() => return cable.ok_or(Over),
                command = self.commands.recv() => command,
            };
            let Some(PrinterCommand::Print { job, rows: _, drawer: _ }) = command else { return Err(Over) };
            self.tell(PrinterEvent::Ended { job, how: JobEnd::Interrupted(why) }).await?;
        }
    }

    async fn next_cable(&mut self) -> Result<Cable, Over> {
        self.cable.recv().await.ok_or(Over)
    }

    async fn tell(&self, event: PrinterEvent) -> Result<(), Over> {
        self.events.send(event).await.map_err(|_| Over)
    }
}

impl Session {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.pipe.write_all(bytes).await.map_err(|_| Broken)
    }

    /// Waits until every fence that was sent is answered.
    async fn answered(&mut self) -> Result<(), Broken> {
        let mut answers = [0; ANSWERS_MAX];
        while self.owed > 0 {
            match self.pipe.read(&mut answers).await {
                Ok(0) | Err(_) => return Err(Broken),
                Ok(count) => self.settle(answers.get(..count).unwrap_or_default()),
            }
        }
        Ok(())
    }

    /// Counts answers to fences and leaves everything else a printer may say.
    fn settle(&mut self, bytes: &[u8]) {
        let answers = bytes.iter().filter(|&&byte| byte & STATUS_MASK == 0).count();
        self.owed = self.owed.saturating_sub(u32::try_from(answers).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rig {
        commands: mpsc::Sender<PrinterCommand>,
        events: mpsc::Receiver<PrinterEvent>,
        cable: mpsc::Sender<Cable>,
        task: tokio::task::JoinHandle<Over>,
    }

    fn rig(fence_wait: Duration) -> Rig {
        let (commands, command_rx) = mpsc::channel(4);
        let (event_tx, events) = mpsc::channel(64);
        let (cable, cable_rx) = mpsc::channel(4);
        let options = EncodeOptions::epson(32);
        let driver = Driver { options, fence_wait, commands: command_rx, events: event_tx, cable: cable_rx };
        Rig { commands, events, cable, task: tokio::spawn(driver.run()) }
    }

    impl Rig {
        async fn print(&mut self, number: u64) {
            let command = PrinterCommand::Print { job: JobId(number), rows: Vec::new(), drawer: false };
            self.commands.send(command).await.unwrap();
        }
    }

    /// Reads up to the end of a fence.
    async fn take_job(pipe: &mut DuplexStream) {
        let mut last = [0; 3];
        while last != crate::printer::escpos::FENCE {
            last = [last[1], last[2], pipe.read_u8().await.unwrap()];
        }
    }

    #[tokio::test]
    async fn no_answer_is_said_and_a_late_one_confirms_nothing_else() {
        let mut rig = rig(Duration::from_millis(30));
        let (ours, mut far) = tokio::io::duplex(64);
        rig.cable.send(Cable::In(ours)).await.unwrap();
        assert_eq!(rig.events.recv().await, Some(PrinterEvent::Ready));
        rig.print(1).await;
        take_job(&mut far).await;
        let unconfirmed = |n| Some(PrinterEvent::Ended { job: JobId(n), how: JobEnd::SentUnconfirmed });
        assert_eq!(rig.events.recv().await, unconfirmed(1));
        rig.print(2).await;
        take_job(&mut far).await;
        far.write_all(&[0x00]).await.unwrap(); // the answer to job 1
        assert_eq!(rig.events.recv().await, unconfirmed(2));
        rig.print(3).await;
        take_job(&mut far).await;
        far.write_all(&[0x12, 0x11, 0x00, 0x13, 0x03]).await.unwrap(); // 2 and 3, among other bytes
        let how = JobEnd::Confirmed(Confirmation::Fence);
        assert_eq!(rig.events.recv().await, Some(PrinterEvent::Ended { job: JobId(3), how }));
    }

    #[tokio::test]
    async fn a_session_that_ends_without_a_word_interrupts_the_job() {
        let mut rig = rig(Duration::from_secs(60));
        let (ours, mut far) = tokio::io::duplex(64);
        rig.cable.send(Cable::In(ours)).await.unwrap();
        assert_eq!(rig.events.recv().await, Some(PrinterEvent::Ready));
        rig.print(1).await;
        take_job(&mut far).await;
        drop(far);
        let (ours, _far) = tokio::io::duplex(64);
        rig.cable.send(Cable::In(ours)).await.unwrap();
        let how = JobEnd::Interrupted(Interruption::Unplugged);
        assert_eq!(rig.events.recv().await, Some(PrinterEvent::Ended { job: JobId(1), how }));
        assert_eq!(rig.events.recv().await, Some(PrinterEvent::Ready));
    }

    #[tokio::test]
    async fn it_ends_with_its_app() {
        let rig = rig(Duration::from_secs(60));
        let (ours, _far) = tokio::io::duplex(64);
        rig.cable.send(Cable::In(ours)).await.unwrap();
        drop((rig.commands, rig.events));
        assert!(timeout(Duration::from_secs(5), rig.task).await.is_ok());
    }
}
