//! One writer per ledger: an exclusive lock on a file, held as long as the process lives and given back by
//! the kernel however it ends.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::file::private;
use crate::segment::LOCK;

/// The lock, held.
#[derive(Debug)]
pub(crate) struct Lock(
    #[expect(dead_code, reason = "held, not read: closing the file gives the lock back")] File,
);

/// Why the lock was not had.
#[derive(Debug)]
pub(crate) enum LockFailed {
    /// Another process holds it; its id, if it wrote one.
    Held(Option<u32>),
    /// The file system said no.
    Io(io::Error),
}

impl Lock {
    pub(crate) fn take(dir: &Path) -> Result<Self, LockFailed> {
        let mut file =
            private().read(true).create(true).truncate(false).open(dir.join(LOCK)).map_err(LockFailed::Io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                write_own_id(&mut file).map_err(LockFailed::Io)?;
                Ok(Self(file))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => Err(LockFailed::Held(read_id(&mut file))),
            Err(errno) => Err(LockFailed::Io(errno.into())),
        }
    }
}

fn write_own_id(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn read_id(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
