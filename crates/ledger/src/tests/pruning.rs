//! What is pruned is vouched for by what stays, and with the archive everything is checked as before.

use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_model::record::AdminChange;
use bailiwick_model::{Record, Recorder as _};
use bailiwick_runtime::{KeyDir, SigningKey};

use super::fixture::{Place, calls};
use crate::{
    Fault, Ledger, PRUNE, ProveError, Pruning, SignedCheckpoint, VerifyError, VerifyOptions, copy,
    prove_consistency, prove_inclusion, verify,
};

const ARCHIVE: &str = "/mnt/archive";

/// Small segments, so that there are several.
fn place() -> Place {
    let mut place = Place::new();
    place.settings.segment_bytes = 16 << 10;
    place
}

/// A ledger with some closed segments.
async fn grown(place: &Place) -> std::sync::Arc<Ledger> {
    let ledger = place.open();
    for nth in 0..8u128 {
        calls(&ledger, nth * 50..(nth + 1) * 50).await;
        super::fixture::eventually("the segment is turned", || {
            ledger.sign().is_ok() && ledger.closed().unwrap().len() as u128 >= nth
        });
    }
    ledger
}

/// Copies closed segments, as an archive does.
fn archived(place: &Place, ledger: &Ledger) -> PathBuf {
    let folder = place.root.path().join("archive");
    fs::create_dir_all(&folder).unwrap();
    for file in ledger.closed().unwrap().iter().flat_map(crate::Closed::files) {
        fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
    folder
}

async fn record(ledger: &Ledger, pruning: &Pruning) {
    let change = Record::AdminChange(AdminChange {
        who: None,
        operation: PRUNE,
        object: "node.test/ledger",
        before: None,
        after: Some(&pruning.told()),
    });
    ledger.append(&change).settled().await.unwrap();
}

/// Prunes the oldest `n` segments.
async fn prune(ledger: &Ledger, n: usize) -> u64 {
    let mut closed = ledger.closed().unwrap();
    closed.truncate(n);
    let mut pruning = ledger.prunable(closed, ARCHIVE).unwrap().unwrap();
    ledger.begin_pruning(&mut pruning).unwrap();
    record(ledger, &pruning).await;
    ledger.prune(&pruning).unwrap();
    pruning.told()["next"].as_u64().unwrap()
}

fn spanning(place: &Place, archive: &Path) -> crate::Report {
    let archive = Some(archive.to_owned());
    verify(&place.dir(), &VerifyOptions { archive, ..VerifyOptions::default() }).unwrap()
}

fn file(place: &Place, name: &str) -> Option<PathBuf> {
    let paths = fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path());
    paths.into_iter().find(|path| path.to_str().unwrap().ends_with(name))
}

#[tokio::test]
async fn a_pruned_ledger_goes_on_verifies_and_is_whole_with_its_archive() {
    let place = place();
    let ledger = grown(&place).await;
    let folder = archived(&place, &ledger);
    let first = prune(&ledger, 2).await;
    let next = prune(&ledger, 1).await;
    assert!(next > first);
    let status = ledger.status().unwrap();
    assert_eq!(status.pruned, next);
    ledger.close().unwrap();
    drop(ledger);
    assert!(!place.segment(0).exists() && place.segment(next).exists());
    for _ in 0..2 {
        let report = place.verify();
        assert_eq!(report.bad, None);
        let pruned = report.pruned.unwrap();
        assert_eq!((pruned.records, pruned.archive.as_str()), (next, ARCHIVE));
        let whole = spanning(&place, &folder);
        assert_eq!((whole.bad, whole.pruned), (None, None));
        assert_eq!((whole.records, whole.root), (report.records, report.root));
        // A start finds the end behind what was pruned, also without any seal.
        for seal in fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path()) {
            if seal.extension().is_some_and(|extension| extension == "seal") {
                fs::remove_file(seal).unwrap();
            }
        }
        let ledger = place.open();
        assert_eq!(ledger.status().unwrap().next_index, report.records);
        calls(&ledger, 1000..1005).await;
        ledger.close().unwrap();
    }
}

