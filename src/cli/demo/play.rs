//! Plays a day on a handheld by goals: looks at what the handheld holds, does the next thing, looks again.
//!
//! Invariant: everything goes through the payment machine, the actors and the store, as from the screen; nothing is
//! remembered here, so that a killed day is simply played on.

use super::goals::{How, JobGoal, Next, TenderGoal, next};
use super::link::Switch;
use crate::domain::event::{
    CashRecorded, CashRefunded, DrawerOpened, Event as Row, LineAdded, PaymentIntended, RefundRequested, VisitMoved,
};
use crate::domain::id::{InvoiceId, JobId, LineId, PaymentId, RefundId};
use crate::domain::invoice::Invoice;
use crate::domain::job::VisitState;
use crate::domain::line::{Line, Quantity};
use crate::domain::money::Money;
use crate::domain::payment::{Extras, Payment, PaymentState, Tender};
use crate::domain::read::JobDetail;
use crate::domain::receipt::ReceiptOf;
use crate::domain::refund::RefundKind;
use crate::flow::payment::{Effect, Event, Machine, Offline, Phase, Timing};
use crate::runtime::till::Till;
use anyhow::{Context as _, anyhow, bail, ensure};
use std::time::Duration;
use tillroll_hardware::reader::sim::SimControl;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// Steps that one job takes at the most: a goal that cannot be reached is an error, not an endless day.
const STEPS_MAX: usize = 60;

/// How long the played technician waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the played technician looks at the screen again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The technician of a played day.
pub struct Player {
    /// The handheld.
    pub till: Till,
    /// What happens to payments.
    pub events: mpsc::Receiver<(PaymentId, Event)>,
    /// The network.
    pub link: Switch,
    /// The customer's hand.
    pub customer: SimControl,
    /// How long payments wait.
    pub timing: Timing,
}

impl Player {
    /// Plays one job to its goal.
    pub async fn job(&mut self, job: JobId, goal: &JobGoal) -> anyhow::Result<()> {
        for _ in 0..STEPS_MAX {
            let (detail, printed) = self.look(job).await?;
            match next(goal, &detail, printed) {
                Next::Move(to) => self.move_on(&detail, to).await?,
                Next::AddLine(place) => self.add_line(&detail, goal, place).await?,
                Next::Discount => self.discount(&detail, goal).await?,
                Next::Deposit(minor) => self.deposit(&detail, minor).await?,
                Next::TakeAhead(id) => {
                    let mut ahead = detail.clone();
                    ahead.show(Some(id));
                    self.cash(&ahead, 0, 0, None).await?;
                }
                Next::Invoice => drop(said(self.till.store.issue_invoice(job, detail.row.visit).await)?),
                Next::GoOn(payment, how) => self.go_on(payment, how).await?,
                Next::Pay(TenderGoal::Card { card, how }, beside) => {
                    self.card(&detail, (card, how), goal.tip_minor, beside).await?
                }
                Next::Pay(TenderGoal::Cash { over_minor }, beside) => {
                    self.cash(&detail, over_minor, goal.tip_minor, beside).await?
                }
                Next::Refund(payment, minor) => self.refund(payment, minor).await?,
                Next::Print => drop(said(self.till.printer.print(ReceiptOf::invoice(job)).await)?),
                Next::Nothing => return Ok(()),
            }
        }
        bail!("job {job} did not reach its goal in {STEPS_MAX} steps")
    }

    async fn look(&self, job: JobId) -> anyhow::Result<(JobDetail, bool)> {
        said(
            self.till
                .store
                .run(move |store| {
                    let detail = store.job_detail(job)?;
                    let printed = match &detail.invoice {
                        Some(invoice) => store.receipt_begun(invoice.id)?,
                        None => false,
                    };
                    Ok((detail, printed))
                })
                .await,
        )
    }

    async fn commit(&self, row: Row) -> anyhow::Result<()> {
        said(self.till.store.commit(row, None).await).map(drop)
    }

    async fn move_on(&self, detail: &JobDetail, to: VisitState) -> anyhow::Result<()> {
        let row = &detail.row;
        self.commit(Row::VisitMoved(VisitMoved { job: row.job, visit: row.visit, from: row.state, to })).await
    }

    async fn add_line(&self, detail: &JobDetail, goal: &JobGoal, place: usize) -> anyhow::Result<()> {
        let (code, thousandths) = *goal.lines.get(place).context("a line of the goal")?;
        let found = said(self.till.store.run(move |store| store.search_prices(code)).await)?;
        let item =
            found.into_iter().find(|item| item.code == code).with_context(|| format!("no {code} in the price book"))?;
        let line = Line::from_item(LineId(Uuid::now_v7()), &item, Quantity(thousandths));
        self.commit(Row::LineAdded(LineAdded { job: detail.row.job, visit: detail.row.visit, line })).await
    }

