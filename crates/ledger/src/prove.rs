//! Making proofs from a ledger's directory, with or without a running gateway.
//!
//! One pass over the records behind the place that is proven; what stands before it comes from the seals of closed
//! segments. Seals are not believed: a proof that does not hold is made again from the records alone, and one that
//! still does not hold is refused.

use std::io;
use std::ops::Range;
use std::path::Path;

use crate::proof::{Consistency, Inclusion, Older, PROOF_VERSION};
use crate::rotation::rotations;
use crate::seal::Seal;
use crate::segment::{Lines, Segment};
use crate::tree::{consistency_nodes, inclusion_nodes};
use crate::verify::own_key;
use crate::{CompactRange, Hash, Place, Proof, SignedCheckpoint, VerifyError, leaf_hash, notes, open};

/// A proof cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// No checkpoint tells of the record yet.
    #[error("record {index} is not signed yet: the checkpoint tells of {size} records")]
    NotSigned {
        /// The record.
        index: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// There is no checkpoint of that size.
    #[error("there is no checkpoint of {0} records: the sizes are those in the `.notes` files")]
    NoCheckpoint(u64),
    /// There is no checkpoint at all.
    #[error("the ledger has no checkpoint yet")]
    Unsigned,
    /// The sizes are the wrong way around.
    #[error("{old} is not between 1 and {new}")]
    Order {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// Records were pruned.
    #[error(
        "record {index} was pruned, like all before record {next}; they are in the archive ({archive}): give its folder \
         as well"
    )]
    Pruned {
        /// The record.
        index: u64,
        /// The first record that is left.
        next: u64,
        /// Where the others are.
        archive: String,
    },
    /// Records are not there.
    #[error("record {0} is not in the directory")]
    Missing(u64),
    /// The records are not those that were signed.
    #[error(
        "the records are not what the checkpoint of size {0} signed: `bailiwick audit verify` says which"
    )]
    Altered(u64),
    /// The key or the directory cannot be read.
    #[error(transparent)]
    Read(#[from] VerifyError),
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> ProveError {
    let path = path.to_owned();
    move |source| ProveError::Read(VerifyError::Io { path, source })
}

/// Proves that a record is in the ledger: against a checkpoint that is given, or the newest.
///
/// Blocks; reads from the record's segment on to the checkpoint's end.
///
/// # Errors
/// If no checkpoint tells of the record, or the records cannot be read or are not those that were signed.
pub fn prove_inclusion<'a>(
    place: impl Into<Place<'a>>,
    index: u64,
    against: Option<SignedCheckpoint>,
) -> Result<Proof, ProveError> {
    let place = place.into();
    let note = match against {
        Some(note) => note,
        None => newest(place.live)?.ok_or(ProveError::Unsigned)?,
    };
    let size = note.checkpoint().size;
    if index >= size {
        return Err(ProveError::NotSigned { index, size });
    }
    is_there(place, index)?;
    let (key, rotations) = keys(place)?;
    let make = |use_seals| {
        let found = Reading::new(index, size, inclusion_nodes(index, size)).read(place, use_seals)?;
        let record = String::from_utf8(found.line).map_err(|_| ProveError::Altered(size))?;
        let (checkpoint, key) = (note.to_string(), key.clone());
        Ok(Proof::Inclusion(Inclusion {
            v: PROOF_VERSION,
            index,
            size,
            record,
            path: found.hashes,
            checkpoint,
            key,
            rotations: rotations.clone(),
        }))
    };
    proven(size, make)
}

/// Proves that the ledger of `old` records is the beginning of that of `new` records, of which there must be a
/// checkpoint.
///
/// Blocks; reads from the segment of the older size on.
///
/// # Errors
/// If there is no such checkpoint, or the records cannot be read or are not those that were signed.
pub fn prove_consistency<'a>(place: impl Into<Place<'a>>, old: u64, new: u64) -> Result<Proof, ProveError> {
    let place = place.into();
    if old == 0 || old > new {
        return Err(ProveError::Order { old, new });
    }
    is_there(place, old)?;
    let note = of_size(place, new)?.ok_or(ProveError::NoCheckpoint(new))?;
    let older = of_size(place, old)?.map(|note| note.to_string());
    let (key, rotations) = keys(place)?;
    let make = |use_seals| {
        let found = Reading::new(old, new, consistency_nodes(old, new)).read(place, use_seals)?;
        let old = Older { size: old, root: found.before.root(), checkpoint: older.clone() };
        let (checkpoint, key) = (note.to_string(), key.clone());
        Ok(Proof::Consistency(Consistency {
            v: PROOF_VERSION,
            old,
            size: new,
            path: found.hashes,
            checkpoint,
            key,
            rotations: rotations.clone(),
        }))
    };
    proven(new, make)
}

/// A proof that holds: with the help of seals, or without.
fn proven(size: u64, make: impl Fn(bool) -> Result<Proof, ProveError>) -> Result<Proof, ProveError> {
    let holds = |proof: &Proof| proof.check(&[]).is_ok();
    if let Some(proof) = make(true).ok().filter(holds) {
        return Ok(proof);
    }
    let proof = make(false)?;
    if holds(&proof) { Ok(proof) } else { Err(ProveError::Altered(size)) }
}

/// The newest public key, and the checkpoints that lead to it from the others.
fn keys(place: Place<'_>) -> Result<(String, Vec<String>), ProveError> {
    let rotations = rotations(place).map_err(io_at(place.live))?;
    Ok((own_key(place.live)?.to_string(), rotations.iter().map(ToString::to_string).collect()))
}

