//! The audit ledger of one node: every record is one JSON line in a segment file, every line a leaf of one
//! RFC 6962 Merkle tree, whose root is signed into C2SP checkpoints.
//!
//! [`Ledger`] appends; it implements [`bailiwick_model::Recorder`], which the rooms above are handed.
//! [`verify()`], [`tail()`] and [`Follow`] read a ledger's directory, with or without a running gateway.
//!
//! Invariant: one writer per directory, held by a lock. An index is never given to two records; bytes that are
//! no whole record never stay in front of one that is.
//! Invariant: nothing here needs the store; the ledger stands alone and is checked alone.

mod begin;
mod check;
mod copy;
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
mod queue;
mod read;
mod seal;
mod segment;
mod shared;
mod stamp;
mod tree;
mod verify;
mod watch;
mod writer;

pub use begin::CloseError;
pub use check::Fault;
pub use copy::{CopyError, Held, copy};
pub use keys::{InvalidKey, Keys, VerifierKey};
pub use ledger::{Ledger, Status};
pub use note::{Checkpoint, InvalidNote, SignedCheckpoint};
pub use open::OpenError;
pub use read::{Follow, Line, ReadError, tail};
pub use tree::{CompactRange, Hash, leaf_hash, node_hash};
pub use verify::{BadRecord, Report, VerifyError, VerifyOptions, verify};

#[cfg(test)]
mod tests;
