//! Which commands make sense now, and which of them Enter runs.
//!
//! Invariant: Enter never voids, never accepts a risk, never throws anything away.

use super::{CommandId, step_state};
use crate::app::model::{Active, DevicesStage, EntryStep, Model, Purpose, Screen};
use crate::app::screens::{checkout, devices, entry, job, receipt, shift};
use crate::domain::job::VisitState;
use crate::domain::mode::Mode;
use crate::domain::payment::Standing;
use crate::domain::receipt::Party;
use crate::flow::payment::{Offline, Phase};

/// Whether a command may run now: it makes sense, and no change is on its way to the disk that it would follow.
pub fn available(model: &Model, id: CommandId) -> bool {
    let waits = matches!(
        id,
        CommandId::Step
            | CommandId::AddLine
            | CommandId::DeleteLine
            | CommandId::Collect
            | CommandId::Reopen
            | CommandId::DropDeposit
            | CommandId::Deposit
            | CommandId::UseDeposit
            | CommandId::PayCard
            | CommandId::KeepCard
            | CommandId::DoNotKeep
            | CommandId::Received
            | CommandId::OwesLess
            | CommandId::BackInCash
            | CommandId::BackByTransfer
            | CommandId::OwesAgain
            | CommandId::TakeBack
            | CommandId::MailReceipt
    );
    possible(model, id) && !(waits && model.saving.is_some())
}

/// Whether a command makes sense on this screen as it stands; hints and lists show it, even while a row is written.
pub fn possible(model: &Model, id: CommandId) -> bool {
    let phase = model.card.as_ref().map(|card| card.machine.phase());
    match id {
        CommandId::Open => model.selected_today().is_some(),
        CommandId::Step => step_state(model).and_then(VisitState::next).is_some(),
        CommandId::Find => model.today.rows.is_some(),
        CommandId::AddLine => job::is_open(model),
        CommandId::DeleteLine => job::is_open(model) && job::selected_line(model).is_some(),
        CommandId::Collect => job::may_collect(model),
        CommandId::Reopen => job::may_reopen(model),
        CommandId::DropDeposit => checkout::is_deposit(model) && job::may_reopen(model),
        CommandId::Deposit => job::may_deposit(model),
        CommandId::DepositReceipt => job::paid_deposit(model).is_some(),
        CommandId::UseDeposit => model.job.as_ref().is_some_and(|job| job.usable_deposit().is_some()),
        CommandId::Receipt => job::invoice(model).is_some(),
        CommandId::Payment => job::actionable_payment(model).is_some(),
        CommandId::PayCard | CommandId::KeepCard | CommandId::DoNotKeep => {
            checkout::open_amount(model).is_some() && !model.card.as_ref().is_some_and(Active::is_busy)
        }
        CommandId::PayCash => checkout::open_amount(model).is_some(),
        CommandId::Tip => {
            let tips = model.job.as_ref().is_some_and(|job| job.rules.tips.is_some());
            tips && checkout::open_amount(model).is_some() && !checkout::is_deposit(model)
        }
        CommandId::Split | CommandId::Cheque | CommandId::Transfer => checkout::open_amount(model).is_some(),
        CommandId::Refund => !entry::refundable(model).is_empty(),
        CommandId::RefundUnlinked => entry::unlinked::most(model).is_some(),
        CommandId::BackInCash | CommandId::BackByTransfer => {
            model.entry.step == EntryStep::Decide && model.entry.purpose == Purpose::Unlinked
        }
        CommandId::AskManager => matches!(
            phase,
            Some(Phase::NeedsManager { .. } | Phase::Unknown { offline: Some(Offline::NeedsManager { .. }) })
        ),
        CommandId::Correct => job::correctable(model).is_some(),
        CommandId::Take => model.entry.step != EntryStep::Decide && entry::most(model).is_some(),
        CommandId::TakeNone => {
            model.entry.step == EntryStep::Amount && matches!(model.entry.purpose, Purpose::Tip | Purpose::Part)
        }
        CommandId::Offered(n) => model.entry.step == EntryStep::Amount && usize::from(n) < entry::presets(model).len(),
        // A deposit is owed to the customer: what goes back of it is no credit on a sale.
        CommandId::OwesLess => is_refund(model) && !entry::of_deposit(model),
        CommandId::OwesAgain => is_refund(model),
        CommandId::TakeBack => {
            model.entry.step == EntryStep::Decide && matches!(model.entry.purpose, Purpose::Correct { .. })
        }
        CommandId::CancelRead => matches!(phase, Some(Phase::Presenting { cancelling: false, .. })),
        CommandId::Choose(n) => matches!(
            phase,
            Some(Phase::Presenting { cancelling: false, choices, .. }) if usize::from(n) < choices.len()
        ),
        CommandId::TakeRisk => matches!(phase, Some(Phase::ConfirmOffline { .. })),
        CommandId::LeaveRisk => matches!(phase, Some(Phase::ConfirmOffline { .. } | Phase::NeedsManager { .. })),
        CommandId::TakePart | CommandId::GiveBack => matches!(phase, Some(Phase::PartOffered)),
        CommandId::Retry => matches!(phase, Some(Phase::Failed { .. })),
        CommandId::ToReceipt => is_money(model),
        CommandId::Void => may_void(model),
        CommandId::Wait => matches!(phase, Some(Phase::Unknown { .. })),
        CommandId::AcceptPending => {
            matches!(phase, Some(Phase::Unknown { offline: Some(Offline::Allowed { .. }) }))
        }
        CommandId::Exact | CommandId::Quick(_) => checkout::open_amount(model).is_some(),
        CommandId::Received => !model.cash_digits.is_empty() && checkout::open_amount(model).is_some(),
        CommandId::Print => model
            .receipt
            .as_ref()
            .is_some_and(|receipt| matches!(receipt.rows, Some(Ok(_))) && receipt.printing.is_none()),
        CommandId::StopPrint => {
            let printing = model.receipt.as_ref().and_then(|receipt| receipt.printing.as_ref());
            printing.is_some_and(|printing| !printing.stopping)
        }
        CommandId::CameOut => receipt::update::unfinished(model).is_some() && !is_printing(model),
        CommandId::ShowCode => {
            model.receipt.as_ref().is_some_and(|receipt| matches!(receipt.rows, Some(Ok(_)))) && !is_printing(model)
        }
        CommandId::CustomerCopy => other_copy(model, Party::Customer),
        CommandId::MerchantCopy => other_copy(model, Party::Merchant),
        CommandId::MailReceipt => job::invoice(model).is_some() && model.receipt.is_some() && !is_printing(model),
        CommandId::NoPrint => model.receipt.is_some() && !is_printing(model),
        CommandId::ToggleLink => model.settings.demo,
        CommandId::Training => model.settings.mode != Mode::Training,
        CommandId::Scan => !devices::is_pairing(model),
        CommandId::UseDevice => devices::selected(model).is_some() && !devices::is_pairing(model),
        CommandId::ForgetDevice => {
            devices::selected(model).is_some_and(|device| device.paired) && !devices::is_pairing(model)
        }
        CommandId::Beep => model.reader.as_ref().is_some_and(|reader| reader.connected),
        CommandId::SameNumber | CommandId::OtherNumber => {
            matches!(model.devices.stage, DevicesStage::Compare { .. })
        }
        CommandId::OpenShift => shift::may_open(model),
        CommandId::PaidIn | CommandId::PaidOut | CommandId::Drop | CommandId::CountDrawer => shift::is_open(model),
        CommandId::PrintShift => shift::may_print(model),
        CommandId::Back => may_go_back(model),
        CommandId::TryNow
        | CommandId::Prove
        | CommandId::Sync
        | CommandId::Shift
        | CommandId::Devices
        | CommandId::Menu
        | CommandId::Help
        | CommandId::Quit => true,
    }
}

