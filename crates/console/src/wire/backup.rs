//! Backups in requests and answers.

use std::collections::BTreeMap;

use bailiwick_control::backup::{Manifest, Restoration};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a backup shall go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeBackup {
    /// The absolute path of a directory on the gateway's machine, which must not exist. Keys will be in it.
    pub path: String,
}

/// A backup that was taken.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BackupView {
    /// Its directory.
    pub path: String,
    /// When the copy of the state was begun.
    pub taken_at: String,
    /// Rows of each table of the state; absent if it is in PostgreSQL, which is not in the backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<BTreeMap<String, u64>>,
    /// How many records of the ledger.
    pub records: u64,
    /// The root of the Merkle tree over them, hexadecimal.
    pub root: String,
    /// How many files.
    pub files: usize,
    /// Their length together, in bytes.
    pub bytes: u64,
}

/// What is known of the backup that this gateway was restored from.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RestoredView {
    /// When the backup was taken.
    pub taken_at: String,
    /// When it was restored.
    pub restored_at: String,
    /// How many records the ledger had in the backup.
    pub records: u64,
    /// Whether the ledger of after the backup was given. If not, whatever was revoked after it is in force again.
    pub since_known: bool,
    /// Whether that ledger was gone on with. If not, records of after the backup are not in this one.
    pub continued: bool,
    /// How many things were taken away after the backup and again at the first start.
    pub taken_away_again: usize,
    /// What may have been taken away and was not again: look at each.
    pub unclear: Vec<String>,
}

impl BackupView {
    /// The backup in this directory.
    pub fn new(path: String, from: Manifest) -> Self {
        Self {
            path,
            taken_at: from.taken_at.to_string(),
            rows: from.rows,
            records: from.ledger.records,
            root: from.ledger.root,
            files: from.files.len(),
            bytes: from.files.values().map(|file| file.bytes).sum(),
        }
    }
}

impl From<Restoration> for RestoredView {
    fn from(from: Restoration) -> Self {
        Self {
            taken_at: from.taken_at.to_string(),
            restored_at: from.restored_at.to_string(),
            records: from.records,
            since_known: from.since_known,
            continued: from.continued,
            taken_away_again: from.withdrawals.len(),
            unclear: from.unclear,
        }
    }
}
