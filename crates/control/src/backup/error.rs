//! What can go wrong with a backup.

use std::io;
use std::path::{Path, PathBuf};

use bailiwick_ledger::{CopyError, OpenError, VerifyError};
use bailiwick_store::StoreError;

use crate::ControlError;

/// A backup was not taken, or not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is something already.
    #[error("{0} exists already: a backup goes into a new directory")]
    Exists(PathBuf),
    /// Something would be written over.
    #[error("{0} is not empty: a backup is restored into an empty directory")]
    NotEmpty(PathBuf),
    /// A restore ended halfway.
    #[error("{0} holds a restore that did not finish: remove the directory and restore again")]
    Unfinished(PathBuf),
    /// A directory is no backup that this version reads.
    #[error("{path} is no backup: {why}")]
    NoBackup {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of a backup is not what was saved.
    #[error("{0} is not what was saved: the backup is damaged")]
    Damaged(PathBuf),
    /// The ledger, or a copy of it, is not what was written.
    #[error("the ledger was changed at record {index}: {what}")]
    Altered {
        /// The first record concerned.
        index: u64,
        /// What is wrong, in words.
        what: String,
    },
    /// A ledger that was given is not the continuation of the backup's.
    #[error("{path} does not continue the backup's ledger: record {index}: {what}")]
    AnotherLedger {
        /// Its directory.
        path: PathBuf,
        /// The first record concerned.
        index: u64,
        /// What is wrong, in words.
        what: String,
    },
    /// The database says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger is in use or not there.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// The ledger cannot be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The ledger cannot be checked.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// For `map_err`.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}

impl From<BackupError> for ControlError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Exists(_) => Self::Conflict(error.to_string()),
            BackupError::Store(error) => error.into(),
            other => Self::internal(other),
        }
    }
}
