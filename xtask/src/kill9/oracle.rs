//! Reads the ledger's segment files by itself, without the gateway's code, and compares them with what others saw.
//!
//! A record does not hold a call's arguments but their HMAC under the ledger's digest key; the key is in the data folder,
//! and so the digest of every text that was acknowledged or seen can be looked up among the records.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// The records so far.
pub(super) struct Ledger {
    folder: PathBuf,
    digests: Hmac<Sha256>,
    /// How far each segment has been read.
    offsets: HashMap<PathBuf, usize>,
    /// The call of each digest of arguments.
    intents: HashMap<String, String>,
    /// Calls with an intent and no outcome.
    open: HashSet<String>,
    /// The calls that ended in a result.
    ok: HashSet<String>,
    /// How many calls ended as `unknown`, all in all and when last asked.
    unknown: usize,
    judged_unknown: usize,
}

impl Ledger {
    /// The ledger under a data folder; whatever is in it now belongs to no round.
    pub(super) fn open(data: &Path) -> Result<Self> {
        let key = fs::read_to_string(data.join("keys/ledger-digest")).context("the ledger's digest key")?;
        let key = URL_SAFE_NO_PAD.decode(key.trim())?;
        let mut ledger = Self {
            folder: data.join("ledger"),
            digests: Hmac::new_from_slice(&key)?,
            offsets: HashMap::new(),
            intents: HashMap::new(),
            open: HashSet::new(),
            ok: HashSet::new(),
            unknown: 0,
            judged_unknown: 0,
        };
        ledger.read_on()?;
        ledger.judged_unknown = ledger.unknown;
        Ok(ledger)
    }

