//! Which settings a gateway runs with, on record at its start, beside what changed since the last one.

use bailiwick_model::Record;
use bailiwick_model::record::Configuration;
use bailiwick_store::IndexFilter;
use serde_json::{Map, Value};

use super::{blocking, from};
use crate::{Control, ControlError};

impl Control {
    /// Records the settings in force: `section.key` and value, secrets as digests. Settings are read at the start alone,
    /// so that it is called once, before calls are served.
    ///
    /// # Errors
    /// [`ControlError::AuditUnavailable`] if the ledger does not take it.
    pub async fn record_configuration(
        &self,
        version: &str,
        settings: Map<String, Value>,
    ) -> Result<(), ControlError> {
        let before = match self.last_settings().await {
            Ok(before) => before,
            Err(error) => {
                tracing::warn!(%error, "the settings of the last start cannot be found to be compared");
                None
            }
        };
        let changed = before.map(|before| differences(&before, &settings));
        let settings = Value::Object(settings);
        let record =
            Record::Configuration(Configuration { version, settings: &settings, changed: changed.as_ref() });
        let recorded = self.parts().recorder.append(&record).settled().await;
        recorded.map(|_| ()).map_err(ControlError::AuditUnavailable)
    }

    /// The settings of the last such record of this ledger, if the index and the segments have it.
    async fn last_settings(&self) -> Result<Option<Map<String, Value>>, ControlError> {
        let filter = IndexFilter { kind: Some("configuration".into()), ..IndexFilter::default() };
        let own = self.parts().ledger.verifier().name();
        let found = self.parts().index.find(&filter, None, 100).await?.records;
        let Some(last) = found.into_iter().find(|record| record.ledger == own) else { return Ok(None) };
        let dir = self.parts().settings.ledger_dir.clone();
        let lines = blocking(move || from(&dir, last.index, 1)).await?;
        let line = lines.into_iter().next().filter(|line| line.index == last.index);
        let told: Option<Value> = line.and_then(|line| serde_json::from_str(&line.json).ok());
        Ok(told.and_then(|mut told| match told.get_mut("settings").map(Value::take) {
            Some(Value::Object(settings)) => Some(settings),
            _ => None,
        }))
    }
}

/// What the keys were that differ.
fn differences(before: &Map<String, Value>, now: &Map<String, Value>) -> Value {
    let keys = before.keys().chain(now.keys().filter(|key| !before.contains_key(*key)));
    let changed = keys.filter(|key| before.get(*key) != now.get(*key));
    Value::Object(changed.map(|key| (key.clone(), before.get(key).cloned().unwrap_or_default())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_told_with_what_it_was() {
        let of = |value: Value| value.as_object().cloned().unwrap();
        let before = of(json!({"a.same": 1, "a.other": "x", "a.gone": true}));
        let now = of(json!({"a.same": 1, "a.other": "y", "a.new": []}));
        assert_eq!(differences(&before, &now), json!({"a.other": "x", "a.gone": true, "a.new": null}));
        assert_eq!(differences(&now, &now), json!({}));
    }
}
