//! The process ends at any moment, the file system fills up: real processes, real mounts.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, functions beside it too"
)]

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::Durability;
use bailiwick_ledger::{Keys, Ledger, VerifyOptions, tail, verify};
use bailiwick_model::record::{Lifecycle, Outcome, Status, Timing, Upstream};
use bailiwick_model::{CallId, Record, RecordFailed, Recorder as _};
use bailiwick_runtime::{DigestKey, KeyDir, SigningKey, SystemClock, SystemEntropy};

fn open(root: &Path, durability: Durability) -> Arc<Ledger> {
    let dir = KeyDir::open(root.join("keys")).unwrap();
    let keys = Keys {
        origin: "node.test/ledger".into(),
        signing: SigningKey::load_or_create(&dir, "ledger").unwrap(),
        digest: DigestKey::new(&dir.load_or_create("digest", &SystemEntropy::new()).unwrap()),
    };
    let settings = bailiwick_config::Ledger {
        durability,
        // Small, so that kills and full disks meet the turn of a segment too.
        segment_bytes: 64 << 10,
        segment_age: Duration::from_secs(3600),
        checkpoint_records: 100,
        checkpoint_every: Duration::from_secs(1),
        stall: Duration::from_secs(2),
        witness: bailiwick_config::Witness::default(),
        archive: None,
        retention: bailiwick_config::Retention::default(),
    };
    Ledger::open(&root.join("ledger"), settings, keys, Arc::new(SystemClock::new())).unwrap()
}

fn outcome(call: u128, detail: Option<&str>) -> Record<'_> {
    Record::Outcome(Outcome {
        call: CallId::from_bits(call),
        status: Status::Ok,
        code: None,
        detail,
        upstream: Upstream::default(),
        is_error: None,
        result: None,
        timing: Timing::default(),
    })
}

