use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::Durability;
use bailiwick_model::record::{AuthFailure, Status};
use bailiwick_model::{Receipt, Record, RecordFailed, Recorder as _, Recording};
use tokio::task::JoinSet;

use super::fixture::{Faulty, Mode, NOON, Place, calls, intent, outcome};
use crate::{CompactRange, Ledger, SignedCheckpoint, leaf_hash};

#[tokio::test]
async fn records_stand_as_lines_and_leaves_in_their_order() {
    let place = Place::new();
    let ledger = place.open();
    let recording = ledger.append(&intent(1));
    assert!(matches!(recording, Recording::Settled(Ok(Receipt { index: 0 }))), "{recording:?}");
    place.clock.advance(Duration::from_millis(5));
    assert_eq!(ledger.append(&outcome(1)).settled().await, Ok(Receipt { index: 1 }));
    let lines = place.lines();
    assert!(
        lines[0].starts_with(
            r#"{"v":1,"index":0,"time":"2026-07-28T12:00:00.000000Z","prev":"0000000000000000","kind":"intent","call":"call_"#
        ),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with(r#"{"v":1,"index":1,"time":"2026-07-28T12:00:00.005000Z","prev":""#));
    let mut range = CompactRange::default();
    lines.iter().for_each(|line| range.push(leaf_hash(line.as_bytes())));
    let status = ledger.status().unwrap();
    assert_eq!((status.next_index, status.root), (2, range.root()));
    assert!(status.available);
}

#[tokio::test]
async fn time_stands_still_when_the_clock_goes_back_and_across_a_restart() {
    let mut place = Place::new();
    let ledger = place.open();
    calls(&ledger, 0..1).await;
    drop(ledger);
    place.clock =
        Arc::new(bailiwick_model::FrozenClock::at(bailiwick_model::Timestamp::from_micros(NOON / 2)));
    calls(&place.open(), 1..2).await;
    assert!(place.lines().iter().all(|line| line.contains("2026-07-28T12:00:00.000000Z")));
    assert_eq!(place.verify().bad, None);
}

#[tokio::test]
async fn closing_signs_the_end_and_later_appends_fail() {
    let place = Place::new();
    let ledger = place.open();
    calls(&ledger, 0..3).await;
    ledger.close().unwrap();
    assert_eq!(ledger.append(&intent(9)).settled().await, Err(RecordFailed::Closed));
    assert!(!ledger.is_available());
    let note = std::fs::read_to_string(place.dir().join("checkpoint")).unwrap();
    let note = SignedCheckpoint::parse(&note).unwrap();
    assert_eq!(note.checkpoint().size, 6);
    assert!(note.is_signed_by(ledger.verifier()));
    let report = place.verify();
    assert_eq!((report.records, report.signed, report.open_calls, report.bad), (6, 6, 0, None));
}

#[tokio::test]
async fn a_checkpoint_comes_after_its_time() {
    let place = Place::new();
    let ledger = place.open();
    calls(&ledger, 0..3).await;
    assert_eq!(ledger.status().unwrap().checkpoint_size, 0);
    place.clock.advance(Duration::from_secs(11));
    super::fixture::eventually("a checkpoint of six records", || {
        ledger.status().unwrap().checkpoint_size == 6
    });
    assert_eq!(place.verify().signed, 6);
}

#[tokio::test]
async fn segments_turn_by_size_and_by_age_and_verify_as_one() {
    let mut place = Place::new();
    place.settings.segment_bytes = 4096;
    let ledger = place.open();
    for batch in 0..8 {
        calls(&ledger, batch * 10..batch * 10 + 10).await;
        super::fixture::eventually("another segment", || {
            ledger.status().unwrap().segments as u128 > batch + 1
        });
    }
    let by_size = ledger.status().unwrap().segments;
    calls(&ledger, 100..101).await;
    place.clock.advance(Duration::from_secs(3601));
    super::fixture::eventually("a segment by age", || ledger.status().unwrap().segments > by_size);
    ledger.close().unwrap();
    let report = place.verify();
    assert_eq!((report.records, report.signed), (162, 162));
    assert!(report.segments >= 8 && report.bad.is_none(), "{report:?}");
}

#[tokio::test]
async fn what_a_stranger_wrote_cannot_forge_a_line() {
    let place = Place::new();
    let ledger = place.open();
    let forged = Record::AuthFailure(AuthFailure {
        path: "/mcp\"}\n{\"v\":1,\"index\":1,\"kind\":\"outcome\"}\r\u{2028}\u{1b}[2J\0",
        peer: "127.0.0.1",
        reason: "missing",
        prefix: None,
        count: 1,
    });
    ledger.append(&forged).settled().await.unwrap();
    ledger.close().unwrap();
    let report = place.verify();
    assert_eq!((place.lines().len(), report.records, report.bad), (1, 1, None));
    assert!(place.lines()[0].bytes().all(|byte| byte >= b' '));
}

#[test]
fn digests_are_keyed_and_repeat() {
    let place = Place::new();
    let ledger = place.open();
    let digest = ledger.digest(b"payload");
    assert_eq!(digest, ledger.digest(b"payload"));
    assert_ne!(digest, Place::new().open().digest(b"payload"));
}

/// Many tasks on more threads than cores; every index once, every call's pair there, verify clean.
async fn crowd(durability: Durability, tasks: u128, each: u128) {
    let mut place = Place::new();
    place.settings.durability = durability;
    place.settings.segment_bytes = 256 * 1024;
    let ledger = place.open();
    let mut set = JoinSet::new();
    for task in 0..tasks {
        let ledger = Arc::clone(&ledger);
        set.spawn(async move { append_calls(&ledger, task << 64, each).await });
    }
    let mut seen = HashSet::new();
    while let Some(indices) = set.join_next().await {
        for index in indices.unwrap() {
            assert!(seen.insert(index), "index {index} was given twice");
        }
    }
    let total = u64::try_from(tasks * each * 2).unwrap();
    assert_eq!((seen.len() as u64, seen.iter().max().copied()), (total, Some(total - 1)));
    ledger.close().unwrap();
    let report = place.verify();
    assert_eq!((report.records, report.signed, report.open_calls, report.bad), (total, total, 0, None));
}

async fn append_calls(ledger: &Ledger, base: u128, each: u128) -> Vec<u64> {
    let mut indices = Vec::new();
    for number in base..base + each {
        let opened = ledger.append(&intent(number)).settled().await.unwrap().index;
        tokio::task::yield_now().await;
        let closed = ledger.append(&outcome(number)).settled().await.unwrap().index;
        assert!(opened < closed);
        indices.extend([opened, closed]);
    }
    indices
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_of_tasks_gets_dense_indices_with_durability_os() {
    crowd(Durability::Os, 64, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_of_tasks_gets_dense_indices_with_durability_disk() {
    crowd(Durability::Disk, 32, 20).await;
}

#[tokio::test]
async fn what_is_appended_and_what_is_refused_is_counted() {
    let place = Place::new();
    let medium = Faulty::new();
    let ledger = place.open_on(&medium);
    calls(&ledger, 0..3).await;
    let status = ledger.status().unwrap();
    let ended: Vec<_> = status.counts.ended().filter(|(_, count)| *count > 0).collect();
    assert_eq!((ended, status.refused), (vec![(Status::Ok, 3)], 0));
    assert_eq!(status.counts.bytes, status.bytes);
    medium.set(Mode::Full);
    for call in 3..5 {
        assert!(ledger.append(&intent(call)).settled().await.is_err());
    }
    assert_eq!(ledger.status().unwrap().refused, 2);
    medium.set(Mode::Well);
    ledger.close().unwrap();
    let again = place.open();
    assert_eq!(again.status().unwrap().counts, crate::Counts::default());
}
