//! The check of a pack: what the ledger proves, what a proven record's hash proves, what is only attached, and what
//! does not hold.

use bailiwick_model::{CallId, GrantId};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{DefinitionText, Evidence, GrantText, PolicyText, Told, ToldWhy};
use crate::{Claim, Hash, Proof, Proven, VerifierKey};

/// How much one part of a pack is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The ledger holds it.
    Proven,
    /// A proven record names its hash.
    Linked,
    /// It is in the file, and nothing proves it.
    Attached,
    /// It is not in the file.
    Absent,
    /// It is not in the file of a call that is to be complete: how the call ended. A tree proves what is in it and not
    /// what is not, so nothing tells a call under way from one whose outcome was taken out.
    Missing,
    /// It is not what it is said to be.
    Wrong,
}

/// What was found of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The part: `record 7 (intent)`, `policy text`, `definition`, `grant …`.
    pub part: String,
    /// What it is worth.
    pub standing: Standing,
    /// Why, in words.
    pub why: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceReport {
    /// The call.
    pub call: CallId,
    /// Whether every part is what it is said to be, and the call's end is among them.
    pub holds: bool,
    /// The ledger's name; none if no record is proven.
    pub origin: Option<String>,
    /// How many records the checkpoint tells of.
    pub size: Option<u64>,
    /// The root of their tree.
    pub root: Option<Hash>,
    /// Whether the key came from outside; if not, whoever made the file can have made it up.
    pub key_given: bool,
    /// Part by part.
    pub findings: Vec<Finding>,
}

impl EvidenceReport {
    /// Whether every part is what it is said to be, and only the call's end is missing: what the file of a call that was
    /// under way when it was made looks like, and one whose outcome was taken out.
    pub fn is_only_open(&self) -> bool {
        let stands = |standing| self.findings.iter().any(|finding| finding.standing == standing);
        stands(Standing::Missing) && !stands(Standing::Wrong)
    }
}

impl Evidence {
    /// Checks it with the ledger's public keys; if none is given, the one in the file is believed.
    ///
    /// Every part is looked at, whatever is wrong with the others.
    pub fn check(&self, keys: &[VerifierKey]) -> EvidenceReport {
        let mut check = Check { pack: self, findings: Vec::new(), checkpoint: None, proven: Vec::new() };
        for (nth, proof) in self.records.iter().enumerate() {
            check.record(nth, proof, keys);
        }
        match check.opening() {
            Some((index, opening)) => check.parts(index, &opening),
            None => check.told("call", Standing::Wrong, "no proven record says who asked for what"),
        }
        let checkpoint = check.checkpoint;
        EvidenceReport {
            call: self.call,
            holds: !check
                .findings
                .iter()
                .any(|finding| matches!(finding.standing, Standing::Wrong | Standing::Missing)),
            size: checkpoint.as_ref().map(|proven| proven.size),
            root: checkpoint.as_ref().map(|proven| proven.root),
            origin: checkpoint.map(|proven| proven.origin),
            key_given: !keys.is_empty(),
            findings: check.findings,
        }
    }
}

struct Check<'a> {
    pack: &'a Evidence,
    findings: Vec<Finding>,
    /// What the first record that is proven says of its checkpoint.
    checkpoint: Option<Proven>,
    proven: Vec<(u64, Told)>,
}

