//! What the ledger holds of payloads, beside their size and digest, which it always has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// Personal data stays. Secrets are masked nevertheless.
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
            tools: BTreeMap::new(),
        }
    }
}
