//! The rows of the command table.
//!
//! Invariant: data only; whether a command makes sense now is said in `available`.

use super::{Command, CommandId};
use crate::app::model::Screen;
use crate::app::msg::Key;

const EVERYWHERE: &[Screen] = &[
    Screen::Today,
    Screen::Job,
    Screen::Checkout,
    Screen::Consent,
    Screen::Card,
    Screen::Cash,
    Screen::Entry,
    Screen::Receipt,
    Screen::Unknown,
    Screen::Sync,
    Screen::Devices,
    Screen::Shift,
    Screen::Help,
];
const BACK: &[Screen] = &[
    Screen::Job,
    Screen::AddLine,
    Screen::Checkout,
    Screen::Consent,
    Screen::Card,
    Screen::Cash,
    Screen::Entry,
    Screen::Receipt,
    Screen::Unknown,
    Screen::Sync,
    Screen::Devices,
    Screen::Shift,
    Screen::Help,
];
const QUIT: &[Screen] =
    &[Screen::Welcome, Screen::Today, Screen::Job, Screen::Sync, Screen::Devices, Screen::Shift, Screen::Help];

const TRAINING: &[Screen] = &[Screen::Today, Screen::Job, Screen::Sync, Screen::Devices, Screen::Help];

const fn row(
    id: CommandId,
    key: Option<Key>,
    screens: &'static [Screen],
    (hint, word): (u8, &'static str),
    name: &'static str,
    help: &'static str,
) -> Command {
    Command { id, name, key, screens, hint, word, help }
}

const fn letter(c: char) -> Option<Key> {
    Some(Key::Char(c))
}

/// Every command.
#[rustfmt::skip]
pub const COMMANDS: &[Command] = &[
    row(CommandId::Open, Some(Key::Enter), &[Screen::Today], (1, "open"), "open the job", "Opens the selected job."),
    row(CommandId::Step, letter('s'), &[Screen::Today, Screen::Job], (3, ""), "next step of the visit", "Moves the visit one step on: accepted, en route, on site, done."),
    row(CommandId::Find, letter('/'), &[Screen::Today], (3, "find"), "find a visit", "Shows only visits that contain what you type."),
    row(CommandId::AddLine, letter('a'), &[Screen::Job], (3, "add line"), "add a line", "Labour, a part or a fee from the price book."),
    row(CommandId::DeleteLine, letter('d'), &[Screen::Job], (5, "delete"), "delete the selected line", "Takes the selected line off; asks first."),
    row(CommandId::Collect, letter('c'), &[Screen::Job], (1, "collect"), "collect the money", "Issues the invoice and goes to the ways to pay."),
    row(CommandId::Reopen, letter('o'), &[Screen::Job], (5, "reopen"), "reopen the invoice", "Takes the invoice back while no money has moved; its number stays used."),
    row(CommandId::Receipt, letter('r'), &[Screen::Job], (4, "receipt"), "show the receipt", "Shows the receipt and prints it, again if needed."),
    row(CommandId::DepositReceipt, letter('g'), &[Screen::Job], (0, ""), "show the deposit's receipt", "Shows the receipt of what was paid ahead and prints it, again if needed."),
    row(CommandId::Payment, letter('p'), &[Screen::Job, Screen::Checkout], (2, "payment"), "open the payment", "Opens the card payment that is not certain or can still be voided."),
    row(CommandId::PayCard, letter('c'), &[Screen::Checkout], (1, "card"), "pay by card", "Arms the reader for what is to be paid."),
    row(CommandId::KeepCard, letter('y'), &[Screen::Consent], (1, "yes, keep it"), "", "The customer agrees: the card is kept once the bank has approved."),
    row(CommandId::DoNotKeep, letter('n'), &[Screen::Consent], (2, "no"), "", "The card is not kept; the payment goes on."),
    row(CommandId::PayCash, letter('a'), &[Screen::Checkout], (2, "cash"), "pay in cash", "Counts cash and works out the change."),
    row(CommandId::Tip, letter('t'), &[Screen::Checkout], (0, "tip"), "add a tip", "A tip on the next tender: presets, any amount, or none."),
    row(CommandId::Split, letter('s'), &[Screen::Checkout], (0, "split"), "pay only a part now", "The next tender pays a part; the rest another way."),
    row(CommandId::Cheque, letter('q'), &[Screen::Checkout], (0, "cheque"), "pay by cheque", "Records a cheque with its number."),
    row(CommandId::Transfer, letter('f'), &[Screen::Checkout], (0, "transfer"), "pay by transfer", "Records that a transfer will come: pending until the office has seen it."),
    row(CommandId::UseDeposit, letter('d'), &[Screen::Checkout], (3, "deposit"), "pay with the deposit", "Pays with what the customer has paid ahead."),
    row(CommandId::DropDeposit, letter('o'), &[Screen::Checkout], (5, "take it back"), "take the deposit back", "Takes back a deposit that nobody has paid; its number stays used."),
    row(CommandId::Deposit, letter('t'), &[Screen::Job], (9, "deposit"), "take a deposit", "Money paid ahead, before there is an invoice; the invoice takes it off."),
    row(CommandId::Refund, letter('f'), &[Screen::Job], (8, "refund"), "give money back", "A whole payment or a part of it: cash at once, cards by the office."),
    row(CommandId::RefundUnlinked, letter('u'), &[Screen::Job], (0, ""), "refund without a payment", "Asks the office to give money back that is linked to no payment; a manager's PIN first."),
    row(CommandId::BackInCash, letter('h'), &[Screen::Entry], (1, "in cash"), "", "In cash from the drawer, once the office has released it."),
    row(CommandId::BackByTransfer, letter('b'), &[Screen::Entry], (2, "by transfer"), "", "By a transfer of the office."),
    row(CommandId::Correct, letter('x'), &[Screen::Job], (0, ""), "correct a wrong entry", "Takes a wrong entry of cash, cheque or transfer back; both stay in the books."),
    row(CommandId::Take, Some(Key::Enter), &[Screen::Entry], (1, "take it"), "", "Takes what was typed and goes on."),
    row(CommandId::TakeNone, letter('n'), &[Screen::Entry], (2, "none"), "", "No tip, or all of the balance."),
    row(CommandId::Offered(0), letter('q'), &[Screen::Entry], (0, ""), "", "The first amount offered."),
    row(CommandId::Offered(1), letter('w'), &[Screen::Entry], (0, ""), "", "The second amount offered."),
    row(CommandId::Offered(2), letter('e'), &[Screen::Entry], (0, ""), "", "The third amount offered."),
    row(CommandId::OwesLess, letter('c'), &[Screen::Entry], (1, "owes less"), "", "The money goes back, and the customer owes that much less."),
    row(CommandId::OwesAgain, letter('o'), &[Screen::Entry], (2, "owed again"), "", "The money goes back, and is paid another way."),
    row(CommandId::TakeBack, letter('y'), &[Screen::Entry], (1, "take it back"), "", "Takes the wrong entry back."),
    row(CommandId::CancelRead, Some(Key::Esc), &[Screen::Card], (1, "ask the reader to cancel"), "", "Asks the reader to cancel; the screen says so until it has answered."),
    row(CommandId::Choose(0), letter('1'), &[Screen::Card], (1, "choose"), "", "The customer's application on a card that has several: 1 to 4."),
    row(CommandId::Choose(1), letter('2'), &[Screen::Card], (0, ""), "", ""),
    row(CommandId::Choose(2), letter('3'), &[Screen::Card], (0, ""), "", ""),
    row(CommandId::Choose(3), letter('4'), &[Screen::Card], (0, ""), "", ""),
    row(CommandId::AskManager, letter('m'), &[Screen::Card, Screen::Unknown], (1, "PIN"), "ask for a manager's PIN", "A manager may allow a payment over a soft limit of the offline policy."),
    row(CommandId::TakeRisk, letter('a'), &[Screen::Card], (1, "accept the risk"), "", "Takes the payment without the bank; you carry the risk until it agrees."),
    row(CommandId::LeaveRisk, Some(Key::Esc), &[Screen::Card], (2, "do not take it"), "", "Refuses the payment; the card data is erased."),
    row(CommandId::TakePart, letter('t'), &[Screen::Card], (1, "take the part"), "take the part", "Takes the part that the bank agreed to; the rest is paid another way."),
    row(CommandId::GiveBack, letter('v'), &[Screen::Card], (2, "give it back"), "give the part back", "Voids the part that the bank agreed to."),
    row(CommandId::Retry, letter('r'), &[Screen::Card], (1, "try again"), "", "Goes on from what is on the disk."),
    row(CommandId::ToReceipt, letter('p'), &[Screen::Card], (1, "receipt"), "on to the receipt", "Shows the receipt of this payment."),
    row(CommandId::Void, letter('v'), &[Screen::Card, Screen::Unknown], (4, "void"), "void the payment", "Takes the payment back; asks first."),
    row(CommandId::Wait, letter('w'), &[Screen::Unknown], (1, "keep waiting"), "keep waiting", "Asks the office again now and waits."),
    row(CommandId::AcceptPending, letter('a'), &[Screen::Unknown], (2, "accept"), "accept as pending", "Takes the payment as pending where the policy allows; asks first."),
    row(CommandId::Received, Some(Key::Enter), &[Screen::Cash], (1, "received"), "record the cash", "Records the cash and opens the drawer."),
    row(CommandId::Exact, letter('q'), &[Screen::Cash], (0, "exact"), "exact amount", "The exact amount was received."),
    row(CommandId::Quick(0), letter('w'), &[Screen::Cash], (0, ""), "", "The first round amount."),
    row(CommandId::Quick(1), letter('e'), &[Screen::Cash], (0, ""), "", "The second round amount."),
    row(CommandId::Quick(2), letter('r'), &[Screen::Cash], (0, ""), "", "The third round amount."),
    row(CommandId::Quick(3), letter('t'), &[Screen::Cash], (0, ""), "", "The fourth round amount."),
    row(CommandId::Print, letter('p'), &[Screen::Receipt], (1, "print"), "print the receipt", "Prints the receipt; a second one is marked COPY."),
    row(CommandId::StopPrint, Some(Key::Esc), &[Screen::Receipt], (1, "stop"), "", "Asks the printer to stop; what is out is waste, the next print is a copy."),
    row(CommandId::CameOut, letter('y'), &[Screen::Receipt], (2, "came out"), "it came out", "The receipt that was under way when the program stopped is on paper."),
    row(CommandId::ShowCode, letter('q'), &[Screen::Receipt], (3, "code"), "show as a code", "Shows the receipt's code for the customer's phone; only its number where the screen is small."),
    row(CommandId::CustomerCopy, letter('c'), &[Screen::Receipt], (4, "customer's"), "customer's copy", "Shows the customer's copy, the one that is printed first."),
    row(CommandId::MerchantCopy, letter('m'), &[Screen::Receipt], (4, "merchant's"), "merchant's copy", "Shows the merchant's copy, to keep; with a line to sign where the holder signs."),
    row(CommandId::MailReceipt, letter('e'), &[Screen::Receipt], (5, "e-mail"), "receipt by e-mail", "Asks where to; the office sends it, and a new one after a late word of the bank."),
    row(CommandId::NoPrint, letter('n'), &[Screen::Receipt], (2, "none"), "no receipt", "Leaves without printing."),
    row(CommandId::TryNow, letter('t'), &[Screen::Sync], (1, "try now"), "try the office now", "Talks to the office now."),
    row(CommandId::Prove, letter('p'), &[Screen::Sync], (2, "prove"), "prove the journal", "Checks the hash of every row of the journal."),
    row(CommandId::ToggleLink, letter('k'), &[Screen::Sync], (3, "link"), "demo: link", "The demo: cuts the link, or restores it."),
    row(CommandId::ToggleLink, None, &[Screen::Today, Screen::Job, Screen::Checkout, Screen::Card, Screen::Unknown], (0, ""), "demo: link", ""),
    row(CommandId::Sync, letter('y'), &[Screen::Today, Screen::Job], (6, "sync"), "sync with the office", "What is not sent yet, and the card money on this device."),
    row(CommandId::Devices, letter('e'), &[Screen::Today, Screen::Sync], (0, ""), "card reader", "Which card reader is used: look for one, pair, forget, battery."),
    row(CommandId::UseDevice, Some(Key::Enter), &[Screen::Devices], (1, "use"), "use the selected reader", "Pairs with the selected reader if need be, and uses it from now on."),
    row(CommandId::Scan, letter('s'), &[Screen::Devices], (2, "search"), "look for readers", "Looks for readers near by, or stops looking."),
    row(CommandId::ForgetDevice, letter('f'), &[Screen::Devices], (8, "forget"), "forget the selected reader", "Unpairs the selected reader; asks first."),
    row(CommandId::Beep, letter('b'), &[Screen::Devices], (9, "beep"), "let the reader beep", "The reader in use beeps, or shows a word."),
    row(CommandId::SameNumber, letter('y'), &[Screen::Devices], (1, "same number"), "", "Both sides show the same number: pair."),
    row(CommandId::OtherNumber, letter('n'), &[Screen::Devices], (2, "not the same"), "", "The numbers differ: do not pair."),
    row(CommandId::Shift, letter('h'), &[Screen::Today, Screen::Job], (0, "shift"), "cash shift", "The drawer: float, cash in and out, X report, count and Z report."),
    row(CommandId::OpenShift, letter('s'), &[Screen::Shift], (1, "open a shift"), "open a shift", "Begins a shift with what you put into the drawer."),
    row(CommandId::CountDrawer, letter('z'), &[Screen::Shift], (1, "count"), "count and close the shift", "You count without seeing what is expected; the Z report keeps the difference for ever."),
    row(CommandId::PaidIn, letter('p'), &[Screen::Shift], (2, "paid in"), "cash paid in", "Cash that goes into the drawer and is no payment."),
    row(CommandId::PaidOut, letter('o'), &[Screen::Shift], (3, "paid out"), "cash paid out", "Cash that leaves the drawer for something bought; asks first."),
    row(CommandId::Drop, letter('d'), &[Screen::Shift], (4, "drop"), "drop cash", "Cash that goes to the office or the bank; asks first."),
    row(CommandId::PrintShift, letter('r'), &[Screen::Shift], (5, "print"), "print the report", "Prints the X or Z report."),
    row(CommandId::Back, Some(Key::Esc), BACK, (7, "back"), "", "One screen back."),
    row(CommandId::Menu, letter(':'), EVERYWHERE, (8, "menu"), "", "The list of commands; type a few letters of one."),
    row(CommandId::Help, letter('?'), EVERYWHERE, (9, ""), "help", "This page."),
    row(CommandId::Training, None, TRAINING, (0, ""), "training mode: how to start it", ""),
    row(CommandId::Quit, None, QUIT, (0, "quit"), "quit", "Ends the program (Ctrl-C does too)."),
];
