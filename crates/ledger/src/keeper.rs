//! The ledger's own thread for everything that may take long: groups in durability `disk`, turning to a new
//! segment, checkpoints, and repair after a failed write.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bailiwick_config::Durability;
use bailiwick_model::Record;
use bailiwick_model::record::AdminChange;
use parking_lot::Mutex;

use crate::VerifierKey;
use crate::check::State;
use crate::file::{SegmentFile, replace, sync_dir, write_all_at};
use crate::keys::Signer;
use crate::line::Mark;
use crate::note::{Checkpoint, SignedCheckpoint};
use crate::notes::NotesFile;
use crate::rotation::Rotation;
use crate::seal::Seal;
use crate::segment::{CHECKPOINT, PROBE, Segment};
use crate::shared::Shared;
use crate::writer::{Behind, WriteFailed};

/// How often the keeper looks around by itself; a broken disk is tried again at this pace.
const PACE: Duration = Duration::from_millis(250);

/// Checkpoints by number of records come at most this often: each waits for the disk.
const CHECKPOINT_PACE: Duration = Duration::from_secs(1);

/// The disk is taken to be well again when it takes so many bytes.
const SPARE: usize = 64 * 1024;

/// The checkpoints' side: used by the keeper's thread, and by whoever asks for a checkpoint now.
#[derive(Debug)]
pub(crate) struct Signing {
    pub(crate) signer: Signer,
    /// Signs from the end of the segment on that was closed and is not sealed yet.
    pub(crate) next: Option<Signer>,
    pub(crate) notes: NotesFile,
    pub(crate) last: Option<SignedCheckpoint>,
    /// When, on the monotonic clock.
    pub(crate) last_at: Duration,
    /// The segment that was closed and is not sealed yet: its seal could not be written.
    pub(crate) unsealed: Option<Behind>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) shared: Arc<Shared>,
    pub(crate) signing: Arc<Mutex<Signing>>,
}

impl Keeper {
    /// Works until the queue is closed and empty, then signs the end.
    pub(crate) fn run(&self) {
        loop {
            let closing = self.shared.queue.pause(PACE);
            self.guard();
            self.repair();
            self.shared.drain();
            self.look_around();
            if closing {
                break;
            }
        }
        self.shared.with_writer(|writer| writer.closed = true);
        let result = self.signing.lock().sign_now(&self.shared);
        if let Err(error) = result {
            tracing::warn!(%error, "the ledger's last checkpoint could not be written");
        }
    }

    fn look_around(&self) {
        let mut signing = self.signing.lock();
        let done = signing.turn_if_due(&self.shared).and_then(|()| signing.sign_if_due(&self.shared));
        if let Err(error) = done {
            tracing::warn!(%error, "the ledger could not turn to a new segment or write a checkpoint; it tries again");
        }
    }

    /// Records must go where a reader finds them: a segment that somebody removed or shortened takes no more.
    /// It stays so until a start has looked at the ledger anew.
    fn guard(&self) {
        let shared = &self.shared;
        let intact = shared.with_writer(|writer| {
            writer.displaced |= shared.health.pulse.during(|| is_displaced(&writer.segment, writer.len));
            !writer.displaced
        });
        if !intact && !shared.health.unwritable.swap(true, Ordering::Relaxed) {
            tracing::error!(
                dir = %shared.dir.display(),
                "somebody removed or shortened the ledger's segment; calls are refused until a restart"
            );
        }
    }

    /// After a failure: cuts off what it left, and takes records again once the disk takes bytes.
    fn repair(&self) {
        if !self.shared.health.unwritable.load(Ordering::Relaxed) {
            return;
        }
        let repaired = self.shared.with_writer(|writer| self.shared.health.pulse.during(|| writer.repair()));
        match repaired.and_then(|()| Ok(self.probe_space()?)) {
            Ok(()) => {
                self.shared.health.unwritable.store(false, Ordering::Relaxed);
                tracing::info!("the ledger can write again");
            }
            Err(error) => tracing::debug!(%error, "the ledger still cannot write"),
        }
    }

    fn probe_space(&self) -> io::Result<()> {
        let file = self.shared.medium.open(&self.shared.dir.join(PROBE))?;
        let written = write_all_at(&*file, &vec![b'.'; SPARE], 0);
        if self.shared.settings.durability == Durability::Disk {
            file.sync()?;
        }
        file.set_len(1)?;
        written
    }
}

impl Signing {
    /// Closes the segment if it is full or old.
    fn turn_if_due(&mut self, shared: &Shared) -> io::Result<()> {
        if let Some(behind) = self.unsealed.take() {
            return self.seal(shared, behind);
        }
        let now = shared.clock.now();
        let due = shared.with_writer(|writer| {
            let full = writer.len >= shared.settings.segment_bytes;
            let old = now.saturating_since(writer.begun) >= shared.settings.segment_age;
            writer.len > 0 && (full || old) && !writer.broken && !writer.displaced
        });
        if due { self.turn(shared) } else { Ok(()) }
    }

    fn turn(&mut self, shared: &Shared) -> io::Result<()> {
        let behind = next_segment(shared)?;
        self.seal(shared, behind)
    }

    /// Records that another key signs from here on, closes the segment, and signs its end with both.
    pub(crate) fn rotate(&mut self, shared: &Shared, next: Signer) -> Result<(), RotateError> {
        if next.verifier() == self.signer.verifier() {
            return Err(RotateError::Same);
        }
        self.sign_now(shared)?;
        let members = rotation_record(self.signer.verifier(), next.verifier())?;
        let (now, pulse) = (shared.clock.now(), &shared.health.pulse);
        shared.with_writer(|writer| writer.write(now, &[(&members, Mark::None)], pulse))?;
        let behind = next_segment(shared)?;
        // Only now: no other checkpoint may come before that of the closed segment.
        self.next = Some(next);
        Ok(self.seal(shared, behind)?)
    }

