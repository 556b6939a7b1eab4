use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::Durability;
use bailiwick_model::{RecordFailed, Recorder as _};

use super::fixture::{Faulty, Mode, Place, calls, eventually, intent, outcome};
use crate::Ledger;

async fn fails_and_recovers(durability: Durability, mode: Mode) {
    let mut place = Place::new();
    place.settings.durability = durability;
    let disk = Faulty::new();
    let ledger = place.open_on(&disk);
    calls(&ledger, 0..3).await;
    disk.set(mode);
    for number in 10..13 {
        assert_eq!(
            ledger.append(&intent(number)).settled().await,
            Err(RecordFailed::Unwritable),
            "{mode:?} {durability:?}"
        );
    }
    assert!(!ledger.is_available());
    disk.set(Mode::Well);
    eventually("recovery by itself", || ledger.is_available());
    calls(&ledger, 20..23).await;
    ledger.close().unwrap();
    let report = place.verify();
    assert_eq!(
        (report.records, report.open_calls, report.torn_bytes, report.bad),
        (12, 0, 0, None),
        "{mode:?}"
    );
}

#[tokio::test]
async fn failing_writes_refuse_leave_nothing_torn_and_recover() {
    for durability in [Durability::Os, Durability::Disk] {
        for mode in [Mode::Full, Mode::Short, Mode::Stuck] {
            fails_and_recovers(durability, mode).await;
        }
    }
}

#[tokio::test]
async fn a_failing_sync_refuses_with_durability_disk() {
    fails_and_recovers(Durability::Disk, Mode::Unsynced).await;
}

#[tokio::test]
async fn a_failing_disk_shows_while_nobody_calls() {
    let place = Place::new();
    let disk = Faulty::new();
    let ledger = place.open_on(&disk);
    disk.set(Mode::Full);
    eventually("the probe sees it", || !ledger.is_available());
    disk.set(Mode::Well);
    eventually("the probe sees it end", || ledger.is_available());
}

#[tokio::test]
async fn a_segment_that_was_removed_or_shortened_takes_no_more_records() {
    type Harm = fn(&std::path::Path);
    let harms: [Harm; 2] =
        [|path| std::fs::remove_file(path).unwrap(), |path| std::fs::write(path, b"{}\n").unwrap()];
    for harm in harms {
        let place = Place::new();
        let ledger = place.open();
        calls(&ledger, 0..3).await;
        harm(&place.segment(0));
        eventually("it shows", || !ledger.is_available());
        assert_eq!(ledger.append(&intent(9)).settled().await, Err(RecordFailed::Unwritable));
    }
}

/// The disk hangs while nobody writes: the probe notices, appends are refused in time, then all is well again.
async fn stalls_and_recovers(durability: Durability) {
    let mut place = Place::new();
    place.settings.durability = durability;
    place.settings.stall = Duration::from_millis(400);
    let disk = Faulty::new();
    let ledger = place.open_on(&disk);
    calls(&ledger, 0..3).await;
    disk.set(Mode::Hangs);
    eventually("the stall shows", || !ledger.is_available());
    let waiting: Vec<_> = (10..20).map(|number| ledger.append(&intent(number))).collect();
    for recording in waiting {
        let failed = tokio::time::timeout(Duration::from_secs(4), recording.settled()).await;
        assert_eq!(failed.unwrap(), Err(RecordFailed::Stalled));
    }
    disk.set(Mode::Well);
    eventually("recovery by itself", || ledger.is_available());
    calls(&ledger, 30..33).await;
    ledger.close().unwrap();
    let report = place.verify();
    // Those that were refused while they were being written may stand, whole.
    assert!((12..=22).contains(&report.records), "{report:?}");
    assert!(report.torn_bytes == 0 && report.bad.is_none(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_disk_refuses_in_time_and_recovers_with_durability_os() {
    stalls_and_recovers(Durability::Os).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_disk_refuses_in_time_and_recovers_with_durability_disk() {
    stalls_and_recovers(Durability::Disk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_refused_in_time_while_one_write_in_place_hangs() {
    let mut place = Place::new();
    place.settings.stall = Duration::from_millis(400);
    let disk = Faulty::new();
    let ledger = place.open_on(&disk);
    disk.set(Mode::Hangs);
    let held = {
        let ledger = Arc::clone(&ledger);
        std::thread::spawn(move || futures_ready(&ledger))
    };
    eventually("the stall shows", || !ledger.is_available());
    let failed = tokio::time::timeout(Duration::from_secs(4), ledger.append(&intent(2)).settled()).await;
    assert_eq!(failed.unwrap(), Err(RecordFailed::Stalled));
    disk.set(Mode::Well);
    held.join().unwrap();
    eventually("recovery by itself", || ledger.is_available());
    ledger.append(&outcome(1)).settled().await.unwrap();
    ledger.close().unwrap();
    assert_eq!(place.verify().bad, None);
}

/// An append whose answer nobody takes.
fn futures_ready(ledger: &Ledger) {
    drop(ledger.append(&intent(1)));
}

#[tokio::test]
async fn closing_a_hanging_ledger_ends_and_says_so() {
    let place = Place::new();
    let disk = Faulty::new();
    let ledger = place.open_on(&disk);
    calls(&ledger, 0..1).await;
    disk.set(Mode::Hangs);
    eventually("the stall shows", || !ledger.is_available());
    let recording = ledger.append(&intent(7));
    assert_eq!(ledger.close(), Err(crate::CloseError::Stalled));
    drop(recording);
    // The lock is held as long as something may still be written.
    assert!(place.try_open().is_err());
    disk.set(Mode::Well);
    eventually("the lock is given back", || place.try_open().is_ok());
}
