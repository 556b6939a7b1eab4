//! What the commands that work without a gateway read: where the ledger is, keys and checkpoints kept elsewhere.

use std::path::{Path, PathBuf};

use bailiwick_ledger::{SignedCheckpoint, VerifierKey};

use crate::cli::failure::Failure;
use crate::cli::settings::load_settings;

/// The directory given, or that of the settings file.
pub(super) fn ledger_dir(given: Option<&Path>, config: Option<&Path>) -> Result<PathBuf, Failure> {
    match given {
        Some(dir) => Ok(dir.to_owned()),
        None => Ok(load_settings(config)?.data.dir.join("ledger")),
    }
}

/// Reads a checkpoint.
pub(super) fn checkpoint(path: &Path) -> Result<SignedCheckpoint, Failure> {
    SignedCheckpoint::parse(&read(path)?)
        .map_err(|error| Failure::other(format!("{}: {error}", path.display())))
}

/// Reads a public key.
pub(super) fn key(path: &Path) -> Result<VerifierKey, Failure> {
    read(path)?.trim().parse().map_err(|error| Failure::other(format!("{}: {error}", path.display())))
}

/// Reads a text file.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::other(format!("{}: {error}", path.display())))
}
