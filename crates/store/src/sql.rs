//! One statement for two databases: its text, its values, and the rows that come back.
//!
//! This is the whole dispatch between SQLite and PostgreSQL. Tables write [`sql`] with `$n` and read
//! [`Row`]s; neither names a database.

mod row;
mod statement;

pub(crate) use row::Row;
pub(crate) use statement::{Statement, Value, sql, sql_of};
