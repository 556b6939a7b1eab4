//! The command line's own view of the environment.

use super::failure::Failure;

/// A variable; `None` if it is not set or empty.
#[expect(clippy::disallowed_methods, reason = "the command line is a client, which has no settings file")]
pub(super) fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::other(format!("{name} is not UTF-8"))),
    }
}
