//! Bodies of calls in requests and answers, and the end of their keys.

use bailiwick_control::{BodyContent, CallBody, Erasure};
use bailiwick_model::RetentionClass;
use bailiwick_model::body_key::BodyKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why somebody reads the bodies of a call.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadBodies {
    /// Why: it is kept in the ledger. 1 to 200 bytes on one line.
    pub reason: String,
}

/// What is held of the payloads of a call.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BodiesView {
    /// The call's id.
    pub call: String,
    /// Its payloads, in the order of their records.
    pub bodies: Vec<BodyView>,
}

/// What is held of a payload.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BodyView {
    /// `arguments` or `result`.
    pub part: String,
    /// The index of its record.
    pub record: u64,
    /// How many bytes the payload had.
    pub bytes: u64,
    /// `nothing`, `redacted`, `full`, `destroyed` (its key was), or `lost` (its key is not in this state).
    pub held: String,
    /// Whether less is held than the payload had, for its size.
    pub cut: bool,
    /// The class of what is held.
    pub class: String,
    /// Why something else is held than the capture policy said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// The JSON text that is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The id of the key that it was encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How the key came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroyed: Option<DestroyedView>,
}

/// How a key came to its end.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DestroyedView {
    /// When.
    pub at: String,
    /// By whom, by name if it is still known; absent if by the gateway itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    pub reason: String,
}

/// Whose bodies shall be unreadable, and why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseBodies {
    /// The principal, by id or name.
    pub principal: String,
    /// Only bodies of this class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub class: Option<RetentionClass>,
    /// Why: it is kept in the ledger. 1 to 200 bytes on one line.
    pub reason: String,
}

/// What was destroyed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErasedView {
    /// How many keys.
    pub destroyed: usize,
    /// Which.
    pub keys: Vec<ErasedKeyView>,
}

/// A key that was destroyed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErasedKeyView {
    /// Its id, as records name it.
    pub id: String,
    /// The class of the bodies that it encrypted.
    pub class: String,
    /// When it was made.
    pub created_at: String,
}

impl From<EraseBodies> for Erasure {
    fn from(from: EraseBodies) -> Self {
        Self { principal: from.principal, class: from.class, reason: from.reason }
    }
}

impl From<Vec<BodyKey>> for ErasedView {
    fn from(from: Vec<BodyKey>) -> Self {
        let key = |key: BodyKey| ErasedKeyView {
            id: key.id.to_string(),
            class: key.class.to_string(),
            created_at: key.created_at.to_string(),
        };
        Self { destroyed: from.len(), keys: from.into_iter().map(key).collect() }
    }
}

impl From<CallBody> for BodyView {
    fn from(from: CallBody) -> Self {
        let held = held(from.content);
        Self {
            part: from.part.member().to_owned(),
            record: from.record,
            bytes: from.bytes,
            held: held.word.to_owned(),
            cut: from.cut,
            class: from.class.to_string(),
            fallback: from.fallback,
            text: held.text,
            key: held.key,
            destroyed: held.destroyed,
        }
    }
}

#[derive(Default)]
struct HeldWords {
    word: &'static str,
    text: Option<String>,
    key: Option<String>,
    destroyed: Option<DestroyedView>,
}

fn held(content: BodyContent) -> HeldWords {
    match content {
        BodyContent::Nothing => HeldWords { word: "nothing", ..HeldWords::default() },
        BodyContent::Redacted(text) => {
            HeldWords { word: "redacted", text: Some(text), ..HeldWords::default() }
        }
        BodyContent::Full { key, text } => {
            HeldWords { word: "full", text: Some(text), key: Some(key.to_string()), ..HeldWords::default() }
        }
        BodyContent::Destroyed { key, by } => HeldWords {
            word: "destroyed",
            key: Some(key.id.to_string()),
            destroyed: key.destroyed.map(|how| DestroyedView {
                at: how.at.to_string(),
                by: by.or(how.by.map(|by| by.to_string())),
                reason: how.reason,
            }),
            ..HeldWords::default()
        },
        BodyContent::Lost { key } => {
            HeldWords { word: "lost", key: Some(key.to_string()), ..HeldWords::default() }
        }
    }
}
