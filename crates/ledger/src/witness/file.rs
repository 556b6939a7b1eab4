//! A file to which checkpoints are appended, on a mount that may hang.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use tokio::sync::oneshot;

/// Appends durably. On a thread of its own: a mount that hangs keeps neither the runtime nor the end of the process.
pub(super) async fn append(path: PathBuf, text: String) -> io::Result<()> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new().name("ledger-witness".to_owned()).spawn(move || {
        // Nobody listens any more if the ledger's end did not wait.
        let _ = tell.send(append_now(&path, &text));
    })?;
    told.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
}

/// Opened anew each time, so that whoever takes the file away to keep it gets a new one begun. A note that did not fit
/// is cut off again.
fn append_now(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let before = file.metadata()?.len();
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
    if let Err(error) = written {
        file.set_len(before)?;
        return Err(error);
    }
    Ok(())
}
