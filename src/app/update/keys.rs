//! Where a key goes: notice, overlay, field, then the command table.
//!
//! Invariant: a terminal too small to show a screen takes no key but Ctrl-C.

use super::{overlay, pay};
use crate::app::command::{CommandId, for_key};
use crate::app::effect::{DemoCommand, DeviceCommand, Effect};
use crate::app::model::Purpose;
use crate::app::model::{
    Active, MAX_FIELD_CHARS, MIN_COLUMNS, MIN_ROWS, Model, Overlay, PaletteView, Question, Screen,
};
use crate::app::msg::Key;
use crate::app::screens::{
    add_line, card, cash, checkout, consent, devices, entry, help, job, receipt, shift, sync, today, unknown,
};
use crate::domain::email::ADDRESS_BYTES_MAX;
use crate::domain::payment::Tender;
use crate::domain::receipt::Party;
use crate::domain::refund::RefundKind;
use crate::domain::shift::MoveKind;

/// Takes one key.
pub fn key(model: &mut Model, key: Key, out: &mut Vec<Effect>) {
    if key == Key::Interrupt {
        interrupt(model, out);
    } else if model.columns < MIN_COLUMNS || model.rows < MIN_ROWS {
    } else if let Some(at) = model.notice().and_then(|shown| model.notices.iter().position(|n| n == shown)) {
        if matches!(key, Key::Enter | Key::Esc) {
            model.notices.remove(at);
        }
    } else if model.overlay.is_some() {
        overlay::key(model, key, out);
    } else if !typed(model, key, out) {
        match for_key(model, key) {
            Some(id) => run(model, id, out),
            None => moved(model, key, out),
        }
    }
}

/// Takes pasted text, character by character, where there is a field.
pub fn paste(model: &mut Model, text: &str, out: &mut Vec<Effect>) {
    let in_field = matches!(model.overlay, Some(Overlay::Palette(_)))
        || (model.overlay.is_none()
            && (model.screen == Screen::AddLine
                || model.screen == Screen::Cash
                || model.screen == Screen::Entry
                || (model.screen == Screen::Shift && shift::is_typing(model))
                || receipt::email::is_open(model)
                || (model.screen == Screen::Today && model.today.finding)));
    if !in_field {
        return;
    }
    let amount = model.screen == Screen::Cash || (model.screen == Screen::Entry && !entry::is_text(model));
    let digits_only = model.overlay.is_none() && (amount || shift::takes_digits(model));
    let most = if receipt::email::is_open(model) { ADDRESS_BYTES_MAX } else { MAX_FIELD_CHARS };
    for c in text.chars().filter(|c| !c.is_control()).take(most) {
        if !digits_only || c.is_ascii_digit() {
            key(model, Key::Char(c), out);
        }
    }
}

/// One more character or one less; false if the key is neither.
pub fn edit(field: &mut String, key: Key) -> bool {
    match key {
        Key::Char(c) if !c.is_control() => {
            if field.chars().count() < MAX_FIELD_CHARS {
                field.push(c);
            }
            true
        }
        Key::Backspace => {
            field.pop();
            true
        }
        Key::Char(_) | Key::Enter | Key::Esc | Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Interrupt => {
            false
        }
    }
}

/// The index after a movement within `count` entries.
pub fn step(selected: usize, key: Key, count: usize) -> usize {
    const PAGE: usize = 5;
    let last = count.saturating_sub(1);
    match key {
        Key::Up => selected.min(last).saturating_sub(1),
        Key::Down => selected.saturating_add(1).min(last),
        Key::PageUp => selected.min(last).saturating_sub(PAGE),
        Key::PageDown => selected.saturating_add(PAGE).min(last),
        Key::Char(_) | Key::Enter | Key::Esc | Key::Backspace | Key::Interrupt => selected.min(last),
    }
}

