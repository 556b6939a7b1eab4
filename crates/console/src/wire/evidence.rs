//! The evidence of a call in answers: the file that `audit check-evidence` checks, member by member.

use bailiwick_control::{ControlError, Evidence};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The evidence of a call.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// What it is about: `call`.
    pub evidence: String,
    /// The version of the format.
    pub v: u32,
    /// The call.
    pub call: String,
    /// Proofs of records as `audit prove` prints them, all against the same checkpoint: how the call began, how it
    /// ended, and that the grants were made which decided.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<Value>,
    /// The policies that decided; absent if nothing was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<EvidencePolicy>,
    /// The definition that was called; absent if the call was about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<EvidenceDefinition>,
    /// The grants that decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<EvidenceGrant>,
}

/// The policies that decided.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidencePolicy {
    /// The generation of policies and grants.
    pub generation: u64,
    /// The ids of the policies and grants that decided.
    pub rules: Vec<String>,
    /// The hash that the record names; absent in records of versions that named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// How it is made.
    pub hashed: String,
    /// The Cedar text; null if the gateway has another one by now.
    pub text: Option<String>,
}

/// The definition that was called.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceDefinition {
    /// The server's id.
    pub server: String,
    /// Its kind.
    pub kind: String,
    /// Its key at the server.
    pub key: String,
    /// The hash that the record names.
    pub hash: String,
    /// How it is made.
    pub hashed: String,
    /// The JSON that the server sent; null if the gateway has another version or none by now.
    pub text: Option<String>,
}

/// A grant that decided.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceGrant {
    /// Its id.
    pub id: String,
    /// What it says; null if the gateway does not have it.
    #[schema(value_type = Option<Object>)]
    pub grant: Option<Value>,
}

impl TryFrom<Evidence> for EvidenceView {
    type Error = ControlError;

    fn try_from(from: Evidence) -> Result<Self, ControlError> {
        // Both forms have the same members; a whole-system test checks a pack that came this way.
        serde_json::to_value(from)
            .and_then(serde_json::from_value)
            .map_err(|error| ControlError::Internal(error.into()))
    }
}
