//! Checkpoints on record: whoever reads the ledger alone sees when it was signed, how far, to which root and with which key.

use bailiwick_model::record::Checkpoint;
use bailiwick_model::{Record, Recorder as _};

use crate::{Ledger, SignedCheckpoint};

/// Records each checkpoint of a ledger that tells of anything but the last such record, for ever. Of checkpoints that
/// follow each other at once only the newest may be recorded: it vouches for those before it. Dropping the future
/// loses nothing. Called by the binary, behind the data path.
pub async fn record_checkpoints(ledger: &Ledger) {
    let mut checkpoints = ledger.checkpoints();
    let mut last = Last::default();
    loop {
        let newest = checkpoints.borrow_and_update().clone();
        if let Some(note) = newest.filter(|note| last.is_more(note.checkpoint().size)) {
            last = record(ledger, &note).await;
        }
        if checkpoints.changed().await.is_err() {
            return;
        }
    }
}

/// The checkpoint that was recorded last.
#[derive(Debug, Default)]
struct Last {
    size: u64,
    /// The index of its record, if that was taken.
    index: Option<u64>,
}

impl Last {
    /// Whether a checkpoint of this size tells of more than the record of the last one.
    ///
    /// INVARIANT: a record of a checkpoint is no reason for another, or a ledger at rest would grow for ever.
    fn is_more(&self, size: u64) -> bool {
        let only_the_record = self.index == Some(self.size) && size == self.size + 1;
        size > self.size && !only_the_record
    }
}

async fn record(ledger: &Ledger, note: &SignedCheckpoint) -> Last {
    let size = note.checkpoint().size;
    let (root, key) = (note.checkpoint().root.to_string(), note.signer());
    let record = Record::Checkpoint(Checkpoint { size, root: &root, key: &key });
    let taken = ledger.append(&record).settled().await;
    if let Err(error) = &taken {
        tracing::warn!(%error, size, "a checkpoint is not on record; it stands beside the segments nevertheless");
    }
    Last { size, index: taken.ok().map(|receipt| receipt.index) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_record_is_no_reason_to_record_a_checkpoint() {
        let nothing = Last::default();
        assert!(!nothing.is_more(0) && nothing.is_more(1));
        let own = Last { size: 7, index: Some(7) };
        assert!(!own.is_more(7) && !own.is_more(8) && own.is_more(9));
        // Something else came between.
        assert!(Last { size: 7, index: Some(8) }.is_more(8));
        assert!(Last { size: 7, index: None }.is_more(8));
    }
}
