//! The port through which everything is recorded. `ledger` implements it; `gateway`, `control`,
//! `identity` and `upstream` are handed it.

use std::future::Future;
use std::pin::Pin;

use crate::record::PayloadDigest;
use crate::{Receipt, Record};

/// Takes records and says when they are safe.
pub trait Recorder: Send + Sync + std::fmt::Debug {
    /// Begins to append a record.
    ///
    /// The record is taken before this returns; what is returned tells when it is as durable as the ledger
    /// promises. Dropping a pending [`Recording`] does not take the record back.
    fn append(&self, record: &Record<'_>) -> Recording;

    /// A digest of a payload under the ledger's digest key.
    fn digest(&self, payload: &[u8]) -> PayloadDigest;

    /// Whether the ledger takes records now. False means: every call is refused, `readyz` says 503.
    fn is_available(&self) -> bool;
}

/// An append under way.
#[must_use = "a record counts only when its recording is settled"]
pub enum Recording {
    /// Decided in place.
    Settled(Result<Receipt, RecordFailed>),
    /// Handed over to the group; the future ends within two seconds.
    Pending(Pin<Box<dyn Future<Output = Result<Receipt, RecordFailed>> + Send>>),
}

impl Recording {
    /// Waits until the record is safe.
    ///
    /// # Errors
    /// If the ledger did not take it.
    pub async fn settled(self) -> Result<Receipt, RecordFailed> {
        match self {
            Self::Settled(result) => result,
            Self::Pending(future) => future.await,
        }
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settled(result) => f.debug_tuple("Settled").field(result).finish(),
            Self::Pending(_) => f.write_str("Pending"),
        }
    }
}

/// The ledger did not take a record. The caller refuses what it was about to do or to answer
/// (`audit_unavailable`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordFailed {
    /// Writing failed: disk full, read-only, broken.
    #[error("the ledger cannot write")]
    Unwritable,
    /// Writing takes longer than it may.
    #[error("the ledger does not finish writing in time")]
    Stalled,
    /// The ledger was closed.
    #[error("the ledger is closed")]
    Closed,
}
