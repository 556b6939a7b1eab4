//! Reading records where they stand, by the running gateway or without it: the last ones, and new ones as they
//! come. What is read is not checked; that is `verify`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bailiwick_model::CallId;
use memchr::memmem;

use crate::line::{Head, Mark};
use crate::segment::{Segment, list};

/// How much is read at a time.
const CHUNK: u64 = 256 * 1024;

/// A ledger cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the ledger in {dir}: {source}")]
pub struct ReadError {
    dir: PathBuf,
    source: io::Error,
}

impl ReadError {
    pub(crate) fn new(dir: &Path, source: io::Error) -> Self {
        Self { dir: dir.to_owned(), source }
    }
}

/// A record as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its index.
    pub index: u64,
    /// The JSON, without line feed.
    pub json: String,
}

impl Line {
    fn parse(bytes: &[u8]) -> Option<(Self, Mark)> {
        let head = Head::parse(bytes)?;
        let json = String::from_utf8(bytes.to_vec()).ok()?;
        Some((Self { index: head.index, json }, head.mark()))
    }
}

/// The last records, at most `n`, oldest first; with `call` only those of that call.
///
/// Reads from the end, so its cost is that of what it finds. A line that is being written is passed over.
///
/// # Errors
/// If the directory or a segment cannot be read.
pub fn tail(dir: &Path, n: usize, call: Option<CallId>) -> Result<Vec<Line>, ReadError> {
    let failed = |source| ReadError { dir: dir.to_owned(), source };
    let needle = call.map(|call| format!("\"call\":\"{call}\""));
    let mut found = VecDeque::new();
    for segment in list(dir).map_err(failed)?.iter().rev() {
        let mut lines = Backwards::open(segment).map_err(failed)?;
        while found.len() < n
            && let Some(bytes) = lines.next().map_err(failed)?
        {
            if needle.as_ref().is_some_and(|needle| memmem::find(&bytes, needle.as_bytes()).is_none()) {
                continue;
            }
            let Some((line, mark)) = Line::parse(&bytes) else { continue };
            found.push_front(line);
            // Whatever is no outcome is the first record of its call: no need to look further back.
            if call.is_some() && !matches!(mark, Mark::Closes(..)) {
                return Ok(found.into());
            }
        }
    }
    Ok(found.into())
}

/// Reads a segment's whole lines from the last to the first.
struct Backwards {
    file: File,
    /// Where `held` begins in the file.
    start: u64,
    /// What is read and not given out: ends with a line feed, or is empty.
    held: Vec<u8>,
}

impl Backwards {
    fn open(segment: &Segment) -> io::Result<Self> {
        let file = File::open(&segment.path)?;
        let start = file.metadata()?.len();
        let mut lines = Self { file, start, held: Vec::new() };
        // What follows the last line feed is no whole line.
        while lines.start > 0 && lines.held.is_empty() {
            lines.read_before()?;
            let whole = memchr::memrchr(b'\n', &lines.held).map_or(0, |at| at + 1);
            lines.held.truncate(whole);
        }
        Ok(lines)
    }

    fn read_before(&mut self) -> io::Result<()> {
        let size = self.start.min(CHUNK);
        self.start -= size;
        let mut chunk = vec![0; usize::try_from(size).unwrap_or_default()];
        self.file.read_exact_at(&mut chunk, self.start)?;
        chunk.append(&mut self.held);
        self.held = chunk;
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some((_, body)) = self.held.split_last() else { return Ok(None) };
            let line = match memchr::memrchr(b'\n', body) {
                Some(at) => at + 1,
                None if self.start == 0 => 0,
                None => {
                    self.read_before()?;
                    continue;
                }
            };
            let mut bytes = self.held.split_off(line);
            bytes.pop();
            if self.held.is_empty() && self.start > 0 {
                self.read_before()?;
            }
            return Ok(Some(bytes));
        }
    }
}

/// Reads records as they come, from one index on.
///
/// Polled: [`Follow::read`] gives what is new, which may be nothing. Records that are not there any more are passed over.
#[derive(Debug)]
pub struct Follow {
    dir: PathBuf,
    next: u64,
    place: Option<(Segment, u64)>,
}

impl Follow {
    /// From this index on.
    pub fn from(dir: &Path, index: u64) -> Self {
        Self { dir: dir.to_owned(), next: index, place: None }
    }

    /// The index of the next record that it will read.
    pub fn next_index(&self) -> u64 {
        self.next
    }

    /// What is there and was not read, at most some hundred kilobytes at a time; empty if nothing is new.
    ///
    /// # Errors
    /// If the directory or a segment cannot be read.
    pub fn read(&mut self) -> Result<Vec<Line>, ReadError> {
        self.advance().map_err(|source| ReadError { dir: self.dir.clone(), source })
    }

    fn advance(&mut self) -> io::Result<Vec<Line>> {
        let mut found = Vec::new();
        while found.is_empty() {
            let Some((segment, offset)) = self.place()? else { break };
            let (bytes, last) = self.read_some(&segment, offset)?;
            if bytes == 0 {
                // At the end of a segment the next record stands in the next, if there is one.
                match list(&self.dir)?.into_iter().find(|other| other.first > segment.first) {
                    Some(other) if other.first <= self.next => self.place = Some((other, 0)),
                    _ => break,
                }
                continue;
            }
            self.place = Some((segment, offset + bytes));
            found = last;
        }
        Ok(found)
    }

    /// Where to read: in the last segment that may hold the next record.
    fn place(&mut self) -> io::Result<Option<(Segment, u64)>> {
        if let Some((segment, offset)) = self.place.take() {
            // Shorter than what was read: a failed write was cut off again. Lines known are passed over.
            let offset = if segment.len()? < offset { 0 } else { offset };
            self.place = Some((segment, offset));
        } else {
            let segments = list(&self.dir)?;
            // What was pruned is passed over.
            let holding = segments.iter().rfind(|segment| segment.first <= self.next).or(segments.first());
            self.place = holding.map(|segment| (segment.clone(), 0));
        }
        Ok(self.place.clone())
    }

    /// Reads the whole lines of a chunk; tells how many bytes they take.
    fn read_some(&mut self, segment: &Segment, offset: u64) -> io::Result<(u64, Vec<Line>)> {
        let mut file = File::open(&segment.path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        let mut limit = CHUNK;
        let whole = loop {
            let read = file.by_ref().take(limit).read_to_end(&mut bytes)?;
            match memchr::memrchr(b'\n', &bytes) {
                Some(at) => break at + 1,
                None if read == 0 => break 0,
                None => limit *= 2,
            }
        };
        let mut found = Vec::new();
        for line in bytes[..whole].split(|byte| *byte == b'\n') {
            let Some((line, _)) = Line::parse(line).filter(|(line, _)| line.index >= self.next) else {
                continue;
            };
            self.next = line.index + 1;
            found.push(line);
        }
        Ok((whole as u64, found))
    }
}
