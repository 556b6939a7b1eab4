//! The files of a ledger's directory: names, listing, and reading a segment line by line.
//!
//! `{first index, 20 digits}.jsonl` is a segment; beside it stand `.notes`, its checkpoints, and once it is
//! closed `.seal`, the state at its end. The digits make the names sort by index. `{index}.pruned` says that segments
//! before that index count no more ([`crate::pruned`]).

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The newest checkpoint: what to save elsewhere.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The public key, for convenience; proof needs one that was kept elsewhere.
pub(crate) const VERIFIER: &str = "checkpoint.pub";
/// The writer's lock, with its process id.
pub(crate) const LOCK: &str = "lock";
/// What the health probe writes to.
pub(crate) const PROBE: &str = "probe";

/// The ending of the file that stands for pruned segments.
pub(crate) const PRUNED: &str = "pruned";

/// A segment on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The index of its first record.
    pub(crate) first: u64,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Segment {
    pub(crate) fn new(dir: &Path, first: u64) -> Self {
        Self { first, path: dir.join(format!("{first:020}.jsonl")) }
    }

    pub(crate) fn notes(&self) -> PathBuf {
        self.path.with_extension("notes")
    }

    pub(crate) fn seal(&self) -> PathBuf {
        self.path.with_extension("seal")
    }

    /// Where bytes cut off at an offset are kept aside.
    pub(crate) fn torn(&self, offset: u64) -> PathBuf {
        self.path.with_extension(format!("{offset}.torn"))
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.path)?.len())
    }

    /// Reads a file that has a segment's name.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        Some(Self { first: index_of(path, "jsonl")?, path: path.to_owned() })
    }
}

/// The index in a name of the form `{20 digits}.{ending}`.
fn index_of(path: &Path, ending: &str) -> Option<u64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(ending)?.strip_suffix('.')?;
    let well_formed = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| well_formed)
}

/// The segments of a directory, by first index, without those that were pruned and whose files are not gone yet.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut pruned = 0;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        segments.extend(Segment::of_path(&path));
        pruned = index_of(&path, PRUNED).unwrap_or(0).max(pruned);
    }
    segments.retain(|segment| segment.first >= pruned);
    segments.sort_unstable_by_key(|segment| segment.first);
    Ok(segments)
}

/// The index up to which a directory was pruned; 0 if it was not.
pub(crate) fn pruned_up_to(dir: &Path) -> io::Result<u64> {
    let mut pruned = 0;
    for entry in fs::read_dir(dir)? {
        pruned = index_of(&entry?.path(), PRUNED).unwrap_or(0).max(pruned);
    }
    Ok(pruned)
}

/// The files of segments before an index, oldest first, and of what stood for them.
pub(crate) fn files_before(dir: &Path, index: u64) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let first = ["jsonl", "notes", "seal", PRUNED].iter().find_map(|ending| index_of(&path, ending));
        found.extend(first.filter(|first| *first < index).map(|_| path));
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads lines with their offsets. A last line without line feed comes out as such.
pub(crate) struct Lines {
    reader: BufReader<File>,
    offset: u64,
    line: Vec<u8>,
}

/// A line as it stands in the file.
pub(crate) struct RawLine<'a> {
    /// Where it begins.
    pub(crate) offset: u64,
    /// Without line feed.
    pub(crate) bytes: &'a [u8],
    /// Whether a line feed ends it.
    pub(crate) whole: bool,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            reader: BufReader::with_capacity(256 * 1024, File::open(path)?),
            offset: 0,
            line: Vec::new(),
        })
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += read as u64;
        let (bytes, whole) = match self.line.strip_suffix(b"\n") {
            Some(bytes) => (bytes, true),
            None => (self.line.as_slice(), false),
        };
        Ok(Some(RawLine { offset, bytes, whole }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_strangers_are_passed_over() {
        let dir = Path::new("/l");
        let segment = Segment::new(dir, 42);
        assert_eq!(segment.path, Path::new("/l/00000000000000000042.jsonl"));
        assert_eq!(Segment::of_path(&segment.path), Some(segment));
        for other in ["42.jsonl", "00000000000000000042.seal", "+0000000000000000042.jsonl", "checkpoint"] {
            assert_eq!(Segment::of_path(&dir.join(other)), None, "{other}");
        }
    }
}
