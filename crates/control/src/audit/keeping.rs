//! Keeping the ledger elsewhere: what copies closed segments to the archive, behind everybody's back, and prunes by the
//! settings what was copied.
//!
//! Nobody waits for it. It works at most a quarter of the time, unless it was asked to hurry; an archive that is away is
//! tried again, less and less often, and `audit status` says how far it is.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bailiwick_ledger::{Archive, ArchiveError, Closed, Contents};
use parking_lot::Mutex;
use tokio::sync::{Notify, RwLock};

use crate::{Actor, Control, ControlError};

/// How often it looks whether segments were closed.
const PACE: Duration = Duration::from_secs(10);

/// How soon it tries again after something went wrong: doubled each time, up to a bound.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(300);

/// It rests so many times as long as it worked.
const REST: u32 = 3;

/// How the archive is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveState {
    /// Where it is, without secrets.
    pub place: String,
    /// All records before this index are in it.
    pub records: u64,
    /// So many closed segments are not in it yet.
    pub waiting: usize,
    /// Whether it is being looked at just now, or that was asked for.
    pub working: bool,
    /// How often it could not be written or read since the start.
    pub failures: u64,
    /// Why it could not the last time; none if it could.
    pub error: Option<String>,
}

/// What the keeper and the use-cases share.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    state: Mutex<ArchiveState>,
    /// What is in segments that were looked at, by first index.
    contents: Mutex<HashMap<u64, Contents>>,
    bell: Notify,
    /// Held for reading by whoever reads segments one after another, and for writing while some are removed.
    pub(crate) segments: RwLock<()>,
    /// Held by whoever prunes.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Control {
    /// How the archive is; none if the settings name none.
    ///
    /// # Errors
    /// [`ControlError::Forbidden`] for members.
    pub fn archive_state(&self, actor: &Actor) -> Result<Option<ArchiveState>, ControlError> {
        actor.may_read()?;
        let Some(archive) = &self.parts().archive else { return Ok(None) };
        let state = self.keeping().state.lock().clone();
        Ok(Some(ArchiveState { place: archive.place().to_owned(), ..state }))
    }

    /// Asks for closed segments to be archived now. Returns at once; [`Control::archive_state`] says how far it is.
    ///
    /// # Errors
    /// [`ControlError`]; [`ControlError::Conflict`] if the settings name no archive.
    pub fn audit_archive(&self, actor: &Actor) -> Result<(), ControlError> {
        actor.may_change()?;
        self.archive()?;
        let keeping = self.keeping();
        let mut state = keeping.state.lock();
        (state.working, state.error) = (true, None);
        drop(state);
        keeping.bell.notify_one();
        Ok(())
    }

    pub(super) fn archive(&self) -> Result<&Archive, ControlError> {
        let none = || ControlError::Conflict("there is no archive: set `ledger.archive`".to_owned());
        self.parts().archive.as_ref().ok_or_else(none)
    }

    /// What is in a segment; read once.
    pub(super) async fn contents(&self, closed: &Closed) -> Result<Contents, ControlError> {
        if let Some(known) = self.keeping().contents.lock().get(&closed.first()) {
            return Ok(*known);
        }
        let read = closed.clone();
        let found = super::blocking(move || read.contents()).await?;
        self.keeping().contents.lock().insert(closed.first(), found);
        Ok(found)
    }

    /// Archives and prunes for ever; dropping the future loses nothing.
    pub(crate) async fn keep_ledger(&self, archive: &Archive) {
        let mut keeper = Keeper { control: self, archive, names: None };
        let mut wait = AGAIN;
        let mut hurry = false;
        loop {
            let kept = keeper.round(hurry).await;
            let pause = match &kept {
                Ok(()) => PACE,
                Err(_) => wait,
            };
            wait = if kept.is_ok() { AGAIN } else { (wait * 2).min(AGAIN_AT_MOST) };
            keeper.tell(kept);
            self.prune_by_settings().await;
            hurry = tokio::time::timeout(pause, self.keeping().bell.notified()).await.is_ok();
        }
    }
}

struct Keeper<'a> {
    control: &'a Control,
    archive: &'a Archive,
    /// What is in the archive, as far as it is known: read at the first round, and after a failure.
    names: Option<BTreeMap<String, u64>>,
}

impl Keeper<'_> {
    /// Archives what is closed and not archived yet.
    async fn round(&mut self, hurry: bool) -> Result<(), ArchiveError> {
        let parts = self.control.parts();
        let ledger = std::sync::Arc::clone(&parts.ledger);
        let dir = ledger.dir().to_owned();
        let closed = move || ledger.closed().map_err(|source| ArchiveError::Io { path: dir, source });
        let closed = tokio::task::spawn_blocking(closed).await??;
        if self.names.is_none() {
            self.archive.claim(parts.ledger.verifier().name(), parts.ledger.dir()).await?;
            self.names = Some(self.archive.lengths().await?);
        }
        let mut different = None;
        for (nth, segment) in closed.iter().enumerate() {
            let begun = parts.clock.monotonic();
            match self.keep(segment).await {
                Ok(false) => {}
                Ok(true) if hurry => {}
                Ok(true) => {
                    let worked = parts.clock.monotonic().saturating_sub(begun);
                    tokio::time::sleep(worked * REST).await;
                }
                // The others do not suffer from it.
                Err(error @ ArchiveError::Different(_)) => different = different.or(Some(error)),
                Err(error) => return Err(error),
            }
            if different.is_none() {
                self.reached(segment.next, closed.len() - nth - 1);
            }
        }
        different.map_or(Ok(()), Err)
    }

    /// Copies a segment, if it is not there; says whether there was something to do. What is there under its names and
    /// of its length is taken for it, until it is to be pruned.
    async fn keep(&mut self, segment: &Closed) -> Result<bool, ArchiveError> {
        let names = self.names.get_or_insert_default();
        let mut copied = false;
        for file in segment.files() {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let length = tokio::fs::metadata(&file).await;
            let length = length.map_err(|source| ArchiveError::Io { path: file.clone(), source })?.len();
            if names.get(&name) != Some(&length) {
                self.archive.put(&file).await?;
                names.insert(name, length);
                copied = true;
            }
        }
        Ok(copied)
    }

    fn reached(&self, next: u64, waiting: usize) {
        let mut state = self.control.keeping().state.lock();
        (state.records, state.waiting) = (next, waiting);
    }

    fn tell(&mut self, kept: Result<(), ArchiveError>) {
        let mut state = self.control.keeping().state.lock();
        let failed_before = state.error.is_some();
        state.working = false;
        state.error = kept.as_ref().err().map(ToString::to_string);
        let place = self.archive.place();
        match kept {
            Ok(()) if failed_before => tracing::info!(place, "the ledger's archive takes segments again"),
            Ok(()) => {}
            Err(error) => {
                state.failures += 1;
                self.names = None;
                if !failed_before {
                    tracing::warn!(place, %error, "the ledger's archive takes no segments; it is tried again");
                }
            }
        }
    }
}