    async fn discount(&self, detail: &JobDetail, goal: &JobGoal) -> anyhow::Result<()> {
        let currency = detail.lines.first().context("a line")?.unit_price.currency;
        let off = Money::new(goal.discount_minor, currency);
        let line = Line::discount(LineId(Uuid::now_v7()), "Discount", off)?;
        self.commit(Row::LineAdded(LineAdded { job: detail.row.job, visit: detail.row.visit, line })).await
    }

    async fn deposit(&self, detail: &JobDetail, minor: i64) -> anyhow::Result<()> {
        let (job, visit, id) = (detail.row.job, detail.row.visit, InvoiceId(Uuid::now_v7()));
        let amount = Money::new(minor, detail.customer_balance.currency);
        said(self.till.store.issue_deposit(job, visit, id, amount).await)
    }

    async fn refund(&self, payment: PaymentId, minor: i64) -> anyhow::Result<()> {
        let payment = said(self.till.store.run(move |store| store.payment(payment)).await)?;
        let (refund, amount) = (RefundId(Uuid::now_v7()), Money::new(minor, payment.amount.currency));
        let (job, visit, reason) = (payment.job, payment.visit, "a part was faulty".to_owned());
        let (what, manager) = (RefundKind::Credit, false);
        self.commit(if payment.tender == Tender::Cash {
            Row::CashRefunded(CashRefunded { refund, payment: payment.id, job, visit, amount, what, reason, manager })
        } else {
            let (payment, tender) = (Some(payment.id), payment.tender);
            Row::RefundRequested(RefundRequested { refund, payment, job, visit, tender, amount, what, reason, manager })
        })
        .await
    }

    async fn cash(
        &self,
        detail: &JobDetail,
        over_minor: i64,
        tip_minor: i64,
        beside: Option<PaymentId>,
    ) -> anyhow::Result<()> {
        let (invoice, base) = due(detail)?;
        let extras = detail.rules.cash(base, tip_minor)?;
        let amount = Money::new(base.minor + extras.sum_minor()?, base.currency);
        let payment = PaymentId(Uuid::now_v7());
        self.commit(Row::CashRecorded(CashRecorded {
            extras,
            payment,
            invoice: invoice.id,
            document: invoice.document.clone(),
            job: invoice.job,
            visit: invoice.visit,
            amount,
            tendered_minor: amount.minor + over_minor,
            change_minor: over_minor,
            linked_to: beside,
        }))
        .await?;
        said(self.till.printer.open_drawer(DrawerOpened { payment, job: invoice.job, visit: invoice.visit }).await)
    }

    async fn card(
        &mut self,
        detail: &JobDetail,
        (card, how): (&str, How),
        tip_minor: i64,
        beside: Option<PaymentId>,
    ) -> anyhow::Result<()> {
        match how {
            How::Online | How::CutAndRestored | How::CutAndAccepted | How::TakePart | How::LeavePart => {
                self.network(true).await?;
            }
            How::Offline | How::OfflineThenVoid => self.network(false).await?,
        }
        ensure!(self.customer.present(Some(card)), "the customer has no card {card}");
        let (invoice, base) = due(detail)?;
        let intent = intent(&invoice, base, tip_minor, beside);
        let (machine, effects) = Machine::begin(intent, self.timing);
        self.drive(machine, effects, how).await
    }

    async fn go_on(&mut self, payment: PaymentId, how: How) -> anyhow::Result<()> {
        let payment = said(self.till.store.run(move |store| store.payment(payment)).await)?;
        // A card that was read with no link is still without one; whatever was sent needs the link.
        let offline = matches!(how, How::Offline | How::OfflineThenVoid);
        match payment.state {
            PaymentState::Stored => {}
            PaymentState::Presenting | PaymentState::CardRead if offline => self.network(false).await?,
            _ => self.network(true).await?,
        }
        let (machine, effects) = Machine::resume(payment, self.timing);
        self.drive(machine, effects, how).await
    }

    /// Cuts or restores the link, and waits until the handheld has noticed.
    pub async fn network(&self, up: bool) -> anyhow::Result<()> {
        if up {
            self.link.restore()
        } else {
            self.link.cut()
        }
        let mut seen = self.till.sync.link();
        let noticed = async {
            while seen.borrow_and_update().online != up {
                self.till.sync.nudge();
                let _ = timeout(Duration::from_millis(100), seen.changed()).await;
            }
        };
        timeout(PATIENCE, noticed).await.map_err(|_| anyhow!("the handheld does not notice the link"))
    }