/// The child's side of the next test: appends from many tasks until it is killed, and tells each index only
/// after the ledger acknowledged it.
#[test]
#[ignore = "the child process of another test"]
fn child_appends_until_killed() {
    let mut words = String::new();
    std::io::stdin().read_line(&mut words).unwrap();
    let (durability, root) = words.trim().split_once(' ').unwrap();
    let durability = if durability == "disk" { Durability::Disk } else { Durability::Os };
    let ledger = open(Path::new(root), durability);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..64u128 {
            let ledger = Arc::clone(&ledger);
            tasks.spawn(async move {
                for number in 0u128.. {
                    let receipt = ledger.append(&outcome(task << 64 | number, None)).settled().await.unwrap();
                    // One write for the line, so that lines of tasks do not mix; the parent's pipe may break.
                    let line = format!("acknowledged {}\n", receipt.index);
                    if std::io::stderr().write_all(line.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    });
}

#[expect(clippy::disallowed_methods, reason = "a process must be killed to show what survives it")]
fn child(root: &Path, durability: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_appends_until_killed", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{durability} {}", root.display()).unwrap();
    child
}

/// Kills the child after it acknowledged so many records; tells the greatest index acknowledged and how many.
fn kill_after(mut child: Child, enough: usize) -> (u64, usize) {
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let (mut greatest, mut count, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        if told.read_line(&mut line).unwrap() == 0 {
            break;
        }
        if let Some(index) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("acknowledged ")) {
            greatest = greatest.max(index.parse().unwrap());
            count += 1;
        }
        if count == enough {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(count >= enough, "the child ended by itself after {count} records");
    (greatest, count)
}

fn nothing_acknowledged_is_lost(durability: &str, strength: Durability) {
    let root = tempfile::tempdir().unwrap();
    let mut known = 0;
    for round in 0..6 {
        let (greatest, count) = kill_after(child(root.path(), durability), 300 + 277 * round);
        let before = verify(&root.path().join("ledger"), &VerifyOptions::default()).unwrap();
        assert_eq!(before.bad, None);
        assert!(before.records > greatest, "{durability}: {greatest} acknowledged, {before:?}");
        assert!(before.records >= known + count as u64);
        let ledger = open(root.path(), strength);
        assert_eq!(ledger.status().unwrap().next_index, before.records);
        ledger.close().unwrap();
        known = before.records;
    }
    let report = verify(&root.path().join("ledger"), &VerifyOptions::default()).unwrap();
    assert_eq!((report.records, report.signed, report.bad), (known, known, None));
}

#[test]
fn kill_9_loses_nothing_acknowledged_with_durability_os() {
    nothing_acknowledged_is_lost("os", Durability::Os);
}

#[test]
fn kill_9_loses_nothing_acknowledged_with_durability_disk() {
    nothing_acknowledged_is_lost("disk", Durability::Disk);
}

/// A small file system in memory, unmounted at the end.
struct Tmpfs(PathBuf, #[expect(dead_code, reason = "removed when dropped")] tempfile::TempDir);

impl Tmpfs {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", path.to_str()?]).then(|| Self(path, dir))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        run("umount", &[self.0.to_str().unwrap()]);
    }
}

#[expect(clippy::disallowed_methods, reason = "mounting needs the system's own tool")]
fn run(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
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

async fn a_full_disk_refuses_and_recovers(durability: Durability) {
    let Some(disk) = Tmpfs::mount() else {
        println!("skipped: mounting a small tmpfs is not permitted here");
        return;
    };
    let ledger = open(&disk.0, durability);
    let filler = "x".repeat(4000);
    std::fs::write(disk.0.join("ballast"), vec![0; 512 * 1024]).unwrap();
    let mut taken = 0;
    let failed = loop {
        match ledger.append(&outcome(taken, Some(&filler))).settled().await {
            Ok(_) => taken += 1,
            Err(failed) => break failed,
        }
        assert!(taken < 1000, "the disk never fills");
    };
    assert_eq!(failed, RecordFailed::Unwritable);
    assert!(!ledger.is_available());
    assert_eq!(ledger.append(&outcome(5000, None)).settled().await, Err(RecordFailed::Unwritable));
    std::fs::remove_file(disk.0.join("ballast")).unwrap();
    eventually("recovery by itself", || ledger.is_available());
    let receipt = ledger.append(&outcome(6000, None)).settled().await.unwrap();
    assert_eq!(u128::from(receipt.index), taken);
    ledger.close().unwrap();
    let report = verify(&disk.0.join("ledger"), &VerifyOptions::default()).unwrap();
    assert_eq!((u128::from(report.records), report.torn_bytes, report.bad), (taken + 1, 0, None));
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_with_durability_os() {
    a_full_disk_refuses_and_recovers(Durability::Os).await;
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_with_durability_disk() {
    a_full_disk_refuses_and_recovers(Durability::Disk).await;
}

#[tokio::test]
async fn an_intent_survives_a_kill_and_is_closed_as_unknown() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(root.path(), Durability::Os);
    let started = Record::Lifecycle(Lifecycle { event: "started", version: "0", node: "test", backup: None });
    ledger.append(&started).settled().await.unwrap();
    ledger.close().unwrap();
    // An intent as a killed process leaves it: written, neither signed nor followed by its outcome.
    let call = CallId::from_bits(42);
    let path = root.path().join("ledger").join(format!("{:020}.jsonl", 0));
    let text = std::fs::read_to_string(&path).unwrap();
    let link = &bailiwick_ledger::leaf_hash(text.trim_end().as_bytes()).to_string()[..16];
    let time = "2126-01-01T00:00:00.000000Z";
    let line =
        format!(r#"{{"v":1,"index":1,"time":"{time}","prev":"{link}","kind":"intent","call":"{call}"}}"#);
    std::fs::write(&path, format!("{text}{line}\n")).unwrap();
    let ledger = open(root.path(), Durability::Os);
    let found = tail(&root.path().join("ledger"), 10, Some(call)).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[1].json.contains(r#""status":"unknown""#) && found[1].json.contains(time), "{found:?}");
    drop(ledger);
}
