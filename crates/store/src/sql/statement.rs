//! A statement's text and values, and how they are run on either kind of connection.

use bailiwick_model::Timestamp;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Postgres, SqlSafeStr as _, SqlStr, Sqlite};

use super::Row;
use crate::StoreError;
use crate::pools::Connection;

/// A value for a `$n`. Absent ones keep their type, since PostgreSQL wants to know it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Option<Vec<u8>>),
    Flag(bool),
}

/// A statement with its values.
pub(crate) struct Statement {
    text: SqlStr,
    values: Vec<Value>,
}

/// A statement of this text; its values follow by [`Statement::bind`].
pub(crate) fn sql(text: &'static str) -> Statement {
    Statement { text: text.into_sql_str(), values: Vec::new() }
}

/// A statement whose text is put together. Of pieces that are ours alone: values are bound, never written in.
pub(crate) fn sql_of(pieces: String) -> Statement {
    Statement { text: AssertSqlSafe(pieces).into_sql_str(), values: Vec::new() }
}

impl Statement {
    /// Adds the value of the next `$n`.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds the values of several `$n`.
    pub(crate) fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// Adds text behind what is there, of ours alone.
    pub(crate) fn then(mut self, text: &str) -> Self {
        self.text = AssertSqlSafe(format!("{}{text}", self.text.as_str())).into_sql_str();
        self
    }

    /// One `INSERT` of many rows: the text ends in `VALUES`, the groups of `$n` are appended. Rows are all
    /// of one length.
    pub(crate) fn rows(self, rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        self.groups(rows, |n| format!("${n}"))
    }

    /// The same for thousands of values, none of which comes before: SQLite looks a numbered one up among all the
    /// others each time that it is bound, so there they go without numbers.
    pub(crate) fn many_rows(self, on: &Connection, rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        match on {
            Connection::Sqlite(_) => self.groups(rows, |_| "?".to_owned()),
            Connection::Postgres(_) => self.rows(rows),
        }
    }

    fn groups(mut self, rows: impl IntoIterator<Item = Vec<Value>>, mark: fn(usize) -> String) -> Self {
        let mut text = self.text.as_str().to_owned();
        for (at, row) in rows.into_iter().enumerate() {
            let first = self.values.len() + 1;
            let marks: Vec<String> = (first..first + row.len()).map(mark).collect();
            text.push_str(if at == 0 { " (" } else { ", (" });
            text.push_str(&marks.join(", "));
            text.push(')');
            self.values.extend(row);
        }
        // Only marks were added to a text that is ours.
        self.text = AssertSqlSafe(text).into_sql_str();
        self
    }

    /// Runs it; says how many rows it touched.
    pub(crate) async fn execute(self, on: &mut Connection) -> Result<u64, StoreError> {
        self.check()?;
        Ok(match on {
            Connection::Sqlite(tx) => {
                let (text, arguments) = self.for_sqlite()?;
                sqlx::query_with::<Sqlite, _>(text, arguments).execute(&mut **tx).await?.rows_affected()
            }
            Connection::Postgres(tx) => {
                let (text, arguments) = self.for_postgres()?;
                sqlx::query_with::<Postgres, _>(text, arguments).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// Runs it and brings all rows.
    pub(crate) async fn all(self, on: &mut Connection) -> Result<Vec<Row>, StoreError> {
        self.check()?;
        Ok(match on {
            Connection::Sqlite(tx) => {
                let (text, arguments) = self.for_sqlite()?;
                let rows = sqlx::query_with::<Sqlite, _>(text, arguments).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Connection::Postgres(tx) => {
                let (text, arguments) = self.for_postgres()?;
                let rows = sqlx::query_with::<Postgres, _>(text, arguments).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        let has_nul = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        if self.values.iter().any(has_nul) { Err(StoreError::Unstorable) } else { Ok(()) }
    }

    fn for_sqlite(self) -> Result<(SqlStr, SqliteArguments), StoreError> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            match value {
                Value::Text(text) => arguments.add(text),
                Value::Integer(number) => arguments.add(number),
                Value::Bytes(bytes) => arguments.add(bytes),
                Value::Flag(flag) => arguments.add(flag),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok((self.text, arguments))
    }

    fn for_postgres(self) -> Result<(SqlStr, PgArguments), StoreError> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            match value {
                Value::Text(text) => arguments.add(text),
                Value::Integer(number) => arguments.add(number),
                Value::Bytes(bytes) => arguments.add(bytes),
                Value::Flag(flag) => arguments.add(flag),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok((self.text, arguments))
    }
}

impl Value {
    /// The written form of an id, a name or a hash.
    pub(crate) fn written(value: &impl std::fmt::Display) -> Self {
        Self::Text(Some(value.to_string()))
    }

    /// A value as JSON text.
    pub(crate) fn json(value: &impl serde::Serialize) -> Result<Self, StoreError> {
        serde_json::to_string(value).map(Self::from).map_err(StoreError::Json)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Integer(Some(moment.as_micros()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(moment: Option<Timestamp>) -> Self {
        Self::Integer(moment.map(Timestamp::as_micros))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Some(bytes.to_vec()))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