    /// Feeds a payment's machine until the technician is done with it.
    async fn drive(&mut self, mut machine: Machine, effects: Vec<Effect>, how: How) -> anyhow::Result<()> {
        let id = machine.intent().payment;
        self.till.spawn(id, effects);
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(event) = self.decide(&machine, how).await? {
                let effects = machine.handle(event)?;
                self.till.spawn(id, effects);
                continue;
            }
            if done(&machine, how)? {
                return Ok(());
            }
            ensure!(Instant::now() < until, "payment {id} stands at {:?}", machine.phase());
            let Ok(came) = timeout(LOOK_AGAIN, self.events.recv()).await else { continue };
            let (of, event) = came.context("the handheld has stopped")?;
            if of == id {
                let effects = machine.handle(event)?;
                self.till.spawn(id, effects);
            }
        }
    }

    /// What the technician does where the machine is.
    async fn decide(&mut self, machine: &Machine, how: How) -> anyhow::Result<Option<Event>> {
        Ok(match (machine.phase(), how) {
            (Phase::ConfirmOffline { .. }, _) => Some(Event::AcceptOffline),
            (Phase::Waiting, How::CutAndRestored | How::CutAndAccepted) => {
                // Only once for a payment: the machine leaves this phase when the link is lost.
                self.link.cut();
                self.till.sync.nudge();
                None
            }
            (Phase::Unknown { offline: Some(Offline::Allowed { .. }) }, How::CutAndAccepted) => {
                Some(Event::AcceptOffline)
            }
            (Phase::Unknown { offline }, _) => {
                self.link.restore();
                self.till.sync.nudge();
                self.never_sent(machine, offline.as_ref()).await?
            }
            (Phase::PartOffered, How::LeavePart) => Some(Event::Cancel),
            (Phase::PartOffered, _) => Some(Event::TakePart),
            (Phase::Resting, How::OfflineThenVoid) if state(machine) == Some(PaymentState::Stored) => {
                Some(Event::Void("the customer changed their mind".to_owned()))
            }
            (Phase::Failed { why }, _) => bail!("a payment could not be written: {why}"),
            _ => None,
        })
    }

    /// The office says that the request came too late to be sent: take the risk, or give it up.
    async fn never_sent(&self, machine: &Machine, offline: Option<&Offline>) -> anyhow::Result<Option<Event>> {
        let Some(offline) = offline else { return Ok(None) };
        let (id, job) = (machine.intent().payment, machine.intent().job);
        let (detail, _) = self.look(job).await?;
        if !detail.payments.iter().any(|view| view.payment.id == id && view.not_sent) {
            return Ok(None);
        }
        Ok(Some(match offline {
            Offline::Allowed { .. } => Event::AcceptOffline,
            Offline::NeedsManager { .. } | Offline::Refused(_) => Event::Void("the request was never sent".to_owned()),
        }))
    }
}

fn state(machine: &Machine) -> Option<PaymentState> {
    machine.payment().map(|payment: &Payment| payment.state)
}

/// Whether the technician turns to the next thing.
fn done(machine: &Machine, how: How) -> anyhow::Result<bool> {
    if *machine.phase() != Phase::Resting {
        return Ok(false);
    }
    let state = state(machine).ok_or_else(|| anyhow!("a payment without a row"))?;
    // A given back part is waited for: the link is up, and the customer stands there.
    Ok(!(how == How::LeavePart && state == PaymentState::VoidPending))
}

fn due(detail: &JobDetail) -> anyhow::Result<(Invoice, Money)> {
    let invoice = detail.invoice.clone().context("an invoice")?;
    let open = detail.open().context("an open amount")?;
    Ok((invoice, open))
}

fn intent(invoice: &Invoice, base: Money, tip_minor: i64, linked_to: Option<PaymentId>) -> PaymentIntended {
    PaymentIntended {
        payment: PaymentId(Uuid::now_v7()),
        invoice: invoice.id,
        document: invoice.document.clone(),
        job: invoice.job,
        visit: invoice.visit,
        amount: Money::new(base.minor.saturating_add(tip_minor), base.currency),
        extras: Extras { tip_minor, ..Extras::NONE },
        linked_to,
        keep: None,
    }
}

fn said<T>(outcome: Result<T, String>) -> anyhow::Result<T> {
    outcome.map_err(|why| anyhow!(why))
}
