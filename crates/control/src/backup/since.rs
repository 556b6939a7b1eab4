//! The ledger that a gateway wrote after its backup: what it took away meanwhile, and whether it can be continued.

use std::path::Path;

use bailiwick_ledger::{Follow, Held, SignedCheckpoint, VerifierKey, VerifyOptions};
use serde_json::Value;

use super::error::at;
use super::withdrawal::{Taken, taken};
use super::{BackupError, LEDGER, Manifest, Withdrawal};

/// What stands behind a backup's last record.
#[derive(Debug)]
pub(super) struct Since {
    /// The ledger, which nobody writes meanwhile.
    pub(super) held: Held,
    /// Whether it is intact to its end and signed with the key that is in the backup, so that a gateway restored from
    /// the backup can go on with it.
    pub(super) continues: bool,
    /// What was taken away after the backup.
    pub(super) withdrawals: Vec<Withdrawal>,
    /// What somebody has to look at.
    pub(super) unclear: Vec<String>,
}

impl Since {
    /// Reads a ledger that continues the one of a backup.
    pub(super) fn read(dir: &Path, backup: &Path, manifest: &Manifest) -> Result<Self, BackupError> {
        let held = Held::hold(dir)?;
        let (key, saved) = signatures(&backup.join(LEDGER))?;
        let same_key = text(&dir.join("checkpoint.pub")).is_ok_and(|own| own.trim() == key.to_string());
        let report = bailiwick_ledger::verify(
            dir,
            &VerifyOptions { saved: Some(saved), keys: vec![key], ..VerifyOptions::default() },
        )?;
        let mut unclear = Vec::new();
        if let Some(bad) = &report.bad {
            if bad.index < manifest.ledger.records {
                let (index, what) = (bad.index, bad.what.clone());
                return Err(BackupError::AnotherLedger { path: dir.to_owned(), index, what });
            }
            unclear.push(format!(
                "the ledger was changed at record {}: {}; what was taken away from there on is not sure",
                bad.index, bad.what
            ));
        }
        let continues = report.bad.is_none() && same_key && report.records >= manifest.ledger.records;
        let mut since = Self { held, continues, withdrawals: Vec::new(), unclear };
        since.collect(dir, manifest.ledger.records)?;
        Ok(since)
    }

    fn collect(&mut self, dir: &Path, from: u64) -> Result<(), BackupError> {
        let failed = |error: bailiwick_ledger::ReadError| at(dir)(std::io::Error::other(error));
        let mut follow = Follow::from(dir, from);
        loop {
            let lines = follow.read().map_err(failed)?;
            if lines.is_empty() {
                return Ok(());
            }
            for line in lines {
                let Ok(record) = serde_json::from_str::<Value>(&line.json) else { continue };
                if record["kind"] != "admin_change" {
                    continue;
                }
                match taken(&record) {
                    Taken::Known(more) => self.withdrawals.extend(more),
                    Taken::Unclear => self.unclear.push(format!(
                        "record {}: {} of {}",
                        line.index,
                        record["operation"].as_str().unwrap_or("a change"),
                        record["object"].as_str().unwrap_or("something")
                    )),
                }
            }
        }
    }
}

/// The public key and the newest checkpoint of a backup's ledger.
fn signatures(dir: &Path) -> Result<(VerifierKey, SignedCheckpoint), BackupError> {
    let (key, note) = (dir.join("checkpoint.pub"), dir.join("checkpoint"));
    let read_key = text(&key)?.parse::<VerifierKey>();
    let read_note = SignedCheckpoint::parse(&text(&note)?);
    let (Ok(read_key), Ok(read_note)) = (read_key, read_note) else {
        return Err(BackupError::Damaged(dir.to_owned()));
    };
    Ok((read_key, read_note))
}

fn text(path: &Path) -> Result<String, BackupError> {
    std::fs::read_to_string(path).map_err(at(path))
}
