//! Bytes to paper and back, and the faults that can be played.

use super::*;
use crate::printer::PrintRow;
use proptest::prelude::*;

fn row(text: &str) -> PrintRow {
    PrintRow { text: text.to_owned(), bold: false, centred: false }
}

async fn ended(link: &mut PrinterLink) -> (JobId, JobEnd) {
    loop {
        if let PrinterEvent::Ended { job, how } = link.events.recv().await.unwrap() {
            return (job, how);
        }
    }
}

async fn print(link: &mut PrinterLink, job: u64, rows: Vec<PrintRow>, drawer: bool) -> JobEnd {
    link.commands.send(PrinterCommand::Print { job: JobId(job), rows, drawer }).await.unwrap();
    let (of, how) = ended(link).await;
    assert_eq!(of, JobId(job));
    how
}

#[tokio::test]
async fn jobs_are_kept_under_numbers_that_go_on() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let config = SimConfig { folder: Some(folder.path().to_owned()), columns: 32 };
        let (mut link, control) = spawn(config);
        let how = print(&mut link, 1, vec![row("Thermostat TX-2 34,50 €")], round == 0).await;
        assert_eq!(how, JobEnd::Confirmed(Confirmation::Fence));
        assert_eq!(control.drawer_pulses(), u32::from(round == 0));
        assert_eq!(control.jobs(), ["Thermostat TX-2 34,50 €\n"]);
    }
    let text = std::fs::read_to_string(folder.path().join("002.txt")).unwrap();
    assert_eq!(text, "Thermostat TX-2 34,50 €\n");
    let bytes = std::fs::read(folder.path().join("001.bin")).unwrap();
    assert_eq!(render_text(&bytes, 32).drawer_pulses, 1);
}

#[tokio::test]
async fn no_paper_and_no_power_are_said_and_end() {
    let (mut link, control) = spawn(SimConfig { folder: None, columns: 32 });
    let long = vec![row("a row of a receipt that is long"); 200];
    control.paper(false);
    assert_eq!(print(&mut link, 1, long.clone(), false).await, JobEnd::Interrupted(Interruption::PaperOut));
    control.paper(true);
    control.plugged(false);
    assert_eq!(print(&mut link, 2, long.clone(), false).await, JobEnd::Interrupted(Interruption::Unplugged));
    control.plugged(true);
    assert_eq!(print(&mut link, 3, long, false).await, JobEnd::Confirmed(Confirmation::Fence));
    assert_eq!(control.jobs().last().unwrap().lines().count(), 200);
}

proptest! {
    #[test]
    fn no_text_becomes_a_command(texts in proptest::collection::vec(".{0,80}", 0..20), drawer in any::<bool>()) {
        let rows: Vec<PrintRow> = texts.iter().map(|text| row(text)).collect();
        let rendered = render_text(&encode(&rows, &EncodeOptions { columns: 32, drawer }), 32);
        prop_assert_eq!(rendered.unknown, 0);
        prop_assert_eq!(rendered.drawer_pulses, u32::from(drawer));
        prop_assert!(rendered.rows.len() <= rows.len());
        prop_assert!(rendered.rows.iter().all(|row| row.chars().count() <= 32));
    }

    #[test]
    fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let rendered = render_text(&bytes, 32);
        prop_assert!(rendered.rows.len() <= 600 * 256);
    }
}
