//! From a backup to a data directory, and the note that a gateway finds there.

use std::path::{Path, PathBuf};

use bailiwick_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::at;
use super::files::{copy, make_dir, sync_dir, write_new};
use super::since::Since;
use super::take::verified;
use super::{BackupError, DATABASE, KEYS, LEDGER, Manifest, Withdrawal};

/// The note in a restored data directory. It stays until an administrator removes it.
const NOTE: &str = "restored.json";
/// There as long as a restore is under way; a gateway does not start on half a backup.
const UNFINISHED: &str = "restore-unfinished";

/// What to restore.
#[derive(Debug)]
pub struct Restore<'a> {
    /// The backup.
    pub from: &'a Path,
    /// The data directory: absent or empty.
    pub data: &'a Path,
    /// The ledger as the gateway left it, if it can still be read.
    pub since: Option<&'a Path>,
}

/// What is known of a restored state: which backup, and what may be missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Restoration {
    /// When the backup was taken.
    pub taken_at: Timestamp,
    /// When it was restored.
    pub restored_at: Timestamp,
    /// How many records the ledger had then.
    pub records: u64,
    /// Whether the state was in the backup; if not, it is in PostgreSQL and was restored there.
    pub state: bool,
    /// Whether the ledger of after the backup was given.
    pub since_known: bool,
    /// Whether that ledger is the one that is gone on with; if not, it goes on with the backup's.
    pub continued: bool,
    /// What was taken away after the backup, to be taken away again at the first start.
    pub withdrawals: Vec<Withdrawal>,
    /// What may have been taken away and is not taken away again: somebody has to look.
    pub unclear: Vec<String>,
    /// When a gateway first started on it.
    pub started_at: Option<Timestamp>,
}

/// Restores a backup into an empty directory.
///
/// Everything is compared with the manifest before anything is written. Blocks; reads and writes every byte.
///
/// # Errors
/// [`BackupError`]; after a failure while writing, the directory is marked and no gateway starts on it.
pub fn restore(wanted: &Restore<'_>, now: Timestamp) -> Result<Restoration, BackupError> {
    let manifest = Manifest::check(wanted.from)?;
    let since = wanted.since.map(|dir| Since::read(dir, wanted.from, &manifest)).transpose()?;
    claim(wanted.data)?;
    let continued = since.as_ref().filter(|since| since.continues);
    for folder in [LEDGER, KEYS] {
        let folder = wanted.data.join(folder);
        make_dir(&folder).map_err(at(&folder))?;
    }
    for name in manifest.files.keys() {
        let of_ledger = name.starts_with(LEDGER);
        if !(of_ledger && continued.is_some()) {
            copy(&wanted.from.join(name), &wanted.data.join(name))?;
        }
    }
    let ledger = wanted.data.join(LEDGER);
    if let Some(since) = continued {
        since.held.copy(&ledger)?;
    }
    sync_dir(&ledger)?;
    sync_dir(&wanted.data.join(KEYS))?;
    let found = verified(&ledger)?;
    if continued.is_none() && found != manifest.ledger {
        return Err(BackupError::Damaged(wanted.from.join(LEDGER)));
    }
    let restoration = Restoration {
        taken_at: manifest.taken_at,
        restored_at: now,
        records: manifest.ledger.records,
        state: manifest.files.contains_key(DATABASE),
        since_known: since.is_some(),
        continued: continued.is_some(),
        withdrawals: since.as_ref().map(|since| since.withdrawals.clone()).unwrap_or_default(),
        unclear: since.map(|since| since.unclear).unwrap_or_default(),
        started_at: None,
    };
    restoration.save(wanted.data)?;
    let unfinished = wanted.data.join(UNFINISHED);
    std::fs::remove_file(&unfinished).map_err(at(&unfinished))?;
    sync_dir(wanted.data)?;
    Ok(restoration)
}

/// Makes an empty directory ours.
fn claim(data: &Path) -> Result<(), BackupError> {
    if !data.exists() {
        make_dir(data).map_err(at(data))?;
    }
    if std::fs::read_dir(data).map_err(at(data))?.next().is_some() {
        return Err(BackupError::NotEmpty(data.to_owned()));
    }
    write_new(&data.join(UNFINISHED), b"")
}

/// Passes data directories that hold no half of a backup. For whoever starts on one.
///
/// # Errors
/// [`BackupError::Unfinished`].
pub fn refuse_unfinished(data: &Path) -> Result<(), BackupError> {
    if data.join(UNFINISHED).exists() { Err(BackupError::Unfinished(data.to_owned())) } else { Ok(()) }
}

impl Restoration {
    /// The note in this data directory, if there is one.
    pub(super) fn load(data: &Path) -> Result<Option<Self>, BackupError> {
        let path = data.join(NOTE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| at(&path)(error.into()))
    }

    /// Writes the note, in place of the one that was there.
    pub(super) fn save(&self, data: &Path) -> Result<(), BackupError> {
        let (path, fresh) = (data.join(NOTE), data.join(PathBuf::from(NOTE).with_extension("new")));
        let text = serde_json::to_vec_pretty(self).map_err(|error| at(&path)(error.into()))?;
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&fresh)(error)),
            _ => write_new(&fresh, &text)?,
        }
        std::fs::rename(&fresh, &path).map_err(at(&path))?;
        sync_dir(data)
    }
}
