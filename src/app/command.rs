//! The one table of commands: key hints, help, the command list and the keys themselves follow from it.
//!
//! Invariant: a command that is not [`available`] now is neither hinted at, listed nor run.

mod available;
mod table;

pub use available::{available, possible, primary};
pub use table::COMMANDS;

use super::model::{DemoView, Model, PaletteItem, Screen};
use super::msg::Key;
use super::screens::entry;
use crate::domain::job::VisitState;

/// What the technician can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandId {
    /// Open the selected job.
    Open,
    /// The next step of the visit.
    Step,
    /// Look for a visit.
    Find,
    /// Add a line.
    AddLine,
    /// Take the selected line off.
    DeleteLine,
    /// Issue the invoice and collect.
    Collect,
    /// Take the invoice back.
    Reopen,
    /// Show the receipt.
    Receipt,
    /// Open the payment that is not finished or can be voided.
    Payment,
    /// Pay by card.
    PayCard,
    /// The customer agrees that the card is kept.
    KeepCard,
    /// The customer does not.
    DoNotKeep,
    /// Pay in cash.
    PayCash,
    /// A tip.
    Tip,
    /// Only a part now.
    Split,
    /// By cheque.
    Cheque,
    /// By transfer.
    Transfer,
    /// With what was paid ahead.
    UseDeposit,
    /// Take money ahead.
    Deposit,
    /// Show the receipt of what was paid ahead.
    DepositReceipt,
    /// Take back the deposit that nobody has paid.
    DropDeposit,
    /// Give money back.
    Refund,
    /// Give money back that is linked to no payment.
    RefundUnlinked,
    /// It goes back in cash, once the office has released it.
    BackInCash,
    /// It goes back by transfer.
    BackByTransfer,
    /// Ask for a manager's PIN.
    AskManager,
    /// An entry was wrong.
    Correct,
    /// Take what was typed.
    Take,
    /// Nothing of it.
    TakeNone,
    /// One of the amounts offered, 0 to 2.
    Offered(u8),
    /// The customer owes less.
    OwesLess,
    /// The customer owes it again.
    OwesAgain,
    /// Take the entry back.
    TakeBack,
    /// Ask the reader to cancel.
    CancelRead,
    /// The customer chose this application, 0 to 3.
    Choose(u8),
    /// Accept the risk of an offline payment.
    TakeRisk,
    /// Do not accept it.
    LeaveRisk,
    /// Take the part that the bank agreed to.
    TakePart,
    /// Give it back.
    GiveBack,
    /// Go on after a row could not be written.
    Retry,
    /// On to the receipt.
    ToReceipt,
    /// Void the payment.
    Void,
    /// Keep waiting for the result.
    Wait,
    /// Accept the unknown payment as pending.
    AcceptPending,
    /// The exact amount was received.
    Exact,
    /// A round amount was received, 0 to 3.
    Quick(u8),
    /// Record the cash.
    Received,
    /// Print the receipt.
    Print,
    /// Stop printing.
    StopPrint,
    /// The copy that a stopped program left came out.
    CameOut,
    /// The customer's copy.
    CustomerCopy,
    /// The merchant's copy.
    MerchantCopy,
    /// Send the receipt by e-mail.
    MailReceipt,
    /// Show the receipt's code.
    ShowCode,
    /// No receipt.
    NoPrint,
    /// Try the office now.
    TryNow,
    /// Check the journal.
    Prove,
    /// The demo: cut or restore the link.
    ToggleLink,
    /// The exchange with the office.
    Sync,
    /// Card readers.
    Devices,
    /// Look for readers, or stop looking.
    Scan,
    /// Pair with the selected reader and use it.
    UseDevice,
    /// Unpair the selected reader.
    ForgetDevice,
    /// Let the reader in use beep.
    Beep,
    /// Both sides show the same number.
    SameNumber,
    /// They do not.
    OtherNumber,
    /// The cash shift.
    Shift,
    /// Open a shift.
    OpenShift,
    /// Cash is paid into the drawer.
    PaidIn,
    /// Cash is paid out of the drawer.
    PaidOut,
    /// Cash goes to the office or the bank.
    Drop,
    /// Count the drawer and close the shift.
    CountDrawer,
    /// Print the shift's report.
    PrintShift,
    /// Back.
    Back,
    /// The command list.
    Menu,
    /// How to start training mode.
    Training,
    /// Help.
    Help,
    /// End the program.
    Quit,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Which.
    pub id: CommandId,
    /// In the command list.
    pub name: &'static str,
    /// Its key; `None` for the command list only.
    pub key: Option<Key>,
    /// Where it works.
    pub screens: &'static [Screen],
    /// Its place among the hints, from 1; 0 is never hinted at.
    pub hint: u8,
    /// Its word among the hints.
    pub word: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
}

