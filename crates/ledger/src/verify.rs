//! Checking a ledger offline: every line, every link, every checkpoint, in one pass.
//!
//! Edits, deletions, insertions and swaps show by themselves, up to the last checkpoint; what was cut off or
//! written anew behind it, or with a new key, shows against a checkpoint and a key that were kept elsewhere.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::check::{Fault, Found, Milestones, State};
use crate::open::read_text;
use crate::rotation::{KeyChain, rotations};
use crate::seal::Seal;
use crate::segment::{CHECKPOINT, Lines, Segment, VERIFIER, list};
use crate::{Hash, InvalidKey, InvalidNote, SignedCheckpoint, VerifierKey, notes};

/// What to check against.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// A checkpoint that was kept elsewhere.
    pub saved: Option<SignedCheckpoint>,
    /// The ledger's public keys, each of which stands for all others by which it was rotated; if none, the one in the ledger's directory is believed.
    pub keys: Vec<VerifierKey>,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Segments read.
    pub segments: usize,
    /// The root of their tree.
    pub root: Hash,
    /// Checkpoints that agree.
    pub checkpoints: u64,
    /// How many records the last of them tells of. Those behind it are linked but not signed yet.
    pub signed: u64,
    /// Intents without outcome: calls under way, or cut off by the end of the process.
    pub open_calls: usize,
    /// Bytes of an unfinished last line: being written, or torn. The next start cuts them.
    pub torn_bytes: u64,
    /// Whether the key came from outside; if not, whoever can write the ledger can forge it.
    pub key_given: bool,
    /// How often the key was rotated: each key vouches for the next and for the one before.
    pub rotations: usize,
    /// The time of the last record.
    pub last_time: Option<String>,
    /// The first thing that is wrong.
    pub bad: Option<BadRecord>,
}

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRecord {
    /// The first record concerned.
    pub index: u64,
    /// The file it is, or would be, in.
    pub file: PathBuf,
    /// What is wrong, in words.
    pub what: String,
    /// What is wrong.
    #[serde(skip)]
    pub fault: Fault,
}

/// A ledger cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is none.
    #[error("{0} holds no segments of a ledger")]
    Nothing(PathBuf),
    /// No key was given and the directory has none.
    #[error("no public key: none was given, and {0} has none")]
    NoKey(PathBuf),
    /// The directory's key is none.
    #[error("{path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidKey,
    },
    /// A file's state at its beginning is not known.
    #[error("{0} does not begin with record 0 and the segment before it is not there: check the directory")]
    Fragment(PathBuf),
    /// Reading failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> VerifyError {
    let path = path.to_owned();
    move |source| VerifyError::Io { path, source }
}

/// Checks the ledger in a directory, or one segment of it.
///
/// A segment alone continues from the seal of the one before it, as far as checkpoints confirm that.
/// Blocks; reads every byte.
///
/// # Errors
/// If it cannot be checked at all. What is wrong with the records is in the report.
pub fn verify(path: &Path, options: &VerifyOptions) -> Result<Report, VerifyError> {
    let is_dir = path.is_dir();
    let dir = if is_dir { path } else { path.parent().unwrap_or(Path::new(".")) };
    let all = list(dir).map_err(io_at(dir))?;
    let segments: Vec<_> = all.iter().filter(|segment| is_dir || segment.path == path).cloned().collect();
    let Some(first) = segments.first() else { return Err(VerifyError::Nothing(path.to_owned())) };
    let state = if is_dir || first.first == 0 { State::default() } else { state_before(first, &all)? };
    Pass::new(dir, options, state)?.follow(dir, &segments, options)
}

fn state_before(segment: &Segment, all: &[Segment]) -> Result<State, VerifyError> {
    let before = all.iter().rfind(|other| other.first < segment.first);
    let seal = match before {
        Some(before) => Seal::load(before).map_err(io_at(&before.seal()))?,
        None => None,
    };
    seal.filter(|seal| seal.next == segment.first)
        .and_then(|seal| seal.state())
        .ok_or_else(|| VerifyError::Fragment(segment.path.clone()))
}

struct Pass {
    state: State,
    milestones: Milestones,
    torn_bytes: u64,
    key_given: bool,
    rotations: usize,
}

/// Something wrong with the records, or with reading them.
enum Stop {
    Bad(Found),
    Error(VerifyError),
}

impl From<Found> for Stop {
    fn from(found: Found) -> Self {
        Self::Bad(found)
    }
}

impl From<VerifyError> for Stop {
    fn from(error: VerifyError) -> Self {
        Self::Error(error)
    }
}

impl Pass {
    fn new(dir: &Path, options: &VerifyOptions, state: State) -> Result<Self, VerifyError> {
        let key_given = !options.keys.is_empty();
        let keys = if key_given { options.keys.clone() } else { vec![own_key(dir)?] };
        let mut notes = rotations(dir).map_err(io_at(dir))?;
        notes.extend(options.saved.clone());
        let keys = KeyChain::new(keys, &notes);
        let rotations = keys.rotations();
        let milestones = Milestones::new(keys, state.range.size());
        Ok(Self { state, milestones, torn_bytes: 0, key_given, rotations })
    }

