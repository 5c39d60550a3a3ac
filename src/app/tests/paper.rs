//! Receipts for tests.

use crate::domain::event::ReceiptState;
use crate::domain::mode::Mode;
use crate::domain::read::JobDetail;
use crate::domain::receipt::{
    Merchant, Party, PrintedReceipt, Receipt, ReceiptKind, ReceiptPreview, RefundLine, Sheet, TenderLine,
};
use crate::runtime::actors::printer::on_screen;
use tillroll_hardware::printer::profile::Profile;

/// A job's receipt as a screen of so many columns shows it.
pub fn receipt(detail: &JobDetail, columns: u16) -> ReceiptPreview {
    let tenders: Vec<TenderLine> = detail.payments.iter().map(TenderLine::of).filter(TenderLine::is_shown).collect();
    let refunds: Vec<RefundLine> = detail.refunds.iter().map(RefundLine::of).collect();
    let open = detail.open().unwrap();
    let receipt = Receipt {
        merchant: Merchant {
            name: "Northgate Services".into(),
            address: "4 Wharf Road, Kendal".into(),
            tax_id: "GB 123 4567 89".into(),
            merchant_id: "4711 0815".into(),
            logo: vec!["##".into()],
        },
        document: "D07-000412".parse().unwrap(),
        printed_at: "2026-11-24 09:41".into(),
        customer: detail.row.customer_name.clone(),
        device: "D07".into(),
        mode: Mode::Live,
        kind: ReceiptKind::of(&tenders, &refunds, open),
        party: Party::Customer,
        copy: 1,
        replaces: None,
        statement: None,
        invoice: detail.invoice.clone().unwrap(),
        tenders,
        refunds,
        open,
    };
    let printer = Profile::named("generic-58").unwrap().data;
    ReceiptPreview { rows: on_screen(&receipt, columns, &printer), ..ReceiptPreview::default() }
}

/// What became of a receipt.
pub fn printed(copy: u32, state: ReceiptState) -> PrintedReceipt {
    PrintedReceipt { sheet: Sheet { copy, ..Sheet::FIRST }, state, sentence: "The paper ran out.".into() }
}
