//! The ledger as others see it: open, append (by [`Recorder`]), ask, close.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bailiwick_model::record::PayloadDigest;
use bailiwick_model::{Clock, Record, RecordFailed, Recorder, Recording};
use bailiwick_runtime::{DigestKey, SigningKey};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

use crate::begin::{Begin, CloseError, Threads, close_open_calls};
use crate::file::{Disk, Medium, replace};
use crate::keeper::{RotateError, Signing};
use crate::keys::{Keys, Signer, VerifierKey};
use crate::line::Mark;
use crate::lock::Lock;
use crate::note::SignedCheckpoint;
use crate::open::{OpenError, make_dir, recover};
use crate::prune::resume;
use crate::segment::{VERIFIER, list};
use crate::shared::Shared;
use crate::{Counts, Hash, WitnessStatus, json};

/// The audit ledger of this node, open for writing.
#[derive(Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
    signing: Arc<Mutex<Signing>>,
    digest: DigestKey,
    verifier: VerifierKey,
    threads: Mutex<Option<Threads>>,
}

/// How the ledger is.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Whether it takes records now.
    pub available: bool,
    /// The next record's index: how many there are.
    pub next_index: u64,
    /// The root of the tree of that size.
    pub root: Hash,
    /// The index of the first record that is in the directory: those before it were pruned.
    pub pruned: u64,
    /// How many segments there are.
    pub segments: usize,
    /// Their length together, in bytes.
    pub bytes: u64,
    /// Calls that have an intent and no outcome yet.
    pub open_calls: usize,
    /// What was appended since the start.
    pub counts: Counts,
    /// Records that were not taken since the start, because the disk was full, failing or hanging, or at the end.
    pub refused: u64,
    /// How many records the last checkpoint tells of.
    pub checkpoint_size: u64,
    /// How the witnesses are that are told of checkpoints.
    pub witnesses: Vec<WitnessStatus>,
}

