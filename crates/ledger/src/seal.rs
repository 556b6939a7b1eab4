//! A closed segment's seal: the state at its end, so that a start need not read it again.
//!
//! Derived, and never taken at its word: a start uses it only if a checkpoint signed with the ledger's key
//! tells the same size and root, and verification compares it with what the lines say.

use std::{fs, io};

use bailiwick_model::CallId;
use serde::{Deserialize, Serialize};

use crate::check::State;
use crate::file::replace;
use crate::line::Link;
use crate::segment::Segment;
use crate::{CompactRange, Hash};

/// The state after the last record of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// The index of the segment's first record.
    pub(crate) first: u64,
    /// The index after its last.
    pub(crate) next: u64,
    /// The segment's length.
    pub(crate) bytes: u64,
    /// The root of the tree up to here.
    pub(crate) root: Hash,
    /// The tree up to here.
    range: CompactRange,
    /// The link that the next line has.
    link: String,
    /// The time of the last record.
    time: String,
    /// Calls with an intent and no outcome up to here.
    open: Vec<(CallId, u64)>,
}

impl Seal {
    pub(crate) fn of(segment: &Segment, bytes: u64, state: &State) -> Self {
        Self {
            first: segment.first,
            next: state.range.size(),
            bytes,
            root: state.range.root(),
            range: state.range.clone(),
            link: String::from_utf8_lossy(&state.link.digits()).into_owned(),
            time: state.time.clone(),
            open: state.open.sorted(),
        }
    }

    /// Writes it beside the segment, durably.
    pub(crate) fn save(&self, segment: &Segment) -> io::Result<()> {
        replace(&segment.seal(), &serde_json::to_vec(self)?)
    }

    /// Reads a segment's seal; `None` if there is none or it does not fit the segment or itself.
    pub(crate) fn load(segment: &Segment) -> io::Result<Option<Self>> {
        let bytes = match fs::read(segment.seal()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let len = segment.len()?;
        Ok(serde_json::from_slice(&bytes)
            .ok()
            .filter(|seal: &Self| seal.first == segment.first && seal.bytes == len && seal.fits_itself()))
    }

    /// Whether what it says of the tree is one thing.
    pub(crate) fn fits_itself(&self) -> bool {
        self.next == self.range.size() && self.root == self.range.root()
    }

    /// The tree up to the segment's end.
    pub(crate) fn range(&self) -> &CompactRange {
        &self.range
    }

    /// The same with another tree, as a forger would write it.
    #[cfg(test)]
    pub(crate) fn with_tree(self, range: CompactRange) -> Self {
        Self { root: range.root(), range, ..self }
    }

    /// The state to go on from; `None` if the link is none.
    pub(crate) fn state(&self) -> Option<State> {
        Some(State {
            range: self.range.clone(),
            link: Link::parse(&self.link)?,
            time: self.time.clone(),
            open: self.open.iter().copied().collect(),
        })
    }
}
