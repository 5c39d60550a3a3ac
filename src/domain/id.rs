//! Ids: newtypes over UUIDs, so that a job's id cannot be handed in for a visit's.
//!
//! New ids are UUIDv7 and are made by the caller, who has the clock and the randomness.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map($name)
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                $name(value)
            }
        }
    )+};
}

ids!(
    /// A handheld, as enrolled with the office.
    DeviceId,
    /// One life of a device database; random, new whenever it is created or restored.
    Epoch,
    /// One row of the journal.
    RowId,
    /// A technician.
    TechnicianId,
    /// Who pays.
    CustomerId,
    /// Where the work is done.
    SiteId,
    /// A boiler, an oven: what the work is done on.
    EquipmentId,
    /// A work order.
    JobId,
    /// One appointment of a job.
    VisitId,
    /// One line of a visit.
    LineId,
    /// An entry of the price book.
    ItemId,
    /// An invoice.
    InvoiceId,
    /// One payment, whatever happens to it.
    PaymentId,
    /// Money that goes back.
    RefundId,
    /// One cash shift of a handheld.
    ShiftId,
    /// Cash that went into or out of the drawer beside the payments.
    MoveId,
    /// One entry of the ledger.
    EntryId,
    /// Something a dispatcher must deal with.
    ExceptionId,
);