    fn follow(
        mut self,
        dir: &Path,
        segments: &[Segment],
        options: &VerifyOptions,
    ) -> Result<Report, VerifyError> {
        let mut done = 0;
        let ended = self.newest(dir, segments, options).and_then(|()| {
            for (nth, segment) in segments.iter().enumerate() {
                self.segment(segment, segments.get(nth + 1))?;
                done = nth + 1;
            }
            self.end()
        });
        let bad = match ended {
            Ok(()) => None,
            Err(Stop::Bad((index, fault))) => {
                let file = segments.iter().rfind(|segment| segment.first <= index).or(segments.first());
                let file = file.map(|segment| segment.path.clone()).unwrap_or_default();
                Some(BadRecord { index, file, what: fault.to_string(), fault })
            }
            Err(Stop::Error(error)) => return Err(error),
        };
        Ok(Report {
            records: self.state.range.size(),
            segments: done,
            root: self.state.range.root(),
            checkpoints: self.milestones.met,
            signed: self.milestones.vouched,
            open_calls: self.state.open.len(),
            torn_bytes: self.torn_bytes,
            key_given: self.key_given,
            rotations: self.rotations,
            last_time: Some(self.state.time).filter(|time| !time.is_empty()),
            bad,
        })
    }
}

impl Pass {
    /// The checkpoint file and the saved one, as far as they concern what is read.
    fn newest(&mut self, dir: &Path, segments: &[Segment], options: &VerifyOptions) -> Result<(), Stop> {
        let start = self.state.range.size();
        // The segment behind the last one that is read: a checkpoint beyond it says nothing about these.
        let last = segments.last().map_or(0, |segment| segment.first);
        let behind = list(dir).map_err(io_at(dir))?.into_iter().find(|segment| segment.first > last);
        let concerns = |note: &SignedCheckpoint| {
            let size = note.checkpoint().size;
            size >= start && behind.as_ref().is_none_or(|behind| size <= behind.first)
        };
        let path = dir.join(CHECKPOINT);
        if let Some(text) = read_text(&path).map_err(io_at(&path))? {
            let note = SignedCheckpoint::parse(&text).map_err(|InvalidNote| (start, Fault::Notes))?;
            self.milestones.add(Some(note).filter(concerns));
        }
        self.milestones.add(options.saved.clone().filter(concerns));
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, next: Option<&Segment>) -> Result<(), Stop> {
        let start = self.state.range.size();
        if segment.first != start {
            return Err((start, Fault::Sequence { found: segment.first }).into());
        }
        // Before the lines: while the ledger is written, lines come first.
        let notes = notes::read(segment).map_err(io_at(&segment.notes()))?;
        self.milestones.add(notes.map_err(|InvalidNote| (start, Fault::Notes))?.notes);
        let io = || io_at(&segment.path);
        let mut lines = Lines::open(&segment.path).map_err(io())?;
        while let Some(line) = lines.next().map_err(io())? {
            self.milestones.meet(&self.state.range)?;
            if !line.whole && next.is_none() {
                self.torn_bytes = line.bytes.len() as u64;
                break;
            }
            if !line.whole {
                return Err((self.state.range.size(), Fault::Malformed).into());
            }
            self.state.follow(line.bytes)?;
        }
        self.milestones.meet(&self.state.range)?;
        // Records that are missing at its end are told as such, and not as a seal that does not fit.
        match next {
            Some(next) if next.first != self.state.range.size() => {
                Err((self.state.range.size(), Fault::Sequence { found: next.first }).into())
            }
            Some(_) => self.seal(segment),
            None => Ok(()),
        }
    }

    fn seal(&self, segment: &Segment) -> Result<(), Stop> {
        let path = segment.seal();
        if !path.exists() {
            return Ok(());
        }
        let seal = Seal::load(segment).map_err(io_at(&path))?;
        let len = segment.len().map_err(io_at(&segment.path))?;
        let expected = Seal::of(segment, len, &self.state);
        if seal == Some(expected) { Ok(()) } else { Err((segment.first, Fault::Seal).into()) }
    }

    fn end(&mut self) -> Result<(), Stop> {
        self.milestones.finish(&self.state.range)?;
        if self.milestones.met == 0 && self.state.range.size() > 0 {
            return Err((0, Fault::Unsigned).into());
        }
        Ok(())
    }
}

/// The public key in a ledger's directory; `None` if there is none, as before its first start.
///
/// # Errors
/// If it cannot be read or is no key.
pub fn public_key(dir: &Path) -> Result<Option<VerifierKey>, VerifyError> {
    let path = dir.join(VERIFIER);
    let text = read_text(&path).map_err(io_at(&path))?;
    text.map(|text| text.parse()).transpose().map_err(|source| VerifyError::Key { path, source })
}

pub(crate) fn own_key(dir: &Path) -> Result<VerifierKey, VerifyError> {
    public_key(dir)?.ok_or_else(|| VerifyError::NoKey(dir.to_owned()))
}