impl Check<'_> {
    fn told(&mut self, part: impl Into<String>, standing: Standing, why: impl Into<String>) {
        self.findings.push(Finding { part: part.into(), standing, why: why.into() });
    }

    fn record(&mut self, nth: usize, proof: &Proof, keys: &[VerifierKey]) {
        let Proof::Inclusion(inclusion) = proof else {
            return self.told(format!("proof {nth}"), Standing::Wrong, "it is about no record");
        };
        let part = format!("record {}", inclusion.index);
        let proven = match proof.check(keys) {
            Ok(proven) => proven,
            Err(fault) => return self.told(part, Standing::Wrong, fault.to_string()),
        };
        let Claim::Holds { index, record } = &proven.claim else { return };
        let Ok(told) = Told::parse(record) else {
            return self.told(part, Standing::Wrong, "it is not a record of the ledger");
        };
        let part = format!("{part} ({})", told.kind);
        if let Some(first) = &self.checkpoint
            && (&first.origin, first.size, first.root) != (&proven.origin, proven.size, proven.root)
        {
            return self.told(part, Standing::Wrong, "it is proven against another checkpoint");
        }
        if let Err(why) = self.belongs(*index, &told) {
            return self.told(part, Standing::Wrong, why);
        }
        self.told(part, Standing::Proven, "it is in the ledger");
        self.proven.push((*index, told));
        self.checkpoint.get_or_insert(proven);
    }

    /// Whether a record has a place in this pack, beside those before it.
    fn belongs(&self, index: u64, told: &Told) -> Result<(), &'static str> {
        if told.opens() || told.closes() {
            let same =
                |(_, other): &(u64, Told)| (other.opens(), other.closes()) == (told.opens(), told.closes());
            if told.call != Some(self.pack.call) {
                return Err("it is a record of another call");
            }
            if self.proven.iter().any(same) {
                return Err("there is one of its kind already");
            }
            return match self.opening() {
                Some((opening, _)) if told.closes() && index < opening => Err("it ended before it began"),
                Some(_) | None => Ok(()),
            };
        }
        let named = |id: &str| self.pack.grants.iter().any(|grant| grant.id == id);
        match told.grants() {
            Some((id, _)) if named(id) => Ok(()),
            Some(_) | None => Err("it is not about the call"),
        }
    }

    fn opening(&self) -> Option<(u64, Told)> {
        self.proven.iter().find(|(_, told)| told.opens()).cloned()
    }

    /// What the pack holds beside records, against what the first record of the call says of it.
    fn parts(&mut self, index: u64, opening: &Told) {
        let ended = self.proven.iter().any(|(_, told)| told.closes());
        if opening.kind == "intent" && !ended {
            let why =
                "outcome missing: the call was under way when the file was made, or somebody took it out";
            self.told("outcome", Standing::Missing, why);
        }
        match (&self.pack.policy, &opening.why) {
            (Some(policy), Some(why)) => self.policy(index, policy, why),
            (None, None) => {}
            (Some(_), None) => {
                self.told("policy text", Standing::Wrong, format!("record {index} names none"));
            }
            (None, Some(_)) => self.told("policy text", Standing::Wrong, "it is left out"),
        }
        self.definition(index, opening);
        let named: Vec<&String> = opening.why.iter().flat_map(|why| &why.rules).collect();
        for grant in &self.pack.grants {
            self.grant(index, grant, named.contains(&&grant.id));
        }
        let is_there = |id: &String| self.pack.grants.iter().any(|grant| grant.id == *id);
        let missing = named.into_iter().filter(|id| id.parse::<GrantId>().is_ok() && !is_there(id));
        for id in missing {
            self.told(format!("grant {id}"), Standing::Wrong, "it is left out");
        }
    }

    fn policy(&mut self, index: u64, policy: &PolicyText, why: &ToldWhy) {
        if policy.generation != why.generation || policy.rules != why.rules {
            let why = format!("record {index} names another generation or other rules");
            return self.told("policy", Standing::Wrong, why);
        }
        let rules = why.rules.join(", ");
        self.told("policy", Standing::Proven, format!("generation {}, rules {rules}", why.generation));
        self.text(
            "policy text",
            index,
            (why.policy.as_deref(), policy.hash.as_deref()),
            policy.text.as_deref(),
        );
    }

    fn definition(&mut self, index: u64, opening: &Told) {
        let named = opening.subject.as_ref().filter(|subject| subject.hash.is_some());
        let (definition, subject) = match (&self.pack.definition, named) {
            (Some(definition), Some(subject)) => (definition, subject),
            (None, None) => return,
            (Some(_), None) => {
                return self.told("definition", Standing::Wrong, format!("record {index} names none"));
            }
            (None, Some(_)) => return self.told("definition", Standing::Wrong, "it is left out"),
        };
        let DefinitionText { server, kind, key, hash, text, .. } = definition;
        let same = *server == subject.server
            && Some(kind) == subject.kind.as_ref()
            && Some(key) == subject.key.as_ref();
        if !same {
            return self.told("definition", Standing::Wrong, format!("record {index} names another"));
        }
        self.text("definition", index, (subject.hash.as_deref(), Some(hash)), text.as_deref());
    }

    /// A text whose hash the record should name.
    fn text(&mut self, part: &str, index: u64, hashes: (Option<&str>, Option<&str>), text: Option<&str>) {
        let (named, told) = hashes;
        let (standing, why) = match (named, text) {
            _ if named != told => (Standing::Wrong, format!("record {index} names another hash of it")),
            (None, Some(_)) => (Standing::Attached, format!("record {index} names no hash of it")),
            (None, None) => (Standing::Absent, format!("record {index} names no hash of it")),
            (Some(hash), None) => {
                let what = "the gateway no longer had it when the file was made";
                (Standing::Absent, format!("{what}; whoever has a copy compares its {hash}"))
            }
            (Some(hash), Some(text)) if sha256(text) == hash => {
                (Standing::Linked, format!("record {index} names its hash, {hash}"))
            }
            (Some(hash), Some(_)) => (Standing::Wrong, format!("its hash is not {hash}")),
        };
        self.told(part, standing, why);
    }

    fn grant(&mut self, index: u64, grant: &GrantText, is_named: bool) {
        let made = self.proven.iter().find_map(|(at, told)| {
            let (_, said) = told.grants().filter(|(id, _)| *id == grant.id)?;
            Some((*at, grant.grant.as_ref() == Some(said)))
        });
        let (standing, why) = match (made, &grant.grant) {
            _ if !is_named => (Standing::Wrong, format!("record {index} does not name it")),
            (Some((at, true)), _) => (Standing::Proven, format!("record {at} says that it was made so")),
            (Some((at, false)), _) => (Standing::Wrong, format!("record {at} says something else")),
            (None, Some(_)) => (Standing::Attached, "no record in the file says that it was made".into()),
            (None, None) => (Standing::Absent, "the gateway no longer had it when the file was made".into()),
        };
        self.told(format!("grant {}", grant.id), standing, why);
    }
}

fn sha256(text: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(text)))
}