/// A key and its word, for the row at the bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// `Enter`, `S`, `/`
    pub key: String,
    /// `open`; may be empty.
    pub word: &'static str,
}

/// The row of a command.
pub fn command(id: CommandId) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.id == id)
}

/// The key as people read it.
pub fn key_name(key: Key) -> String {
    match key {
        Key::Char(c) => c.to_uppercase().to_string(),
        Key::Enter => "Enter".to_owned(),
        Key::Esc => "Esc".to_owned(),
        Key::Backspace => "Backspace".to_owned(),
        Key::Up => "Up".to_owned(),
        Key::Down => "Down".to_owned(),
        Key::PageUp => "PageUp".to_owned(),
        Key::PageDown => "PageDown".to_owned(),
        Key::Interrupt => "Ctrl-C".to_owned(),
    }
}

/// The commands that work on this screen now, in the table's order.
pub fn here(model: &Model) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |c| c.screens.contains(&model.screen) && possible(model, c.id))
}

/// The command of a key on this screen now.
pub fn for_key(model: &Model, key: Key) -> Option<CommandId> {
    if key == Key::Enter {
        return primary(model).filter(|id| available(model, *id));
    }
    let same = |wanted: Key| match (wanted, key) {
        (Key::Char(a), Key::Char(b)) => a.eq_ignore_ascii_case(&b),
        (a, b) => a == b,
    };
    here(model).find(|c| c.key.is_some_and(same)).map(|c| c.id).filter(|id| available(model, *id))
}

/// What the row at the bottom offers, the most useful first; the caller shows as many as fit. Help is always last.
pub fn hints(model: &Model) -> Vec<Hint> {
    let first = primary(model);
    let mut hints = Vec::new();
    if let Some(id) = first {
        hints.push(Hint { key: key_name(Key::Enter), word: word(model, id) });
    }
    let mut others: Vec<&Command> = here(model).filter(|c| c.hint > 0 && Some(c.id) != first).collect();
    others.sort_by_key(|c| c.hint);
    for command in others {
        if let Some(key) = command.key {
            hints.push(Hint { key: key_name(key), word: word(model, command.id) });
        }
    }
    hints
}

/// A command's word among the hints.
pub fn word(model: &Model, id: CommandId) -> &'static str {
    if id == CommandId::Step {
        step_word(model)
    } else if id == CommandId::Back && model.screen == Screen::Card && model.below.last() == Some(&Screen::Checkout) {
        "pay another way"
    } else if id == CommandId::Receipt && model.job.as_ref().is_some_and(|job| job.receipt_due.is_some()) {
        "new receipt"
    } else if id == CommandId::OwesAgain && entry::of_deposit(model) {
        "give it back"
    } else if available::printed(model) && matches!(id, CommandId::Print | CommandId::NoPrint) {
        if id == CommandId::Print { "print a copy" } else { "done" }
    } else {
        command(id).map_or("", |c| c.word)
    }
}

