//! Everything that the screen program knows: which screen is in front, what each screen holds, what is awaited.
//!
//! Invariant: plain data. It changes in [`super::update`] only, and is drawn by [`super::view`] only.

mod entry;
mod parts;

pub use entry::*;
pub use parts::*;

use super::effect::Effect;
use super::msg::{DevicesNews, LinkView, OpId, ReaderView};
use super::when::{Local, local};
use crate::domain::id::{InvoiceId, JobId, PaymentId};
use crate::domain::payment::Payment;
use crate::domain::read::{JobDetail, SyncStatus, TodayRow};
use std::collections::VecDeque;
use uuid::Uuid;

/// The narrowest terminal that screens are drawn for, cells.
pub const MIN_COLUMNS: u16 = 30;
/// The lowest terminal that screens are drawn for, cells.
pub const MIN_ROWS: u16 = 12;
/// The most notices that wait to be read; the oldest go first.
pub const MAX_NOTICES: usize = 20;
/// The most characters that a text field takes.
pub const MAX_FIELD_CHARS: usize = 60;

/// Everything that the screen program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// What does not change.
    pub settings: Settings,
    /// Terminal width, cells.
    pub columns: u16,
    /// Terminal height, cells.
    pub rows: u16,
    /// Unix milliseconds at the last tick; `None` before the first.
    pub now_ms: Option<i64>,
    /// Minutes to add to UTC.
    pub offset_minutes: i32,
    /// The handheld's battery.
    pub battery_percent: Option<u8>,
    /// The screen in front; the ones below it are in `below`.
    pub screen: Screen,
    /// Screens to go back to, the last one first in line.
    pub below: Vec<Screen>,
    /// On top of the screen.
    pub overlay: Option<Overlay>,
    /// To be read, oldest first.
    pub notices: VecDeque<Notice>,
    /// The day's list.
    pub today: TodayView,
    /// The job that is wanted, loaded or not.
    pub wanted: Option<JobId>,
    /// The wanted job, once loaded.
    pub job: Option<Box<JobDetail>>,
    /// Which of its documents money is taken for; `None` for its invoice. Only while one of the screens beyond the job's
    /// is in front.
    pub document: Option<InvoiceId>,
    /// Which of its lines.
    pub line_selected: usize,
    /// The add-line screen.
    pub add_line: AddLineView,
    /// Cash received, minor units as typed.
    pub cash_digits: String,
    /// Another tender that the technician was warned about, for the cash being counted.
    pub cash_linked: Option<PaymentId>,
    /// The card payment in front.
    pub card: Option<Active>,
    /// Payments that a stopped program left, still to be taken up.
    pub unfinished: VecDeque<Payment>,
    /// The receipt.
    pub receipt: Option<ReceiptView>,
    /// How the exchange stands.
    pub sync: Option<SyncStatus>,
    /// The check of the journal.
    pub chain: ChainView,
    /// The connection.
    pub link: LinkView,
    /// The reader.
    pub reader: Option<ReaderView>,
    /// The demo's switches.
    pub demo: Option<DemoView>,
    /// Card readers.
    pub devices: DevicesView,
    /// The cash shift.
    pub shift: ShiftView,
    /// First row shown of the help.
    pub help_scroll: usize,
    /// A change on its way to the disk.
    pub saving: Option<Saving>,
    /// Ids not used yet.
    pub ids: Vec<Uuid>,
    /// Ids were asked for.
    pub ids_asked: bool,
    /// What was chosen for the next tender.
    pub checkout: CheckoutView,
    /// The open tender that the technician was warned about before the customer is asked for consent.
    pub consent_linked: Option<PaymentId>,
    /// How far the text of the consent is scrolled, rows.
    pub consent_scroll: usize,
    /// An amount that is typed.
    pub entry: EntryView,
    /// The last operation's number.
    pub last_op: u64,
}

impl Model {
    /// A program that knows nothing yet. [`super::update::start`] says what to ask for first.
    pub fn new(settings: Settings) -> Model {
        let screen = if settings.enrolled || settings.demo { Screen::Today } else { Screen::Welcome };
        Model {
            columns: settings.columns,
            rows: settings.rows,
            now_ms: None,
            offset_minutes: 0,
            battery_percent: None,
            screen,
            below: Vec::new(),
            overlay: None,
            notices: VecDeque::new(),
            today: TodayView { rows: None, selected: 0, find: String::new(), finding: false },
            wanted: None,
            job: None,
            document: None,
            line_selected: 0,
            add_line: AddLineView::empty(),
            cash_digits: String::new(),
            cash_linked: None,
            card: None,
            unfinished: VecDeque::new(),
            receipt: None,
            sync: None,
            chain: ChainView::Unchecked,
            link: LinkView { online: false, next_try_ms: None, last_error: None },
            reader: None,
            demo: None,
            devices: DevicesView { news: DevicesNews::default(), selected: 0, stage: DevicesStage::List },
            shift: ShiftView { now: None, stage: ShiftStage::Report, scroll: 0, printing: None },
            help_scroll: 0,
            saving: None,
            ids: Vec::new(),
            ids_asked: false,
            checkout: CheckoutView::EMPTY,
            consent_linked: None,
            consent_scroll: 0,
            entry: EntryView::EMPTY,
            last_op: 0,
            settings,
        }
    }

