//! What the ledger gets to see.

use bailiwick_model::record::PayloadDigest;
use bailiwick_model::{FrozenClock, Receipt, RecordFailed, Timestamp};

use super::*;

#[derive(Debug, Default)]
struct Lines(Mutex<Vec<serde_json::Value>>);

impl Recorder for Lines {
    fn append(&self, record: &Record<'_>) -> Recording {
        let mut lines = self.0.lock();
        lines.push(serde_json::to_value(record).unwrap());
        Recording::Settled(Ok::<_, RecordFailed>(Receipt { index: lines.len() as u64 }))
    }

    fn digest(&self, _: &[u8]) -> PayloadDigest {
        PayloadDigest([0; 32])
    }

    fn is_available(&self) -> bool {
        true
    }
}

fn world() -> (Arc<Lines>, Arc<FrozenClock>, AuthFailures) {
    let lines = Arc::new(Lines::default());
    let clock = Arc::new(FrozenClock::at(Timestamp::from_micros(0)));
    let failures = AuthFailures::new(Arc::clone(&lines) as _, Arc::clone(&clock) as _);
    (lines, clock, failures)
}

fn failure(path: &str) -> Failure<'_> {
    Failure { path, peer: "192.0.2.1", reason: "unknown_key", prefix: Some("abcdefghij") }
}

fn counts(lines: &Lines) -> Vec<u64> {
    lines.0.lock().iter().map(|line| line["count"].as_u64().unwrap()).collect()
}

#[test]
fn below_the_rate_each_failure_is_a_record_with_its_prefix() {
    let (lines, clock, failures) = world();
    for _ in 0..3 {
        for _ in 0..RATE {
            failures.note(failure("/mcp"));
        }
        clock.advance(Duration::from_secs(1));
    }
    failures.flush();
    assert_eq!(counts(&lines), vec![1; 30]);
    assert_eq!(lines.0.lock()[0]["prefix"], "abcdefghij");
}

#[test]
fn beyond_the_rate_failures_are_counted_and_none_is_lost() {
    let (lines, _, failures) = world();
    for _ in 0..1000 {
        failures.note(failure("/mcp"));
    }
    assert_eq!(counts(&lines).len(), 10);
    failures.flush();
    assert_eq!(counts(&lines).iter().sum::<u64>(), 1000);
    assert_eq!(counts(&lines).len(), 11);
}

#[test]
fn a_stranger_s_many_long_paths_stay_bounded() {
    let (lines, _, failures) = world();
    let long = "ä".repeat(5000);
    for at in 0..10_000 {
        failures.note(failure(&format!("/{at}{long}")));
    }
    failures.flush();
    let counts = counts(&lines);
    assert_eq!(counts.iter().sum::<u64>(), 10_000);
    assert!(counts.len() <= 10 + 129, "{}", counts.len());
    assert!(lines.0.lock().iter().all(|line| line["path"].as_str().unwrap().len() <= 256));
}

#[tokio::test]
async fn what_is_counted_is_written_when_the_gateway_stops() {
    let (lines, _, failures) = world();
    for _ in 0..20 {
        failures.note(failure("/mcp"));
    }
    failures.run(async {}).await;
    assert_eq!(counts(&lines).iter().sum::<u64>(), 20);
}
