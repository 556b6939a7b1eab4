//! Opening a ledger: take the lock, find the state at its end, cut a torn tail, close what was left open.
//!
//! A start reads only what is behind the last seal that a signed checkpoint confirms, and compares what it
//! reads with the checkpoints. A ledger that does not agree with them is not continued: evidence of a change
//! must not disappear under new records.

use std::fs::{self, DirBuilder};
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::check::{Fault, Found, Milestones, State};
use crate::file::private;
use crate::lock::LockFailed;
use crate::note::SignedCheckpoint;
use crate::notes::{self, Notes};
use crate::rotation::{KeyChain, rotation, rotations};
use crate::seal::Seal;
use crate::segment::{CHECKPOINT, Lines, Segment, list};
use crate::{Place, VerifierKey};

/// A ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process writes it.
    #[error("{dir} is in use by {}: one ledger has one writer", holder(*pid))]
    InUse {
        /// The ledger's directory.
        dir: PathBuf,
        /// The other process, if it is known.
        pid: Option<u32>,
    },
    /// The records are not what was signed.
    #[error(
        "the ledger in {dir} was changed at record {index}: {fault}. It is not continued; keep it as evidence, \
         look at it with `bailiwick audit verify`, and move it away to begin a new one"
    )]
    Altered {
        /// The ledger's directory.
        dir: PathBuf,
        /// The first record concerned.
        index: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// The key was rotated, and this is the old one.
    #[error("the ledger in {dir} was rotated to the key {to}, and this start has the one before it")]
    Rotated {
        /// The ledger's directory.
        dir: PathBuf,
        /// The key that signs now.
        to: Box<VerifierKey>,
    },
    /// The origin is no name for a key.
    #[error(transparent)]
    Key(#[from] crate::InvalidKey),
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What the last run left open could not be closed.
    #[error("the ledger takes no records: {0}")]
    Append(String),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl OpenError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn lock(dir: &Path, failed: LockFailed) -> Self {
        match failed {
            LockFailed::Held(pid) => Self::InUse { dir: dir.to_owned(), pid },
            LockFailed::Io(source) => Self::Io { path: dir.to_owned(), source },
        }
    }
}

/// The end of a ledger as it was found.
#[derive(Debug)]
pub(crate) struct Ending {
    /// The segment to go on in; none if the last one is sealed or there is none.
    pub(crate) segment: Option<(Segment, u64)>,
    /// The length of that segment's whole notes.
    pub(crate) notes_len: u64,
    /// The state.
    pub(crate) state: State,
    /// The last checkpoint.
    pub(crate) last: Option<SignedCheckpoint>,
}

/// Makes the directory if it is absent.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Finds the end of the ledger in a directory whose lock is held.
pub(crate) fn recover(dir: &Path, key: &VerifierKey) -> Result<Ending, OpenError> {
    let segments = list(dir).map_err(OpenError::io(dir))?;
    // A rotation ends its segment, so the newest key alone finds a seal behind the last one, if there is a seal.
    let newest = KeyChain::new(vec![key.clone()], []);
    let mut recovery = Recovery::from_last_seal(dir, &segments, newest)?;
    if recovery.unsealed == 0 && !segments.is_empty() {
        let notes = rotations(dir).map_err(OpenError::io(dir))?;
        let all = KeyChain::new(vec![key.clone()], &notes);
        recovery = Recovery::from_last_seal(dir, &segments, all)?;
    }
    let unsealed = recovery.unsealed;
    for (nth, segment) in segments.iter().enumerate().skip(unsealed) {
        recovery.replay(segment, nth + 1 == segments.len())?;
    }
    let ending = recovery.finish(segments.last().filter(|_| unsealed < segments.len()))?;
    match ending.last.as_ref().and_then(rotation) {
        Some((_, rotation)) if rotation.to != *key => {
            Err(OpenError::Rotated { dir: dir.to_owned(), to: Box::new(rotation.to) })
        }
        _ => Ok(ending),
    }
}

struct Recovery<'a> {
    dir: &'a Path,
    state: State,
    milestones: Milestones,
    last: Option<SignedCheckpoint>,
    notes_len: u64,
    len: u64,
    /// Whether something stands behind the last record.
    torn: bool,
    /// The first segment that must be read.
    unsealed: usize,
}

impl<'a> Recovery<'a> {
    fn from_last_seal(dir: &'a Path, segments: &[Segment], keys: KeyChain) -> Result<Self, OpenError> {
        let mut found = (State::default(), 0, None);
        for (nth, segment) in segments.iter().enumerate().rev() {
            if let Some((state, note)) = trusted(segment, &keys).map_err(OpenError::io(&segment.path))? {
                found = (state, nth + 1, Some(note));
                break;
            }
        }
        if let (0, Some(pruned)) = (found.1, Place::from(dir).pruned().map_err(OpenError::io(dir))?) {
            // Without a checkpoint that these keys accept it is as if records were missing.
            found = pruned.state(&keys).map_or(found, |(state, note)| (state, 0, Some(note)));
        }
        let (state, unsealed, last) = found;
        let mut milestones = Milestones::new(keys, state.range.size());
        milestones.add(newest(dir)?.filter(|note| note.checkpoint().size >= state.range.size()));
        Ok(Self { dir, state, milestones, last, notes_len: 0, len: 0, torn: false, unsealed })
    }

