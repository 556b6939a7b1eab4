//! Closed segments: those to which nothing is added any more, and that can therefore be archived and pruned.

use std::io;
use std::path::{Path, PathBuf};

use bailiwick_model::Timestamp;

use crate::line::Head;
use crate::segment::{Lines, Segment, list};

/// What a record is kept for, by which it is decided how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordClass {
    /// What became of calls: `intent`, `outcome`, `local`, `denied`, `credential`, and `checkpoint`, which stands between them.
    Calls,
    /// Everything else: changes, authentication that failed, drift, starts and stops.
    Administration,
}

impl RecordClass {
    /// The class of a kind of record. A kind that is not known is not taken for one of calls.
    pub fn of(kind: &str) -> Self {
        match kind {
            "intent" | "outcome" | "local" | "denied" | "credential" | "checkpoint" => Self::Calls,
            _ => Self::Administration,
        }
    }
}

/// A closed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub(crate) segment: Segment,
    /// The index of the first record behind it.
    pub next: u64,
    /// The length of its records, in bytes.
    pub bytes: u64,
}

/// What is in a closed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Whether there are records of calls.
    pub calls: bool,
    /// Whether there are records of administration.
    pub administration: bool,
    /// When the last record was written.
    pub last: Timestamp,
}

impl Closed {
    /// The index of its first record, after which it is named.
    pub fn first(&self) -> u64 {
        self.segment.first
    }

    /// Its files, the records last: whoever has those has the others.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = [self.segment.notes(), self.segment.seal()].into();
        files.retain(|file| file.exists());
        files.push(self.segment.path.clone());
        files
    }

    /// Which classes of records are in it, and from when. Blocks; reads it once.
    ///
    /// # Errors
    /// If it cannot be read, or a line of it is no record.
    pub fn contents(&self) -> io::Result<Contents> {
        let mut found = Contents { calls: false, administration: false, last: Timestamp::default() };
        let mut lines = Lines::open(&self.segment.path)?;
        while let Some(line) = lines.next()? {
            let head = Head::parse(line.bytes).ok_or(io::ErrorKind::InvalidData)?;
            match head.class() {
                RecordClass::Calls => found.calls = true,
                RecordClass::Administration => found.administration = true,
            }
            found.last = head.time.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        }
        Ok(found)
    }
}

/// The closed segments of a directory whose newest checkpoint tells of `signed` records, oldest first.
pub(crate) fn closed(dir: &Path, signed: u64) -> io::Result<Vec<Closed>> {
    let segments = list(dir)?;
    let mut found = Vec::new();
    for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
        // Its seal, or a checkpoint of the segment behind it, is made when its own checkpoints are complete.
        let complete = signed > next.first || (signed == next.first && segment.seal().exists());
        if !complete {
            break;
        }
        found.push(Closed { bytes: segment.len()?, segment: segment.clone(), next: next.first });
    }
    Ok(found)
}
