//! The wall clock steps back and forth: times in the ledger do not, and checkpoints and segments go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bailiwick_model::{Clock, Timestamp};

use super::fixture::{NOON, Place, calls, eventually};
use crate::{Follow, Ledger};

/// A clock that somebody sets, while time goes on.
#[derive(Debug)]
struct Set {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.wall.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.monotonic.load(Ordering::Relaxed))
    }
}

const DAY: i64 = 86_400_000_000;

#[tokio::test]
async fn a_clock_that_steps_back_and_forth_leaves_times_in_order_and_everything_signed() {
    let mut place = Place::new();
    place.settings.segment_bytes = 4096;
    let clock = Arc::new(Set { wall: AtomicI64::new(NOON), monotonic: AtomicU64::new(0) });
    let open = || {
        let clock = Arc::clone(&clock) as Arc<dyn Clock>;
        Ledger::open(&place.dir(), place.settings.clone(), place.keys(), clock).unwrap()
    };
    let mut ledger = open();
    let steps = [0, DAY, -30 * DAY, 1, 365 * DAY, -730 * DAY, -NOON, 3600 * 1_000_000, 400 * DAY, -DAY];
    for (nth, step) in (0u64..).zip(steps) {
        clock.wall.fetch_add(step, Ordering::Relaxed);
        let base = u128::from(nth) * 10;
        calls(&ledger, base..base + 5).await;
        clock.monotonic.fetch_add(11, Ordering::Relaxed);
        let size = (nth + 1) * 10;
        eventually("a checkpoint of all", || {
            // A segment that turned in between was signed, and begins the wait anew.
            clock.monotonic.fetch_add(1, Ordering::Relaxed);
            ledger.status().unwrap().checkpoint_size == size
        });
        if nth % 3 == 2 {
            ledger.close().unwrap();
            drop(ledger);
            ledger = open();
        }
    }
    ledger.close().unwrap();
    let report = place.verify();
    assert_eq!((report.records, report.signed, report.bad), (100, 100, None));
    let mut follow = Follow::from(&place.dir(), 0);
    let mut times = Vec::new();
    while times.len() < 100 {
        times.extend(follow.read().unwrap().into_iter().map(|line| line.json[8..].to_owned()));
    }
    let times: Vec<_> =
        times.iter().map(|line| line.split("\"time\":\"").nth(1).unwrap()[..27].to_owned()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(
        times[0].starts_with("2026-07-28T12:00") && times[99].starts_with("2027-06-29T12:00"),
        "{times:?}"
    );
}
