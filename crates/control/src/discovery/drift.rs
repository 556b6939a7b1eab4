//! What is different from the last time, for the ledger.

use std::collections::HashMap;

use bailiwick_model::definition::{Definition, DefinitionHash, DefinitionKind, Discovery};
use bailiwick_model::record::{DefinitionDrift, Subject};
use bailiwick_model::server::Server;
use bailiwick_model::{Record, Recorder};

use crate::ControlError;

/// One difference.
#[derive(Debug, PartialEq, Eq)]
struct Drift<'a> {
    kind: DefinitionKind,
    key: &'a str,
    before: Option<DefinitionHash>,
    after: Option<DefinitionHash>,
}

/// Records every difference, and waits until all are safe.
pub(super) async fn record(
    recorder: &dyn Recorder,
    server: &Server,
    before: &Discovery,
    after: &Discovery,
) -> Result<(), ControlError> {
    let mut last = None;
    for drift in differences(before, after) {
        let change = match (drift.before, drift.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        let subject = Subject {
            server: server.id,
            name: server.name.as_str(),
            kind: Some(drift.kind),
            key: Some(drift.key),
            hash: drift.after,
        };
        let record = Record::DefinitionDrift(DefinitionDrift { subject, change, before: drift.before });
        last = Some(recorder.append(&record));
    }
    // One writer keeps the order, so the last one being safe means that all are.
    match last {
        Some(recording) => recording.settled().await.map(drop).map_err(ControlError::AuditUnavailable),
        None => Ok(()),
    }
}

fn differences<'a>(before: &'a Discovery, after: &'a Discovery) -> Vec<Drift<'a>> {
    let index = |discovery: &'a Discovery| -> HashMap<(DefinitionKind, &'a str), DefinitionHash> {
        discovery.definitions.iter().map(|found| ((found.kind, found.key.as_str()), found.hash)).collect()
    };
    let (old, new) = (index(before), index(after));
    let changed = after.definitions.iter().filter_map(|found| {
        let before = old.get(&(found.kind, found.key.as_str())).copied();
        (before != Some(found.hash)).then(|| of(found, before, Some(found.hash)))
    });
    let gone = before.definitions.iter().filter(|known| !new.contains_key(&(known.kind, known.key.as_str())));
    changed.chain(gone.map(|known| of(known, Some(known.hash), None))).collect()
}

fn of(definition: &Definition, before: Option<DefinitionHash>, after: Option<DefinitionHash>) -> Drift<'_> {
    Drift { kind: definition.kind, key: &definition.key, before, after }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn discovery(definitions: &[(&str, u8)]) -> Discovery {
        let definition = |(key, hash): &(&str, u8)| Definition {
            kind: DefinitionKind::Tool,
            key: (*key).to_owned(),
            raw: RawValue::from_string("{}".into()).unwrap(),
            hash: DefinitionHash([*hash; 32]),
            annotations: Default::default(),
        };
        Discovery {
            eras: vec![],
            hello: RawValue::from_string("{}".into()).unwrap(),
            definitions: definitions.iter().map(definition).collect(),
            dropped: vec![],
        }
    }

    #[test]
    fn added_changed_and_removed_definitions_are_told_and_order_alone_is_not() {
        let before = discovery(&[("same", 1), ("changed", 2), ("removed", 3)]);
        let after = discovery(&[("added", 4), ("changed", 5), ("same", 1)]);
        let told: Vec<_> = differences(&before, &after)
            .iter()
            .map(|d| (d.key, d.before.is_some(), d.after.is_some()))
            .collect();
        assert_eq!(told, [("added", false, true), ("changed", true, true), ("removed", true, false)]);
        assert!(differences(&before, &before).is_empty());
    }
}
