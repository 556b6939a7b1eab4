//! Backups: a copy of state, ledger and keys in a directory of its own, and the way back from it.
//!
//! State is copied first and the ledger then, so that every state in a backup has its record. A restored gateway
//! knows that it is one ([`Restoration`]): what was revoked after the backup does not come back unnoticed.

mod error;
mod files;
mod manifest;
mod restore;
mod resume;
mod since;
mod take;
mod withdrawal;

pub use error::BackupError;
pub use manifest::{Manifest, SavedFile, SavedLedger};
pub use restore::{Restoration, Restore, refuse_unfinished, restore};
pub use take::take_stopped;
pub use withdrawal::Withdrawal;

/// The database's file, in a data directory and in a backup.
const DATABASE: &str = "bailiwick.db";
/// The ledger's directory, in both.
const LEDGER: &str = "ledger";
/// The keys' directory, in both.
const KEYS: &str = "keys";
