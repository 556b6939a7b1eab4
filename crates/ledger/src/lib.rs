//! The audit ledger of one node: every record is one JSON line in a segment file, every line a leaf of one
//! RFC 6962 Merkle tree, whose root is signed into C2SP checkpoints.
//!
//! [`Ledger`] appends; it implements [`bailiwick_model::Recorder`], which the rooms above are handed.
//! [`verify()`], [`tail()`], [`Follow`] and [`prove_inclusion`] read a ledger's directory, with or without a running
//! gateway; [`Proof::check`] needs none.
//!
//! Invariant: one writer per directory, held by a lock. An index is never given to two records; bytes that are
//! no whole record never stay in front of one that is.
//! Invariant: nothing here needs the store; the ledger stands alone and is checked alone.

mod archive;
mod begin;
mod check;
mod closed;
mod copy;
mod counts;
mod evidence;
mod extent;
mod file;
mod json;
mod keeper;
mod keys;
mod ledger;
mod line;
mod lock;
mod note;
mod notes;
mod open;
mod place;
mod proof;
mod prove;
mod prune;
mod pruned;
mod queue;
mod read;
mod rotation;
mod seal;
mod segment;
mod shared;
mod stamp;
mod told;
mod tree;
mod verify;
mod watch;
mod witness;
mod writer;

pub use archive::{Archive, ArchiveError};
pub use begin::CloseError;
pub use check::Fault;
pub use closed::{Closed, Contents, RecordClass};
pub use copy::{CopyError, Held, copy};
pub use counts::Counts;
pub use evidence::{
    About, DefinitionText, EVIDENCE_VERSION, Evidence, EvidenceFault, EvidenceReport, Finding, GrantText,
    HashOf, PolicyText, Standing, Told, ToldSubject, ToldWhy,
};
pub use extent::{Extent, extent};
pub use keeper::RotateError;
pub use keys::{InvalidKey, Keys, VerifierKey};
pub use ledger::{Ledger, Status};
pub use note::{Checkpoint, InvalidNote, SignedCheckpoint};
pub use open::OpenError;
pub use place::Place;
pub use proof::{Claim, Consistency, Inclusion, Older, Proof, ProofFault, Proven};
pub use prove::{ProveError, prove_consistency, prove_inclusion};
pub use prune::{PruneError, Pruning};
pub use pruned::PRUNE;
pub use read::{Follow, Line, ReadError, tail};
pub use rotation::{Rotation, last_rotation};
pub use told::record_checkpoints;
pub use tree::{CompactRange, Hash, is_beginning, leaf_hash, node_hash, root_of_path};
pub use verify::{BadRecord, PrunedRecords, Report, VerifyError, VerifyOptions, public_key, verify};
pub use witness::{Means, WitnessStatus, Witnesses};

#[cfg(test)]
mod tests;