fn newest(dir: &Path) -> Result<Option<SignedCheckpoint>, ProveError> {
    let path = dir.join(crate::segment::CHECKPOINT);
    let text = open::read_text(&path).map_err(io_at(&path))?;
    Ok(text.and_then(|text| SignedCheckpoint::parse(&text).ok()))
}

/// The ledger's checkpoint of a size.
fn of_size(place: Place<'_>, size: u64) -> Result<Option<SignedCheckpoint>, ProveError> {
    let fits = |note: &SignedCheckpoint| note.checkpoint().size == size;
    // That of a segment's end stands in its own notes, not in those of the next, which begins with that index.
    let segments = place.segments().map_err(io_at(place.live))?;
    for segment in segments.iter().rev().filter(|segment| segment.first <= size).take(2) {
        let found = notes::read(segment).map_err(io_at(&segment.notes()))?;
        if let Some(note) = found.unwrap_or_default().notes.into_iter().find(fits) {
            return Ok(Some(note));
        }
    }
    Ok(newest(place.live)?.filter(fits))
}

/// Refuses what stands before the records that are there.
fn is_there(place: Place<'_>, index: u64) -> Result<(), ProveError> {
    let Some(pruned) = place.pruned().map_err(io_at(place.live))? else { return Ok(()) };
    let segments = place.segments().map_err(io_at(place.live))?;
    if segments.first().is_none_or(|first| first.first > index) {
        return Err(ProveError::Pruned { index, next: pruned.next(), archive: pruned.archive });
    }
    Ok(())
}

/// One pass over the records up to a size, which collects the hashes of some nodes.
struct Reading {
    /// The tree before this index comes in one piece, from a seal or from records.
    at: u64,
    size: u64,
    before: CompactRange,
    /// The record at that index.
    line: Vec<u8>,
    nodes: Vec<Range<u64>>,
    /// Those behind that index, by their first leaf, smallest last.
    ahead: Vec<Range<u64>>,
    behind: Vec<(Range<u64>, Hash)>,
    /// The one of `ahead` that is being read.
    current: CompactRange,
}

struct Found {
    before: CompactRange,
    line: Vec<u8>,
    hashes: Vec<Hash>,
}

impl Reading {
    fn new(at: u64, size: u64, nodes: Vec<Range<u64>>) -> Self {
        let mut ahead: Vec<_> = nodes.iter().filter(|node| node.start >= at).cloned().collect();
        ahead.sort_unstable_by_key(|node| std::cmp::Reverse(node.start));
        Self {
            at,
            size,
            before: CompactRange::default(),
            line: Vec::new(),
            nodes,
            ahead,
            behind: Vec::new(),
            current: CompactRange::default(),
        }
    }

    fn read(mut self, place: Place<'_>, use_seals: bool) -> Result<Found, ProveError> {
        let segments = place.segments().map_err(io_at(place.live))?;
        let from = if use_seals { self.begin(&segments)? } else { 0 };
        if from == 0
            && let Some(pruned) = place.pruned().map_err(io_at(place.live))?
            && segments.first().is_some_and(|first| first.first == pruned.next())
        {
            self.before = pruned.range();
        }
        let mut next = self.before.size();
        for segment in segments.iter().skip(from) {
            if next == self.size {
                break;
            }
            if segment.first != next {
                return Err(ProveError::Missing(next));
            }
            let mut lines = Lines::open(&segment.path).map_err(io_at(&segment.path))?;
            while next < self.size
                && let Some(line) = lines.next().map_err(io_at(&segment.path))?.filter(|line| line.whole)
            {
                self.take(next, line.bytes);
                next += 1;
            }
        }
        if next < self.size { Err(ProveError::Missing(next)) } else { self.found() }
    }

    /// Starts behind the last seal before the index; tells the first segment to read.
    fn begin(&mut self, segments: &[Segment]) -> Result<usize, ProveError> {
        let holding = segments.iter().rposition(|segment| segment.first <= self.at).unwrap_or(0);
        for (nth, segment) in segments.iter().enumerate().take(holding).rev() {
            let state = Seal::load(segment).map_err(io_at(&segment.seal()))?.and_then(|seal| seal.state());
            if let Some(state) = state.filter(|state| state.range.size() <= self.at) {
                self.before = state.range;
                return Ok(nth + 1);
            }
        }
        Ok(0)
    }

    fn take(&mut self, index: u64, line: &[u8]) {
        if index < self.at {
            self.before.push(leaf_hash(line));
            return;
        }
        if index == self.at {
            self.line = line.to_owned();
        }
        let Some(node) = self.ahead.last().filter(|node| node.contains(&index)) else { return };
        let end = node.end;
        self.current.push(leaf_hash(line));
        if index + 1 == end {
            let root = std::mem::take(&mut self.current).root();
            self.behind.extend(self.ahead.pop().map(|node| (node, root)));
        }
    }

    fn found(self) -> Result<Found, ProveError> {
        let known: Vec<_> = self.before.subtrees().chain(self.behind).collect();
        let hash = |node: &Range<u64>| known.iter().find(|(known, _)| known == node).map(|(_, hash)| *hash);
        let hashes: Option<Vec<_>> = self.nodes.iter().map(hash).collect();
        let hashes = hashes.ok_or(ProveError::Altered(self.size))?;
        Ok(Found { before: self.before, line: self.line, hashes })
    }
}
