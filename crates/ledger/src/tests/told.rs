//! Checkpoints are on record, and a ledger at rest stays at rest.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_runtime::Tasks;
use serde_json::{Value, json};

use super::fixture::{Place, calls};
use crate::{SignedCheckpoint, record_checkpoints};

fn checkpoints(place: &Place) -> Vec<Value> {
    let lines = place.lines();
    let records = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["kind"] == "checkpoint").collect()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let looking = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"));
}

#[tokio::test]
async fn checkpoints_are_on_record_and_a_ledger_at_rest_stays_at_rest() {
    let place = Place::new();
    let ledger = place.open();
    let recorder = Arc::clone(&ledger);
    let tasks = Tasks::new();
    tasks.spawn_until_stop("checkpoint records", async move { record_checkpoints(&recorder).await });
    calls(&ledger, 0..3).await;
    place.clock.advance(Duration::from_secs(11));
    until("the first is on record", || checkpoints(&place).len() == 1).await;
    let first = &checkpoints(&place)[0];
    let notes = std::fs::read_to_string(place.segment(0).with_extension("notes")).unwrap();
    let note = SignedCheckpoint::parse(&notes[notes.find("node.test/ledger\n6\n").unwrap()..]).unwrap();
    assert_eq!((&first["index"], &first["size"]), (&json!(6), &json!(6)));
    assert_eq!(first["root"], note.checkpoint().root.to_string());
    let key = ledger.verifier();
    assert_eq!(first["key"], format!("{}+{}", key.name(), hex::encode(key.id())));

    // The record itself is signed, and then all is quiet.
    for _ in 0..3 {
        place.clock.advance(Duration::from_secs(11));
        until("everything is signed", || ledger.status().unwrap().checkpoint_size == 7).await;
    }
    assert_eq!(ledger.status().unwrap().next_index, 7);
    calls(&ledger, 3..4).await;
    place.clock.advance(Duration::from_secs(11));
    until("the next is on record", || checkpoints(&place).len() == 2).await;
    assert_eq!(checkpoints(&place)[1]["size"], 9);

    // A start tells of the last one of the run before.
    tasks.shutdown(Duration::from_secs(5)).await.unwrap();
    ledger.close().unwrap();
    drop(ledger);
    let again = place.open();
    let recording = record_checkpoints(&again);
    let told = until("the end of the last run is on record", || checkpoints(&place).len() == 3);
    tokio::select! {
        () = recording => panic!("the ledger is open"),
        () = told => {}
    }
    assert_eq!(checkpoints(&place)[2]["size"], 10);
    drop(again);
    assert!(place.verify().bad.is_none());
}