    /// Makes a closed segment durable, signs its end into its own notes and writes its seal; then goes on
    /// with the notes of the next one.
    fn seal(&mut self, shared: &Shared, behind: Behind) -> io::Result<()> {
        match self.seal_durably(shared, &behind) {
            Ok(next) => {
                self.notes = next;
                Ok(())
            }
            Err(error) => {
                self.unsealed = Some(behind);
                Err(error)
            }
        }
    }

    fn seal_durably(&mut self, shared: &Shared, behind: &Behind) -> io::Result<NotesFile> {
        self.sign(shared, &*behind.file, &behind.state)?;
        Seal::of(&behind.segment, behind.len, &behind.state).save(&behind.segment)?;
        NotesFile::open(&Segment::new(&shared.dir, behind.state.range.size()), 0)
    }

    fn sign_if_due(&mut self, shared: &Shared) -> io::Result<()> {
        let size = shared.with_writer(|writer| writer.range.size());
        let unsigned = size - shared.signed.load(Ordering::Relaxed).min(size);
        let waited = shared.clock.monotonic().saturating_sub(self.last_at);
        let many = unsigned >= shared.settings.checkpoint_records && waited >= CHECKPOINT_PACE;
        let long = unsigned > 0 && waited >= shared.settings.checkpoint_every;
        if many || long { self.sign_now(shared) } else { Ok(()) }
    }

    /// Signs what is written now, unless the last checkpoint already tells of it.
    pub(crate) fn sign_now(&mut self, shared: &Shared) -> io::Result<()> {
        if let Some(behind) = self.unsealed.take() {
            self.seal(shared, behind)?;
        }
        let (file, state) = shared
            .with_writer(|writer| (writer.file(), State { range: writer.range.clone(), ..State::default() }));
        self.sign(shared, &*file, &state)
    }

    /// Signs a state after making it durable: a checkpoint never tells of records that a loss of power takes.
    fn sign(&mut self, shared: &Shared, file: &dyn SegmentFile, state: &State) -> io::Result<()> {
        let size = state.range.size();
        if self.last.as_ref().is_some_and(|last| last.checkpoint().size == size) {
            return Ok(());
        }
        file.sync()?;
        let origin = self.signer.verifier().name().to_owned();
        let rotation = self
            .next
            .as_ref()
            .map(|next| Rotation { from: self.signer.verifier().clone(), to: next.verifier().clone() });
        let root = state.range.root();
        let checkpoint = Checkpoint { origin, size, root, rotation: rotation.map(Box::new) };
        let note = checkpoint.sign([&self.signer].into_iter().chain(&self.next));
        self.notes.add(&note)?;
        // From here on the old key is not believed any more, whatever else fails.
        if let Some(next) = self.next.take() {
            self.signer = next;
        }
        self.last_at = shared.clock.monotonic();
        shared.signed.store(size, Ordering::Relaxed);
        shared.newest.send_replace(Some(note.clone()));
        replace(&shared.dir.join(CHECKPOINT), note.to_string().as_bytes())?;
        self.last = Some(note);
        Ok(())
    }
}

/// Goes on in a new segment; tells the state at the end of the old one.
fn next_segment(shared: &Shared) -> io::Result<Behind> {
    let now = shared.clock.now();
    shared.with_writer(|writer| {
        let next = Segment::new(&shared.dir, writer.range.size());
        let file = shared.health.pulse.during(|| new_segment(shared, &next))?;
        Ok(writer.turn(next, file, now))
    })
}

fn rotation_record(from: &VerifierKey, to: &VerifierKey) -> serde_json::Result<Vec<u8>> {
    let key = |key: &VerifierKey| serde_json::json!({ "key": key.to_string() });
    serde_json::to_vec(&Record::AdminChange(AdminChange {
        who: None,
        operation: "ledger.key.rotate",
        object: from.name(),
        before: Some(&key(from)),
        after: Some(&key(to)),
    }))
}

/// The key was not rotated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// The new key is the one in use.
    #[error("the new key is the one in use")]
    Same,
    /// The key's name.
    #[error(transparent)]
    Key(#[from] crate::InvalidKey),
    /// The record of it was not taken.
    #[error("the ledger takes no record of it: {0}")]
    Append(String),
    /// The files could not be written. What was begun is finished by the next start.
    #[error("the ledger's files: {0}")]
    Io(#[from] io::Error),
    /// The disk does not finish writing.
    #[error(transparent)]
    Close(#[from] crate::CloseError),
}

impl From<WriteFailed> for RotateError {
    fn from(failed: WriteFailed) -> Self {
        Self::Append(failed.to_string())
    }
}

impl From<serde_json::Error> for RotateError {
    fn from(error: serde_json::Error) -> Self {
        Self::Append(error.to_string())
    }
}

/// A file that cannot be asked is not displaced: whether it can be written is for writing to find out.
fn is_displaced(segment: &Segment, len: u64) -> bool {
    match segment.len() {
        Ok(found) => found < len,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Makes the file of a new segment.
pub(crate) fn new_segment(shared: &Shared, segment: &Segment) -> io::Result<Arc<dyn SegmentFile>> {
    let file = shared.medium.open(&segment.path)?;
    // What stands there can only be left by a turn that failed.
    file.set_len(0)?;
    sync_dir(&segment.path)?;
    Ok(file)
}
