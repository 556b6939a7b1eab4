//! A row of either database, and reading the domain's words out of its columns.

use std::str::FromStr;

use bailiwick_model::Timestamp;
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as WordError};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::StoreError;

/// A row.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// One reader per SQL type; the column may be absent.
macro_rules! column {
    ($name:ident, $type:ty) => {
        fn $name(&self, column: &'static str) -> Result<Option<$type>, StoreError> {
            match self {
                Self::Sqlite(row) => row.try_get(column),
                Self::Postgres(row) => row.try_get(column),
            }
            .map_err(|error| StoreError::damaged(column, error))
        }
    };
}

fn present<T>(column: &'static str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::damaged(column, "it is absent"))
}

impl Row {
    column!(maybe_text, String);
    column!(maybe_integer, i64);
    column!(maybe_bytes, Vec<u8>);
    column!(maybe_flag, bool);

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        present(column, self.maybe_text(column)?)
    }

    pub(crate) fn optional_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.maybe_text(column)
    }

    pub(crate) fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.maybe_integer(column)
    }

    pub(crate) fn optional_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.maybe_bytes(column)
    }

    pub(crate) fn integer(&self, column: &'static str) -> Result<i64, StoreError> {
        present(column, self.maybe_integer(column)?)
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        present(column, self.maybe_flag(column)?)
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        present(column, self.maybe_bytes(column)?)
    }

    /// A SHA-256.
    pub(crate) fn hash(&self, column: &'static str) -> Result<[u8; 32], StoreError> {
        <[u8; 32]>::try_from(self.bytes(column)?.as_slice()).map_err(|e| StoreError::damaged(column, e))
    }

    pub(crate) fn moment(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.integer(column).map(Timestamp::from_micros)
    }

    pub(crate) fn optional_moment(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_integer(column)?.map(Timestamp::from_micros))
    }

    /// An id or a name, from its written form.
    pub(crate) fn parsed<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        self.text(column)?.parse().map_err(|e| StoreError::damaged(column, e))
    }

    /// An id that may be absent.
    pub(crate) fn optional_parsed<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        let Some(text) = self.maybe_text(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|e| StoreError::damaged(column, e))
    }

    /// A state, from its word.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        present(column, self.optional_word(column)?)
    }

    /// A state that may be absent.
    pub(crate) fn optional_word<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.maybe_text(column)? else { return Ok(None) };
        let word: Result<T, WordError> = T::deserialize(text.as_str().into_deserializer());
        word.map(Some).map_err(|e| StoreError::damaged(column, e))
    }

    /// A value from JSON text.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|e| StoreError::damaged(column, e))
    }
}