#[tokio::test]
async fn what_was_done_to_a_pruned_ledger_or_its_archive_is_named() {
    let place = place();
    let ledger = grown(&place).await;
    let folder = archived(&place, &ledger);
    let saved = ledger.sign().unwrap();
    let next = prune(&ledger, 2).await;
    ledger.close().unwrap();
    let bad = |report: crate::Report| report.bad.map(|bad| (bad.index, bad.fault));
    let change = |path: &Path, from: &str, to: &str| {
        let whole = fs::read_to_string(path).unwrap();
        assert!(whole.contains(from), "{from} in {}", path.display());
        fs::write(path, whole.replacen(from, to, 1)).unwrap();
        whole
    };
    // A pruned record, in the archive.
    let segment = folder.join(format!("{:020}.jsonl", 0));
    let whole = change(&segment, "\"index\":5,", "\"index\":5, ");
    assert_eq!(bad(spanning(&place, &folder)), Some((5, Fault::Link)));
    fs::write(&segment, whole).unwrap();
    // A record that is in both.
    let segment = folder.join(format!("{next:020}.jsonl"));
    let changed = format!("\"index\":{}", next + 1);
    let whole = change(&segment, &changed, &format!("{changed} "));
    let report = spanning(&place, &folder);
    assert_eq!(report.bad.as_ref().unwrap().file, segment);
    assert_eq!(bad(report), Some((next + 1, Fault::Archived)));
    fs::write(&segment, whole).unwrap();
    // A segment is missing in the archive.
    let (segment, away) = (folder.join(format!("{:020}.jsonl", 0)), folder.join("away"));
    fs::rename(&segment, &away).unwrap();
    assert!(matches!(bad(spanning(&place, &folder)), Some((0, Fault::Sequence { .. }))));
    fs::rename(&away, &segment).unwrap();
    assert_eq!(bad(spanning(&place, &folder)), None);
    // What stands for it, in the ledger.
    let stands = file(&place, ".pruned").unwrap();
    let whole = change(&stands, "\"peaks\":[\"", "\"peaks\":[\"00");
    assert!(verify(&place.dir(), &VerifyOptions::default()).is_err(), "it is none any more");
    fs::write(&stands, whole).unwrap();
    let text = fs::read_to_string(&stands).unwrap();
    let digit = text.find("\"peaks\":[\"").unwrap() + 10;
    let other = if &text[digit..=digit] == "0" { "1" } else { "0" };
    fs::write(&stands, format!("{}{other}{}", &text[..digit], &text[digit + 1..])).unwrap();
    assert_eq!(bad(place.verify()), Some((next, Fault::Pruned)));
    fs::remove_file(&stands).unwrap();
    assert_eq!(bad(place.verify()), Some((0, Fault::Sequence { found: next })));
    fs::write(&stands, text).unwrap();
    assert_eq!(bad(place.verify()), None);
    // A checkpoint that was kept and is older than what is left.
    let options = VerifyOptions { saved, ..VerifyOptions::default() };
    assert_eq!(verify(&place.dir(), &options).unwrap().bad, None);
    let older = fs::read_to_string(folder.join(format!("{:020}.notes", 0))).unwrap();
    let end = older.find("\n\n").unwrap() + older[older.find("\n\n").unwrap() + 2..].find('\n').unwrap() + 3;
    let older = SignedCheckpoint::parse(&older[..end]).unwrap();
    let options = VerifyOptions { saved: Some(older), ..VerifyOptions::default() };
    assert!(matches!(verify(&place.dir(), &options), Err(VerifyError::Pruned { .. })));
    let options = VerifyOptions { archive: Some(folder), ..options };
    assert_eq!(verify(&place.dir(), &options).unwrap().bad, None);
}

#[tokio::test]
async fn segments_that_go_without_a_record_are_missed() {
    let place = place();
    let ledger = grown(&place).await;
    let mut closed = ledger.closed().unwrap();
    closed.truncate(2);
    let mut pruning = ledger.prunable(closed, ARCHIVE).unwrap().unwrap();
    ledger.begin_pruning(&mut pruning).unwrap();
    ledger.prune(&pruning).unwrap();
    ledger.close().unwrap();
    let next = pruning.told()["next"].as_u64().unwrap();
    let bad = place.verify().bad.unwrap();
    assert_eq!((bad.index, bad.fault), (next, Fault::Unpruned));
}

#[tokio::test]
async fn a_start_finishes_what_was_recorded_and_forgets_what_was_not() {
    let place = place();
    for recorded in [false, true] {
        let ledger = if recorded { place.open() } else { grown(&place).await };
        let mut closed = ledger.closed().unwrap();
        closed.truncate(2);
        let mut pruning = ledger.prunable(closed, ARCHIVE).unwrap().unwrap();
        ledger.begin_pruning(&mut pruning).unwrap();
        if recorded {
            record(&ledger, &pruning).await;
        }
        // The process ends here.
        ledger.close().unwrap();
        drop(ledger);
        assert_eq!(place.verify().bad, None, "nothing is gone yet");
        place.open().close().unwrap();
        assert!(file(&place, ".pruning").is_none());
        assert_eq!(place.segment(0).exists(), !recorded);
        let report = place.verify();
        assert_eq!((report.bad, report.pruned.is_some()), (None, recorded));
    }
    // Or when it was done, and the files were not gone.
    fs::write(place.segment(0), "left over").unwrap();
    assert_eq!(place.verify().bad, None);
    place.open().close().unwrap();
    assert!(!place.segment(0).exists());
}

