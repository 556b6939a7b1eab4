//! The lowest level: the few operations on a segment file that must be able to fail, fall short or hang in
//! tests. [`Disk`] is the real one.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// An open segment.
pub(crate) trait SegmentFile: Send + Sync + Debug {
    /// Writes at an offset; may fall short.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Cuts or extends.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Waits until contents and length are on disk.
    fn sync(&self) -> io::Result<()>;
}

/// Where segments are.
pub(crate) trait Medium: Send + Sync + Debug {
    /// Opens for writing, makes the file if it is absent.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>>;
}

/// The file system.
#[derive(Debug)]
pub(crate) struct Disk;

impl Medium for Disk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(private().create(true).truncate(false).open(path)?))
    }
}

impl SegmentFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(self, bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Options for files that only the gateway's user may read.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Replaces a small file at once and durably: a reader sees the old or the new one.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = private().create(true).truncate(true).open(&fresh)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_dir(path)
}

/// Makes a new name durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Writes all at an offset. A short write is an error: what did not fit now will not fit next.
pub(crate) fn write_all_at(file: &dyn SegmentFile, bytes: &[u8], offset: u64) -> io::Result<()> {
    loop {
        match file.write_at(bytes, offset) {
            Ok(written) if written == bytes.len() => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
