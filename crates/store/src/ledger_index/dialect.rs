//! Where the two databases differ in the index: how rows are told apart, and how words are kept.

use crate::pools::Connection;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    pub(super) fn of(connection: &Connection) -> Self {
        match connection {
            Connection::Sqlite(_) => Self::Sqlite,
            Connection::Postgres(_) => Self::Postgres,
        }
    }

    /// What tells a record's row apart.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Sqlite => "(idx)",
            Self::Postgres => "(node, idx)",
        }
    }

    /// The records by way of one of their indexes, which PostgreSQL finds by itself.
    pub(super) fn records_by(self, index: &str) -> String {
        match self {
            Self::Sqlite => format!("indexed_records INDEXED BY {index}"),
            Self::Postgres => "indexed_records".to_owned(),
        }
    }
}
