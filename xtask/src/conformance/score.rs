//! What the suite found: for each scenario the checks with their verdicts, from the `checks.json` files of its output.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// `-2026-11-23T05-52-47-451Z`, with which the suite ends the names of its folders.
const STAMP: usize = 25;

/// Checks as (id, verdict) for each scenario, sorted.
type Verdicts = BTreeMap<String, Vec<(String, String)>>;

/// What one run of the suite found.
#[derive(Debug, Default)]
pub(super) struct Score {
    verdicts: Verdicts,
    /// What the suite says about a check that did not pass.
    reasons: BTreeMap<(String, String), String>,
}

impl Score {
    /// Reads an output folder.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut score = Self::default();
        for entry in fs::read_dir(folder).with_context(|| format!("no results in {}", folder.display()))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let scenario = name.get(..name.len().saturating_sub(STAMP)).unwrap_or(&name);
            let checks: Value = serde_json::from_slice(&fs::read(path.join("checks.json"))?)?;
            score.insert(scenario, &checks);
        }
        if score.verdicts.is_empty() {
            bail!("no scenario has run");
        }
        Ok(score)
    }

    fn insert(&mut self, scenario: &str, checks: &Value) {
        let mut verdicts = Vec::new();
        for check in checks.as_array().into_iter().flatten() {
            let text = |member: &str| check[member].as_str().map(str::to_owned);
            let (id, status) = (text("id").unwrap_or_default(), text("status").unwrap_or_default());
            if let Some(reason) = text("errorMessage").or_else(|| text("description")) {
                self.reasons.insert((scenario.to_owned(), id.clone()), reason);
            }
            // What is only told is no verdict.
            if status != "INFO" {
                verdicts.push((id, status));
            }
        }
        verdicts.sort_unstable();
        self.verdicts.entry(scenario.to_owned()).or_default().extend(verdicts);
    }

    fn count(&self, status: &str) -> usize {
        self.verdicts.values().flatten().filter(|(_, found)| found == status).count()
    }

    /// A row of the table.
    pub(super) fn row(&self, requirements: &str, way: &str) -> Vec<String> {
        let (passed, failed) = (self.count("SUCCESS"), self.count("FAILURE"));
        let numbers = [self.verdicts.len(), passed, failed].map(|number| number.to_string());
        [requirements.to_owned(), way.to_owned()].into_iter().chain(numbers).collect()
    }

    /// What `found` says otherwise, a line for each check; but for the scenarios `without`.
    pub(super) fn differences(&self, found: &Self, without: &[&str]) -> Vec<String> {
        let names: BTreeSet<_> = self.verdicts.keys().chain(found.verdicts.keys()).collect();
        let mut lines = Vec::new();
        for name in names.into_iter().filter(|name| !without.contains(&name.as_str())) {
            let of = |score: &Self| score.verdicts.get(name).cloned().unwrap_or_default();
            let (expected, other) = (of(self), of(found));
            let line = |way: &str, (id, status): (String, String)| {
                let reason =
                    found.reasons.get(&(name.clone(), id.clone())).map(|reason| format!(": {reason}"));
                format!("{name}: {id} {status} {way}{}", reason.unwrap_or_default())
            };
            lines.extend(only_in(&expected, &other).into_iter().map(|check| line("only directly", check)));
            lines.extend(
                only_in(&other, &expected).into_iter().map(|check| line("only by the gateway", check)),
            );
        }
        lines
    }
}

/// The checks of one list that the other has less often.
fn only_in(these: &[(String, String)], others: &[(String, String)]) -> Vec<(String, String)> {
    let mut left = others.to_vec();
    let rest = these.iter().filter(|check| match left.iter().position(|other| other == *check) {
        Some(at) => {
            left.swap_remove(at);
            false
        }
        None => true,
    });
    rest.cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn score(checks: &[(&str, &str, &str)]) -> Score {
        let mut score = Score::default();
        for (scenario, id, status) in checks {
            score.insert(scenario, &json!([{ "id": id, "status": status }]));
        }
        score
    }

    #[test]
    fn equal_scores_have_no_differences() {
        let one = score(&[("ping", "a", "SUCCESS"), ("list", "b", "FAILURE")]);
        assert!(
            one.differences(&score(&[("list", "b", "FAILURE"), ("ping", "a", "SUCCESS")]), &[]).is_empty()
        );
    }

    #[test]
    fn a_changed_missing_or_new_verdict_is_named() {
        let direct = score(&[("ping", "a", "SUCCESS"), ("list", "b", "SUCCESS"), ("list", "b", "SUCCESS")]);
        let gateway = score(&[("ping", "a", "FAILURE"), ("list", "b", "SUCCESS"), ("more", "c", "SUCCESS")]);
        assert_eq!(
            direct.differences(&gateway, &[]),
            [
                "list: b SUCCESS only directly",
                "more: c SUCCESS only by the gateway",
                "ping: a SUCCESS only directly",
                "ping: a FAILURE only by the gateway",
            ]
        );
    }

    #[test]
    fn what_is_only_told_does_not_count() {
        let told = score(&[("ping", "a", "SUCCESS"), ("ping", "version", "INFO")]);
        assert!(told.differences(&score(&[("ping", "a", "SUCCESS")]), &[]).is_empty());
        assert_eq!(told.row("2025-11-25", "direct"), ["2025-11-25", "direct", "1", "1", "0"]);
    }
}
