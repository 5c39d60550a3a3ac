//! Receipts for tests.

use crate::app::msg::{PrintedReceipt, ReceiptPreview};
use crate::domain::event::ReceiptState;
use crate::domain::read::JobDetail;
use crate::domain::receipt::{Merchant, Receipt, TenderLine};
use crate::runtime::actors::printer::on_screen;
use tillroll_hardware::printer::profile::Profile;

/// A job's receipt as a screen of so many columns shows it.
pub fn receipt(detail: &JobDetail, columns: u16) -> ReceiptPreview {
    let receipt = Receipt {
        merchant: Merchant {
            name: "Northgate Services".into(),
            address: "4 Wharf Road, Kendal".into(),
            tax_id: "GB 123 4567 89".into(),
            logo: vec!["##".into()],
        },
        document: "D07-000412".parse().unwrap(),
        printed_at: "2026-11-24 09:41".into(),
        customer: detail.row.customer_name.clone(),
        device: "D07".into(),
        copy: 1,
        invoice: detail.invoice.clone().unwrap(),
        tenders: detail.payments.iter().map(TenderLine::of).collect(),
        open: detail.open().unwrap(),
    };
    let printer = Profile::named("generic-58").unwrap().data;
    ReceiptPreview { rows: on_screen(&receipt, columns, &printer), unfinished: None }
}

/// What became of a receipt.
pub fn printed(copy: u32, state: ReceiptState) -> PrintedReceipt {
    PrintedReceipt { copy, state, sentence: "The paper ran out.".into() }
}
