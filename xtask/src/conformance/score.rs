//! What the suite found: for each scenario the checks with their verdicts, from the `checks.json` files of its output.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// `-2026-11-23T05-52-47-451Z`, with which the suite ends the names of its folders.
const STAMP: usize = 25;

/// Checks as (id, verdict) for each scenario, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Score(BTreeMap<String, Vec<(String, String)>>);

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
        if score.0.is_empty() {
            bail!("no scenario has run");
        }
        Ok(score)
    }

    fn insert(&mut self, scenario: &str, checks: &Value) {
        let text = |check: &Value, member: &str| check[member].as_str().unwrap_or_default().to_owned();
        let checks = checks.as_array().into_iter().flatten();
        let verdicts = checks.map(|check| (text(check, "id"), text(check, "status")));
        // What is only told is no verdict.
        let mut verdicts: Vec<_> = verdicts.filter(|(_, status)| status != "INFO").collect();
        verdicts.sort_unstable();
        self.0.entry(scenario.to_owned()).or_default().extend(verdicts);
    }

    fn count(&self, status: &str) -> usize {
        self.0.values().flatten().filter(|(_, found)| found == status).count()
    }

    /// A row of the table.
    pub(super) fn row(&self, requirements: &str, way: &str) -> Vec<String> {
        let (passed, failed) = (self.count("SUCCESS"), self.count("FAILURE"));
        let numbers = [self.0.len(), passed, failed].map(|number| number.to_string());
        [requirements.to_owned(), way.to_owned()].into_iter().chain(numbers).collect()
    }

    /// What `found` says otherwise, a line for each scenario.
    pub(super) fn differences(&self, found: &Self) -> Vec<String> {
        let nothing = Vec::new();
        let scenarios = self.0.keys().chain(found.0.keys().filter(|name| !self.0.contains_key(*name)));
        let of = |score: &Self, name: &String| match score.0.get(name) {
            Some(checks) => checks.clone(),
            None => nothing.clone(),
        };
        let each = scenarios.filter_map(|name| {
            let (expected, found) = (of(self, name), of(found, name));
            let lost = only_in(&expected, &found);
            let new = only_in(&found, &expected);
            (!lost.is_empty() || !new.is_empty()).then(|| {
                format!("{name}: direct only [{}], gateway only [{}]", lost.join(", "), new.join(", "))
            })
        });
        each.collect()
    }
}

/// The checks of one list that the other has less often.
fn only_in(these: &[(String, String)], others: &[(String, String)]) -> Vec<String> {
    let mut left = others.to_vec();
    let rest = these.iter().filter(|check| match left.iter().position(|other| other == *check) {
        Some(at) => {
            left.swap_remove(at);
            false
        }
        None => true,
    });
    rest.map(|(id, status)| format!("{id} {status}")).collect()
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
        assert!(one.differences(&score(&[("list", "b", "FAILURE"), ("ping", "a", "SUCCESS")])).is_empty());
    }

    #[test]
    fn a_changed_missing_or_new_verdict_is_named() {
        let direct = score(&[("ping", "a", "SUCCESS"), ("list", "b", "SUCCESS"), ("list", "b", "SUCCESS")]);
        let gateway = score(&[("ping", "a", "FAILURE"), ("list", "b", "SUCCESS"), ("more", "c", "SUCCESS")]);
        assert_eq!(
            direct.differences(&gateway),
            [
                "list: direct only [b SUCCESS], gateway only []",
                "ping: direct only [a SUCCESS], gateway only [a FAILURE]",
                "more: direct only [], gateway only [c SUCCESS]",
            ]
        );
    }

    #[test]
    fn what_is_only_told_does_not_count() {
        let told = score(&[("ping", "a", "SUCCESS"), ("ping", "version", "INFO")]);
        assert!(told.differences(&score(&[("ping", "a", "SUCCESS")])).is_empty());
        assert_eq!(told.row("2025-11-25", "direct"), ["2025-11-25", "direct", "1", "1", "0"]);
    }
}
