//! Files of a backup: for their owner alone, on disk before they count, known by their SHA-256.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::at;
use super::{BackupError, SavedFile};

/// Makes a directory for its owner alone; its parent must be there.
pub(super) fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Writes a new file.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let mut file = new(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Copies a file to a place where there is none.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut source = File::open(from).map_err(at(from))?;
    let mut target = new(to)?;
    io::copy(&mut source, &mut target).and_then(|_| target.sync_all()).map_err(at(to))
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), BackupError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

/// Reads a file to its end and says what it is.
pub(super) fn fingerprint(path: &Path) -> Result<SavedFile, BackupError> {
    let mut file = File::open(path).map_err(at(path))?;
    let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        let read = file.read(&mut chunk).map_err(at(path))?;
        if read == 0 {
            return Ok(SavedFile { bytes, sha256: hex::encode(hash.finalize()) });
        }
        let part = chunk.get(..read).unwrap_or_default();
        hash.update(part);
        bytes += part.len() as u64;
    }
}

/// The plain files of a directory, by name.
pub(super) fn plain_files(dir: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(at(dir))? {
        let entry = entry.map_err(at(dir))?;
        if entry.file_type().map_err(at(dir))?.is_file() {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn new(path: &Path) -> Result<File, BackupError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(at(path))
}
