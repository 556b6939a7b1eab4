//! What stands in a ledger's directory for the records that were pruned from it: the state behind the last of them with
//! the checkpoint that signs it, and the rotations of the key before it.
//!
//! One small file, `{index of the first record that is left, 20 digits}.pruned`. Its name alone says which segments
//! still count, so that putting it there is the moment at which they are pruned; their files go afterwards. Its contents
//! are believed only as far as the checkpoint signs them, and only if a record of the ledger says that it was pruned.

use std::path::{Path, PathBuf};
use std::{fs, io};

use bailiwick_model::record::RECORD_VERSION;
use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::check::State;
use crate::file::{replace, sync_dir};
use crate::rotation::KeyChain;
use crate::seal::Seal;
use crate::segment::{PRUNED, files_before, pruned_up_to};
use crate::{CompactRange, Hash, SignedCheckpoint};

/// The operation of the record that says what is pruned.
pub const PRUNE: &str = "ledger.prune";

/// The ending of the file's name before the record is written.
const PENDING: &str = "pruning";

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pruned {
    v: u32,
    /// The seal of the last segment that was pruned.
    seal: Seal,
    /// The signed note that tells of that state.
    checkpoint: String,
    /// The notes of the rotations before it.
    rotations: Vec<String>,
    /// Where the records are now, without secrets.
    pub(crate) archive: String,
    /// The record that says so stands at this index or behind it.
    pub(crate) recorded_from: u64,
}

impl Pruned {
    pub(crate) fn new(
        seal: Seal,
        checkpoint: &SignedCheckpoint,
        rotations: &[SignedCheckpoint],
        archive: &str,
    ) -> Self {
        Self {
            v: RECORD_VERSION,
            seal,
            checkpoint: checkpoint.to_string(),
            rotations: rotations.iter().map(ToString::to_string).collect(),
            archive: archive.to_owned(),
            recorded_from: 0,
        }
    }

    /// The same, whose record will stand at this index or behind it.
    pub(crate) fn recorded_from(self, index: u64) -> Self {
        Self { recorded_from: index, ..self }
    }

    /// The index of the first record that is left.
    pub(crate) fn next(&self) -> u64 {
        self.seal.next
    }

    /// The root of the tree up to there.
    pub(crate) fn root(&self) -> Hash {
        self.seal.root
    }

    /// The tree up to there, as it says of itself: a proof that comes of it is checked.
    pub(crate) fn range(&self) -> CompactRange {
        self.seal.range().clone()
    }

    /// The state to go on from, as far as a checkpoint says the same; the keys say whether it is the ledger's.
    pub(crate) fn state(&self, keys: &KeyChain) -> Option<(State, SignedCheckpoint)> {
        let note = SignedCheckpoint::parse(&self.checkpoint).ok()?;
        let told = note.checkpoint();
        let fits = told.size == self.seal.next && told.root == self.seal.root && self.seal.fits_itself();
        if fits && keys.accepts(&note) { Some((self.seal.state()?, note)) } else { None }
    }

    /// The rotations of the key in what was pruned.
    pub(crate) fn rotations(&self) -> Vec<SignedCheckpoint> {
        self.rotations.iter().filter_map(|note| SignedCheckpoint::parse(note).ok()).collect()
    }

    /// Reads that of a directory; `None` if nothing was pruned from it.
    pub(crate) fn load(dir: &Path) -> io::Result<Option<Self>> {
        let next = pruned_up_to(dir)?;
        if next == 0 {
            return Ok(None);
        }
        let read: Self = serde_json::from_slice(&fs::read(path(dir, next, PRUNED))?)?;
        if read.v == RECORD_VERSION && read.next() == next {
            Ok(Some(read))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "the file is none of this version and name"))
        }
    }

    /// Whether a line is the record that says that exactly this was pruned.
    pub(crate) fn is_told_by(&self, line: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Told<'a> {
            kind: &'a str,
            operation: &'a str,
            after: After,
        }
        #[derive(Deserialize)]
        struct After {
            next: u64,
            root: Hash,
        }
        // There are millions of records for one that says so.
        memmem::find(line, PRUNE.as_bytes()).is_some()
            && serde_json::from_slice(line).is_ok_and(|told: Told<'_>| {
                (told.kind, told.operation) == ("admin_change", PRUNE)
                    && (told.after.next, told.after.root) == (self.next(), self.root())
            })
    }

    /// Writes down what is about to be pruned, before its record is written.
    pub(crate) fn begin(&self, dir: &Path) -> io::Result<()> {
        replace(&path(dir, self.next(), PENDING), &serde_json::to_vec(self)?)
    }

    /// From here on the records are pruned: what is left of their files goes.
    pub(crate) fn commit(&self, dir: &Path) -> io::Result<()> {
        let done = path(dir, self.next(), PRUNED);
        fs::rename(path(dir, self.next(), PENDING), &done)?;
        sync_dir(&done)?;
        sweep(dir)
    }

    /// What was begun and is neither done nor given up.
    pub(crate) fn pending(dir: &Path) -> io::Result<Option<Self>> {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == PENDING) {
                return Ok(serde_json::from_slice(&fs::read(path)?).ok());
            }
        }
        Ok(None)
    }

    /// Forgets that it was begun.
    pub(crate) fn give_up(&self, dir: &Path) -> io::Result<()> {
        fs::remove_file(path(dir, self.next(), PENDING))
    }
}

fn path(dir: &Path, next: u64, ending: &str) -> PathBuf {
    dir.join(format!("{next:020}.{ending}"))
}

/// Removes what is left of pruned segments.
pub(crate) fn sweep(dir: &Path) -> io::Result<()> {
    for path in files_before(dir, pruned_up_to(dir)?)? {
        fs::remove_file(path)?;
    }
    Ok(())
}
