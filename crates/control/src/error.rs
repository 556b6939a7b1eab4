//! What a use-case can answer instead of its result. `console` maps these once to problem details.

use bailiwick_model::RecordFailed;
use bailiwick_model::principal::Role;
use bailiwick_store::StoreError;

/// A use-case was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The actor's role is too weak.
    #[error("this needs the role `{}`", needs.as_str())]
    Forbidden {
        /// The weakest role that suffices.
        needs: Role,
    },
    /// There is no such thing, or none that the actor may know of.
    #[error("there is no {what} {asked:?}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        asked: String,
    },
    /// It contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// The request says something that cannot be.
    #[error("{field}: {problem}")]
    Invalid {
        /// The member of the request.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// The ledger does not take records, so nothing is changed.
    #[error("nothing is changed while the ledger cannot record it")]
    AuditUnavailable(#[source] RecordFailed),
    /// The database is away. Trying later may help.
    #[error("the database is not available")]
    Unavailable(#[source] StoreError),
    /// Something that should not happen; the details are for the log.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ControlError {
    pub(crate) fn not_found(what: &'static str, asked: &str) -> Self {
        Self::NotFound { what, asked: asked.to_owned() }
    }

    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }

    pub(crate) fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { what } => Self::Conflict(format!("the {what} is taken")),
            StoreError::InUse { what } => {
                Self::Conflict(format!("the {what} is still in use; remove what refers to it first"))
            }
            StoreError::Dangling => Self::Conflict("it refers to something that was just removed".into()),
            StoreError::Unstorable => Self::invalid("body", "a text contains a NUL character"),
            unavailable @ StoreError::Unavailable(_) => Self::Unavailable(unavailable),
            other => Self::internal(other),
        }
    }
}
