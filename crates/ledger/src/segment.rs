//! The files of a ledger's directory: names, listing, and reading a segment line by line.
//!
//! `{first index, 20 digits}.jsonl` is a segment; beside it stand `.notes`, its checkpoints, and once it is
//! closed `.seal`, the state at its end. The digits make the names sort by index.

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
        let digits = path.file_name()?.to_str()?.strip_suffix(".jsonl")?;
        let well_formed = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
        Some(Self { first: digits.parse().ok().filter(|_| well_formed)?, path: path.to_owned() })
    }
}

/// The segments of a directory, by first index.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir)? {
        segments.extend(Segment::of_path(&entry?.path()));
    }
    segments.sort_unstable_by_key(|segment| segment.first);
    Ok(segments)
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
