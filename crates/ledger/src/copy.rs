//! Copying a ledger, for a backup: while it is written, up to a record that a checkpoint signs; or while nobody
//! writes it, which [`Held`] makes sure of.
//!
//! A copy is a ledger: it verifies, and a gateway can go on with it.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use crate::file::{private, replace};
use crate::lock::Lock;
use crate::note::SignedCheckpoint;
use crate::notes;
use crate::open::{OpenError, make_dir, read_text};
use crate::segment::{CHECKPOINT, LOCK, PROBE, Segment, list};

/// A ledger that nobody can begin to write as long as this is held.
#[derive(Debug)]
pub struct Held {
    dir: PathBuf,
    _lock: Lock,
}

impl Held {
    /// Holds the ledger in this directory.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if a process writes it; [`OpenError::Io`] if there is none.
    pub fn hold(dir: &Path) -> Result<Self, OpenError> {
        let lock = Lock::take(dir).map_err(|failed| OpenError::lock(dir, failed))?;
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }

    /// Copies it up to its last whole record.
    ///
    /// # Errors
    /// As [`copy`].
    pub fn copy(&self, to: &Path) -> Result<(), CopyError> {
        copy(&self.dir, to, None)
    }
}

/// A ledger was not copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A segment's checkpoints do not read.
    #[error("{0}: the file of checkpoints is damaged; look at the ledger with `bailiwick audit verify`")]
    Notes(PathBuf),
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::Io { path, source }
}

/// Copies the first `records` of a ledger, all up to its last whole one if none is said, into a directory that is made
/// if it is absent. The ledger may be written meanwhile if `records` are there already.
///
/// Blocks. Every file is for its owner alone, and on disk when this returns.
///
/// # Errors
/// If something cannot be read or written; what was copied until then stays.
pub fn copy(dir: &Path, to: &Path, records: Option<u64>) -> Result<(), CopyError> {
    make_dir(to).map_err(at(to))?;
    let mut segments = list(dir).map_err(at(dir))?;
    segments.retain(|segment| segment.first == 0 || records.is_none_or(|records| segment.first < records));
    // Checkpoints before records: what a checkpoint tells of was written before it.
    let mut newest = newest(dir)?.filter(|note| is_within(note, records));
    for (nth, segment) in segments.iter().enumerate() {
        let copied = Segment::new(to, segment.first);
        let kept = copy_notes(segment, &copied, records)?;
        newest = kept.into_iter().chain(newest).max_by_key(|note| note.checkpoint().size);
        if nth + 1 < segments.len() {
            copy_file(&segment.path, &copied.path)?;
            if segment.seal().exists() {
                copy_file(&segment.seal(), &copied.seal())?;
            }
        } else {
            copy_lines(segment, &copied, records.map(|records| records - segment.first))?;
        }
    }
    copy_rest(dir, to)?;
    if let Some(newest) = newest {
        let path = to.join(CHECKPOINT);
        replace(&path, newest.to_string().as_bytes()).map_err(at(&path))?;
    }
    File::open(to).and_then(|dir| dir.sync_all()).map_err(at(to))
}

fn newest(dir: &Path) -> Result<Option<SignedCheckpoint>, CopyError> {
    let path = dir.join(CHECKPOINT);
    let Some(text) = read_text(&path).map_err(at(&path))? else { return Ok(None) };
    SignedCheckpoint::parse(&text).map(Some).map_err(|_| CopyError::Notes(path))
}

fn is_within(note: &SignedCheckpoint, records: Option<u64>) -> bool {
    records.is_none_or(|records| note.checkpoint().size <= records)
}

/// Copies a segment's checkpoints that tell of no more than is copied; gives the last of them.
fn copy_notes(
    segment: &Segment,
    copied: &Segment,
    records: Option<u64>,
) -> Result<Option<SignedCheckpoint>, CopyError> {
    let path = segment.notes();
    let read = notes::read(segment).map_err(at(&path))?;
    let mut found = read.map_err(|_| CopyError::Notes(path))?.notes;
    found.retain(|note| is_within(note, records));
    let text: String = found.iter().map(ToString::to_string).collect();
    if !text.is_empty() {
        replace(&copied.notes(), text.as_bytes()).map_err(at(&copied.notes()))?;
    }
    Ok(found.pop())
}

/// Copies whole lines, at most so many.
fn copy_lines(segment: &Segment, copied: &Segment, most: Option<u64>) -> Result<(), CopyError> {
    let file = File::open(&segment.path).map_err(at(&segment.path))?;
    let mut from = BufReader::with_capacity(256 * 1024, file);
    let target = new(&copied.path)?;
    let mut to = io::BufWriter::with_capacity(256 * 1024, &target);
    let (mut line, mut lines) = (Vec::new(), 0);
    while most.is_none_or(|most| lines < most) {
        line.clear();
        from.read_until(b'\n', &mut line).map_err(at(&segment.path))?;
        if !line.ends_with(b"\n") {
            break;
        }
        to.write_all(&line).map_err(at(&copied.path))?;
        lines += 1;
    }
    to.flush().map_err(at(&copied.path))?;
    drop(to);
    target.sync_all().map_err(at(&copied.path))
}

/// What is neither segment nor of this machine's moment: the public key, what starts kept aside.
fn copy_rest(dir: &Path, to: &Path) -> Result<(), CopyError> {
    for entry in fs::read_dir(dir).map_err(at(dir))? {
        let path = entry.map_err(at(dir))?.path();
        let (Some(name), extension) = (path.file_name(), path.extension()) else { continue };
        let of_segments = extension.is_some_and(|e| e == "jsonl" || e == "notes" || e == "seal");
        let passing = extension.is_some_and(|e| e == "new" || e == "pruning");
        let own = name == LOCK || name == PROBE || name == CHECKPOINT;
        if path.is_file() && !of_segments && !passing && !own {
            copy_file(&path, &to.join(name))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), CopyError> {
    let mut file = File::open(from).map_err(at(from))?;
    let mut target = new(to)?;
    io::copy(&mut file, &mut target).map_err(at(to))?;
    target.sync_all().map_err(at(to))
}

fn new(path: &Path) -> Result<File, CopyError> {
    private().create_new(true).open(path).map_err(at(path))
}
