//! Job → visit: what the office ordered, and what the technician made of it.

use super::id::{CustomerId, JobId, SiteId, TechnicianId, VisitId};
use serde::{Deserialize, Serialize};

/// A work order with its one appointment, as the feed brings it. Owned by the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its appointment.
    pub visit: VisitId,
    /// Who pays.
    pub customer: CustomerId,
    /// Where.
    pub site: SiteId,
    /// One line.
    pub title: String,
    /// As long as needed.
    pub description: String,
    /// 0 (low) to 3 (emergency).
    pub priority: u8,
    /// Start of the appointment, Unix milliseconds.
    pub window_start_ms: i64,
    /// End of the appointment, Unix milliseconds.
    pub window_end_ms: i64,
    /// Who goes; none while unassigned.
    pub technician: Option<TechnicianId>,
    /// What the office said of the finished visit.
    pub review: Review,
}

/// The office's word on a finished visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Not looked at yet.
    Open,
    /// Approved by a dispatcher.
    Approved,
    /// Sent back to the technician.
    SentBack,
}

/// How far the technician is with a visit. Owned by the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitState {
    /// Not looked at.
    New,
    /// Taken on.
    Accepted,
    /// On the road.
    EnRoute,
    /// Work under way.
    OnSite,
    /// Work finished.
    Done,
}

impl VisitState {
    /// Every state, in the order of a day.
    pub const ALL: [VisitState; 5] =
        [VisitState::New, VisitState::Accepted, VisitState::EnRoute, VisitState::OnSite, VisitState::Done];

    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            VisitState::New => "NEW",
            VisitState::Accepted => "ACCEPTED",
            VisitState::EnRoute => "EN ROUTE",
            VisitState::OnSite => "ON SITE",
            VisitState::Done => "DONE",
        }
    }

    /// The next step of the day, none after the last.
    pub fn next(self) -> Option<VisitState> {
        match self {
            VisitState::New => Some(VisitState::Accepted),
            VisitState::Accepted => Some(VisitState::EnRoute),
            VisitState::EnRoute => Some(VisitState::OnSite),
            VisitState::OnSite => Some(VisitState::Done),
            VisitState::Done => None,
        }
    }

    /// Forward any number of steps, and back to work from done.
    pub fn may_become(self, to: VisitState) -> bool {
        to > self || (self == VisitState::Done && to == VisitState::OnSite)
    }
}

/// Where the money of a visit stands. Follows from its invoice and payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyState {
    /// No invoice yet.
    None,
    /// Invoiced, not covered.
    Due,
    /// Covered only if stored payments go through.
    Pending,
    /// Covered by authoritative money.
    Paid,
}

impl MoneyState {
    /// The word on the screen; empty before there is an invoice.
    pub fn word(self) -> &'static str {
        match self {
            MoneyState::None => "",
            MoneyState::Due => "DUE",
            MoneyState::Pending => "PENDING",
            MoneyState::Paid => "PAID",
        }
    }
}

/// The device's side of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitWork {
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// How far the technician is.
    pub state: VisitState,
    /// Where the money stands.
    pub money: MoneyState,
}

impl VisitWork {
    /// A visit that nobody has touched.
    pub fn untouched(job: JobId, visit: VisitId) -> Self {
        Self { job, visit, state: VisitState::New, money: MoneyState::None }
    }
}
