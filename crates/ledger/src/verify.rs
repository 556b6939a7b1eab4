//! Checking a ledger offline: every line, every link, every checkpoint, in one pass.
//!
//! Edits, deletions, insertions and swaps show by themselves, up to the last checkpoint; what was cut off or
//! written anew behind it, or with a new key, shows against a checkpoint and a key that were kept elsewhere.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::check::{Fault, Found, Milestones, State};
use crate::open::read_text;
use crate::pruned::Pruned;
use crate::rotation::{KeyChain, rotations};
use crate::seal::Seal;
use crate::segment::{CHECKPOINT, Lines, Segment, VERIFIER};
use crate::{Hash, InvalidKey, InvalidNote, Place, SignedCheckpoint, VerifierKey, notes};

/// What to check against.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// A checkpoint that was kept elsewhere.
    pub saved: Option<SignedCheckpoint>,
    /// The folder of the ledger's archive: then everything is read from record 0 on, pruned or not.
    pub archive: Option<PathBuf>,
    /// The ledger's public keys, each of which stands for all others by which it was rotated; if none, the one in the ledger's directory is believed.
    pub keys: Vec<VerifierKey>,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How many records the ledger has, up to what was read; those that were pruned count.
    pub records: u64,
    /// The first of them that are not in the directory and were not read: they were pruned.
    pub pruned: Option<PrunedRecords>,
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

