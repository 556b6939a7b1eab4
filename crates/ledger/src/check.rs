//! Reading lines with distrust: index, link, time and tree are followed line by line and compared with the
//! signed checkpoints on the way. Verification and recovery after a start both do this.

use crate::CompactRange;
use crate::line::{Head, Link, OpenCalls};
use crate::note::SignedCheckpoint;
use crate::rotation::KeyChain;
use crate::tree::leaf_hash;

/// What is wrong with a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A line is no record.
    #[error("the line is not a record")]
    Malformed,
    /// Records are missing, doubled or in another order.
    #[error("the record is missing or out of order: index {found} stands in its place")]
    Sequence {
        /// The index in its place.
        found: u64,
    },
    /// A record is not the one after which its successor was written.
    #[error("the record was changed: the next one was written after another")]
    Link,
    /// Time runs backwards.
    #[error("the record is older than the one before it")]
    Time,
    /// A checkpoint's root is not that of the records.
    #[error("a record from here to {to} was changed: they are not what the checkpoint of size {size} signed")]
    Root {
        /// The last record that may be it.
        to: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// A checkpoint tells of more records than there are.
    #[error("records are missing: the checkpoint tells of {size}")]
    Truncated {
        /// The checkpoint's size.
        size: u64,
    },
    /// A checkpoint's signature is not the ledger's.
    #[error("the checkpoint of size {size} is not signed with the ledger's key")]
    Signature {
        /// The checkpoint's size.
        size: u64,
    },
    /// A file of checkpoints is unreadable.
    #[error("the file of checkpoints beside the segment is damaged")]
    Notes,
    /// There are records and no checkpoint at all.
    #[error("no checkpoint signs the records")]
    Unsigned,
    /// What stands for pruned records is not what a checkpoint signed.
    #[error("what stands for the pruned records before it is not what was signed")]
    Pruned,
    /// Records are gone and no record says that they were pruned.
    #[error("the records before it are not here, and no record says that they were pruned")]
    Unpruned,
    /// The archive has another record.
    #[error("the archive's copy of the record is another one")]
    Archived,
    /// A seal tells something else than the records of its segment.
    #[error("the seal beside the segment does not fit its records")]
    Seal,
}

/// The state after some records: what the next one continues.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// The tree; its size is the next index.
    pub(crate) range: CompactRange,
    /// The next line's link.
    pub(crate) link: Link,
    /// The last record's time; empty before the first.
    pub(crate) time: String,
    /// Intents without outcome.
    pub(crate) open: OpenCalls,
}

/// A fault and the first index that it concerns.
pub(crate) type Found = (u64, Fault);

impl State {
    /// Follows one line, given without its line feed.
    pub(crate) fn follow(&mut self, line: &[u8]) -> Result<(), Found> {
        let index = self.range.size();
        let head = Head::parse(line).ok_or((index, Fault::Malformed))?;
        if head.index != index {
            return Err((index, Fault::Sequence { found: head.index }));
        }
        if head.prev() != Some(self.link) {
            return Err((index.saturating_sub(1), Fault::Link));
        }
        if head.time < self.time.as_str() {
            return Err((index, Fault::Time));
        }
        self.time.clear();
        self.time.push_str(head.time);
        self.open.apply(head.mark(), index);
        let leaf = leaf_hash(line);
        self.link = Link::to(leaf);
        self.range.push(leaf);
        Ok(())
    }
}

/// Checkpoints to be met on the way.
#[derive(Debug)]
pub(crate) struct Milestones {
    /// By size, smallest last.
    ahead: Vec<SignedCheckpoint>,
    keys: KeyChain,
    /// How many records the last checkpoint met vouches for.
    pub(crate) vouched: u64,
    /// How many were met.
    pub(crate) met: u64,
}

impl Milestones {
    /// No checkpoints yet; those to come must be signed with these keys.
    pub(crate) fn new(keys: KeyChain, vouched: u64) -> Self {
        Self { ahead: Vec::new(), keys, vouched, met: 0 }
    }

    /// Adds checkpoints of sizes not yet passed.
    pub(crate) fn add(&mut self, notes: impl IntoIterator<Item = SignedCheckpoint>) {
        self.ahead.extend(notes);
        self.ahead.sort_by_key(|note| std::cmp::Reverse(note.checkpoint().size));
    }

    /// Compares the checkpoints that are due at this state. Called before each line and at the end.
    pub(crate) fn meet(&mut self, range: &CompactRange) -> Result<(), Found> {
        while let Some(note) = self.ahead.pop_if(|note| note.checkpoint().size <= range.size()) {
            let size = note.checkpoint().size;
            if !self.keys.accepts(&note) {
                return Err((self.vouched.min(size), Fault::Signature { size }));
            }
            // One that was passed already stands in a file where it does not belong.
            if size < range.size() {
                return Err((size, Fault::Notes));
            }
            if note.checkpoint().root != range.root() {
                return Err((self.vouched, Fault::Root { to: size.saturating_sub(1), size }));
            }
            self.vouched = size;
            self.met += 1;
        }
        Ok(())
    }

    /// At the end of the records none may be left.
    pub(crate) fn finish(&mut self, range: &CompactRange) -> Result<(), Found> {
        self.meet(range)?;
        match self.ahead.pop() {
            Some(note) => Err((range.size(), Fault::Truncated { size: note.checkpoint().size })),
            None => Ok(()),
        }
    }
}
