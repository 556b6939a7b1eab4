//! An archive in a folder. A file stands there under its name only when it is whole and on disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{ArchiveError, at, hash_of};
use crate::Hash;
use crate::file::{private, sync_dir};
use crate::open::make_dir;

/// The ending of a file that is being written.
const PART: &str = "part";

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) async fn lengths(&self) -> Result<BTreeMap<String, u64>, ArchiveError> {
        let folder = self.0.clone();
        let list = move || -> io::Result<_> {
            let mut found = BTreeMap::new();
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if let Ok(name) = entry.file_name().into_string() {
                    found.insert(name, entry.metadata()?.len());
                }
            }
            Ok(found)
        };
        tokio::task::spawn_blocking(list).await?.map_err(at(&self.0))
    }

    pub(super) async fn write(&self, name: &str, from: &Path) -> Result<(), ArchiveError> {
        let (to, from) = (self.0.join(name), from.to_owned());
        let written = to.clone();
        let write = move || -> io::Result<()> {
            if let Some(folder) = to.parent() {
                make_dir(folder)?;
            }
            let part = to.with_extension(PART);
            let mut target = private().create(true).truncate(true).open(&part)?;
            io::copy(&mut File::open(from)?, &mut target)?;
            target.sync_all()?;
            // A link, and not a new name: it never takes the place of something.
            let linked = fs::hard_link(&part, &to);
            fs::remove_file(&part)?;
            match linked {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked.and_then(|()| sync_dir(&to)),
            }
        };
        tokio::task::spawn_blocking(write).await?.map_err(at(&written))
    }

    pub(super) async fn read(
        &self,
        name: &str,
        wanted: bool,
    ) -> Result<Option<(Vec<u8>, Hash)>, ArchiveError> {
        let path = self.0.join(name);
        let read = path.clone();
        let read = move || -> io::Result<_> {
            match hash_of(&read) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
                Ok(hash) => Ok(Some((if wanted { fs::read(&read)? } else { Vec::new() }, hash))),
            }
        };
        tokio::task::spawn_blocking(read).await?.map_err(at(&path))
    }
}
