//! Pruning: the oldest segments leave the ledger's directory, once they are kept elsewhere.
//!
//! What is about to go is written down, then recorded in the ledger and signed, then the directory says that it is gone,
//! then the files go. A start finishes what was recorded and forgets what was not.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::check::{Fault, State};
use crate::closed::{Closed, closed};
use crate::open::signed_seal;
use crate::pruned::{Pruned, sweep};
use crate::rotation::{KeyChain, rotations};
use crate::segment::{Lines, pruned_up_to};
use crate::{Follow, Ledger, Place};

/// Segments cannot be pruned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// The records are not what was signed.
    #[error(
        "the ledger was changed at record {index}: {fault}. Nothing is pruned; look at it with `bailiwick audit verify`"
    )]
    Altered {
        /// The first record concerned.
        index: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PruneError {
    let path = path.to_owned();
    move |source| PruneError::Io { path, source }
}

/// Segments that are about to be pruned.
#[derive(Debug, Clone)]
pub struct Pruning {
    /// The segments, oldest first.
    pub segments: Vec<Closed>,
    pruned: Pruned,
}

impl Pruning {
    /// What the record says of it.
    pub fn told(&self) -> Value {
        let first = self.segments.first().map_or(0, Closed::first);
        json!({
            "segments": self.segments.iter().map(Closed::first).collect::<Vec<_>>(),
            "first": first,
            "last": self.pruned.next().saturating_sub(1),
            "next": self.pruned.next(),
            "root": self.pruned.root(),
            "archive": self.pruned.archive,
        })
    }
}

impl Ledger {
    /// Its closed segments, oldest first: what can be archived.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn closed(&self) -> io::Result<Vec<Closed>> {
        closed(self.dir(), self.signed_size())
    }

    /// The first of these segments, which must be the ledger's oldest, up to the last that can be an end; checks every
    /// record of them. `None` if none of them can. `archive` says where they are kept, without secrets.
    ///
    /// Blocks; reads every byte.
    ///
    /// # Errors
    /// If they are not what was signed or cannot be read.
    pub fn prunable(&self, mut segments: Vec<Closed>, archive: &str) -> Result<Option<Pruning>, PruneError> {
        let dir = self.dir();
        // What was begun and cut short is ended first.
        resume(dir).map_err(at(dir))?;
        let place = Place::from(dir);
        let mut turned = rotations(place).map_err(at(dir))?;
        let keys = KeyChain::new(vec![self.verifier().clone()], &turned);
        let (seal, note) = loop {
            let Some(last) = segments.last() else { return Ok(None) };
            if let Some(found) = signed_seal(&last.segment, &keys).map_err(at(dir))? {
                break found;
            }
            segments.pop();
        };
        let base = place.pruned().map_err(at(dir))?;
        let state = match &base {
            Some(base) => base.state(&keys).map(|(state, _)| state).ok_or((base.next(), Fault::Pruned)),
            None => Ok(State::default()),
        };
        let altered = |(index, fault)| PruneError::Altered { index, fault };
        let state = follow(state.map_err(altered)?, &segments)?;
        if state.range != *seal.range() {
            let index = segments.last().map_or(0, Closed::first);
            return Err(altered((index, Fault::Seal)));
        }
        turned.retain(|note| note.checkpoint().size <= seal.next);
        let pruned = Pruned::new(seal, &note, &turned, archive);
        Ok(Some(Pruning { segments, pruned }))
    }

    /// Writes down what is about to be pruned. Its record must be appended between this and [`Ledger::prune`].
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin_pruning(&self, pruning: &mut Pruning) -> Result<(), PruneError> {
        let next = self.next_index();
        pruning.pruned = pruning.pruned.clone().recorded_from(next);
        pruning.pruned.begin(self.dir()).map_err(at(self.dir()))
    }

    /// Forgets what was begun, if its record was not taken.
    ///
    /// # Errors
    /// If the file cannot be removed; the next start does.
    pub fn give_up_pruning(&self, pruning: &Pruning) -> Result<(), PruneError> {
        pruning.pruned.give_up(self.dir()).map_err(at(self.dir()))
    }

    /// Signs the record of it, and removes the segments. Nobody else may be reading them. Blocks.
    ///
    /// # Errors
    /// If the files cannot be written or removed. The next start goes on with it.
    pub fn prune(&self, pruning: &Pruning) -> Result<(), PruneError> {
        self.sign().and_then(|_| pruning.pruned.commit(self.dir())).map_err(at(self.dir()))
    }
}

fn follow(mut state: State, segments: &[Closed]) -> Result<State, PruneError> {
    for closed in segments {
        let path = &closed.segment.path;
        let mut lines = Lines::open(path).map_err(at(path))?;
        while let Some(line) = lines.next().map_err(at(path))? {
            state.follow(line.bytes).map_err(|(index, fault)| PruneError::Altered { index, fault })?;
        }
    }
    Ok(state)
}

/// Finishes what a run before this one recorded and did not finish; forgets what it did not record.
pub(crate) fn resume(dir: &Path) -> io::Result<()> {
    if let Some(pending) = Pruned::pending(dir)? {
        let told = is_told(dir, &pending)?;
        tracing::warn!(before = pending.next(), told, "pruning the ledger was cut short");
        if told {
            pending.commit(dir)?;
        } else {
            pending.give_up(dir)?;
        }
    }
    if pruned_up_to(dir)? > 0 { sweep(dir) } else { Ok(()) }
}

fn is_told(dir: &Path, pending: &Pruned) -> io::Result<bool> {
    let mut follow = Follow::from(dir, pending.recorded_from);
    loop {
        let lines = follow.read().map_err(io::Error::other)?;
        if lines.is_empty() {
            return Ok(false);
        }
        if lines.iter().any(|line| pending.is_told_by(line.json.as_bytes())) {
            return Ok(true);
        }
    }
}
