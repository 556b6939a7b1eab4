//! The key directory: made 0700, its files 0600. Files that others may read are refused with the command
//! that mends it, because a key that was readable may have been read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bailiwick_model::Entropy;
use zeroize::Zeroizing;

use super::{base64url, from_base64url};

/// 32 secret bytes, wiped when dropped.
pub type SecretKey = Zeroizing<[u8; 32]>;

/// A key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Others than the owner may read or write it.
    #[error("{path} is open to others (mode {mode:04o}): run `chmod {wanted:o} {path}`, and think about new keys", path = path.display())]
    OpenToOthers {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they should be.
        wanted: u32,
    },
    /// The file does not hold a key of the wanted kind.
    #[error("{path} does not hold {wanted}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// The name would leave the directory.
    #[error("{0:?} is no name of a key")]
    Name(String),
    /// Reading or writing failed.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The directory that holds the key files.
#[derive(Debug, Clone)]
pub struct KeyDir {
    path: PathBuf,
}

impl KeyDir {
    /// Opens the directory, making it (and its parents) if it is not there.
    ///
    /// # Errors
    /// It cannot be made or read, or others may read it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let path = path.into();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.and_then(|()| fs::metadata(&path))
            .map_err(|source| KeyError::Io { path: path.clone(), source })
            .and_then(|metadata| private(&path, &metadata, 0o700))?;
        Ok(Self { path })
    }

    /// The 32 bytes of the key `name`, made by chance at the first call.
    ///
    /// # Errors
    /// The file cannot be read or made, is open to others, or holds something else.
    pub fn load_or_create(&self, name: &str, entropy: &dyn Entropy) -> Result<SecretKey, KeyError> {
        let file = self.file(name)?;
        let text = self.read_or_write(&file, || {
            let mut key = Zeroizing::new([0u8; 32]);
            entropy.fill(key.as_mut_slice());
            Zeroizing::new(format!("{}\n", base64url(key.as_slice())).into_bytes())
        })?;
        let decoded = std::str::from_utf8(&text).ok().and_then(|text| from_base64url(text.trim_end()));
        let decoded = Zeroizing::new(decoded.unwrap_or_default());
        let key = decoded.as_slice().try_into().map(Zeroizing::new);
        key.map_err(|_| KeyError::Malformed { path: file, wanted: "32 bytes as base64url" })
    }

    /// Whether there is a key `name`.
    ///
    /// # Errors
    /// It cannot be found out.
    pub fn has(&self, name: &str) -> Result<bool, KeyError> {
        let file = self.file(name)?;
        file.try_exists().map_err(|source| KeyError::Io { path: file, source })
    }

    /// Puts the key `by` in the place of the key `name`, which is gone then: at once and durably.
    ///
    /// # Errors
    /// There is no key `by`, or the directory cannot be written.
    pub fn replace(&self, name: &str, by: &str) -> Result<(), KeyError> {
        let (file, by) = (self.file(name)?, self.file(by)?);
        let done = fs::rename(&by, &file).and_then(|()| File::open(&self.path)?.sync_all());
        done.map_err(|source| KeyError::Io { path: by, source })
    }

    /// The bytes of the key file, which is written from `make` if it is not there.
    pub(super) fn read_or_write(
        &self,
        file: &Path,
        make: impl FnOnce() -> Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if let Some(bytes) = read(file)? {
            return Ok(bytes);
        }
        self.write_new(file, &make()).map_err(|source| KeyError::Io { path: file.to_owned(), source })?;
        // Read back: when two processes start at once, both go on with the key that won.
        read(file)?
            .ok_or_else(|| KeyError::Io { path: file.to_owned(), source: io::ErrorKind::NotFound.into() })
    }

    pub(super) fn file(&self, name: &str) -> Result<PathBuf, KeyError> {
        let ok = !name.is_empty()
            && !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if ok { Ok(self.path.join(name)) } else { Err(KeyError::Name(name.to_owned())) }
    }

    /// Whole or not at all: written beside, synced, then linked under its name; a file that is already
    /// there stays.
    fn write_new(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        let beside = file.with_extension(format!("new-{}", std::process::id()));
        let mut options = OpenOptions::new();
        let mut new = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        let linked = new.write_all(bytes).and_then(|()| new.sync_all()).and_then(|()| {
            match fs::hard_link(&beside, file) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        });
        fs::remove_file(&beside)?;
        linked?;
        File::open(&self.path)?.sync_all()
    }
}

fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    private(path, &file.metadata().map_err(failed)?, 0o600)?;
    // A key is small; a file that is not is no key, and reallocation would leave copies of secrets.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    file.take(4096).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

fn private(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), KeyError> {
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeyError::OpenToOthers { path: path.to_owned(), mode, wanted })
    }
}
