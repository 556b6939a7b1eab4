//! The archive: a folder or a bucket that gets a copy of each closed segment, under the names that the files have in the
//! ledger. Nothing in it is ever overwritten or removed, and what was written is read again.
//!
//! An archive is one ledger's: the object `ledger` names it.

mod bucket;
mod connector;
mod folder;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_runtime::Outbound;
use sha2::{Digest as _, Sha256};

use crate::Hash;
use bucket::Bucket;
use folder::Folder;

/// The object that names the ledger.
const LEDGER: &str = "ledger";

/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Something could not be archived, or read from the archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The archive has something else under the name.
    #[error("the archive has another {0}, which is left as it is")]
    Different(String),
    /// The archive has nothing under the name.
    #[error("the archive has no {0}")]
    Missing(String),
    /// The archive is another ledger's.
    #[error("the archive is that of the ledger {0:?}: each ledger needs one of its own")]
    OtherLedger(String),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bucket did not do it.
    #[error("the bucket: {0}")]
    Bucket(#[from] object_store::Error),
    /// It took too long.
    #[error("it took longer than {} minutes", PATIENCE.as_secs() / 60)]
    Late,
    /// The work was cut short by the end of the process.
    #[error("it was cut short")]
    Cut(#[from] tokio::task::JoinError),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |source| ArchiveError::Io { path, source }
}

/// An archive.
#[derive(Debug)]
pub struct Archive {
    medium: Medium,
    place: String,
}

#[derive(Debug)]
enum Medium {
    Folder(Folder),
    Bucket(Bucket),
}

impl Archive {
    /// The archive of the settings. A bucket is reached by `outbound`, whose egress guard decides each dial.
    ///
    /// # Errors
    /// If the settings name no bucket that there can be.
    pub fn new(settings: &bailiwick_config::Archive, outbound: &Outbound) -> Result<Self, ArchiveError> {
        Ok(match settings {
            bailiwick_config::Archive::Folder(path) => {
                Self { place: path.display().to_string(), medium: Medium::Folder(Folder::new(path)) }
            }
            bailiwick_config::Archive::Bucket(bucket) => {
                let place = format!("s3://{}/{}", bucket.name, bucket.prefix);
                Self { place, medium: Medium::Bucket(Bucket::new(bucket, outbound)?) }
            }
        })
    }

    /// Where it is, without secrets.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Makes sure that it is this ledger's. `scratch` is a directory for a passing file.
    ///
    /// # Errors
    /// [`ArchiveError::OtherLedger`] if it is not; others if it cannot be reached.
    pub async fn claim(&self, ledger: &str, scratch: &Path) -> Result<(), ArchiveError> {
        if self.hash(LEDGER).await?.is_none() {
            let path = scratch.join(LEDGER).with_extension("new");
            let text = format!("{ledger}\n");
            tokio::fs::write(&path, text).await.map_err(at(&path))?;
            let written = self.write(LEDGER, &path).await;
            tokio::fs::remove_file(&path).await.map_err(at(&path))?;
            written?;
        }
        let (owner, _) =
            self.read(LEDGER, true).await?.ok_or_else(|| ArchiveError::Missing(LEDGER.into()))?;
        let owner = String::from_utf8_lossy(&owner).trim_end().to_owned();
        if owner == ledger { Ok(()) } else { Err(ArchiveError::OtherLedger(owner)) }
    }

    /// The names in it, and how long each object is, in bytes.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub async fn lengths(&self) -> Result<BTreeMap<String, u64>, ArchiveError> {
        match &self.medium {
            Medium::Folder(folder) => folder.lengths().await,
            Medium::Bucket(bucket) => bucket.lengths().await,
        }
    }

    /// Copies a file into it under the file's name, unless it is there; compares what is there with the file.
    ///
    /// # Errors
    /// [`ArchiveError::Different`] if there is something else, before or afterwards.
    pub async fn put(&self, path: &Path) -> Result<(), ArchiveError> {
        let name = name_of(path);
        match self.check(path).await {
            Err(ArchiveError::Missing(_)) => {}
            checked => return checked,
        }
        tokio::time::timeout(PATIENCE, self.write(name, path)).await.map_err(|_| ArchiveError::Late)??;
        self.check(path).await
    }

    /// Reads what is in it under a file's name, and compares that with the file.
    ///
    /// # Errors
    /// [`ArchiveError::Different`] or [`ArchiveError::Missing`] if it is not there as it is in the file.
    pub async fn check(&self, path: &Path) -> Result<(), ArchiveError> {
        let name = name_of(path);
        let held =
            tokio::time::timeout(PATIENCE, self.hash(name)).await.map_err(|_| ArchiveError::Late)??;
        let held = held.ok_or_else(|| ArchiveError::Missing(name.to_owned()))?;
        let file = path.to_owned();
        let own = tokio::task::spawn_blocking(move || hash_of(&file)).await?.map_err(at(path))?;
        if held == own { Ok(()) } else { Err(ArchiveError::Different(name.to_owned())) }
    }

    /// Writes a file under a name, unless there is something.
    async fn write(&self, name: &str, path: &Path) -> Result<(), ArchiveError> {
        match &self.medium {
            Medium::Folder(folder) => folder.write(name, path).await,
            Medium::Bucket(bucket) => bucket.write(name, path).await,
        }
    }

    async fn hash(&self, name: &str) -> Result<Option<Hash>, ArchiveError> {
        Ok(self.read(name, false).await?.map(|(_, hash)| hash))
    }

    /// What is under a name: its bytes if they are wanted, and their SHA-256.
    async fn read(&self, name: &str, wanted: bool) -> Result<Option<(Vec<u8>, Hash)>, ArchiveError> {
        match &self.medium {
            Medium::Folder(folder) => folder.read(name, wanted).await,
            Medium::Bucket(bucket) => bucket.read(name, wanted).await,
        }
    }
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// The SHA-256 of a file.
fn hash_of(path: &Path) -> io::Result<Hash> {
    let mut file = std::fs::File::open(path)?;
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        let read = io::Read::read(&mut file, &mut chunk)?;
        if read == 0 {
            return Ok(Hash(hasher.finalize().into()));
        }
        hasher.update(chunk.get(..read).unwrap_or_default());
    }
}