/// Ctrl-C: at once, unless a payment is under way; then it asks, and a second one does not.
fn interrupt(model: &mut Model, out: &mut Vec<Effect>) {
    let asked = model.overlay == Some(Overlay::Confirm(Question::Quit));
    if !asked && model.card.as_ref().is_some_and(Active::is_busy) {
        model.overlay = Some(Overlay::Confirm(Question::Quit));
    } else {
        out.push(Effect::Quit);
    }
}

/// Screens with a field see the key first.
fn typed(model: &mut Model, key: Key, out: &mut Vec<Effect>) -> bool {
    match model.screen {
        Screen::Today if model.today.finding => today::update::find_key(model, key, out),
        Screen::AddLine => add_line::update::key(model, key, out),
        Screen::Cash => cash::update::key(model, key),
        Screen::Entry => entry::update::key(model, key),
        Screen::Devices => devices::update::key(model, key, out),
        Screen::Shift => shift::update::key(model, key, out),
        Screen::Receipt => receipt::email::key(model, key, out),
        Screen::Welcome
        | Screen::Today
        | Screen::Job
        | Screen::Checkout
        | Screen::Consent
        | Screen::Card
        | Screen::Unknown
        | Screen::Sync
        | Screen::Help => false,
    }
}

fn moved(model: &mut Model, key: Key, out: &mut Vec<Effect>) {
    match model.screen {
        Screen::Today => today::update::moved(model, key, out),
        Screen::Job => job::update::moved(model, key),
        Screen::Receipt => receipt::update::moved(model, key),
        Screen::Help => help::update::moved(model, key),
        Screen::Consent => consent::update::moved(model, key),
        Screen::Devices => devices::update::moved(model, key),
        Screen::Shift => shift::update::moved(model, key),
        Screen::Welcome
        | Screen::AddLine
        | Screen::Checkout
        | Screen::Card
        | Screen::Cash
        | Screen::Entry
        | Screen::Unknown
        | Screen::Sync => {}
    }
}