    /// Reads what has come since, after the gateway has recovered.
    pub(super) fn read_on(&mut self) -> Result<()> {
        let entries = fs::read_dir(&self.folder)?.collect::<Result<Vec<_>, _>>()?;
        let mut segments: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
        segments.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        segments.sort_unstable();
        for path in segments {
            let bytes = fs::read(&path)?;
            let from = self.offsets.insert(path.clone(), bytes.len()).unwrap_or(0);
            let new = bytes.get(from..).with_context(|| format!("{} has become shorter", path.display()))?;
            for line in new.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let record = serde_json::from_slice(line);
                self.take(&record.with_context(|| format!("a line of {} is no record", path.display()))?)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, record: &Value) -> Result<()> {
        let call = || record["call"].as_str().map(str::to_owned).context("a record has no call");
        match record["kind"].as_str() {
            Some("intent") => {
                let call = call()?;
                if let Some(digest) = record["arguments"]["hmac"].as_str() {
                    self.intents.insert(digest.to_owned(), call.clone());
                }
                ensure!(self.open.insert(call), "a call has two intents");
            }
            Some("outcome") => {
                let call = call()?;
                ensure!(self.open.remove(&call), "an outcome has no open intent: {record}");
                match record["status"].as_str() {
                    Some("ok") => {
                        self.ok.insert(call);
                    }
                    Some("unknown") => self.unknown += 1,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares with the texts of one round.
    pub(super) fn judge(&mut self, acknowledged: &[String], seen: &[String]) -> Verdict {
        let call = |text: &String| self.intents.get(&self.digest(text));
        let recorded = |text: &&String| call(text).is_some_and(|call| self.ok.contains(call));
        let seen_by_server: HashSet<_> = seen.iter().collect();
        let verdict = Verdict {
            acknowledged: acknowledged.len(),
            seen: seen.len(),
            unrecorded: acknowledged.iter().filter(|text| !recorded(text)).cloned().collect(),
            unintended: seen.iter().filter(|text| call(text).is_none()).cloned().collect(),
            unseen: acknowledged.iter().filter(|text| !seen_by_server.contains(text)).cloned().collect(),
            open: self.open.len(),
            unknown: self.unknown - self.judged_unknown,
        };
        self.judged_unknown = self.unknown;
        verdict
    }

    /// The digest of the load generator's `params` with this text.
    fn digest(&self, text: &str) -> String {
        let params = format!(r#"{{"name":"echo","arguments":{{"text":"{text}"}}}}"#);
        let digest = self.digests.clone().chain_update(params).finalize().into_bytes();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What came of a round.
pub(super) struct Verdict {
    acknowledged: usize,
    seen: usize,
    /// Acknowledged texts whose call has no intent, or no outcome `ok`.
    unrecorded: Vec<String>,
    /// Texts that the server has seen and whose call has no intent.
    unintended: Vec<String>,
    /// Acknowledged texts that the server has not seen: then this test is wrong.
    unseen: Vec<String>,
    open: usize,
    unknown: usize,
}

impl Verdict {
    pub(super) const HEAD: &[&str] = &[
        "round",
        "acknowledged",
        "unrecorded",
        "seen",
        "unintended",
        "closed unknown",
        "left open",
        "ready ms",
    ];

    pub(super) fn row(&self, round: usize, ready: Duration) -> Vec<String> {
        let numbers = [
            round,
            self.acknowledged,
            self.unrecorded.len(),
            self.seen,
            self.unintended.len(),
            self.unknown,
            self.open,
        ];
        numbers.iter().map(usize::to_string).chain([ready.as_millis().to_string()]).collect()
    }

    /// What should not be, one line each.
    pub(super) fn complaints(&self) -> Vec<String> {
        let some = |texts: &[String]| texts.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let lists = [
            (&self.unrecorded, "acknowledged calls are not recorded as ok"),
            (&self.unintended, "calls that the server saw have no intent"),
            (&self.unseen, "acknowledged calls were not seen by the server"),
        ];
        let mut complaints: Vec<_> = lists
            .iter()
            .filter(|(texts, _)| !texts.is_empty())
            .map(|(texts, what)| format!("{} {what}: {} …", texts.len(), some(texts)))
            .collect();
        if self.open > 0 {
            complaints.push(format!("{} intents were left open after the restart", self.open));
        }
        if self.acknowledged == 0 {
            complaints.push("no call was acknowledged: the round shows nothing".to_owned());
        }
        complaints
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ledger() -> Ledger {
        Ledger {
            folder: PathBuf::new(),
            digests: Hmac::new_from_slice(b"key").unwrap(),
            offsets: HashMap::new(),
            intents: HashMap::new(),
            open: HashSet::new(),
            ok: HashSet::new(),
            unknown: 0,
            judged_unknown: 0,
        }
    }

    fn record(ledger: &mut Ledger, text: &str, status: Option<&str>) {
        let intent = json!({ "kind": "intent", "call": text, "arguments": { "hmac": ledger.digest(text) } });
        ledger.take(&intent).unwrap();
        if let Some(status) = status {
            ledger.take(&json!({ "kind": "outcome", "call": text, "status": status })).unwrap();
        }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_ledger_with_everything_in_it_has_no_complaints() {
        let mut ledger = ledger();
        record(&mut ledger, "a", Some("ok"));
        record(&mut ledger, "b", Some("unknown"));
        let verdict = ledger.judge(&texts(&["a"]), &texts(&["a", "b"]));
        assert_eq!(verdict.complaints(), Vec::<String>::new());
        assert_eq!(verdict.unknown, 1);
    }

    #[test]
    fn every_kind_of_loss_is_found_although_the_counts_are_equal() {
        let mut ledger = ledger();
        record(&mut ledger, "a", Some("unknown"));
        record(&mut ledger, "other", Some("ok"));
        record(&mut ledger, "hanging", None);
        let verdict = ledger.judge(&texts(&["a", "never"]), &texts(&["a", "lost"]));
        assert_eq!(
            verdict.complaints(),
            [
                "2 acknowledged calls are not recorded as ok: a, never …",
                "1 calls that the server saw have no intent: lost …",
                "1 acknowledged calls were not seen by the server: never …",
                "1 intents were left open after the restart",
            ]
        );
    }

    #[test]
    fn an_outcome_without_an_intent_is_an_error() {
        assert!(ledger().take(&json!({ "kind": "outcome", "call": "x", "status": "ok" })).is_err());
    }

    /// RFC 4231 has no such short key; computed with another implementation.
    #[test]
    fn the_digest_is_hmac_sha_256_of_the_params() {
        let expected = "34c996fde189ae408ab310b32c6168c7ba9b563be7ee44c79a9af362c22a6dd5";
        assert_eq!(ledger().digest("t"), expected);
    }
}
