//! What the ledger holds of payloads, in requests and answers.

use std::collections::BTreeMap;

use bailiwick_model::capture::{self, RetentionClass};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the ledger holds of the payloads of a server's calls. Their size and digest it always has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
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
    /// The class of what is held: bodies of mode `full` have a key for each principal and class, and go with it. 1 to 40
    /// characters of `[a-z0-9-]`, beginning with a letter.
    #[schema(value_type = String)]
    pub retention: RetentionClass,
    /// What is different for single tools, by their own names.
    pub tools: BTreeMap<String, ToolCapture>,
}

/// What is different for a tool.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
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

/// How much of a payload is captured: nothing, what is left without secrets and personal data, or all of it, encrypted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// Nothing.
    None,
    /// The payload without the secrets and personal data that are found in it.
    Redacted,
    /// The payload as it is, but for what rules take out; encrypted, with a key that can be destroyed.
    Full,
}

/// What happens to values at a path.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureRule {
    /// The path: `$.a.b`, `$.a[*].c`, `$..name`; `$` is the whole payload.
    pub path: String,
    /// What happens.
    pub action: CaptureAction,
}

/// What happens to a value: it is left out, replaced, or held as it is but for secrets.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureAction {
    /// It is left out.
    Drop,
    /// It is replaced.
    Mask,
    /// It is held as it is, but for secrets.
    Keep,
}

impl Default for Capture {
    fn default() -> Self {
        capture::Capture::default().into()
    }
}

impl From<capture::Capture> for Capture {
    fn from(from: capture::Capture) -> Self {
        Self {
            arguments: from.arguments.into(),
            results: from.results.into(),
            rules: from.rules.into_iter().map(Into::into).collect(),
            max_bytes: from.max_bytes,
            retention: from.retention,
            tools: from.tools.into_iter().map(|(name, tool)| (name, tool.into())).collect(),
        }
    }
}

impl From<Capture> for capture::Capture {
    fn from(from: Capture) -> Self {
        Self {
            arguments: from.arguments.into(),
            results: from.results.into(),
            rules: from.rules.into_iter().map(Into::into).collect(),
            max_bytes: from.max_bytes,
            retention: from.retention,
            tools: from.tools.into_iter().map(|(name, tool)| (name, tool.into())).collect(),
        }
    }
}

impl From<capture::ToolCapture> for ToolCapture {
    fn from(from: capture::ToolCapture) -> Self {
        Self {
            arguments: from.arguments.map(Into::into),
            results: from.results.map(Into::into),
            rules: from.rules.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ToolCapture> for capture::ToolCapture {
    fn from(from: ToolCapture) -> Self {
        Self {
            arguments: from.arguments.map(Into::into),
            results: from.results.map(Into::into),
            rules: from.rules.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<capture::CaptureMode> for CaptureMode {
    fn from(from: capture::CaptureMode) -> Self {
        match from {
            capture::CaptureMode::None => Self::None,
            capture::CaptureMode::Redacted => Self::Redacted,
            capture::CaptureMode::Full => Self::Full,
        }
    }
}

impl From<CaptureMode> for capture::CaptureMode {
    fn from(from: CaptureMode) -> Self {
        match from {
            CaptureMode::None => Self::None,
            CaptureMode::Redacted => Self::Redacted,
            CaptureMode::Full => Self::Full,
        }
    }
}

impl From<capture::CaptureRule> for CaptureRule {
    fn from(from: capture::CaptureRule) -> Self {
        let action = match from.action {
            capture::CaptureAction::Drop => CaptureAction::Drop,
            capture::CaptureAction::Mask => CaptureAction::Mask,
            capture::CaptureAction::Keep => CaptureAction::Keep,
        };
        Self { path: from.path, action }
    }
}

impl From<CaptureRule> for capture::CaptureRule {
    fn from(from: CaptureRule) -> Self {
        let action = match from.action {
            CaptureAction::Drop => capture::CaptureAction::Drop,
            CaptureAction::Mask => capture::CaptureAction::Mask,
            CaptureAction::Keep => capture::CaptureAction::Keep,
        };
        Self { path: from.path, action }
    }
}
