use std::fs::{self, OpenOptions};
use std::io::Write as _;

use bailiwick_model::Recorder as _;

use super::fixture::{Place, calls, eventually, intent};
use crate::{Fault, OpenError};

fn append_bytes(path: &std::path::Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[tokio::test]
async fn a_second_writer_is_refused_and_told_who_has_it() {
    let place = Place::new();
    let first = place.open();
    let refused = place.try_open().unwrap_err();
    assert!(matches!(&refused, OpenError::InUse { pid: Some(pid), .. } if *pid == std::process::id()));
    assert!(refused.to_string().contains("one ledger has one writer"), "{refused}");
    first.close().unwrap();
    place.open();
}

#[tokio::test]
async fn a_ledger_goes_on_where_it_ended() {
    let place = Place::new();
    for run in 0..4u128 {
        let ledger = place.open();
        assert_eq!(u128::from(ledger.status().unwrap().next_index), run * 6);
        calls(&ledger, run * 3..run * 3 + 3).await;
    }
    let report = place.verify();
    assert_eq!((report.records, report.segments, report.bad), (24, 1, None));
}

#[tokio::test]
async fn open_intents_get_unknown_outcomes_at_the_next_start() {
    let place = Place::new();
    let ledger = place.open();
    calls(&ledger, 0..2).await;
    for call in [7, 8] {
        ledger.append(&intent(call)).settled().await.unwrap();
    }
    drop(ledger);
    assert_eq!(place.verify().open_calls, 2);
    drop(place.open());
    let lines = place.lines();
    for (line, call) in lines[6..].iter().zip(["07", "08"]) {
        assert!(line.contains(r#""kind":"outcome""#) && line.contains(r#""status":"unknown""#), "{line}");
        assert!(line.contains(&format!("{call}\"")), "{line}");
    }
    assert_eq!((lines.len(), place.verify().open_calls), (8, 0));
    drop(place.open());
    assert_eq!(place.lines().len(), 8);
}

#[tokio::test]
async fn open_intents_are_found_through_seals() {
    let mut place = Place::new();
    place.settings.segment_bytes = 2048;
    let ledger = place.open();
    ledger.append(&intent(99)).settled().await.unwrap();
    calls(&ledger, 0..20).await;
    eventually("a second segment", || ledger.status().unwrap().segments > 1);
    calls(&ledger, 20..21).await;
    drop(ledger);
    drop(place.open());
    let report = place.verify();
    assert_eq!((report.records, report.open_calls, report.bad), (44, 0, None));
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_kept_aside() {
    for tail in [&br#"{"v":1,"index":6,"ti"#[..], b"\0\0\0\0", b"{\"v\":1,\"index\":6}\n", b"\n"] {
        let place = Place::new();
        calls(&place.open(), 0..3).await;
        let whole = fs::read(place.segment(0)).unwrap();
        append_bytes(&place.segment(0), tail);
        let ledger = place.open();
        calls(&ledger, 3..4).await;
        drop(ledger);
        let aside = place.dir().join(format!("{:020}.{}.torn", 0, whole.len()));
        assert_eq!(fs::read(aside).unwrap(), tail);
        assert!(fs::read(place.segment(0)).unwrap().starts_with(&whole));
        let report = place.verify();
        assert_eq!((report.records, report.bad), (8, None));
    }
}

#[tokio::test]
async fn a_hole_that_a_loss_of_power_left_is_cut_with_what_stands_behind_it() {
    let place = Place::new();
    calls(&place.open(), 0..3).await;
    let last = place.lines().pop().unwrap();
    let tail = [b"{\"v\":1,\0\0\0\0\n", last.as_bytes(), b"\n"].concat();
    append_bytes(&place.segment(0), &tail);
    assert_eq!(place.open().status().unwrap().next_index, 6);
    assert_eq!(place.verify().bad, None);
}

#[tokio::test]
async fn a_damaged_record_that_was_signed_is_left_as_evidence() {
    for damage in [&b"\0"[..], b"x"] {
        let place = Place::new();
        calls(&place.open(), 0..3).await;
        let mut bytes = fs::read(place.segment(0)).unwrap();
        let at = bytes.len() - 1 - damage.len();
        bytes.splice(at..at + damage.len(), damage.iter().copied());
        fs::write(place.segment(0), &bytes).unwrap();
        let refused = place.try_open().unwrap_err();
        assert!(matches!(refused, OpenError::Altered { index: 5, fault: Fault::Truncated { size: 6 }, .. }));
        assert_eq!(fs::read(place.segment(0)).unwrap(), bytes);
    }
}

#[tokio::test]
async fn every_cut_within_the_last_record_is_survived() {
    let place = Place::new();
    let ledger = place.open();
    calls(&ledger, 0..1).await;
    drop(ledger);
    let signed = fs::read(place.segment(0)).unwrap();
    // One more record than the last checkpoint tells of.
    let ledger = place.open();
    ledger.append(&intent(5)).settled().await.unwrap();
    let longer = fs::read(place.segment(0)).unwrap();
    let notes = place.segment(0).with_extension("notes");
    let notes_then = fs::read(&notes).unwrap();
    let checkpoint_then = fs::read(place.dir().join("checkpoint")).unwrap();
    drop(ledger);
    for cut in (signed.len()..longer.len()).step_by(7) {
        fs::write(place.segment(0), &longer[..cut]).unwrap();
        fs::write(&notes, &notes_then).unwrap();
        fs::write(place.dir().join("checkpoint"), &checkpoint_then).unwrap();
        assert_eq!(place.open().status().unwrap().next_index, 2, "cut at {cut}");
    }
}

#[tokio::test]
async fn a_changed_ledger_is_not_continued() {
    let place = Place::new();
    calls(&place.open(), 0..3).await;
    let text = fs::read_to_string(place.segment(0)).unwrap();
    fs::write(place.segment(0), text.replacen("agent", "admin", 1)).unwrap();
    let refused = place.try_open().unwrap_err();
    assert!(matches!(refused, OpenError::Altered { index: 0, fault: Fault::Link, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_ledger_shorter_than_its_checkpoint_is_not_continued() {
    let place = Place::new();
    calls(&place.open(), 0..3).await;
    let lines = place.lines();
    fs::write(place.segment(0), lines[..4].join("\n") + "\n").unwrap();
    let refused = place.try_open().unwrap_err();
    assert!(matches!(refused, OpenError::Altered { index: 4, fault: Fault::Truncated { size: 6 }, .. }));
}

#[tokio::test]
async fn lost_and_forged_seals_only_cost_time() {
    let mut place = Place::new();
    place.settings.segment_bytes = 2048;
    let ledger = place.open();
    for batch in 0..3 {
        calls(&ledger, batch * 10..batch * 10 + 10).await;
        eventually("another segment", || ledger.status().unwrap().segments as u128 > batch + 1);
    }
    drop(ledger);
    let seals: Vec<_> = fs::read_dir(place.dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seal"))
        .collect();
    assert!(seals.len() >= 3, "{seals:?}");
    for seal in &seals {
        let forged = fs::read_to_string(seal).unwrap().replacen("\"next\":", "\"next\":1", 1);
        fs::write(seal, forged).unwrap();
    }
    assert_eq!(place.open().status().unwrap().next_index, 60);
    seals.iter().for_each(|seal| fs::remove_file(seal).unwrap());
    assert_eq!(place.open().status().unwrap().next_index, 60);
    assert_eq!(place.verify().bad, None);
}
