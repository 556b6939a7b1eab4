//! Names of servers and toolsets, as they stand in URLs and before `__` in aggregated tool names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// 1 to 40 characters of `[a-z0-9-]`, beginning with a letter and not ending in `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(Box<str>);

/// The longest name, in characters.
pub const MAX_NAME: usize = 40;

/// A text that cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 40 characters of a-z, 0-9 and '-', begins with a letter and does not end in '-'")]
pub struct InvalidName;

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good = (1..=MAX_NAME).contains(&text.len())
            && text.bytes().all(allowed)
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-');
        if good { Ok(Self(text.into())) } else { Err(InvalidName) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_url_and_a_tool_prefix_can_carry_are_accepted() {
        for (text, good) in [
            ("files", true),
            ("a", true),
            ("a-1", true),
            ("", false),
            ("Files", false),
            ("a_b", false),
            ("-a", false),
            ("a-", false),
            ("1a", false),
            ("a/b", false),
        ] {
            assert_eq!(text.parse::<Name>().is_ok(), good, "{text}");
        }
        assert!("a".repeat(41).parse::<Name>().is_err());
    }
}
