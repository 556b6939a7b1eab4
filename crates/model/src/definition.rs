//! What a server offers: tools, prompts, resources and resource templates, as it sent them.
//!
//! `raw` is the server's own JSON, byte for byte: lists are assembled from it, so members that this
//! version of the gateway does not know survive. Made by `upstream`'s discovery, kept by `store`, read by
//! the snapshot's catalogue.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The four kinds of definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionKind {
    /// Called by `tools/call`.
    Tool,
    /// Fetched by `prompts/get`.
    Prompt,
    /// Read by `resources/read`.
    Resource,
    /// A pattern of resources, RFC 6570.
    ResourceTemplate,
}

impl DefinitionKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Tool, Self::Prompt, Self::Resource, Self::ResourceTemplate];

    /// The word for it in records, tables and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::ResourceTemplate => "resource_template",
        }
    }
}

/// One definition of one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Definition {
    /// Its kind.
    pub kind: DefinitionKind,
    /// What identifies it at its server: the name of a tool or prompt, the `uri` of a resource, the
    /// `uriTemplate` of a template.
    pub key: String,
    /// What the server sent, byte for byte.
    pub raw: Box<RawValue>,
    /// SHA-256 of `raw`, the pin's subject.
    pub hash: DefinitionHash,
    /// A tool's annotations. Hints of the server's own, so policy reads them only after approval.
    pub annotations: Annotations,
}

/// A tool's behaviour hints (spec: schema `ToolAnnotations`), with the spec's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Annotations {
    /// Changes nothing.
    pub read_only_hint: bool,
    /// May destroy.
    pub destructive_hint: bool,
    /// Twice is once.
    pub idempotent_hint: bool,
    /// Reaches the world outside.
    pub open_world_hint: bool,
}

impl Default for Annotations {
    fn default() -> Self {
        Self { read_only_hint: false, destructive_hint: true, idempotent_hint: false, open_world_hint: true }
    }
}

/// SHA-256 of a definition.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DefinitionHash(pub [u8; 32]);

impl std::fmt::Display for DefinitionHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl std::fmt::Debug for DefinitionHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for DefinitionHash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.strip_prefix("sha256:").unwrap_or(text), &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for DefinitionHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_sha256(&self.0, serializer)
    }
}

/// Writes `sha256:` and 64 hexadecimal digits without an allocation: hashes stand in every record.
pub(crate) fn write_sha256<S: serde::Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = *b"sha256:0000000000000000000000000000000000000000000000000000000000000000";
    hex::encode_to_slice(hash, &mut text[7..]).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
}

impl<'de> Deserialize<'de> for DefinitionHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What one discovery of a server brought: kept by the store, so that a restarted gateway has lists before
/// any server answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Discovery {
    /// The protocol revisions that the server speaks, as dates.
    pub eras: Vec<String>,
    /// Its `server/discover` or `initialize` result, byte for byte: capabilities, instructions, names.
    pub hello: Box<RawValue>,
    /// Its definitions, in its own order within each kind.
    pub definitions: Vec<Definition>,
    /// What was left out, and why: one sentence per dropped definition or cut list.
    pub dropped: Vec<String>,
}
