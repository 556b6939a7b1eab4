//! A ledger in a temporary directory, records for it, and a disk that misbehaves on demand.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::Durability;
use bailiwick_model::record::{
    Outcome, Payload, PayloadDigest, PolicyHash, Secrets, Status, Subject, Timing, Upstream, What, Who, Why,
};
use bailiwick_model::{
    CallId, Clock, FrozenClock, Generation, PrincipalId, Record, Recorder as _, ServerId, TeamId, Timestamp,
};
use bailiwick_model::{grant::Action, principal::PrincipalKind, record::Intent};
use bailiwick_runtime::{DigestKey, KeyDir, SigningKey, SystemEntropy};
use parking_lot::{Condvar, Mutex};
use tempfile::TempDir;

use crate::file::{Disk, Medium, SegmentFile};
use crate::{Keys, Ledger, OpenError, Report, VerifyOptions, verify};

/// A directory with keys and a place for a ledger.
pub(crate) struct Place {
    pub(crate) root: TempDir,
    pub(crate) clock: Arc<FrozenClock>,
    pub(crate) settings: bailiwick_config::Ledger,
}

pub(crate) const NOON: i64 = 1_785_240_000_000_000;

impl Place {
    pub(crate) fn new() -> Self {
        let settings = bailiwick_config::Ledger {
            durability: Durability::Os,
            segment_bytes: 64 << 20,
            segment_age: Duration::from_secs(3600),
            checkpoint_records: 4096,
            checkpoint_every: Duration::from_secs(10),
            stall: Duration::from_secs(2),
            witness: bailiwick_config::Witness::default(),
            archive: None,
            retention: bailiwick_config::Retention::default(),
        };
        let clock = Arc::new(FrozenClock::at(Timestamp::from_micros(NOON)));
        Self { root: tempfile::tempdir().unwrap(), clock, settings }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("ledger")
    }

    pub(crate) fn keys(&self) -> Keys {
        keys(self.root.path())
    }

    pub(crate) fn try_open(&self) -> Result<Arc<Ledger>, OpenError> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Ledger::open(&self.dir(), self.settings.clone(), self.keys(), clock)
    }

    pub(crate) fn open(&self) -> Arc<Ledger> {
        self.try_open().unwrap()
    }

    pub(crate) fn open_on(&self, medium: &Arc<Faulty>) -> Arc<Ledger> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let medium: Arc<dyn Medium> = Arc::new(Arc::clone(medium));
        Ledger::open_on(&self.dir(), self.settings.clone(), self.keys(), clock, medium).unwrap()
    }

    pub(crate) fn verify(&self) -> Report {
        verify(&self.dir(), &VerifyOptions::default()).unwrap()
    }

    /// The first segment's lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.segment(0)).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn segment(&self, first: u64) -> PathBuf {
        self.dir().join(format!("{first:020}.jsonl"))
    }
}

pub(crate) fn keys(root: &Path) -> Keys {
    let dir = KeyDir::open(root.join("keys")).unwrap();
    Keys {
        origin: "node.test/ledger".into(),
        signing: SigningKey::load_or_create(&dir, "ledger").unwrap(),
        digest: DigestKey::new(&dir.load_or_create("digest", &SystemEntropy::new()).unwrap()),
    }
}

pub(crate) fn intent(call: u128) -> Record<'static> {
    Record::Intent(Intent {
        call: CallId::from_bits(call),
        who: Who {
            principal: PrincipalId::from_bits(1),
            kind: PrincipalKind::Agent,
            issuer: "bailiwick",
            subject: "agent",
            team: TeamId::from_bits(2),
            key: None,
        },
        what: What {
            endpoint: "/mcp",
            method: "tools/call",
            era: "2025-11-25",
            session: None,
            client: None,
            trace: None,
            span: None,
            parent: None,
        },
        subject: Subject {
            server: ServerId::from_bits(3),
            name: "files",
            kind: None,
            key: Some("read"),
            hash: None,
        },
        why: Why { action: Action::Call, generation: Generation(4), policy: PolicyHash([5; 32]), rules: &[] },
        credential: Secrets::default(),
        arguments: Payload::bare(17, PayloadDigest([7; 32])),
    })
}

pub(crate) fn outcome(call: u128) -> Record<'static> {
    Record::Outcome(Outcome {
        call: CallId::from_bits(call),
        status: Status::Ok,
        code: None,
        detail: None,
        upstream: Upstream::default(),
        is_error: None,
        result: None,
        timing: Timing::default(),
    })
}

/// Appends `n` calls, intent and outcome each.
pub(crate) async fn calls(ledger: &Ledger, numbers: std::ops::Range<u128>) {
    for number in numbers {
        ledger.append(&intent(number)).settled().await.unwrap();
        ledger.append(&outcome(number)).settled().await.unwrap();
    }
}

/// Waits for a condition, ten seconds at most.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("not within ten seconds: {what}");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Well,
    /// Nothing is written.
    Full,
    /// Half is written.
    Short,
    /// Half is written, and it cannot be cut off again.
    Stuck,
    /// Writes, but does not get it to the disk.
    Unsynced,
    /// Does not return from writing.
    Hangs,
}

/// A disk that misbehaves.
#[derive(Debug)]
pub(crate) struct Faulty(Mutex<Mode>, Condvar);

impl Faulty {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Mode::Well), Condvar::new()))
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.0.lock() = mode;
        self.1.notify_all();
    }

    fn mode(&self) -> Mode {
        let mut mode = self.0.lock();
        self.1.wait_while(&mut mode, |mode| *mode == Mode::Hangs);
        *mode
    }
}

#[derive(Debug)]
struct FaultyFile(Arc<dyn SegmentFile>, Arc<Faulty>);

impl Medium for Arc<Faulty> {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(FaultyFile(Disk.open(path)?, Self::clone(self))))
    }
}

impl SegmentFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        match self.1.mode() {
            Mode::Full => Err(io::ErrorKind::StorageFull.into()),
            Mode::Short | Mode::Stuck => self.0.write_at(&bytes[..bytes.len() / 2], offset),
            Mode::Well | Mode::Unsynced | Mode::Hangs => self.0.write_at(bytes, offset),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.1.mode() == Mode::Stuck {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        if self.1.mode() == Mode::Unsynced {
            return Err(io::Error::other("lost"));
        }
        self.0.sync()
    }
}
