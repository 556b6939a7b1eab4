//! Where a ledger's records are: in its own directory, and those that were pruned from it in its archive. Whoever reads
//! a whole ledger reads both as one.

use std::io;
use std::path::Path;

use crate::pruned::Pruned;
use crate::segment::{Segment, list};

/// A ledger's directory, and the folder of its archive if that is to be read too.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub(crate) live: &'a Path,
    archive: Option<&'a Path>,
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for Place<'a> {
    fn from(dir: &'a P) -> Self {
        Self { live: dir.as_ref(), archive: None }
    }
}

impl<'a> Place<'a> {
    /// The same with the folder of its archive, which holds segments under the names that they have in the ledger.
    #[must_use]
    pub fn with_archive(self, archive: Option<&'a Path>) -> Self {
        Self { archive, ..self }
    }

    /// All segments by first index. One that is in both comes from the ledger's own directory.
    pub(crate) fn segments(&self) -> io::Result<Vec<Segment>> {
        let mut segments = list(self.live)?;
        for archived in self.archive.map(list).transpose()?.unwrap_or_default() {
            if segments.iter().all(|segment| segment.first != archived.first) {
                segments.push(archived);
            }
        }
        segments.sort_unstable_by_key(|segment| segment.first);
        Ok(segments)
    }

    /// The archive's copy of a segment of the ledger's own directory, if there is one.
    pub(crate) fn copy_of(&self, segment: &Segment) -> Option<Segment> {
        let copy = Segment::new(self.archive?, segment.first);
        (copy.path != segment.path && copy.path.exists()).then_some(copy)
    }

    /// What stands for the records that were pruned; `None` if none were.
    pub(crate) fn pruned(&self) -> io::Result<Option<Pruned>> {
        Pruned::load(self.live)
    }
}
