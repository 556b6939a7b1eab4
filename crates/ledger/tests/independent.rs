//! `docs/verify_ledger.py`, written by the documentation alone, comes to the same verdicts as `verify` and
//! `Proof::check`: on a real ledger with segments and rotated keys, on tampered ones, and on proofs.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::Durability;
use bailiwick_ledger::{
    Keys, Ledger, VerifierKey, VerifyOptions, prove_consistency, prove_inclusion, verify,
};
use bailiwick_model::record::Lifecycle;
use bailiwick_model::{Record, Recorder as _};
use bailiwick_runtime::{DigestKey, KeyDir, SigningKey, SystemClock, SystemEntropy};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Python that has what the verifier needs: the one that `cargo xtask setup` makes, or the system's.
fn python() -> Option<PathBuf> {
    let found = [root().join(".cache/py/bin/python"), PathBuf::from("python3")].into_iter().find(|python| {
        run(python, &["-c", "import cryptography"]).is_some_and(|output| output.status.success())
    });
    if found.is_none() {
        eprintln!("SKIPPED: no python3 with the package cryptography; `cargo xtask setup` installs it");
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "the independent verifier is a program of its own")]
fn run(python: &Path, arguments: &[&str]) -> Option<Output> {
    Command::new(python).args(arguments).output().ok()
}

/// Whether the verifier finds nothing wrong, and what it says.
fn says(python: &Path, arguments: &[&str]) -> (bool, String) {
    let program = root().join("docs/verify_ledger.py");
    let output = run(python, &[&[program.to_str().unwrap()], arguments].concat()).unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn open(home: &Path, key: &str) -> Arc<Ledger> {
    let dir = KeyDir::open(home.join("keys")).unwrap();
    let keys = Keys {
        origin: "node.test/ledger".into(),
        signing: SigningKey::load_or_create(&dir, key).unwrap(),
        digest: DigestKey::new(&dir.load_or_create("digest", &SystemEntropy::new()).unwrap()),
    };
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
    Ledger::open(&home.join("ledger"), settings, keys, Arc::new(SystemClock::new())).unwrap()
}

async fn append(ledger: &Ledger, records: u32) {
    for _ in 0..records {
        let record = Record::Lifecycle(Lifecycle {
            event: "started",
            version: "0",
            node: "Knoten ü \u{1f600}",
            backup: None,
        });
        ledger.append(&record).settled().await.unwrap();
    }
}

/// A ledger of 23 records in two segments; its key was rotated after the thirteenth.
async fn ledger(home: &Path) -> [VerifierKey; 2] {
    let ledger = open(home, "first");
    append(&ledger, 7).await;
    ledger.close().unwrap();
    let ledger = open(home, "first");
    append(&ledger, 5).await;
    let first = ledger.verifier().clone();
    let keys = KeyDir::open(home.join("keys")).unwrap();
    let second = ledger.rotate_key(SigningKey::load_or_create(&keys, "second").unwrap()).unwrap();
    drop(ledger);
    let ledger = open(home, "second");
    append(&ledger, 10).await;
    ledger.close().unwrap();
    [first, second]
}

fn file(home: &Path, name: &str, text: &str) -> String {
    let path = home.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_independent_verifier_accepts_a_ledger_with_any_of_its_keys_and_no_other() {
    let Some(python) = python() else { return };
    let home = tempfile::tempdir().unwrap();
    let keys = ledger(home.path()).await;
    let dir = home.path().join("ledger");
    let dir = dir.to_str().unwrap();
    let (good, said) = says(&python, &[dir]);
    assert!(good && said.contains("23 records are what was written, 23 of them signed"), "{said}");
    for key in &keys {
        let key = file(home.path(), "key", &key.to_string());
        let (good, said) = says(&python, &["--key", &key, dir]);
        assert!(good, "{said}");
    }
    let other = tempfile::tempdir().unwrap();
    let other = open(other.path(), "other").verifier().to_string();
    let (good, said) = says(&python, &["--key", &file(home.path(), "key", &other), dir]);
    assert!(!good && said.contains("is not signed with the ledger's key"), "{said}");
}

#[tokio::test]
async fn the_independent_verifier_names_what_was_changed() {
    let Some(python) = python() else { return };
    let home = tempfile::tempdir().unwrap();
    ledger(home.path()).await;
    let dir = home.path().join("ledger");
    let saved = file(home.path(), "saved", &fs::read_to_string(dir.join("checkpoint")).unwrap());
    let segment = dir.join(format!("{:020}.jsonl", 0));
    let text = fs::read_to_string(&segment).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
    type Change = fn(&mut Vec<String>);
    let changes: [(&str, Change); 5] = [
        ("record 4:", |lines| lines[4] = lines[4].replace("started", "stopped")),
        ("record 5:", |lines| drop(lines.remove(5))),
        ("record 6:", |lines| lines.insert(6, lines[5].clone())),
        ("record 8:", |lines| lines.swap(8, 9)),
        ("record 12:", |lines| lines.truncate(12)),
    ];
    for (named, change) in changes {
        let mut changed = lines.clone();
        change(&mut changed);
        fs::write(&segment, changed.concat()).unwrap();
        let (good, said) = says(&python, &[dir.to_str().unwrap()]);
        assert!(!good && said.contains(named), "{named} {said}");
        let report = verify(&dir, &VerifyOptions::default()).unwrap();
        assert_eq!(format!("record {}:", report.bad.unwrap().index), named);
    }
    // The end with all its checkpoints: only a checkpoint that was kept elsewhere tells.
    fs::write(&segment, lines.concat()).unwrap();
    fs::remove_file(dir.join(format!("{:020}.jsonl", 13))).unwrap();
    fs::remove_file(dir.join("checkpoint")).unwrap();
    assert!(says(&python, &[dir.to_str().unwrap()]).0);
    let (good, said) = says(&python, &["--checkpoint", &saved, dir.to_str().unwrap()]);
    assert!(!good && said.contains("record 13:"), "{said}");
}

#[tokio::test]
async fn the_independent_verifier_accepts_proofs_and_refuses_changed_ones() {
    let Some(python) = python() else { return };
    let home = tempfile::tempdir().unwrap();
    let keys = ledger(home.path()).await;
    let dir = home.path().join("ledger");
    let key = file(home.path(), "key", &keys[0].to_string());
    let proofs = [
        prove_inclusion(&dir, 0, None).unwrap(),
        prove_inclusion(&dir, 15, None).unwrap(),
        prove_inclusion(&dir, 22, None).unwrap(),
        prove_consistency(&dir, 7, 13).unwrap(),
        prove_consistency(&dir, 8, 23).unwrap(),
        prove_consistency(&dir, 23, 23).unwrap(),
    ];
    for proof in proofs {
        let text = serde_json::to_string(&proof).unwrap();
        let path = file(home.path(), "proof", &text);
        for arguments in [vec!["--proof", &path], vec!["--key", &key, "--proof", &path]] {
            let (good, said) = says(&python, &arguments);
            assert!(good, "{said} {text}");
        }
        for (from, to) in [
            ("\"path\":[", "\"path\":[\"00\","),
            ("started", "stopped"),
            ("\"index\":", "\"index\":1"),
            ("\"old\":{\"size\":", "\"old\":{\"size\":1"),
            ("\"v\":1", "\"v\":2"),
        ] {
            if text.contains(from) {
                let path = file(home.path(), "proof", &text.replacen(from, to, 1));
                let (good, said) = says(&python, &["--proof", &path]);
                assert!(!good && said.contains("not what was written"), "{from} {said}");
            }
        }
    }
}