    /// How often the clock is wanted, milliseconds: each second while a screen counts seconds, else each minute.
    pub fn clock_step_ms(&self) -> u64 {
        let counting = match self.screen {
            Screen::Card => self.card.as_ref().is_some_and(Active::is_busy),
            Screen::Unknown => true,
            Screen::Sync => self.link.next_try_ms.is_some() && !self.link.online,
            Screen::Welcome
            | Screen::Today
            | Screen::Job
            | Screen::AddLine
            | Screen::Checkout
            | Screen::Consent
            | Screen::Cash
            | Screen::Entry
            | Screen::Receipt
            | Screen::Devices
            | Screen::Shift
            | Screen::Help => false,
        };
        if counting { 1_000 } else { 60_000 }
    }

    /// Local time of the last tick.
    pub fn now(&self) -> Option<Local> {
        self.now_ms.map(|now| self.local(now))
    }

    /// `at_ms` in local time.
    pub fn local(&self, at_ms: i64) -> Local {
        local(at_ms, self.offset_minutes)
    }

    /// The rows of the day's list that the find field leaves.
    pub fn shown_today(&self) -> Vec<&TodayRow> {
        let find = self.today.find.to_lowercase();
        let hit = |row: &&TodayRow| {
            let hay = format!("{} {} {}", row.customer_name, row.title, row.address).to_lowercase();
            find.split_whitespace().all(|word| hay.contains(word))
        };
        self.today.rows.iter().flatten().filter(hit).collect()
    }

    /// The selected row of the day's list.
    pub fn selected_today(&self) -> Option<&TodayRow> {
        self.shown_today().get(self.today.selected).copied()
    }

    /// The notice to be shown now.
    pub fn notice(&self) -> Option<&Notice> {
        let quiet = match self.screen {
            Screen::Today => !self.today.finding,
            Screen::Shift => self.shift.stage == ShiftStage::Report,
            Screen::Job | Screen::Sync | Screen::Devices | Screen::Help => true,
            Screen::Welcome
            | Screen::AddLine
            | Screen::Checkout
            | Screen::Consent
            | Screen::Card
            | Screen::Cash
            | Screen::Entry
            | Screen::Receipt
            | Screen::Unknown => false,
        };
        self.notices.iter().find(|notice| !notice.background || quiet)
    }

    /// The next operation's number.
    pub fn next_op(&mut self) -> OpId {
        self.last_op = self.last_op.saturating_add(1);
        OpId(self.last_op)
    }

    /// Takes the oldest id from the pool, and asks for more in time.
    pub fn take_id(&mut self, effects: &mut Vec<Effect>) -> Option<Uuid> {
        let id = (!self.ids.is_empty()).then(|| self.ids.remove(0));
        self.ask_for_ids(effects);
        id
    }

    /// Asks for ids when few are left.
    pub fn ask_for_ids(&mut self, effects: &mut Vec<Effect>) {
        if self.ids.len() < 8 && !self.ids_asked {
            self.ids_asked = true;
            effects.push(Effect::NeedIds);
        }
    }

    /// Puts a screen in front.
    pub fn go(&mut self, screen: Screen) {
        if self.screen != screen {
            self.below.retain(|other| *other != screen);
            self.below.push(self.screen);
            self.put(screen);
        }
    }

    /// Back to the screen below.
    pub fn back(&mut self) {
        if let Some(screen) = self.below.pop() {
            self.put(screen);
        }
    }

    /// Back to `screen` if it is below, otherwise it is put in place of the one in front.
    pub fn back_to(&mut self, screen: Screen) {
        match self.below.iter().rposition(|other| *other == screen) {
            Some(at) => self.below.truncate(at),
            None => self.below.retain(|other| *other == Screen::Today),
        }
        self.put(screen);
    }

    /// A job is about its invoice; a deposit stays in front only while money is taken for it.
    fn put(&mut self, screen: Screen) {
        self.screen = screen;
        if matches!(screen, Screen::Today | Screen::Job) {
            self.front(None);
        }
    }

    /// Puts a document of the job in front.
    pub fn front(&mut self, document: Option<InvoiceId>) {
        self.document = document;
        if let Some(job) = &mut self.job {
            job.show(document);
        }
    }

    /// Tells the technician something.
    pub fn tell(&mut self, title: &str, text: &str, background: bool) {
        if self.notices.len() >= MAX_NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back(Notice { title: title.to_owned(), text: text.to_owned(), background });
    }
}