impl Ledger {
    /// Opens the ledger in a directory, or begins one, and starts its threads.
    ///
    /// Calls whose outcome the last run did not record get one of status `unknown`. Blocks: reads what was
    /// written since the last sealed segment.
    ///
    /// # Errors
    /// If another process writes it, if it was changed, or if it cannot be read and written.
    pub fn open(
        dir: &Path,
        settings: bailiwick_config::Ledger,
        keys: Keys,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, OpenError> {
        Self::open_on(dir, settings, keys, clock, Arc::new(Disk))
    }

    pub(crate) fn open_on(
        dir: &Path,
        settings: bailiwick_config::Ledger,
        keys: Keys,
        clock: Arc<dyn Clock>,
        medium: Arc<dyn Medium>,
    ) -> Result<Arc<Self>, OpenError> {
        let signer = Signer::new(&keys.origin, keys.signing)?;
        let verifier = signer.verifier().clone();
        make_dir(dir).map_err(OpenError::io(dir))?;
        let lock = Lock::take(dir).map_err(|failed| OpenError::lock(dir, failed))?;
        let ending = recover(dir, &verifier)?;
        let (shared, mut signing) = Begin { dir, settings, clock, medium, signer }.at(ending)?;
        close_open_calls(&shared)?;
        replace(&dir.join(VERIFIER), format!("{verifier}\n").as_bytes()).map_err(OpenError::io(dir))?;
        signing.sign_now(&shared).map_err(OpenError::io(dir))?;
        resume(dir).map_err(OpenError::io(dir))?;
        let (shared, signing) = (Arc::new(shared), Arc::new(Mutex::new(signing)));
        let threads = Threads::start(&shared, &signing, lock).map_err(OpenError::io(dir))?;
        Ok(Arc::new(Self {
            shared,
            signing,
            digest: keys.digest,
            verifier,
            threads: Mutex::new(Some(threads)),
        }))
    }

    /// Its directory, for [`crate::tail()`], [`crate::Follow`] and [`crate::verify()`].
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// The public key of its checkpoints as it was opened, to be kept elsewhere.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The last checkpoint, to be kept elsewhere: against it truncation and rewriting show.
    ///
    /// Waits while one is being written.
    pub fn last_checkpoint(&self) -> Option<SignedCheckpoint> {
        self.signing.lock().last.clone()
    }

    /// A checkpoint that tells of the record of this index: the last one, or the first that does. None if the ledger
    /// is closed before.
    ///
    /// Waits as long as that takes: the settings say when the next one comes.
    pub async fn signed(&self, index: u64) -> Option<SignedCheckpoint> {
        let tells = |note: &Option<SignedCheckpoint>| {
            note.as_ref().is_some_and(|note| note.checkpoint().size > index)
        };
        self.checkpoints().wait_for(tells).await.ok()?.clone()
    }

    /// How many records the last checkpoint tells of.
    pub(crate) fn signed_size(&self) -> u64 {
        self.shared.signed.load(Ordering::Relaxed)
    }

    /// The index of the next record. Waits for a write under way.
    pub(crate) fn next_index(&self) -> u64 {
        self.shared.with_writer(|writer| writer.range.size())
    }

    /// The last checkpoint, and each that follows it.
    pub(crate) fn checkpoints(&self) -> watch::Receiver<Option<SignedCheckpoint>> {
        self.shared.newest.subscribe()
    }

    /// Whose state is told in [`Ledger::status`].
    pub(crate) fn watched_by(&self, witnesses: Vec<watch::Receiver<WitnessStatus>>) {
        *self.shared.witnesses.lock() = witnesses;
    }

    /// How it is. Waits for a write under way, but not for a disk that hangs.
    ///
    /// # Errors
    /// If its directory cannot be listed or the disk does not finish writing.
    pub fn status(&self) -> std::io::Result<Status> {
        let segments = list(&self.shared.dir)?;
        let mut bytes = 0;
        for segment in &segments {
            bytes += segment.len()?;
        }
        let writer = self
            .shared
            .writer
            .try_lock_for(self.shared.settings.stall)
            .ok_or(std::io::ErrorKind::TimedOut)?;
        let (range, open_calls, counts) = (writer.range.clone(), writer.open.len(), writer.counts.clone());
        drop(writer);
        self.shared.drain();
        Ok(Status {
            available: self.is_available(),
            next_index: range.size(),
            root: range.root(),
            pruned: segments.first().map_or(0, |segment| segment.first),
            segments: segments.len(),
            bytes,
            open_calls,
            counts,
            refused: self.shared.health.refused.load(Ordering::Relaxed),
            checkpoint_size: self.shared.signed.load(Ordering::Relaxed),
            witnesses: self.shared.witnesses.lock().iter().map(|witness| witness.borrow().clone()).collect(),
        })
    }

    /// Lets another key sign from here on, and closes the ledger: the next start needs that key.
    ///
    /// The rotation is a record and a checkpoint that both keys sign, so that whoever has either can follow to the
    /// other. Blocks. After an error [`crate::last_rotation`] tells whether it came so far that the new key is needed.
    ///
    /// # Errors
    /// If it is the same key, or the ledger cannot be written.
    pub fn rotate_key(&self, next: SigningKey) -> Result<VerifierKey, RotateError> {
        let next = Signer::new(self.verifier.name(), next)?;
        let verifier = next.verifier().clone();
        self.signing.lock().rotate(&self.shared, next)?;
        replace(&self.shared.dir.join(VERIFIER), format!("{verifier}\n").as_bytes())?;
        self.close()?;
        Ok(verifier)
    }

    /// Signs what is written now, and gives the checkpoint that tells of it.
    ///
    /// Blocks: waits until the records are on disk.
    ///
    /// # Errors
    /// If they or the checkpoint cannot be written.
    pub fn sign(&self) -> std::io::Result<Option<SignedCheckpoint>> {
        let mut signing = self.signing.lock();
        signing.sign_now(&self.shared)?;
        Ok(signing.last.clone())
    }

    /// Ends it: what was appended is written, the end is signed, the lock given back. Later appends fail.
    ///
    /// Blocks, for five seconds at most. Closing twice does nothing; dropping closes.
    ///
    /// # Errors
    /// If the disk does not finish writing in that time.
    pub fn close(&self) -> Result<(), CloseError> {
        let Some(threads) = self.threads.lock().take() else { return Ok(()) };
        self.shared.health.closed.store(true, Ordering::Relaxed);
        self.shared.queue.close();
        threads.end()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the ledger was not closed");
        }
    }
}

thread_local! {
    /// Where a record is serialised: kept per thread, since it happens before the writer is asked for.
    static MEMBERS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The longest payload that goes into its digest as it is, in bytes; of a longer one, its BLAKE3 hash does.
const SHORT: usize = 4096;

/// A thread's buffer that grew beyond this is given back.
const KEEP_MEMBERS: usize = 64 * 1024;

impl Recorder for Ledger {
    fn append(&self, record: &Record<'_>) -> Recording {
        MEMBERS.with_borrow_mut(|members| {
            members.clear();
            if let Err(error) = json::write(members, record) {
                tracing::error!(%error, "a record cannot be written as JSON");
                return Recording::Settled(Err(RecordFailed::Unwritable));
            }
            let recording = self.shared.append(members, Mark::of(record));
            if members.capacity() > KEEP_MEMBERS {
                *members = Vec::new();
            }
            recording
        })
    }

    fn digest(&self, payload: &[u8]) -> PayloadDigest {
        if payload.len() <= SHORT {
            return PayloadDigest(self.digest.digest(payload));
        }
        PayloadDigest(self.digest.digest(blake3::hash(payload).as_bytes()))
    }

    fn is_available(&self) -> bool {
        self.shared.health.is_available()
    }
}
