//! `backup.take`: from a running gateway, or from the data directory of a stopped one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bailiwick_ledger::{CopyError, Held, VerifyOptions};
use bailiwick_model::Timestamp;
use serde_json::json;

use super::error::at;
use super::files::{copy, make_dir, plain_files, sync_dir};
use super::{BackupError, DATABASE, KEYS, LEDGER, Manifest, SavedLedger};
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError};

impl Control {
    /// Takes a backup into a directory of this machine that must not exist. Calls and changes go on meanwhile.
    ///
    /// Keys are in it, so it goes to a directory and not over HTTP. It is recorded before anything is copied, and
    /// the record is in the backup.
    ///
    /// # Errors
    /// [`ControlError`]; what was copied until then stays, without a manifest.
    pub async fn take_backup(&self, actor: &Actor, to: &Path) -> Result<Manifest, ControlError> {
        let change = self.change(actor).await?;
        if !to.is_absolute() {
            return Err(ControlError::invalid("path", "an absolute path on the gateway's machine"));
        }
        let told = || Told::new("backup.take", &to.display());
        change.commit(Touched::Nothing, told().after(&json!({ "path": to }))?).await?;
        match self.copy_everything(to).await {
            Ok(manifest) => Ok(manifest),
            Err(error) => {
                let failed = Told { operation: "change.failed", ..told() };
                self.change(actor).await?.commit(Touched::Nothing, failed).await?;
                Err(error)
            }
        }
    }

    async fn copy_everything(&self, to: &Path) -> Result<Manifest, ControlError> {
        begin(to).map_err(|error| match error {
            BackupError::Io { source, .. } => ControlError::invalid("path", source.to_string()),
            other => other.into(),
        })?;
        let taken_at = self.parts().clock.now();
        let rows = self.parts().store.copy_to(&to.join(DATABASE)).await?;
        let (ledger, data) = (Arc::clone(&self.parts().ledger), self.parts().settings.data_dir.clone());
        let to = to.to_owned();
        let _stays = self.keeping().segments.read().await;
        let rest = tokio::task::spawn_blocking(move || {
            let signed = ledger.sign().map_err(at(ledger.dir()))?;
            let records = signed.map_or(0, |note| note.checkpoint().size);
            let copied = bailiwick_ledger::copy(ledger.dir(), &to.join(LEDGER), Some(records));
            finish(&data, &to, taken_at, Copied { rows, ledger: copied })
        });
        Ok(rest.await.map_err(ControlError::internal)??)
    }
}

/// Takes a backup of a data directory that no gateway uses, into a directory that must not exist.
///
/// # Errors
/// [`BackupError::Ledger`] if a gateway uses it; what was copied until then stays, without a manifest.
pub async fn take_stopped(data: &Path, to: &Path, now: Timestamp) -> Result<Manifest, BackupError> {
    super::refuse_unfinished(data)?;
    let held = Held::hold(&data.join(LEDGER))?;
    begin(to)?;
    let database = data.join(DATABASE);
    let rows = if database.exists() {
        Some(bailiwick_store::copy_sqlite(&database, &to.join(DATABASE)).await?)
    } else {
        None
    };
    let ledger = held.copy(&to.join(LEDGER));
    finish(data, to, now, Copied { rows, ledger })
}

fn begin(to: &Path) -> Result<(), BackupError> {
    match make_dir(to) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(BackupError::Exists(to.to_owned()))
        }
        other => other.map_err(at(to)),
    }
}

/// What of a backup is copied before the keys are.
struct Copied {
    rows: Option<BTreeMap<String, u64>>,
    ledger: Result<(), CopyError>,
}

fn finish(data: &Path, to: &Path, taken_at: Timestamp, copied: Copied) -> Result<Manifest, BackupError> {
    copied.ledger?;
    let keys = to.join(KEYS);
    make_dir(&keys).map_err(at(&keys))?;
    for key in plain_files(&data.join(KEYS))? {
        if let Some(name) = key.file_name() {
            copy(&key, &keys.join(name))?;
        }
    }
    sync_dir(&keys)?;
    let ledger = verified(&to.join(LEDGER))?;
    Manifest::write(to, taken_at, copied.rows, ledger)
}

/// What a copy of a ledger holds, if it is what was written.
pub(super) fn verified(dir: &Path) -> Result<SavedLedger, BackupError> {
    let report = bailiwick_ledger::verify(dir, &VerifyOptions::default())?;
    match report.bad {
        None => Ok(SavedLedger { records: report.records, root: report.root.to_string() }),
        Some(bad) => Err(BackupError::Altered { index: bad.index, what: bad.what }),
    }
}
