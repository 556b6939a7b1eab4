//! An evidence pack: one file about one call, for somebody who has nothing else. Made by a running gateway, checked
//! by whoever has the ledger's public key; the format is described in `docs/ledger.md`.
//!
//! A pack holds proofs of the call's records, and beside them what the records speak of: the policies' text, the
//! definition, the grants. The ledger proves the records. It proves the rest only as far as a record names its hash
//! or says it itself, so a check tells the one from the other.

mod check;

use bailiwick_model::{CallId, Generation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Proof;

pub use check::{EvidenceReport, Finding, Standing};

/// The version of the format, member `v`.
pub const EVIDENCE_VERSION: u32 = 1;

/// A pack as it stands in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What the file is about.
    pub evidence: About,
    /// The version of the format.
    pub v: u32,
    /// The call.
    pub call: CallId,
    /// Proofs of records, all against the same checkpoint: that the call was allowed, refused or answered, how it
    /// ended, and that the grants were made which decided.
    pub records: Vec<Proof>,
    /// The policies that decided; none if nothing was decided, as for a ping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyText>,
    /// The definition that was called; none if the call was about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<DefinitionText>,
    /// The grants that the record names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<GrantText>,
}

/// What a pack is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// One call.
    Call,
}

/// How a hash is made: said in the file, for its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HashOf {
    /// Of the bytes of a text, as they were used or sent.
    #[default]
    #[serde(rename = "SHA-256 of the text in UTF-8, byte for byte")]
    Text,
}

/// The policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyText {
    /// The generation of policies and grants.
    pub generation: Generation,
    /// The ids of the policies and grants that decided.
    pub rules: Vec<String>,
    /// The hash that the record names; none in records of versions that named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// How it is made.
    pub hashed: HashOf,
    /// The Cedar text. None if the gateway had another one by the time it was asked.
    pub text: Option<String>,
}

/// A definition as its server offered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionText {
    /// The server's id.
    pub server: String,
    /// Its kind.
    pub kind: String,
    /// Its key at the server.
    pub key: String,
    /// The hash that the record names.
    pub hash: String,
    /// How it is made.
    pub hashed: HashOf,
    /// The JSON that the server sent. None if the gateway had another version or none by the time it was asked.
    pub text: Option<String>,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantText {
    /// Its id.
    pub id: String,
    /// What it says. None if the gateway had it neither in its state nor in this ledger.
    pub grant: Option<Value>,
}

/// A file that is no pack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceFault {
    /// Of another form.
    #[error("not an evidence pack: {0}")]
    Form(#[from] serde_json::Error),
    /// Of a later version than this.
    #[error("an evidence pack of version {0}, which is not known here")]
    Version(u32),
}

impl Evidence {
    /// Reads a file. Nothing is checked by this.
    ///
    /// # Errors
    /// If the text is of another form or version.
    pub fn parse(text: &str) -> Result<Self, EvidenceFault> {
        let pack: Self = serde_json::from_str(text)?;
        if pack.v == EVIDENCE_VERSION { Ok(pack) } else { Err(EvidenceFault::Version(pack.v)) }
    }
}

/// What a pack needs to know of a record; also of records of other versions, so whatever is not said is none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The kind of record.
    pub kind: String,
    /// The call.
    pub call: Option<CallId>,
    /// Why it was allowed or not.
    pub why: Option<ToldWhy>,
    /// What the call was about.
    pub subject: Option<ToldSubject>,
    /// What was done to the state.
    pub operation: Option<String>,
    /// To what.
    pub object: Option<String>,
    /// What it became.
    pub after: Option<Value>,
}

/// See [`Told::why`].
#[derive(Debug, Clone, Deserialize)]
pub struct ToldWhy {
    /// The generation.
    pub generation: Generation,
    /// The hash of the policies.
    pub policy: Option<String>,
    /// The ids of policies and grants.
    pub rules: Vec<String>,
}

/// See [`Told::subject`].
#[derive(Debug, Clone, Deserialize)]
pub struct ToldSubject {
    /// The server.
    pub server: String,
    /// The definition's kind.
    pub kind: Option<String>,
    /// The definition's key.
    pub key: Option<String>,
    /// The definition's hash; none if the call was about no listed definition.
    pub hash: Option<String>,
}

impl Told {
    /// Reads a record's line.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }

    /// Whether it is the first record of a call: the one that says who, what and why.
    pub fn opens(&self) -> bool {
        matches!(self.kind.as_str(), "intent" | "denied" | "local")
    }

    /// Whether it says how a call ended.
    pub fn closes(&self) -> bool {
        self.kind == "outcome"
    }

    /// The grant that it says was made: its id and what it says.
    pub fn grants(&self) -> Option<(&str, &Value)> {
        let made = self.kind == "admin_change" && self.operation.as_deref() == Some("grant.add");
        made.then_some((self.object.as_deref()?, self.after.as_ref()?))
    }
}
