//! Disks that turn read-only or hang, with real file systems: ext4 on a loop device. Needs root.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::Durability;
use bailiwick_ledger::{Keys, Ledger, OpenError, VerifyOptions, verify};
use bailiwick_model::record::Lifecycle;
use bailiwick_model::{Record, RecordFailed, Recorder as _};
use bailiwick_runtime::{DigestKey, KeyDir, SigningKey, SystemClock, SystemEntropy};

/// An ext4 of eight megabytes, unmounted at the end.
struct Disk {
    home: tempfile::TempDir,
    mount: PathBuf,
}

#[expect(clippy::disallowed_methods, reason = "mounting needs the system's own tools")]
fn run(program: &str, arguments: &[&str]) -> bool {
    let ended = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|status| status.success())
}

impl Disk {
    /// `None`, and a word, where this process may not.
    fn new() -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let mount = home.path().join("mount");
        let disk = Self { home, mount };
        fs::create_dir(&disk.mount).unwrap();
        fs::write(disk.image(), vec![0; 8 << 20]).unwrap();
        if run("mkfs.ext4", &["-q", "-F", &disk.image()]) && disk.mount() {
            return Some(disk);
        }
        eprintln!("SKIPPED: only root may mount the ext4 on a loop device that this test breaks");
        None
    }

    fn image(&self) -> String {
        self.home.path().join("image").to_str().unwrap().to_owned()
    }

    fn path(&self) -> &str {
        self.mount.to_str().unwrap()
    }

    fn mount(&self) -> bool {
        run("mount", &["-o", "loop,errors=remount-ro", &self.image(), self.path()])
    }

    /// Makes the kernel find an error in the file system, upon which it is read-only for those who have files open.
    fn turn_read_only(&self) {
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        let line = mounts.lines().find(|line| line.contains(self.path())).unwrap();
        let device = line.split(' ').next().and_then(|device| device.strip_prefix("/dev/")).unwrap();
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "1").unwrap();
    }

    fn mend(&self) {
        eventually("the file system is given back", || run("umount", &[self.path()]));
        // 1: errors were corrected, which is what it is for.
        run("e2fsck", &["-f", "-y", &self.image()]);
        assert!(self.mount());
    }

    fn freeze(&self) -> bool {
        run("fsfreeze", &["--freeze", self.path()])
    }

    fn thaw(&self) {
        assert!(run("fsfreeze", &["--unfreeze", self.path()]));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Frozen only if the test failed.
        run("fsfreeze", &["--unfreeze", self.path()]);
        run("umount", &["--lazy", self.path()]);
    }
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("not within ten seconds: {what}");
}

fn open(root: &Path, durability: Durability) -> Arc<Ledger> {
    try_open(root, durability).unwrap()
}

fn try_open(root: &Path, durability: Durability) -> Result<Arc<Ledger>, OpenError> {
    let dir = KeyDir::open(root.join("keys")).unwrap();
    let keys = Keys {
        origin: "node.test/ledger".into(),
        signing: SigningKey::load_or_create(&dir, "ledger").unwrap(),
        digest: DigestKey::new(&dir.load_or_create("digest", &SystemEntropy::new()).unwrap()),
    };
    let settings = bailiwick_config::Ledger {
        durability,
        segment_bytes: 4 << 10,
        segment_age: Duration::from_secs(3600),
        checkpoint_records: 10,
        checkpoint_every: Duration::from_secs(1),
        stall: Duration::from_secs(2),
        witness: bailiwick_config::Witness::default(),
        archive: None,
        retention: bailiwick_config::Retention::default(),
    };
    Ledger::open(&root.join("ledger"), settings, keys, Arc::new(SystemClock::new()))
}

const STARTED: Record<'static> =
    Record::Lifecycle(Lifecycle { event: "started", version: "0", node: "node", backup: None });

/// So many records, one after another; how many were taken before one was refused, and why.
async fn append(ledger: &Ledger, records: u64) -> (u64, Option<RecordFailed>) {
    for taken in 0..records {
        let appended = tokio::time::timeout(Duration::from_secs(4), ledger.append(&STARTED).settled()).await;
        if let Err(failed) = appended.unwrap() {
            return (taken, Some(failed));
        }
    }
    (records, None)
}

async fn read_only(durability: Durability) {
    let Some(disk) = Disk::new() else { return };
    let ledger = open(&disk.mount, durability);
    assert_eq!(append(&ledger, 50).await, (50, None));
    disk.turn_read_only();
    let begun = tokio::time::Instant::now();
    assert_eq!(append(&ledger, 50).await, (0, Some(RecordFailed::Unwritable)));
    assert!(begun.elapsed() < Duration::from_secs(2) && !ledger.is_available());
    assert_eq!(append(&ledger, 1).await, (0, Some(RecordFailed::Unwritable)));
    ledger.close().unwrap();
    drop(ledger);
    disk.mend();
    let place = disk.mount.join("ledger");
    if durability == Durability::Disk {
        let report = verify(&place, &VerifyOptions::default()).unwrap();
        assert_eq!((report.records, report.torn_bytes, report.bad), (50, 0, None));
    }
    // What durability `os` had only handed to the kernel is gone with the file system's error: whole records at the
    // end, or a hole where a later segment was written and an earlier one was not, and then nothing is continued.
    let ledger = match try_open(&disk.mount, durability) {
        Err(OpenError::Altered { .. }) if durability == Durability::Os => return,
        opened => opened.unwrap(),
    };
    let found = ledger.status().unwrap().next_index;
    assert!(found <= 50);
    assert_eq!(append(&ledger, 5).await, (5, None));
    ledger.close().unwrap();
    let report = verify(&place, &VerifyOptions::default()).unwrap();
    assert_eq!((report.records, report.signed, report.bad), (found + 5, found + 5, None));
}

#[tokio::test]
async fn a_file_system_that_turns_read_only_refuses_at_once_with_durability_os() {
    read_only(Durability::Os).await;
}

#[tokio::test]
async fn a_file_system_that_turns_read_only_refuses_at_once_with_durability_disk() {
    read_only(Durability::Disk).await;
}

async fn stalled(durability: Durability) {
    let Some(disk) = Disk::new() else { return };
    let ledger = open(&disk.mount, durability);
    assert_eq!(append(&ledger, 20).await, (20, None));
    let begun = tokio::time::Instant::now();
    assert!(disk.freeze());
    eventually("the stall shows", || !ledger.is_available());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(append(&ledger, 5).await, (0, Some(RecordFailed::Stalled)));
    disk.thaw();
    eventually("recovery by itself", || ledger.is_available());
    assert_eq!(append(&ledger, 5).await, (5, None));
    ledger.close().unwrap();
    let report = verify(&disk.mount.join("ledger"), &VerifyOptions::default()).unwrap();
    // One that was refused while it was being written may stand, whole.
    assert!((25..=26).contains(&report.records), "{report:?}");
    assert_eq!((report.signed, report.torn_bytes, report.bad), (report.records, 0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_file_system_refuses_in_time_and_recovers_with_durability_os() {
    stalled(Durability::Os).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_file_system_refuses_in_time_and_recovers_with_durability_disk() {
    stalled(Durability::Disk).await;
}
