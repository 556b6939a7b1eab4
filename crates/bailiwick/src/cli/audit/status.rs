//! `bailiwick audit status`: how the ledger of a running gateway and its index are, and who is told of its checkpoints.

use bailiwick_console::wire::{ArchiveView, AuditStatus, IndexView};

use crate::cli::backup::restored;
use crate::cli::table::{facts, table, yes_no};

pub(super) fn told(status: AuditStatus) -> String {
    let ledger = facts([
        ("takes records", Some(yes_no(status.available))),
        ("records", Some(status.records.to_string())),
        ("signed", Some(status.checkpoint_size.to_string())),
        ("open calls", Some(status.open_calls.to_string())),
        ("pruned", Some(format!("records before {}", status.pruned)).filter(|_| status.pruned > 0)),
        ("archive", status.archive.as_ref().map(archive)),
        ("segments", Some(status.segments.to_string())),
        ("bytes", Some(status.bytes.to_string())),
        ("root", Some(status.root)),
        ("index", Some(index(&status.index))),
        ("restored", status.restored.as_ref().map(restored)),
    ]);
    if status.witnesses.is_empty() {
        return ledger;
    }
    let rows = status.witnesses.into_iter().map(|witness| {
        [
            witness.kind,
            witness.place,
            witness.delivered.to_string(),
            witness.lag.to_string(),
            witness.failures.to_string(),
            witness.error.unwrap_or_else(|| "-".to_owned()),
        ]
    });
    let head = ["witness", "place", "has", "lag", "failures", "last failure"];
    format!("{ledger}\n{}", table(head, rows, ""))
}

/// How the index is, in one sentence.
fn index(index: &IndexView) -> String {
    let state = match index {
        IndexView { failing: true, .. } => "cannot be written, see the gateway's log",
        IndexView { rebuilding: true, .. } => "being made anew",
        IndexView { lag_records: 0, .. } => return format!("{} records, up to date", index.records),
        _ => "behind",
    };
    format!("{} records, {state}: {} to go, for {} s", index.records, index.lag_records, index.lag_seconds)
}

/// How the archive is, in one sentence.
fn archive(archive: &ArchiveView) -> String {
    let ArchiveView { place, records, waiting, failures, .. } = archive;
    let state = match &archive.error {
        Some(error) => format!("failed {failures} times, the last time: {error}"),
        None => "well".to_owned(),
    };
    format!("{place}: the records before {records}, {waiting} closed segments to go, {state}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_that_fails_is_told_with_its_lag_and_reason() {
        let status = serde_json::json!({
            "available": true, "records": 9, "root": "00", "segments": 1, "bytes": 100, "open_calls": 0,
            "checkpoint_size": 8,
            "witnesses": [{
                "kind": "webhook", "place": "https://w.example", "delivered": 5, "lag": 3, "failures": 2,
                "error": "it answers 500\u{1b}[2J",
            }],
        });
        let text = told(serde_json::from_value(status).unwrap());
        let last: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(last[..5], ["webhook", "https://w.example", "5", "3", "2"]);
        assert!(text.contains("it answers 500\\u{1b}[2J"), "{text}");
    }
}
