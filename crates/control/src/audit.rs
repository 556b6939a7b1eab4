//! Looking into the ledger of this node: its state, its records, whether they are what was written; and the index by
//! which records are found.

mod body;
mod calls;
mod configuration;
mod entry;
mod erase;
mod evidence;
mod feed;
mod indexing;
mod keeping;
mod prune;
mod reindex;
mod trace;

use std::path::Path;
use std::sync::Arc;

use bailiwick_ledger::{Follow, Line, Report, Status, VerifyOptions};

use crate::{Actor, Control, ControlError};

pub use body::{BodyContent, CallBody};
pub use calls::CallFilter;
pub use erase::Erasure;
pub use indexing::IndexState;
pub(crate) use indexing::Indexing;
pub use keeping::ArchiveState;
pub(crate) use keeping::Keeping;
pub use prune::PruneOutcome;
pub use trace::{Branch, CallTree};

/// Records of the ledger.
#[derive(Debug, Clone)]
pub struct AuditTail {
    /// The records as they stand there, one JSON text each, oldest first.
    pub lines: Vec<String>,
    /// The index of the last of them, or what was asked for if there is none.
    pub last: Option<u64>,
}

impl Control {
    /// How the ledger is.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn audit_status(&self, actor: &Actor) -> Result<Status, ControlError> {
        actor.may_read()?;
        let ledger = Arc::clone(&self.parts().ledger);
        blocking(move || ledger.status()).await
    }

    /// The records behind the one of index `after`; without it the last ones. At most `limit`.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn audit_records(
        &self,
        actor: &Actor,
        after: Option<u64>,
        limit: usize,
    ) -> Result<AuditTail, ControlError> {
        actor.may_read()?;
        let dir = self.parts().settings.ledger_dir.clone();
        let mut lines = blocking(move || match after {
            Some(after) => from(&dir, after.saturating_add(1), limit),
            None => bailiwick_ledger::tail(&dir, limit, None),
        })
        .await?;
        lines.truncate(limit);
        let last = lines.last().map(|line| line.index).or(after);
        Ok(AuditTail { lines: lines.into_iter().map(|line| line.json).collect(), last })
    }

    /// Reads the whole ledger and checks every record, link and checkpoint.
    ///
    /// # Errors
    /// [`ControlError`]; [`ControlError::Conflict`] while somebody else does so.
    pub async fn audit_verify(&self, actor: &Actor) -> Result<Report, ControlError> {
        actor.may_read()?;
        let busy =
            |_| ControlError::Conflict("the ledger is being verified; try again when that is done".into());
        let _turn = self.verifying().try_acquire().map_err(busy)?;
        let _stays = self.keeping().segments.read().await;
        let dir = self.parts().settings.ledger_dir.clone();
        let keys = vec![self.parts().ledger.verifier().clone()];
        blocking(move || {
            bailiwick_ledger::verify(&dir, &VerifyOptions { saved: None, keys, ..VerifyOptions::default() })
        })
        .await
    }
}

fn from(dir: &Path, index: u64, limit: usize) -> Result<Vec<Line>, bailiwick_ledger::ReadError> {
    let mut follow = Follow::from(dir, index);
    let mut lines = Vec::new();
    while lines.len() < limit {
        let more = follow.read()?;
        if more.is_empty() {
            break;
        }
        lines.extend(more);
    }
    Ok(lines)
}

async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, ControlError>
where
    T: Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let done = tokio::task::spawn_blocking(work).await.map_err(ControlError::internal)?;
    done.map_err(ControlError::internal)
}
