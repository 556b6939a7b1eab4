//! A copy of a ledger is a ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::fixture::{Place, calls};
use crate::{Held, OpenError, SignedCheckpoint, VerifyOptions, copy, verify};

/// Small segments, so that a copy spans many.
fn place() -> Place {
    let mut place = Place::new();
    place.settings.segment_bytes = 16 << 10;
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_under_load_ends_where_its_checkpoint_does_and_verifies() {
    let place = place();
    let ledger = place.open();
    let stop = Arc::new(AtomicBool::new(false));
    let (writer, stopped) = (Arc::clone(&ledger), Arc::clone(&stop));
    let load = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut call = 0;
        while !stopped.load(Ordering::Relaxed) {
            runtime.block_on(calls(&writer, call..call + 10));
            call += 10;
            // Faster than copies are verified, this would never end.
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let mut sizes = Vec::new();
    for nth in 0..8 {
        let size = ledger.sign().unwrap().unwrap().checkpoint().size;
        let to = place.root.path().join(format!("copy-{nth}"));
        copy(&place.dir(), &to, Some(size)).unwrap();
        let report = verify(&to, &VerifyOptions::default()).unwrap();
        assert_eq!((report.bad, report.records, report.signed), (None, size, size));
        let newest = std::fs::read_to_string(to.join("checkpoint")).unwrap();
        assert_eq!(SignedCheckpoint::parse(&newest).unwrap().checkpoint().size, size);
        sizes.push(size);
    }
    stop.store(true, Ordering::Relaxed);
    load.join().unwrap();
    assert!(sizes.first() < sizes.last(), "nothing was written meanwhile: {sizes:?}");
    let last = place.root.path().join("copy-7");
    assert!(std::fs::read_dir(&last).unwrap().count() > 6, "the copy has several segments");
}

#[tokio::test]
async fn a_gateway_goes_on_with_a_copy_and_a_torn_line_is_not_copied() {
    let place = place();
    let ledger = place.open();
    calls(&ledger, 0..200).await;
    ledger.close().unwrap();
    let before = place.verify();
    let last = crate::segment::list(&place.dir()).unwrap().pop().unwrap().path;
    let torn = [std::fs::read(&last).unwrap(), b"{\"v\":1,\"ind".to_vec()].concat();
    std::fs::write(&last, torn).unwrap();
    let away = place.root.path().join("away");
    Held::hold(&place.dir()).unwrap().copy(&away).unwrap();
    let report = verify(&away, &VerifyOptions::default()).unwrap();
    assert_eq!((report.bad, report.records, report.torn_bytes), (None, before.records, 0));
    assert_eq!(report.root, before.root);
    std::fs::remove_dir_all(place.dir()).unwrap();
    std::fs::rename(&away, place.dir()).unwrap();
    let ledger = place.open();
    calls(&ledger, 200..210).await;
    ledger.close().unwrap();
    let after = place.verify();
    assert_eq!((after.bad, after.records), (None, before.records + 20));
}

#[tokio::test]
async fn a_ledger_that_is_written_is_not_held_and_a_held_one_is_not_written() {
    let place = place();
    let ledger = place.open();
    assert!(matches!(Held::hold(&place.dir()), Err(OpenError::InUse { .. })));
    ledger.close().unwrap();
    drop(ledger);
    let held = Held::hold(&place.dir()).unwrap();
    assert!(matches!(place.try_open(), Err(OpenError::InUse { .. })));
    drop(held);
    place.open();
}

#[tokio::test]
async fn an_empty_ledger_and_exactly_full_segments_are_copied() {
    let place = place();
    let ledger = place.open();
    ledger.sign().unwrap();
    let empty = place.root.path().join("empty");
    copy(&place.dir(), &empty, Some(0)).unwrap();
    assert_eq!(verify(&empty, &VerifyOptions::default()).unwrap().records, 0);
    calls(&ledger, 0..300).await;
    ledger.close().unwrap();
    for segment in crate::segment::list(&place.dir()).unwrap().iter().skip(1) {
        let to = place.root.path().join(segment.first.to_string());
        copy(&place.dir(), &to, Some(segment.first)).unwrap();
        let report = verify(&to, &VerifyOptions::default()).unwrap();
        assert_eq!((report.bad, report.records), (None, segment.first));
    }
}