fn is_refund(model: &Model) -> bool {
    model.entry.step == EntryStep::Decide && matches!(model.entry.purpose, Purpose::Refund { .. })
}

fn may_go_back(model: &Model) -> bool {
    match model.screen {
        Screen::Card => !model.card.as_ref().is_some_and(Active::is_busy),
        Screen::Receipt => !is_printing(model),
        _ => true,
    }
}

/// What Enter runs, if it may run now.
pub fn primary(model: &Model) -> Option<CommandId> {
    let wanted: &[CommandId] = match model.screen {
        Screen::Welcome | Screen::AddLine | Screen::Consent => &[],
        Screen::Today => &[CommandId::Open],
        Screen::Job if job::invoice(model).is_some() => &[CommandId::Collect, CommandId::Receipt],
        Screen::Job => &[CommandId::AddLine],
        Screen::Checkout => &[CommandId::PayCard, CommandId::Back],
        Screen::Card => match model.card.as_ref().map(|card| card.machine.phase()) {
            Some(Phase::Failed { .. }) => &[CommandId::Retry],
            Some(Phase::Resting) | None => &[CommandId::ToReceipt, CommandId::Back],
            Some(_) => &[],
        },
        Screen::Cash => &[CommandId::Received],
        Screen::Entry => &[CommandId::Take],
        Screen::Receipt if printed(model) => &[CommandId::NoPrint],
        Screen::Receipt => &[CommandId::Print],
        Screen::Unknown => &[CommandId::Wait],
        Screen::Sync => &[CommandId::TryNow],
        Screen::Devices => &[CommandId::UseDevice],
        Screen::Shift => &[CommandId::OpenShift],
        Screen::Help => &[CommandId::Back],
    };
    wanted.iter().copied().find(|id| possible(model, *id))
}

/// The receipt in front is not this party's copy.
fn other_copy(model: &Model, party: Party) -> bool {
    model.receipt.as_ref().is_some_and(|receipt| receipt.party != party) && !is_printing(model)
}

fn is_printing(model: &Model) -> bool {
    model.receipt.as_ref().is_some_and(|receipt| receipt.printing.is_some())
}

/// The receipt in front is on paper: another one is a copy and takes its own letter.
pub fn printed(model: &Model) -> bool {
    model.receipt.as_ref().is_some_and(|receipt| receipt.printed.is_some())
}

/// The payment in front brought money, certain or not.
fn is_money(model: &Model) -> bool {
    let Some(card) = &model.card else { return false };
    let standing = card.machine.payment().map(|p| p.state.standing());
    *card.machine.phase() == Phase::Resting && matches!(standing, Some(Standing::Paid | Standing::Pending))
}

fn may_void(model: &Model) -> bool {
    let Some(card) = &model.card else { return false };
    let at_rest = matches!(card.machine.phase(), Phase::Resting | Phase::Unknown { .. });
    at_rest && card.machine.may_void()
}
