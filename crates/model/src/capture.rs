//! What the ledger holds of payloads, beside their size and digest, which it always has.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{InvalidName, Name};

/// What is captured of a server's calls. By default nothing: what is not held cannot leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capture {
    /// Of the `params` of calls.
    pub arguments: CaptureMode,
    /// Of results and errors.
    pub results: CaptureMode,
    /// What happens to values at certain paths; the last rule that matches wins.
    pub rules: Vec<CaptureRule>,
    /// The most that is held of one payload, in bytes of JSON.
    pub max_bytes: u32,
    /// How what is held is classed: bodies of mode `full` have a key for each class, and go with it.
    pub retention: RetentionClass,
    /// What is different for single tools, by their own names.
    pub tools: BTreeMap<String, ToolCapture>,
}

/// What is different for a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolCapture {
    /// Of its arguments, if not as the server's others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<CaptureMode>,
    /// Of its results, if not as the server's others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<CaptureMode>,
    /// Rules that follow the server's.
    pub rules: Vec<CaptureRule>,
}

/// How much of a payload is captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// Nothing.
    #[default]
    None,
    /// The payload without the secrets and personal data that are found in it.
    Redacted,
    /// The payload as it is, but for what rules take out; encrypted, with a key that can be destroyed.
    Full,
}

/// A class of what is held, by a name that the operator chooses: 1 to 40 characters of `[a-z0-9-]`, beginning with a letter
/// and not ending in `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RetentionClass(Box<str>);

impl RetentionClass {
    /// The class of what is not classed otherwise.
    pub const STANDARD: &'static str = "standard";

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is [`RetentionClass::STANDARD`].
    pub fn is_standard(&self) -> bool {
        &*self.0 == Self::STANDARD
    }
}

impl Default for RetentionClass {
    fn default() -> Self {
        Self(Self::STANDARD.into())
    }
}

impl FromStr for RetentionClass {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.parse::<Name>().map(|name| Self(name.as_str().into()))
    }
}

impl fmt::Display for RetentionClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RetentionClass {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What happens to values at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureRule {
    /// The path: `$.a.b`, `$.a[*].c`, `$..name`; `$` is the whole payload.
    pub path: String,
    /// What happens.
    pub action: CaptureAction,
}

/// What happens to a value, and to all that is inside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureAction {
    /// The member or element is left out; the whole payload becomes `null`.
    Drop,
    /// The value becomes `"[masked]"`.
    Mask,
    /// Personal data stays. Secrets are masked nevertheless. Of mode `full` everything stays anyway.
    Keep,
}

impl Capture {
    /// The most that is held of one payload unless said otherwise, in bytes.
    pub const MAX_BYTES: u32 = 16 * 1024;

    /// Whether nothing is captured of any call.
    pub fn is_nothing(&self) -> bool {
        let none = |mode: Option<CaptureMode>| mode.unwrap_or_default() == CaptureMode::None;
        none(Some(self.arguments))
            && none(Some(self.results))
            && self.tools.values().all(|tool| none(tool.arguments) && none(tool.results))
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            arguments: CaptureMode::None,
            results: CaptureMode::None,
            rules: Vec::new(),
            max_bytes: Self::MAX_BYTES,
            retention: RetentionClass::default(),
            tools: BTreeMap::new(),
        }
    }
}
