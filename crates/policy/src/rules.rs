//! The policies: Cedar text, parsed and validated strictly against the schema before anything is judged by
//! it.

/// A compiled policy set.
#[derive(Debug)]
pub struct Rules {}

/// Policies that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRules {
    /// The text is not Cedar, or misses what every policy must have.
    #[error("policies cannot be read: {0}")]
    Syntax(String),
    /// The text names or compares what the schema does not allow.
    #[error("policies do not fit the schema: {0}")]
    Schema(String),
}

impl Rules {
    /// The policies that come with the product.
    pub fn builtin() -> Self {
        Self {}
    }
}