/// Records that were pruned and that no archive was given for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrunedRecords {
    /// How many: those from record 0 on. A signed checkpoint of this size vouches for them.
    pub records: u64,
    /// The root of the tree over them, as that checkpoint says.
    pub root: Hash,
    /// Where they are, as the ledger says.
    pub archive: String,
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
    /// A checkpoint that was kept is older than what is left.
    #[error(
        "the checkpoint tells of {size} records, and all before record {next} were pruned: give the folder of the \
         archive ({archive}) as well"
    )]
    Pruned {
        /// The checkpoint's size.
        size: u64,
        /// The first record that is left.
        next: u64,
        /// Where the others are.
        archive: String,
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
/// A segment alone continues from the seal of the one before it, as far as checkpoints confirm that. A ledger of which
/// records were pruned continues from the checkpoint that vouches for them, if a record says that they were; with its
/// archive it is read from its first record on.
/// Blocks; reads every byte.
///
/// # Errors
/// If it cannot be checked at all. What is wrong with the records is in the report.
pub fn verify(path: &Path, options: &VerifyOptions) -> Result<Report, VerifyError> {
    let is_dir = path.is_dir();
    let dir = if is_dir { path } else { path.parent().unwrap_or(Path::new(".")) };
    let place = Place::from(dir).with_archive(options.archive.as_deref());
    let all = place.segments().map_err(io_at(dir))?;
    let segments: Vec<_> = all.iter().filter(|segment| is_dir || segment.path == path).cloned().collect();
    let Some(first) = segments.first() else { return Err(VerifyError::Nothing(path.to_owned())) };
    let mut pass = Pass::new(place, options)?;
    let pruned = place.pruned().map_err(io_at(dir))?.filter(|pruned| pruned.next() <= first.first || is_dir);
    let begun = match pruned {
        Some(pruned) if pruned.next() == first.first => pass.begin_behind(&pruned),
        Some(pruned) if is_dir => pass.meet_pruned(&pruned),
        _ if !is_dir && first.first > 0 => {
            pass.begin_at(state_before(first, &all)?);
            Ok(())
        }
        _ => Ok(()),
    };
    pass.is_whole = is_dir;
    pass.follow(&segments, options, begun)
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

struct Pass<'a> {
    place: Place<'a>,
    state: State,
    keys: KeyChain,
    milestones: Milestones,
    /// What stands for pruned records, until the record is read that says so.
    untold: Option<Pruned>,
    pruned: Option<PrunedRecords>,
    /// Whether it is a whole ledger, and not one segment.
    is_whole: bool,
    torn_bytes: u64,
    key_given: bool,
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

impl<'a> Pass<'a> {
    fn new(place: Place<'a>, options: &VerifyOptions) -> Result<Self, VerifyError> {
        let key_given = !options.keys.is_empty();
        let keys = if key_given { options.keys.clone() } else { vec![own_key(place.live)?] };
        let mut notes = rotations(place).map_err(io_at(place.live))?;
        notes.extend(options.saved.clone());
        let keys = KeyChain::new(keys, &notes);
        let milestones = Milestones::new(keys.clone(), 0);
        Ok(Self {
            place,
            state: State::default(),
            keys,
            milestones,
            untold: None,
            pruned: None,
            is_whole: true,
            torn_bytes: 0,
            key_given,
        })
    }

    fn begin_at(&mut self, state: State) {
        self.milestones.vouched = state.range.size();
        self.state = state;
    }

    /// Begins behind what was pruned, if a checkpoint vouches for that.
    fn begin_behind(&mut self, pruned: &Pruned) -> Result<(), Stop> {
        let (state, _) = pruned.state(&self.keys).ok_or((pruned.next(), Fault::Pruned))?;
        self.begin_at(state);
        self.milestones.met = 1;
        let (records, root, archive) = (pruned.next(), pruned.root(), pruned.archive.clone());
        self.pruned = Some(PrunedRecords { records, root, archive });
        self.untold = Some(pruned.clone());
        Ok(())
    }

    /// Will compare what stands for pruned records with the records themselves.
    fn meet_pruned(&mut self, pruned: &Pruned) -> Result<(), Stop> {
        let (_, note) = pruned.state(&self.keys).ok_or((pruned.next(), Fault::Pruned))?;
        self.milestones.add([note]);
        self.untold = Some(pruned.clone());
        Ok(())
    }

    fn follow(
        mut self,
        segments: &[Segment],
        options: &VerifyOptions,
        begun: Result<(), Stop>,
    ) -> Result<Report, VerifyError> {
        let mut done = 0;
        let ended = begun.and_then(|()| self.newest(segments, options)).and_then(|()| {
            for (nth, segment) in segments.iter().enumerate() {
                self.segment(segment, segments.get(nth + 1))?;
                done = nth + 1;
            }
            self.end()
        });
        let bad = match ended {
            Ok(()) => None,
            Err(Stop::Bad((index, fault))) => Some(self.bad(segments, index, fault)),
            Err(Stop::Error(error)) => return Err(error),
        };
        Ok(Report {
            records: self.state.range.size(),
            pruned: self.pruned,
            segments: done,
            root: self.state.range.root(),
            checkpoints: self.milestones.met,
            signed: self.milestones.vouched,
            open_calls: self.state.open.len(),
            torn_bytes: self.torn_bytes,
            key_given: self.key_given,
            rotations: self.keys.rotations(),
            last_time: Some(self.state.time).filter(|time| !time.is_empty()),
            bad,
        })
    }

    fn bad(&self, segments: &[Segment], index: u64, fault: Fault) -> BadRecord {
        let file = segments.iter().rfind(|segment| segment.first <= index).or(segments.first());
        let copy = file.filter(|_| fault == Fault::Archived).and_then(|file| self.place.copy_of(file));
        let file = copy.as_ref().or(file).map(|segment| segment.path.clone()).unwrap_or_default();
        BadRecord { index, file, what: fault.to_string(), fault }
    }
}

impl Pass<'_> {
    /// The checkpoint file and the saved one, as far as they concern what is read.
    fn newest(&mut self, segments: &[Segment], options: &VerifyOptions) -> Result<(), Stop> {
        let dir = self.place.live;
        if let (Some(saved), Some(pruned)) = (&options.saved, &self.pruned)
            && saved.checkpoint().size < pruned.records
        {
            let (size, next, archive) = (saved.checkpoint().size, pruned.records, pruned.archive.clone());
            return Err(VerifyError::Pruned { size, next, archive }.into());
        }
        let start = self.state.range.size();
        // The segment behind the last one that is read: a checkpoint beyond it says nothing about these.
        let last = segments.last().map_or(0, |segment| segment.first);
        let all = self.place.segments().map_err(io_at(dir))?;
        let behind = all.into_iter().find(|segment| segment.first > last);
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
        let mut copy = self.copy(segment)?;
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
            if self.untold.as_ref().is_some_and(|pruned| pruned.is_told_by(line.bytes)) {
                self.untold = None;
            }
            if let Some(copy) = &mut copy
                && copy.next().map_err(io())?.is_none_or(|other| other.bytes != line.bytes)
            {
                return Err((self.state.range.size() - 1, Fault::Archived).into());
            }
        }
        if let Some(mut copy) = copy
            && copy.next().map_err(io())?.is_some()
        {
            return Err((self.state.range.size(), Fault::Archived).into());
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

    /// The archive's copy of a segment, to be read beside it.
    fn copy(&self, segment: &Segment) -> Result<Option<Lines>, Stop> {
        let Some(copy) = self.place.copy_of(segment) else { return Ok(None) };
        Ok(Some(Lines::open(&copy.path).map_err(io_at(&copy.path))?))
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
        match &self.untold {
            Some(pruned) if self.is_whole => Err((pruned.next(), Fault::Unpruned).into()),
            _ => Ok(()),
        }
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