    /// Follows a segment's lines. Only the last one may have a torn tail.
    fn replay(&mut self, segment: &Segment, is_last: bool) -> Result<(), OpenError> {
        let io = || OpenError::io(&segment.path);
        let notes = self.notes_of(segment)?;
        self.notes_len = notes.len;
        self.last = notes.notes.last().cloned().or_else(|| self.last.take());
        self.milestones.add(notes.notes);
        if segment.first != self.state.range.size() {
            let fault = Fault::Sequence { found: segment.first };
            return Err(self.altered((self.state.range.size(), fault)));
        }
        let mut lines = Lines::open(&segment.path).map_err(io())?;
        self.len = 0;
        while let Some(line) = lines.next().map_err(io())? {
            self.milestones.meet(&self.state.range).map_err(|found| self.altered(found))?;
            let next = line.offset + line.bytes.len() as u64 + 1;
            // No record has a zero byte; blocks of them are what a loss of power leaves, records behind or not.
            let hole = memchr::memchr(0, line.bytes).is_some();
            let followed =
                if line.whole { self.state.follow(line.bytes) } else { Err((0, Fault::Malformed)) };
            match followed {
                Ok(()) => self.len = next,
                Err((_, Fault::Malformed)) if is_last && (hole || at_end(&mut lines).map_err(io())?) => {
                    self.torn = true;
                    break;
                }
                Err(found) => return Err(self.altered(found)),
            }
        }
        self.milestones.meet(&self.state.range).map_err(|found| self.altered(found))
    }

    fn notes_of(&self, segment: &Segment) -> Result<Notes, OpenError> {
        let notes = notes::read(segment).map_err(OpenError::io(&segment.notes()))?;
        notes.map_err(|_| self.altered((segment.first, Fault::Notes)))
    }

    fn finish(mut self, last_segment: Option<&Segment>) -> Result<Ending, OpenError> {
        let dir = self.dir;
        let altered = |(index, fault)| OpenError::Altered { dir: dir.to_owned(), index, fault };
        self.milestones.finish(&self.state.range).map_err(altered)?;
        // Only now: a tail that a checkpoint tells of is no torn one, and is left as evidence.
        if let Some(segment) = last_segment.filter(|_| self.torn) {
            cut(segment, self.len).map_err(OpenError::io(&segment.path))?;
        }
        Ok(Ending {
            segment: last_segment.map(|segment| (segment.clone(), self.len)),
            notes_len: self.notes_len,
            state: self.state,
            last: self.last,
        })
    }

    fn altered(&self, (index, fault): Found) -> OpenError {
        OpenError::Altered { dir: self.dir.to_owned(), index, fault }
    }
}

/// The checkpoint file, which stands beside the notes and may tell of more than they do.
fn newest(dir: &Path) -> Result<Option<SignedCheckpoint>, OpenError> {
    let path = dir.join(CHECKPOINT);
    let Some(text) = read_text(&path).map_err(OpenError::io(&path))? else { return Ok(None) };
    let damaged = |_| OpenError::Altered { dir: dir.to_owned(), index: 0, fault: Fault::Notes };
    SignedCheckpoint::parse(&text).map(Some).map_err(damaged)
}

/// A sealed segment's state, if a checkpoint of its notes signs it.
fn trusted(segment: &Segment, keys: &KeyChain) -> io::Result<Option<(State, SignedCheckpoint)>> {
    let Some((seal, note)) = signed_seal(segment, keys)? else { return Ok(None) };
    Ok(seal.state().map(|state| (state, note)))
}

/// A sealed segment's seal and the checkpoint that says the same.
pub(crate) fn signed_seal(
    segment: &Segment,
    keys: &KeyChain,
) -> io::Result<Option<(Seal, SignedCheckpoint)>> {
    let Some(seal) = Seal::load(segment)? else { return Ok(None) };
    let Ok(notes) = notes::read(segment)? else { return Ok(None) };
    let signed = notes.notes.into_iter().find(|note| {
        let checkpoint = note.checkpoint();
        checkpoint.size == seal.next && checkpoint.root == seal.root && keys.accepts(note)
    });
    Ok(signed.map(|note| (seal, note)))
}

/// Whether no record stands behind: a tail, not a hole.
fn at_end(lines: &mut Lines) -> io::Result<bool> {
    while let Some(line) = lines.next()? {
        if crate::line::Head::parse(line.bytes).is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Cuts a segment, and keeps what is cut off aside.
fn cut(segment: &Segment, len: u64) -> io::Result<()> {
    let mut file = private().read(true).open(&segment.path)?;
    let aside = segment.torn(len);
    file.seek(SeekFrom::Start(len))?;
    let mut kept = private().create(true).truncate(true).open(&aside)?;
    let bytes = io::copy(&mut file, &mut kept)?;
    kept.sync_all()?;
    file.set_len(len)?;
    file.sync_all()?;
    tracing::warn!(segment = %segment.path.display(), bytes, aside = %aside.display(),
        "the ledger's last write was cut off by the end of the process; its bytes are kept aside");
    Ok(())
}

/// Reads a small text file; `None` if it is absent.
pub(crate) fn read_text(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