/// Runs a command that is available.
pub fn run(model: &mut Model, id: CommandId, out: &mut Vec<Effect>) {
    match id {
        CommandId::Open => today::update::open(model, out),
        CommandId::Step => job::update::step(model, out),
        CommandId::Find => model.today.finding = true,
        CommandId::AddLine => add_line::update::open(model, out),
        CommandId::DeleteLine => job::update::ask_delete(model),
        CommandId::Collect => job::update::collect(model, out),
        CommandId::Reopen | CommandId::DropDeposit => ask(model, Question::Reopen),
        CommandId::Deposit => job::update::deposit(model),
        CommandId::DepositReceipt => receipt::update::open_deposit(model, out),
        CommandId::UseDeposit => checkout::update::use_deposit(model, out),
        CommandId::Receipt | CommandId::ToReceipt => receipt::update::open(model, out),
        CommandId::Payment => job::update::open_payment(model, out),
        CommandId::PayCard => checkout::update::pay_card(model, out),
        CommandId::KeepCard => consent::update::said(model, true, out),
        CommandId::DoNotKeep => consent::update::said(model, false, out),
        CommandId::PayCash => checkout::update::pay_cash(model),
        CommandId::Tip => entry::update::open(model, Purpose::Tip, None),
        CommandId::Split => entry::update::open(model, Purpose::Part, None),
        CommandId::Cheque => checkout::update::other(model, Tender::Cheque),
        CommandId::Transfer => checkout::update::other(model, Tender::Transfer),
        CommandId::Refund => entry::update::open_refund(model),
        CommandId::RefundUnlinked => entry::unlinked::begin(model),
        CommandId::BackInCash => entry::unlinked::ask(model, Tender::Cash, out),
        CommandId::BackByTransfer => entry::unlinked::ask(model, Tender::Transfer, out),
        CommandId::AskManager => card::update::ask_manager(model),
        CommandId::Correct => entry::update::open_correction(model),
        CommandId::Take => entry::update::take(model, out),
        CommandId::TakeNone => entry::update::none(model),
        CommandId::Offered(n) => entry::update::preset(model, n),
        CommandId::OwesLess => entry::update::refund(model, RefundKind::Credit, out),
        CommandId::OwesAgain => entry::update::refund(model, RefundKind::Reopen, out),
        CommandId::TakeBack => entry::update::correct(model, out),
        CommandId::CancelRead | CommandId::LeaveRisk | CommandId::GiveBack => card::update::cancel(model, out),
        CommandId::TakeRisk => card::update::take_risk(model, out),
        CommandId::TakePart => card::update::take_part(model, out),
        CommandId::Retry => pay::retry(model, out),
        CommandId::Void => ask(model, Question::Void),
        CommandId::Wait => unknown::update::wait(out),
        CommandId::AcceptPending => ask(model, Question::AcceptUnknown),
        CommandId::Exact => cash::update::exact(model),
        CommandId::Quick(n) => cash::update::quick(model, n),
        CommandId::Received => cash::update::received(model, out),
        CommandId::Print => receipt::update::print(model, out),
        CommandId::StopPrint => receipt::update::stop(model, out),
        CommandId::CameOut => receipt::update::came_out(model, out),
        CommandId::CustomerCopy => receipt::update::choose(model, Party::Customer, out),
        CommandId::MerchantCopy => receipt::update::choose(model, Party::Merchant, out),
        CommandId::MailReceipt => receipt::email::open(model),
        CommandId::ShowCode => receipt::update::show_code(model),
        CommandId::NoPrint => receipt::update::leave(model, out),
        CommandId::TryNow => sync::update::try_now(out),
        CommandId::Prove => sync::update::prove(model, out),
        CommandId::ToggleLink => out.push(Effect::Demo(DemoCommand::ToggleLink)),
        CommandId::Sync => {
            model.go(Screen::Sync);
            out.push(Effect::LoadSync);
        }
        CommandId::Choose(index) => card::update::choose(model, index, out),
        CommandId::Devices => devices::update::open(model, out),
        CommandId::Scan => devices::update::scan(model, out),
        CommandId::UseDevice => devices::update::take(model, out),
        CommandId::ForgetDevice => devices::update::ask_forget(model),
        CommandId::Beep => out.push(Effect::Devices(DeviceCommand::Beep)),
        CommandId::SameNumber => devices::update::compared(model, true, out),
        CommandId::OtherNumber => devices::update::compared(model, false, out),
        CommandId::Shift => shift::update::open(model, out),
        CommandId::OpenShift => shift::update::begin(model),
        CommandId::PaidIn => shift::update::move_cash(model, MoveKind::PaidIn),
        CommandId::PaidOut => shift::update::move_cash(model, MoveKind::PaidOut),
        CommandId::Drop => shift::update::move_cash(model, MoveKind::Drop),
        CommandId::CountDrawer => shift::update::count(model),
        CommandId::PrintShift => shift::update::print(model, out),
        CommandId::Back => back(model, out),
        CommandId::Menu => model.overlay = Some(Overlay::Palette(PaletteView { query: String::new(), selected: 0 })),
        CommandId::Help => {
            model.help_scroll = 0;
            model.go(Screen::Help);
        }
        CommandId::Training => {
            let text = "Leave the program and start it with: tillroll --training. It has jobs and books of its own; \
                        nothing of it is sent, and none of it counts.";
            model.tell("Training", text, false);
        }
        CommandId::Quit => out.push(Effect::Quit),
    }
}

fn ask(model: &mut Model, question: Question) {
    model.overlay = Some(Overlay::Confirm(question));
}

fn back(model: &mut Model, out: &mut Vec<Effect>) {
    match model.screen {
        Screen::Receipt => receipt::update::leave(model, out),
        Screen::Card | Screen::Unknown => card::update::leave(model, out),
        Screen::Devices => devices::update::leave(model, out),
        Screen::Entry => entry::update::back(model),
        Screen::Welcome
        | Screen::Today
        | Screen::Job
        | Screen::AddLine
        | Screen::Checkout
        | Screen::Consent
        | Screen::Cash
        | Screen::Sync
        | Screen::Shift
        | Screen::Help => model.back(),
    }
    today::update::preview(model, out);
}
