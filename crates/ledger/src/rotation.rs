//! Keys follow one another: a checkpoint may say that another key signs from here on, and is signed by both. So
//! whoever kept one of the ledger's keys, an older or a newer one, can check all of its checkpoints.

use std::path::Path;
use std::{fs, io};

use memchr::memmem;

use crate::notes;
use crate::segment::list;
use crate::{Place, SignedCheckpoint, VerifierKey};

/// What a checkpoint of a rotation says, in a line of its own behind the root: `rotate OLD NEW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that signs up to this checkpoint.
    pub from: VerifierKey,
    /// The key that signs from this checkpoint on.
    pub to: VerifierKey,
}

/// The word at the beginning of the line.
const WORD: &str = "rotate ";

impl Rotation {
    /// The line, without its line feed.
    pub(crate) fn line(&self) -> String {
        format!("{WORD}{} {}", self.from, self.to)
    }

    /// Reads an extension line of a checkpoint; `None` if it tells of something else.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (from, to) = line.strip_prefix(WORD)?.split_once(' ')?;
        Some(Self { from: from.parse().ok()?, to: to.parse().ok()? })
    }
}

/// The keys of a ledger, each for its time.
#[derive(Debug, Clone)]
pub(crate) struct KeyChain {
    /// Those that are believed; none of them is in the chain unless all of the chain is believed.
    given: Vec<VerifierKey>,
    /// The rotations by size, each from the key of the one before it.
    chain: Vec<(u64, Rotation)>,
}

impl KeyChain {
    /// The keys that are believed, and those that follow from them or led to them.
    ///
    /// A rotation counts if both of its keys signed it and it continues the ones before it. Somebody who has an old
    /// key can therefore not bring in another successor later on.
    pub(crate) fn new<'a>(
        given: Vec<VerifierKey>,
        notes: impl IntoIterator<Item = &'a SignedCheckpoint>,
    ) -> Self {
        let mut found: Vec<_> = notes.into_iter().filter_map(rotation).collect();
        found.sort_by_key(|(size, _)| *size);
        let mut chain: Vec<(u64, Rotation)> = Vec::new();
        for (size, rotation) in found {
            if chain.last().is_none_or(|(_, before)| before.to == rotation.from) {
                chain.push((size, rotation));
            }
        }
        let mut keys = Self { given, chain };
        if !keys.given.iter().any(|key| keys.is_of_chain(key)) {
            keys.chain.clear();
        }
        keys
    }

    fn is_of_chain(&self, key: &VerifierKey) -> bool {
        self.chain.iter().any(|(_, rotation)| rotation.from == *key || rotation.to == *key)
    }

    /// How many rotations are followed.
    pub(crate) fn rotations(&self) -> usize {
        self.chain.len()
    }

    /// Whether a key that is believed for this size signed the checkpoint.
    pub(crate) fn accepts(&self, note: &SignedCheckpoint) -> bool {
        let size = note.checkpoint().size;
        self.at(size).into_iter().flatten().any(|key| note.is_signed_by(key))
            || self.given.iter().any(|key| !self.is_of_chain(key) && note.is_signed_by(key))
    }

    /// The chain's key for a size; at a rotation's own size the one before it and the one after it.
    fn at(&self, size: u64) -> [Option<&VerifierKey>; 2] {
        let behind = self.chain.iter().rfind(|(from, _)| *from <= size).map(|(_, rotation)| &rotation.to);
        let ahead = self.chain.iter().find(|(from, _)| *from >= size).map(|(_, rotation)| &rotation.from);
        [behind, ahead]
    }
}

/// A checkpoint's rotation, if both keys signed it.
pub(crate) fn rotation(note: &SignedCheckpoint) -> Option<(u64, Rotation)> {
    let checkpoint = note.checkpoint();
    let rotation = checkpoint.rotation.as_deref()?;
    let signed = note.is_signed_by(&rotation.from) && note.is_signed_by(&rotation.to);
    signed.then(|| (checkpoint.size, rotation.clone()))
}

/// The rotations of a ledger, as far as its notes can be read, also those in what was pruned.
pub(crate) fn rotations<'a>(place: impl Into<Place<'a>>) -> io::Result<Vec<SignedCheckpoint>> {
    let place = place.into();
    let mut found = place.pruned()?.map(|pruned| pruned.rotations()).unwrap_or_default();
    let word = memmem::Finder::new("\nrotate ");
    for segment in place.segments()? {
        let bytes = match fs::read(segment.notes()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        // There are thousands of checkpoints for one that says so.
        if word.find(&bytes).is_none() {
            continue;
        }
        let notes = notes::read(&segment)?.unwrap_or_default().notes;
        found.extend(notes.into_iter().filter(|note| rotation(note).is_some()));
    }
    Ok(found)
}

/// The key to which the ledger in a directory was rotated at its end, if its last or last but one segment ends with
/// a rotation: what a start must know that finds a rotation cut short.
///
/// # Errors
/// If the directory or its checkpoints cannot be read.
pub fn last_rotation(dir: &Path) -> io::Result<Option<VerifierKey>> {
    for segment in list(dir)?.iter().rev().take(2) {
        let notes = notes::read(segment)?.unwrap_or_default().notes;
        if let Some((_, rotation)) = notes.iter().rev().find_map(rotation) {
            return Ok(Some(rotation.to));
        }
    }
    Ok(None)
}
