//! Decisions remembered within one generation.

/// What one snapshot remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory;