/// The visit that a step would move.
pub fn step_state(model: &Model) -> Option<VisitState> {
    match model.screen {
        Screen::Today => model.selected_today().map(|row| row.state),
        Screen::Job => model.job.as_ref().map(|job| job.row.state),
        Screen::Welcome
        | Screen::AddLine
        | Screen::Checkout
        | Screen::Consent
        | Screen::Card
        | Screen::Cash
        | Screen::Entry
        | Screen::Receipt
        | Screen::Unknown
        | Screen::Sync
        | Screen::Devices
        | Screen::Shift
        | Screen::Help => None,
    }
}

fn step_word(model: &Model) -> &'static str {
    match step_state(model) {
        Some(VisitState::New) => "accept",
        Some(VisitState::Accepted) => "set off",
        Some(VisitState::EnRoute) => "arrive",
        Some(VisitState::OnSite) => "finish",
        Some(VisitState::Done) | None => "",
    }
}

/// A command's name in the command list.
pub fn title(model: &Model, item: &PaletteItem) -> String {
    match item {
        PaletteItem::PresentCard(name) => format!("demo: present card {name}"),
        PaletteItem::Command(CommandId::ToggleLink) => {
            let cut = model.demo.as_ref().is_some_and(|demo| demo.link_cut);
            if cut { "demo: restore link".to_owned() } else { "demo: cut link".to_owned() }
        }
        PaletteItem::Command(CommandId::Step) => format!("next step: {}", step_word(model)),
        PaletteItem::Command(id) => command(*id).map_or_else(String::new, |c| c.name.to_owned()),
    }
}

/// The command list for what was typed, best first.
pub fn palette(model: &Model, query: &str) -> Vec<PaletteItem> {
    let listed = here(model).filter(|c| !c.name.is_empty()).map(|c| PaletteItem::Command(c.id));
    let cards = model.demo.iter().filter(|_| model.settings.demo).flat_map(|demo: &DemoView| &demo.cards);
    let cards = cards.map(|name| PaletteItem::PresentCard(name.clone()));
    let mut found: Vec<(u8, PaletteItem)> =
        listed.chain(cards).filter_map(|item| rank(&title(model, &item), query).map(|rank| (rank, item))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, item)| item).collect()
}

/// How well a name fits: 0 begins with it, 1 a word does, 2 contains it, 3 has its letters in order; `None` not at all.
fn rank(name: &str, query: &str) -> Option<u8> {
    let (name, query) = (name.to_lowercase(), query.trim().to_lowercase());
    if name.starts_with(&query) {
        return Some(0);
    }
    if name.split(' ').any(|word| word.starts_with(&query)) {
        return Some(1);
    }
    if name.contains(&query) {
        return Some(2);
    }
    let mut letters = name.chars();
    query.chars().filter(|c| *c != ' ').all(|wanted| letters.any(|c| c == wanted)).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ranked_by_how_they_fit() {
        for (name, query, expect) in [
            ("demo: cut link", "", Some(0)),
            ("demo: cut link", "demo", Some(0)),
            ("demo: cut link", "link", Some(1)),
            ("demo: cut link", "ut l", Some(2)),
            ("demo: cut link", "dclk", Some(3)),
            ("demo: cut link", "xyz", None),
        ] {
            assert_eq!(rank(name, query), expect, "{name} / {query}");
        }
    }

    #[test]
    fn no_two_commands_of_a_screen_share_a_key_unless_one_excludes_the_other() {
        let apart = [
            CommandId::OtherNumber,
            CommandId::CancelRead,
            CommandId::LeaveRisk,
            CommandId::Back,
            CommandId::GiveBack,
            CommandId::Void,
        ];
        // While a receipt is printed there is no way back.
        let printing = [CommandId::StopPrint, CommandId::Back];
        for (i, a) in COMMANDS.iter().enumerate() {
            for b in COMMANDS.iter().skip(i + 1) {
                let shared = a.key.is_some() && a.key == b.key && a.screens.iter().any(|s| b.screens.contains(s));
                let excluded = [&apart[..], &printing].iter().any(|set| set.contains(&a.id) && set.contains(&b.id));
                assert!(!shared || excluded, "{:?} {:?}", a.id, b.id);
            }
        }
    }
}