#[tokio::test]
async fn only_what_was_signed_is_pruned() {
    let place = place();
    let ledger = grown(&place).await;
    let closed = ledger.closed().unwrap();
    let segment = place.segment(closed[1].first());
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replacen("\"ok\"", "\"no\"", 1)).unwrap();
    let error = ledger.prunable(closed.clone(), ARCHIVE).unwrap_err().to_string();
    assert!(error.contains("changed at record"), "{error}");
    fs::write(&segment, text).unwrap();
    // An end must be one that a checkpoint signs.
    fs::remove_file(segment.with_extension("seal")).unwrap();
    let pruning = ledger.prunable(closed[..2].to_vec(), ARCHIVE).unwrap().unwrap();
    assert_eq!(pruning.segments.len(), 1);
    assert!(ledger.prunable(Vec::new(), ARCHIVE).unwrap().is_none());
}

#[tokio::test]
async fn proofs_of_what_is_left_need_no_archive_and_others_say_where_it_is() {
    let place = place();
    let ledger = grown(&place).await;
    let folder = archived(&place, &ledger);
    let next = prune(&ledger, 3).await;
    let size = ledger.sign().unwrap().unwrap().checkpoint().size;
    let dir = place.dir();
    let whole = crate::Place::from(&dir).with_archive(Some(&folder));
    for index in [next, next + 1, size - 1] {
        prove_inclusion(&dir, index, None).unwrap().check(&[]).unwrap();
    }
    for index in [0, 7, next - 1, next] {
        prove_inclusion(whole, index, None).unwrap().check(&[]).unwrap();
    }
    prove_consistency(&dir, next, size).unwrap().check(&[]).unwrap();
    prove_consistency(whole, 5, size).unwrap().check(&[]).unwrap();
    for error in [prove_inclusion(&dir, next - 1, None), prove_consistency(&dir, 5, size)] {
        let error = error.unwrap_err();
        assert!(matches!(&error, ProveError::Pruned { next: n, .. } if *n == next), "{error}");
        assert!(error.to_string().contains(ARCHIVE));
    }
}

#[tokio::test]
async fn a_pruned_rotation_still_leads_from_key_to_key() {
    let place = place();
    let ledger = place.open();
    calls(&ledger, 0..10).await;
    let old = ledger.verifier().clone();
    let keys = KeyDir::open(place.root.path().join("keys")).unwrap();
    let second = ledger.rotate_key(SigningKey::load_or_create(&keys, "second").unwrap()).unwrap();
    drop(ledger);
    let open = || {
        let keys =
            crate::Keys { signing: SigningKey::load_or_create(&keys, "second").unwrap(), ..place.keys() };
        let clock = std::sync::Arc::clone(&place.clock) as std::sync::Arc<dyn bailiwick_model::Clock>;
        Ledger::open(&place.dir(), place.settings.clone(), keys, clock).unwrap()
    };
    let ledger = open();
    calls(&ledger, 10..20).await;
    let next = prune(&ledger, 1).await;
    ledger.close().unwrap();
    drop(ledger);
    open().close().unwrap();
    for key in [old, second] {
        let report =
            verify(&place.dir(), &VerifyOptions { keys: vec![key.clone()], ..VerifyOptions::default() });
        let report = report.unwrap();
        assert_eq!((report.bad, report.rotations), (None, 1));
        prove_inclusion(&place.dir(), next, None).unwrap().check(&[key]).unwrap();
    }
}

#[tokio::test]
async fn a_copy_of_a_pruned_ledger_is_one_and_goes_on() {
    let place = place();
    let ledger = grown(&place).await;
    let next = prune(&ledger, 2).await;
    let size = ledger.sign().unwrap().unwrap().checkpoint().size;
    let to = place.root.path().join("copy");
    copy(&place.dir(), &to, Some(size)).unwrap();
    ledger.close().unwrap();
    drop(ledger);
    let report = verify(&to, &VerifyOptions::default()).unwrap();
    assert_eq!((report.bad, report.records), (None, size));
    assert_eq!(report.pruned.unwrap().records, next);
    fs::remove_dir_all(place.dir()).unwrap();
    fs::rename(&to, place.dir()).unwrap();
    let ledger = place.open();
    calls(&ledger, 1000..1010).await;
    ledger.close().unwrap();
    assert_eq!(place.verify().bad, None);
}
