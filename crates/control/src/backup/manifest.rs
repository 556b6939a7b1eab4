//! The manifest of a backup: written last, so that a directory without one is no backup.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use bailiwick_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::at;
use super::files::{fingerprint, plain_files, write_new};
use super::{BackupError, DATABASE, KEYS, LEDGER};

/// Its file.
const MANIFEST: &str = "manifest.json";
/// The version of a backup's form.
const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the backup's form, 1.
    pub format: u32,
    /// The version of Bailiwick that took it.
    pub version: String,
    /// When the copy of the state was begun.
    pub taken_at: Timestamp,
    /// Rows of each table of the state; absent if it is in PostgreSQL and not in the backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<BTreeMap<String, u64>>,
    /// The ledger.
    pub ledger: SavedLedger,
    /// Every file, by its path within the backup.
    pub files: BTreeMap<String, SavedFile>,
}

/// The ledger in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedLedger {
    /// How many records.
    pub records: u64,
    /// The root of the tree over them, hexadecimal.
    pub root: String,
}

/// A file in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedFile {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Tells what is in a directory, in a manifest that is written there.
    pub(super) fn write(
        dir: &Path,
        taken_at: Timestamp,
        rows: Option<BTreeMap<String, u64>>,
        ledger: SavedLedger,
    ) -> Result<Self, BackupError> {
        let mut files = BTreeMap::new();
        if rows.is_some() {
            files.insert(DATABASE.to_owned(), fingerprint(&dir.join(DATABASE))?);
        }
        for folder in [LEDGER, KEYS] {
            for path in plain_files(&dir.join(folder))? {
                let name = path.file_name().and_then(|name| name.to_str());
                let why = || format!("{} has no name that can be written down", path.display());
                let name = name.ok_or_else(|| BackupError::NoBackup { path: dir.to_owned(), why: why() })?;
                files.insert(format!("{folder}/{name}"), fingerprint(&path)?);
            }
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let manifest = Self { format: FORMAT, version, taken_at, rows, ledger, files };
        let path = dir.join(MANIFEST);
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| at(&path)(error.into()))?;
        write_new(&path, &text)?;
        Ok(manifest)
    }

    /// Reads a backup's manifest and compares every file with it.
    pub(super) fn check(dir: &Path) -> Result<Self, BackupError> {
        let path = dir.join(MANIFEST);
        let no = |why: String| BackupError::NoBackup { path: dir.to_owned(), why };
        let text = std::fs::read(&path).map_err(|error| no(format!("{MANIFEST}: {error}")))?;
        let form: Form = serde_json::from_slice(&text).map_err(|error| no(format!("{MANIFEST}: {error}")))?;
        if form.format != FORMAT {
            return Err(no(format!("it has form {}, this version reads form {FORMAT}", form.format)));
        }
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|error| no(format!("{MANIFEST}: {error}")))?;
        for (name, saved) in &manifest.files {
            if !is_ours(Path::new(name)) {
                return Err(no(format!("{name:?} has no place in a backup")));
            }
            let path = dir.join(name);
            if !path.is_file() || fingerprint(&path)? != *saved {
                return Err(BackupError::Damaged(path));
            }
        }
        if manifest.rows.is_some() != manifest.files.contains_key(DATABASE) {
            return Err(no("the database and the count of its rows go together".to_owned()));
        }
        Ok(manifest)
    }
}

/// What every form of manifest has.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

/// A manifest is a stranger's word: it names files in their folders, and nothing beside them.
fn is_ours(path: &Path) -> bool {
    let mut parts = path.components();
    let (Some(Component::Normal(first)), second, None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    match second {
        None => first == DATABASE,
        Some(Component::Normal(_)) => first == LEDGER || first == KEYS,
        Some(_) => false,
    }
}
