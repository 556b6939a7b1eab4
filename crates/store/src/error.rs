//! What can go wrong in the store, told apart as far as a caller acts on it: `control` answers
//! [`StoreError::Taken`] with 409, [`StoreError::Unavailable`] with 503 and logs the rest.
//!
//! The messages name tables and fields of the domain, never values: values may be personal.

mod classify;

use sqlx::error::DatabaseError as _;

/// A store operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something that must be unique exists already.
    #[error("the {what} is taken")]
    Taken {
        /// Which field, in words: `server name`.
        what: &'static str,
    },
    /// What was to be deleted is still referred to.
    #[error("the {what} is still in use")]
    InUse {
        /// What it is.
        what: &'static str,
    },
    /// What was to be written refers to something that does not exist.
    #[error("it refers to something that does not exist")]
    Dangling,
    /// A text with a NUL character, which PostgreSQL cannot hold; refused on both databases alike.
    #[error("a text contains a NUL character")]
    Unstorable,
    /// An earlier statement of this unit of work failed, so nothing of it is kept: drop it.
    #[error("an earlier part of this unit of work failed")]
    Aborted,
    /// The database cannot be reached, or is too busy, full or read-only. Trying later may help.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The database was last written by a newer version of Bailiwick. Nothing was changed.
    #[error("the database has schema {found}, and this version knows schemas up to {known}")]
    SchemaTooNew {
        /// The schema in the database.
        found: i64,
        /// The newest schema that this version knows.
        known: i64,
    },
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The location is no file or URL that can be opened.
    #[error("the database location is not valid")]
    Location(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file exists but cannot be made or given to its owner alone.
    #[error("the database file cannot be prepared")]
    File(#[source] std::io::Error),
    /// A stored value is not what was once written.
    #[error("the stored {column} is damaged")]
    Damaged {
        /// Its column.
        column: &'static str,
        /// Why it does not read.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A value could not be written as JSON.
    #[error("a value cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// Anything else the database says.
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    pub(crate) fn damaged(
        column: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Damaged { column, source: source.into() }
    }

    /// Whether a SQLite file is damaged, or no database.
    pub(crate) fn tells_of_damage(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        let code = error
            .try_downcast_ref::<sqlx::sqlite::SqliteError>()
            .and_then(|error| error.code()?.parse().ok());
        // SQLITE_CORRUPT and SQLITE_NOTADB, by the primary code in the low byte.
        code.is_some_and(|code: u32| matches!(code & 0xff, 11 | 26))
    }

    /// While deleting, a violated reference means the opposite of what it means while writing.
    pub(crate) fn while_deleting(self, what: &'static str) -> Self {
        match self {
            Self::Dangling => Self::InUse { what },
            other => other,
        }
    }
}
